"""The better gig: found by meaning and by words, picked, kept over a reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .browser import found, gig_titles, matches_of, shown_title

if TYPE_CHECKING:
    from .browser import Person, Served

pytestmark = pytest.mark.slow


def search_for(person: Person, by: str, text: str) -> list[str]:
    """Search from a match page; returns titles."""
    person.press("/")
    person.page.wait_for_selector("#q:focus")
    person.page.fill("#q", text)
    person.page.check(f"[name=by][value={by}]")
    person.page.click(".search button")
    person.page.wait_for_selector(".results .card, .notice")
    return found(person)


def test_a_better_gig_is_found_by_meaning_and_by_words_and_kept_with_its_rank(served: Served, analyst, draw):
    person = analyst(served, "Bea")
    person.take("search", *draw("search", seed=2)[:2])
    titles = gig_titles(served)
    session = person.session()
    neighbours = matches_of(served, session)
    summary = " ".join(person.texts("#summary p"))
    hits = search_for(person, "meaning", summary)
    assert hits[:3] == [shown_title(titles[one]) for one in neighbours["posting_id"][:3]]
    person.page.click("[data-pick] >> nth=1")
    person.page.wait_for_selector(".better")
    person.turn("1")
    line = served.lines("search")[-1]
    assert (line["session_id"], line["posting_id"], line["verdict"]) == (session, "", "comparable")
    assert (line["better_posting_id"], line["better_rank"]) == (neighbours["posting_id"].iloc[1], 2)

    session = person.session()
    near = set(matches_of(served, session)["posting_id"])
    hits = search_for(person, "words", "hospital")
    assert hits and all("hospital" in one.lower() for one in person.texts(".results .card"))
    other = next(place for place, title in enumerate(hits) if title not in {shown_title(titles[one]) for one in near})
    person.page.click(f"[data-pick] >> nth={other}")
    person.page.wait_for_selector(".better")
    person.turn("1")
    line = served.lines("search")[-1]
    assert (line["session_id"], line["better_rank"]) == (session, None)
    assert shown_title(titles[line["better_posting_id"]]) == hits[other] and line["better_posting_id"] not in near


def test_a_reload_in_mid_verdict_keeps_what_was_judged_and_picked(served: Served, analyst, draw):
    person = analyst(served, "Eli")
    person.take("reload", *draw("reload", seed=5)[:1])
    session = person.session()
    person.turn("3")
    search_for(person, "words", "website")
    person.page.click("[data-pick] >> nth=0")
    better = person.page.locator(".better h4").inner_text()
    person.page.reload()
    assert person.session() == session and person.page.locator(".better h4").inner_text() == better
    assert person.texts(".card.gig .mine") == ["You said: Session smaller"]
    person.go("/audits/reload/next")  # tomorrow, by the link in the overview
    assert person.session() == session and person.focus() == "2"
    person.page.reload()
    assert person.focus() == "2" and len(served.lines("reload")) == 1


def test_a_better_gig_that_was_kept_is_left_out_again_by_keyboard(served: Served, analyst, draw):
    person = analyst(served, "Fay")
    session = draw("drop", seed=6)[0]
    person.take("drop", session)
    search_for(person, "words", "website")
    person.page.click("[data-pick] >> nth=0")
    person.page.wait_for_selector(".better")
    person.turn("3")
    assert [bool(line["better_posting_id"]) for line in served.standing("drop")] == [True]
    person.take("drop", session)
    assert person.page.locator(".better").count() == 1  # it stays with what was said, until it is left out
    person.page.locator("[name=drop]").focus()
    person.page.keyboard.press("Space")
    person.turn("3")
    assert [(line["verdict"], line["better_posting_id"]) for line in served.standing("drop")] == [
        ("session_smaller", None)
    ]
    assert len(served.lines("drop")) == 2  # the line before stays in the log
    person.take("drop", session)
    assert not person.page.locator(".better").count()
