"""What is said where sessions have no analyst's value, and what the figures would be without the verdicts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.valuation.audit.conftest import at, prices_by
from valuation.audit.opening import open_audit
from valuation.audit.prices import gig_prices, matches_of
from valuation.pipeline.finished import read_manifest


@pytest.fixture
def drawn(home):
    home.audit_draw(per_month=30, name="a", double_share=0.0)
    return open_audit(home.layout)


def row(session, gig="", verdict="comparable", price="", number=0):
    return {
        "session_id": session, "posting_id": gig, "verdict": verdict, "price_usd": price, "better_posting_id": "",
        "analyst": "Ada", "decided_at": at(number), "note": "",
    }  # fmt: skip


def test_unmatched_sessions_are_not_stood_for_by_matched_ones(home, drawn, brought, truth):
    matched = dict(zip(drawn.frame["session_id"], drawn.frame["matched"], strict=True))
    alone = [one for one in drawn.wanted if not matched[one]]
    assert len(alone) >= 4
    brought(home, "a", prices_by(truth, [one for one in drawn.wanted if matched[one]]))
    result = home.audit_estimate("a")
    assert all(math.isfinite(one.value) for one in result.audited.months)
    assert all(math.isnan(one.value) for one in result.audited_all.months)
    assert any("all sessions, which takes unmatched ones" in one and "has 0" in one for one in result.missing)
    assert "-" in result.text().split("audited, unmatched too")[1].splitlines()[0]
    brought(home, "a", [row(one, verdict="session_larger", price=30 + place) for place, one in enumerate(alone)])
    whole = home.audit_estimate("a")
    assert all(math.isfinite(one.value) for one in whole.audited_all.months)
    assert all(
        one.value < other.value for one, other in zip(whole.audited_all.months, whole.audited.months, strict=True)
    )


def test_sessions_whose_gigs_were_all_rejected_are_counted_and_said(home, drawn, brought, truth):
    sessions = list(drawn.wanted)
    brought(home, "a", prices_by(truth, sessions[:40]))
    matches = matches_of(home.run_folder(), drawn.wanted)
    near = matches.groupby("session_id")["posting_id"].first()
    left = [one for one in sessions[40:] if one in near.index]
    brought(home, "a", [row(one, near[one], "wrong_kind") for one in left[:6]])
    brought(home, "a", [row(one, near[one], "cant_say") for one in left[6:9]])
    result = home.audit_estimate("a")
    assert (result.counts.rejected, result.counts.no_response) == (6, 9)
    assert any("6 of 49 judged sessions have no comparable gig" in one for one in result.missing)
    assert "49 from files that is not known" in " ".join(result.text().split())
    assert result.counts.not_blind == 0


def test_were_every_gig_accepted_is_what_the_prices_of_judged_gigs_say(home, drawn, brought):
    manifest, matches = read_manifest(home.run_folder()), matches_of(home.run_folder(), drawn.wanted)
    near = {one: rows["posting_id"].tolist()[:3] for one, rows in matches.groupby("session_id")}
    rows = []
    for session, gigs in near.items():
        rows += [row(session, gig, "comparable" if at_ == 0 else "wrong_kind") for at_, gig in enumerate(gigs)]
    brought(home, "a", rows)
    named = {gig for gigs in near.values() for gig in gigs}
    prices = gig_prices(home.layout, manifest, matches, named).set_index("posting_id")["log_price"]
    result = home.audit_estimate("a")
    brought(home, "a", [row(one["session_id"], one["posting_id"], number=9) for one in rows])
    accepting = home.audit_estimate("a")
    for one, other in zip(result.accepting_all.months, accepting.audited.months, strict=True):
        assert (one.value, one.lower, one.upper) == pytest.approx((other.value, other.lower, other.upper))
    assert result.audited.months[0].value != pytest.approx(result.accepting_all.months[0].value)
    assert "were every gig accepted" in result.text()
    assert len(named) == len(prices)


def test_audited_over_the_run_is_said_by_month_and_of_growth(home, drawn, brought, truth):
    brought(home, "a", prices_by(truth + 0.4, list(drawn.wanted)))
    result = home.audit_estimate("a")
    assert [(one.from_month == one.to_month) for one in result.apart] == [True, True, False]
    plain, audited = result.plain_users.months, result.audited.months
    for one, run, people in zip(result.apart, plain, audited, strict=False):
        assert one.ratio == pytest.approx(people.value / run.value)
        assert one.lower < one.ratio < one.upper
    growth = (1 + result.audited.growth.growth) / (1 + result.plain_users.growth.growth)
    assert result.apart[2].ratio == pytest.approx(growth)
    assert np.isfinite(result.apart[2].lower)
    assert result.text().count("audited over the run") == 2
