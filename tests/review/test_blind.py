"""A blind session's answers hold nothing that is hidden, whatever is asked; what was seen is said to have been seen."""

from __future__ import annotations

import json
import re
import shutil
from urllib.parse import quote

import pytest

from valuation.review.figures import dollars
from valuation.review.match import neighbours_of, place_of, shown_gigs
from valuation.review.query import Query
from valuation.review.tokens import gig_token
from valuation.verdicts import VERDICTS
from valuation.workspace import Workspace

from .conftest import forms
from .site import Answer, Site, Who


def sessions(site: Site, audit: str = "first", reviews: int = 1) -> list[str]:
    """Sessions of an audit with five gigs, in the order of work."""
    found = site.desk.audit(audit)
    return [
        one
        for one, wanted in found.wanted.items()
        if wanted == reviews and len(neighbours_of(site.run, one)) >= 5 and site.run.items.one(one)["matched"]
    ]


def secrets_of(site: Site, session: str) -> dict[str, bytes]:
    """What must not be sent: by what it is."""
    row, found = site.run.items.one(session), {}
    neighbours = neighbours_of(site.run, session)
    gigs = site.run.gigs.get(one.posting_id for one in neighbours)
    for name in ("value_usd", "typical_lower", "typical_upper", "single_lower", "single_upper"):
        found[name] = dollars(row[name])
    for one in neighbours[:5]:
        gig = gigs[one.posting_id]
        found |= {
            f"posting_id {one.rank}": one.posting_id, f"price {one.rank}": dollars(one.price_usd),
            f"similarity {one.rank}": f"{one.similarity:.3f}", f"weight {one.rank}": f"{one.weight:.3f}",
            f"source {one.rank}": gig.source, f"url {one.rank}": gig.url or "-" * 9,
            f"posted {one.rank}": gig.posted_at.strftime("%Y-%m-%d"),
        }  # fmt: skip
    found |= {"month": str(row["month"]), "user": str(row["user_id"]), "bands": "band</dt>", "price": "<dt>Price</dt>"}
    return {name: text.encode() for name, text in found.items()}


def held_back(answers: list[Answer], secrets: dict[str, bytes]) -> set[str]:
    """Names of the secrets that none of the answers holds, in body or headers."""
    sent = b"\x00".join(one.body + json.dumps(one.headers).encode() for one in answers)
    return {name for name, text in secrets.items() if text not in sent}


def everything_about(who: Who, site: Site, session: str) -> list[Answer]:
    """All that can be asked of a session, by every address there is."""
    run, quoted = f"/runs/{site.run_id}", quote(session)
    gigs = [one.posting_id for one in neighbours_of(site.run, session)[:5]]
    paths = [
        f"/audits/first/item?id={quoted}", f"/audits/first/item?id={quoted}&reveal=1",
        f"/audits/first/item?id={quoted}&reveal=true&after={quoted}", f"/audits/first/item?id={quoted}&undone=1",
        f"/audits/first/adjudicate?id={quoted}", f"{run}/session?id={quoted}",
        f"{run}/session?id={quoted}&gigs=50&at=0", 
        f"{run}/session?id={quoted}&better={quote(gigs[0])}", f"{run}/arithmetic?id={quoted}",
        *(f"{run}/words?id={quoted}&gig={quote(one)}" for one in gigs),
    ]  # fmt: skip
    title = site.run.gigs.get(gigs[:1])[gigs[0]].title
    for audit in ("", "&audit=first", "&audit=nowhere"):
        paths += [f"{run}/search?id={quoted}&by={by}&q={quote(title)}{audit}" for by in ("words", "meaning")]
        paths.append(f"{run}/search?id={quoted}{audit}")
    return [who.get(path) for path in paths]


