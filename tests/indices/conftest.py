"""Encoders for the tests of finding: a deterministic fake for logic, and real models made once a session."""

import hashlib

import numpy as np
import pytest

from indices.batching import Encoded
from indices.encoders import Encoder, EncoderCard, open_encoder

DIMENSION = 8


class FakeEncoder:
    """Vectors from hashes of words; counts what it is asked for."""

    def __init__(self, fingerprint="fake"):
        self.asked = []
        self.opened = 0
        self.card = EncoderCard("fake", fingerprint, DIMENSION, 256, "")

    def open(self):
        self.opened += 1
        return Encoder(self.card, self._run)

    def vector(self, text):
        rows = [
            np.frombuffer(hashlib.sha256(word.encode()).digest()[:DIMENSION], dtype=np.int8) for word in text.split()
        ]
        total = np.sum(rows, axis=0, dtype=np.float64) + 0.5
        return (total / np.linalg.norm(total)).astype(np.float32)

    def _run(self, texts):
        self.asked.extend(texts)
        pieces = np.array([1 + len(text) // 1000 for text in texts], dtype=np.int32)
        return Encoded(np.stack([self.vector(text) for text in texts]), pieces)


@pytest.fixture
def fake():
    return FakeEncoder()


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def bundled(models_dir):
    return open_encoder("bundled", models_dir=models_dir, max_tokens=256, batch_tokens=4096)


@pytest.fixture(scope="session")
def static(static_models):
    return open_encoder("static", models_dir=static_models, max_tokens=256, batch_tokens=4096)
