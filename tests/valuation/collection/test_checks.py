"""What must be settled before the first request: the source is on, its token and terms are there, we say who we are."""

import pytest

from valuation.collection.checks import checked_sources, known_source
from valuation.config import load
from valuation.errors import ConfigError

LOCAL = "http://127.0.0.1:8123"
ME = "crawl.contact=ada@example.org"


@pytest.fixture(autouse=True)
def no_tokens(monkeypatch):
    for name in load().sources:
        monkeypatch.delenv(f"VALUATION_{name.upper()}_TOKEN", raising=False)


def refused(match, names, *overrides):
    with pytest.raises(ConfigError, match=match):
        checked_sources(load(overrides=overrides), names)


def test_sources_that_are_settled_give_their_tokens(monkeypatch):
    monkeypatch.setenv("VALUATION_GITHUB_TOKEN", " abc \n")
    monkeypatch.setenv("VALUATION_HACKERNEWS_TOKEN", "not asked for")
    monkeypatch.setenv("VALUATION_UPWORK_TOKEN", "xyz")
    found = checked_sources(load(overrides=[ME]), ["upwork", "github", "hackernews"])
    assert list(found.items()) == [("upwork", "xyz"), ("github", "abc"), ("hackernews", "")]


def test_nothing_asked_for_is_nothing_to_check():
    assert checked_sources(load(), []) == {}


def test_an_unknown_name_is_told_with_the_known_ones():
    refused(r"^unknown source 'githab'; sources are freelancehunt, freelancer, github, .*, upwork$", ["githab"], ME)
    with pytest.raises(ConfigError, match="unknown source ''"):
        known_source(load(), "")


def test_a_name_is_given_once():
    refused("^a source is named twice; name each once$", ["github", "hackernews", "github"], ME)


def test_a_live_source_needs_a_contact_and_a_local_one_does_not():
    refused(r"^crawl\.contact is not set: a live source must be able to reach who crawls it", ["hackernews"])
    refused(r"^crawl\.contact is not set", ["hackernews"], "crawl.contact= ")
    assert checked_sources(load(overrides=[f"sources.hackernews.base_url={LOCAL}"]), ["hackernews"]) == {
        "hackernews": ""
    }
    refused(r"^crawl\.contact is not set", ["hackernews"], "sources.hackernews.base_url=http://127.0.0.1.evil.com")


def test_one_unsettled_source_holds_back_all():
    refused(r"^freelancer is off", ["hackernews", "freelancer"], ME)


def test_a_source_that_is_off_says_why_and_where_its_terms_are():
    refused(
        r"^freelancer is off: its API terms have a clause on storage that is not confirmed; .*freelancer\.enabled=true "
        r"\(terms: https://www\.freelancer\.com/about/apiterms\)$",
        ["freelancer"], ME,
    )  # fmt: skip
    refused(r"^freelancer is off", ["freelancer"], f"sources.freelancer.base_url={LOCAL}")
    refused(r"^freelancer needs a token", ["freelancer"], ME, "sources.freelancer.enabled=true")


def test_a_site_must_be_named():
    refused(
        r"^sources\.jobposting\.base_url is not set: name the site, such as --set sources\.jobposting\.base_url=https://example\.org$",
        ["jobposting"], ME,
    )  # fmt: skip


def test_doing_without_delays_is_for_local_servers_alone():
    refused(
        r"^crawl\.throttle=false is for servers on this machine; sources\.github\.base_url is https://api\.github\.com$",
        ["github"], ME, "crawl.throttle=false",
    )  # fmt: skip
    local = load(overrides=["crawl.throttle=false", f"sources.github.base_url={LOCAL}"])
    assert checked_sources(local, ["github"]) == {"github": ""}


def test_a_required_token_is_asked_for_by_its_variable(monkeypatch):
    refused("^upwork needs a token: set VALUATION_UPWORK_TOKEN in the environment$", ["upwork"], ME)
    monkeypatch.setenv("VALUATION_UPWORK_TOKEN", "   ")
    refused("^upwork needs a token", ["upwork"], ME)


@pytest.mark.parametrize("token", ["a b", "a\nb", "caf\xe9", "a\tb", "a\x7fb", "a\r\nX-Evil: 1"])
def test_a_token_that_no_header_can_hold_is_refused_without_being_shown(monkeypatch, token):
    monkeypatch.setenv("VALUATION_UPWORK_TOKEN", token)
    with pytest.raises(ConfigError) as caught:
        checked_sources(load(overrides=[ME]), ["upwork"])
    assert str(caught.value) == "VALUATION_UPWORK_TOKEN: expected printable ASCII without spaces"


def test_another_site_of_a_spider_has_its_own_token(monkeypatch):
    monkeypatch.setenv("VALUATION_ACME_TOKEN", "abc")
    monkeypatch.setenv("VALUATION_GITHUB_TOKEN", "other")
    settings = load(overrides=["sources.acme.spider=github", f"sources.acme.base_url={LOCAL}"])
    assert checked_sources(settings, ["acme"]) == {"acme": "abc"}
