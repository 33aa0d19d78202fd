"""Who is at the page: by the printed link and a cookie, or by a reverse proxy's header, and by nothing else."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from valuation.review.identity import COOKIE, DAYS, Identity

from .site import CSRF, HOST, Site, Who, encoded, identity_secret
from .test_shield import FORM, safe


def test_signing_in_takes_the_secret_of_this_workspace(site: Site):
    right = identity_secret(site)
    for wrong in ("", right[:-1], right + "0", right.upper(), "ü" * 9, "0" * 32, "\x00"):
        form = {"key": wrong, "name": "Ada", "next": "/"}
        answer = site.ask("/sign-in", method="POST", headers=(HOST, FORM), body=(encoded(form),))
        assert answer.status == 403 and "set-cookie" not in answer.headers and right not in answer.text
        shown = site.ask(f"/sign-in?key={quote(wrong)}")
        assert shown.status == (403 if wrong else 200) and '<form method="post" action="/sign-in"' not in shown.text
    for name in ("", " ", "<b>", "A" * 61, "Ada\u202e", "a\x00"):
        form = {"key": right, "name": name, "next": "/"}
        answer = site.ask("/sign-in", method="POST", headers=(HOST, FORM), body=(encoded(form),))
        assert answer.status == 422 and "expected 1 to 60 letters" in answer.text and "set-cookie" not in answer.headers
    assert len(right) == 32 and identity_secret(site) == right


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site):
    form = {"key": identity_secret(site), "name": "  Ada   Lovelace ", "next": "/audits/first"}
    answer = site.ask("/sign-in", method="POST", headers=(HOST, FORM), body=(encoded(form),))
    (cookie,) = answer.headers["set-cookie"]
    parts = {one.strip().lower() for one in cookie.split(";")[1:]}
    assert {
        "httponly",
        "samesite=lax",
        "path=/",
        f"max-age={DAYS * 86_400}",
    } <= parts and answer.location == "/audits/first"
    value = cookie.split(";")[0].partition("=")[2]
    assert "Ada Lovelace" in Who(site, "", value).get(f"/runs/{site.run_id}/search").text


def test_a_cookie_from_before_signing_in_is_not_kept(site: Site):
    """Session fixation: whoever planted a cookie does not share the session that is made."""
    planted = site.identity.cookie("Eve")
    form = {"key": identity_secret(site), "name": "Ada"}
    headers = (HOST, FORM, (b"cookie", f"{COOKIE}={planted}".encode()))
    (cookie,) = site.ask("/sign-in", method="POST", headers=headers, body=(encoded(form),)).headers["set-cookie"]
    value = cookie.split(";")[0].partition("=")[2]
    assert value != planted and Who(site, "", value).csrf != Who(site, "", planted).csrf
    assert Who(site, "Ada").csrf != Who(site, "Ada").csrf


def test_cookies_that_were_not_made_here_or_are_old_sign_nobody_in(site: Site, monkeypatch):
    from itsdangerous import TimestampSigner, URLSafeTimedSerializer

    other = Identity(b"another key of another workspace", user_header="")
    good = site.identity.cookie("Ada")
    payload, rest = good.split(".", 1)
    signer = site.identity._signer
    bad = [
        "", "x", good[:-1], good + "x", other.cookie("Ada"), f"{payload[:-2]}.{rest}", payload, f".{rest}", "." * 50,
        "\xff" * 20, "a" * 9000, 
        URLSafeTimedSerializer(b"", salt="analyst").dumps({"name": "Ada", "session": "s"}),
        signer.dumps(["name", "Ada"]), signer.dumps("Ada"), signer.dumps(None), signer.dumps({"name": "Ada"}),
        signer.dumps({"name": "<b>", "session": "s"}), signer.dumps({"name": "", "session": "s"}), signer.dumps({}),
    ]  # fmt: skip
    with monkeypatch.context() as past:
        import time

        then = int(time.time()) - DAYS * 86_400 - 5
        past.setattr(TimestampSigner, "get_timestamp", lambda _: then)
        bad.append(site.identity.cookie("Ada"))
        past.setattr(TimestampSigner, "get_timestamp", lambda _: then + 60)
        nearly = site.identity.cookie("Ada")

    def status(value: str) -> int:
        cookie = (b"cookie", f"{COOKIE}={value}".encode("latin-1"))
        return site.ask(f"/runs/{site.run_id}/search", headers=(HOST, cookie)).status

    assert [status(value) for value in bad] == [303] * len(bad)
    assert (status(good), status(nearly)) == (200, 200)


def test_signing_out_takes_the_cookie_away(site: Site):
    answer = site.who().post("/sign-out", {})
    assert (answer.status, answer.location) == (303, "/sign-in")
    assert "Max-Age=0" in answer.headers["set-cookie"][0]


@pytest.fixture(scope="module")
def behind_proxy(site: Site) -> Site:
    """The same pages, with names from a reverse proxy."""
    made = object.__new__(Site)
    made.__dict__ |= site.__dict__
    settings = site.desk.settings
    review = settings.review.model_copy(update={"user_header": "X-Remote-User"})
    made.desk = object.__new__(type(site.desk))
    made.desk.__dict__ |= site.desk.__dict__
    made.desk.settings = settings.model_copy(update={"review": review})
    from valuation.review.app import create_app

    made.app = create_app(made.desk)
    made.identity = made.app._app.state.identity
    return made


def test_names_from_a_proxy_are_taken_when_there_is_one_and_nothing_else(behind_proxy: Site):
    page = f"/runs/{behind_proxy.run_id}/search"

    def asked(*names: bytes, cookie: bytes = b""):
        headers = [HOST, *((b"x-remote-user", name) for name in names)]
        return behind_proxy.ask(page, headers=(*headers, (b"cookie", cookie)))

    made = asked(b"Ada")
    assert made.status == 200 and "<span>Ada</span>" in made.text and "Sign out" not in made.text
    assert "<span>José 李</span>" in asked("José 李".encode()).text
    assert "<span>José</span>" in asked("José".encode("latin-1")).text
    good = f"{COOKIE}={behind_proxy.identity.cookie('Bo')}".encode()
    for answer in (asked(), asked(b"Ada", b"Eve"), asked(b"Ada", b"Ada"), asked(cookie=good)):
        assert (answer.status, answer.text) == (401, "the reverse proxy gave no name; nobody is signed in\n") and safe(
            answer
        )
    for odd in (b"", b" ", b"<script>", b"Ada,Eve", b"A" * 61, "Ada\u202e".encode(), b"\x00"):
        answer = asked(odd)
        assert answer.status == 400 and "expected 1 to 60 letters" in answer.text and "<script>alert" not in answer.text
    assert "<span>Ada</span>" in asked(b"Ada", cookie=good).text


def test_behind_a_proxy_the_link_is_off(behind_proxy: Site):
    key = identity_secret(behind_proxy)
    assert behind_proxy.ask(f"/sign-in?key={key}").status == 404
    answer = behind_proxy.ask(
        "/sign-in", method="POST", headers=(HOST, FORM), body=(encoded({"key": key, "name": "A"}),)
    )
    assert answer.status == 404 and "set-cookie" not in answer.headers


def test_behind_a_proxy_forms_carry_a_secret_of_the_name(behind_proxy: Site):
    def secret(name: bytes) -> str:
        page = behind_proxy.ask(f"/runs/{behind_proxy.run_id}/search", headers=(HOST, (b"x-remote-user", name)))
        return CSRF.search(page.text)[1]

    assert secret(b"Ada") == secret(b"Ada") != secret(b"Bo")
    for csrf, status in ((secret(b"Ada"), 303), (secret(b"Bo"), 400), ("", 400)):
        body = encoded({"csrf": csrf, "nonce": "n", "back": "/"})
        headers = (HOST, FORM, (b"x-remote-user", b"Ada"))
        assert behind_proxy.ask("/undo", method="POST", headers=headers, body=(body,)).status == status
