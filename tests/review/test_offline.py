"""The offline page: what is in the file, and what a browser does with it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from valuation.audit.opening import open_audit
from valuation.review.offline import filled, in_script, offline_page
from valuation.storage import read_postings, read_sessions, write_sessions
from valuation.workspace import Workspace

EVIL = "</script><img src=x onerror=alert(1)><!-- <script> \u2028 {{script}} &amp; \u202e"


@pytest.fixture
def home(work, tmp_path):
    root = tmp_path / "home"
    shutil.copytree(work.layout.root, root)
    workspace = Workspace(root)
    workspace.audit_draw(per_month=12, name="a")
    return workspace


def page_of(home, analyst=""):
    return offline_page(home.layout, home.settings, open_audit(home.layout), analyst)


def data_of(page):
    (block,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(block)


@pytest.mark.slow
def test_the_sample_stands_on_it_in_the_order_of_work(home):
    audit = open_audit(home.layout)
    data = data_of(page_of(home))
    assert (data["audit"], len(data["sessions"])) == ("a", len(audit.wanted))
    summary = read_sessions(home.layout).set_index("session_id")["summary"]
    words = {word for word in re.findall(r"[a-z]{5,}", summary[next(iter(audit.wanted))].lower())}
    shown = data["sessions"][0]
    assert words and words <= set(re.findall(r"[a-z]{5,}", (shown["lead"] + " " + shown["rest"]).lower()))
    matched = audit.frame.set_index("session_id")["matched"]
    gigs = [len(one["gigs"]) for one in data["sessions"]]
    assert gigs == [home.settings.review.gigs if matched[one] else 1 for one in audit.wanted]


def test_nothing_that_is_hidden_is_in_the_file(home):
    page = page_of(home, "Ada")
    audit = open_audit(home.layout)
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    near = matches[matches["session_id"].isin(audit.wanted)]
    postings = read_postings(home.layout).set_index("posting_id")
    for posting in near["posting_id"].unique():
        assert posting not in page
        assert f"{postings.loc[posting, 'price_usd']:.2f}" not in page
    for session in audit.wanted:
        assert session not in page
    for word in (*postings["source"].unique(), *audit.months, "similarity", "http:", "https:", "log_value"):
        assert str(word) not in page, word


@pytest.mark.slow
def test_gigs_are_shuffled_by_session_and_analyst(home):
    first, second, again = (data_of(page_of(home, name))["sessions"] for name in ("Ada", "Bo", "Ada"))
    assert first == again
    orders = (
        [[gig["id"] for gig in one["gigs"]] for one in first],
        [[gig["id"] for gig in one["gigs"]] for one in second],
    )
    assert orders[0] != orders[1]
    assert [sorted(one) for one in orders[0]] == [sorted(one) for one in orders[1]]


def test_texts_that_would_end_a_script_stay_texts(home):
    sessions = read_sessions(home.layout)
    audit = open_audit(home.layout)
    first = next(iter(audit.wanted))
    sessions.loc[sessions["session_id"] == first, "summary"] = f"Build a page {EVIL}"
    write_sessions(home.layout, sessions)
    page = page_of(home)
    assert page.count("</script>") == 2
    assert "<img" not in page and "\u202e" not in page
    shown = data_of(page)["sessions"][0]
    assert "</script><img src=x onerror=alert(1)>" in shown["lead"] + shown["rest"]


@pytest.mark.slow
def test_the_policy_names_the_very_script_and_style(home):
    import base64
    import hashlib

    page = page_of(home)
    for element in ("style", "script"):
        (inside,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not re.search(r"\son[a-z]+=", page.split('id="data"')[0])
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "innerHTML" not in page and "eval(" not in page


def test_the_data_block_is_json_that_ends_nothing():
    data = {"a": EVIL, "b": ["<", ">", "&"]}
    text = in_script(data)
    assert not set("<>&") & set(text)
    assert json.loads(text) == data
    assert data_of(filled({"audit": "{{style}}", "sessions": []})) == {"audit": "{{style}}", "sessions": []}


@pytest.mark.slow
def test_a_batch_by_keyboard_in_a_browser(home, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    home.audit_export("a", tmp_path / "out", formats=["html"], analyst="Ada")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 360, "height": 740}, accept_downloads=True)
        page = context.new_page()
        seen: list[str] = []
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("request", lambda request: seen.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((tmp_path / "out" / "audit-a.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        for key in ("2", "u", "1", "3", "4", "5", "2"):
            page.keyboard.press(key)
        assert (
            "1 of 24 sessions done: 1 comparable, 1 session larger, 1 session smaller, 1 wrong kind, 1 can't say"
            in (page.inner_text("#count"))
        )
        for key in ("4", "4", "4", "4", "4", "p"):  # nothing fits: the page asks for a price
            page.keyboard.press(key)
        page.keyboard.type("149.5")
        page.keyboard.press("Escape")
        page.keyboard.press("1")
        page.reload()
        assert page.inner_text("#count").startswith("2 of 24 sessions done")
        assert page.inner_text("h2") == "Session 3 of 24"
        with page.expect_download() as download:
            page.click("#save")
        saved = tmp_path / download.value.suggested_filename
        download.value.save_as(saved)
        assert seen == []
        browser.close()
    result = home.audit_import("a", [str(saved)])
    assert (result.kept, result.quarantined) == (11, 0)
    assert home.audit_import("a", [str(saved)]).already_there == 11
    verdicts = pd.read_csv(Path(home.audit_export("a", tmp_path / "o", formats=["csv"]).out) / "verdicts.csv")
    assert verdicts.loc[verdicts["price_usd"].notna(), ["verdict", "price_usd"]].to_numpy().tolist() == [
        ["comparable", 149.5]
    ]
    first = list(open_audit(home.layout).wanted)[0]
    assert sorted(verdicts.loc[verdicts["session_id"] == first, "verdict"]) == [
        "cant_say", "comparable", "session_larger", "session_smaller", "wrong_kind",
    ]  # fmt: skip