def test_no_answer_about_a_session_that_is_to_be_judged_holds_what_is_hidden(own_site: Site):
    who, session = own_site.who(), sessions(own_site)[0]
    secrets = secrets_of(own_site, session)
    page = who.item("first", session)
    answers = [page, *everything_about(who, own_site, session)]
    cards = forms(page.text)
    picked = who.get(f"/audits/first/item?id={quote(session)}&better={cards[1]['gig']}")
    answers.append(picked)
    for number, card in enumerate(cards[1:5]):
        sent = who.post("/verdicts", card | {"verdict": VERDICTS[number], "note": "a note"})
        assert sent.status == 303
        answers += [sent, who.get(sent.location), *everything_about(who, own_site, session)]
    assert held_back(answers, secrets) == set(secrets)
    assert {one.status for one in answers} == {200, 303, 404}
    assert not own_site.desk.log.seen.has("Ada", session)

    last = who.post("/verdicts", cards[5] | {"verdict": "comparable"})
    assert re.fullmatch(rf"/audits/first/next\?after={session}", last.location)
    blind_yet = who.item("first", session)
    assert held_back([blind_yet], secrets) == set(secrets) and "See what priced it" in blind_yet.text
    seen = [who.item("first", session, reveal="1")]
    shown = held_back(seen, secrets)
    assert not {name for name in shown if not name.startswith("url")}, shown  # the control: all of it is there now
    assert own_site.desk.log.seen.has("Ada", session)


def test_lists_leave_out_what_is_to_be_judged_and_say_so(own_site: Site):
    who, hidden = own_site.who(), set(own_site.desk.audit("first").wanted)
    run = f"/runs/{own_site.run_id}/sessions"
    before = [
        who.get(f"{run}?{part}") for part in ("sort=session_id", "queue=outliers", "queue=uncertain", "queue=unmatched")
    ]
    listed = {row for page in before for row in re.findall(r"session\?id=(s\d+)", page.text)}
    assert listed and not listed & hidden
    everything = set()
    for number in range(1, 10):
        everything |= set(re.findall(r"session\?id=(s\d+)", who.get(f"{run}?page={number}").text))
    assert len(everything) == 420 - len(hidden) and not everything & hidden
    assert f"{len(hidden)} of an open audit are left out until you have judged them" in before[0].text
    facets = own_site.run.items.counts(Query(), own_site.desk.judged("Ada"))
    (months,) = (one for one in facets if one.column == "month")
    assert sum(n for _, n in months.counts) == 420 - len(hidden)
    assert all(f'<span class="count">{n}</span>' in before[0].text for _, n in months.counts)
    session = sessions(own_site)[0]
    who.item("first", session)
    who.judge(session, "session", audit="first")
    found = who.get(f"{run}?page=1&verdicts=mine").text
    assert re.findall(r"session\?id=(s\d+)", found) == [session]
    others = own_site.who("Cy").get(f"{run}?verdicts=any").text
    assert re.findall(r"session\?id=(s\d+)", others) == [session]  # all reviews are in: nobody will be asked
    double = sessions(own_site, reviews=2)[0]
    who.item("first", double)
    who.judge(double, "session", audit="first")
    assert double not in own_site.who("Cy").get(f"{run}?verdicts=any").text  # a second one is wanted
    assert double in who.get(f"{run}?verdicts=any").text


@pytest.mark.slow
def test_a_session_is_as_hidden_in_another_run(audited, tmp_path):
    """The same session, valued by an earlier run: its figures would lead as well."""
    root = tmp_path / "work"
    shutil.copytree(audited, root)
    first = (root / "runs" / "latest").read_text().strip()
    other = "0123456789abcdef"
    shutil.copytree(root / "runs" / first, root / "runs" / other)
    manifest = root / "runs" / other / "manifest.json"
    manifest.write_text(manifest.read_text().replace(first, other))
    site = Site(root)
    who, session = site.who(), sessions(site)[0]
    free = next(f"s{n:07}" for n in range(1, 400) if f"s{n:07}" not in site.desk.audit("first").wanted)
    assert who.get(f"/runs/{other}/session?id={free}").status == 200
    assert who.get(f"/runs/{other}/session?id={session}").location == f"/audits/first/item?id={session}"
    assert who.get(f"/runs/{other}/arithmetic?id={session}").status == 404
    assert "prices, links and dates are hidden" in who.get(f"/runs/{other}/search?id={session}&by=words&q=data").text

    assert (
        f"id={session}&"
        not in who.get(f"/runs/{other}/sessions?is.user_id={site.run.items.one(session)['user_id']}").text
    )
    site.close()


