"""The pages for everybody: narrow screens, axe-core's rules, screen readers, no script at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .browser import NARROW, NARROWEST, WIDE, found, marked, matches_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .browser import Person, Served

pytestmark = pytest.mark.slow

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAST_THE_EDGE = """() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth
  if (wide <= 0) return []
  const past = one => one.getBoundingClientRect().right > window.innerWidth + 1
  const named = one => one.tagName + "." + one.className
  return [wide + " px", ...[...document.querySelectorAll("body *")].filter(past).map(named).slice(0, 5)]
}"""

OUT_OF_REACH = """() => [...document.querySelectorAll(".verdicts button, form[data-undo] button")].filter(button => {
  button.scrollIntoView({ block: "nearest", behavior: "instant" })
  const box = button.getBoundingClientRect()
  const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
  return !there || there.closest("button") !== button || box.left < 0 || box.height < 24
}).map(button => "cannot be reached: " + button.closest("form").id + " " + button.value)"""


@pytest.fixture
def tour(served: Served, analyst, draw) -> Iterator[Callable[[Person], Iterator[str]]]:
    """Go through every kind of page; the audit is prepared so that there is something on each."""
    session, other = draw(f"tour{len(list((served.root / 'audits').iterdir()))}", double=1.0, seed=21)[:2]
    audit_id = max((served.root / "audits").iterdir(), key=lambda path: (path / "audit.json").stat().st_mtime_ns).name
    for name, key in (("Ruth", "1"), ("Sam", "4")):
        person = analyst(served, name)
        person.take(audit_id, session)
        person.press("s")
        person.turn(key)
    run, audit = f"/runs/{served.run_id}", f"/audits/{audit_id}"
    outside = matches_of(served, "s0000100")["session_id"].iloc[0]

    def go(person: Person) -> Iterator[str]:
        for path in (
            "/", f"{run}/sessions", f"{run}/sessions?queue=outliers&is.kind=fix&sort=value_usd", f"{run}/search",
            f"{run}/search?q=website&by=words", f"{run}/session?id={outside}&at=3", audit, f"{audit}/disagreements",
            f"{audit}/adjudicate?id={session}", f"{audit}/item?id={session}", "/nothing-here",
            f"{run}/sessions?queue=none",
        ):  # fmt: skip
            person.go(path)
            if "/session?" in path:  # the marked words come when a gig is in view
                marked(person)
            yield path
        yield from _judging(person, f"{audit}/item?id={other}")

    return go


def _judging(person: Person, item: str) -> Iterator[str]:
    """A blind session on its way, until what priced it is shown."""
    person.go(item)
    yield "blind"
    person.press("/")
    person.page.wait_for_selector("#q")
    yield "search, nothing asked yet"
    person.page.fill("#q", "website")
    person.page.click(".search button")
    person.page.wait_for_selector(".results .card, .notice")
    found(person)
    yield "search, blind"
    person.page.click("[data-pick] >> nth=0")
    person.page.wait_for_selector(".better")
    yield "better gig picked"
    person.page.locator("#card-1").focus()
    person.turn("2")
    person.turn("u")
    yield "undone"
    person.press("s")
    person.turn("1")
    yield "the next one"
    person.turn("v")
    yield "what priced it"


def signing_in(person: Person) -> Iterator[str]:
    for path in ("/sign-in?key=wrong", "/sign-in"):
        person.go(path)
        yield path
    person.page.goto(person.served.sign_in)
    yield "sign-in by link"
    person.page.fill("#name", "<b>")
    person.press("Enter")
    person.page.wait_for_selector("#fault")
    yield "a name that cannot be"


def violations(person: Person, *, contrast: bool) -> list[str]:
    """What axe-core finds; contrast takes longest, and a narrow screen has the same colours."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": RULES, "resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": contrast}}}
    found = Axe().run(person.page, options=options).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def test_every_page_keeps_axes_rules_and_fits_a_narrow_screen(served: Served, analyst, tour):
    """Wide and narrow, blind and open, signed in and not; the content policy lets in nobody's script but axe's."""
    person = analyst(served, "Tess", bypass_csp=True)
    nobody = analyst(served, bypass_csp=True)
    faults = []
    for one, steps in ((person, tour(person)), (nobody, signing_in(nobody))):
        for step in steps:
            for size in (WIDE, NARROW, NARROWEST):
                one.page.set_viewport_size(size)
                found = violations(one, contrast=size == WIDE) if size != NARROWEST else one.page.evaluate(OUT_OF_REACH)
                found += one.page.evaluate(PAST_THE_EDGE) if size != WIDE else []
                faults += [f"{step} at {size['width']} px: {fault}" for fault in found]
    assert faults == []


