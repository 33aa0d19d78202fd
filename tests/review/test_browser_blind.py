"""Blind mode: of what is hidden, not a byte reaches the browser before the verdict, and all of it after."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from valuation.review.figures import dollars
from valuation.review.gigs import open_gigs
from valuation.storage import Layout
from valuation.tables import AuditSample, read_table

from .browser import found, gig_titles, matches_of, serving
from .wire import listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .browser import Person, Served
    from .wire import Wire

pytestmark = pytest.mark.slow

STATIC = ("review.css", "review.js", "htmx.min.js", "icon.svg")
BY_CHANCE = re.compile(rb"^(?:content-length|date|etag|last-modified): .*\r\n", re.IGNORECASE | re.MULTILINE)
NUMBERS = ("price", "value", "band", "similarity", "weight")
TELL_TALE = (
    "UPDATE gigs SET source = 'tell-tale-market', month = '2019-07', posted_at = '2019-07-' || "
    "printf('%02d', 1 + \"row\" % 28) || 'T08:00:00+00:00', url = 'https://tell-tale.example/' || posting_id, "
    'price_low = 70001 + 7 * "row", price_high = 70001 + 7 * "row", description = description || \' Budget \' || '
    "(70001 + 7 * \"row\") || ' or $' || printf('%,d', 70001 + 7 * \"row\") || ', see https://tell-tale.example/' || "
    "posting_id || ' of 2019-07-' || printf('%02d', 1 + \"row\" % 28) || '.'"
)


@pytest.fixture(scope="module")
def served(browser, audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A workspace whose gigs have addresses, dates and figures that are found nowhere by chance, in their texts too."""
    root = tmp_path_factory.mktemp("blind") / "work"
    shutil.copytree(audited, root)
    basket = next(root.glob("indices/*/basket.json")).parent
    open_gigs(Layout(root), basket.name).build()
    with contextlib.closing(sqlite3.connect(basket / "gigs.sqlite", isolation_level=None)) as store:
        store.execute(TELL_TALE)
        store.execute("INSERT INTO words(words) VALUES ('rebuild')")
    with serving(root) as running:
        yield running


def written(amount: float) -> list[str]:
    """Ways to write a figure."""
    return [dollars(amount), f"{amount:.2f}", f"{amount:,.2f}", f"${amount:.0f}", f"{amount:.4g}", repr(amount)]


def hidden_things(served: Served, session_id: str, others: tuple[str, ...]) -> dict[str, list[str]]:
    """What a session's blind pages must not hold, by kind, as it might be written."""
    run = served.root / "runs" / served.run_id
    values = pd.read_parquet(run / "values.parquet").set_index("session_id").loc[session_id]
    matches = matches_of(served, session_id)
    bands = [values[f"{name}_{end}"] for name in ("typical", "single") for end in ("lower", "upper")]
    telling = [one for one in (*bands, values["value_usd"]) if one >= 10]  # noqa: PLR2004 - shorter ones are anywhere
    return {
        "price": [text for one in matches["price_usd"] for text in written(one) if re.search(r"[$,.]", text)],
        "own amount": [f"{start},{rest:03d}" for start in (70, 71, 72, 73, 74) for rest in range(1000)]
        + [str(70_001 + 7 * row) for row in range(1_000)],
        "value": [text for text in written(values["value_usd"]) if re.search(r"[$,.]", text)],
        "band": [text for one in telling for text in written(one) if re.search(r"[$,.]", text)],
        "similarity": [f"{one:.{digits}f}" for one in matches["similarity"] for digits in (3, 4, 6)],
        "weight": [f"{one:.{digits}f}" for one in matches["weight"] for digits in (3, 4, 6)],
        "address": ["tell-tale.example"],
        "source": ["tell-tale-market"],
        "date": ["2019-07", *(f"2019-07-{day:02d}" for day in range(1, 29))],
        "posting_id": sorted(gig_titles(served)),
        "others": list(others),
    }


def found_in(text: str, hidden: dict[str, list[str]], kinds: tuple[str, ...] | None = None) -> dict[str, list[str]]:
    """Hidden things that stand in a text, by kind."""
    found = {}
    for kind in kinds or tuple(hidden):
        choice = "|".join(re.escape(one) for one in sorted(set(hidden[kind]), key=len, reverse=True))
        hits = set(re.findall(rf"(?<![\w.,-])(?:{choice})(?![\w-])", text))
        if hits:
            found[kind] = sorted(hits)
    return found


def received(wire: Wire, person: Person) -> str:
    """All that came since the last time, and the page as it stands now; files that are the same for all left out."""
    came = BY_CHANCE.sub(b"", wire.cut())
    for name in STATIC:
        came = came.replace(files("valuation.review").joinpath("static", name).read_bytes(), b"")
    return came.decode("utf-8", "replace") + person.page.content()


