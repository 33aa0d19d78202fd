"""A real browser on the real server: what the browser tests share."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pandas as pd

from valuation.review.blind_text import mask_blind, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

WIDE, NARROW, NARROWEST = {"width": 1280, "height": 800}, {"width": 360, "height": 740}, {"width": 320, "height": 640}
BOUNCE = 0.25  # seconds between two presses of one key that are meant
PATIENCE = 15_000  # milliseconds until a page that does not come is a fault
NONCE = "(document.querySelector('#page [name=nonce]') || {}).value"


@dataclass(frozen=True)
class Served:
    """A workspace whose pages a process of its own serves."""

    root: Path
    url: str
    sign_in: str

    @property
    def run_id(self) -> str:
        return (self.root / "runs" / "latest").read_text().strip()

    def lines(self, audit_id: str) -> list[dict[str, object]]:
        """The verdict log of an audit as it lies on the disk, read without our code."""
        with contextlib.closing(sqlite3.connect(f"file:{self.root / 'review.db'}?mode=ro", uri=True)) as log:
            log.row_factory = sqlite3.Row
            rows = log.execute("SELECT * FROM verdicts WHERE audit_id = ? ORDER BY id", [audit_id]).fetchall()
        return [dict(row) for row in rows]

    def standing(self, audit_id: str) -> list[dict[str, object]]:
        """Lines that nothing took back, the last by each analyst on each thing."""
        lines = self.lines(audit_id)
        undone = {line["undoes"] for line in lines}
        left = [line for line in lines if line["action"] == "verdict" and line["id"] not in undone]
        key = ("session_id", "posting_id", "analyst", "adjudicates")
        return list({tuple(line[name] for name in key): line for line in left}.values())


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Served]:
    """Run `valuation review` on a workspace until the test is over."""
    command = [sys.executable, "-m", "valuation.cli", "review", "-w", str(root), "--set", "review.port=0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_quiet())
    try:
        line = process.stdout.readline()
        said = json.loads(line or "{}")
        if "sign_in" not in said:
            raise AssertionError(f"the pages did not start: {line or process.stderr.read()}")
        yield Served(root, said["url"].rstrip("/"), said["sign_in"])
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=30)
    broken = [line for line in errors.splitlines() if line and not line.startswith((" ", "ERROR:", "Traceback"))]
    assert "Traceback" not in errors, broken


def _quiet() -> dict[str, str]:
    return os.environ | {"VALUATION_WORKSPACE": "", "PYTHONWARNINGS": "ignore"}


@dataclass
class Person:
    """An analyst at a browser of their own; `faults` is what no page may do."""

    name: str
    context: BrowserContext
    page: Page
    served: Served
    faults: list[str] = field(default_factory=list)
    _pressed: tuple[str, float] = ("", 0.0)

    def go(self, path: str) -> None:
        self.page.goto(self.served.url + path)

    def take(self, audit_id: str, *sessions: str) -> None:
        """Take sessions in hand, and show the first of them."""
        for session_id in reversed(sessions):
            self.go(f"/audits/{audit_id}/item?id={session_id}")

    def press(self, *keys: str) -> None:
        """Press keys that change nothing on the server."""
        for key in keys:
            self.page.keyboard.press(key)

    def turn(self, key: str) -> None:
        """Press a key that brings another page, and wait for it; never so fast that it counts as a bounce."""
        if self._pressed[0] == key:
            self.page.wait_for_timeout(max(0.0, 1000 * (BOUNCE + self._pressed[1] - time.monotonic())))
        before = self.nonce
        self._pressed = key, time.monotonic()
        self.page.keyboard.press(key)
        self.settled(before)

    def settled(self, before: str | None) -> None:
        """Wait until a page is there that is not the one `before` was on."""
        self.page.wait_for_function(f"was => document.readyState === 'complete' && {NONCE} !== was", arg=before)
        self.page.wait_for_function("() => !document.querySelector('.htmx-swapping, .htmx-settling, .htmx-request')")

    @property
    def nonce(self) -> str | None:
        """Changes with every page that holds a form."""
        found: str | None = self.page.evaluate(NONCE)
        return found

    def focus(self) -> str:
        """`data-card` of what the focus is in, or the tag of what has it."""
        return str(
            self.page.evaluate(
                "(document.activeElement.closest('[data-card]') || {dataset: {}}).dataset.card"
                " || document.activeElement.tagName"
            )
        )

    def session(self) -> str:
        return self.page.locator("form[data-card=session] [name=session]").input_value()

    def tab_to(self, text: str) -> None:
        """Press Tab until the focus is on what says `text`."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if text in (self.page.evaluate("document.activeElement.innerText || document.activeElement.id") or ""):
                return
        raise AssertionError(f"{text!r} cannot be reached with Tab on {self.page.url}")

    def titles(self) -> list[str]:
        """Titles of the gigs on the page, in their order."""
        return self.texts(".card.gig h3 .quoted")

    def texts(self, selector: str) -> list[str]:
        return [one.strip() for one in self.page.locator(selector).all_inner_texts()]


