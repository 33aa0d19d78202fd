"""Figures that must not flatter: hold-outs that are held out, widened intervals, groups' bases, explained sums."""

import numpy as np
import pandas as pd
import pytest

from valuation.config import load
from valuation.core.arrays import BasketModel, PricedSessions
from valuation.core.bootstrap import Replicates, joint_replicates
from valuation.core.draws import unit_key
from valuation.core.influence import series_influence
from valuation.core.intervals import pointwise, widening
from valuation.core.shift_check import ShiftCheck
from valuation.errors import InputError
from valuation.pipeline.cells import make_cells
from valuation.pipeline.moved_tables import shift_check_table, shift_facts
from valuation.pipeline.series_tables import span_of
from valuation.pipeline.session_register import Calendar
from valuation.pipeline.tracking import Statistic, Tracked
from valuation.storage import read_postings

MURALS = "Paint seven murals of deep sea creatures on the walls of a primary school beside the old harbour"
MONTHS = ("2026-01", "2026-02", "2026-03")


@pytest.fixture(scope="module")
def exported(world_files):
    return pd.read_csv(world_files.postings, dtype=str, keep_default_na=False)


def held_out(work, world_files, tmp_path, rows):
    path = tmp_path / "held.csv"
    rows.to_csv(path, index=False)
    return work.validate(holdout=str(path), mapping=world_files.postings_map)


def test_a_holdout_has_no_text_or_client_of_the_basket(work, world_files, exported, tmp_path):
    known = read_postings(work.layout).query("price_type == 'fixed' and price_kind == 'posted'")
    long = known[known["description"].str.split().str.len() > 30].iloc[0]  # noqa: PLR2004 - one word weighs little
    row = exported[(exported["terms"] == "Fixed price") & (exported["client"] != "")].iloc[[0]]
    fresh = row.assign(job_ref="n", headline="Murals", details=MURALS, client="stranger", budget="500")
    reworded = fresh.assign(job_ref="r", headline=long["title"], details=long["description"] + " Thanks!", tags="")
    reworded["tags"] = "" if pd.isna(long["skills"]) else long["skills"]
    same_client = fresh.assign(job_ref="c", details=MURALS[::-1], client=row["client"])
    for seen in (reworded, same_client):
        assert held_out(work, world_files, tmp_path, pd.concat([fresh, seen])).n == 1
        with pytest.raises(InputError, match="the text or the client of every usable posting is in the basket already"):
            held_out(work, world_files, tmp_path, seen)
    assert held_out(work, world_files, tmp_path, fresh).n == 1


