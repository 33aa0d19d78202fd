"""Whom we ask and how fast: one site, no token left lying about, waits obeyed, and a stop where they are too long."""

import asyncio
import doctest
import inspect
import time

import pytest
from crawling import make_job
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Request, Response
from scrapy.robotstxt import ProtegoRobotParser
from scrapy.utils.request import request_from_dict
from scrapy.utils.test import get_crawler
from twisted.internet.defer import Deferred

import crawlers.engine.politeness
import crawlers.engine.robots
from crawlers.engine import keeping
from crawlers.engine.keeping import KeepResponses, request_hash
from crawlers.engine.ledger import Ledger
from crawlers.engine.limits import Limits
from crawlers.engine.parts import Parts, attach
from crawlers.engine.politeness import (
    BACK_OFF,
    LONGEST_BACK_OFF,
    MOST_REFUSALS,
    OffSite,
    RateLimit,
    RefusedToken,
    SameSite,
    Token,
    same_site,
)  # fmt: skip
from crawlers.engine.robots import Robots
from crawlers.engine.settings import scrapy_settings, user_agent
from crawlers.spider import SourceSpider
from crawlers.store import open_store

URL = "http://127.0.0.1:8123/list"
LOCAL = "sources.github.base_url=http://127.0.0.1:8123"


class Demo(SourceSpider):
    name = "demo"

    def parse(self, response):
        """Find nothing."""


def crawler_of(tmp_path, *overrides, token="", name="github", **settings):
    job = make_job(tmp_path, LOCAL, *overrides, token=token, name=name)
    crawler = get_crawler(Demo, scrapy_settings(job) | {"TWISTED_REACTOR_ENABLED": False} | settings)
    attach(crawler, Parts(job, Ledger(job, resumed=False), Limits(job)))
    crawler.spider = Demo.from_crawler(crawler)
    return crawler


@pytest.fixture
def stops(monkeypatch):
    """Reasons for which the crawl was stopped."""
    found = []
    for module in (crawlers.engine.politeness, crawlers.engine.robots, keeping):
        monkeypatch.setattr(module, "stop", lambda crawler, reason: found.append(reason))
    return found


def ledger_of(crawler):
    store = crawler.parts.ledger.store
    return store.faults("c1"), store.counts("c1")


def run(found):
    return asyncio.run(found) if inspect.isawaitable(found) else found


def test_the_examples_in_the_module_hold():
    assert doctest.testmod(crawlers.engine.politeness).failed == 0


# --- one site -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://a.org/x?y#z", "http://a.org"), ("HTTP://A.ORG/x", "http://a.org"),
        ("http://a.org:80/", "http://a.org"),
        ("https://a.org/", "http://a.org"), ("https://a.org:443/", "https://a.org"),
        ("https://a.org/", "http://a.org:80"),
        ("http://[::1]:81/x", "http://[::1]:81"), ("http://127.0.0.1:8123/x", "http://127.0.0.1:8123"),
        ("https://a.org/x", "https://a.org/api/v1"), ("http://a.org", "http://a.org"),
    ],
)  # fmt: skip
def test_the_same_site(url, base):
    assert same_site(url, base)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://b.org/", "http://a.org"), ("http://sub.a.org/", "http://a.org"),
        ("http://a.org.evil.com/", "http://a.org"),
        ("http://evila.org/", "http://a.org"), ("http://a.org@evil.com/", "http://a.org"),
        ("http://a.org:80@evil.com/", "http://a.org"), ("http://user:pw@a.org/", "http://a.org"),
        ("http://evil.com\\@a.org/", "http://a.org"), ("http://a.org\\@evil.com/", "http://a.org"),
        ("http://evil.com%5C@a.org/", "http://a.org"), ("http://a.org:81/", "http://a.org"),
        ("http://a.org/", "http://a.org:81"), ("https://a.org:8443/", "http://a.org"),
        ("https://a.org/", "http://a.org:81"),
        ("http://a.org./", "http://a.org"), ("http://xn--a-0fa.org/", "http://a.org"),
        ("http://\u0430.org/", "http://a.org"),
        ("http://a.org/", "https://a.org"), ("http://a.org:443/", "https://a.org"), ("ftp://a.org/", "http://a.org"),
        ("file://a.org/etc/passwd", "http://a.org"), ("javascript:alert(1)", "http://a.org"),
        ("//a.org/", "http://a.org"),
        ("http://[::1", "http://[::1]"), ("http://a.org:99999/", "http://a.org"), ("http://a.org:x/", "http://a.org"),
        ("http://0/", "http://127.0.0.1"), ("http://localhost/", "http://127.0.0.1"), ("http://[::2]/", "http://[::1]"),
        ("http://169.254.169.254/", "http://a.org"), ("", "http://a.org"), ("http:///", "http://a.org"),
        ("http://a.org/", ""), ("http:///", ""),
    ],
)  # fmt: skip
def test_another_site(url, base):
    assert not same_site(url, base)


