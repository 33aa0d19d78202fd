"""Several analysts at once, each at a browser of their own, on the same audit."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from valuation.tables import AuditSample, read_table

if TYPE_CHECKING:
    from .browser import Person, Served

pytestmark = pytest.mark.slow


def wanted_of(served: Served, audit_id: str) -> dict[str, int]:
    sample = read_table(served.root / "audits" / audit_id / "sample.parquet", AuditSample)
    return dict(zip(sample["session_id"], sample["reviews"], strict=True))


def done(person: Person) -> int:
    """Sessions with every review that is wanted, as the page says."""
    return int(re.match(r"\d+", person.page.locator(".progress p").inner_text())[0])


def test_two_people_never_have_one_session_in_hand_unless_two_are_wanted(served: Served, analyst, draw):
    """They take turns; each sees how far the other is, and in the end every session has the reviews it should."""
    draw("pair", per_month=4, double=0.5, seed=11)
    wanted = wanted_of(served, "pair")
    people = [analyst(served, name, "/audits/pair/next") for name in ("Kim", "Lou")]
    judged: dict[str, set[str]] = {"Kim": set(), "Lou": set()}
    while any("/item" in one.page.url for one in people):
        for one in people:
            if "/item" not in one.page.url:
                one.go("/audits/pair/next")  # what was in the other's hands may be free, but nothing is left
                continue
            held = [person.session() for person in people if "/item" in person.page.url]
            assert all(wanted[session] >= n for session, n in Counter(held).items())
            judged[one.name].add(one.session())
            one.press("s")
            one.turn("1")
            finished = Counter(session for sessions in judged.values() for session in sessions)
            assert done(one) == sum(finished[session] == n for session, n in wanted.items())
            assert f"{len(judged[one.name])} judged by you" in one.page.locator(".progress p").inner_text()
    assert Counter(session for sessions in judged.values() for session in sessions) == wanted
    assert Counter(line["session_id"] for line in served.lines("pair")) == wanted
    assert {line["analyst"] for line in served.lines("pair")} == {"Kim", "Lou"}


def test_a_session_in_another_analysts_hands_is_not_shown(served: Served, analyst, draw):
    session = draw("held", seed=12)[0]
    analyst(served, "Mia").take("held", session)
    other = analyst(served, "Ned", f"/audits/held/item?id={session}")
    assert other.page.locator("h1").inner_text() == "Another analyst has this session in hand"
    assert not other.page.locator("form.card").count()
    other.page.click("main .button")
    assert other.session() != session


def test_a_disagreement_appears_and_a_third_settles_it(served: Served, analyst, draw):
    session = draw("differ", double=1.0, seed=13)[0]
    first, second, third = (analyst(served, name) for name in ("Ola", "Pia", "Quin"))
    for one, keys in ((first, "11444"), (second, "14441")):
        one.take("differ", session)
        for number, key in enumerate(keys, start=1):
            title = sorted(one.titles())[number - 1]  # the same gig for both, wherever it stands
            one.page.locator(f"#card-{one.titles().index(title) + 1}").focus()
            one.turn(key)
    third.go("/audits/differ")
    assert "1 to settle" in third.page.locator("main").inner_text()
    third.page.click("text=1 to settle")
    third.page.wait_for_url("**/disagreements")
    assert third.texts("tbody tr td") == ["Ola, Pia", "2", "–"]
    third.page.click("tbody a")
    third.page.wait_for_selector("form.card.whole")
    said = {title: third.texts(f"#card-{place} .others li") for place, title in enumerate(third.titles(), start=1)}
    assert [said[title] for title in sorted(said)] == [
        [f"Ola: {one}", f"Pia: {other}"]
        for one, other in (
            ("Comparable", "Comparable"),
            ("Comparable", "Wrong kind"),
            ("Wrong kind", "Wrong kind"),
            ("Wrong kind", "Wrong kind"),
            ("Wrong kind", "Comparable"),
        )  # fmt: skip
    ]
    assert not third.page.locator(".numbers, .facts").count()  # the verdicts are shown, the figures are not
    first_of_two, last_of_two = (third.titles().index(sorted(said)[number]) + 1 for number in (1, 4))
    third.page.locator(f"#card-{first_of_two}").focus()
    third.turn("1")
    third.turn("u")
    assert "Your last verdict is taken back." in third.page.locator("main").inner_text()
    third.page.locator(f"#card-{first_of_two}").focus()
    third.turn("1")
    third.go("/audits/differ/disagreements")
    assert third.texts("tbody tr td") == ["Ola, Pia", "2", "–"]  # one of the two gigs is still left
    third.page.click("tbody a")
    third.page.wait_for_selector("form.card.whole")
    third.page.locator(f"#card-{last_of_two}").focus()
    third.turn("4")
    third.press("s")
    third.press("2")
    third.page.wait_for_url("**/disagreements")
    third.page.wait_for_selector("tbody tr")
    assert third.texts("tbody tr td") == ["Ola, Pia", "2", "Quin"]
    lines = [line for line in served.standing("differ") if line["adjudicates"]]
    assert [(line["analyst"], line["verdict"]) for line in lines] == [
        ("Quin", "comparable"), ("Quin", "wrong_kind"), ("Quin", "session_larger")
    ]  # fmt: skip
    assert len(served.standing("differ")) == 13  # nobody's own verdict is overwritten
