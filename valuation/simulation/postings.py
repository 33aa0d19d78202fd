"""The market's side of a world: postings as a market would export them, with their truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.simulation import model, prices
from valuation.simulation.dice import Dice
from valuation.simulation.people import assign_clients
from valuation.simulation.settings import KIND_NAMES, month_names
from valuation.simulation.texts import PostingText, posting_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.simulation.model import Attributes
    from valuation.simulation.settings import WorldSettings

MARKETS = ("gigharbour", "taskmeadow", "worknorth")
MARKET_SHARES = np.array([0.5, 0.3, 0.2])
MARKET_EFFECTS = np.array([-0.12, 0.10, 0.15])  # their weighted mean is 0: f is a posting's price on the mean market
COUNTRIES = ("United States", "United Kingdom", "Germany", "Australia", "Canada", "India", "France", "Kenya")
CLIENT_VARIANCE = 0.07  # share of the price noise that belongs to the client
NOISE_CUT = 2.5  # standard deviations
MEAN_RATE = math.log(28.0)  # log US dollars an hour
RATE_SLOPE = 0.25  # hourly rates differ less between jobs than task prices
HALF_RANGE = 0.35  # log points
REPOST_DAYS = 45


@dataclass(frozen=True, slots=True)
class _Draws:
    """What is drawn for each posting before it is put into words."""

    attributes: Attributes
    market: NDArray[np.int64]
    client: NDArray[np.int64]
    noise: NDArray[np.float64]
    seconds: NDArray[np.int64]
    hourly: NDArray[np.bool_]

    def mean(self) -> NDArray[np.float64]:
        """Return the mean log price of each posting on its market, log USD a task."""
        return np.asarray(model.log_value(self.attributes) + MARKET_EFFECTS[self.market], dtype=np.float64)


def simulate_postings(settings: WorldSettings, *, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the raw postings and their truth, row by row, in order of time.

    Returns
    -------
    raw : DataFrame
        job_ref, market, headline, details, tags, rubric, terms, budget, posted_on, client, country; all text,
        "" = missing.
    truth : DataFrame
        job_ref, month, market, kind, domain, object, size, complexity, urgent, hourly, repost_of, log_price_mean
        (f plus the market's effect, log USD a task), log_price (of the budget as typed, log USD, or log USD an hour).
    """
    draws = _draw(settings, rng)
    originals = len(draws.market)
    source = np.concatenate(
        [np.arange(originals), np.sort(rng.permutation(originals)[: settings.postings - originals])]
    )
    fresh = np.arange(settings.postings) < originals
    seconds = draws.seconds[source] + np.where(fresh, 0, rng.integers(86_400, REPOST_DAYS * 86_400, len(source)))
    seconds = np.minimum(seconds, _span(settings)[1] - 1)
    order = np.lexsort((np.arange(len(source)), seconds))
    references = np.empty(len(source), dtype=object)
    references[order] = [f"P{place:07d}" for place in range(1, len(source) + 1)]
    rows = _worded(settings, draws, source, rng)
    truth = _truth(draws, source, seconds, references)
    repost_of = np.where(fresh, "", references[source])
    truth = truth.assign(repost_of=repost_of, log_price=[row.log_price for row in rows])
    raw = pd.DataFrame(
        {
            "job_ref": references,
            "market": truth["market"],
            "headline": [row.text.title for row in rows],
            "details": [row.text.description for row in rows],
            "tags": [row.text.skills for row in rows],
            "rubric": [row.text.section for row in rows],
            "terms": np.where(truth["hourly"], "Hourly", "Fixed price"),
            "budget": [row.budget for row in rows],
            "posted_on": pd.to_datetime(seconds, unit="s").strftime("%Y-%m-%d %H:%M"),
            "client": [f"client-{number:06d}" for number in draws.client[source]],
            "country": np.array(COUNTRIES, dtype=object)[draws.client[source] % len(COUNTRIES)],
        }
    )
    return raw.iloc[order].reset_index(drop=True), truth.iloc[order].reset_index(drop=True)