def test_requests_elsewhere_are_refused_and_not_counted(tmp_path):
    crawler = crawler_of(tmp_path)
    site = SameSite.from_crawler(crawler)
    with pytest.raises(OffSite, match="^a link to another site$"):
        site.process_request(Request("http://169.254.169.254/latest/meta-data"))
    site.process_request(Request(URL))
    assert ledger_of(crawler)[1] == {("requests", ""): 1}


def test_a_crawl_of_too_many_requests_is_stopped_once_and_says_why(tmp_path, stops):
    crawler = crawler_of(tmp_path, "sources.github.max_requests=3")
    site = SameSite(crawler)
    for n in range(5):
        site.process_request(Request(f"{URL}?{n}"))
    assert stops == ["max_requests"]
    faults, counts = ledger_of(crawler)
    assert [fault[2:] for fault in faults] == [
        ("max_requests", "3 requests, as many as sources.github.max_requests allows")
    ]
    assert counts[("requests", "")] == 5


# --- the token ----------------------------------------------------------------------------------------------------


def test_the_token_is_on_a_request_only_while_it_is_out(tmp_path):
    crawler = crawler_of(tmp_path, token="s3cret")
    guard = Token.from_crawler(crawler)
    for ended in ("answer", "error"):
        request = Request(URL)
        guard.process_request(request)
        assert request.headers["Authorization"] == b"Bearer s3cret"
        if ended == "answer":
            guard.process_response(request, Response(URL))
        else:
            guard.process_exception(request, TimeoutError())
        assert "Authorization" not in request.headers
        assert "s3cret" not in repr(
            request_from_dict(request.to_dict(spider=crawler.spider), spider=crawler.spider).headers
        )


def test_robots_txt_is_asked_without_a_token_and_a_source_without_one_sends_none(tmp_path):
    request = Request(URL, meta={"dont_obey_robotstxt": True})
    Token(crawler_of(tmp_path, token="s3cret")).process_request(request)
    assert "Authorization" not in request.headers
    request = Request(URL)
    Token(crawler_of(tmp_path / "other")).process_request(request)
    assert "Authorization" not in request.headers


def test_a_spider_says_how_its_token_is_sent(tmp_path, monkeypatch):
    monkeypatch.setattr(Demo, "token_header", ("Freelancer-OAuth-V1", "{}"))
    crawler = crawler_of(tmp_path, token="s3cret")
    request = Request(URL)
    Token(crawler).process_request(request)
    assert request.headers["Freelancer-OAuth-V1"] == b"s3cret"
    Token(crawler).process_response(request, Response(URL))
    assert not request.headers


def test_no_byte_of_the_token_reaches_the_store(tmp_path):
    crawler = crawler_of(tmp_path, token="s3cret-token")
    request = Request(URL)
    guard, keeper = Token(crawler), KeepResponses.from_crawler(crawler)
    guard.process_request(request)
    response = guard.process_response(request, Response(URL, body=b"{}", headers={"X": "1"}))
    keeper.process_response(request, response)
    crawler.parts.ledger.end("finished", "finished", {})
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"s3cret-token" not in kept and b"127.0.0.1" in kept


