"""The series of a large product: joint bootstrap of means, median, trimmed mean and mean price, its time and memory.

    python benchmarks/bench_series.py [--quick] [--sessions N] [--users N] [--postings N] [--features P]
        [--replicates B]

Neighbours are taken as stored. Arrays are synthetic and of the product's own kinds (float64). Prints the time of each
part beside what this machine could do at best, peak memory, and the ratio to a plain numpy loop and to `arch`
(Sheppard; IIDBootstrap over users' sums), both run on a few replicates and scaled up. Where CPU seconds are far under
seconds times threads, other work had the cores.
"""

import argparse
import resource
import time
from dataclasses import dataclass

import numba
import numpy as np
from arch.bootstrap import IIDBootstrap
from scipy.sparse import csr_array

from valuation.core import draws
from valuation.core.arrays import BasketModel, PricedSessions
from valuation.core.bootstrap import joint_replicates
from valuation.core.influence import series_influence
from valuation.core.movement import _add_neighbours, movement, value_deviations
from valuation.core.nonlinear import BLOCK, nonlinear_replicates
from valuation.core.ordered import ordered_product
from valuation.core.selection import moved_statistics, reweighted_statistics
from valuation.core.statistics import fifth_of, members, smearing

SEED, MONTHS, GROUPS, NEIGHBOURS, TRIM = 7, 7, 9, 50, 0.05
SAMPLE = 3
"""Replicates of the plain loops that are timed."""


@dataclass(frozen=True)
class Made:
    model: BasketModel
    sessions: PricedSessions
    residual: np.ndarray
    cell: np.ndarray
    n_cells: int


def made(sessions: int, users: int, postings: int, features: int) -> Made:
    """Random arrays with the sizes asked for: clients with several postings, hubs, users who work unequally."""
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(postings, features)) / np.sqrt(features)
    x -= x.mean(axis=0)
    _, unit = np.unique(rng.integers(0, int(0.7 * postings), postings), return_inverse=True)
    error = rng.normal(size=postings)
    model = BasketModel(
        x, np.zeros(features), np.linalg.inv(x.T @ x + 10 * np.eye(features)), 5 + error, 1.2 * error,
        unit.astype(np.int64), draws.unit_key([f"unit:{i}" for i in range(unit.max() + 1)]),
    )  # fmt: skip
    z = np.empty((sessions, features))
    for first in range(0, sessions, 50_000):
        part = z[first : first + 50_000]
        rng.standard_normal(out=part)
        part /= np.sqrt(features)
    worker = np.concatenate([np.arange(users), (users * rng.random(sessions - users) ** 2).astype(np.int64)])
    row = (postings * rng.random((sessions, NEIGHBOURS)) ** 1.3).astype(np.int64)
    weight = np.exp(-np.sort(rng.exponential(size=row.shape), axis=1))
    weight /= weight.sum(axis=1, keepdims=True)
    month = rng.integers(0, MONTHS, sessions)
    group = MONTHS + GROUPS * month + rng.integers(0, GROUPS, sessions)
    value = 5 + 0.8 * rng.normal(size=sessions) + 0.04 * month
    key = draws.unit_key([f"user:{i}" for i in range(users)])
    priced = PricedSessions(value, np.ones(sessions), rng.permutation(worker), key, row, weight, z)
    return Made(model, priced, 1.1 * error, np.stack([month, group]), MONTHS * (1 + GROUPS))


def timed(work, *arguments, **named):
    """Seconds and CPU seconds of a call, and its result."""
    start, cpu = time.perf_counter(), time.process_time()
    found = work(*arguments, **named)
    return time.perf_counter() - start, time.process_time() - cpu, found


