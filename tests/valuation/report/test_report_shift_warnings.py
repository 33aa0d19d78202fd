"""Warnings about what the shift check can see: few directions, and an interval too wide to find anything."""

import dataclasses

import numpy as np
import pytest
from make_tables import make_tables, with_manifest, without_rows

from valuation.report.rules_shift import blind_shift_check, few_components
from valuation.report.warnings import RULES


@pytest.fixture(scope="module")
def clean():
    return make_tables()


def balanced(tables, components, asked=20):
    """A run whose check balanced `components` of `asked` directions."""
    settings = {**tables.manifest["settings"], "shift_check": {"components": asked}}
    return with_manifest(tables, shift_check={"components": components}, settings=settings)


@pytest.mark.parametrize(
    ("components", "asked", "fires"),
    [(20, 20, False), (10, 20, False), (9, 20, True), (5, 20, True), (0, 20, True), (2, 5, True), (3, 5, False)],
)
def test_fewer_than_half_of_the_directions(clean, components, asked, fires):
    found = few_components(balanced(clean, components, asked))
    assert bool(found) == fires
    if fires:
        assert found[0].numbers == {"asked": asked, "balanced": components}
        said = found[0].sentence.striptags()
        assert f"in {asked} main directions" in said and f"do so in {components} (limit: 50" in said
        assert found[0].severity == "caution"


@pytest.mark.parametrize("missing", [None, True, "many"])
def test_a_run_that_does_not_say_how_many_is_not_warned_of(clean, missing):
    assert few_components(balanced(clean, missing)) == []
    assert few_components(with_manifest(clean, shift_check={"components": 1}, settings={})) == []


def checked(tables, lower, upper, growth, ends):
    """A shift check and a headline growth in log points."""
    row = (
        (tables.growth["group_by"] == "") & (tables.growth["statistic"] == "mean_log")
        & (tables.growth["pricer"] == "matching") & (tables.growth["variation"] == "both")
    )  # fmt: skip
    table = tables.growth.copy()
    for name, value in (("growth", growth), ("lower", ends[0]), ("upper", ends[1])):
        table.loc[row, name] = np.expm1(value)
    joint = {"difference": (lower + upper) / 2, "lower": lower, "upper": upper}
    return with_manifest(dataclasses.replace(tables, growth=table), shift_check=joint)


@pytest.mark.parametrize(
    ("lower", "upper", "growth", "ends", "fires"),
    [
        (-0.10, 0.12, 0.2, (0.1, 0.3), False),  # 0.11 either way finds a shift of 0.2
        (-0.19, 0.19, 0.2, (0.1, 0.3), False),
        (-0.21, 0.21, 0.2, (0.1, 0.3), True),
        (-0.21, 0.21, -0.2, (-0.3, -0.1), True),
        (-0.19, 0.19, -0.2, (-0.3, -0.1), False),
        (0.01, 0.60, 0.2, (0.1, 0.3), False),  # wide, and it found something
        (-0.60, -0.01, 0.2, (0.1, 0.3), False),
        (-0.10, 0.10, 0.01, (-0.29, 0.31), False),  # growth near zero is not told from zero within 0.3
        (-0.31, 0.31, 0.01, (-0.29, 0.31), True),
    ],
)
def test_a_check_too_wide_to_see_what_matters(clean, lower, upper, growth, ends, fires):
    found = blind_shift_check(checked(clean, lower, upper, growth, ends))
    assert bool(found) == fires
    if fires:
        matters = max(abs(growth), (ends[1] - ends[0]) / 2)
        assert found[0].numbers == {"half": pytest.approx((upper - lower) / 2), "matters": pytest.approx(matters)}
        said = found[0].sentence.striptags()
        assert ("the margin of error of growth itself is" in said) == (abs(growth) < 0.1)
        assert ("measured growth is" in said) == (abs(growth) >= 0.1)


def test_without_a_check_or_growth_there_is_nothing_to_say(clean):
    assert blind_shift_check(without_rows(clean, "shift_check")) == []
    assert blind_shift_check(without_rows(clean, "growth")) == []
    wide = checked(clean, -0.5, 0.5, 0.2, (np.nan, np.nan))
    assert len(blind_shift_check(wide)) == 1, "growth without an interval is still compared"


def test_both_rules_are_applied():
    assert {few_components, blind_shift_check} <= set(RULES)
