"""How far analysts agree who judged the same thing without seeing each other's verdicts.

A unit is a session-gig pair that two or more judged. Krippendorff's alpha and Gwet's AC1 are taken of the four
verdicts, alpha of session smaller < comparable < session larger, and alpha of analysts' log values, where a unit is a
session. "Can't say" is missing, its rate shown. Intervals come from a bootstrap over users with all their sessions,
keyed by the seed and the user's smallest session_id: the same verdicts in any order give the same interval.

Alphas of verdicts are those of the package `krippendorff`. Its memory grows with the square of the number of
different values, so that of log values is `valuation.core.agreement.krippendorff_interval`, as are the replicates,
which carry weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from valuation.core.agreement import gwet_ac1, krippendorff_alpha, krippendorff_interval
from valuation.core.draws import exponentials, unit_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

AGREEMENT = 17
"""Stream of the bootstrap's draws (`valuation.core.draws`)."""
NOMINAL = ("comparable", "session_larger", "session_smaller", "wrong_kind")
ORDINAL = ("session_smaller", "comparable", "session_larger")
CANT_SAY = "cant_say"
LEAST = 2
"""Units judged twice under which nothing is said."""

Measure = Literal["alpha_nominal", "ac1_nominal", "alpha_ordinal", "alpha_log_price"]


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One coefficient with its interval.

    Attributes
    ----------
    measure : {"alpha_nominal", "ac1_nominal", "alpha_ordinal", "alpha_log_price"}
    estimate, lower, upper : float
        At most 1; 0 is chance. NaN with a `reason`.
    n_units : int
        Pairs, or sessions for log prices, that two or more analysts judged.
    n_users : int
        Users of their sessions.
    reason : str
        Why there is no estimate, or no interval; '' where there are both.
    """

    measure: Measure
    estimate: float
    lower: float
    upper: float
    n_units: int
    n_users: int
    reason: str


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Agreement of the analysts of an audit.

    Attributes
    ----------
    rows : tuple of AgreementRow
        One a measure, in the order of `Measure`.
    cant_say_rate : float
        Share of verdicts on pairs, those judged twice or more, that are "can't say"; NaN without such pairs.
    """

    rows: tuple[AgreementRow, ...]
    cant_say_rate: float


@dataclass(frozen=True, slots=True)
class _Units:
    """Sessions of a measure's units, and its coefficient under unit weights (None: all 1)."""

    session: pd.Series
    coefficient: Callable[[NDArray[np.float64] | None], float]


def agreement(
    verdicts: pd.DataFrame, log_values: pd.DataFrame, user_of: Mapping[str, str],
    *, seed: int, replicates: int, level: float,
) -> AgreementReport:  # fmt: skip
    """Measure agreement on pairs and on sessions' values.

    Parameters
    ----------
    verdicts : DataFrame
        Standing verdicts, one row an analyst and pair: at least session_id, posting_id, analyst, verdict. Rows
        without a posting_id are left out; so is whatever was not judged blind, by the caller.
    log_values : DataFrame
        Analysts' values: session_id, analyst, log_value (log USD). One row an analyst and session.
    user_of : mapping
        User of each session_id; a session that is not in it is its own user.
    seed : int
        In [0, 2^64).
    replicates : int
        Of the bootstrap.
    level : float
        Of the intervals, in (0, 1).
    """
    pairs = verdicts[verdicts["posting_id"].notna()]
    pairs = pairs.assign(unit=pairs["session_id"].astype(str) + "\x1f" + pairs["posting_id"].astype(str))
    user = _users(pd.concat([pairs["session_id"], log_values["session_id"]]), user_of)
    made: list[tuple[Measure, _Units]] = [
        ("alpha_nominal", _of_verdicts(pairs, NOMINAL, "nominal")),
        ("ac1_nominal", _of_verdicts(pairs, NOMINAL, "ac1")),
        ("alpha_ordinal", _of_verdicts(pairs, ORDINAL, "ordinal")),
        ("alpha_log_price", _of_values(log_values)),
    ]
    rows = tuple(_row(name, units, user, seed, replicates, level) for name, units in made)
    several = pairs.groupby("unit")["analyst"].transform("nunique") >= 2
    rate = float((pairs.loc[several, "verdict"] == CANT_SAY).mean()) if several.any() else np.nan
    return AgreementReport(rows, rate)


