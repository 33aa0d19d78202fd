"""Whole crawls of broken, hostile and changed servers: each is survived, bounded, and said aloud."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import psutil
import pytest

from crawlers.replay import FAULTS, SOURCES, ReplaySettings, serve
from valuation.tables import read_table, schemas

pytestmark = pytest.mark.slow

_spec = importlib.util.spec_from_file_location("crawling_tools", Path(__file__).with_name("crawling_tools.py"))
tools = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tools)

ALL = list(SOURCES)
SHORT = (
    "crawl.timeout_seconds=2", "crawl.retries=1", "crawl.max_response_mb=4", "crawl.max_wait_seconds=5",
    "crawl.max_memory_mb=400", "crawl.parallel_sources=5", *(f"sources.{name}.max_requests=100" for name in ALL),
)  # fmt: skip
# One fault a source and round: what each must end with. "good": all is read in the end; "bad": less, and said so.
ROUNDS = [
    {"github": "slow_drip bad", "hackernews": "hang bad", "freelancer": "reset_mid_body bad",
     "upwork": "flaky_500 good", "freelancehunt": "busy_503 good", "jobposting": "forbidden bad",
     "himalayas": "redirect_loop bad", "remotive": "wrong_charset_latin1 good", "remoteok": "truncated bad"},
    {"github": "endless_same bad", "hackernews": "shape_list bad", "freelancer": "endless_fresh bad",
     "upwork": "huge_body bad", "freelancehunt": "huge_body_chunked bad", "jobposting": "gzip_bomb bad",
     "himalayas": "gzip_bomb bad", "remotive": "many_items bad", "remoteok": "records_object bad"},
    {"github": "hostile_text good", "hackernews": "hostile_text good", "freelancer": "hostile_text bad",
     "upwork": "hostile_text bad", "freelancehunt": "hostile_text bad", "jobposting": "hostile_text bad",
     "himalayas": "hostile_text bad", "remotive": "hostile_text good", "remoteok": "hostile_text good"},
    {"github": "wrong_types bad", "hackernews": "future_dates bad", "freelancer": "reversed_price bad",
     "upwork": "null_records bad", "freelancehunt": "bad_links good", "jobposting": "redirect_to_file bad",
     "himalayas": "redirect_elsewhere bad", "remotive": "nasty_prices any", "remoteok": "duplicate_records good"},
    {"github": "robots_disallow_all bad"},
    {"github": "server_error bad", "hackernews": "not_found bad", "freelancer": "html_instead bad",
     "upwork": "shape_null bad", "freelancehunt": "records_null bad", "jobposting": "shape_null bad",
     "himalayas": "hang_mid_body bad", "remotive": "short_body bad", "remoteok": "shape_string bad"},
]  # fmt: skip
UNKNOWN_TO_SITES = ("drift_list_key", "drift_ids")  # a site has no list of records, and an id is optional there
DRIFTS = [name for name in FAULTS if name.startswith("drift_")]


@pytest.fixture(scope="module")
def server():
    with serve(ReplaySettings(postings=60)) as running:
        yield running


@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_every_fault_is_survived_and_said(server, tmp_path, number):
    told = {name: text.split() for name, text in ROUNDS[number].items()}
    server.set_faults([f"{fault}@source={name}" for name, (fault, _) in told.items()])
    root = tools.make(tmp_path / "work")
    names = list(told)
    process = tools.start(root, server.url, names, *SHORT)
    largest = 0
    while process.poll() is None:
        try:
            largest = max([largest, *(child.memory_info().rss for child in psutil.Process(process.pid).children())])
            process.wait(timeout=0.2)
        except (psutil.Error, tools.subprocess.TimeoutExpired):
            continue
    out, err = process.communicate()
    assert largest < 450 * 2**20, f"{largest / 2**20:.0f} MB"
    result = json.loads(out)
    found = {one["source"]: one for one in result["sources"]}
    assert sorted(found) == sorted(names), err
    for name, (fault, expected) in told.items():
        one = found[name]
        if expected != "any":
            assert one["good"] == (expected == "good"), (name, fault, one)
        if not one["good"]:
            assert one["missed"], (name, fault)
            assert one["first_differing"], (name, fault)
            assert name in err
        counted = one["new"] + one["changed"] + one["unchanged"] + one["repeated"] + one["dropped"]
        assert counted == one["records_in"], (name, fault)
    assert process.returncode == (0 if result["good"] else 3)
    assert "Traceback" not in err
    assert not server._call("GET", "/_replay/info").get("elsewhere_requests")
    if number == 2:
        _nothing_hostile_is_left(root)


def _nothing_hostile_is_left(root: Path) -> None:
    """The report escapes what it quotes; tables hold text, without control characters."""
    page = (
        root / "crawl" / "reports" / (root / "crawl" / "reports" / "latest").read_text().strip() / "report.html"
    ).read_text()
    assert "<script" not in page
    postings = tools.tables(root)[0]
    assert len(postings) > 60
    texts = postings[["title", "description", "skills", "url"]].fillna("").to_numpy().ravel()
    assert not any("\x00" in text for text in texts)
    assert all(url.startswith("http") for url in postings["url"].dropna())


@pytest.fixture(scope="module")
def crawled(server, tmp_path_factory):
    """A workspace with a good crawl behind it, to be copied."""
    server.set_faults([])
    root = tools.make(tmp_path_factory.mktemp("good") / "work")
    result, _ = tools.crawl(root, server.url, ALL, *SHORT)
    assert result["good"]
    return root


def drift_of(at: int, number: int) -> str:
    """A drift for each source and round: in three rounds every drift meets three sources or more."""
    known = [one for one in DRIFTS if ALL[at] != "jobposting" or one not in UNKNOWN_TO_SITES]
    return known[(at + 2 * number) % len(known)]


def test_every_drift_meets_several_sources():
    met = [drift_of(at, number) for at in range(len(ALL)) for number in range(3)]
    assert sorted(set(met)) == sorted(DRIFTS)
    assert min(met.count(one) for one in DRIFTS) >= 3


@pytest.mark.parametrize("number", range(3))
def test_a_source_that_changes_its_format_fails_loudly(server, crawled, tmp_path, number):
    root = tmp_path / "work"
    tools.subprocess.run(["cp", "-r", str(crawled), str(root)], check=True)
    before = tools.tables(root)[0]
    told = {name: drift_of(at, number) for at, name in enumerate(ALL)}
    server.set_faults([f"{drift}@source={name}" for name, drift in told.items()])
    result, _ = tools.crawl(root, server.url, ALL, *SHORT, status=3)
    silent = [(one, told[one["source"]]) for one in result["sources"] if one["good"]]
    assert silent == []
    for one in result["sources"]:
        assert "http://127.0.0.1" in one["first_differing"], one
    gone = set(before["posting_id"]) - set(tools.tables(root)[0]["posting_id"])
    may_go = {name for name, drift in told.items() if drift in ("drift_price", "drift_date", "drift_ids")}
    assert {one.partition(":")[0] for one in gone} <= may_go


def test_prices_and_dates_that_cannot_be_are_quarantined_with_their_reason(server, tmp_path):
    server.set_faults(
        ["reversed_price@source=freelancer", "future_dates@source=upwork", "nasty_prices@source=remotive"]
    )
    root = tools.make(tmp_path / "work")
    tools.crawl(root, server.url, ["freelancer", "upwork", "remotive"], *SHORT, status=3)
    held = {}
    for path in (root / "quarantine" / "postings").glob("*.parquet"):
        table = read_table(path, schemas.Quarantine)
        held[table["file"].iloc[0]] = set(table["reason"])
    assert "min_above_max" in held["crawl:freelancer"]
    assert held["crawl:upwork"] >= {"future_date"}
    postings = tools.tables(root)[0]
    assert (postings["price_low"] <= postings["price_high"]).all()
    assert set(postings["source"]) <= {"freelancer", "remotive"}
