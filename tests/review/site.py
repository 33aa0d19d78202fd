"""The pages in this process: asked byte by byte, or by signed-in analysts; and what their markup may hold."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from valuation.review.app import create_app
from valuation.review.desk import Desk
from valuation.review.identity import COOKIE
from valuation.review.match import neighbours_of
from valuation.review.tokens import link_secret
from valuation.storage import read_key
from valuation.verdicts import open_log
from valuation.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

HOST = (b"host", b"127.0.0.1:8765")
CSRF = re.compile(r'name="csrf" value="(\w+)"')


@dataclass(frozen=True)
class Answer:
    """An answer as it left the application."""

    status: int
    headers: dict[str, list[str]]
    body: bytes
    n_read: int

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.headers["location"][0]


def ask(
    app: ASGIApp, path: str, *, method: str = "GET", headers: tuple[tuple[bytes, bytes], ...] = (HOST,),
    body: tuple[bytes, ...] = (b"",),
) -> Answer:  # fmt: skip
    """Send one request as a server would hand it on; `body` in the pieces in which it arrives."""
    plain, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(plain), "raw_path": plain.encode(), "query_string": query.encode(), "root_path": "",
        "headers": list(headers), "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8765), "state": {},
    }  # fmt: skip
    left = list(body)
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    asyncio.run(app(scope, receive, send))
    kept: dict[str, list[str]] = {}
    for name, value in said[0]["headers"]:
        kept.setdefault(name.decode().lower(), []).append(value.decode())
    whole = b"".join(one.get("body", b"") for one in said[1:])
    return Answer(said[0]["status"], kept, whole, len(body) - len(left))


def encoded(form: dict[str, str]) -> bytes:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in form.items()).encode()


class Site:
    """A workspace's pages; `settings` as on the command line."""

    def __init__(self, root: Path, *settings: str) -> None:
        work = Workspace(root, overrides=list(settings))
        self.root = root
        self.desk = Desk(
            work.layout, work.settings, open_log(f"sqlite:///{root / 'review.db'}"), key=read_key(work.layout)
        )
        self.run_id = self.desk.newest()
        self.run = self.desk.run(self.run_id)
        self.run.gigs.build()
        self.app = create_app(self.desk)
        self.identity = self.app._app.state.identity

    def close(self) -> None:
        self.desk.close()

    def who(self, name: str = "Ada") -> Who:
        return Who(self, name)

    def ask(self, path: str, **request: Any) -> Answer:
        return ask(self.app, path, **request)


@dataclass
class Who:
    """A signed-in analyst without a browser; follows no redirects."""

    site: Site
    name: str
    cookie: str = ""
    csrf: str = field(init=False)

    def __post_init__(self) -> None:
        self.cookie = self.cookie or self.site.identity.cookie(self.name)
        self.csrf = CSRF.search(self.get(f"/runs/{self.site.run_id}/search").text)[1]

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        return (HOST, (b"cookie", f"{COOKIE}={self.cookie}".encode()))

    def get(self, path: str) -> Answer:
        return self.site.ask(path, headers=self.headers)

    def post(self, path: str, form: dict[str, str], *more: tuple[bytes, bytes]) -> Answer:
        body = encoded({"csrf": self.csrf} | form)
        kind = ((b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", str(len(body)).encode()))
        return self.site.ask(path, method="POST", headers=(*self.headers, *kind, *more), body=(body,))

    def judge(self, session: str, gig: str, verdict: str = "comparable", **more: str) -> Answer:
        """Send a verdict's form as a page would, with a nonce of its own."""
        form = {"run": self.site.run_id, "session": session, "gig": gig, "verdict": verdict, "nonce": next_nonce()}
        return self.post("/verdicts", form | more)

    def item(self, audit: str, session: str, **more: str) -> Answer:
        return self.get(f"/audits/{audit}/item?id={quote(session)}" + "".join(f"&{k}={v}" for k, v in more.items()))


def next_nonce(_count: list[int] = [0]) -> str:  # noqa: B006 - counts
    _count[0] += 1
    return f"nonce-{_count[0]}"


SCRIPTS = {"/static/htmx.min.js", "/static/review.js"}
OWN_HX = {"hx-boost", "hx-target", "hx-select", "hx-swap", "hx-get", "hx-trigger", "hx-push-url"}
UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u061c]")


class Markup(HTMLParser):
    """Reads a page as a browser would and notes what none of our templates writes."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and (given.get("src") or "").partition("?")[0] not in SCRIPTS:
            self.faults.append(f"script {given}")
        if tag in ("iframe", "object", "embed", "base", "img", "style", "link", "meta") and not self._is_ours(
            tag, given
        ):
            self.faults.append(f"{tag} {given}")
        for name, value in attrs:
            if name.startswith("on") or name == "style" or (name.startswith(("hx-", "data-hx")) and name not in OWN_HX):
                self.faults.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action", "hx-get"):
                self.links.append(value or "")
                if not (value or "").startswith(("/", "#", "https://", "http://")) or (value or "").startswith("//"):
                    self.faults.append(f"{tag} {name}={value}")

    @staticmethod
    def _is_ours(tag: str, given: dict[str, str | None]) -> bool:
        return (tag == "link" and (given.get("href") or "").startswith("/static/")) or (
            tag == "meta" and ("charset" in given or given.get("name") in ("viewport", "robots", "htmx-config"))
        )

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(page: str) -> Markup:
    found = Markup()
    found.feed(page)
    found.close()
    return found


def identity_secret(site: Site) -> str:
    return link_secret(site.desk.key)


def unhidden(site: Site) -> tuple[str, str]:
    """A session that no audit hides, and its nearest gig."""
    hidden = site.desk.judged("nobody").hidden
    rows = site.run.items._connection.execute("SELECT session_id FROM items WHERE matched ORDER BY 1").fetchall()
    session = next(one for (one,) in rows if one not in hidden)
    return session, neighbours_of(site.run, session)[0].posting_id
