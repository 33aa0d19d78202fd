"""What the specifications of a block share: postings, features, neighbours, and the fitted regression.

A *room* is an encoder and a register: its vectors are embedded and its basket searched once, wider than any
specification needs, so that a part of the basket finds its neighbours among those already there; only texts that have
too few of them left are searched again. When postings are left out, the regression, its penalty, ``s_min``, the scale
of stated scope and the market that sessions are priced in are found anew. What is learned from the whole basket's texts
stays as it is: clusters and resampling units, their folds, components of TF-IDF, and the register's means. Where ranges
count as one of their ends, the regression and its penalty alone are found anew: texts and neighbours are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from indices.neighbours import Neighbours
from valuation.core.arrays import BasketModel
from valuation.core.hedonic import cross_fit
from valuation.core.kernel import nearest_outside
from valuation.core.pricing import Pricer, make_pricer, price, price_basket
from valuation.errors import ThinMatchError
from valuation.evidence.specification_neighbours import narrowed, prefix
from valuation.evidence.specification_postings import posting_filter
from valuation.evidence.specifications import ENDS
from valuation.pipeline.basket import half_ranges
from valuation.pipeline.model_store import open_model, read_members
from valuation.pipeline.run import prepare_sessions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.evidence.specifications import Block
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.run import SessionArrays
    from valuation.progress import Progress
    from valuation.storage import Layout

SPARE = 2
"""Neighbours found in the whole basket for each one that a part of it needs."""
SAME = 1e-12
"""Spread, relative to its spread over the whole basket, under which a measure of scope is the same in all postings."""
SIDES = {ENDS["low_ends"]: -1.0, ENDS["high_ends"]: 1.0}
"""Which way the half of a range goes from its middle."""
AUTOMATIC = 0.01
"""Quantile of the postings' own nearest similarities that ``s_min = auto`` stands for, as in a run."""


@dataclass(frozen=True, slots=True)
class Room:
    """An encoder and a register.

    Attributes
    ----------
    model : PriceModel
        Of the whole basket.
    sessions : SessionArrays
        All sessions, ordered by session_id.
    of_postings, of_sessions : Neighbours
        In the whole basket, wider than needed.
    half_range : ndarray, shape (n_clusters,)
        From the middle of a cluster's price ranges to their ends, log points; 0 where its prices are single amounts.
    most : int
        The largest k of the grid.
    """

    model: PriceModel
    sessions: SessionArrays
    of_postings: Neighbours
    of_sessions: Neighbours
    half_range: NDArray[np.float64]
    most: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A part of a room's basket, searched and fitted.

    Attributes
    ----------
    model : BasketModel
    pricer : Pricer
        Its `k` and `tau` are the headline's; `values` takes others.
    features : ndarray, shape (n_clusters, p)
        ``x_j``, not centred.
    session_features : ndarray, shape (n_sessions, p)
        ``z_i``, not centred.
    of_postings, of_sessions : Neighbours
        Of the part's postings and of all sessions in the part; ``2k + 1`` and ``2k`` for the largest k, or all.
    """

    model: BasketModel
    pricer: Pricer
    features: NDArray[np.float64]
    session_features: NDArray[np.float64]
    of_postings: Neighbours
    of_sessions: Neighbours


@dataclass(frozen=True, slots=True)
class Values:
    """Sessions priced with one k and one τ.

    Attributes
    ----------
    row, weight : ndarray, shape (n_sessions, k)
    value : ndarray, shape (3, n_sessions)
        By pricer, before calibration, log USD.
    held_out : ndarray, shape (3, n_clusters)
        ``v_-j(x_j)`` by pricer, before calibration.
    nearest : ndarray, shape (n_sessions,)
        Similarity of the nearest posting.
    automatic : float
        ``s_min`` that auto stands for; NaN if no posting has a neighbour outside its own unit.
    """

    row: NDArray[np.int64]
    weight: NDArray[np.float64]
    value: NDArray[np.float64]
    held_out: NDArray[np.float64]
    nearest: NDArray[np.float64]
    automatic: float


def open_room(
    layout: Layout, settings: Settings, block: Block, most: int, postings: pd.DataFrame, progress: Progress
) -> Room:
    """Open, or build, the whole basket of a block's encoder and register, and search it widely."""
    varied = settings.model_copy(
        update={
            "encoder": settings.encoder.model_copy(update={"name": block.encoder}),
            "register_": settings.register_.model_copy(update={"mode": block.register_mode}),
        }
    )
    opened = open_model(layout, varied, progress)
    model = opened.model
    sessions = prepare_sessions(layout, varied, model, progress)
    progress.stage("find neighbours")
    wide, n = SPARE * (2 * most + 1), len(model.rows)
    of_postings = prefix(Neighbours(model.similarity, model.row), wide)
    if of_postings.row.shape[1] < min(wide, n):
        of_postings = model.neighbour_index.search(model.vectors.astype(np.float32), min(wide, n))
    of_sessions = model.neighbour_index.search(sessions.vectors.astype(np.float32), min(wide, n))
    half_range = half_ranges(model.rows, read_members(layout, opened.basket_id), postings)
    return Room(model, sessions, of_postings, of_sessions, half_range, most)