def target(served: Served) -> str:
    """A session with gigs enough that two analysts judge."""
    sample = read_table(served.root / "audits" / "first" / "sample.parquet", AuditSample)
    twice = sample.loc[sample["reviews"] == 2, "session_id"]  # noqa: PLR2004
    return next(one for one in twice if len(matches_of(served, one)) > 4)


def judged_by_another(served: Served, analyst, session_id: str) -> tuple[str, str]:
    """Zebulon's verdicts on the session, each with a note; returns what tells of them."""
    other = analyst(served, "Zebulon")
    other.take("first", session_id)
    for number in range(1, 6):
        other.press("n")
        other.page.keyboard.type("spilt beans")
        other.press("Enter")
        other.turn("4" if number < 5 else "1")
    return "Zebulon", "spilt beans"


def blind_walk(served: Served, person: Person, session_id: str) -> Iterator[str]:
    """Everything that an analyst may do before the last verdict; yields before each look."""
    run, item = served.run_id, f"/audits/first/item?id={session_id}"
    neighbour = matches_of(served, session_id)["posting_id"][0]
    person.go(item)
    assert person.session() == session_id and len(person.titles()) == 5  # noqa: PLR2004
    summary = " ".join(person.texts("#summary p"))[:200]
    yield "blind page"
    for path in (
        f"/runs/{run}/session?id={session_id}", f"{item}&reveal=1", f"/audits/first/adjudicate?id={session_id}",
        "/audits/first/disagreements", "/audits/first/item?id=nope", "/audits/first/next", "/openapi.json",
        f"/runs/{run}/words?id={session_id}&gig={neighbour}",
    ):  # fmt: skip
        person.go(path)
        yield path
    for by in ("meaning", "words"):
        person.go(f"/runs/{run}/search?id={session_id}&audit=first&by={by}&q={summary}")
        found(person)
        yield f"search by {by}"
    person.page.click("[data-pick] >> nth=2")
    person.page.wait_for_selector(".better")
    yield "better gig picked"
    person.page.reload()
    yield "reloaded"
    person.page.locator("#card-1").focus()
    for key in "4321":
        person.turn(key)
        yield f"verdict {key}"
    person.turn("u")
    yield "undone"
    person.turn("1")
    assert person.focus() == "5"
    yield "the last but one"


def test_not_a_byte_of_what_is_hidden_comes_before_the_verdict_and_all_of_it_after(served: Served, analyst):
    session_id = target(served)
    hidden = hidden_things(served, session_id, judged_by_another(served, analyst, session_id))
    with listening(served) as (wire, heard):
        person = analyst(heard, "Ada", "/audits/first")
        for path in ("/", f"/runs/{served.run_id}/sessions", f"/runs/{served.run_id}/sessions?queue=outliers"):
            person.go(path)  # other sessions' figures stand there: nothing of this one may
        came = received(wire, person)
        strings = tuple(kind for kind in hidden if kind not in NUMBERS)
        assert found_in(came, hidden, strings) == {} and session_id not in came
        for step in blind_walk(heard, person, session_id):
            assert found_in(received(wire, person), hidden) == {}, step
        person.turn("5")
        assert found_in(received(wire, person), hidden) == {}, "the next session"
        person.turn("v")
        shown = received(wire, person)
        assert person.session() == session_id and set(found_in(shown, hidden)) == set(hidden)


def test_the_order_of_gigs_tells_nothing_of_similarity_and_is_each_analysts_own(served: Served, analyst):
    titles = gig_titles(served)
    sample = read_table(served.root / "audits" / "first" / "sample.parquet", AuditSample)
    sessions = [one for one in sample["session_id"] if len(matches_of(served, one)) > 4][:6]
    nearest = {one: [titles[gig] for gig in matches_of(served, one)["posting_id"][:5]] for one in sessions}
    orders: dict[str, list[list[int]]] = {}
    for name in ("Ines", "Jo"):
        person = analyst(served, name)
        orders[name] = []
        for session_id in sessions:
            person.go(f"/audits/first/item?id={session_id}")
            if "in hand" in person.page.locator("h1").inner_text():
                continue
            shown = person.titles()
            person.page.reload()
            assert person.titles() == shown and sorted(shown) == sorted(nearest[session_id])
            orders[name].append([nearest[session_id].index(title) for title in shown])
    assert len(orders["Ines"]) > 3
    both = [*orders["Ines"], *orders["Jo"]]
    assert any(order != sorted(order) for order in both) and {order[0] for order in both} != {0}
    again = [order for order in orders["Jo"] if order in orders["Ines"]]
    assert orders["Jo"] and len(again) < len(orders["Jo"])
