"""Each warning rule fires past its threshold and not at it."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from make_tables import make_tables, with_manifest, without_rows

from valuation.report import rules_estimates
from valuation.report.warnings import RULES, warnings_of


def codes(tables):
    return {(found.code, found.subject) for found in warnings_of(tables)}


RULE = {rule.__name__: rule for rule in RULES} | {"shift_check": rules_estimates.shift_excludes_zero}


def fired(tables, code, subject=""):
    """Apply the one rule that can fire: all of them take too long for so many cases."""
    found = [w for w in RULE[code](tables) if (w.code, w.subject) == (code, subject)]
    return found[0] if found else None


def level(tables, **columns):
    """Replace session columns; every session matched, so that shares are exact."""
    values = tables.values.assign(matched=True, log_value=tables.values["log_value"].fillna(5.0))
    return dataclasses.replace(tables, values=values, sessions=tables.sessions.assign(**columns))


@pytest.fixture(scope="module")
def clean():
    """Seven months of forty users who all come every month, with equal texts: nothing to warn of but nothing else."""
    tables = make_tables(n=280)
    user = pd.Series([f"u{i // 7:03d}" for i in range(280)], dtype="str")
    series = tables.series.assign(matched_share=0.95)
    return dataclasses.replace(level(tables, user_id=user, summary="x" * 100), series=series)


def head(growth, **columns):
    """Replace columns of the headline's growth row."""
    row = (
        (growth["group_by"] == "") & (growth["statistic"] == "mean_log") & (growth["pricer"] == "matching")
        & (growth["variation"] == "both")
    )  # fmt: skip
    growth = growth.copy()
    for name, value in columns.items():
        growth.loc[row, name] = value
    return growth


def test_a_clean_run_fires_nothing(clean):
    assert codes(clean) == set()


def test_few_users_of_an_end_month(clean):
    def with_users(count):
        base = clean.sessions["month"] == "2025-10"
        names = pd.Series([f"u{i % count:03d}" for i in range(int(base.sum()))], dtype="str")
        user = clean.sessions["user_id"].copy()
        user[base] = names.to_numpy()
        weight = clean.sessions["weight"].copy()
        # Equal weights of users: forty sessions over `count` users, rescaled to one a user.
        weight[base] = 1.0 / names.map(names.value_counts()).to_numpy()
        return dataclasses.replace(clean, sessions=clean.sessions.assign(user_id=user, weight=weight))

    assert fired(with_users(30), "few_users", "2025-10") is None
    found = fired(with_users(29), "few_users", "2025-10")
    assert found.severity == "caution"
    assert found.numbers == {"users": 29.0, "effective": pytest.approx(29.0)}
    assert fired(with_users(4), "few_users", "2025-10").severity == "serious"


def test_few_users_of_another_month(clean):
    partial = with_manifest(clean, months={"complete": [], "partial": ["2025-12"]})
    here = partial.sessions["month"] == "2025-12"
    user = partial.sessions["user_id"].where(~here, "u001")
    found = fired(dataclasses.replace(partial, sessions=partial.sessions.assign(user_id=user)), "few_users")
    assert found.numbers == {"users": 1.0, "effective": 1.0}
    assert "Dec 2025" in found.sentence.striptags()


@pytest.mark.parametrize(("share", "fires"), [(20, False), (21, True)])
def test_one_user_with_more_than_half(clean, share, fires):
    last = clean.sessions["month"] == "2026-04"
    rank = last.cumsum().where(last, 999)
    user = clean.sessions["user_id"].where(rank > share, "whale")
    sessions = clean.sessions.assign(user_id=user)
    kept = sessions[~last | (sessions["user_id"] == "whale") | (rank > 40 - (40 - share))]
    found = fired(dataclasses.replace(clean, sessions=kept), "one_user", "2026-04")
    assert (found is not None) == fires
    if fires:
        assert found.numbers["share"] == pytest.approx(21 / 40)
        assert found.severity == "serious"


@pytest.mark.parametrize(("moved", "fires"), [(12, False), (13, True)])
def test_mix_jump_at_three_tenths(clean, moved, fires):
    """Of 40 sessions a month, 12 (0.30) or 13 (0.325) change: chance explains neither."""
    position = clean.sessions.groupby("month").cumcount()
    late = clean.sessions["month"] >= "2026-01"
    kind = pd.Series(np.where(late & (position < moved), "new", "old"), dtype="str")
    tables = dataclasses.replace(clean, sessions=clean.sessions.drop(columns=["kind", "agent"]).assign(tool=kind))
    found = fired(tables, "mix_jump", "tool")
    assert (found is not None) == fires
    if fires:
        assert found.numbers["distance"] == pytest.approx(13 / 40)
        assert {found.numbers["before"], found.numbers["after"]} <= {0.0, 1.0, 13 / 40, 27 / 40}
        assert "Dec 2025" in found.sentence.striptags() and "Jan 2026" in found.sentence.striptags()


