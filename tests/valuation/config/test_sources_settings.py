"""Settings of sources: every block complete, every fault named, local servers free of the live host's limits."""

import tomllib
from datetime import date

import pytest

from valuation.config import configs_dir, load
from valuation.config.sources import is_loopback
from valuation.errors import ConfigError

NAMES = "github hackernews freelancer freelancehunt upwork jobposting himalayas remotive remoteok".split()
SHIPPED = tomllib.loads((configs_dir() / "sources.toml").read_text(encoding="utf-8"))
LOCAL = "http://127.0.0.1:8123"


def write(tmp_path, text):
    path = tmp_path / "valuation.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(match, *overrides, file=None):
    with pytest.raises(ConfigError, match=match) as caught:
        load(file, overrides)
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)


def test_all_sources_are_there_in_order():
    assert list(SHIPPED)[: len(NAMES)] == NAMES  # a new source comes after them
    assert list(SHIPPED) == list(load().sources)


@pytest.mark.parametrize("name", NAMES)
def test_every_block_says_what_its_terms_allow(name):
    block = SHIPPED[name]
    assert isinstance(block["terms_read_on"], date) and date(2026, 1, 1) <= block["terms_read_on"] <= date(2026, 11, 22)
    assert block["retention_hours"] == "unlimited" or block["retention_hours"] > 0
    assert block["robots"] == "obey"
    if block["base_url"]:
        assert block["base_url"].startswith("https://")
        assert block["terms_url"].startswith("https://")
    assert block["enabled"] or block["why_off"]
    assert block["spider"] == name
    assert list(block) == list(SHIPPED["github"])


def test_what_the_sources_promise():
    found = load().sources
    assert [name for name in NAMES if not found[name].enabled] == ["freelancer"]
    assert "terms" in found["freelancer"].why_off
    assert [name for name in NAMES if found[name].token == "required"] == ["freelancer", "freelancehunt", "upwork"]
    assert [name for name in NAMES if found[name].reference_only] == ["himalayas", "remotive", "remoteok"]
    assert [name for name in NAMES if found[name].retention_hours != "unlimited"] == ["upwork"]
    assert (found["upwork"].retention_hours, found["remotive"].requests_per_day) == (24.0, 4)
    assert found["github"].requests_per_minute <= 30
    assert not [name for name in NAMES if found[name].loopback]


@pytest.mark.parametrize("key", sorted(SHIPPED["github"]))
def test_every_key_can_be_overridden_in_a_file_and_on_the_command_line(tmp_path, key):
    values = {
        "spider": '"upwork"', "enabled": "false", "why_off": '"because"', "base_url": f'"{LOCAL}"',
        "terms_url": '"https://example.org"', "terms_read_on": "2026-10-01", "robots": '"obey"', "token": '"none"',
        "retention_hours": "5.5", "requests_per_minute": "7.0", "requests_per_day": "8", "concurrency": "9",
        "max_requests": "10", "page_size": "11", "queries": '["a", "b,c"]', "price_kind": '"paid"',
        "reference_only": "true", "timezone": '"Europe/Kyiv"', "look_back_days": "1.5", "min_items": "12",
        "min_field_coverage": "0.5", "min_price_share": "0.25", "max_error_share": "0.125",
        "max_unreadable_share": "1.0",
    }  # fmt: skip
    more = {"enabled": '\nwhy_off = "because"'}.get(key, "")
    file = write(tmp_path, f"[sources.github]\n{key} = {values[key]}{more}\n")
    wanted = tomllib.loads(f"v = {values[key]}")["v"]
    by_file = load(file).sources
    on_line = load(
        overrides=[f"sources.github.{key}={values[key]}", *(["sources.github.why_off=x"] if more else [])]
    ).sources
    for found in (by_file, on_line):
        held = getattr(found["github"], key)
        assert (list(held) if isinstance(held, tuple) else held) == wanted
        assert found["hackernews"] == load().sources["hackernews"]


def test_the_command_line_goes_before_the_file(tmp_path):
    file = write(tmp_path, "[sources.github]\nmin_items = 5\nqueries = ['a']\n")
    found = load(file, ["sources.github.min_items=6"]).sources["github"]
    assert (found.min_items, found.queries) == (6, ("a",))


