"""``valuation validate``: the pricer card of the basket, and of postings kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.draws import unit_key
from valuation.core.pricing import PRICERS
from valuation.errors import InputError
from valuation.pipeline.basket import make_basket
from valuation.pipeline.card import validation_table
from valuation.pipeline.card_store import card_with_predictions
from valuation.pipeline.deflator import read_deflator
from valuation.pipeline.embedding import embed_texts, to_register
from valuation.pipeline.model import basket_features, text_features
from valuation.pipeline.model_store import open_model
from valuation.pipeline.predictions import FILES, predictions_table
from valuation.pipeline.pricing import price_texts
from valuation.pipeline.validation import held_out
from valuation.storage import read_postings
from valuation.tables import Validation, write_table
from valuation.tables.schemas import CARD_SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.imports.entry import PostingsFile
    from valuation.pipeline.basket import Basket
    from valuation.pipeline.model_store import OpenedModel
    from valuation.progress import Progress
    from valuation.storage import Layout

STUDY = "0.38 [0.32, 0.44]"
"""The published study's pricer on 999 held-out postings, tier-weighted by design; another estimator."""
STUDY_BIAS = (2.39, 1.10, 0.53, 0.14)


@dataclass(frozen=True, slots=True)
class RowsLeftOut:
    """Rows of a hold-out file that were not priced, and why."""

    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """The pricer card.

    Attributes
    ----------
    path : Path
        The table `Validation` that was written.
    predictions : Path
        The table `HoldoutPredictions` or `ValidationPredictions` that the card can be worked out from again.
    basket_id : str
    n : int
        Held-out postings, one a duplicate cluster.
    left_out : tuple of RowsLeftOut
        Of a hold-out file; with `n` they add up to its rows.
    table : DataFrame
    """

    path: Path
    predictions: Path
    basket_id: str
    n: int
    left_out: tuple[RowsLeftOut, ...]
    table: pd.DataFrame

    def text(self) -> str:
        """The card's main measures for a person."""
        lines = [
            f"pricer card, {self.n:,} held-out postings (one a duplicate cluster); 95 % intervals by client and text"
        ]
        if self.left_out:
            lines.append(f"  {sum(one.rows for one in self.left_out):,} rows of the file are left out:")
            lines += [f"    {one.rows:6,} {one.reason}" for one in self.left_out]
        samples = [sample for sample in CARD_SAMPLES if (self.table["sample"] == sample).any()] or ["natural"]
        for sample in samples:
            for pricer in PRICERS:
                lines += self._lines(sample, pricer)
        lines.append(
            f"published study's pricer, tier-weighted by design: squared correlation {STUDY}; another estimator"
        )
        lines += self._bias(samples[0])
        lines += [str(self.predictions.resolve()), str(self.path.resolve())]
        return "\n".join(lines)

    def _lines(self, sample: str, pricer: str) -> list[str]:
        rows = self.table[
            (self.table["sample"] == sample) & (self.table["pricer"] == pricer) & (self.table["cell_by"] == "")
        ]
        return [
            f"  {sample:31s} {pricer:10s} {row['measure']:27s} {row['estimate']:8.3f}"
            + (f"  [{row['lower']:.3f}, {row['upper']:.3f}]" if np.isfinite(row["lower"]) else "")
            for row in rows.to_dict(orient="records")
        ]

    def _bias(self, sample: str) -> list[str]:
        rows = self.table[(self.table["measure"] == "predicted_over_actual") & (self.table["sample"] == sample)]
        lines = ["geometric mean of predicted / actual by true price (study: " + ", ".join(map(str, STUDY_BIAS)) + ")"]
        for cell, part in rows.groupby("cell", sort=False):
            found = ", ".join(f"{row['pricer']} {row['estimate']:.2f}" for row in part.to_dict(orient="records"))
            lines.append(f"  {cell:16s} n = {part['n'].iloc[0]:6,}: {found}")
        return lines


def validate(
    layout: Layout, settings: Settings, *, holdout: str | None, mapping: Path | None, progress: Progress
) -> ValidationResult:
    """Measure the pricers on the basket's own folds, or on postings from elsewhere.

    Raises
    ------
    InputError
        No posting of the hold-out file is usable.
    """
    opened = open_model(layout, settings, progress)
    left_out: tuple[RowsLeftOut, ...] = ()
    if holdout is None:
        name, (table, predictions) = "validation", card_with_predictions(layout, settings, opened, progress)
    else:
        name = "holdout"
        table, predictions, left_out = _holdout_card(layout, settings, opened, holdout, mapping, progress)
    folder = layout.root / "validation" / opened.basket_id
    path, beside = folder / f"{name}.parquet", folder / f"{name}_predictions.parquet"
    write_table(predictions, beside, FILES[beside.name])
    write_table(table, path, Validation)
    return ValidationResult(path, beside, opened.basket_id, len(predictions), left_out, table)


