"""The pricer card of a basket and its predictions, kept beside the basket: neither depends on sessions."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from valuation.errors import ThinMatchError
from valuation.pipeline.model_store import MEMBERS
from valuation.tables import Validation, ValidationPredictions, empty, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.config import Settings
    from valuation.pipeline.model_store import OpenedModel
    from valuation.progress import Progress
    from valuation.storage import Layout

CARD_VERSION = 3
"""Raise it when the same model would give another pricer card, or other columns of predictions."""


def pricer_card(layout: Layout, settings: Settings, opened: OpenedModel, progress: Progress) -> pd.DataFrame:
    """The table `validation` of a basket's own folds.

    Empty where the basket is too small to leave a fold out of what is left without another.
    """
    card, _ = _paths(layout, settings, opened)
    return read_table(card, Validation) if card.exists() else _make(layout, settings, opened, progress)[0]


def card_with_predictions(
    layout: Layout, settings: Settings, opened: OpenedModel, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `Validation` and `ValidationPredictions` of a basket's own folds, both empty where the first is."""
    card, predictions = _paths(layout, settings, opened)
    if card.exists() and predictions.exists():
        return read_table(card, Validation), read_table(predictions, ValidationPredictions)
    return _make(layout, settings, opened, progress)


def _paths(layout: Layout, settings: Settings, opened: OpenedModel) -> tuple[Path, Path]:
    """Files of the card and of the predictions, named by all that decides them beside the basket."""
    what = json.dumps(
        [CARD_VERSION, *(settings.identity()[key] for key in ("matching", "pricing", "bands", "bootstrap"))],
        sort_keys=True,
    )
    mark = hashlib.sha256(what.encode()).hexdigest()[:16]
    folder = layout.indices / opened.basket_id
    return folder / f"validation-{mark}.parquet", folder / f"validation-predictions-{mark}.parquet"


def _make(
    layout: Layout, settings: Settings, opened: OpenedModel, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Price every fold by the others and keep both tables, the card last."""
    from valuation.pipeline.card import validation_table
    from valuation.pipeline.predictions import predictions_table
    from valuation.pipeline.validation import cross_validate

    model = opened.model
    try:
        held = cross_validate(model, settings, progress)
    except ThinMatchError:
        table, predictions = empty(Validation), empty(ValidationPredictions)
    else:
        table = validation_table(held, settings, sample="natural")
        members = pq.ParquetFile(layout.indices / opened.basket_id / MEMBERS).read().to_pandas()
        predictions = predictions_table(held, model.rows, model.unit_id, members, model.pricer.fit.fold)
    card, beside = _paths(layout, settings, opened)
    write_table(predictions, beside, ValidationPredictions)
    write_table(table, card, Validation)
    return table, predictions
