"""Who may ask what from where: hosts, origins, forms, sizes, cookies, headers, ways out of the site."""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit

import pytest

from valuation.review.shield import MOST_BYTES, Shield

from .site import HOST, Site, ask, encoded, identity_secret, unhidden

FORM = (b"content-type", b"application/x-www-form-urlencoded")
GETS = ("/", "/sign-in", "/healthz", "/openapi.json", "/nowhere", "/static/review.css", "/static/no.css", "/verdicts",
        "/audits/first", "/audits/first/next", "/audits/none", "/runs/none")  # fmt: skip


def safe(answer) -> bool:
    """Whether an answer says what browsers may do with it, once."""
    csp = answer.headers["content-security-policy"]
    return (
        len(csp) == 1
        and "default-src 'none'" in csp[0]
        and "script-src 'self';" in csp[0]
        and "unsafe" not in csp[0]
        and "frame-ancestors 'none'" in csp[0]
        and "form-action 'self'" in csp[0]
        and answer.headers["x-frame-options"] == ["DENY"]
        and answer.headers["x-content-type-options"] == ["nosniff"]
        and answer.headers["referrer-policy"] == ["same-origin"]
        and answer.headers["cross-origin-resource-policy"] == ["same-origin"]
        and "server" not in answer.headers
        and len(answer.headers["cache-control"]) == 1
    )


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil@127.0.0.1", "127.0.0.1/evil",
         "127.0.0.1?", 
     "127.0.0.1#x", "127.0.0.1\\evil", "127.0.0.1 evil", "", " ", "[::1", "::1", "[::1]evil", "127.0.0.2", "0.0.0.0",
     "2130706433", 
     "127.1", "localhost.evil.example", "evil-localhost", "127.0.0.1:8765:1", "127.0.0.1:port", "localhost,evil",
     "\xb9\xb2\xb7.0.0.1", 
     "[::ffff:127.0.0.1]"],
)  # fmt: skip
def test_a_name_that_an_attacker_may_point_here_is_refused(site: Site, host):
    for method in ("GET", "POST"):
        answer = site.ask("/sign-in", method=method, headers=((b"host", host.encode("latin-1")),))
        assert (answer.status, answer.text.split(";")[0]) == (400, "unknown host")
        assert safe(answer) and answer.headers["cache-control"] == ["no-store"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8765", "LocalHost:1", "[::1]:8765", "[::1]"])
def test_a_name_of_this_machine_is_let_in(site: Site, host):
    assert site.ask("/healthz", headers=((b"host", host.encode()),)).status == 200


def test_no_host_and_two_hosts_are_refused(site: Site):
    for headers in ((), (HOST, HOST), (HOST, (b"Host", b"evil.example"))):
        assert site.ask("/healthz", headers=headers).status == 400


def test_hosts_of_the_settings_are_let_in_and_no_others(site: Site):
    shield = Shield(site.app._app, hosts=("Audit.Example.org", "[fd00::1]"))
    for host, status in ((b"audit.example.org", 200), (b"AUDIT.example.org:443", 200), (b"[FD00::1]:8765", 200),
                         (b"example.org", 400), (b"x.audit.example.org", 400)):  # fmt: skip
        assert ask(shield, "/healthz", headers=((b"host", host),)).status == status


@pytest.mark.parametrize("path", GETS)
def test_every_answer_says_what_browsers_may_do_with_it(site: Site, path):
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "HEAD"):
        for headers in ((HOST,), site.who().headers):
            answer = site.ask(path, method=method, headers=headers)
            assert safe(answer), (method, path)
            static = path == "/static/review.css" and method in ("GET", "HEAD")
            assert answer.headers["cache-control"] == ["public, max-age=3600" if static else "no-store"]
            assert "set-cookie" not in answer.headers and "access-control-allow-origin" not in answer.headers


