"""An analyst at a real browser: a whole batch by keyboard, undo, back, keys pressed by mistake."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from valuation.review.pages import WORDS
from valuation.tables import AuditSample, read_table
from valuation.verdicts import VERDICTS

from .browser import gig_titles, shown_title

if TYPE_CHECKING:
    from .browser import Person, Served

pytestmark = pytest.mark.slow


def tally(person: Person) -> dict[str, int]:
    """The counts by verdict that the page shows."""
    shown = [re.fullmatch(r"(\d+) (.+)", " ".join(text.split())) for text in person.texts(".tally li")]
    words = {text: word for word, text in WORDS.items()}
    return {words[found[2]]: int(found[1]) for found in shown}


class Batch:
    """What was pressed, in the order it was."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.said: list[dict[str, object]] = []

    def give(self, key: str, **more: object) -> None:
        """Press a verdict's key, having noted what is judged by it and in what order the gigs are shown."""
        person = self.person
        card, titles = person.focus(), person.titles()
        gig = "" if card == "session" else titles[int(card) - 1]
        verdict = VERDICTS[int(key) - 1]
        line = {"session_id": person.session(), "gig": gig, "verdict": verdict, "titles": titles}
        self.said.append(line | {"price_usd": None, "note": "", "better": None} | more)
        person.turn(key)

    def counts(self) -> dict[str, int]:
        pressed = Counter(line["verdict"] for line in self.said)
        return {word: pressed[word] for word in VERDICTS}


def gig_by_gig(batch: Batch, start: int) -> None:
    """A key a gig; the focus goes from each to the next."""
    here = batch.person.session()
    for number in range(1, len(batch.person.titles()) + 1):
        assert batch.person.session() == here and batch.person.focus() == str(number)
        batch.give("12345"[(start + number) % 5])
    if batch.person.session() == here:  # none of them is comparable: what the session is worth is asked
        assert batch.person.focus() == "session"
        batch.give("5")


def as_a_whole(batch: Batch, start: int) -> None:
    """The session as a whole, with a price and a note; Enter in a field keeps nothing."""
    batch.person.press("s", "p")
    batch.person.page.keyboard.type("1,250.50")
    batch.person.press("Enter", "n")
    batch.person.page.keyboard.type(f"note {start}: 3 of 5")
    batch.person.press("Enter")
    assert batch.person.focus() == "session"
    batch.give("2", price_usd=1250.5, note=f"note {start}: 3 of 5")


def by_a_better_gig(batch: Batch, start: int) -> None:
    """A search by words, the first gig found picked."""
    person = batch.person
    person.press("/")
    person.page.wait_for_selector("#q:focus")
    person.page.keyboard.type("website")
    person.press("Tab", "ArrowRight")  # from "by meaning" to "by words"
    person.tab_to("Search")
    person.press("Enter")
    person.page.wait_for_selector(".results .card:focus")
    better = person.texts(".results h2")[0]
    before = person.nonce
    person.press("Enter")
    person.settled(before)
    assert person.focus() == "session" and better in person.page.locator(".better h4").inner_text()
    batch.give("3", better=better)


def two_and_the_whole(batch: Batch, start: int) -> None:
    """The first and the third gig, then the whole: that is enough."""
    batch.give("4", note="") if start % 2 else batch.give("1")
    if len(batch.person.titles()) > 2 and batch.person.focus() == "2":
        batch.person.press("j")
        assert batch.person.focus() == "3"
        batch.give("5")
    batch.person.press("s")
    batch.give("1")


def test_a_whole_batch_by_keyboard_alone(served: Served, analyst):
    """From the printed link to "nothing is left"; the log holds what was pressed, and all counts are right."""
    sample = read_table(served.root / "audits" / "first" / "sample.parquet", AuditSample)
    person = analyst(served)
    person.name = "Ada"
    person.page.goto(served.sign_in)
    person.page.keyboard.type("Ada")
    person.press("Enter")
    person.page.wait_for_url("**/runs/*")
    person.tab_to("Begin judging")
    person.turn("Enter")
    batch, ways, seen = Batch(person), (gig_by_gig, as_a_whole, by_a_better_gig, two_and_the_whole), []
    while "/item" in person.page.url:
        seen.append(person.session())
        ways[len(seen) % 4 - 1](batch, len(seen))
        _counts_are_right(person, sample, seen, batch)
    assert seen == sample["session_id"].tolist()
    assert "Nothing is left for you in this audit." in person.page.locator("[role=status].notice").inner_text()
    _log_is_what_was_pressed(served, batch)


def _counts_are_right(person: Person, sample, seen: list[str], batch: Batch) -> None:
    """One person judges; sessions that two must judge are done by no one alone."""
    person.page.wait_for_selector(".tally")
    assert tally(person) == batch.counts()
    single = sample.set_index("session_id")["reviews"].loc[seen].eq(1).sum()
    left = len(sample) - len(seen)
    line = person.page.locator(".progress p").inner_text()
    waiting = len(seen) - single
    more = f", {waiting} more waits? for a second analyst" if waiting else ""
    expected = f"{single} of {len(sample)} sessions done{more}; {len(seen)} judged by you"
    assert re.fullmatch(expected + (rf"; {left} left for you, about \d+ min at your pace" if left else ""), line)


