"""The offline page: what is in the file, and what a browser does with it."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from valuation.audit.opening import open_audit
from valuation.errors import InputError
from valuation.review.match import is_done
from valuation.review.offline import VERSION, filled, in_script, offline_page
from valuation.storage import read_postings, read_sessions, write_sessions
from valuation.verdicts import VERDICTS
from valuation.verdicts.entries import check_analyst
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
    gigs = [len(one["gigs"]) for one in data["sessions"]]
    assert set(gigs) == {home.settings.review.gigs}  # a session without a match has as many: nothing tells


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
def test_a_batch_by_keyboard_in_a_browser(home, tmp_path, browser):
    home.audit_export("a", tmp_path / "out", formats=["html"], analyst="Ada")
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
    assert "1 of 24 sessions done: 1 comparable, 1 session larger, 1 session smaller, 1 wrong kind, 1 can't say" in (
        page.inner_text("#count")
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
    context.close()
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


def small(tmp_path, name, analyst="", sessions=2):
    """A page made of plain data; returns its address."""
    shown = [
        {
            "id": f"session-{number}",
            "lead": f"Session {number}",
            "rest": "",
            "gigs": [
                {"id": f"gig-{number}-{gig}", "title": f"Gig {gig}", "lead": "", "rest": "", "skills": ""}
                for gig in range(3)
            ],
        }
        for number in range(sessions)
    ]
    path = tmp_path / name / "audit-a.html"
    path.parent.mkdir()
    path.write_text(filled({"version": VERSION, "audit": "a", "analyst": analyst, "sessions": shown}))
    return path.as_uri()


@pytest.fixture
def page(browser):
    """A page of a browser that keeps things; what it may not do is found in the end."""
    context = browser.new_context(accept_downloads=True)
    made = context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    yield made
    context.close()
    assert faults == []


def press(page, keys):
    for key in keys.split():
        page.keyboard.press(key)


def saved_by(page, tmp_path):
    with page.expect_download() as download:
        page.click("#save")
    path = tmp_path / "saved.csv"
    download.value.save_as(path)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.mark.slow
def test_one_analysts_verdicts_do_not_open_under_anothers_name(tmp_path, page):
    ada, bo, anybody = small(tmp_path, "ada", "Ada"), small(tmp_path, "bo", "Bo"), small(tmp_path, "anybody")
    page.goto(ada)
    press(page, "2 3")
    for address, name in ((bo, "Bo"), (anybody, "")):
        page.goto(address)
        assert page.input_value("#name") == name
        assert "0 session larger, 0 session smaller" in page.inner_text("#count")
    page.goto(bo)
    press(page, "4")
    table = saved_by(page, tmp_path)
    assert table[["analyst", "verdict"]].to_numpy().tolist() == [["Bo", "wrong_kind"]]
    page.goto(ada)
    assert "1 session larger, 1 session smaller" in page.inner_text("#count")
    assert not page.locator("#name").is_editable()
    assert set(saved_by(page, tmp_path)["analyst"]) == {"Ada"}


@pytest.mark.slow
def test_a_name_over_verdicts_is_changed_only_by_who_says_so(tmp_path, page):
    asked: list[str] = []
    answers = {"yes": False}
    page.on(
        "dialog",
        lambda dialog: (asked.append(dialog.message), dialog.accept() if answers["yes"] else dialog.dismiss()),
    )
    page.goto(small(tmp_path, "anybody"))
    page.fill("#name", "Ad")
    page.fill("#name", "Ada")
    page.keyboard.press("Escape")
    press(page, "2 3")
    assert asked == []
    page.fill("#name", "Bo")
    page.keyboard.press("Escape")
    assert len(asked) == 1 and "2 verdicts on this page were given by Ada. Are they Bo's?" in asked[0]
    assert page.input_value("#name") == "Ada"
    for none in ("", "Bo)"):  # nor by way of no name at all
        page.fill("#name", none)
        page.keyboard.press("Escape")
        assert page.input_value("#name") == "Ada" and "is no name for 2 verdicts" in page.inner_text("#warning")
    page.reload()
    assert set(saved_by(page, tmp_path)["analyst"]) == {"Ada"}
    answers["yes"] = True
    page.fill("#name", "Ada B.")
    page.keyboard.press("Escape")
    assert len(asked) == 2 and page.inner_text("#warning") == ""
    page.reload()
    assert set(saved_by(page, tmp_path)["analyst"]) == {"Ada B."}


@pytest.mark.slow
def test_a_session_is_done_by_the_rule_of_the_served_pages(tmp_path, page):
    """Every combination of three gigs' verdicts and one on the whole, against `is_done`."""
    page.goto(small(tmp_path, "ada", "Ada", sessions=1))
    keys = ("", "1", "4")
    for said in itertools.product(keys, keys, keys, ("", "3")):
        page.evaluate("localStorage.clear()")
        page.reload()
        for place, key in enumerate(said):
            if key:
                page.evaluate(
                    "place => document.querySelectorAll('.unit')[place].querySelector('button').focus()", place
                )
                press(page, key)
        units = dict(zip(("gig-0-0", "gig-0-1", "gig-0-2", ""), said, strict=True))
        standing = {unit: VERDICTS[int(key) - 1] for unit, key in units.items() if key}
        done = is_done(standing, ["gig-0-0", "gig-0-1", "gig-0-2"])
        assert page.inner_text("#count").startswith(f"{int(done)} of 1 sessions done"), said


@pytest.mark.slow
def test_what_a_session_is_worth_is_asked_where_no_gig_is_comparable(tmp_path, page):
    page.goto(small(tmp_path, "ada", "Ada"))
    press(page, "4 4")
    assert not page.locator(".ask").count()
    press(page, "4")
    assert page.locator(".unit.now").get_attribute("data-unit") == ""
    for told in (page.inner_text(".unit.now .ask"), page.inner_text("#said")):
        assert "None of these gigs is comparable. What is the session worth?" in told
    press(page, "ArrowRight")
    assert page.inner_text("#count").startswith("0 of 2 sessions done")
    assert "1 with no comparable gig, whose worth is still to be said" in page.inner_text("#count")
    press(page, "1 4 4")  # the second is done: back to the one that is not
    assert page.inner_text("h2") == "Session 1 of 2" and page.inner_text("#count").startswith("1 of 2 sessions done")
    press(page, "j j j p 8 0 Escape 2")
    assert page.inner_text("#count").startswith("2 of 2 sessions done") and "worth" not in page.inner_text("#count")
    assert not page.locator(".ask").count()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["Ada (x)", "Ada)", "Ada.", "Ada B", "_Ada", "Ada@b-c", "Ada-", "Ada's", "Ada'", "Zoë 2", "李", "9", "A" * 60],
)
def test_a_name_is_taken_where_an_import_takes_it(tmp_path, page, name):
    try:
        good = bool(check_analyst(name))
    except InputError:
        good = False
    page.goto(small(tmp_path, "anybody"))
    page.fill("#name", name)
    page.keyboard.press("Escape")
    press(page, "2")
    assert ("1 session larger" in page.inner_text("#count")) == good
    assert page.inner_text("#said").startswith("session larger." if good else "First say your name.")
