"""What ``valuation audit estimate`` says of an interval half as wide: which months, and what waits."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from tests.valuation.audit.conftest import prices_by
from valuation.audit.opening import open_audit


@pytest.fixture
def said(home, brought, truth):
    """Draw an audit, judge the first `done` of the sample, and estimate."""

    def judge(done: int, **how: object):
        home.audit_draw(per_month=30, name="a", **how)
        audit = open_audit(home.layout)
        brought(home, "a", prices_by(truth, list(audit.wanted)[:done], noise=1.5))
        return audit, home.audit_estimate()

    return judge


def test_work_that_waits_is_said_and_is_not_drawn_again(said):
    audit, result = said(30)
    ends = audit.frame.query("sampled and matched")
    n_waiting = int((~ends["session_id"].isin(list(audit.wanted)[:30])).sum())
    assert [one.answered for one in result.response] == [one.judged for one in result.response]
    first, last = audit.months
    numbers = re.fullmatch(
        rf"([\d,]+) more audits in {first} and {last} together, at today's response, "
        rf"after the {n_waiting} that are drawn and wait",
        result.halving,
    )
    assert numbers and int(numbers[1].replace(",", "")) == result.audits_to_halve
    answered = sum(one.answered for one in result.response)
    assert result.audits_to_halve + n_waiting < 6 * answered  # everybody who was asked answered: some 3 more for each


@pytest.mark.slow
def test_nothing_waits_when_all_is_judged_and_only_the_two_months_count(said, home):
    months = sorted(set(pd.read_parquet(home.run_folder() / "values.parquet")["month"]))[:3]
    audit, result = said(90, months=months)
    assert len(audit.months) == 3
    assert result.halving == (
        f"{result.audits_to_halve:,} more audits in {months[0]} and {months[2]} together, at today's response"
    )


@pytest.mark.slow
def test_where_few_give_a_value_no_number_of_audits_would_do(home, brought, truth):
    home.audit_draw(per_month=60, name="a")
    audit = open_audit(home.layout)
    wanted = list(audit.wanted)
    rows = prices_by(truth, wanted, noise=3.0)
    nothing = rows.assign(price_usd=None, verdict="cant_say")
    brought(home, "a", pd.concat([rows[::3], nothing[1::3], nothing[2::3]]))
    result = home.audit_estimate()
    first, last = audit.months
    assert result.audits_to_halve is None
    assert result.halving == (
        f"no number of audits: at today's response all sessions of {first} and {last} would not give enough values; "
        "ask what judged sessions without one are worth"
    )
