"""Two registers for the same work: does subtracting each register's mean help to find it and to price it?

    python benchmarks/bench_register.py [postings.parquet] [--encoder static|bundled] [--pairs 3000]

Simulated pairs: the simulator writes each job twice, as a client's posting and as a worker's report; the two share no
template, and the true mean log price is known. With a file (columns title, description, fixed_usd, source): real
pairs, the title of a posting against its description, for postings with at least 300 characters of description.
Every query is the second register's text; the basket holds the first register's.

For ``none`` and ``centred``: recall of the text's own counterpart among the 1, 10 and 50 nearest; share unmatched
under the default s_min; and, with the counterpart's fold left out of basket and regression, squared correlation, root
mean squared error after the line of y on v, mean error, and the slope of that line. Differences: centred − none, 95 %
paired bootstrap intervals over pairs. The same is then asked in one register, where centring has nothing to mend.

Growth: two "months" of queries are drawn from the pairs, tilted along random directions of the texts (so that neither
month's work is the basket's), the session mean is taken from the first alone, as a run does, and growth of the mean
value is set against growth of the mean target: slope, correlation and root mean squared error over the tilts.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from indices.encoders import open_encoder
from valuation.core.hedonic import cross_fit
from valuation.core.kernel import nearest_outside
from valuation.core.pricing import PRICERS, make_pricer, price_basket
from valuation.pipeline.embedding import to_register
from valuation.simulation import WorldSettings, model
from valuation.simulation.dice import Dice
from valuation.simulation.settings import KIND_NAMES
from valuation.simulation.texts import posting_text, session_text
from valuation.simulation.vector_pricing import nearest

FOLDS, K, TAU, TILTS = 5, 50, 0.1, 40
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
DRAWS = 999


@dataclass(frozen=True)
class Pairs:
    """The same work twice: `offer` in the basket's register, `report` in the other; prices and truths in log USD."""

    name: str
    offer: list[str]
    report: list[str]
    log_price: np.ndarray
    target: np.ndarray  # what a value is compared with: the true mean where it is known, else the price


def simulated(n: int, seed: int = 7) -> Pairs:
    """Jobs of a simulated world, each written in both registers."""
    rng = np.random.default_rng(seed)
    settings = WorldSettings()
    kind = model.draw(model.posting_kind_shares(settings), n, rng=rng)
    drawn = model.draw_attributes(kind, np.full(n, model.POSTING_LIFT), rng=rng)
    dice = Dice(rng)
    offers = [posting_text(drawn, row, title_only=False, dice=dice) for row in range(n)]
    offer = ["\n".join((text.title, text.description, text.skills)) for text in offers]
    report = [session_text(drawn, row, dice=dice) for row in range(n)]
    truth = model.log_value(drawn)
    assert len(KIND_NAMES) > 1
    return Pairs("simulated pairs", offer, report, truth + settings.price_noise * rng.standard_normal(n), truth)


def real(path: Path, n: int, seed: int = 7) -> Pairs:
    """Descriptions as the basket, titles as the other register."""
    frame = pd.read_parquet(path)
    priced = frame["fixed_usd"].between(10, 50_000) & (frame["price_type"] == "fixed")
    long = frame["description"].fillna("").str.len() >= 300
    kept = frame[priced & long & (frame["title"].fillna("").str.len() >= 10)]
    kept = kept.drop_duplicates("description").drop_duplicates("title")
    kept = kept.sample(min(n, len(kept)), random_state=seed)
    price = np.log(kept["fixed_usd"].to_numpy(dtype=float))
    return Pairs("title against description", kept["description"].tolist(), kept["title"].tolist(), price, price)


@dataclass(frozen=True)
class Found:
    """What one register mode gives, an entry a pair."""

    rank: np.ndarray  # of the counterpart, 0 = nearest; the size of the basket if it is not among the nearest 100
    matched: np.ndarray
    value: np.ndarray  # (3, n) by pricer, the counterpart's fold left out


def evaluate(
    offer: np.ndarray, query: np.ndarray, pairs: Pairs, *, centred: bool, weight: np.ndarray | None = None
) -> Found:
    """Find and price every query; `weight` says whose mean is the queries' register mean."""
    zero = np.zeros(offer.shape[1])
    basket = to_register(offer, offer.mean(axis=0) if centred else zero)
    asked = to_register(query, np.average(query, axis=0, weights=weight) if centred else zero)
    n = len(basket)
    stored = min(4 * K, n)
    similarity, row = nearest(asked, basket, count=stored)
    own = row == np.arange(n)[:, None]
    rank = np.where(own.any(axis=1), own.argmax(axis=1), n)
    among, among_row = nearest(basket, basket, count=2)
    s_min = np.quantile(nearest_outside(among, among_row, np.arange(n)), 0.01)
    fold = np.random.default_rng(11).permutation(n) % FOLDS
    fit = cross_fit(basket, pairs.log_price, fold, penalties=PENALTIES)
    pricer = make_pricer(pairs.log_price, basket, fit, k=K, tau=TAU)
    value, _ = price_basket(pricer, similarity, row, asked)  # the query stands at its counterpart's place: same fold
    return Found(rank, similarity[:, 0] >= s_min, value)


