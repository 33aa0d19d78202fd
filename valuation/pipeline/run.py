"""``valuation run``: embed, index, match, value, track, report; a run's folder appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import EnvironmentFault, InputError
from valuation.pipeline.deflator import deflator_sha256
from valuation.pipeline.embedding import embed_texts, identify_encoder, to_register
from valuation.pipeline.finished import read_manifest
from valuation.progress import Progress
from valuation.storage import postings_digest, read_sessions, sessions_digest
from valuation.tables import write_text
from valuation.tables.withdrawn import read_withdrawn

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.session_register import Calendar, RegisterMeans, Users
    from valuation.storage import Layout

RUN_VERSION = 3
"""Raise it when the same inputs and settings would give other figures or tables."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run."""

    run_id: str
    folder: Path
    unchanged: bool
    headline: str


@dataclass(frozen=True, slots=True)
class SessionArrays:
    """Sessions ready to be priced, ordered by session_id."""

    frame: pd.DataFrame
    users: Users
    calendar: Calendar
    means: RegisterMeans
    vectors: NDArray[np.float64]
    features: NDArray[np.float64]
    long_share: float


class Timed:
    """A `Progress` that also measures its stages: owns the clock, outside every figure."""

    def __init__(self, inner: Progress) -> None:
        self.inner = inner
        self.seconds: dict[str, float] = {}
        self._name = ""
        self._since = time.perf_counter()

    def stage(self, name: str) -> None:
        """Begin a stage and book the time of the one before."""
        now = time.perf_counter()
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now - self._since
        self._name, self._since = name, now
        if name:
            self.inner.stage(name)

    def advance(self, done: int, total: int) -> None:
        """Pass on."""
        self.inner.advance(done, total)

    def note(self, text: str) -> None:
        """Pass on."""
        self.inner.note(text)


def run_id(layout: Layout, settings: Settings) -> str:
    """Return the identity of a run: inputs' content, settings, encoder and code version; 16 hex digits."""
    what = {
        "version": RUN_VERSION,
        "postings": postings_digest(layout),
        "sessions": sessions_digest(layout),
        "settings": settings.identity(),
        "encoder": identify_encoder(layout, settings).fingerprint,
    }
    if settings.pricing.deflator:
        what["deflator"] = deflator_sha256(layout, settings)
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def run(layout: Layout, settings: Settings, progress: Progress) -> RunResult:
    """Run the main job; an unchanged run is found again and nothing is done.

    Raises
    ------
    InputError
        No sessions, or a damaged table.
    ThinMatchError
        Too few postings, sessions or users.
    """
    if not any(layout.sessions.glob("month=*")):
        raise InputError("no sessions yet; import some with: valuation import sessions FILE")
    identity = run_id(layout, settings)
    folder = layout.runs / identity
    if (folder / "manifest.json").exists() and not read_withdrawn(folder):  # one that lost rows is made again
        write_text(layout.latest, identity + "\n")
        return RunResult(identity, folder, unchanged=True, headline=_headline(folder))
    timed = Timed(progress)
    started = time.perf_counter()
    with _fresh_folder(layout, folder) as temporary:
        _fill(layout, settings, temporary, identity, timed)
        timed.stage("")
        seconds = {"total": time.perf_counter() - started, **timed.seconds}
        write_text(temporary / "timings.json", json.dumps(seconds, indent=1))
    write_text(layout.latest, identity + "\n")
    return RunResult(identity, folder, unchanged=False, headline=_headline(folder))


class _fresh_folder:  # noqa: N801 - used as a function in `with`
    """A folder beside the final one, moved into place if all went well and removed if not."""

    def __init__(self, layout: Layout, final: Path) -> None:
        self.layout, self.final = layout, final

    def __enter__(self) -> Path:
        """Make the folder, and clear what a killed run left."""
        try:
            self.layout.runs.mkdir(exist_ok=True)
            for left in self.layout.runs.glob(".tmp-*"):
                shutil.rmtree(left, ignore_errors=True)
            self.temporary = self.layout.runs / f".tmp-{self.final.name}"
            self.temporary.mkdir()
        except OSError as error:
            raise EnvironmentFault(f"{self.layout.runs}: cannot be written: {error.strerror}") from error
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Move or remove."""
        if kind is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
            return
        try:
            if self.final.exists():  # without a manifest: somebody's leftovers
                shutil.rmtree(self.final)
            os.replace(self.temporary, self.final)  # noqa: PTH105 - one atomic rename
        except OSError as error:
            raise EnvironmentFault(f"{self.final}: cannot be written: {error.strerror}") from error


def _headline(folder: Path) -> str:
    """The run's one sentence, from its manifest."""
    return str(read_manifest(folder)["headline"])


def _fill(layout: Layout, settings: Settings, folder: Path, identity: str, progress: Timed) -> None:
    """Make every table, the report and, last, the manifest."""
    from valuation.pipeline.model_store import open_model
    from valuation.pipeline.outputs import write_run

    opened = open_model(layout, settings, progress)
    sessions = prepare_sessions(layout, settings, opened.model, progress)
    progress.stage("price sessions")
    from valuation.pipeline.pricing import price_texts

    priced = price_texts(opened.model, sessions.vectors, sessions.features, settings, progress)
    write_run(layout, settings, folder, identity, opened, sessions, priced, progress)


def prepare_sessions(layout: Layout, settings: Settings, model: PriceModel, progress: Progress) -> SessionArrays:
    """Embed sessions and bring them into the model's frame."""
    from valuation.pipeline.model import text_features
    from valuation.pipeline.session_register import RegisterMeans, calendar, register_means, users_of

    frame = read_sessions(layout)
    users = users_of(frame)
    months = calendar(frame, users, settings)
    texts = frame["summary"].str.strip().tolist()
    embedded = embed_texts(layout, settings, texts, what="sessions", progress=progress)
    lexical = model.frozen.lexical.transform(texts)
    if settings.register_.mode == "centred":
        means = register_means(embedded.vectors, lexical, frame, users, months.base)
    else:
        zero = np.zeros(embedded.vectors.shape[1])
        means = RegisterMeans(vector=zero, lexical=np.zeros(lexical.shape[1]), note="registers are not centred")
    vectors = to_register(embedded.vectors, means.vector)
    features = text_features(vectors, lexical - means.lexical, model.frozen, source=settings.pricing.reference_source)
    vectors = features[:, : vectors.shape[1]]  # a view: at 400,000 sessions a copy would take 1.2 GB
    return SessionArrays(frame, users, months, means, vectors, features, float(embedded.long_share))
