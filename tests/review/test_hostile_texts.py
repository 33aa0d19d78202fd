"""Texts of postings, sessions, analysts and files are shown as text: no markup, no script, no hidden characters."""

from __future__ import annotations

import shutil
import sqlite3
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from valuation.review.cards import safe_url
from valuation.review.gigs_build import FILE
from valuation.review.match import neighbours_of

from .site import UNSEEN, Site, read, unhidden

ATTACK = (
    '<script>alert(1)</script><img src=x onerror=alert(1)>"\' onfocus=alert(1) autofocus hx-get=/undo data-x="'
    "</p></form></textarea></title><svg/onload=alert(1)><iframe srcdoc=x>{{7*7}}{% raw %}${7*7}<!--"
    "\u202ereversed\u2066isolated\u200bzero\u200d\ufeffwidth\u00ad &lt;b&gt; <a href=javascript:alert(1)>x</a>"
)
BAD = [
    "javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
    "vbscript:x", 
    "//evil", "file:///etc/passwd", "https://ok.example/ onclick=alert(1)", "", "https", "ftp://x", "https://a\u202eb",
    "https://" + "a" * 2000, "HTTP\x00://a",
]  # fmt: skip
GOOD = ['https://ok.example/"onclick="alert(1)', "http://ok.example/<script>'"]


@pytest.fixture(scope="module")
def attacked(audited, tmp_path_factory):
    """A workspace whose every text, id and column name is an attack."""
    root = tmp_path_factory.mktemp("attacked") / "work"
    shutil.copytree(audited, root)

    def spoil(path, change):
        pq.write_table(change(pq.read_table(path)), path)

    def ids(table: pa.Table) -> pa.Table:
        column = table.column_names.index("session_id")
        renamed = pc.binary_join_element_wise(
            table["session_id"].cast(pa.string()), pa.scalar(ATTACK[:150] + "\u202e\u200b"), ""
        )
        return table.set_column(column, "session_id", renamed.cast(table.schema.field("session_id").type))

    def summaries(table: pa.Table) -> pa.Table:
        at = table.column_names.index("summary")
        text = pc.binary_join_element_wise(table["summary"].cast(pa.string()), pa.scalar(ATTACK * 4), " ")
        table = table.set_column(at, "summary", text)
        for number, name in enumerate((ATTACK, "kind\u202e<b>", "{{7*7}}")):
            table = table.append_column(name, pa.array([ATTACK] * (len(table) - 1) + [f"other {number}"]))
        return table

    for path in root.glob("sessions/*/*.parquet"):
        spoil(path, lambda table: summaries(ids(table)))
    run = root / "runs" / (root / "runs" / "latest").read_text().strip()
    for name in ("values", "matches", "workings"):
        if (run / f"{name}.parquet").exists():
            spoil(run / f"{name}.parquet", ids)
    made = Site(root)
    made.desk.close()
    (store,) = root.glob(f"indices/*/{FILE}")
    with sqlite3.connect(store) as gigs:
        for place, (row,) in enumerate(gigs.execute('SELECT "row" FROM gigs').fetchall()):
            values = (
                ATTACK,
                ATTACK * 9,
                f"['{ATTACK}']",
                ATTACK,
                (GOOD if place % 2 else BAD)[place // 2 % 2],
                ATTACK[:60],
                row,
            )

            gigs.execute(
                'UPDATE gigs SET title=?, description=?, skills=?, source=?, url=?, currency=? WHERE "row"=?', values
            )
    gigs.close()
    made = Site(root)
    yield made
    made.close()


def clean(page: str, *, holds: bool = True) -> None:
    """The page has no markup but its own, and says the attack as words where it should."""
    found = read(page)
    assert found.faults == []
    said = "".join(found.said)
    assert not (unseen := UNSEEN.search(said)), said[max(unseen.start() - 80, 0) : unseen.end()]
    assert "alert(1)" in said or not holds


def test_no_page_runs_what_it_shows(attacked: Site):
    who = attacked.who("Ada")
    session, gig = unhidden(attacked)
    run, quoted = f"/runs/{attacked.run_id}", quote(session)
    assert who.judge(session, gig, note=ATTACK).status == 303
    assert attacked.who("Bo").judge(session, gig, "wrong_kind", note=ATTACK, better=gig).status == 303
    other = next(one.posting_id for one in neighbours_of(attacked.run, session) if one.posting_id != gig)
    for path in (
        f"{run}/session?id={quoted}&gigs=50", f"{run}/session?id={quoted}&better={quote(other)}",
        f"{run}/arithmetic?id={quoted}", 
        f"{run}/words?id={quoted}&gig={quote(gig)}", f"{run}/sessions", f"{run}/sessions?queue=mine&sort=summary",
        f"{run}/sessions?words={quote(ATTACK[:30])}&is.{quote(ATTACK, safe='')}={quote(ATTACK, safe='')}",
        f"{run}/search?q={quote(ATTACK)}&by=words&id={quoted}", f"{run}/search?q=alert&by=words",
        f"{run}/session?id={quote(ATTACK)}", 
        f"{run}/search?q=x&by={quote(ATTACK)}", f"/audits/{quote(ATTACK[:40], safe='')}",
        f"/sign-in?key={quote(ATTACK)}&next={quote(ATTACK)}", 
    ):  # fmt: skip
        answer = who.get(path)
        assert answer.status in (200, 403, 404, 422), (path, answer.status)
        clean(answer.text, holds=answer.status == 200 and "sign-in" not in path)
    page = who.get(f"{run}/session?id={quoted}&gigs=50").text
    outward = [one for one in read(page).links if one.startswith("http")]
    assert outward and all(one.startswith(("https://ok.example/", "http://ok.example/")) for one in outward)
    assert "{{7*7}}" in "".join(read(page).said)  # and not 49
    for attempt in (ATTACK, "<script>"):
        refused = who.judge(session, gig, attempt[:20], note=ATTACK * 9)
        assert refused.status in (400, 422)
        clean(refused.text, holds=False)


def test_no_blind_page_runs_what_it_shows(attacked: Site):
    audit = attacked.desk.audit("first")
    hidden = next(iter(audit.wanted))
    # the sample's ids are those of before: its pages say so in words
    page = attacked.who().item("first", hidden)
    assert page.status in (200, 400)
    clean(page.text, holds=page.status == 200)


@pytest.mark.parametrize("url", BAD)
def test_links_that_a_browser_should_not_follow_are_none(url):
    assert safe_url(url) is None


def test_links_of_the_web_are_kept():
    for url in ("https://example.org/jobs/1?a=b#c", "HTTP://EXAMPLE.ORG", "https://例え.jp/仕事"):
        assert safe_url(url) == url
    assert safe_url(None) is None
