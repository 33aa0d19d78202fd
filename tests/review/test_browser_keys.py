"""Fast keys at a real browser: none is lost, none lands on another gig, and what was typed is not lost in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .browser import BOUNCE

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from .browser import Person, Served

pytestmark = pytest.mark.slow
WORDS = ("comparable", "session_larger", "session_smaller", "wrong_kind", "cant_say")
HEARD = """() => { window.heard = []; const said = document.getElementById('said');
  new MutationObserver(() => { if (said.textContent) window.heard.push(said.textContent); })
    .observe(said, { childList: true, characterData: true, subtree: true }); }"""


def slow(person: Person, latency: int) -> None:
    """Let every answer come so many milliseconds late."""
    conditions = {"offline": False, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools = person.context.new_cdp_session(person.page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", conditions)


def quickly(person: Person, keys: str, gap: float) -> None:
    for key in keys.split():
        person.page.keyboard.press(key)
        person.page.wait_for_timeout(gap)


def quiet(person: Person) -> None:
    """Wait until no request has been under way for a while."""
    person.page.wait_for_function(
        """() => new Promise((done) => { let still = 0; const look = () => {
          still = document.querySelector('[aria-busy], .htmx-request, .htmx-settling, .htmx-swapping') ? 0 : still + 1;
          if (still > 8) done(true); else setTimeout(look, 40); }; look(); })"""
    )


def by_gig(person: Person) -> list[str]:
    """The verdict that the page shows of each gig, in their order; ``''`` of one without."""
    classes = person.page.eval_on_selector_all(".card.gig", "all => all.map(one => [...one.classList])")
    return [next((word for word in WORDS if word in one), "") for one in classes]


class Proxy:
    """What stands between a browser and the pages, and answers verdicts in their place while it is `broken`."""

    def __init__(self, person: Person, status: int, body: str, kind: str) -> None:
        self.broken = False
        self._answer = {"status": status, "body": body, "content_type": kind}
        person.page.route("**/verdicts", self._pass)

    def _pass(self, route: Route) -> None:
        if self.broken:
            route.fulfill(**self._answer)
        else:
            route.continue_()


def forgive(person: Person, *known: str) -> None:
    """What the browser and htmx tell of an answer that was made to be a fault."""
    person.faults[:] = [fault for fault in person.faults if not any(one in fault for one in known)]


@pytest.mark.parametrize(("latency", "gap"), [(0, 0), (0, 60), (0, 140), (300, 0), (300, 100), (300, 220), (120, 140)])
def test_four_keys_are_the_verdicts_on_four_gigs_at_any_speed(served: Served, analyst, draw, latency, gap):
    audit = f"speed-{latency}-{gap}"
    person = analyst(served, "Ann")
    person.take(audit, *draw(audit, seed=31)[:1])
    slow(person, latency)
    person.page.evaluate(HEARD)
    quickly(person, "2 3 4 3", gap)
    person.page.wait_for_selector("#card-4 .mine")
    quiet(person)
    assert by_gig(person)[:5] == ["session_larger", "session_smaller", "wrong_kind", "session_smaller", ""]
    assert person.focus() == "5" and not person.page.locator("#lost").count()
    assert [line["verdict"] for line in served.lines(audit)] == by_gig(person)[:4]
    said = [f"{one}: sent" for one in ("Session larger", "Session smaller", "Wrong kind", "Session smaller")]
    assert person.page.evaluate("window.heard") == said


def test_a_bounce_while_an_answer_is_awaited_is_one_verdict_and_a_second_press_a_second(served, analyst, draw):
    person = analyst(served, "Ben")
    person.take("bounce", *draw("bounce", seed=32)[:1])
    slow(person, 600)
    quickly(person, "4 4 4", 30)
    person.page.wait_for_timeout(1000 * BOUNCE)
    quickly(person, "4", 0)
    person.page.wait_for_selector("#card-2 .mine")
    quiet(person)
    assert by_gig(person)[:3] == ["wrong_kind", "wrong_kind", ""]


def test_moves_and_undo_keep_their_place_among_the_verdicts(served, analyst, draw):
    person = analyst(served, "Cal")
    person.take("moves", *draw("moves", seed=33)[:1])
    slow(person, 200)
    quickly(person, "2 j 3 u 5 k k 4", 20)
    person.page.wait_for_selector("#card-1 .mine >> text=Wrong kind")
    quiet(person)
    # the third's is taken back; then the second, which was left open, and two up from the third
    assert by_gig(person)[:4] == ["wrong_kind", "cant_say", "", ""]
    actions = [(line["action"], line["verdict"]) for line in served.lines("moves")]
    assert actions == [
        ("verdict", "session_larger"), ("verdict", "session_smaller"), ("undo", None), ("verdict", "cant_say"),
        ("verdict", "wrong_kind"),
    ]  # fmt: skip


def test_digits_of_a_price_are_never_verdicts_however_fast(served, analyst, draw):
    person = analyst(served, "Dee")
    person.take("digits", *draw("digits", seed=34)[:1])
    slow(person, 500)
    quickly(person, "4 p 1 1 2 5 0 Backspace . 5 Enter s 2", 10)
    person.page.wait_for_url(lambda url: "after=" in url)
    quiet(person)
    lines = served.lines("digits")
    assert [(line["verdict"], line["price_usd"], line["posting_id"] == "") for line in lines] == [
        ("wrong_kind", None, False),
        ("session_larger", 1125.5, True),
    ]


def test_a_note_is_written_on_the_gig_that_is_next(served, analyst, draw):
    person = analyst(served, "Eli")
    person.take("notes", *draw("notes", seed=35)[:1])
    slow(person, 500)
    quickly(person, "4 n u 2 j s Enter 3", 10)
    person.page.wait_for_selector("#card-2 .mine")
    quiet(person)
    assert [(line["verdict"], line["note"]) for line in served.lines("notes")] == [
        ("wrong_kind", ""),
        ("session_smaller", "u2js"),
    ]


def test_no_key_crosses_to_another_session(served, analyst, draw):
    person = analyst(served, "Fox")
    person.take("cross", *draw("cross", seed=36)[:2])
    first = person.session()
    slow(person, 300)
    person.press("s")
    quickly(person, "1 3 4 u 2", 40)
    person.page.wait_for_selector("#lost")
    quiet(person)
    assert person.session() != first and set(by_gig(person)) == {""}
    assert len(served.lines("cross")) == 1
    assert "Keys that you pressed before this page was there were not counted." in person.page.inner_text("#lost")
    person.page.wait_for_timeout(300)
    person.turn("3")
    assert by_gig(person)[0] == "session_smaller" and not person.page.locator("#lost").count()


def test_keys_of_one_go_end_with_the_session_that_they_began_on(served, analyst, draw):
    """The last of them are pressed when the next session is there already: nobody has looked at it."""
    person = analyst(served, "Gus")
    person.take("go", *draw("go", seed=37)[:2])
    slow(person, 100)
    person.press("s")
    quickly(person, "1 3 4 2 3 4 2 3 4 2", 80)
    quiet(person)
    assert len(served.lines("go")) == 1 and set(by_gig(person)) == {""}


def test_clicks_while_an_answer_is_awaited_are_kept_for_the_gig_that_was_clicked(served, analyst, draw):
    person = analyst(served, "Hew")
    person.take("clicks", *draw("clicks", seed=38)[:1])
    slow(person, 500)
    for card, word in ((3, "wrong_kind"), (1, "session_larger"), (1, "session_larger"), (4, "cant_say")):
        person.page.locator(f"#card-{card} button.{word}").click(no_wait_after=True)
        person.page.wait_for_timeout(20)
    person.page.wait_for_selector("#card-4 .mine")
    quiet(person)
    assert by_gig(person)[:5] == ["session_larger", "", "wrong_kind", "cant_say", ""]
    assert len(served.lines("clicks")) == 3


@pytest.mark.parametrize(
    ("status", "kind", "body", "told"),
    [
        (502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>", "answered 502, which"),
        (502, "text/html", '<html><body><div id="page">Bad Gateway</div></body></html>', "answered 502, which"),
        (500, "text/plain", "a fault of the program\n", "answered 500 (a fault of the program), which"),
        (200, "text/html", "<title>Log in</title><form><input name=user></form>", "answered 200, which"),
        (200, "text/html", "", "answered 200, which"),
    ],
)
def test_an_answer_that_is_no_page_leaves_the_page(served, analyst, draw, status, kind, body, told):
    audit = f"bad-{status}-{len(body)}"
    person = analyst(served, "Ike")
    proxy = Proxy(person, status, body, kind)
    person.take(audit, *draw(audit, seed=39)[:1])
    person.turn("2")
    address, title = person.page.url, person.page.title()
    proxy.broken = True
    quickly(person, "3 4", 60)  # the second of them was meant for the gig after the one that got nothing
    person.page.wait_for_selector("#lost")
    quiet(person)
    line = person.page.inner_text("#lost")
    assert told in line and "the last verdict was not kept. Give it again" in line
    assert person.page.inner_text("#said") == ""
    assert (person.page.url, person.page.title()) == (address, title)
    assert (person.focus(), by_gig(person)[:3]) == ("2", ["session_larger", "", ""])
    proxy.broken = False
    person.page.wait_for_timeout(300)
    person.turn("3")
    assert by_gig(person)[:3] == ["session_larger", "session_smaller", ""] and person.focus() == "3"
    assert len(served.lines(audit)) == 2 and not person.page.locator("#lost").count()
    forgive(person, f"status of {status}")


def test_a_fault_told_on_a_page_takes_no_waiting_key_and_keeps_what_was_typed(served, analyst, draw):
    person = analyst(served, "Jan")
    person.take("told", *draw("told", seed=40)[:1])
    person.press("s", "p")
    person.page.keyboard.type("a lot")
    person.press("Enter")
    slow(person, 200)
    quickly(person, "2 3", 40)
    person.page.wait_for_selector("text=expected US dollars above 0")
    quiet(person)
    assert served.lines("told") == [] and person.page.inner_text("#said") == ""
    person.page.click("text=Back to where you were")
    person.page.wait_for_selector("[data-field=price]")
    quiet(person)
    assert person.page.input_value("[data-field=price]") == "a lot"


def test_j_from_the_session_goes_to_the_first_gig_without_a_verdict(served, analyst, draw):
    person = analyst(served, "Kay")
    person.take("step", *draw("step", seed=41)[:1])
    person.turn("4")
    person.turn("3")
    person.press("s")
    assert person.focus() == "session"
    person.press("j")
    assert person.focus() == "3"
    person.press("k")
    assert person.focus() == "2"
    person.press("s", "ArrowDown")
    person.turn("2")
    assert by_gig(person)[:4] == ["wrong_kind", "session_smaller", "session_larger", ""]


def test_a_price_and_notes_that_were_not_sent_stay_while_gigs_are_judged(served, analyst, draw):
    person = analyst(served, "Lea")
    person.take("unsent", *draw("unsent", seed=42)[:1])
    person.press("p")
    person.page.keyboard.type("125.50")
    person.press("Enter", "n")
    person.page.keyboard.type("half of it")
    person.press("Enter", "j", "j", "n")
    person.page.keyboard.type("of gig 2")
    person.press("Enter", "k")
    person.turn("4")
    assert person.page.input_value("[data-field=price]") == "125.50"
    assert person.page.input_value("[data-field=note]") == "half of it"
    assert person.page.input_value("#card-2 [name=note]") == "of gig 2"
    assert person.page.locator("#card-2 [name=note]").is_visible()
    person.turn("3")
    person.turn("u")  # the note went with the verdict; what is still unsent is there after an undo, too
    assert person.page.input_value("[data-field=price]") == "125.50"
    person.press("s")
    person.turn("2")
    assert [(line["verdict"], line["price_usd"], line["note"]) for line in served.standing("unsent")] == [
        ("wrong_kind", None, ""),
        ("session_larger", 125.5, "half of it"),
    ]


def test_who_leaves_a_session_with_an_unsent_price_is_told_and_finds_it_again(served, analyst, draw):
    person = analyst(served, "Moe")
    person.take("left", *draw("left", seed=43)[:2])
    first = person.session()
    for key in "4323":
        person.turn(key)
    person.press("p")
    person.page.keyboard.type("99")
    person.press("Enter")
    person.page.locator("#card-5").focus()
    person.turn("1")
    assert person.session() != first
    line = person.page.inner_text("#lost")
    assert "You typed “99” for the session before, which went with no verdict and is not kept." in line
    assert person.page.input_value("[data-field=price]") == ""
    person.page.click("#lost a")
    person.page.wait_for_function("() => document.querySelector('[data-field=price]').value === '99'")
    assert person.session() == first
    person.press("s")
    person.turn("2")
    assert [line["price_usd"] for line in served.lines("left")] == [None] * 5 + [99.0]


def test_a_field_that_is_written_in_when_the_page_comes_is_written_in_further(served, analyst, draw):
    person = analyst(served, "Nat")
    person.take("field", *draw("field", seed=44)[:1])
    slow(person, 500)
    person.page.locator("#card-1 button.wrong_kind").click(no_wait_after=True)
    person.page.locator("[data-field=price]").click(no_wait_after=True)
    for sign in "1234512345":
        person.page.keyboard.press(sign)
        person.page.wait_for_timeout(90)
    quiet(person)
    assert person.page.input_value("[data-field=price]") == "1234512345" and person.focus() == "session"
    assert len(served.lines("field")) == 1


def test_a_key_pressed_before_the_field_is_there_again_is_written_into_it(served, analyst, draw):
    """Between the new page and the focus lie some milliseconds: the key is pressed just then."""
    person = analyst(served, "Ned")
    person.take("gap", *draw("gap", seed=48)[:1])
    slow(person, 500)
    person.page.evaluate(
        """() => document.addEventListener('htmx:afterSwap', () => document.body.dispatchEvent(
          new KeyboardEvent('keydown', { key: '3', bubbles: true, cancelable: true })), { once: true })"""
    )
    person.page.locator("#card-1 button.wrong_kind").click(no_wait_after=True)
    person.page.locator("[data-field=price]").click(no_wait_after=True)
    quickly(person, "1 2", 20)
    person.page.wait_for_selector("#card-1 .mine")
    quiet(person)
    assert person.page.input_value("[data-field=price]") == "123" and person.focus() == "session"
    assert len(served.lines("gap")) == 1 and by_gig(person)[1] == ""


def test_letters_written_over_the_end_of_a_session_are_no_keys(served, analyst, draw):
    person = analyst(served, "Quy")
    person.take("over", *draw("over", seed=47)[:2])
    first = person.session()
    slow(person, 400)
    person.page.locator("[data-card=session] button.comparable").click(no_wait_after=True)
    person.page.locator("[data-field=note]").click(no_wait_after=True)
    quickly(person, "u 4 u 3 u 2 u 1 j 5", 300)
    quiet(person)
    assert person.session() != first
    assert [line["action"] for line in served.lines("over")] == ["verdict"]
    assert "You typed “u" in person.page.inner_text("#lost")


def test_a_better_gig_that_was_picked_stays_until_it_goes_with_a_verdict(served, analyst, draw):
    session = draw("picked", seed=45)[0]
    person = analyst(served, "Oda")
    person.take("picked", session)
    better = _picked(person)
    person.press("j")
    assert person.focus() == "1"
    quickly(person, "4 2", 20)
    person.page.wait_for_selector("#card-2 .mine")
    quiet(person)
    assert by_gig(person)[:3] == ["wrong_kind", "session_larger", ""] and person.focus() == "3"
    for key in "341":
        person.turn(key)
    # one is comparable, and so the session would be done; but a better gig is still to go with a verdict
    assert person.session() == session and person.focus() == "session"
    assert better in person.page.inner_text(".better h4")
    person.turn("2")
    assert person.session() != session
    lines = served.lines("picked")
    assert [bool(line["better_posting_id"]) for line in lines] == [False] * 5 + [True]


def _picked(person: Person) -> str:
    """Search by words and pick the first gig found; returns its title."""
    person.press("/")
    person.page.wait_for_selector("#q:focus")
    person.page.keyboard.type("website")
    person.press("Tab", "ArrowRight")
    person.tab_to("Search")
    person.press("Enter")
    person.page.wait_for_selector(".results .card:focus")
    before = person.nonce
    person.press("Enter")
    person.settled(before)
    assert person.focus() == "session"
    return person.page.inner_text(".better h4 .quoted")


def test_an_unsent_price_outlives_a_search_for_a_better_gig(served, analyst, draw):
    person = analyst(served, "Pam")
    person.take("search", *draw("search", seed=46)[:1])
    person.press("p")
    person.page.keyboard.type("70")
    person.press("Enter")
    _picked(person)
    assert person.page.input_value("[data-field=price]") == "70"
    person.turn("3")
    line = served.lines("search")[0]
    assert line["price_usd"] == 70.0 and line["better_posting_id"]
