"""The measures of the pricer card, from held-out postings to the table `validation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.accuracy import (
    TIERS,
    Estimate,
    intercept,
    interval_score,
    slope,
    squared_correlation,
    tier,
    weighted_mean,
    wilson,
    with_interval,
)
from valuation.core.draws import POSTINGS, exponentials
from valuation.core.pricing import PRICERS
from valuation.tables import Validation, typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.pipeline.validation import HeldOut

REPLICATES = 499
"""Bootstrap replicates of the card's own intervals, by unit."""
LEVEL = 0.95
"""Level of the card's intervals."""
FULL_TEXT = 300
"""Characters from which a posting counts as fully described."""


def validation_table(held: HeldOut, settings: Settings, *, sample: str) -> pd.DataFrame:
    """The card's measures, one a row.

    Parameters
    ----------
    sample : str
        ``natural`` for the basket's own postings, ``holdout`` for others: begins the names of their parts then.
    """
    weight = _unit_weights(held, settings)
    rows = []
    for which, pricer in enumerate(PRICERS):
        rows += list(_accuracy(held, which, pricer, sample, weight))
    headline = settings.pricing.pricer
    full = held.characters >= FULL_TEXT
    part = "" if sample == "natural" else f"{sample}_"
    rows += list(_tier_weighted(held, weight, np.ones(len(full), dtype=bool), f"{part}tier_weighted"))
    rows += list(_full_text(held, weight, full, f"{part}full_text"))
    rows += list(_tier_weighted(held, weight, full, f"{part}full_text_tier_weighted"))
    for which, pricer in enumerate(PRICERS):
        rows += list(_calibration(held, which, pricer, sample, weight))
    rows += list(_calibration_cells(held, headline, sample, weight))
    rows += list(_coverage(held, headline, sample, settings))
    rows += list(_scores(held, headline, sample, weight, settings))
    frame = pd.DataFrame(rows, columns=list(Validation.to_schema().columns))
    return typed({name: frame[name] for name in frame.columns}, Validation)


Row = tuple[str, str, str, str, int, str, float, float, float]


def _unit_weights(held: HeldOut, settings: Settings) -> NDArray[np.float64]:
    """Exponential weights of each posting's unit in each replicate, shape (replicates, n)."""
    drawn = exponentials(held.unit_key, seed=settings.bootstrap.seed, stream=POSTINGS, first=0, count=REPLICATES)
    return drawn[:, held.unit]


def _row(pricer: str, sample: str, by: str, cell: str, n: int, measure: str, found: Estimate) -> Row:
    return (pricer, sample, by, cell, n, measure, found.estimate, found.lower, found.upper)


def _accuracy(held: HeldOut, which: int, pricer: str, sample: str, weight: NDArray[np.float64]) -> Iterator[Row]:
    """Correlation, errors and slope of one pricer; its multiplicative bias by true tier."""
    y, v, n = held.log_price, held.value[which], len(held.log_price)
    one = np.ones(n)
    measures: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
        "squared_correlation": lambda w: squared_correlation(y, v, w),
        "slope": lambda w: slope(y, v, w),
        "mean_absolute_error": lambda w: weighted_mean(np.abs(y - v), w),
        "root_mean_squared_error": lambda w: np.sqrt(weighted_mean((y - v) ** 2, w)),
        "mean_error": lambda w: weighted_mean(y - v, w),
    }
    for measure, of in measures.items():
        found = with_interval(float(of(one)), of(weight), level=LEVEL)
        yield _row(pricer, sample, "", "", n, measure, found)
    tiers = tier(y)
    for t in range(len(TIERS)):
        inside = tiers == t
        ratio = with_interval(
            float(weighted_mean((v - y)[inside], one[inside])),
            weighted_mean((v - y)[inside], weight[:, inside]),
            level=LEVEL,
        )
        bias = Estimate(*(float(np.exp(part)) for part in (ratio.estimate, ratio.lower, ratio.upper)))
        yield _row(pricer, sample, "tier", tier_name(t), int(inside.sum()), "predicted_over_actual", bias)


def _full_text(held: HeldOut, weight: NDArray[np.float64], full: NDArray[np.bool_], sample: str) -> Iterator[Row]:
    """Squared correlation among fully described postings, in their natural mix."""
    if not full.any():
        return
    y = held.log_price[full]
    for which, pricer in enumerate(PRICERS):
        value = held.value[which, full]
        point = float(squared_correlation(y, value, np.ones(len(y))))
        found = with_interval(point, squared_correlation(y, value, weight[:, full]), level=LEVEL)
        yield _row(pricer, sample, "", "", len(y), "squared_correlation", found)


def _tier_weighted(held: HeldOut, weight: NDArray[np.float64], inside: NDArray[np.bool_], sample: str) -> Iterator[Row]:
    """Squared correlation with each price tier carrying the same weight; never compared with the natural one."""
    balance = tier_balance(held, inside)
    if np.isnan(balance).all():
        return
    n, balance = int(np.isfinite(balance).sum()), np.nan_to_num(balance, nan=0.0)
    for which, pricer in enumerate(PRICERS):
        point = squared_correlation(held.log_price, held.value[which], balance)
        moved = squared_correlation(held.log_price, held.value[which], weight * balance)
        found = with_interval(float(point), moved, level=LEVEL)
        yield _row(pricer, sample, "", "", n, "squared_correlation", found)