def peak() -> float:
    """Largest resident memory so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def means(data: Made, replicates: int):
    """Mean log of all months and groups under one pricer, and of the months under the two others."""
    found = []
    for cell, n_cells, use_hedonic in ((data.cell, data.n_cells, True), *[(data.cell[:1], MONTHS, True)] * 2):
        influence = series_influence(
            data.sessions, data.model, data.residual, cell, n_cells=n_cells, use_hedonic=use_hedonic
        )
        keys = {"unit_key": data.model.unit_key, "user_key": data.sessions.user_key}
        found.append(joint_replicates(influence, **keys, seed=SEED, replicates=replicates))
    return found


def others(data: Made, replicates: int):
    return nonlinear_replicates(
        data.sessions, data.model, data.residual, data.cell[:1], n_cells=MONTHS, use_hedonic=True, calibration=None,
        trim=TRIM, seed=SEED, replicates=replicates,
    )  # fmt: skip


def ceilings() -> dict[str, tuple[float, str]]:
    """What this machine does at best, all threads: copying, matrix products, sorting, uniform draws and logarithms."""
    rng = np.random.default_rng(0)
    big, square = np.empty(30_000_000), rng.normal(size=(1500, 1500))
    copying, _, _ = timed(np.copyto, big, np.zeros_like(big))
    multiplying, _, _ = timed(lambda: square @ square)
    values = rng.normal(size=400_000)
    sorting, _, _ = timed(np.argsort, values)
    drawing, _, _ = timed(lambda: np.random.Generator(np.random.Philox(1)).standard_exponential(4_000_000))
    return {
        "copy": (16 * big.size / copying / 1e9, "GB/s"),
        "BLAS product": (2 * 1500**3 / multiplying / 1e9, "Gflop/s"),
        "numpy argsort, one thread": (values.size / sorting / 1e6, "M values/s"),
        "numpy exponentials, one thread": (4.0 / drawing, "M draws/s"),
    }


def parts(data: Made, replicates: int) -> list[tuple[str, float, float, str]]:
    """One block of replicates, part by part: name, seconds for all replicates, rate, unit of the rate."""
    sessions, model, count = data.sessions, data.model, min(BLOCK, replicates)
    scale, n, k, p = replicates / count, sessions.weight.size, NEIGHBOURS, model.features.shape[1]
    moves = movement(sessions, model, data.residual, use_hedonic=True)
    named = {"seed": SEED, "first": 0, "count": count}
    out = []

    def note(name, work, amount, unit):
        seconds, _, found = timed(work)
        out.append((name, scale * seconds, amount / seconds / 1e9, unit))
        return found

    note("draws of users (Philox, log)", lambda: draws.exponentials(sessions.user_key, stream=draws.USERS, **named),
         count * sessions.user_key.size, "G draws/s")  # fmt: skip
    moved = draws.exponentials(model.unit_key, stream=draws.POSTINGS, **named) - 1.0
    slope = note("regression's scores", lambda: ordered_product(moved, moves.score),
                 2 * count * moves.score.size, "Gflop/s")  # fmt: skip
    slope = np.ascontiguousarray(slope[:, :-1].T)
    rows = slice(0, min(n, 65_536))
    share = n / rows.stop
    base = ordered_product(moves.features[rows], slope)
    seconds, _, _ = timed(ordered_product, moves.features[rows], slope)
    out.append(("sessions' features × slopes", scale * share * seconds, 2 * rows.stop * p * count / seconds / 1e9,
                "Gflop/s"))  # fmt: skip
    table, turned = np.ones((model.log_price.size, count)), np.empty((count, rows.stop))
    seconds, _, _ = timed(
        _add_neighbours, sessions.neighbour[rows], sessions.neighbour_weight[rows], table, base, turned
    )
    out.append(("neighbours (gather)", scale * share * seconds, 8 * rows.stop * k * count / seconds / 1e9, "GB/s"))
    value = value_deviations(moves, **named) + sessions.log_value
    drawn = draws.exponentials(sessions.user_key, stream=draws.USERS, **named)
    smear = smearing(model.log_price - data.residual, data.residual)
    fifth, within = fifth_of(sessions.log_value, smear.edges), members(data.cell[:1], n_cells=MONTHS)
    weighted, cells = (drawn, sessions.user, sessions.weight), (fifth, within)
    note("statistics, users", lambda: reweighted_statistics(
        sessions.log_value, *weighted, smear.factor, *cells, trim=TRIM), count * n, "G values/s")  # fmt: skip
    note("statistics, postings and both", lambda: moved_statistics(
        value, *weighted, np.tile(smear.factor, (count, 1)), *cells, trim=TRIM), count * n, "G values/s")  # fmt: skip
    return out


def plain_means(data: Made, replicates: int) -> np.ndarray:
    """Every session's value moved in every replicate, then averaged: what one would write first."""
    sessions, model = data.sessions, data.model
    rng = np.random.default_rng(0)
    out = np.empty((replicates, data.n_cells))
    for b in range(replicates):
        value, weight = plain_replicate(data, rng)
        for cell in data.cell:
            there = np.bincount(cell, weight, data.n_cells)
            mean = np.bincount(cell, weight * value, data.n_cells)
            out[b, there > 0] = (mean[there > 0]) / there[there > 0]
    assert np.isfinite(out).all() and sessions.weight.size and model.log_price.size
    return out


