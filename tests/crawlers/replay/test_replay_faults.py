"""Which requests a fault hits, faults together, and that none is without a check."""

import gzip
import re
from pathlib import Path

import pytest

from crawlers.replay import FAULTS, SOURCES, Fault, ReplaySettings, fault_from_text


def test_every_fault_has_a_meaning_and_a_check():
    here = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    assert set(re.findall(r"^def check_(\w+)", here, re.M)) == set(FAULTS) and all(FAULTS.values())


@pytest.mark.parametrize("source", SOURCES)
def test_no_fault_of_records_or_pages_is_too_much_for_any_source(ask, put, source):
    slow = {
        "hang",
        "hang_mid_body",
        "slow_drip",
        "reset_mid_body",
        "short_body",
        "huge_body",
        "huge_body_chunked",
        "gzip_bomb",
        "many_items",
    }
    clean, page = ask.source(source).body, ask.job_page()
    for name in sorted(set(FAULTS) - slow):
        put(name)
        for reply in (ask.source(source), ask(page), ask("/sitemap.xml"), ask("/sitemaps/jobs-2.xml.gz")):
            assert reply.status != 599, name
    put()
    assert ask.source(source).body == clean


def test_a_fault_hits_only_its_source_and_path(ask, put):
    put("server_error@source=github", "not_found@path=/v2/")
    found = {source: ask.source(source).status for source in SOURCES}
    assert found == {**dict.fromkeys(SOURCES, 200), "github": 500, "freelancehunt": 404}


def test_a_fault_begins_after_some_requests_and_ends_after_its_times(ask, put):
    put(Fault("server_error", source="himalayas", skip=2, times=2))
    assert [ask("/jobs/api").status for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    assert [entry["faults"] for entry in ask.server.log][1:4] == [[], ["server_error"], ["server_error"]]


def test_several_faults_act_together(ask, put):
    put("future_dates", "duplicate_records")
    rows = ask.records("github")
    assert len(rows) == 60 and rows[0] == rows[1] and rows[0]["created_at"].startswith("2124")


def test_robots_is_spared_unless_named(ask, put):
    put("hang", "server_error")
    assert ask("/robots.txt").status == 200
    put("not_found@path=/robots.txt")
    assert (ask("/robots.txt").status, ask("/jobs/api").status) == (404, 200)


def test_faults_as_text():
    fault = fault_from_text("truncated@source=upwork,path=/graphql,skip=1,times=2")
    assert fault == Fault("truncated", source="upwork", path="/graphql", skip=1, times=2)
    for text, message in (
        ("nonsense", "expected one of slow_drip"),
        ("hang@speed=3", "source=NAME"),
        ("hang@source=moon", "moon"),
    ):
        with pytest.raises(ValueError, match=message):
            fault_from_text(text)


def test_pages_are_the_same_from_the_cache_and_with_settings_put_again(server, ask):
    first = [ask.source(source).body for source in SOURCES]
    assert [ask.source(source).body for source in SOURCES] == first
    server.set(ReplaySettings(postings=120))
    assert [ask.source(source).body for source in SOURCES] == first
    assert gzip.decompress(ask("/sitemaps/jobs-2.xml.gz").body).startswith(b"<?xml")
