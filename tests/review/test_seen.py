"""Whoever has seen a session's figures, in whatever way, gives no blind verdict on it any more."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import text

from valuation.tables import Matches
from valuation.workspace import Workspace

from .conftest import forms
from .site import Site, unhidden


def sessions(site: Site, reviews: int = 1) -> list[str]:
    wanted = site.desk.audit("first").wanted
    return [one for one, n in wanted.items() if n == reviews]


def leases_run_out(site: Site) -> None:
    with site.desk.log._engine.connect().execution_options(writes=True) as connection, connection.begin():
        past = dt.datetime(2020, 1, 1)
        connection.execute(text("UPDATE assignments SET expires_at = :past WHERE finished_at IS NULL"), {"past": past})


def lines(site: Site) -> list[tuple[str, bool]]:
    return [(one.entry.analyst, one.entry.blind) for one in site.desk.log.standing()]


def test_who_lost_a_session_and_saw_its_figures_cannot_add_a_review(own_site: Site):
    session = sessions(own_site)[0]
    bob, cat = own_site.who("Bob"), own_site.who("Cat")
    card = forms(bob.item("first", session).text)[1]
    assert bob.post("/verdicts", card | {"verdict": "comparable"}).status == 303
    leases_run_out(own_site)
    cat.item("first", session)
    cat.judge(session, "session", "session_larger", audit="first", price="90")
    seen = bob.item("first", session)
    assert "<dt>Price</dt>" in seen.text  # nobody waits for Bob any more
    refused = bob.post("/verdicts", forms(seen.text)[2] | {"verdict": "comparable", "nonce": "another"})
    assert refused.status == 400 and "others have finished this session meanwhile" in refused.text
    assert lines(own_site) == [("Bob", True), ("Cat", True)]
    assert own_site.desk.log.seen.has("Bob", session)


def test_figures_seen_without_having_the_session_in_hand_are_remembered(own_site: Site):
    session = sessions(own_site)[0]
    bob, eve = own_site.who("Bob"), own_site.who("Eve")
    bob.item("first", session)
    bob.judge(session, "session", "session_larger", audit="first", price="90")
    assert eve.get(f"/runs/{own_site.run_id}/session?id={session}").status == 200  # closed to Eve, so she may look
    bob.post("/undo", {"audit": "first", "nonce": "undo", "run": own_site.run_id})
    leases_run_out(own_site)
    page = eve.item("first", session)
    assert page.status == 200
    eve.judge(session, "session", "session_larger", audit="first", price="80")
    assert lines(own_site) == [("Eve", False)]


def test_what_was_seen_before_an_audit_was_drawn_is_remembered_and_the_work_goes_on(own_site: Site):
    ann = own_site.who("Ann")
    by_page, _ = unhidden(own_site)
    ann.get(f"/runs/{own_site.run_id}/session?id={by_page}")
    listed = re.findall(r"/session\?id=([^&\"]+)", ann.get(f"/runs/{own_site.run_id}/sessions?page=2").text)
    by_list = next(one for one in listed if one != by_page)
    Workspace(own_site.root).audit_draw(per_month=10_000, name="all")
    fresh = next(one for one in own_site.desk.audit("all").wanted if not own_site.desk.log.seen.has("Ann", one))
    for session, blind in ((by_page, False), (by_list, False), (fresh, True)):
        assert "<dt>Price</dt>" not in ann.item("all", session).text
        after = ann.judge(session, "session", "session_larger", audit="all", price="50")
        assert after.location.startswith("/audits/all/next")
        assert lines(own_site)[-1] == ("Ann", blind)


@pytest.mark.slow
def test_a_disagreement_is_settled_thing_by_thing_by_a_third_person(own_site: Site):
    session = sessions(own_site, reviews=2)[0]
    ada, bo, cy = (own_site.who(name) for name in ("Ada", "Bo", "Cy"))
    for who, word in ((ada, "comparable"), (bo, "wrong_kind")):
        for card in forms(who.item("first", session).text)[1:3]:
            who.post("/verdicts", card | {"verdict": word})
        who.judge(session, "session", "cant_say", audit="first")
    differing = {one.entry.posting_id for one in own_site.desk.log.standing() if one.entry.posting_id}
    twice = [one for one in differing if sum(s.entry.posting_id == one for s in own_site.desk.log.standing()) == 2]
    if not twice:
        pytest.skip("their shuffles have no gig in common among the first two")
    refused = ada.judge(session, twice[0], "comparable", audit="first", adjudicates="true")
    assert refused.status == 400 and "a third person settles it" in refused.text
    other = sessions(own_site, reviews=2)[1]
    for who in (ada, bo):
        who.item("first", other)
        who.judge(other, "session", "cant_say", audit="first")
    refused = cy.judge(other, "session", "comparable", audit="first", adjudicates="true")
    assert refused.status == 400 and "nobody differs on this session" in refused.text
    for number, gig in enumerate(twice, start=1):
        assert "1 to settle" in cy.get("/audits/first").text
        assert cy.judge(session, gig, "comparable", audit="first", adjudicates="true").status == 303
        assert ("None to settle" in cy.get("/audits/first").text) == (number == len(twice))


def test_precision_by_stratum_waits_until_no_session_is_left(own_site: Site):
    ada = own_site.who("Ada")
    session = sessions(own_site)[0]
    card = forms(ada.item("first", session).text)[1]
    ada.post("/verdicts", card | {"verdict": "comparable"})
    page = ada.get(f"/runs/{own_site.run_id}").text
    assert "Precision so far" in page and "<summary>Precision by stratum" not in page
    wanted = own_site.desk.audit("first").wanted
    for one in wanted:
        ada.item("first", one)
        ada.judge(one, "session", "session_larger", audit="first", price="50")
    for one in wanted:  # those of two reviews
        own_site.who("Bob").item("first", one)
    assert "<summary>Precision by stratum" in ada.get(f"/runs/{own_site.run_id}").text


def test_what_was_judged_in_a_file_is_not_asked_for_again(own_site: Site, tmp_path):
    matched = [one for one in sessions(own_site) if own_site.run.rows.lists("matches", Matches, one)["posting_id"]]
    one, two, three = matched[:3]
    gig = own_site.run.rows.lists("matches", Matches, two)["posting_id"][0]
    rows = [f"{one},,session_larger,90", f"{two},{gig},comparable,", f"{three},,cant_say,"]
    (tmp_path / "v.csv").write_text("session_id,posting_id,verdict,price_usd\n" + "\n".join(rows) + "\n")
    work = Workspace(own_site.root)
    for _ in range(2):
        work.audit_import("first", [str(tmp_path / "v.csv")], analyst="Zed", decided_at="2026-07-01T09:00:00Z")
        done = own_site.desk.log.assignments.finished_by("first", "Zed")
        assert done == {one, three}  # of the second one more gigs are left
    fay = own_site.who("Fay")
    wanted = own_site.desk.audit("first").wanted
    given = set()
    while "/item?" in (answer := fay.get("/audits/first/next")).location:
        session = answer.location.partition("id=")[2].partition("&")[0]
        given.add(session)
        fay.judge(session, "session", "session_larger", audit="first", price="50")
    assert given == set(wanted) - {one, three}