def _users(sessions: pd.Series, user_of: Mapping[str, str]) -> dict[str, str]:
    """Smallest session_id, among those seen, of each session's user: what draws are keyed by."""
    ids = sorted({str(session) for session in sessions})
    name = {session: ("user", user_of[session]) if session in user_of else ("session", session) for session in ids}
    first: dict[tuple[str, str], str] = {}
    for session in ids:
        first.setdefault(name[session], session)
    return {session: first[name[session]] for session in ids}


def _of_verdicts(pairs: pd.DataFrame, categories: tuple[str, ...], how: Literal["nominal", "ordinal", "ac1"]) -> _Units:
    """Units with two or more judgements among the categories."""
    used = pairs[pairs["verdict"].isin(categories)]
    used = used[used.groupby("unit")["verdict"].transform("size") >= 2]
    unit, names = pd.factorize(used["unit"], sort=True)
    place = used["verdict"].map({name: at for at, name in enumerate(categories)}).to_numpy(dtype=np.int64)
    counts = np.zeros((len(names), len(categories)), dtype=np.int64)
    np.add.at(counts, (unit, place), 1)

    def coefficient(weight: NDArray[np.float64] | None) -> float:
        if how == "ac1":
            return gwet_ac1(counts, weight=weight).coefficient
        if weight is None:
            return _by_package(counts, how)
        return krippendorff_alpha(counts, scale=how, weight=weight)

    return _Units(pd.Series(names, dtype=object).str.split("\x1f").str[0], coefficient)


def _by_package(counts: NDArray[np.int64], how: Literal["nominal", "ordinal"]) -> float:
    """Alpha by the package; NaN where all values are one category, which it refuses."""
    import krippendorff

    if (counts.sum(axis=0) > 0).sum() < 2:
        return np.nan
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement=how))


def _of_values(log_values: pd.DataFrame) -> _Units:
    """Sessions that two or more analysts gave a value."""
    used = log_values[log_values["log_value"].notna()]
    used = used[used.groupby("session_id")["log_value"].transform("size") >= 2]
    used = used.sort_values(["session_id", "analyst"])  # sums in one order, whatever the rows'
    unit, names = pd.factorize(used["session_id"].astype(str), sort=True)
    value = used["log_value"].to_numpy(dtype=np.float64)

    def coefficient(weight: NDArray[np.float64] | None) -> float:
        return krippendorff_interval(
            unit.astype(np.int64), value, weight=np.ones(len(names)) if weight is None else weight
        )

    return _Units(pd.Series(names, dtype=object), coefficient)


def _row(
    measure: Measure, units: _Units, user: dict[str, str], seed: int, replicates: int, level: float
) -> AgreementRow:
    n = len(units.session)
    of_unit, users = pd.factorize(units.session.map(user), sort=True)
    nothing = (np.nan, np.nan)
    if n < LEAST:
        return AgreementRow(measure, np.nan, *nothing, n, len(users), f"{n} judged twice, {LEAST} needed")
    estimate = units.coefficient(None)
    if not np.isfinite(estimate):
        why = "all judgements are the same: agreement cannot be told from chance"
        return AgreementRow(measure, np.nan, *nothing, n, len(users), why)
    if len(users) < 2:
        return AgreementRow(measure, estimate, *nothing, n, len(users), "all from one user: no interval")
    drawn = exponentials(unit_key(list(users)), seed=seed, stream=AGREEMENT, first=0, count=replicates)
    found = np.array([units.coefficient(weight[of_unit]) for weight in drawn])
    tail = 0.5 - level / 2
    lower, upper = np.quantile(found[np.isfinite(found)], [tail, 1.0 - tail], method="weibull")
    return AgreementRow(measure, estimate, float(lower), float(upper), n, len(users), "")
