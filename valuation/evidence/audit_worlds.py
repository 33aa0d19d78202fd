"""Worlds for the audit: sessions with a true value, a pricer made wrong on purpose, analysts, and an audit drawn.

A world starts where pricing ends: arrays of values, without texts. Users come with a level of their own and a Poisson
number of sessions a month; sessions have a kind, half of them their user's main one. A session's value is the sum of
its month's, kind's and user's level and noise; the analyst's value adds the analyst's own noise. What the audit is to
find is the mean of analysts' values over all users there could be, known in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from valuation.core.audit_design import draw_audit
from valuation.core.audit_estimate import AuditedSessions
from valuation.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pricer = Literal["right", "shifted", "curved", "wrong_by_kind", "noise", "opposite"]

BASE, GROWTH = 5.0, 0.15
"""Log value of the first month, and what the second adds within kinds."""
SHARES = np.array(
    [[0.33, 0.24, 0.14, 0.10, 0.07, 0.05, 0.03, 0.02, 0.02], [0.19, 0.26, 0.21, 0.10, 0.08, 0.07, 0.04, 0.03, 0.02]]
)
"""Of nine kinds in the two months."""
KIND_LEVEL = np.array([0.0, 0.4, 0.3, -0.6, -0.4, 0.2, 0.5, 0.1, -0.2])
KIND_ERROR = np.array([0.8, -0.5, 0.4, 0.3, -0.4, 0.9, -0.8, 0.2, 0.5])
"""Log points that the pricer `wrong_by_kind` is off."""
USER_SPREAD, SESSION_SPREAD, ANALYST_SPREAD, PRICER_SPREAD = 0.6, 0.8, 0.6, 0.4
FAR_OFF = 0.6
"""Log points between predicted and true value from which an analyst accepts no gig."""
UNMATCHED = (0.10, 0.25)
"""Share of sessions unlike any posting in the two months; they are worth 1 less."""


@dataclass(frozen=True, slots=True)
class AuditCell:
    """One kind of world.

    Attributes
    ----------
    name, special : str
        What it is called, and what is special about it.
    pricer : Pricer
        ``right``: the value and noise; ``shifted``: falls by 0.4 between the months whatever happens (growth's sign
        is wrong); ``curved``: sees nothing above a point; ``wrong_by_kind``: off by kind, while the mix of kinds
        changes; ``noise``: knows nothing; ``opposite``: falls where values rise.
    audits : int
        A month.
    users : int
    per_user : float
        Expected sessions a user and month.
    size_spread : float
        Standard deviation of users' log expected sessions.
    size_value : float
        Correlation of a user's log expected sessions with the user's level.
    weighted : bool
        Session weights vary (log standard deviation 0.7).
    missing : {"none", "by_stratum", "by_value", "by_error"}
        Audited sessions without a value: none; 0 to 50 % by stratum; half of those worth most in the second month;
        four of five whose predicted value is off by more than `FAR_OFF`.
    unmatched : bool
        Some sessions have no predicted value, and the target is all sessions.
    """

    name: str
    special: str
    pricer: Pricer = "right"
    audits: int = 100
    users: int = 200
    per_user: float = 5.0
    size_spread: float = 0.0
    size_value: float = 0.0
    weighted: bool = False
    missing: Literal["none", "by_stratum", "by_value", "by_error"] = "none"
    unmatched: bool = False


AUDIT_CELLS = (
    AuditCell("right", "a pricer that sees what changes"),
    AuditCell("shifted", "a shift of the pricer between months: growth has the wrong sign", "shifted"),
    AuditCell("curved", "the pricer sees nothing above a point, and understates", "curved"),
    AuditCell("wrong_by_kind", "the pricer is off by kind of work, and the mix of kinds changes", "wrong_by_kind"),
    AuditCell("noise", "the pricer knows nothing", "noise"),
    AuditCell("opposite", "the pricer falls where values rise (slope clipped at 0)", "opposite"),
    AuditCell("audits_25", "25 audits a month", "wrong_by_kind", audits=25),
    AuditCell("audits_50", "50 audits a month", "wrong_by_kind", audits=50),
    AuditCell("audits_500", "500 audits a month: half of all sessions", "wrong_by_kind", audits=500),
    AuditCell("all_checked", "every session is checked", "wrong_by_kind", audits=100_000),
    AuditCell("few_users", "30 users with 40 sessions a month", "wrong_by_kind", users=30, per_user=40.0),
    AuditCell(
        "heavy_users", "some users do fifty times as much as others, and are worth more", "wrong_by_kind",
        size_spread=1.2, size_value=0.4,
    ),
    AuditCell("weighted", "session weights vary", "wrong_by_kind", weighted=True),
    AuditCell("missing", "0 to 50 % of a stratum's audits give no value", "wrong_by_kind", missing="by_stratum"),
    AuditCell(
        "missing_25", "the same with 25 audits a month", "wrong_by_kind", audits=25, missing="by_stratum"
    ),
    AuditCell(
        "unmatched", "10, then 25 % of sessions without a predicted value, worth 1 less; all sessions are the target",
        "wrong_by_kind", unmatched=True,
    ),
)  # fmt: skip
"""Where audited intervals are promised to hold."""
UNPROMISED = (
    AuditCell(
        "missing_by_value", "half of the audits worth most give no value in the last month", "wrong_by_kind",
        missing="by_value",
    ),
    AuditCell(
        "missing_by_error",
        "four fifths of the audits whose gigs are far off give no value: all rejected, no price given", "shifted",
        missing="by_error",
    ),
)  # fmt: skip
"""Where they are not: who gives no value differs from who does."""


@dataclass(frozen=True, slots=True)
class AuditWorld:
    """Sessions of two months with an audit drawn and judged, and the truth.

    Attributes
    ----------
    sessions : AuditedSessions
    truth : ndarray, shape (2,)
        Mean of analysts' values in each month over all users there could be, logs.
    """

    sessions: AuditedSessions
    truth: NDArray[np.float64]


def audit_cells_named(names: tuple[str, ...]) -> tuple[AuditCell, ...]:
    """Cells by name, in the order of the study; no names = all that are promised, then the others."""
    known = {cell.name: cell for cell in (*AUDIT_CELLS, *UNPROMISED)}
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown kind of audit world {name!r}, expected one of " + ", ".join(known))
    return tuple(cell for name, cell in known.items() if not names or name in names)


def audit_world(cell: AuditCell, *, rng: np.random.Generator) -> AuditWorld:
    """Draw users, sessions, values, the pricer's, an audit, and what analysts say."""
    month, user, level = _users(cell, rng)
    kind = _kinds(month, user, cell.users, rng)
    unlike = rng.random(month.size) < np.array(UNMATCHED)[month] if cell.unmatched else np.zeros(month.size, bool)
    true = BASE + GROWTH * month + KIND_LEVEL[kind] + level[user] + rng.normal(0, SESSION_SPREAD, month.size) - unlike
    analyst = true + rng.normal(0, ANALYST_SPREAD, month.size)
    value = np.where(unlike, np.nan, _priced(cell.pricer, true, month, kind, rng))
    weight = rng.lognormal(0.0, 0.7, month.size) if cell.weighted else np.ones(month.size)
    key = rng.permutation(2 * month.size)[: month.size].astype(np.uint64)
    design = draw_audit(
        key, month, kind, value, rng.random(month.size), audits=np.full(2, cell.audits),
        seed=int(rng.integers(2**62)),
    )  # fmt: skip
    given = design.chosen & (rng.random(month.size) >= _missing(cell, design.stratum, true, value, month))
    sessions = AuditedSessions(
        month, user, weight, value, design.stratum, design.chosen, np.where(given, analyst, np.nan)
    )  # fmt: skip
    truth = BASE + GROWTH * np.arange(2) + SHARES @ KIND_LEVEL + USER_SPREAD * cell.size_value * cell.size_spread
    return AuditWorld(sessions, truth - np.array(UNMATCHED) * cell.unmatched)