def test_mix_jump_ignores_names_numbers_and_partial_months(clean):
    late = clean.sessions["month"] >= "2026-04"
    many = pd.Series([f"repo{i}" for i in range(280)], dtype="str")
    assert codes(level(clean, repo=many, size=late.astype(float))) == set()
    tables = level(clean, tool=pd.Series(np.where(late, "new", "old"), dtype="str"))
    assert fired(tables, "mix_jump", "tool") is not None
    assert fired(with_manifest(tables, months={"partial": ["2026-04"]}), "mix_jump", "tool") is None
    assert fired(level(clean, flag=late), "mix_jump", "flag") is not None


@pytest.mark.parametrize(("length", "fires"), [(125, False), (126, True), (75, False), (74, True)])
def test_length_drift_past_a_quarter(clean, length, fires):
    last = clean.sessions["month"] == "2026-04"
    tables = dataclasses.replace(
        clean, sessions=clean.sessions.assign(summary=clean.sessions["summary"].where(~last, "x" * length))
    )
    found = fired(tables, "length_drift")
    assert (found is not None) == fires
    if fires:
        assert found.numbers["before"] == 100 and found.numbers["after"] == length
        assert found.numbers["change"] == pytest.approx(length / 100 - 1)


def test_value_follows_length(clean):
    rng = np.random.default_rng(1)
    value = clean.values["log_value"].to_numpy()
    for slope, fires in ((0.0, False), (0.9, True)):
        length = np.exp(4 + slope * (value - value.mean()) + 0.3 * rng.normal(size=280)).astype(int)
        summary = pd.Series(["x" * n for n in length], dtype="str")
        found = fired(dataclasses.replace(clean, sessions=clean.sessions.assign(summary=summary)), "length_value")
        assert (found is not None) == fires
        if fires:
            expected = np.corrcoef(np.log(length), value)[0, 1]
            assert found.numbers["correlation"] == pytest.approx(expected)


@pytest.mark.parametrize(("number", "fires"), [(30.0, False), (29.9, True)])
def test_few_effective_postings(clean, number, fires):
    tables = dataclasses.replace(clean, growth=head(clean.growth, effective_postings=number))
    assert (fired(tables, "few_postings") is not None) == fires


@pytest.mark.parametrize(("last", "fires"), [(0.90, False), (0.899, True), (0.99, False)])
def test_matched_share_falls_by_more_than_five_points(clean, last, fires):
    at = clean.series["month"] == "2026-04"
    series = clean.series.assign(matched_share=clean.series["matched_share"].where(~at, last))
    found = fired(dataclasses.replace(clean, series=series), "matched_fall")
    assert (found is not None) == fires
    if fires:
        assert found.numbers == {"before": 0.95, "after": 0.899}


@pytest.mark.parametrize(
    ("lower", "upper", "fires"), [(0.0, 0.2, False), (0.001, 0.2, True), (-0.2, 0.0, False), (-0.2, -0.001, True)]
)
def test_shift_check_excludes_zero(clean, lower, upper, fires):
    joint = {"difference": (lower + upper) / 2, "lower": lower, "upper": upper}
    found = fired(with_manifest(clean, shift_check=joint), "shift_check")
    assert (found is not None) == fires
    if fires:
        word = "understates" if lower > 0 else "overstates"
        assert word in found.sentence and found.severity == "serious"


def test_shift_check_without_a_joint_interval_is_conservative(clean):
    frame = clean.shift_check.copy()
    frame["difference"] = np.where(frame["month"] == "2026-04", 0.25, 0.0)
    frame["lower"], frame["upper"] = frame["difference"] - 0.1, frame["difference"] + 0.1
    found = fired(dataclasses.replace(clean, shift_check=frame), "shift_check")
    assert found.numbers == {
        "difference": pytest.approx(0.25), "lower": pytest.approx(0.05), "upper": pytest.approx(0.45)
    }  # fmt: skip
    frame["upper"] += 0.06
    assert fired(dataclasses.replace(clean, shift_check=frame), "shift_check") is None


@pytest.mark.parametrize(("lower", "upper", "fires"), [(0.001, 0.2, False), (0.0, 0.2, True), (-0.2, -0.01, False)])
def test_growth_interval_includes_zero(clean, lower, upper, fires):
    tables = dataclasses.replace(clean, growth=head(clean.growth, lower=lower, upper=upper))
    assert (fired(tables, "includes_zero") is not None) == fires


@pytest.mark.parametrize(("slope", "word"), [(0.85, None), (1.15, None), (0.84, "overstated"), (1.16, "understated")])
def test_calibration_slope(clean, slope, word):
    found = fired(with_manifest(clean, calibration={"slope": slope}), "calibration_slope")
    assert (found is None) if word is None else word in found.sentence
    applied = with_manifest(clean, calibration={"slope": slope, "applied": True})
    assert fired(applied, "calibration_slope") is None, "the slope of values before the correction"