class Analysts:
    """Opens browsers; no page of any may leave the host, break the content policy or fail in a script."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.opened: list[Person] = []

    def __call__(self, served: Served, name: str = "", at: str = "/", **options: object) -> Person:
        """A browser; signed in by the printed link where there is a name."""
        context = self._browser.new_context(**({"viewport": WIDE} | options))
        context.set_default_timeout(PATIENCE)
        person = Person(name, context, context.new_page(), served)
        self.opened.append(person)
        context.on("request", lambda request: self._check(person, request.url))
        context.on("console", lambda said: self._heard(person, said.type, said.text))
        context.on("weberror", lambda error: person.faults.append(str(error.error)))
        context.on("dialog", lambda dialog: (person.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        if name:
            person.page.goto(f"{served.sign_in}&next={at}")
            person.page.fill("#name", name)
            person.page.keyboard.press("Enter")
            person.page.wait_for_url(lambda url: "/sign-in" not in url)
        return person

    @staticmethod
    def _check(person: Person, url: str) -> None:
        if not url.startswith(("data:", "blob:")) and urlsplit(url).hostname != "127.0.0.1":
            person.faults.append(f"asked another host: {url}")

    @staticmethod
    def _heard(person: Person, kind: str, text: str) -> None:
        answered = re.search(r"status of 4\d\d", text)  # the browser tells of our own 404 pages, too
        if kind in ("error", "warning") and not answered:
            person.faults.append(f"console {kind}: {text}")

    def close(self) -> list[str]:
        for one in self.opened:
            one.context.close()
        return [f"{one.name or 'nobody'}: {fault}" for one in self.opened for fault in one.faults]


def gig_titles(served: Served) -> dict[str, str]:
    """Titles as they were imported, by posting_id."""
    files = [
        pd.read_parquet(path, columns=["posting_id", "title"]) for path in served.root.glob("postings/*/*/*.parquet")
    ]
    table = pd.concat(files)
    return dict(zip(table["posting_id"], table["title"].fillna(""), strict=True))


def shown_title(title: str) -> str:
    """A title as blind pages show it."""
    return visible_text(mask_blind(title)).strip()


def matches_of(served: Served, session_id: str) -> pd.DataFrame:
    """A session's neighbours, nearest first."""
    table = pd.read_parquet(served.root / "runs" / served.run_id / "matches.parquet")
    return table[table["session_id"] == session_id].sort_values("rank", ignore_index=True)


def found(person: Person) -> list[str]:
    """Titles that a search found; while the encoder is being loaded, the page is asked for again."""
    for _ in range(40):
        if not person.page.locator(".notice").count():
            break
        person.page.wait_for_timeout(250)
        person.page.reload()
    return person.texts(".results h2")


def marked(person: Person) -> None:
    """Bring the first gig into view, and wait for its text with the marked words, which takes the plain one's place."""
    person.page.evaluate("() => document.querySelector('#card-1 .text').scrollIntoView({ behavior: 'instant' })")
    person.page.wait_for_selector("#card-1 .text .how")
