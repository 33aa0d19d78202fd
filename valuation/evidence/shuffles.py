"""Placebo: prices shuffled over posting units, the regression and its penalty fitted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.core.draws import unit_key
from valuation.core.permutation import central, two_sided_p
from valuation.core.shuffling import growth_gap, refitted_growth, shuffled_prices
from valuation.evidence.findings import Draws, Finding, Found, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.evidence.findings import Verdict
    from valuation.evidence.headline import Headline
    from valuation.pipeline.reopened import ReopenedRun

NAME = "prices_shuffled"
STANDARD_ERRORS = 2.0
"""Standard errors of the mean within which shuffled growth must lie from 0."""


def shuffled(run: ReopenedRun, headline: Headline) -> Found:
    """Growth under shuffled prices: its mean should be nothing, and the real one should stand out."""
    model, sessions, asked = run.opened.model, run.tracked.sessions, run.settings.placebo
    gap = growth_gap(sessions, _share(headline, sessions.weight), model.arrays, model.pricer.fit.fold,
                     pricer=headline.pricer)  # fmt: skip
    prices = shuffled_prices(
        model.arrays.log_price, model.arrays.unit, unit_key=model.arrays.unit_key,
        cluster_key=unit_key(model.rows["cluster_id"].tolist()), seed=asked.seed, count=asked.refits,
    )  # fmt: skip
    drawn = refitted_growth(
        model.arrays.features, model.pricer.fit.fold, prices, gap, penalties=run.settings.pricing.penalties
    )
    real = headline.growth.estimate / model.calibration[headline.which].slope
    mean, error = float(drawn.mean()), float(drawn.std(ddof=1) / np.sqrt(drawn.size))
    low, high = mean - STANDARD_ERRORS * error, mean + STANDARD_ERRORS * error
    ends = central(drawn, level=headline.level)
    passed, reason = _verdict(real, ends, headline)
    centred = within(0.0, low, high)
    lean = None if centred == "yes" else "growth leans one way although prices say nothing: an error of the engine"
    return Found(
        (
            Finding(NAME, "", "mean_growth", drawn.size, mean, low, high, 0.0, passed=centred, reason=lean),
            Finding(NAME, "", "growth", drawn.size, real, *ends, 0.0, two_sided_p(real, drawn), passed, reason),
        ),
        (Draws(NAME, drawn, np.full(drawn.size, np.nan)),),
    )


def _share(headline: Headline, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of weight in the last month less that in the base month, shape (n_matched,)."""
    share = np.zeros(weight.size)
    for month, sign in ((headline.last, 1.0), (headline.base, -1.0)):
        inside = headline.month == month
        share[inside] = sign * weight[inside] / weight[inside].sum()
    return share


def _verdict(real: float, ends: tuple[float, float], headline: Headline) -> tuple[Verdict, str | None]:
    """Real growth should lie outside the central share of shuffled ones, if its own interval leaves 0 out."""
    if real < ends[0] or real > ends[1]:
        return "yes", None
    if headline.grows is None:
        return "not_judged", "growth has no interval of its own: too few users or postings stand behind it"
    if not headline.grows:
        return "not_judged", "growth's own interval holds 0: there is nothing to tell from shuffled prices"
    return "no", "shuffled prices give as much growth as is measured, though its own interval leaves 0 out"
