"""A real sentence-transformers model that loads in a moment: the bundled tokenizer and seeded random token vectors.

Texts that share words are similar; nothing is learned. Use it as ``encoder.name = str(make_tiny_encoder(folder))``.
"""

import json
from pathlib import Path

import numpy as np

from indices.model_files import bundled_folder


def make_tiny_encoder(folder: Path, *, dimension: int = 32, seed: int = 0) -> Path:
    """Write the model into `folder` and return it; neither torch nor sentence-transformers is imported."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(bundled_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = tokenizer.get_vocab_size()
    table = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    save_file({"embedding.weight": table}, folder / "model.safetensors")
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "1_Normalize").mkdir(exist_ok=True)
    return folder