def test_the_token_is_nearest_to_the_network_and_answers_are_kept_before_anything_judges_them(tmp_path):
    from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
    from scrapy.downloadermiddlewares.retry import RetryMiddleware
    from scrapy.settings.default_settings import DOWNLOADER_MIDDLEWARES_BASE as BASE

    settings = scrapy_settings(make_job(tmp_path))
    ours = settings["DOWNLOADER_MIDDLEWARES"]
    shipped = {name.rpartition(".")[2]: place for name, place in BASE.items()}
    places = {getattr(one, "__name__", str(one).rpartition(".")[2]): place for one, place in ours.items()}
    redirect, retry = shipped[RedirectMiddleware.__name__], shipped[RetryMiddleware.__name__]
    assert places["Token"] > places["HttpCompressionMiddleware"] > places["KeepResponses"] > redirect
    assert places["KeepResponses"] > places["RefusedToken"] > places["RateLimit"] > retry
    assert places["SameSite"] < min(place for name, place in places.items() if place and name != "SameSite")
    assert settings["ROBOTSTXT_OBEY"] is True and settings["COOKIES_ENABLED"] is False
    assert {429, 403, 401} & set(settings["RETRY_HTTP_CODES"]) == set()
    assert "Marshal" in settings["SCHEDULER_DISK_QUEUE"] and "Marshal" in settings["SCHEDULER_START_DISK_QUEUE"]


def test_the_user_agent_says_who_we_are(tmp_path):
    assert user_agent(make_job(tmp_path, "crawl.contact=ada@example.org")).endswith(" (+ada@example.org)")
    assert user_agent(make_job(tmp_path)).startswith("session-value/")


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("s3cret", "HTTP 401: the token in VALUATION_GITHUB_TOKEN was refused; set a valid one"),
        ("", "HTTP 401: a token is needed: set VALUATION_GITHUB_TOKEN"),
    ],
)
def test_a_refused_token_stops_the_crawl_and_keeps_the_request(tmp_path, stops, token, message):
    crawler = crawler_of(tmp_path, token=token)
    request = Request(URL)
    again = RefusedToken.from_crawler(crawler).process_response(request, Response(URL, status=401))
    assert isinstance(again, Request) and (again.url, again.dont_filter) == (URL, True)
    assert stops == ["token_refused"]
    assert [fault[1:] for fault in ledger_of(crawler)[0]] == [(URL, "token", message)]
    assert "s3cret" not in message


@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_other_answers_say_nothing_of_the_token(tmp_path, stops, status):
    answer = Response(URL, status=status)
    assert RefusedToken(crawler_of(tmp_path)).process_response(Request(URL), answer) is answer
    assert stops == []


def test_a_401_for_robots_txt_or_of_a_site_without_tokens_is_no_refused_token(tmp_path, stops):
    answer = Response(URL, status=401)
    robots = Request(URL, meta={"dont_obey_robotstxt": True})
    assert RefusedToken(crawler_of(tmp_path)).process_response(robots, answer) is answer
    site = crawler_of(tmp_path / "b", "sources.jobposting.base_url=http://127.0.0.1:8123", name="jobposting")
    assert RefusedToken(site).process_response(Request(URL), answer) is answer
    assert stops == []


# --- waiting ------------------------------------------------------------------------------------------------------


def limited(crawler, status=429, **headers):
    """What the rate limit makes of an answer, and the seconds that it holds all requests."""
    guard = RateLimit.from_crawler(crawler)
    answer = Response(URL, status=status, headers={key.replace("_", "-"): value for key, value in headers.items()})
    before = crawlers.engine.limits.time.monotonic()
    made = guard.process_response(Request(URL), answer)
    held = crawler.parts.limits.held_until()
    return made, held - before if held else 0.0


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry_After": "7"}, 7), (429, {}, BACK_OFF), (429, {"Retry_After": "-5"}, BACK_OFF),
        (429, {"Retry_After": "\xb2".encode("latin-1")}, BACK_OFF), (503, {"Retry_After": "9"}, 9),
        (403, {"Retry_After": "60"}, 60), (403, {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "30"}, 30),
        (403, {"X_RateLimit_Remaining": "0"}, BACK_OFF),
    ],
)  # fmt: skip
def test_a_refusal_is_asked_again_after_its_wait(tmp_path, stops, status, headers, wait):
    crawler = crawler_of(tmp_path)
    again, held = limited(crawler, status, **headers)
    assert isinstance(again, Request) and again.dont_filter
    assert held == pytest.approx(wait, abs=1)
    assert stops == []
    assert ledger_of(crawler)[1][("refused", str(status))] == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [(200, {}), (403, {}), (500, {}), (503, {}), (404, {"Retry_After": "5"}), (503, {"Retry_After": "x"})],
)
def test_other_answers_are_passed_on_at_once(tmp_path, stops, status, headers):
    made, held = limited(crawler_of(tmp_path), status, **headers)
    assert (made.status, held, stops) == (status, 0.0, [])