def test_a_screen_reader_hears_what_happens_and_the_focus_goes_on(served: Served, analyst, draw):
    person = analyst(served, "Vic")
    person.take("heard", draw("heard", seed=22)[0])
    focused = "document.activeElement.getAttribute('aria-label')"
    said = person.page.locator("#said[role=status][aria-live=polite]")
    for number, key, word in ((1, "4", "Wrong kind"), (2, "2", "Session larger")):
        assert person.page.evaluate(focused) == f"Gig {number} of 5: {person.titles()[number - 1]}"
        person.turn(key)
        assert said.inner_text() == f"{word}: sent"
        assert person.page.locator(f"#card-{number}").get_attribute("aria-label").endswith(f". You said: {word}")
    pressed = person.page.locator("#card-2 button[aria-pressed=true]")
    assert pressed.get_attribute("value") == "session_larger" and pressed.get_attribute("aria-keyshortcuts") == "2"
    person.turn("u")
    assert said.inner_text() == "Your last verdict is taken back." and person.focus() == "2"
    tree = person.page.locator("body").aria_snapshot()
    for line in ("- banner", "- main", "- status", 'group "Verdict on gig 1"', 'progressbar "Sessions judged"'):
        assert line in tree, line
    assert re.search(r'textbox "Worth, in US dollars', tree) and not re.search(
        r"- (button|link|textbox)(:|$)", tree, re.M
    )


def test_tab_goes_through_the_page_in_its_order_from_a_link_past_the_head(served: Served, analyst, draw):
    person = analyst(served, "Wim")
    person.take("tabbed", draw("tabbed", seed=23)[0])
    person.page.evaluate("() => { document.activeElement.blur(); window.getSelection().removeAllRanges() }")
    assert not person.page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count()
    person.page.locator(".skip").focus()
    assert person.page.locator(".skip").bounding_box()["x"] >= 0  # seen once it has the focus
    person.press("Enter")
    assert person.page.evaluate("document.activeElement.id") == "main"
    person.page.locator("#card-1").focus()
    reached = []
    for _ in range(14):
        person.press("Tab")
        reached.append(
            (person.focus(), person.page.evaluate("document.activeElement.value || document.activeElement.tagName"))
        )
    order = [value for card, value in reached if card == "1" and value != "SUMMARY"]
    assert order == ["comparable", "session_larger", "session_smaller", "wrong_kind", "cant_say"]
    assert [card for card, _ in reached] == sorted(card for card, _ in reached)
    person.page.locator("#card-2 button >> nth=0").focus()
    person.page.locator("#card-1 button[value=cant_say]").focus()
    before = person.nonce
    person.press("Enter")  # a button that has the focus is pressed as everywhere
    person.settled(before)
    assert [line["verdict"] for line in served.lines("tabbed")] == ["cant_say"]


def test_the_pages_work_without_a_script(served: Served, analyst, draw):
    session = draw("plain", seed=24)[0]
    person = analyst(served, "Xia", f"/audits/plain/item?id={session}", java_script_enabled=False)
    page = person.page
    page.fill("#card-session [name=note]", "a thought")
    person.press("Enter")  # no button is pressed by it
    page.fill("#card-session [name=price]", "99")
    person.press("Enter")
    assert served.lines("plain") == []
    for number in range(1, 6):
        page.click(f"#card-{number} button[value={'comparable' if number == 2 else 'wrong_kind'}]")
    page.wait_for_url("**after=**")
    assert "1 judged by you" in page.locator(".progress p").inner_text()
    page.click("form[data-undo] button")
    page.wait_for_url("**undone=1")
    assert page.locator("#card-session [name=session]").input_value() == session
    assert len(page.locator(".card.gig .mine").all()) == 4
    page.go_back()
    page.click("text=Search for a better gig")
    page.fill("#q", "website")
    page.check("[name=by][value=words]")
    page.click(".search button")
    page.click("[data-pick] >> nth=0")
    page.fill("#card-session [name=price]", "99")
    page.click("#card-session button[value=session_smaller]")
    line = served.lines("plain")[-1]
    assert (line["verdict"], line["price_usd"], line["posting_id"]) == ("session_smaller", 99, "")
    assert line["better_posting_id"]
