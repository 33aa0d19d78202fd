"""Sessions priced by a part of the basket: its own neighbours, searched again, and its own regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.core.arrays import PricedSessions
from valuation.core.pricing import PRICERS
from valuation.pipeline.pricing import price_texts
from valuation.pipeline.validation import trained_on
from valuation.progress import Silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.reopened import ReopenedRun


def priced_by(
    run: ReopenedRun, clusters: NDArray[np.bool_], chosen: NDArray[np.bool_], which: int
) -> tuple[PriceModel, PricedSessions]:
    """Price matched sessions by the clusters named alone.

    The sessions are those that the whole basket matched, so that only postings differ. Their market stays the whole
    basket's mean of sources and months: a constant, which moves no growth.

    Parameters
    ----------
    clusters : ndarray of bool, shape (n_clusters,)
        The part of the basket.
    chosen : ndarray of bool, shape (n_matched,)
        Matched sessions to price.
    which : int
        Position of the pricer.

    Raises
    ------
    ThinMatchError
        The part is too small to fit a regression.
    """
    part = trained_on(run.opened.model, np.flatnonzero(clusters), run.settings)
    all_matched = run.tracked.sessions
    rows = run.tracked.matched[chosen]
    features = run.sessions.features[rows]
    priced = price_texts(part, run.sessions.vectors[rows], features, run.settings, Silent())
    k = priced.session_hedonic.shape[1]
    weight = priced.weight[:, :k]
    return part, PricedSessions(
        log_value=priced.raw[which],
        weight=all_matched.weight[chosen],
        user=all_matched.user[chosen],
        user_key=all_matched.user_key,
        neighbour=priced.row[:, :k],
        neighbour_weight=weight if PRICERS[which] != "hedonic" else np.zeros_like(weight),
        features=features - part.arrays.centre,
    )
