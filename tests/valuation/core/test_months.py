"""Months: completeness, base, distances."""

from datetime import date

import numpy as np
import pytest

from valuation.core.months import base_month, complete_months, month_number, usable_months
from valuation.errors import ConfigError, ThinMatchError

MONTHS = ["2025-12", "2026-01", "2026-02", "2026-03"]


def test_month_numbers_count_calendar_months():
    assert np.diff(month_number([*MONTHS, "2026-06"])).tolist() == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2025, 12, 1), date(2026, 3, 31), [True, True, True, True]),
        (date(2025, 12, 3), date(2026, 3, 29), [True, True, True, True]),
        (date(2025, 12, 4), date(2026, 3, 28), [False, True, True, False]),
        (date(2025, 12, 31), date(2026, 3, 1), [False, True, True, False]),
    ],
)
def test_months_at_the_edges_are_partial_unless_the_data_span_them(first, last, expected):
    assert complete_months(MONTHS, first=first, last=last).tolist() == expected


def test_february_ends_on_the_28th():
    assert complete_months(["2026-02"], first=date(2026, 2, 2), last=date(2026, 2, 26)).tolist() == [True]
    assert complete_months(["2026-02"], first=date(2026, 2, 2), last=date(2026, 2, 25)).tolist() == [False]
    assert complete_months(["2026-02"], first=date(2026, 2, 5), last=date(2026, 2, 28)).tolist() == [False]


def test_the_base_is_the_first_complete_month_with_enough_sessions_and_users():
    usable = usable_months(
        np.array([90, 15, 14, 15]), np.array([9, 4, 9, 5]), np.array([False, True, True, True]),
        min_sessions=15, min_users=5,
    )  # fmt: skip
    assert usable.tolist() == [False, False, False, True]
    assert base_month(MONTHS, usable, requested=None) == 3
    assert base_month(MONTHS, usable, requested="2026-01") == 1
    assert base_month(MONTHS, np.array([False, True, True, True]), requested=None) == 1


def test_a_base_nobody_has_is_a_configuration_error():
    with pytest.raises(ConfigError, match="'2024-01'.*expected auto or one of 2025-12, 2026-01"):
        base_month(MONTHS, np.ones(4, bool), requested="2024-01")
    with pytest.raises(ThinMatchError, match="no complete month has enough"):
        base_month(MONTHS, np.zeros(4, bool), requested=None)