def test_reveal_is_refused_until_the_session_is_judged_and_again_after_an_undo(own_site: Site):
    who, session = own_site.who(), sessions(own_site)[0]
    assert "hidden</span>" in who.item("first", session, reveal="1").text
    assert not own_site.desk.log.seen.has("Ada", session)
    who.judge(session, "session", audit="first", price="120")
    assert "<dt>Value</dt>" in who.item("first", session, reveal="1").text
    assert who.post("/undo", {"audit": "first", "nonce": "u"}).location == f"/audits/first/item?id={session}&undone=1"
    assert "<dt>Value</dt>" not in who.item("first", session, reveal="1").text


WAYS_TO_SEE = {
    "reveal": "/audits/first/item?id={id}&reveal=1",
    "match": "/runs/{run}/session?id={id}",
    "arithmetic": "/runs/{run}/arithmetic?id={id}",
    "list": "/runs/{run}/sessions?verdicts=mine",
    "search": "/runs/{run}/search?id={id}&by=words&q=data",
    "words": "/runs/{run}/words?id={id}&gig={gig}",
}


def test_a_verdict_after_the_figures_were_shown_is_not_blind(own_site: Site):
    """Also one from a page that was blind, and was left open meanwhile in another tab."""
    who, free = own_site.who(), iter(sessions(own_site))
    for way in [*WAYS_TO_SEE, "none", "others"]:
        session = next(free)
        stale = forms(who.item("first", session).text)
        assert who.post("/verdicts", stale[0] | {"verdict": "wrong_kind"}).status == 303
        gig = neighbours_of(own_site.run, session)[0].posting_id
        if way == "others":  # what somebody else looks at
            page = own_site.who("Bo").get(f"/runs/{own_site.run_id}/session?id={session}")
            assert page.status == 200 and "<dt>Value</dt>" in page.text
        elif way != "none":
            page = who.get(WAYS_TO_SEE[way].format(id=session, run=own_site.run_id, gig=quote(gig)))
            assert page.status == 200
        again = who.post("/verdicts", stale[1] | {"verdict": "comparable"})
        kept = [one.entry for one in own_site.desk.log.standing(session_id=session)]
        assert [one.blind for one in kept] == [True, way in ("none", "others", "search")], (
            way
        )  # a search stays blind: others are left to judge
        assert [json.loads(one.shown)["page"][:4] for one in kept] == ["blin", "blin" if kept[1].blind else "open"]
        assert again.location.startswith("/audits/first/next" if kept[1].blind else "/audits/first/item")


@pytest.mark.slow
def test_what_was_shown_stands_in_the_log_in_its_order(own_site: Site):
    who, session = own_site.who(), sessions(own_site)[0]
    cards = forms(who.item("first", session).text)
    for card in cards[1:]:
        who.post("/verdicts", card | {"verdict": "comparable"})
    kept = [one.entry for one in own_site.desk.log.standing(session_id=session)]
    order = json.loads(kept[0].shown)["gigs"]
    assert [one.posting_id for one in kept] == order  # the cards' order
    neighbours = neighbours_of(own_site.run, session)
    assert sorted(order) == sorted(shown_gigs(own_site.run, neighbours, session, 5))
    assert {(one.run_id, one.settings_hash, one.audit_id) for one in kept} == {
        (own_site.run_id, own_site.run.settings_hash, "first")
    }
    orders = {tuple(json.loads(one.shown)["gigs"]) for one in kept}
    assert len(orders) == 1


def test_the_order_of_gigs_is_each_analysts_own_and_tells_nothing_of_ranks(site: Site):
    firsts = []
    for session in sessions(site, reviews=1)[:12] + sessions(site, reviews=2):
        nearest = neighbours_of(site.run, session)[0].posting_id
        for name in ("Ada", "Bo", "Cy", "Di"):
            place = place_of("first", session, name)
            from valuation.review.tokens import shuffled

            ids = [one.posting_id for one in neighbours_of(site.run, session)[:5]]
            firsts.append(shuffled(site.desk.key, place, ids).index(nearest))
    shares = [firsts.count(at) / len(firsts) for at in range(5)]
    bound = 4 * (0.2 * 0.8 / len(firsts)) ** 0.5
    assert all(abs(one - 0.2) < bound for one in shares), shares