def _log_is_what_was_pressed(served: Served, batch: Batch) -> None:
    titles = {one: shown_title(title) for one, title in gig_titles(served).items()}
    lines = served.lines("first")
    assert len(lines) == len(batch.said) == len({line["token"] for line in lines})
    for line, said in zip(lines, batch.said, strict=True):
        shown = json.loads(line["shown"])
        assert [titles[one] for one in shown["gigs"]] == said["titles"] and shown["page"] == "blind-2"
        assert titles.get(line["posting_id"], "") == said["gig"]
        assert {name: line[name] for name in ("session_id", "verdict", "price_usd", "note")} == {
            name: said[name] for name in ("session_id", "verdict", "price_usd", "note")
        }
        assert (titles[line["better_posting_id"]] if line["better_posting_id"] else None) == said["better"]
        assert (line["analyst"], line["blind"], line["action"], line["run_id"]) == ("Ada", 1, "verdict", served.run_id)


def test_undo_goes_back_over_sessions_and_what_was_undone_can_be_said_again(served: Served, analyst, draw):
    person = analyst(served, "Cem")
    person.take("undo", *draw("undo", seed=3)[:2])
    first = person.session()
    person.press("s")
    person.turn("2")
    second = person.session()
    person.turn("1")
    assert second != first and person.focus() == "2"
    person.turn("u")
    assert person.session() == second and person.focus() == "1" and tally(person)["comparable"] == 0
    person.turn("u")
    assert person.session() == first and sum(tally(person).values()) == 0
    assert person.page.locator("#said").inner_text() == "Your last verdict is taken back."
    assert "1 judged by you" not in person.page.locator(".progress p").inner_text()
    person.press("s")
    person.turn("3")
    assert person.session() == second and tally(person)["session_smaller"] == 1
    lines = served.lines("undo")
    assert [line["action"] for line in lines] == ["verdict", "verdict", "undo", "undo", "verdict"]
    assert [line["undoes"] for line in lines] == [None, None, lines[1]["id"], lines[0]["id"], None]
    assert [line["verdict"] for line in served.standing("undo")] == ["session_smaller"]


def test_the_back_button_shows_no_stale_page_and_no_verdict_is_lost_or_doubled(served: Served, analyst, draw):
    person = analyst(served, "Dov")
    person.take("back", *draw("back", seed=4)[:1])
    first = person.session()
    person.turn("1")
    person.turn("4")
    stale = person.nonce
    person.press("s")
    person.turn("1")
    assert person.session() != first
    person.page.go_back()
    person.settled(person.nonce if person.session() != first else stale)
    assert person.session() == first and len(served.lines("back")) == 3
    assert person.texts(".card.gig .mine") == ["You said: Comparable", "You said: Wrong kind"]
    assert "You have judged this session." in person.page.locator("main").inner_text()
    person.page.locator("#card-1").focus()
    person.turn("2")  # a change of mind is a line of its own, and the older one stands no more
    assert len(served.lines("back")) == 4
    standing = [(line["verdict"], line["blind"]) for line in served.standing("back")]
    assert sorted(standing) == [("comparable", 1), ("session_larger", 1), ("wrong_kind", 1)]
    person.page.go_forward()
    person.page.wait_for_load_state()
    assert len(served.lines("back")) == 4


def test_a_key_pressed_twice_or_held_down_and_a_double_click_are_one_verdict(served: Served, analyst, draw):
    person = analyst(served, "Fay")
    person.take("twice", *draw("twice", seed=6)[:1])

    def wait(n: int) -> None:
        person.page.wait_for_selector(f"#card-{n + 1}.current")
        person.page.wait_for_timeout(400)
        assert [line["verdict"] for line in served.lines("twice")] == ["wrong_kind"] * n
        assert person.focus() == str(n + 1)

    person.press("4", "4")
    wait(1)
    for _ in range(12):
        person.page.keyboard.down("4")  # as a keyboard does that repeats
        person.page.wait_for_timeout(40)
    person.page.keyboard.up("4")
    wait(2)
    person.page.locator("#card-3 button.wrong_kind").dblclick(delay=10)
    wait(3)
    person.page.locator("#card-4 button.wrong_kind").click()
    wait(4)


def test_enter_and_digits_in_a_field_are_no_verdict(served: Served, analyst, draw):
    person = analyst(served, "Gil")
    person.take("fields", *draw("fields", seed=7)[:1])
    person.press("p", "1", "2", "5", "Enter")
    assert person.focus() == "session"
    person.press("n", "1", "Enter", "k")
    assert person.focus() == "1" and served.lines("fields") == []
    person.press("n")
    person.page.keyboard.type("5 of 5")
    person.press("Enter", "Escape")
    assert person.focus() == "1" and served.lines("fields") == []
    person.turn("1")
    person.press("s", "p")
    person.page.keyboard.type("a lot")
    person.press("Enter")
    person.press("2")
    person.page.wait_for_selector("[role=alert]")
    assert "price 'a lot': expected US dollars above 0" in person.page.locator("[role=alert]").inner_text()
    assert [(line["verdict"], line["note"], line["price_usd"]) for line in served.lines("fields")] == [
        ("comparable", "5 of 5", None)
    ]


def test_a_verdict_that_the_server_did_not_get_is_told_and_can_be_given_again(served: Served, analyst, draw):
    person = analyst(served, "Hal")
    person.take("lost", *draw("lost", seed=8)[:1])
    person.context.set_offline(True)
    person.press("1")
    person.page.wait_for_selector("#lost")
    assert "the last verdict was not kept" in person.page.locator("#lost").inner_text()
    assert served.lines("lost") == [] and person.focus() == "1"
    person.context.set_offline(False)
    person.page.wait_for_timeout(250)
    person.turn("1")
    assert len(served.lines("lost")) == 1 and person.focus() == "2"
    assert not person.page.locator("#lost").count()
    told = ("ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest")  # what the browser and htmx say of it
    person.faults[:] = [fault for fault in person.faults if not any(one in fault for one in told)]