def test_a_header_in_another_encoding_is_no_reason_to_fail(tmp_path):
    made, _ = limited(crawler_of(tmp_path), 200, X_Powered_By="caf\xe9".encode("latin-1"))
    assert made.status == 200


def test_the_last_request_allowed_holds_back_the_next(tmp_path, stops):
    made, held = limited(crawler_of(tmp_path), 200, X_RateLimit_Remaining="0", X_RateLimit_Reset="40")
    assert (made.status, stops) == (200, [])
    assert held == pytest.approx(40, abs=1)


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (200, {"X_RateLimit_Remaining": "0"})])
def test_a_wait_that_is_too_long_stops_the_crawl(tmp_path, stops, status, headers):
    crawler = crawler_of(tmp_path, "crawl.max_wait_seconds=60")
    name = {"Retry_After": "61"} if status == 429 else {"X_RateLimit_Reset": "61"}
    limited(crawler, status, **headers, **name)
    assert stops == ["rate_limited"]
    assert ledger_of(crawler)[0][0][2:] == ("refused", "a wait of 61 s is asked for, more than crawl.max_wait_seconds")
    other = crawler_of(tmp_path / "fine", "crawl.max_wait_seconds=60")
    limited(other, 429, Retry_After="60")
    assert stops == ["rate_limited"]


def test_waiting_for_ever_stops_the_crawl_too(tmp_path, stops):
    limited(crawler_of(tmp_path), 429, Retry_After="9" * 400)
    assert stops == ["rate_limited"]


def test_waits_grow_with_each_refusal_that_names_none_and_end(tmp_path, stops):
    crawler = crawler_of(tmp_path)
    guard, waits = RateLimit(crawler), []
    guard._limits.hold = waits.append
    for _ in range(MOST_REFUSALS):
        guard.process_response(Request(URL), Response(URL, status=429))
    assert waits[:5] == [5.0, 10.0, 20.0, 40.0, LONGEST_BACK_OFF]
    assert stops == []
    guard.process_response(Request(URL), Response(URL, status=429))
    assert stops == ["rate_limited"]
    assert ledger_of(crawler)[0][-1][3] == f"{MOST_REFUSALS} refusals in a row"


def test_a_good_answer_ends_a_row_of_refusals(tmp_path, stops):
    guard, waits = RateLimit(crawler_of(tmp_path)), []
    guard._limits.hold = waits.append
    for status in (429, 429, 200, 429):
        guard.process_response(Request(URL), Response(URL, status=status))
    assert waits == [5.0, 10.0, 5.0]


def test_a_request_waits_for_its_turn(tmp_path):
    crawler = crawler_of(tmp_path, "sources.github.requests_per_minute=300")
    guard, clock = RateLimit(crawler), crawlers.engine.limits.time.monotonic
    guard._closing = lambda: False

    async def ask_twice():
        began = clock()
        first = await guard.process_request(Request(URL))
        middle = clock()
        second = await guard.process_request(Request(URL))
        return first, second, middle - began, clock() - began

    first, second, at_once, later = asyncio.run(ask_twice())
    assert (first, second) == (None, None)
    assert at_once < 0.15 <= 0.19 < later


def test_a_request_that_waits_while_the_crawl_ends_goes_back_to_the_queue(tmp_path):
    crawler = crawler_of(tmp_path)
    guard = RateLimit(crawler)
    guard._limits.hold(3600)
    guard._closing = lambda: True
    again = asyncio.run(guard.process_request(Request(URL, meta={"x": 1})))
    assert (again.url, again.dont_filter, again.meta["x"]) == (URL, True, 1)


# --- robots.txt ---------------------------------------------------------------------------------------------------


def robots(tmp_path, status, body=b""):
    crawler = crawler_of(tmp_path, "sources.github.requests_per_minute=600")
    guard = Robots.from_crawler(crawler)
    guard._parsers["h"] = Deferred()  # as while robots.txt is on its way
    asked = Request("http://h/robots.txt")
    run(guard._parse_robots(HtmlResponse("http://h/robots.txt", status=status, body=body), "h", asked))
    return guard._parsers["h"], crawler.parts.limits.interval