def test_web_sockets_are_not_answered(site: Site):
    import asyncio

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(site.app({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert sent == []


OTHER_SITES = [
    [(b"origin", b"https://evil.example")], [(b"origin", b"null")], [(b"origin", b"http://127.0.0.1:9999")],
    [(b"origin", b"http://127.0.0.1:8765.evil.example")], [(b"origin", b"http://[")], [(b"origin", b"")],
    [(b"origin", b"http://127.0.0.1:8765"), (b"origin", b"https://evil.example")],
    [(b"sec-fetch-site", b"cross-site")], [(b"sec-fetch-site", b"same-site")], [(b"sec-fetch-site", b"Cross-Site")],
    [(b"sec-fetch-site", b"same-origin"), (b"sec-fetch-site", b"cross-site")],
    [(b"origin", b"http://evil@127.0.0.1:8765")],
]  # fmt: skip


@pytest.mark.parametrize("headers", OTHER_SITES)
def test_a_form_of_another_site_is_refused_even_with_the_right_secret(site: Site, headers):
    who = site.who()
    before = site.desk.log.last_id()
    for path in ("/verdicts", "/undo", "/sign-out", "/sign-in"):
        answer = who.post(path, {"nonce": "n"}, *headers)
        assert (answer.status, answer.text) == (403, "this form was sent from another site\n") and safe(answer)
    assert site.desk.log.last_id() == before


@pytest.mark.parametrize("headers", [[], [(b"origin", b"http://127.0.0.1:8765"), (b"sec-fetch-site", b"same-origin")],
[(b"sec-fetch-site", b"none")]])  # fmt: skip
def test_a_form_of_these_pages_is_let_in(site: Site, headers):
    who, before = site.who(), site.desk.log.last_id()
    session, gig = unhidden(site)
    form = {"run": site.run_id, "session": session, "gig": gig, "verdict": "comparable", "nonce": str(headers)[:64]}
    answer = who.post("/verdicts", form, *headers)
    assert (answer.status, site.desk.log.last_id()) == (303, before + 1)


@pytest.mark.parametrize("path", ["/verdicts", "/undo", "/sign-out"])
def test_a_form_without_its_analysts_secret_changes_nothing(site: Site, path):
    ada, bo, again = site.who("Ada"), site.who("Bo"), site.who("Ada")
    session, gig = unhidden(site)
    form = {"run": site.run_id, "session": session, "gig": gig, "verdict": "comparable", "nonce": "n", "back": "/"}
    before = site.desk.log.last_id()
    for secret in ("", bo.csrf, again.csrf, ada.csrf[:-1], ada.csrf.upper(), "ü", "x" * 5000):
        answer = ada.post(path, form | {"csrf": secret})
        assert answer.status == 400 and "this form has expired or is not one of these pages" in answer.text
        assert "set-cookie" not in answer.headers
    nobody = site.ask(path, method="POST", headers=(HOST, FORM), body=(encoded(form | {"csrf": ada.csrf}),))
    assert (nobody.status, nobody.location) == (303, "/sign-in?next=%2F")
    assert site.desk.log.last_id() == before


def test_asking_for_a_page_gives_no_verdict(site: Site):
    who = site.who()
    session, gig = unhidden(site)
    given = f"csrf={who.csrf}&run={site.run_id}&session={session}&gig={gig}&verdict=comparable&nonce=n&audit="
    before = site.desk.log.last_id()
    for path in ("/verdicts", "/undo", "/sign-out"):
        answer = who.get(f"{path}?{given}")
        assert answer.status == 405 and answer.headers["allow"] == ["POST"]
    for path in (
        f"/runs/{site.run_id}/session?id={session}&verdict=comparable",
        f"/runs/{site.run_id}/sessions?verdicts=mine",
    ):
        assert who.get(f"{path}&{given}").status in (200, 400)
    assert site.desk.log.last_id() == before


def test_a_body_that_is_too_long_is_not_read(site: Site):
    who = site.who()
    long = b"csrf=" + who.csrf.encode() + b"&note=" + b"n" * MOST_BYTES
    announced = (*who.headers, FORM, (b"content-length", str(len(long)).encode()))
    answer = site.ask("/verdicts", method="POST", headers=announced, body=(long,))
    assert (answer.status, answer.text, answer.n_read) == (413, "more than 65,536 bytes were sent\n", 0)
    for length in (b"9" * 5000, b"-1", b"abc", b"0x10", b"\xb2", b"", b"65537"):
        refused = site.ask(
            "/verdicts", method="POST", headers=(*who.headers, FORM, (b"content-length", length)), body=(b"",)
        )
        assert refused.status == (413 if length else 400), length
    for claimed in ((), ((b"content-length", b"10"),), ((b"transfer-encoding", b"chunked"),)):
        pieces = (long[:1000],) + (b"n" * 1000,) * 500
        answer = site.ask("/verdicts", method="POST", headers=(*who.headers, FORM, *claimed), body=pieces)
        assert answer.status == 400 and safe(answer)
        assert answer.n_read <= 67


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(8000))),
        (b"application/x-www-form-urlencoded", b"&" * 60_000),
        (b"application/x-www-form-urlencoded", b"%" * 1000),
        (b"application/json", b"[" * 60_000),
        (b"multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data; name=\"csrf\"; filename=\"a\"\r\n\r\nx\r\n--x--"), 
        (b"multipart/form-data", b"x"),
        (b"multipart/form-data; boundary=" + b"x" * 500, b"y" * 5000),
        (b"text/plain; charset=utf-7", b"+ADw-"),
        (b"\xff\xfe", b"\x00"),
    ],
)  # fmt: skip
def test_odd_bodies_are_refused_and_break_nothing(site: Site, kind, body):
    before = site.desk.log.last_id()
    headers = (*site.who().headers, (b"content-type", kind))
    answer = site.ask("/verdicts", method="POST", headers=headers, body=(body,))
    assert 400 <= answer.status < 500 and safe(answer)
    assert site.desk.log.last_id() == before