def fitted_error(value: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Squared error after the line of the target on the value: the register's level and scale do not count."""
    slope, level = np.polyfit(value, pairs.target, 1)
    return (pairs.target - level - slope * value) ** 2


def show(name: str, one: Found, other: Found, pairs: Pairs) -> None:
    """Print both modes and their paired difference."""
    n = len(pairs.target)
    draws = np.random.default_rng(3).integers(0, n, (DRAWS, n))

    def line(label: str, first: np.ndarray, second: np.ndarray) -> None:
        low, high = np.quantile((second - first)[draws].mean(axis=1), [0.025, 0.975])
        a, b = first.mean(), second.mean()
        print(f"  {label:34s} {a:9.3f} {b:9.3f} {b - a:+9.3f} [{low:+.3f}, {high:+.3f}]")

    print(f"{name}: n = {n:,}\n  {'':34s} {'none':>9s} {'centred':>9s} {'difference, 95 %':>22s}")
    for top in (1, 10, 50):
        line(f"own counterpart in nearest {top}", 1.0 * (one.rank < top), 1.0 * (other.rank < top))
    line("unmatched under s_min", 1.0 * ~one.matched, 1.0 * ~other.matched)
    for which, pricer in enumerate(PRICERS):
        first, second = one.value[which], other.value[which]
        line(f"{pricer}: squared error after line", fitted_error(first, pairs), fitted_error(second, pairs))
        line(f"{pricer}: mean of value − target", first - pairs.target, second - pairs.target)
        slopes = [np.polyfit(v, pairs.target, 1)[0] for v in (first, second)]
        fits = [np.corrcoef(v, pairs.target)[0, 1] ** 2 for v in (first, second)]
        print(f"  {pricer + ': slope of target on value':34s} {slopes[0]:9.3f} {slopes[1]:9.3f}")
        print(f"  {pricer + ': squared correlation':34s} {fits[0]:9.3f} {fits[1]:9.3f}")


def growths(offer: np.ndarray, query: np.ndarray, pairs: Pairs) -> None:
    """Print how growth between tilted months is measured."""
    rng = np.random.default_rng(5)
    centred = offer - offer.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:20]
    score = centred @ axes.T
    score /= score.std(axis=0)
    fixed = evaluate(offer, query, pairs, centred=False).value
    true, plain, moved = [], [], []
    for _ in range(TILTS):
        ends = [np.exp(score @ (rng.normal(size=20) / np.sqrt(20))) for _ in range(2)]
        base, last = (end / end.sum() for end in ends)
        true.append((last - base) @ pairs.target)
        plain.append(fixed @ (last - base))
        moved.append(evaluate(offer, query, pairs, centred=True, weight=base).value @ (last - base))
    true = np.array(true)
    print(f"growth between {TILTS} pairs of tilted months (sd of the true growth {true.std():.3f} log points)")
    for which, pricer in enumerate(PRICERS):
        for name, found in (("none", plain), ("centred", moved)):
            mine = np.array(found)[:, which]
            slope, fit = np.polyfit(true, mine, 1)[0], np.corrcoef(true, mine)[0, 1]
            error = np.sqrt(np.mean((mine - true) ** 2))
            print(f"  {pricer:10s} {name:8s} slope on true {slope:6.3f}  correlation {fit:6.3f}  RMSE {error:6.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--encoder", default="static")
    parser.add_argument("--pairs", type=int, default=3000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as models:
        encoder = open_encoder(args.encoder, models_dir=Path(models), max_tokens=256, batch_tokens=4096)
        for pairs in [simulated(args.pairs), *([real(args.file, args.pairs)] if args.file else [])]:
            offer, report = encoder.encode(pairs.offer).vectors, encoder.encode(pairs.report).vectors
            modes = [evaluate(offer, report, pairs, centred=centred) for centred in (False, True)]
            show(f"{pairs.name}, encoder {args.encoder}", *modes, pairs)
            growths(offer, report, pairs)
            own = [evaluate(offer, offer, pairs, centred=centred) for centred in (False, True)]
            show(f"the same in one register, encoder {args.encoder}", *own, pairs)


if __name__ == "__main__":
    main()