def _users(
    cell: AuditCell, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Month and user of each session, and users' levels.

    Weighted by expected sessions ``exp(s z)``, the mean of ``z`` is ``s``: what heavy users add to the truth.
    """
    z = rng.normal(size=cell.users)
    rate = cell.per_user * np.exp(cell.size_spread * z - 0.5 * cell.size_spread**2)
    level = USER_SPREAD * (cell.size_value * z + np.sqrt(1.0 - cell.size_value**2) * rng.normal(size=cell.users))
    user = [np.repeat(np.arange(cell.users), rng.poisson(rate)) for _ in range(2)]
    return np.repeat(np.arange(2), [user[0].size, user[1].size]), np.concatenate(user), level


def _kinds(
    month: NDArray[np.int64], user: NDArray[np.int64], users: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Half of a user's sessions in a month are of the main kind that the user has in it."""
    limits = np.cumsum(SHARES, axis=1)
    drawn = np.where(rng.random(month.size) < 0.5, rng.random((2, users))[month, user], rng.random(month.size))
    above = np.count_nonzero(drawn[:, None] > limits[month], axis=1)
    return np.asarray(np.minimum(above, KIND_LEVEL.size - 1), dtype=np.int64)


def _priced(
    pricer: Pricer, true: NDArray[np.float64], month: NDArray[np.int64], kind: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:  # fmt: skip
    above = true - BASE
    noise = rng.normal(0, PRICER_SPREAD, true.size)
    if pricer == "right":
        return np.asarray(BASE + above + noise)
    if pricer == "shifted":
        return np.asarray(true - 0.4 * month + noise)
    if pricer == "curved":
        return np.asarray(BASE + 0.8 * np.minimum(above, 0.3) + noise)
    if pricer == "wrong_by_kind":
        return np.asarray(true + KIND_ERROR[kind] + noise)
    if pricer == "noise":
        return rng.normal(BASE, 1.0, true.size)
    return np.asarray(BASE - 0.5 * above + noise)


def _missing(
    cell: AuditCell, stratum: NDArray[np.int64], true: NDArray[np.float64], value: NDArray[np.float64],
    month: NDArray[np.int64],
) -> NDArray[np.float64]:  # fmt: skip
    """Probability that an audited session gets no value."""
    if cell.missing == "by_stratum":
        return np.asarray(0.5 * ((stratum * 0.6180339887) % 1.0))
    if cell.missing == "by_value":
        return np.where((month == 1) & (true > BASE + 1.0), 0.5, 0.0)
    if cell.missing == "by_error":
        return np.where(np.abs(value - true) > FAR_OFF, 0.8, 0.0)
    return np.zeros(true.size)