def _holdout_card(
    layout: Layout, settings: Settings, opened: OpenedModel, file: str, mapping: Path | None, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[RowsLeftOut, ...]]:
    """Price postings from a file that is not imported; texts and clients of the basket are left out."""
    from indices.trained import learned_from
    from valuation.imports import read_postings_file

    found = read_postings_file(layout, file, settings=settings, mapping=mapping)
    clients = read_postings(layout)["client_id"].dropna()
    others = found.table[~found.table["client_id"].isin(clients)]  # a client's jobs are alike, units never split
    learned = learned_from(settings.encoder.name, layout.models)  # not held out from the encoder
    basket = make_basket(others, settings, learned, deflator=read_deflator(layout, settings)) if len(others) else None
    if basket is None or not (fresh := _unseen(basket, opened, settings)).any():
        raise InputError(
            f"{file}: the text or the client of every usable posting is in the basket already; nothing is held out"
        )
    rows = basket.rows[fresh].reset_index(drop=True)
    unit = basket.unit[fresh]
    model, frozen = opened.model, opened.model.frozen
    texts = rows["text"].tolist()
    embedded = embed_texts(layout, settings, texts, what="held-out postings", progress=progress)
    vectors, lexical = to_register(embedded.vectors, frozen.vector_mean), frozen.lexical.transform(texts)
    features = _features(vectors, lexical, rows, opened, settings)
    progress.stage("price held-out postings")
    priced = price_texts(model, vectors, features, settings, progress)
    held = held_out(model, priced, rows, unit, unit_key(basket.unit_id), settings)
    assert basket.members is not None  # noqa: S101 - just made, not read back
    predictions = predictions_table(held, rows, basket.unit_id, basket.members)
    table = validation_table(held, settings, sample="holdout")
    return table, predictions, _left_out(found, len(others), basket, rows, settings)


def _left_out(
    found: PostingsFile, n_others: int, basket: Basket, rows: pd.DataFrame, settings: Settings
) -> tuple[RowsLeftOut, ...]:
    """Rows of a hold-out file that are not priced, by reason, in the order in which they were left out."""
    want, counts = settings.basket, basket.counts
    held = int(rows["n_members"].sum())
    counted = {
        "cannot be read as postings: valuation import postings FILE --dry-run says why": found.quarantined,
        "repeat another row of the file": found.merged,
        "of a client whose postings are in the workspace": len(found.table) - n_others,
        "of a source that is a reference only": counts.reference_only,
        f"not of price type {want.price_type}": counts.other_price_type,
        f"not of price kind {want.price_kind}": counts.other_price_kind,
        f"price outside {want.min_usd:,g} to {want.max_usd:,g} USD": counts.out_of_range,
        "taught the encoder, or share a client or a text with one that did": counts.trained_encoder,
        "near-duplicates of a posting in the basket": counts.kept - held,
        "near-duplicates of another row of the file, priced once": held - len(rows),
    }
    return tuple(RowsLeftOut(reason, n) for reason, n in counted.items() if n)


def _unseen(basket: Basket, opened: OpenedModel, settings: Settings) -> NDArray[np.bool_]:
    """Tell which held-out clusters are no near-duplicates of the model's basket, shape (n_clusters,)."""
    from indices.duplicates import duplicate_clusters

    known = opened.model.rows["text"].tolist()
    cluster = duplicate_clusters(
        [*known, *basket.rows["text"]],
        similarity=settings.basket.duplicate_similarity,
        seed=settings.pricing.fold_seed,
    )
    return ~np.isin(cluster[len(known) :], cluster[: len(known)])


def _features(
    vectors: NDArray[np.float64],
    lexical: NDArray[np.float64],
    rows: pd.DataFrame,
    opened: OpenedModel,
    settings: Settings,
) -> NDArray[np.float64]:
    """Own source and month where the basket knows them, the reference market elsewhere."""
    frozen = opened.model.frozen
    own = basket_features(vectors, lexical, rows, frozen)
    reference = text_features(vectors, lexical - frozen.lexical_mean, frozen, source=settings.pricing.reference_source)
    n_sources, n_months = len(frozen.sources), len(frozen.months)
    source = slice(own.shape[1] - n_sources - n_months, own.shape[1] - n_months)
    month = slice(own.shape[1] - n_months, own.shape[1])
    for part, known in ((source, rows["source"].isin(frozen.sources)), (month, rows["month"].isin(frozen.months))):
        own[:, part] = np.where(known.to_numpy()[:, None], own[:, part], reference[:, part])
    return own