@pytest.mark.parametrize(
    ("status", "body", "allowed"),
    [
        (200, b"User-agent: *\nDisallow: /list", False), (200, b"User-agent: *\nDisallow: /other", True),
        (200, b"User-agent: session-value\nDisallow: /\n\nUser-agent: *\nAllow: /", False), (200, b"", True),
        (404, b"User-agent: *\nDisallow: /", True), (403, b"User-agent: *\nDisallow: /", True),
        (500, b"", False), (503, b"User-agent: *\nAllow: /", False), (429, b"", False),
        (200, b"\xff\xfe\x00garbage", True),
    ],
)  # fmt: skip
def test_what_robots_txt_allows(tmp_path, stops, status, body, allowed):
    parser, _ = robots(tmp_path, status, body)
    assert stops == (["robots_unreachable"] if status >= 500 or status == 429 else [])
    assert isinstance(parser, ProtegoRobotParser)
    assert parser.allowed("http://h/list", "session-value") is allowed


def test_a_crawl_delay_is_obeyed(tmp_path):
    assert robots(tmp_path, 200, b"User-agent: *\nCrawl-delay: 7")[1] == 7.0
    assert robots(tmp_path / "b", 200, b"User-agent: other\nCrawl-delay: 7")[1] == 0.1


@pytest.mark.parametrize("delay", [b"100000", b"inf", b"1e9"])
def test_a_crawl_delay_longer_than_we_wait_ends_the_crawl_and_says_why(tmp_path, stops, delay):
    crawler = crawler_of(tmp_path)
    guard = Robots.from_crawler(crawler)
    guard._parsers["h"] = Deferred()
    body = b"User-agent: *\nCrawl-delay: " + delay
    run(guard._parse_robots(HtmlResponse("http://h/robots.txt", body=body), "h", Request("http://h/robots.txt")))
    if crawler.parts.limits.interval == 0:  # else the parser has not taken it for a number
        assert stops in ([], ["robots_unreachable"])
    assert crawler.parts.limits.interval <= crawler.parts.job.crawl.max_wait_seconds
    if delay == b"100000":
        assert stops == ["robots_unreachable"]
        (fault,) = ledger_of(crawler)[0]
        assert fault[2:] == (
            "robots_unreachable", "robots.txt asks for 100000 s between requests, more than crawl.max_wait_seconds",
        )  # fmt: skip


def test_while_robots_txt_cannot_be_had_requests_go_back_to_the_queue(tmp_path, stops):
    crawler = crawler_of(tmp_path)
    guard = Robots.from_crawler(crawler)
    guard._parsers["127.0.0.1:8123"] = Deferred()
    answer = HtmlResponse("http://127.0.0.1:8123/robots.txt", status=503)
    run(guard._parse_robots(answer, "127.0.0.1:8123", Request(answer.url)))
    back = run(guard.process_request(Request(URL)))
    assert (back.url, back.dont_filter) == (URL, True)
    assert set(stops) == {"robots_unreachable"}


def test_a_refusal_that_says_so_in_its_body_alone_is_waited_out_a_minute(tmp_path, stops):
    crawler = crawler_of(tmp_path)
    limit = RateLimit.from_crawler(crawler)
    body = b'{"message": "You have exceeded a secondary rate limit."}'
    again = limit.process_response(Request(URL), Response(URL, status=403, body=body))
    assert isinstance(again, Request)
    assert crawler.parts.limits.held_until() - time.monotonic() == pytest.approx(60, abs=2)
    other = Response(URL, status=403, body=b"Forbidden")
    assert limit.process_response(Request(URL), other) is other


def test_what_is_asked_is_told_apart_by_method_url_and_body():
    requests = [Request(URL), Request(URL + "?a"), Request(URL, method="POST"), Request(URL, method="POST", body=b"{}")]
    assert len({request_hash(request) for request in requests}) == 4
    assert request_hash(Request(URL, headers={"X": "1"}, meta={"a": 1})) == request_hash(Request(URL))


def test_off_site_requests_are_ignored_requests(tmp_path):
    assert issubclass(OffSite, IgnoreRequest)
    crawler = crawler_of(tmp_path)
    crawler.parts.ledger.end("finished", "finished", {})
    store = open_store(tmp_path / "store.db")
    assert store.db.execute("SELECT outcome, reason FROM crawls").fetchall() == [("finished", "finished")]
    store.close()