def fit_block(room: Room, postings: pd.DataFrame, block: Block, settings: Settings) -> Fitted:
    """Search and fit what a block takes of a room's basket.

    Raises
    ------
    ThinMatchError
        Too few postings are left, or a reference source is left out.
    """
    if block.basket in SIDES:
        return _fit_ends(room, SIDES[block.basket], settings)
    return fit_part(room, posting_filter(room.model.rows, postings, block), settings)


def _fit_ends(room: Room, side: float, settings: Settings) -> Fitted:
    """Fit the whole basket with every range at its low (`side` -1) or high (+1) end: only log prices differ."""
    whole = room.model
    x, y = whole.arrays.features + whole.arrays.centre, whole.arrays.log_price + side * room.half_range
    arrays, pricer = _refitted(whole, np.arange(len(y)), x, y, settings)
    of_postings, of_sessions = 2 * room.most + 1, 2 * room.most
    return Fitted(
        arrays, pricer, x, room.sessions.features,
        prefix(room.of_postings, of_postings), prefix(room.of_sessions, of_sessions),
    )  # fmt: skip


def fit_part(room: Room, inside: NDArray[np.int64], settings: Settings) -> Fitted:
    """Search and fit the rows `inside` of a room's basket; the whole of it is taken as the run has it.

    Raises
    ------
    ThinMatchError
        Too few postings to leave any out, or a reference source that is left out.
    """
    whole = room.model
    features = whole.arrays.features + whole.arrays.centre
    of_postings, of_sessions = 2 * room.most + 1, 2 * room.most
    if len(inside) == len(whole.rows):
        return Fitted(
            whole.arrays, whole.pricer, features, room.sessions.features,
            prefix(room.of_postings, of_postings), prefix(room.of_sessions, of_sessions),
        )  # fmt: skip
    market = settings.pricing.reference_source
    if market and not (whole.rows["source"].iloc[inside] == market).any():
        raise ThinMatchError(f"sessions are priced in the market of {market}, which this basket leaves out")
    x, z = _features_of_part(whole, features[inside], room.sessions.features, settings)
    arrays, pricer = _refitted(whole, inside, x, whole.arrays.log_price[inside], settings)
    place = np.full(len(whole.rows), -1)
    place[inside] = np.arange(len(inside))
    own = Neighbours(room.of_postings.similarity[inside], room.of_postings.row[inside])
    part = whole.neighbour_index.subset(inside)
    return Fitted(
        arrays, pricer, x, z,
        narrowed(own, place, part, whole.vectors[inside], of_postings),
        narrowed(room.of_sessions, place, part, room.sessions.vectors, of_sessions),
    )  # fmt: skip


def _refitted(
    whole: PriceModel, inside: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64], settings: Settings
) -> tuple[BasketModel, Pricer]:
    """Fit the regression on the rows `inside`, whose features are `x` and whose log prices are `y`."""
    fit = cross_fit(x, y, whole.pricer.fit.fold[inside], penalties=settings.pricing.penalties)
    pricer = make_pricer(y, x, fit, k=whole.pricer.k, tau=whole.pricer.tau)
    kept_units, unit = np.unique(whole.arrays.unit[inside], return_inverse=True)
    arrays = BasketModel(
        features=x - fit.centre,
        centre=fit.centre,
        gram_inverse=fit.gram_inverse,
        log_price=y,
        hedonic_residual=pricer.residual,
        unit=unit.astype(np.int64),
        unit_key=whole.arrays.unit_key[kept_units],
    )
    return arrays, pricer


def _features_of_part(
    whole: PriceModel, x: NDArray[np.float64], z: NDArray[np.float64], settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features of a part's postings and of all sessions, as a basket of the part alone would scale and place them.

    Stated scope has the same spread over the part as it has over the whole; sessions are priced in the part's mean
    market and month. Both come back as new arrays, shapes (n_inside, p) and (n_sessions, p).
    """
    x, z = x.copy(), z.copy()
    text = whole.vectors.shape[1] + whole.lexical.shape[1]
    scope = slice(text - whole.frozen.lexical.scope_scale.size, text)
    spread = x[:, scope].std(axis=0)
    varies = spread > SAME * settings.pricing.scope_weight
    factor = np.divide(settings.pricing.scope_weight, spread, out=np.zeros_like(spread), where=varies)
    x[:, scope] *= factor
    z[:, scope] *= factor
    market = text + len(whole.frozen.sources) if settings.pricing.reference_source else text
    z[:, market:] = x[:, market:].mean(axis=0)
    return x, z


def values(fitted: Fitted, *, k: int, tau: float) -> Values:
    """Price all sessions, and the part's own postings out of fold, with one k and one τ: as a run with them would."""
    pricer = replace(fitted.pricer, k=k, tau=tau)
    n = len(fitted.features)
    own = prefix(fitted.of_postings, min(2 * k + 1, n))
    held_out, _ = price_basket(pricer, own.similarity, own.row, fitted.features)
    found = prefix(fitted.of_sessions, min(2 * min(k, n), n))
    prices = price(pricer, found.similarity, found.row, fitted.session_features)
    nearest = nearest_outside(own.similarity, own.row, fitted.model.unit)
    known = nearest[np.isfinite(nearest)]
    return Values(
        row=found.row[:, :k],
        weight=prices.weight[:, :k],
        value=prices.value,
        held_out=held_out,
        nearest=found.similarity[:, 0],
        automatic=float(np.quantile(known, AUTOMATIC)) if known.size else float("nan"),
    )
