"""What a trained encoder changed on postings that it did not see: both encoders on one basket, one set of folds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.accuracy import squared_correlation, with_interval
from valuation.core.draws import POSTINGS, exponentials
from valuation.core.pricing import PRICERS
from valuation.tables import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from valuation.config import Settings
    from valuation.pipeline.model import PriceModel
    from valuation.progress import Progress
    from valuation.storage import Layout

COLUMNS = ("basket_id", "pricer", "before", "after", "difference", "lower", "upper", "n")
LEVEL = 0.95
AT_ONCE = 50
"""Replicates held in memory together."""


def checked(layout: Layout, settings: Settings, folder: Path, progress: Progress) -> pd.DataFrame:
    """Table of `compare` for the encoder in `folder`, from its ``check.csv`` if that is of today's basket.

    Raises
    ------
    ThinMatchError
        Too few postings are left to price with.
    """
    from valuation.pipeline.model_store import basket_id, open_model

    after = named(settings, f"trained:{folder.name}")
    identity, path = basket_id(layout, after), folder / "check.csv"
    stored = _stored(path)
    if stored is None or set(stored["basket_id"]) != {identity}:
        before = open_model(layout, named(settings, f"base:{folder.name}"), progress).model
        stored = compare(before, open_model(layout, after, progress).model, settings)
        stored.insert(0, "basket_id", identity)
        write_text(path, stored.to_csv(index=False))
    return stored.drop(columns="basket_id")


def named(settings: Settings, encoder: str) -> Settings:
    """Return the same settings with another encoder."""
    return settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"name": encoder})})


def compare(before: PriceModel, after: PriceModel, settings: Settings) -> pd.DataFrame:
    """Held-out squared correlation of log prices under two encoders, by pricer, with the interval of the difference.

    Both are out of fold on the same clusters; one draw of unit weights serves both (a paired bootstrap by unit).

    Returns
    -------
    DataFrame
        pricer, before, after, difference, lower, upper, n.
    """
    y, n = after.arrays.log_price, len(after.arrays.log_price)
    even = np.ones((1, n))
    replicates = [_replicates(before, after, which, settings) for which in range(len(PRICERS))]
    rows = []
    for which, pricer in enumerate(PRICERS):
        old, new = (float(squared_correlation(y, model.value[which], even)[0]) for model in (before, after))
        found = with_interval(new - old, replicates[which], level=LEVEL)
        rows.append((pricer, old, new, new - old, found.lower, found.upper, n))
    return pd.DataFrame(rows, columns=COLUMNS[1:])


def _replicates(before: PriceModel, after: PriceModel, which: int, settings: Settings) -> np.ndarray:
    """Difference in each replicate, shape (replicates,)."""
    block, y = settings.bootstrap, after.arrays.log_price
    found = []
    for first in range(0, block.replicates, AT_ONCE):
        count = min(AT_ONCE, block.replicates - first)
        drawn = exponentials(after.arrays.unit_key, seed=block.seed, stream=POSTINGS, first=first, count=count)
        weight = drawn[:, after.arrays.unit]
        new, old = (squared_correlation(y, model.value[which], weight) for model in (after, before))
        found.append(new - old)
    return np.concatenate(found)


def _stored(path: Path) -> pd.DataFrame | None:
    """Read what was measured before; None if there is nothing usable."""
    try:
        table = pd.read_csv(io.StringIO(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    return table if tuple(table.columns) == COLUMNS and len(table) == len(PRICERS) else None