@pytest.mark.slow
def test_a_gigs_token_is_good_in_one_place_only(own_site: Site):
    Workspace(own_site.root, overrides=["audit.stratify_by=", "audit.seed=7"]).audit_draw(per_month=60, name="second")
    second = own_site.desk.audit("second").wanted
    session = next(one for one in sessions(own_site, reviews=2) if one in second)
    other = sessions(own_site)[0]
    ada, bo = own_site.who("Ada"), own_site.who("Bo")
    gig = forms(ada.item("first", session).text)[1]["gig"]
    before = own_site.desk.log.last_id()
    wrong = [
        (bo, session, "first"), (ada, other, "first"), (ada, session, "second"), (ada, other, ""), (ada, session, ""),
    ]  # fmt: skip
    for who, where, audit in wrong:
        for form in ({"gig": gig}, {"gig": "session", "better": gig}):
            answer = who.judge(where, form.pop("gig"), audit=audit, **form)
            assert answer.status == 400 and "this gig is not in the run" in answer.text, (who.name, where, audit)
        if audit:
            assert who.item(audit, where, better=gig).status == 400
    assert own_site.desk.log.last_id() == before
    assert gig_token(own_site.desk.key, place_of("first", session, "Bo"), "x") != gig_token(
        own_site.desk.key, place_of("first", session, "Ada"), "x"
    )
    assert ada.judge(session, gig, audit="first").status == 303


def _now():
    from valuation.review.desk import now

    return now()


def test_only_gigs_that_stand_beside_a_session_are_judged(own_site: Site):
    who, session = own_site.who(), sessions(own_site)[0]
    who.item("first", session)
    beside = {one.posting_id for one in neighbours_of(own_site.run, session)}
    rows = own_site.run.gigs._asked(own_site.run.gigs._found(), "SELECT posting_id FROM gigs ORDER BY 1", [])
    elsewhere = next(one for (one,) in rows if one not in beside)
    token = gig_token(own_site.desk.key, place_of("first", session, "Ada"), elsewhere)
    for gig in (elsewhere, token):
        answer = who.judge(session, gig, audit="first")
        assert answer.status == 400 and "this gig does not stand beside this session" in answer.text
    assert who.judge(session, "session", audit="first", better=token).status == 303
    (kept,) = own_site.desk.log.standing()
    assert (kept.entry.better_posting_id, kept.entry.better_rank) == (elsewhere, None)
    neighbour = neighbours_of(own_site.run, session)[6]
    token = gig_token(own_site.desk.key, place_of("first", session, "Ada"), neighbour.posting_id)
    who.judge(session, "session", "wrong_kind", audit="first", better=token)
    assert own_site.desk.log.standing()[0].entry.better_rank == 7


@pytest.mark.slow
def test_settling_is_for_who_has_judged_or_need_not(own_site: Site):
    session = sessions(own_site, reviews=2)[0]
    ada, bo, cy = (own_site.who(name) for name in ("Ada", "Bo", "Cy"))
    for who, word in ((ada, "comparable"), (bo, "wrong_kind")):
        who.item("first", session)
        assert cy.judge(session, "session", audit="first", adjudicates="true").status == 400
        assert cy.get(f"/audits/first/adjudicate?id={session}").location == f"/audits/first/item?id={session}"
        assert session not in cy.get("/audits/first/disagreements").text
        who.judge(session, "session", word, audit="first")
    page = cy.get(f"/audits/first/adjudicate?id={session}")
    assert page.status == 200 and "<strong>Ada</strong>: Comparable" in page.text
    assert held_back([page], secrets_of(own_site, session)) == set(secrets_of(own_site, session))
    assert session in cy.get("/audits/first/disagreements").text
    assert "1 to settle" in cy.get("/audits/first").text
    answer = cy.judge(session, "session", "comparable", audit="first", adjudicates="true")
    assert answer.location == "/audits/first/disagreements"
    assert [(one.entry.analyst, one.entry.adjudicates) for one in own_site.desk.log.standing()] == [
        ("Ada", False), ("Bo", False), ("Cy", True)
    ]  # fmt: skip
    assert "None to settle" in cy.get("/audits/first").text
    refused = cy.judge(next(s for s in map("s{:07}".format, range(1,
    99)) if s not in own_site.desk.audit("first").wanted), "session", adjudicates="true")  # fmt: skip
    assert refused.status == 400 and "only a session of an audit is settled" in refused.text