def _draw(settings: WorldSettings, rng: np.random.Generator) -> _Draws:
    n = settings.postings - round(settings.postings * settings.reposts)
    kind = model.draw(model.posting_kind_shares(settings), n, rng=rng)
    attributes = model.draw_attributes(kind, np.full(n, model.POSTING_LIFT), rng=rng)
    client = assign_clients(n, rng=rng)
    of_client = rng.standard_normal(client.max() + 1)[client]
    unit = math.sqrt(CLIENT_VARIANCE) * of_client + math.sqrt(1 - CLIENT_VARIANCE) * rng.standard_normal(n)
    start, end = _span(settings)
    return _Draws(
        attributes=attributes,
        market=model.draw(MARKET_SHARES, n, rng=rng),
        client=client,
        noise=settings.price_noise * np.clip(unit, -NOISE_CUT, NOISE_CUT),
        seconds=rng.integers(start, end, n),
        hourly=rng.random(n) < settings.hourly,
    )


def _span(settings: WorldSettings) -> tuple[int, int]:
    """Return the first second of the postings' months and the first one after them, since 1970."""
    names = month_names(settings.postings_from, settings.posting_months + 1)
    first, after = (int(pd.Timestamp(f"{name}-01", tz="UTC").timestamp()) for name in (names[0], names[-1]))
    return first, after


def _truth(
    draws: _Draws, source: NDArray[np.int64], seconds: NDArray[np.int64], references: NDArray[np.object_]
) -> pd.DataFrame:
    attributes = draws.attributes.take(source)
    return pd.DataFrame(
        {
            "job_ref": references,
            "month": pd.to_datetime(seconds, unit="s").strftime("%Y-%m"),
            "market": np.array(MARKETS, dtype=object)[draws.market[source]],
            "kind": np.array(KIND_NAMES, dtype=object)[attributes.kind],
            "domain": np.array(model.DOMAIN_NAMES, dtype=object)[attributes.domain],
            "object": model.object_names(attributes),
            "size": np.array(model.SIZE_NAMES, dtype=object)[attributes.size],
            "complexity": np.array(model.COMPLEXITY_NAMES, dtype=object)[attributes.complexity],
            "urgent": attributes.urgent,
            "hourly": draws.hourly[source],
            "log_price_mean": draws.mean()[source],
        }
    )


@dataclass(frozen=True, slots=True)
class _Worded:
    text: PostingText
    budget: str
    log_price: float


def _worded(
    settings: WorldSettings, draws: _Draws, source: NDArray[np.int64], rng: np.random.Generator
) -> list[_Worded]:
    """Put originals into words, then copy reposts from them with a small change."""
    dice = Dice(rng)
    means = draws.mean()
    rows: list[_Worded] = []
    for row in range(len(draws.market)):
        text = posting_text(draws.attributes, row, title_only=dice.chance(settings.title_only), dice=dice)
        rows.append(_priced(settings, text, float(means[row]), float(draws.noise[row]), bool(draws.hourly[row]), dice))
    return rows + [_reposted(rows[row], dice) for row in source[len(rows) :]]


def _priced(settings: WorldSettings, text: PostingText, mean: float, noise: float, hourly: bool, dice: Dice) -> _Worded:
    currency = dice.pick(("EUR", "GBP")) if dice.chance(settings.foreign) else "USD"
    half = HALF_RANGE if dice.chance(settings.ranges) else 0.0
    if hourly:
        rate = MEAN_RATE + RATE_SLOPE * (mean - model.BASE + noise)
        return _Worded(text, *prices.hourly_budget(rate, currency, half))
    return _Worded(text, *prices.fixed_budget(mean + noise, currency, half))


def _reposted(original: _Worded, dice: Dice) -> _Worded:
    """Return the posting again: the very words, or with one small change; the budget stays."""
    text = original.text
    change = dice.between(0, 2)
    if change == 1 and text.description:
        text = PostingText(text.title, f"{text.description} Reposted.", text.skills, text.section)
    elif change == 2:
        text = PostingText(f"{text.title}!", text.description, text.skills, text.section)
    return _Worded(text, original.budget, original.log_price)