def sessions_of(counts: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Sessions by (month, kind), dealt to ten users of equal weight."""
    rows = [(month, kind, i % 10) for (month, kind), n in counts.items() for i in range(n)]
    return pd.DataFrame(rows, columns=["month", "kind", "user"]).assign(weight=1.0)


def tracked_of(frame: pd.DataFrame, calendar: Calendar) -> Tracked:
    """A series of these sessions on a basket of 40 postings, with its joint replicates."""
    rng, n = np.random.default_rng(0), 40
    model = BasketModel(
        rng.normal(size=(n, 2)), np.zeros(2), np.eye(2) / n, rng.normal(size=n), rng.normal(size=n),
        np.arange(n), unit_key([f"p{i}" for i in range(n)]),
    )  # fmt: skip
    size = len(frame)
    arrays = PricedSessions(
        rng.normal(size=size), frame["weight"].to_numpy(), frame["user"].to_numpy(),
        unit_key([f"u{i}" for i in range(10)]), rng.integers(0, n, (size, 4)), np.full((size, 4), 0.25),
        rng.normal(size=(size, 2)),
    )  # fmt: skip
    cells = make_cells(frame, calendar.months, ("kind",))
    influence = series_influence(arrays, model, rng.normal(size=n), cells.code, n_cells=cells.n_cells, use_hedonic=True)
    replicates, shares = joint_replicates(
        influence, unit_key=model.unit_key, user_key=arrays.user_key, seed=1, replicates=199
    )
    statistic = Statistic("mean_log", "matching", replicates, influence, groups=True)
    top = np.asarray(influence.user_share.max(axis=0).toarray()).ravel()
    return Tracked(calendar, cells, (statistic,), shares, top, arrays, np.arange(size), np.zeros(5))


def test_shift_intervals_are_widened_for_what_stands_behind_them():
    calendar = Calendar(MONTHS, np.ones(3, dtype=bool), MONTHS[0])
    tracked = tracked_of(sessions_of({(month, "a"): 40 for month in MONTHS}), calendar)
    rng = np.random.default_rng(1)
    moved, users = rng.normal(size=(199, 3)), rng.normal(size=(199, 3))
    point, none = np.array([0.1, 0.2, 0.4]), np.zeros((199, 3))
    found = ShiftCheck(
        Replicates(point, none, moved, moved), Replicates(point, users, moved, users + moved),
        np.array([500.0, 400.0, 5.0]), np.array([4, 4, 1]),
    )  # fmt: skip
    table = shift_check_table(tracked, found, load())
    few, ten = (float(widening(np.array([float(n)]), level=0.95)[0]) for n in (5, 10))
    assert few > ten > 1
    plain = pointwise(point, moved, level=0.95, factor=np.ones(3))
    assert np.allclose(table["upper"] - table["difference"], (plain.upper - point) * [1, 1, few])
    both = pointwise(point, users + moved, level=0.95, factor=np.ones(3))
    half = np.log(table["corrected_upper"] / table["corrected_value"])
    assert np.allclose(half, (both.upper - point) * [ten, ten, few])

    facts = shift_facts(tracked, found, load())
    contrast = pointwise(np.array([0.3]), (moved[:, [2]] - moved[:, [0]]), level=0.95, factor=np.ones(1))
    assert facts["upper"] - facts["difference"] == pytest.approx(few * float(contrast.upper[0] - 0.3))


def test_groups_start_at_a_partial_base_that_was_asked_for_and_never_before_it():
    calendar = Calendar(MONTHS, np.array([True, False, True]), MONTHS[1])
    counts = {(MONTHS[0], "a"): 20, (MONTHS[1], "a"): 20, (MONTHS[2], "a"): 20}
    counts |= {(MONTHS[0], "b"): 20, (MONTHS[1], "b"): 3, (MONTHS[2], "b"): 20}
    tracked = tracked_of(sessions_of(counts), calendar)
    spans = {group.name: span_of(tracked, group, load()) for group in tracked.cells.groups}
    assert {name: (span.base, span.last) for name, span in spans.items()} == {"": (1, 2), "a": (1, 2), "b": (2, 2)}
    assert not spans["b"].grows


@pytest.mark.parametrize(
    ("point", "effective", "words"),
    [
        ([0.1, 0.2, 0.4], [500.0, 400.0, 1.5], "1.5 effective postings in the thinner of the two months; an interval"),
        ([0.1, 0.2, np.nan], [500.0, 400.0, 400.0], "no component could be balanced"),
    ],
)
def test_a_shift_check_without_an_interval_decides_nothing(point, effective, words):
    calendar = Calendar(MONTHS, np.ones(3, dtype=bool), MONTHS[0])
    tracked = tracked_of(sessions_of({(month, "a"): 40 for month in MONTHS}), calendar)
    rng, none = np.random.default_rng(1), np.zeros((199, 3))
    moved = rng.normal(size=(199, 3)) + 0 * np.array(point)
    replicates = Replicates(np.array(point), none, moved, moved)
    found = ShiftCheck(replicates, replicates, np.array(effective), np.array([4, 4, 1]))
    facts = shift_facts(tracked, found, load())
    assert facts["excludes_zero"] is facts["lower"] is facts["upper"] is None
    assert facts["reason"].startswith(words)
    whole = ShiftCheck(
        Replicates(np.array([0.0, 0.0, 9.0]), none, 0.1 * rng.normal(size=(199, 3)), none), replicates,
        np.full(3, 500.0), np.array([4, 4, 4]),
    )  # fmt: skip
    known = shift_facts(tracked, whole, load())
    assert (known["excludes_zero"], known["reason"]) == (True, None)