def test_values_are_read_as_what_they_replace():
    found = load(overrides=[
        "sources.github.queries=a b, c", "sources.github.retention_hours=48",
        "sources.upwork.retention_hours=unlimited",
        "sources.freelancer.enabled=true", "sources.github.base_url=http://localhost:1/",
    ]).sources  # fmt: skip
    assert found["github"].queries == ("a b", "c")
    assert (found["github"].retention_hours, found["upwork"].retention_hours) == (48.0, "unlimited")
    assert found["freelancer"].enabled
    assert found["github"].base_url == "http://localhost:1"


@pytest.mark.parametrize(
    ("override", "match"),
    [
        (
            "sources.shop.min_items=5",
            r"unknown source shop; sources are freelancehunt, .*, upwork \(a source of your own needs a spider",
        ),
        ("sources.shop.spider=nothing", "unknown source shop"),
        (
            "sources.github.minitems=5",
            r"--set sources\.github\.minitems=5: unknown setting sources\.github\.minitems; settings are base_url, ",
        ),
        ("sources.github=5", r"expected sources\.NAME\.key=value, such as sources\.github\.min_items=5"),
        ("sources.=5", "expected"),
        ("sources=5", r"expected section\.key=value"),
        ("sources.github.", r"expected section\.key=value"),
        ("sources.github.min_items=-1", r"sources\.github\.min_items: .*greater than or equal to 0, got -1"),
        ("sources.github.min_items=many", r"sources\.github\.min_items: .*integer.*got 'many'"),
        ("sources.github.min_price_share=1.01", r"min_price_share: .*less than or equal to 1, got 1\.01"),
        ("sources.github.min_price_share=nan", "min_price_share"),
        ("sources.github.requests_per_minute=inf", "requests_per_minute"),
        ("sources.github.retention_hours=0", r"retention_hours.*greater than 0"),
        ("sources.github.retention_hours=forever", "retention_hours"),
        ("sources.github.robots=ignore", "robots.*'obey'"),
        ("sources.github.token=maybe", "token"),
        ("sources.github.concurrency=17", "concurrency"),
        ("sources.github.max_requests=0", "max_requests"),
        ("sources.github.timezone=Mars/Olympus", r"timezone: .*IANA time zone such as UTC"),
        ("sources.github.timezone=../../etc/passwd", "timezone"),
        ("sources.github.spider=../evil", "spider"),
        ("sources.github.price_kind=asked", "price_kind"),
        ("sources.github.enabled=false", r"a source that is off must say why \(why_off\)"),
        ("sources.github.terms_read_on=yesterday", "terms_read_on"),
        ("sources.github.base_url=ftp://a.org", "base_url: .*expected a URL such as https://api.example.org"),
        ("sources.github.base_url=api.github.com", "expected a URL such as"),
        ("sources.github.base_url=https://", "expected a URL such as"),
        ("sources.github.base_url=https://a.org/?q=1", "expected a URL such as"),
        ("sources.github.base_url=https://a.org/#x", "expected a URL such as"),
        (
            "sources.github.base_url=https://user:pw@a.org",
            "must not hold a name or password; tokens come from the environment",
        ),
        ("sources.github.base_url=https://a.org:99999", "base_url"),
        ("sources.github.base_url=http://[::1", "base_url"),
    ],
)  # fmt: skip
def test_faults_are_named_with_what_was_expected(override, match):
    refused(match, override)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("sources = 5", "sources is a section"),
        ("[sources]\ngithub = 5", r"sources\.github is a section: write sources\.github\.KEY = VALUE"),
        ("[sources.github]\ntypo = 1", r"valuation\.toml: unknown setting sources\.github\.typo"),
        ("[source.github]\nmin_items = 1", r"unknown section \[source\]"),
        ("[sources.shop]\nmin_items = 1", r"unknown source shop.*needs a spider, such as spider = \"jobposting\""),
        ("[sources.shop]\nspider = ['github']", "unknown source shop"),
        ("[sources.shop]\nspider = {a = 1}", "unknown source shop"),
        ("[sources.'../evil']\nspider = 'jobposting'", r"\.\./evil.*expected"),
        ("[sources.'a b']\nspider = 'jobposting'", "a b.*expected"),
        ("[sources.Acme]\nspider = 'jobposting'", "Acme.*expected"),
        ("[sources.'a_b']\nspider = 'jobposting'", "a_b.*expected"),
        ("[sources.shop]\nspider = 'jobposting'\nmin_itms = 1", r"unknown setting sources\.shop\.min_itms"),
    ],
)  # fmt: skip
def test_faults_of_a_file_are_named(tmp_path, text, match):
    refused(match, file=write(tmp_path, text))