@pytest.mark.slow
def test_a_session_in_others_hands_is_neither_shown_nor_taken(own_site: Site):
    session = sessions(own_site)[0]
    ada, bo = own_site.who("Ada"), own_site.who("Bo")
    ada.item("first", session)
    assert "Another analyst has this session in hand" in bo.item("first", session).text
    answer = bo.judge(session, "session", audit="first")
    assert answer.status == 400 and "another analyst has this session in hand" in answer.text
    assert bo.get("/audits/first/next").location != ada.get("/audits/first/next").location
    assert len(own_site.desk.log.lines()) == 0


@pytest.mark.slow
def test_a_verdict_kept_just_before_the_program_was_killed_finishes_its_session(own_site: Site):
    """The line is in the log, but nobody noted that the session is done: nobody is asked for it again."""
    from valuation.verdicts import Entry

    who = own_site.who()
    first = who.get("/audits/first/next").location
    session = re.search(r"id=(s\d+)", first)[1]
    assert who.get("/audits/first/next").location == first
    own_site.desk.log.append(
        Entry(token="t", session_id=session, analyst="Ada", decided_at=_now(), audit_id="first", verdict="cant_say")
    )
    assert who.get("/audits/first/next").location != first
    assert own_site.desk.log.assignments.of("first", session, "Ada").finished


@pytest.mark.slow
def test_a_form_sent_again_is_one_line_and_after_undo_it_is_said_to_be_taken_back(own_site: Site):
    who, session = own_site.who(), sessions(own_site)[0]
    form = forms(who.item("first", session).text)[1] | {"verdict": "comparable"}
    assert [who.post("/verdicts", form).status for _ in range(3)] == [303] * 3
    assert len(own_site.desk.log.lines()) == 1
    assert who.post("/verdicts", form | {"verdict": "wrong_kind"}).status == 303  # another verdict from the same page
    assert len(own_site.desk.log.lines()) == 2
    for _ in range(2):
        who.post("/undo", {"audit": "first", "nonce": "twice"})
    assert [one.entry.verdict for one in own_site.desk.log.standing()] == ["comparable"]
    who.post("/undo", {"audit": "first", "nonce": "other"})
    answer = who.post("/verdicts", form)
    assert answer.status == 400 and "this verdict has been taken back; reload the page" in answer.text
    assert own_site.desk.log.standing() == []


def test_an_analyst_takes_back_their_own_last_verdict_only(own_site: Site):
    ada, bo = own_site.who("Ada"), own_site.who("Bo")
    s1, s2 = sessions(own_site)[:2]
    for who, session in ((ada, s1), (bo, s2)):
        who.item("first", session)
        who.judge(session, "session", audit="first")
    assert ada.post("/undo", {"audit": "first", "nonce": "n"}).location == f"/audits/first/item?id={s1}&undone=1"
    assert bo.post("/undo", {"audit": "first", "nonce": "n"}).location == f"/audits/first/item?id={s2}&undone=1"
    assert own_site.desk.log.standing() == []
    assert ada.post("/undo", {"audit": "first", "nonce": "n2", "back": "/audits/first"}).location == "/audits/first"
    nothing = ada.post("/undo", {"audit": "first"})
    assert nothing.status == 400 and "not one of these pages" in nothing.text
    assert not own_site.desk.log.assignments.of("first", s1, "Ada").finished


@pytest.mark.slow
def test_a_price_is_shown_again_as_it_was_given(own_site: Site):
    who, session = own_site.who(), sessions(own_site)[0]
    who.item("first", session)
    for given, kept in (("1234567.5", 1234567.5), ("$1,250.50", 1250.5), ("12 345.67", 12345.67), ("250", 250)):
        who.judge(session, "session", audit="first", price=given)
        assert own_site.desk.log.standing()[0].entry.price_usd == kept
        shown = re.search(r'name="price"[^>]* value="([^"]*)"', who.item("first", session).text)[1]
        who.judge(session, "session", "wrong_kind", audit="first", price=shown)
        assert own_site.desk.log.standing()[0].entry.price_usd == kept


@pytest.mark.slow
def test_a_price_that_could_be_two_is_refused_and_nothing_is_kept(own_site: Site):
    who, session = own_site.who(), sessions(own_site)[0]
    who.item("first", session)
    for price in ("1,5", "1.250", "1.250,50", "-5", "0", "1e3", "1_000", "nan", "٥", "5 or 6", "10000001"):
        answer = who.judge(session, "session", audit="first", price=price)
        assert answer.status == 400 and "expected US dollars above 0" in answer.text
    assert len(own_site.desk.log.lines()) == 0