ELSEWHERE = [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "/\n/evil.example", 
    "http:evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "", " //evil.example",
    "/\r\nSet-Cookie: a=b", "/\x00", 
    "/\u2028//evil.example", "/ok\\..\\..\\evil", "\u202e/", "/a\ufeffb",
]  # fmt: skip


@pytest.mark.parametrize("given", ELSEWHERE)
def test_nobody_is_led_to_another_site(site: Site, given):
    key = identity_secret(site)
    page = site.ask(f"/sign-in?key={key}&next={quote(given, safe='')}")
    assert '<input type="hidden" name="next" value="/">' in page.text
    form = {"key": key, "name": "Ada", "next": given}
    answer = site.ask("/sign-in", method="POST", headers=(HOST, FORM), body=(encoded(form),))
    assert (answer.status, answer.location) == (303, "/")
    who = site.who("Eve")
    undone = who.post("/undo", {"nonce": "n", "back": given})
    assert (undone.status, undone.location) == (303, "/")


def test_verdicts_lead_back_to_where_they_were_given_and_nowhere_else(site: Site):
    who = site.who()
    session, gig = unhidden(site)
    here = f"/runs/{site.run_id}/session?id={session}&at=3&is.month=2026-01"
    assert who.judge(session, gig, back=here).location == here
    for given in ELSEWHERE:
        where = who.judge(session, gig, back=given).location
        assert urlsplit(urljoin("http://127.0.0.1:8765/x", where)).netloc == "127.0.0.1:8765"
        assert where == "/" if given else where.startswith("/runs/")


def test_who_is_not_signed_in_is_asked_to_and_comes_back(site: Site):
    path = f"/runs/{site.run_id}/sessions?is.month=2026-01&words=a%20b"
    answer = site.ask(path)
    assert (answer.status, answer.body) == (303, b"")
    assert answer.location == f"/sign-in?next={quote(path, safe='')}"
    assert site.ask("//evil.example/").status == 404
    for path in (
        "/audits/first",
        "/audits/first/item?id=x",
        f"/runs/{site.run_id}/search?q=x",
        f"/runs/{site.run_id}/arithmetic",
    ):
        assert site.ask(path).location.startswith("/sign-in?next=%2F")
