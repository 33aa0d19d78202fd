"""Ways of valuing the sessions of a block, and choices of which of them count and with what weight.

A *way* is a pricer with its k and τ; a *choice* is a threshold of similarity and a weighting. Every specification is a
way, a choice and a statistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from valuation.core.arrays import PricedSessions
from valuation.core.bootstrap import calibration_replicates
from valuation.core.calibration import IDENTITY, apply, calibrate
from valuation.core.pricing import PRICERS, PricerName
from valuation.core.statistics import fifth_of, smearing
from valuation.evidence.specification_blocks import values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.bootstrap import CalibrationReplicates
    from valuation.evidence.specification_blocks import Fitted, Values
    from valuation.evidence.specifications import Specification
    from valuation.pipeline.run import SessionArrays


class Way(NamedTuple):
    """A pricer with its neighbours and their bandwidth."""

    pricer: PricerName
    k: int
    tau: float


class Choice(NamedTuple):
    """Sessions from this similarity on, weighted by sessions or by users."""

    s_min: float
    weighting: str


@dataclass(frozen=True, slots=True)
class Ends:
    """The two months that every specification compares: those of the headline.

    Attributes
    ----------
    months : tuple of str
        Base and last.
    apart : float
        Calendar months between them.
    sessions, users : tuple of int
        Matched sessions and users under which a specification has no figure, in either month.
    """

    months: tuple[str, str]
    apart: float
    sessions: tuple[int, int]
    users: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """A block's basket and the sessions that it prices.

    Attributes
    ----------
    fitted : Fitted
    sessions : SessionArrays
        All sessions in the block's register.
    ends : Ends
    both : ndarray of int, shape (n_both,)
        Positions of the sessions of the two months, the base month's first.
    split : int
        How many those are.
    weight : ndarray, shape (n_sessions,)
    features : ndarray, shape (n_both, p)
        ``z_i`` of the two months' sessions, centred as the part's own: shared by all ways.
    permuted : ndarray of int8, shape (n_permutations, n_sessions)
        0 (base), 1 (last) or -1: months permuted between users.
    settings : Settings
    """

    fitted: Fitted
    sessions: SessionArrays
    ends: Ends
    both: NDArray[np.int64]
    split: int
    weight: NDArray[np.float64]
    features: NDArray[np.float64]
    permuted: NDArray[np.int8]
    settings: Settings


@dataclass(frozen=True, slots=True)
class ValuedSessions:
    """Sessions valued in one way.

    Attributes
    ----------
    sessions : PricedSessions
        Of the two months, before calibration.
    residual : ndarray, shape (n_clusters,)
        ``ρ_j``, before calibration.
    line : CalibrationReplicates or None
        The linear correction in every replicate; None unless configured.
    log_value, log_price : ndarray, shape (n_sessions,)
        Of all sessions, after calibration: ``v_i``, and ``v_i`` plus the log smearing factor of its fifth.
    nearest : ndarray, shape (n_sessions,)
        Similarity of the nearest posting.
    automatic : float
        ``s_min`` that auto stands for.
    """

    sessions: PricedSessions
    residual: NDArray[np.float64]
    line: CalibrationReplicates | None
    log_value: NDArray[np.float64]
    log_price: NDArray[np.float64]
    nearest: NDArray[np.float64]
    automatic: float


def make_frame(
    fitted: Fitted, sessions: SessionArrays, ends: Ends, permuted: NDArray[np.int8], settings: Settings
) -> Frame:
    """Find the sessions of the two months."""
    month = sessions.frame["month"].to_numpy()
    first, last = (np.flatnonzero(month == name) for name in ends.months)
    weight = sessions.frame["weight"].to_numpy(dtype=np.float64)
    both = np.concatenate([first, last])
    features = fitted.session_features[both] - fitted.model.centre
    return Frame(fitted, sessions, ends, both, first.size, weight, features, permuted, settings)


def way_of(specification: Specification) -> Way:
    """The way in which a specification values sessions."""
    return Way(specification.pricer, specification.k, specification.tau)


def choice_of(specification: Specification, way: ValuedSessions) -> Choice:
    """Which sessions count under a specification."""
    limits = {"auto": way.automatic, "none": -np.inf}
    s_min = limits[specification.s_min] if specification.s_min in limits else float(specification.s_min)
    return Choice(float(s_min), specification.weighting)


def value_sessions(frame: Frame, ways: Iterable[Way]) -> dict[Way, ValuedSessions]:
    """Value the sessions in every way; ways with one k and τ share their neighbours' weights."""
    found: dict[tuple[int, float], Values] = {}
    valued = {}
    for way in ways:
        if (way.k, way.tau) not in found:
            found[way.k, way.tau] = values(frame.fitted, k=way.k, tau=way.tau)
        valued[way] = _in_one_way(frame, way.pricer, found[way.k, way.tau])
    return valued


def _in_one_way(frame: Frame, pricer: PricerName, priced: Values) -> ValuedSessions:
    """Arrays of one pricer."""
    which, model, settings = PRICERS.index(pricer), frame.fitted.model, frame.settings
    held_out = priced.held_out[which]
    line, moved = IDENTITY, None
    if settings.pricing.calibrate:
        line = calibrate(model.log_price, held_out)
        moved = calibration_replicates(
            held_out, model.log_price, model.unit, unit_key=model.unit_key,
            seed=settings.bootstrap.seed, replicates=settings.bootstrap.replicates,
        )  # fmt: skip
    log_value, at = apply(line, priced.value[which]), apply(line, held_out)
    smear = smearing(at, model.log_price - at)
    weight = priced.weight[frame.both]
    return ValuedSessions(
        sessions=PricedSessions(
            log_value=priced.value[which, frame.both],
            weight=frame.weight[frame.both],
            user=frame.sessions.users.code[frame.both],
            user_key=frame.sessions.users.key,
            neighbour=priced.row[frame.both],
            neighbour_weight=weight if pricer != "hedonic" else np.zeros_like(weight),
            features=frame.features,
        ),
        residual=model.log_price - held_out,
        line=moved,
        log_value=log_value,
        log_price=log_value + np.log(smear.factor)[fifth_of(log_value, smear.edges)],
        nearest=priced.nearest,
        automatic=priced.automatic,
    )


def weights_of(frame: Frame, choice: Choice, nearest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the two months' sessions under a choice, shape (n_both,); 0 = left out.

    With ``users`` the matched sessions of a user in a month share a weight of 1, in proportion to their own.
    """
    weight = np.where(nearest[frame.both] >= choice.s_min, frame.weight[frame.both], 0.0)
    if choice.weighting == "users":
        n_users = frame.sessions.users.key.size
        at = frame.sessions.users.code[frame.both] + n_users * (np.arange(weight.size) >= frame.split)
        whole = np.bincount(at, weight, minlength=2 * n_users)[at]
        weight = np.divide(weight, whole, out=np.zeros_like(weight), where=whole > 0)
    return weight


def too_thin(frame: Frame, weight: NDArray[np.float64]) -> str:
    """Why a choice leaves no figure: too few matched sessions or users in one of the months; '' if it does."""
    user = frame.sessions.users.code[frame.both]
    for i, part in enumerate((slice(None, frame.split), slice(frame.split, None))):
        there = weight[part] > 0
        sessions, users = int(there.sum()), int(np.unique(user[part][there]).size)
        if sessions < frame.ends.sessions[i] or users < frame.ends.users[i]:
            return (
                f"{sessions} matched sessions of {users} users in {frame.ends.months[i]}; "
                f"at least {frame.ends.sessions[i]} of {frame.ends.users[i]} are needed"
            )
    return ""
