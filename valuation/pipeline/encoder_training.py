"""``valuation train-encoder``: fit an encoder to log prices on a share of the clients, who then leave the basket.

Learning what similarity means from a posting's price and then pricing by that posting would count it twice: its
residual would be too small, and so every interval. So the postings that teach are never in the basket of a run that
uses the encoder, nor is any that shares a client or a text with them, and the formulas of the bootstrap hold as they
stand: to a run the encoder is a frozen function of text, like any other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import ConfigError, EnvironmentFault, InputError
from valuation.pipeline.embedding import embed_texts, identify_encoder
from valuation.pipeline.encoder_check import checked
from valuation.pipeline.encoder_teaching import choose

if TYPE_CHECKING:
    import pandas as pd

    from indices.encoders import EncoderCard
    from indices.trained import TrainedCard
    from indices.tuning import Lesson
    from indices.tuning_models import ProjectionBody, WholeBody
    from valuation.config import Settings
    from valuation.pipeline.encoder_teaching import Teaching
    from valuation.progress import Progress
    from valuation.storage import Layout

TRAINING_VERSION = 1
"""Raise it when the same postings and settings would give another encoder."""
READ_TOKENS = 64
"""Tokens of each text that a transformer learns from: four fifths of postings are titles, and time grows with it."""
CAVEAT = (
    "Better prices of postings do not show better prices of sessions: the encoder learned how postings are written "
    "where jobs are dear. Compare the two in a run before you use it. Prices are a relative, coarse measure: never a "
    "wage, an invoice or a saving."
)


@dataclass(frozen=True, slots=True)
class TrainedEncoder:
    """A trained encoder, and what it changed on the postings that it did not see.

    Attributes
    ----------
    name : str
        Used as ``--set encoder.name=trained:NAME``; ``base:NAME`` is the encoder before, on the same basket.
    folder : Path
    unchanged : bool
        It was there already, with the same postings and settings.
    method, base : str
    postings, clusters : int
        That taught, and are left out of every basket of this encoder.
    left : int
        Clusters in the basket that is left now.
    loss : tuple of float
        Mean squared error of the standardised log price while learning, by epoch.
    table : DataFrame
        Held-out squared correlation of log prices by pricer (pricer, before, after, difference, lower, upper, n): both
        encoders on the same basket and folds; 95 % intervals of the difference from a bootstrap by client.
    """

    name: str
    folder: Path
    unchanged: bool
    method: str
    base: str
    postings: int
    clusters: int
    left: int
    loss: tuple[float, ...]
    table: pd.DataFrame

    def text(self) -> str:
        """For people."""
        n = int(self.table["n"].max())
        said = (
            f"encoder trained:{self.name} {'was there already' if self.unchanged else 'is ready'} in {self.folder}",
            f"{self.base}, {self.method}, taught by {self.postings:,} postings ({self.clusters:,} distinct texts); "
            f"{self.left:,} texts were left for the basket",
            f"mean squared error while learning, by epoch: {', '.join(f'{one:.3f}' for one in self.loss)}",
            f"held-out squared correlation of log prices before and after, same basket and folds, n = {n:,}; the "
            "difference with its 95% interval, paired, by unit:",
        )
        lines = [
            f"  {row.pricer:<10}  {row.before:.3f}  {row.after:.3f}  {row.difference:+.3f} "
            f"[{row.lower:+.3f}, {row.upper:+.3f}]"
            for row in self.table.itertuples(index=False)
        ]
        use = f"use it with --set encoder.name=trained:{self.name}; compare with encoder.name=base:{self.name}"
        return "\n".join([*map(_wrapped, said), *lines, use, _wrapped(CAVEAT)])


def _wrapped(text: str) -> str:
    """Break a line at 80 columns; a path or a name stays whole."""
    return "\n".join(textwrap.wrap(text, 80, break_long_words=False, break_on_hyphens=False))


def train_encoder(layout: Layout, settings: Settings, name: str, progress: Progress) -> TrainedEncoder:
    """Fit ``trained:NAME`` with ``[training]``, from the encoder, register and basket of the settings.

    Stopped and started again it goes on from the last finished epoch.

    Raises
    ------
    ConfigError
        A name that cannot be one, or an encoder that is trained itself.
    InputError
        The name is taken by an encoder of other postings or settings.
    ThinMatchError
        Too few postings on either side.
    EnvironmentFault
        The disk refuses, or a model is damaged.
    """
    from indices.trained import CARD, check_name, is_trained, read_trained

    folder = layout.models / check_name(name)
    if is_trained(settings.encoder.name):
        raise ConfigError(
            f"encoder.name = {settings.encoder.name!r} is trained already; train from another, such as bundled"
        )
    progress.stage("choose postings")
    teaching = choose(layout, settings)
    base = identify_encoder(layout, settings)
    identity = _identity(teaching, base, settings)
    unchanged = (folder / CARD).is_file()
    if unchanged and read_trained(folder).identity != identity:
        raise InputError(
            f"an encoder {name} is there, of other postings, settings or package versions: {folder}; choose another "
            "name, or delete it"
        )
    if not unchanged:
        _make(layout, settings, folder, teaching, identity, progress)
    return _result(layout, settings, folder, read_trained(folder), progress, unchanged=unchanged)


def _identity(teaching: Teaching, base: EncoderCard, settings: Settings) -> str:
    """Hash of what decides the weights, the machine aside."""
    what = {
        "version": TRAINING_VERSION,
        "data": teaching.sha256,
        "base": base.fingerprint,
        "training": settings.training.model_dump(mode="json"),
        "read_tokens": READ_TOKENS,
        "versions": _versions(),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _versions() -> dict[str, str]:
    """Versions of what computes the weights."""
    from importlib import metadata

    return {name: metadata.version(name) for name in ("numpy", "safetensors", "sentence-transformers", "torch")}


def _make(
    layout: Layout, settings: Settings, folder: Path, teaching: Teaching, identity: str, progress: Progress
) -> None:
    """Fit, and write the folder under a temporary name; it appears whole or not at all."""
    if folder.exists():  # without a card: not ours to write over
        raise InputError(f"{folder} is there already and is no trained encoder; choose another name, or delete it")
    state = layout.models / f".training-{folder.name}" / "epoch.safetensors"
    lesson, body = _lesson(layout, settings, teaching, progress)
    loss, precision = _tuned(body, lesson, settings, state, identity, progress)
    progress.stage("write encoder")
    temporary = layout.models / f".tmp-{folder.name}"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        body.save(temporary)
        _write_cards(layout, settings, temporary, teaching, identity, loss, precision)
        os.replace(temporary, folder)  # noqa: PTH105 - one atomic rename
        shutil.rmtree(state.parent, ignore_errors=True)
    except OSError as error:
        raise EnvironmentFault(f"{folder}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _lesson(
    layout: Layout, settings: Settings, teaching: Teaching, progress: Progress
) -> tuple[Lesson, WholeBody | ProjectionBody]:
    """Arrays to learn from, and the model to begin with."""
    from indices.encoders import open_encoder
    from indices.tuning import Lesson
    from indices.tuning_models import ProjectionBody, WholeBody

    rows = teaching.rows
    texts = rows["text"].tolist()
    vectors = embed_texts(layout, settings, texts, what="postings", progress=progress).vectors
    base = identify_encoder(layout, settings)
    if not base.ready:  # every vector was known, but the static model is gone
        block = settings.encoder
        open_encoder(block.name, models_dir=layout.models, max_tokens=block.max_tokens, batch_tokens=block.batch_tokens)
    progress.stage("open encoder")
    body: WholeBody | ProjectionBody
    if settings.training.method == "whole":
        body = WholeBody(Path(base.path), texts, max_tokens=min(READ_TOKENS, base.max_tokens))
    else:
        body = ProjectionBody(Path(base.path), vectors)
    source = np.unique(rows["source"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
    return Lesson(vectors, rows["log_price"].to_numpy(dtype=np.float64), source, body.length), body


def _tuned(
    body: WholeBody | ProjectionBody, lesson: Lesson, settings: Settings, state: Path, identity: str, progress: Progress
) -> tuple[tuple[float, ...], str]:
    """Fit; returns the losses and the precision that this machine fits in."""
    from indices.tuning import TuningPlan, fastest_precision, tune

    block = settings.training
    precision = fastest_precision() if body.transforms else "float32"
    plan = TuningPlan(block.method, block.epochs, block.batch, block.learning_rate, block.seed, precision)
    begun = 0

    def told(epoch: int, done: int, total: int) -> None:
        nonlocal begun
        if epoch != begun:
            progress.stage(f"train epoch {epoch} of {block.epochs}")
            begun = epoch
        progress.advance(done, total)

    return tune(body, lesson, plan, state=state, identity=identity, progress=told), precision


def _write_cards(
    layout: Layout,
    settings: Settings,
    folder: Path,
    teaching: Teaching,
    identity: str,
    loss: tuple[float, ...],
    precision: str,
) -> None:
    """Write what the encoder learned from, and its card last: it holds the hash of every other file."""
    import torch

    from indices.trained import TrainedCard, hashes, text_mark, write_card, write_learned_from

    taught, block = teaching.postings, settings.training
    clients = [None if client != client else client for client in taught["client_id"]]  # missing is not itself
    write_learned_from(folder, taught["posting_id"], map(text_mark, taught["text"]), clients)
    base = identify_encoder(layout, settings)
    card = TrainedCard(
        identity=identity,
        base=settings.encoder.name,
        base_fingerprint=base.fingerprint,
        base_max_tokens=base.max_tokens,
        method=block.method,
        data_sha256=teaching.sha256,
        postings=len(taught),
        clusters=len(teaching.rows),
        units=teaching.units,
        left=teaching.left,
        share=block.share,
        epochs=block.epochs,
        batch=block.batch,
        learning_rate=block.learning_rate,
        seed=block.seed,
        max_tokens=min(READ_TOKENS, base.max_tokens) if block.method == "whole" else base.max_tokens,
        loss=loss,
        versions=_versions(),
        threads=torch.get_num_threads(),
        precision=precision,
        sha256=hashes(folder),
    )
    write_card(folder, card)


def _result(
    layout: Layout, settings: Settings, folder: Path, card: TrainedCard, progress: Progress, *, unchanged: bool
) -> TrainedEncoder:
    """Put together what is known, and measure what is not yet."""
    return TrainedEncoder(
        name=folder.name,
        folder=folder,
        unchanged=unchanged,
        method=card.method,
        base=card.base,
        postings=card.postings,
        clusters=card.clusters,
        left=card.left,
        loss=card.loss,
        table=checked(layout, settings, folder, progress),
    )