def test_another_site_of_a_spider_starts_from_its_block(tmp_path):
    file = write(tmp_path, '[sources.shop]\nspider = "jobposting"\nbase_url = "https://shop.example/"\nmin_items = 3\n')
    found = load(file, ["sources.shop.min_price_share=0.5"]).sources
    shop, base = found["shop"], found["jobposting"]
    assert shop == base.model_copy(update={"base_url": "https://shop.example", "min_items": 3, "min_price_share": 0.5})
    assert base == load().sources["jobposting"]
    assert load(overrides=["sources.other.spider=github", "sources.other.min_items=9"]).sources["other"].min_items == 9


@pytest.mark.parametrize("url", [LOCAL, "http://localhost:8", "http://[::1]:8123", "http://127.9.9.9"])
def test_a_local_server_is_free_of_the_live_hosts_limits(url):
    found = load(overrides=[f"sources.remotive.base_url={url}"]).sources
    assert found["remotive"].loopback
    assert (found["remotive"].requests_per_minute, found["remotive"].requests_per_day) == (0, 0)
    assert found["himalayas"].requests_per_minute == 30.0


@pytest.mark.parametrize("order", [1, -1])
def test_limits_that_are_stated_hold_on_a_local_server_too(tmp_path, order):
    lines = [f"sources.remotive.base_url={LOCAL}", "sources.remotive.requests_per_day=4"]
    found = load(overrides=lines[::order]).sources["remotive"]
    assert (found.requests_per_minute, found.requests_per_day) == (0, 4)
    file = write(tmp_path, "[sources.remotive]\nrequests_per_minute = 12.0\n")
    found = load(file, lines[:1]).sources["remotive"]
    assert (found.requests_per_minute, found.requests_per_day) == (12.0, 0)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.org", "http://127.0.0.1.evil.com", "http://localhost.evil.com",
        "http://evil.com/127.0.0.1",
        "http://127.0.0.1@evil.com", "http://10.0.0.1", "http://0.0.0.0", "http://[::2]", "", "127.0.0.1",
        "http://[::1",
    ],
)  # fmt: skip
def test_what_is_no_local_server(url):
    assert not is_loopback(url)


def test_limits_stay_where_the_server_is_not_local():
    found = load(overrides=["sources.remotive.base_url=http://127.0.0.1.evil.com"]).sources["remotive"]
    assert (found.requests_per_minute, found.requests_per_day) == (30.0, 4)


def test_a_runs_identity_knows_of_sources_only_which_are_reference_only():
    base = load()
    assert base.reference_only == ("himalayas", "remoteok", "remotive")
    for override in (
        f"sources.github.base_url={LOCAL}", "sources.github.min_items=99", "sources.upwork.retention_hours=1",
        "crawl.contact=ada@example.org", "sources.shop.spider=jobposting", "crawl.throttle=false",
    ):  # fmt: skip
        assert load(overrides=[override]).digest() == base.digest(), override
    changed = load(overrides=["sources.github.reference_only=true"])
    assert changed.digest() != base.digest()
    assert changed.identity()["basket"]["reference_only"] == ["github", "himalayas", "remoteok", "remotive"]
    assert "sources" not in base.identity() and "crawl" not in base.identity()


def test_overrides_do_not_leak_into_the_next_load():
    load(overrides=["sources.github.queries=x", "sources.shop.spider=github", f"sources.remotive.base_url={LOCAL}"])
    assert load() == load()
    assert "shop" not in load().sources
    assert load().sources["remotive"].requests_per_day == 4