def plain_replicate(data: Made, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    sessions, model = data.sessions, data.model
    unit = rng.exponential(size=model.unit_key.size)[model.unit] - 1
    weight = sessions.weight * rng.exponential(size=sessions.user_key.size)[sessions.user]
    slope = model.gram_inverse @ (model.features.T @ (unit * model.hedonic_residual))
    table = unit * data.residual - model.features @ slope
    value = sessions.log_value + (sessions.neighbour_weight * table[sessions.neighbour]).sum(axis=1)
    return value + sessions.features @ slope, weight


def plain_others(data: Made, replicates: int) -> None:
    """Three variations, each sorted within months."""
    sessions, rng = data.sessions, np.random.default_rng(0)
    smear = smearing(data.model.log_price - data.residual, data.residual)
    fifth, within = fifth_of(sessions.log_value, smear.edges), members(data.cell[:1], n_cells=MONTHS)
    for _ in range(replicates):
        value, weight = plain_replicate(data, rng)
        for values, weights in (
            (sessions.log_value, weight), (value, sessions.weight), (value, weight),
        ):  # fmt: skip
            for cell in range(MONTHS):
                mine = within.session[within.start[cell] : within.start[cell + 1]]
                mine = mine[np.argsort(values[mine])]
                price, at = np.exp(values[mine]), np.cumsum(weights[mine])
                edges = np.clip(np.concatenate([[0], at / at[-1]]), TRIM, 1 - TRIM)
                _ = np.interp(0.5 * at[-1], at - weights[mine] / 2, price), np.diff(edges) @ price
                _ = weights[mine] @ (price * smear.factor[fifth[mine]])


def users_by_arch(data: Made, replicates: int) -> tuple[float, np.ndarray]:
    """Growth of the monthly mean, users resampled with replacement by `arch`: seconds and replicates."""
    sessions = data.sessions
    shape = (sessions.user_key.size, MONTHS)
    indicator = csr_array((sessions.weight, (sessions.user, data.cell[0])), shape=shape).toarray()
    valued = csr_array((sessions.weight * sessions.log_value, (sessions.user, data.cell[0])), shape=shape).toarray()

    def growth(weight, value):
        mean = value.sum(axis=0) / weight.sum(axis=0)
        return mean[-1] - mean[0]

    boot = IIDBootstrap(indicator, valued, seed=np.random.default_rng(1))
    seconds, _, found = timed(boot.apply, growth, reps=replicates)
    return seconds, found


def compared(data: Made, replicates: int, mean_seconds: float, other_seconds: float) -> None:
    scale = replicates / SAMPLE
    loop, _, _ = timed(plain_means, data, SAMPLE)
    print(f"means: plain numpy loop {scale * loop:,.0f} s (from {SAMPLE} replicates), "
          f"{scale * loop / mean_seconds:.0f} times as long")  # fmt: skip
    loop, _, _ = timed(plain_others, data, SAMPLE)
    print(f"median, trimmed mean, mean price: plain numpy loop {scale * loop:,.0f} s (from {SAMPLE} replicates), "
          f"{scale * loop / other_seconds:.0f} times as long")  # fmt: skip
    influence = series_influence(
        data.sessions, data.model, data.residual, data.cell[:1], n_cells=MONTHS, use_hedonic=True
    )
    ours, _, moved = timed(
        draws.replicate_sums, data.sessions.user_key, influence.user, seed=SEED, stream=draws.USERS,
        replicates=replicates,
    )  # fmt: skip
    some = min(replicates, 40)
    theirs, found = users_by_arch(data, some)
    error = (moved[:, -1] - moved[:, 0]).std(ddof=1)
    print(f"users only, growth of the mean: {ours:.2f} s; arch {theirs * replicates / some:,.1f} s (from {some} "
          f"replicates), {theirs * replicates / some / ours:.0f} times as long; standard errors {error:.5f} and "
          f"{found.std(ddof=1):.5f}")  # fmt: skip


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the sessions, 64 replicates")
    for name, size in (
        ("sessions", 400_000), ("users", 235_000), ("postings", 25_000), ("features", 550), ("replicates", 1000),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=size)
    found = parser.parse_args()
    if found.quick:
        found.sessions, found.users, found.postings, found.features, found.replicates = 8000, 4700, 2500, 60, 64
    return found


def main() -> None:
    sizes = asked()
    tiny = made(400, 300, 100, 10)
    means(tiny, 4), others(tiny, 4)  # compiled, or read from the cache
    data = made(sizes.sessions, sizes.users, sizes.postings, sizes.features)
    print(f"{sizes.sessions:,} sessions of {sizes.users:,} users, {sizes.postings:,} postings, k = {NEIGHBOURS}, "
          f"{sizes.features} features, {MONTHS} months, {GROUPS} groups, {sizes.replicates:,} replicates, "
          f"{numba.get_num_threads()} threads; {peak():.2f} GB before the bootstrap")  # fmt: skip
    mean_seconds, cpu, _ = timed(means, data, sizes.replicates)
    print(f"means, three pricers, all months and groups: {mean_seconds:.1f} s ({cpu:.1f} CPU s), peak {peak():.2f} GB")
    other_seconds, cpu, _ = timed(others, data, sizes.replicates)
    print(f"median, trimmed mean, mean price: {other_seconds:.1f} s ({cpu:.1f} CPU s), peak {peak():.2f} GB")
    print("\nof which")
    for name, seconds, rate, unit in parts(data, sizes.replicates):
        print(f"  {name:32s} {seconds:7.1f} s  {rate:8.2f} {unit}")
    print("this machine at best")
    for name, (rate, unit) in ceilings().items():
        print(f"  {name:32s} {'':9s}  {rate:8.2f} {unit}")
    print()
    compared(data, sizes.replicates, mean_seconds, other_seconds)


if __name__ == "__main__":
    main()
