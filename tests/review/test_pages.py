"""The pages answer, and a session is judged from the first gig to the last."""

from __future__ import annotations

import pytest

from valuation.audit.done import is_done
from valuation.audit.prices import gigs_beside, matches_of
from valuation.review.match import neighbours_of, shown_gigs

from .conftest import forms


def test_every_page_answers_and_links_lead_somewhere(sign_in):
    """Walk all links from the overview, two steps deep; none is dead."""
    import re

    client = sign_in()
    seen, todo = set(), ["/"]
    for _ in range(3):
        found = []
        for path in todo:
            answer = client.get(path)
            assert answer.status_code == 200, path
            found += [one.replace("&amp;", "&") for one in re.findall(r'href="(/[^"#]*)"', answer.text)]
        todo = [one for one in dict.fromkeys(found) if one not in seen and "/static/" not in one][:40]
        seen |= set(todo)
    assert len(seen) > 40


def test_a_session_is_judged_gig_by_gig_and_the_next_one_comes(sign_in, desk):
    client = sign_in("Ada")
    page = client.get("/audits/first/next")
    assert page.url.path == "/audits/first/item"
    first = page.url.params["id"]
    cards = forms(page.text)
    assert len(cards) == 6 and [one["gig"] == "session" for one in cards] == [True] + [False] * 5
    for number in range(1, 6):
        form = forms(page.text)[number]
        page = client.post("/verdicts", data=form | {"verdict": "comparable" if number == 1 else "wrong_kind"})
        assert page.status_code == 200
        assert (page.url.params["id"] == first) == (number < 5)
    said = [one.entry for one in desk.log.standing(audit_id="first")]
    assert [one.verdict for one in said] == ["comparable"] + ["wrong_kind"] * 4
    assert {one.session_id for one in said} == {first} and all(one.blind for one in said)
    assert "1 judged by you" in page.text


def test_what_is_damaged_is_told_of_without_a_word_of_where_the_workspace_lies(home, sign_in):
    client = sign_in()
    (home.audits / "first" / "audit.json").write_text("no card")
    answer = client.get("/audits/first")
    assert answer.status_code == 400
    assert "audits/first/audit.json: not readable" in answer.text
    assert str(home.root) not in answer.text and str(home.root.parent) not in answer.text


def test_a_session_without_a_comparable_gig_is_asked_its_worth_before_the_next_comes(sign_in, desk):
    client = sign_in("Ada")
    page = client.get("/audits/first/next")
    first = page.url.params["id"]
    for form in forms(page.text)[1:]:
        page = client.post("/verdicts", data=form | {"verdict": "session_larger"})
        assert page.url.params["id"] == first
    assert not desk.log.assignments.of("first", first, "Ada").finished
    assert client.get("/audits/first/next").url.params["id"] == first  # it comes again, tomorrow too
    page = client.post("/verdicts", data=forms(page.text)[0] | {"verdict": "session_larger", "price": "400"})
    assert page.url.params["id"] != first
    assert desk.log.assignments.of("first", first, "Ada").finished


@pytest.mark.parametrize(
    ("said", "shown", "done"),
    [
        ({}, ["a", "b"], False),
        ({"a": "comparable"}, ["a", "b"], False),
        ({"a": "comparable", "b": "wrong_kind"}, ["a", "b"], True),
        ({"a": "session_larger", "b": "wrong_kind"}, ["a", "b"], False),
        ({"a": "cant_say", "b": "cant_say"}, ["a", "b"], False),
        ({"": "cant_say"}, ["a", "b"], True),
        ({}, [], False),
        ({"": "session_smaller"}, [], True),
    ],
)
def test_what_is_left_to_ask_of_a_session(said, shown, done):
    assert is_done(said, shown) == done


def test_a_blind_page_does_not_tell_by_its_gigs_whether_a_session_is_matched(site):
    audit, who = site.desk.audit("first"), site.who()
    matched = dict(zip(audit.frame["session_id"], audit.frame["matched"], strict=True))
    assert not all(matched[one] for one in audit.wanted)
    shown = {one: len(forms(who.item("first", one).text)) - 1 for one in audit.wanted}
    assert set(shown.values()) == {5}
    offline = gigs_beside(
        site.desk.layout, site.run.folder, site.run.manifest, audit.wanted,
        matches_of(site.run.folder, audit.wanted), most=5,
    )  # fmt: skip
    for one in audit.wanted:
        assert offline[one] == shown_gigs(site.run, neighbours_of(site.run, one), one, 5)


def test_a_run_made_before_near_gigs_were_kept_shows_the_nearest(own_site):
    audit, run = own_site.desk.audit("first"), own_site.run
    alone = next(one for one, matched in audit.frame[["session_id", "matched"]].to_numpy() if not matched)
    five = shown_gigs(run, [], alone, 5)
    (run.folder / "nearby.parquet").unlink()
    fresh = type(own_site)(own_site.root)
    assert shown_gigs(fresh.run, [], alone, 5) == five[:1]
    beside = gigs_beside(fresh.desk.layout, run.folder, run.manifest, [alone], matches_of(run.folder, [alone]))
    assert beside == {alone: five[:1]}
    fresh.close()
