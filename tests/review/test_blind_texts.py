"""Money, links and dates that stand in the texts themselves do not reach who has yet to judge."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from valuation.review.gigs import GigStore
from valuation.review.match import neighbours_of

from .conftest import forms
from .site import Site

OWN = 4137.5  # the price of every gig here; no figure of the small world
HIDDEN = ("4137.5", "4,137.5", "cheap.example", "14 March 2026", "2026-03-14")
LONG = "Some more words. " * 60  # past what is shown at once


@pytest.fixture
def telling(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site on which every gig's text gives away what its page hides."""
    plain = GigStore.get

    def get(store: GigStore, ids):
        return {
            one: replace(
                gig,
                title=f"{gig.title} for 4137.50",
                description=f"Budget USD 4,137.50. {LONG} https://cheap.example/job due 14 March 2026, $4137.50",
                skills="Python, $4,137.50, 2026-03-14",
                price_low=OWN,
                price_high=OWN,
                currency="USD",
            )
            for one, gig in plain(store, ids).items()
        }

    monkeypatch.setattr(GigStore, "get", get)
    return own_site


def test_texts_give_away_no_price_link_or_date_before_the_verdict(telling: Site):
    who = telling.who()
    session = next(iter(telling.desk.audit("first").wanted))
    page = who.item("first", session)
    assert page.text.count("[amount]") >= 3 * (len(forms(page.text)) - 1) and "[link]" in page.text
    picked = who.item("first", session, better=forms(page.text)[1]["gig"])
    found = who.get(f"/runs/{telling.run_id}/search?id={quote(session)}&audit=first&by=words&q=budget")
    open_one = who.get(f"/runs/{telling.run_id}/session?id={quote(session)}")
    for answer in (page, picked, found, open_one):
        assert not [one for one in HIDDEN if one in answer.text]


def test_and_all_of_it_is_there_for_who_need_not_judge(telling: Site):
    who = telling.who()
    hidden = telling.desk.judged("Ada").hidden
    rows = telling.run.items._connection.execute("SELECT session_id FROM items WHERE matched ORDER BY 1").fetchall()
    session = next(one for (one,) in rows if one not in hidden and neighbours_of(telling.run, one))
    page = who.get(f"/runs/{telling.run_id}/session?id={quote(session)}")
    assert not [one for one in HIDDEN if one not in page.text]


def test_a_summary_is_masked_as_well(own_site: Site, monkeypatch: pytest.MonkeyPatch):
    who = own_site.who()
    session = next(iter(own_site.desk.audit("first").wanted))
    items = own_site.run.items
    row = {**items.one(session), "summary": "Fix the cart; the client pays $4137.50, see https://cheap.example/job"}
    monkeypatch.setattr(type(items), "one", lambda items, session_id: row)
    page = who.item("first", session)
    assert "Fix the cart; the client pays [amount], see [link]" in page.text
    assert not [one for one in HIDDEN if one in page.text]


def test_what_others_said_is_not_on_a_blind_page(own_site: Site):
    audit = own_site.desk.audit("first")
    session = next(one for one, reviews in audit.wanted.items() if reviews == 2)
    bob, ada = own_site.who("Bob"), own_site.who("Ada")
    before = ada.item("first", session).text
    for card in forms(bob.item("first", session).text)[1:]:
        assert bob.post("/verdicts", card | {"verdict": "wrong_kind", "note": "odd thing"}).status == 303
    assert bob.post("/verdicts", forms(bob.item("first", session).text)[0] | {"verdict": "cant_say"}).status == 303
    assert 'aria-pressed="true"' in bob.item("first", session).text
    after = ada.item("first", session).text
    for page in (before, after):
        assert not [one for one in ("Bob", "odd thing", 'aria-pressed="true"', "You said") if one in page]
    assert len(forms(after)) == len(forms(before))