@pytest.mark.parametrize(
    ("lower", "upper", "fires"),
    [(0.5, 0.84, True), (0.5, 0.85, False), (1.16, 1.4, True), (1.15, 1.4, False), (0.5, 1.5, False)],
)
def test_calibration_slope_with_its_interval(clean, lower, upper, fires):
    """Only a slope that is off whatever its error: in small baskets the slope alone is off in most."""
    line = {"slope": (lower + upper) / 2, "slope_lower": lower, "slope_upper": upper}
    found = fired(with_manifest(clean, calibration=line), "calibration_slope")
    assert (found is not None) == fires
    if fires:
        assert found.numbers == {"slope": line["slope"], "lower": lower, "upper": upper}


@pytest.mark.parametrize(("share", "fires"), [(0.88, False), (0.879, True), (0.92, False), (0.921, True)])
def test_coverage(clean, share, fires):
    at = (clean.validation["measure"] == "single_coverage") & (clean.validation["cell_by"] == "")
    validation = clean.validation.assign(estimate=clean.validation["estimate"].where(~at, share))
    assert (fired(dataclasses.replace(clean, validation=validation), "coverage") is not None) == fires


def test_hubs(clean):
    """The top posting of a hundred and twenty: its share of weight, one unit of weight a session."""
    sessions = clean.values["session_id"].to_list()

    def mass(share):
        hub = pd.DataFrame({"session_id": sessions, "cluster_id": "hub", "weight": share})
        rest = pd.DataFrame(
            {"session_id": sessions, "cluster_id": [f"c{i % 119}" for i in range(280)], "weight": 1 - share}
        )
        matches = pd.concat([hub, rest], ignore_index=True).assign(contribution=0.0)
        return dataclasses.replace(clean, matches=matches)

    assert fired(mass(0.2), "hubs") is None
    assert fired(mass(0.21), "hubs").numbers["share"] == pytest.approx(0.21)


@pytest.mark.parametrize(
    ("users", "both", "fires"), [(40, 14, False), (40, 13, True), (12, 10, False), (12, 9, True), (40, 0, True)]
)
def test_user_overlap(clean, users, both, fires):
    """`users` at each end, `both` of them the same: 14 of 66 is 0.21, 13 of 67 is 0.19; 9 of 15 are under ten."""
    last = clean.sessions["month"] == "2026-04"
    base = clean.sessions["month"] == "2025-10"
    rank = clean.sessions.groupby("month").cumcount()
    user = clean.sessions["user_id"].copy()
    user[base] = "b" + (rank[base] % users).astype(str)
    user[last] = ["b" + str(r) if r < both else "l" + str(r) for r in rank[last] % users]
    found = fired(dataclasses.replace(clean, sessions=clean.sessions.assign(user_id=user)), "user_overlap")
    assert (found is not None) == fires
    if fires:
        assert found.numbers["both"] == both and found.numbers["either"] == 2 * users - both
        months = clean.sessions.assign(user_id=user).groupby("user_id")["month"].nunique()
        assert found.numbers["single"] == pytest.approx(sum(months == 1) / len(months))
        assert "10 users" in found.sentence.striptags()


def test_months_missing_partial_suppressed(clean):
    dropped = dataclasses.replace(clean, values=clean.values[clean.values["month"] != "2026-01"])
    assert "Jan 2026" in fired(dropped, "missing_months").sentence.striptags()
    partial = with_manifest(clean, months={"complete": [], "partial": ["2026-04"]})
    assert "Apr 2026" in fired(partial, "partial_months").sentence.striptags()
    series = clean.series.assign(suppressed=(clean.series["month"] == "2025-11") & (clean.series["group_by"] == ""))
    assert "Nov 2025" in fired(dataclasses.replace(clean, series=series), "suppressed").sentence.striptags()


def test_no_growth_and_nothing_matched(clean):
    assert fired(without_rows(clean, "growth"), "no_growth").numbers == {"months": 7}
    values = clean.values.assign(matched=False)
    found = fired(dataclasses.replace(clean, values=values), "nothing_matched")
    assert found.numbers == {"sessions": 280} and found.severity == "serious"


def test_contributions_that_do_not_add_up(clean):
    matches = clean.matches.copy()
    first = matches["session_id"] == matches["session_id"].iloc[0]
    matches.loc[first & (matches["rank"] == 3), "contribution"] += 0.01
    found = fired(dataclasses.replace(clean, matches=matches), "sums_off")
    assert found.numbers == {"sessions": 1.0, "gap": pytest.approx(0.01)}


def test_serious_warnings_come_first(clean):
    tables = with_manifest(
        dataclasses.replace(clean, growth=head(clean.growth, lower=-0.1, effective_postings=3.0)),
        months={"complete": [], "partial": ["2026-04"]},
    )
    assert [w.severity for w in warnings_of(tables)] == ["serious", "caution", "note"]


def test_rules_survive_empty_tables():
    own = ("manifest", "truth", "withdrawn", "audit")
    every = [f.name for f in dataclasses.fields(make_tables(n=20)) if f.name not in own]
    found = warnings_of(dataclasses.replace(without_rows(make_tables(n=20), *every), manifest={}))
    assert [w.code for w in found] == ["no_growth"]
    assert all(math.isfinite(number) for w in found for number in w.numbers.values())