def tier_balance(held: HeldOut, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights, shape (n,), that let each price tier of the rows `inside` count alike: one over its rows.

    NaN for rows outside or in no tier, and for all where a tier is empty.
    """
    tiers = np.where(inside, tier(held.log_price), -1)
    sizes = np.array([np.sum(tiers == t) for t in range(len(TIERS))])
    if (sizes == 0).any():
        return np.full(len(tiers), np.nan)
    return np.where(tiers >= 0, 1.0 / sizes[tiers], np.nan)


def tier_name(t: int) -> str:
    """Cell of a price tier."""
    low, high = TIERS[t]
    return f"${low:,.0f}-{high:,.0f}"


def mondrian_name(category: int) -> str:
    """Cell of a category of the single-posting band."""
    return f"fifth {category // 3 + 1}, third {category % 3 + 1}"


def _calibration(held: HeldOut, which: int, pricer: str, sample: str, weight: NDArray[np.float64]) -> Iterator[Row]:
    """Slope and intercept of price on value before and after the linear correction, which saw training folds only."""
    y, n = held.log_price, len(held.log_price)
    for name, v in (("raw", held.raw[which]), ("corrected", held.corrected[which])):
        for measure, of in (("slope", slope), ("intercept", intercept)):
            found = with_interval(float(of(y, v, np.ones(n))), of(y, v, weight), level=LEVEL)
            yield _row(pricer, sample, "", "", n, f"{measure}_{name}", found)


def _calibration_cells(held: HeldOut, pricer: str, sample: str, weight: NDArray[np.float64]) -> Iterator[Row]:
    """Mean error and slope of the headline pricer, before and after the correction, where the outcome chose no cell."""
    which = PRICERS.index(pricer)
    for by, cell, mine in _cells(held, which):
        if by in ("", "tier", "mondrian") or not mine.any():
            continue
        y, moved, one = held.log_price[mine], weight[:, mine], np.ones(int(mine.sum()))
        for name, value in (("raw", held.raw[which, mine]), ("corrected", held.corrected[which, mine])):
            error = y - value
            of_error = with_interval(float(error.mean()), weighted_mean(error, moved), level=LEVEL)
            of_slope = with_interval(float(slope(y, value, one)), slope(y, value, moved), level=LEVEL)
            yield _row(pricer, sample, by, cell, len(y), f"mean_error_{name}", of_error)
            yield _row(pricer, sample, by, cell, len(y), f"slope_{name}", of_slope)


def _cells(held: HeldOut, which: int) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Cells of the card: all, fifths of value, thirds of similarity, source, month, true tier, Mondrian category."""
    n = len(held.log_price)
    yield "", "", np.ones(n, dtype=bool)
    for by, values, parts in (("predicted", held.value[which], 5), ("similarity", held.similarity, 3)):
        rank = np.searchsorted(np.quantile(values, np.arange(1, parts) / parts), values, side="right")
        for part in range(parts):
            yield by, f"{part + 1} of {parts}", rank == part
    for by, names in (("source", held.source), ("month", held.month)):
        for name in np.unique(names):
            yield by, str(name), names == name
    tiers = tier(held.log_price)
    for t in range(len(TIERS)):
        yield "tier", tier_name(t), tiers == t
    for category in np.unique(held.category):
        yield "mondrian", mondrian_name(category), held.category == category


def _coverage(held: HeldOut, pricer: str, sample: str, settings: Settings) -> Iterator[Row]:
    """Share of held-out prices inside each band, and the widths of both, by cell.

    The typical band is not made to hold single prices: its share says how much narrower than their scatter it is.
    """
    y = held.log_price
    bands = {
        "single": (held.single_lower, held.single_upper),
        "typical": (held.typical_lower, held.typical_upper),
    }
    for by, cell, mine in _cells(held, PRICERS.index(settings.pricing.pricer)):
        n = int(mine.sum())
        if n == 0:
            continue
        for band, (lower, upper) in bands.items():
            inside = float(((lower <= y) & (y <= upper))[mine].sum())
            yield _row(pricer, sample, by, cell, n, f"{band}_coverage", wilson(inside, n, level=LEVEL))
            median = float(np.median((upper - lower)[mine]))
            yield _row(pricer, sample, by, cell, n, f"{band}_width", Estimate(median, np.nan, np.nan))


def _scores(held: HeldOut, pricer: str, sample: str, weight: NDArray[np.float64], settings: Settings) -> Iterator[Row]:
    """Interval score of the single-posting band, of a band of constant width, and their paired difference."""
    level, y, n = settings.bands.level, held.log_price, len(held.log_price)
    ours = interval_score(y, held.single_lower, held.single_upper, level=level)
    constant = interval_score(y, held.constant_lower, held.constant_upper, level=level)
    for name, values in (
        ("interval_score", ours),
        ("interval_score_constant", constant),
        ("interval_score_difference", ours - constant),
    ):
        found = with_interval(float(values.mean()), weighted_mean(values, weight), level=LEVEL)
        yield _row(pricer, sample, "", "", n, name, found)
