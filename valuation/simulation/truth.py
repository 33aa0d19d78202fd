"""What is true of a world: values, mix, growth and its two parts, in the sample and in expectation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.simulation import model
from valuation.simulation.settings import KIND_NAMES, month_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.simulation.settings import WorldSettings


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a world. Log values are log US dollars; shares lie in [0, 1]; growth 0.27 is 27 %.

    "Expected" figures belong to the population that the settings describe; the others to the very rows drawn.
    Personal sessions (not matchable) have no value and stand outside all means and shares of kinds.

    Attributes
    ----------
    postings, sessions : DataFrame
        One row a sound raw row: latent attributes, `log_price_mean` or `log_value`.
    series : DataFrame
        month, n_sessions, matchable_share, expected_matchable_share, log_value, expected_log_value.
    kinds : DataFrame
        month, kind, n_sessions, share, expected_share, log_value (NaN if nobody did it), expected_log_value.
    growth : DataFrame
        kind ("" = all), growth, expected_growth; first to last month.
    decomposition : DataFrame
        kind ("" = sum), term (within, mix, total), estimate, expected; log points, Bennet form; within + mix = total.
    planted : DataFrame
        file, fault, rows, outcome, reason.
    """

    postings: pd.DataFrame
    sessions: pd.DataFrame
    series: pd.DataFrame
    kinds: pd.DataFrame
    growth: pd.DataFrame
    decomposition: pd.DataFrame
    planted: pd.DataFrame


def establish(settings: WorldSettings, postings: pd.DataFrame, sessions: pd.DataFrame, planted: pd.DataFrame) -> Truth:
    """Work out the truth of a world from its rows and its settings."""
    months = month_names(settings.first_month, settings.months)
    shares, values, counts = _observed(sessions, months)
    expected_shares, expected_values = model.kind_shares(settings), _expected_values(settings)
    return Truth(
        postings=postings,
        sessions=sessions,
        series=_series(settings, sessions, months, (expected_shares * expected_values).sum(axis=1)),
        kinds=pd.DataFrame(
            {
                "month": np.repeat(months, len(KIND_NAMES)),
                "kind": np.tile(KIND_NAMES, len(months)),
                "n_sessions": counts.ravel(),
                "share": shares.ravel(),
                "expected_share": expected_shares.ravel(),
                "log_value": values.ravel(),
                "expected_log_value": expected_values.ravel(),
            }
        ),
        growth=_growth(shares, values, expected_shares, expected_values),
        decomposition=_decomposition(shares, values, expected_shares, expected_values),
        planted=planted,
    )


def _observed(
    sessions: pd.DataFrame, months: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return shares, mean log values (NaN where there are none) and counts, each of shape (months, kinds)."""
    matchable = sessions[sessions["matchable"]]
    month = pd.Categorical(matchable["month"], categories=months).codes.astype(np.int64)
    kind = pd.Categorical(matchable["kind"], categories=KIND_NAMES).codes.astype(np.int64)
    cell, size = month * len(KIND_NAMES) + kind, len(months) * len(KIND_NAMES)
    shape = (len(months), len(KIND_NAMES))
    counts = np.bincount(cell, minlength=size).reshape(shape)
    sums = np.bincount(cell, weights=matchable["log_value"].to_numpy(np.float64), minlength=size).reshape(shape)
    values = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), values, counts.astype(np.int64)


def _expected_values(settings: WorldSettings) -> NDArray[np.float64]:
    """Return the mean of f in each month and kind, shape (months, kinds)."""
    lifts = model.lifts(settings)
    return np.array([[model.expected_log_value(kind, float(lift)) for kind, lift in enumerate(row)] for row in lifts])


def _series(
    settings: WorldSettings, sessions: pd.DataFrame, months: tuple[str, ...], expected: NDArray[np.float64]
) -> pd.DataFrame:
    by_month = sessions.groupby("month", sort=True)
    return pd.DataFrame(
        {
            "month": months,
            "n_sessions": by_month.size().reindex(months, fill_value=0).to_numpy(),
            "matchable_share": by_month["matchable"].mean().reindex(months).to_numpy(),
            "expected_matchable_share": 1 - model.unmatched_shares(settings),
            "log_value": by_month["log_value"].mean().reindex(months).to_numpy(),
            "expected_log_value": expected,
        }
    )


def _growth(
    shares: NDArray[np.float64], values: NDArray[np.float64], expected_shares: NDArray[np.float64],
    expected_values: NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    def change(s: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        overall = (s * np.nan_to_num(v)).sum(axis=1)
        return np.asarray(np.expm1(np.concatenate([[overall[-1] - overall[0]], v[-1] - v[0]])))

    return pd.DataFrame(
        {
            "kind": ["", *KIND_NAMES],
            "growth": change(shares, values),
            "expected_growth": change(expected_shares, expected_values),
        }
    )


def _decomposition(
    shares: NDArray[np.float64], values: NDArray[np.float64], expected_shares: NDArray[np.float64],
    expected_values: NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    estimate, expected = bennet(shares, values), bennet(expected_shares, expected_values)
    return pd.DataFrame(
        {
            "kind": np.repeat(["", *KIND_NAMES], 3),
            "term": ["within", "mix", "total"] * (len(KIND_NAMES) + 1),
            "estimate": np.concatenate([estimate.sum(axis=0)[None, :], estimate]).ravel(),
            "expected": np.concatenate([expected.sum(axis=0)[None, :], expected]).ravel(),
        }
    )


def bennet(shares: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return within, mix and their sum by group, first to last month, log points, shape (groups, 3).

    Bennet's symmetric form of Kitagawa (1955). A group absent in one month takes the other month's value, so that all
    of its change is mix.

    Parameters
    ----------
    shares, values : ndarray, shape (months, groups)
        Shares sum to 1 in a month; a value is NaN where its group is absent.
    """
    first = np.nan_to_num(np.where(np.isnan(values[0]), values[-1], values[0]))
    last = np.nan_to_num(np.where(np.isnan(values[-1]), values[0], values[-1]))
    level = (shares[0] @ first + shares[-1] @ last) / 2
    within = (shares[0] + shares[-1]) / 2 * (last - first)
    mix = ((first + last) / 2 - level) * (shares[-1] - shares[0])
    return np.column_stack([within, mix, within + mix])
