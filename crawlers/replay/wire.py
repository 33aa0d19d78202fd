"""The server itself: takes requests, logs them, lets faults act, answers."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, OrderedDict, deque
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from crawlers.replay.delivery import send
from crawlers.replay.exchange import Answer, Ask, View, encode
from crawlers.replay.gate import Gate
from crawlers.replay.settings import FAULTS, PAGE_FAULTS, RECORD_FAULTS, ReplaySettings, from_json
from crawlers.replay.sites import robots
from crawlers.replay.sources import HANDLERS, source_of, truth, world_of
from crawlers.replay.spoil import spoil_page, spoil_record
from crawlers.replay.stuffing import bend_bytes, many_items

if TYPE_CHECKING:
    from collections.abc import Collection

    from crawlers.replay.delivery import Request

LOG_SIZE = 50_000  # requests
CACHE_SIZE = 64 * 1024**2  # bytes of pages kept
_NOT_CACHED = RECORD_FAULTS | PAGE_FAULTS


class Door(Resource):
    """All paths of the server. Owns the log, the counters and the cache of encoded pages."""

    isLeaf = True

    def __init__(self, settings: ReplaySettings, *, url: str, elsewhere: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.url, self.elsewhere = url, elsewhere
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_SIZE)
        self.set(settings)

    def set(self, settings: ReplaySettings) -> None:
        """Take new settings; all counters start again, the log stays."""
        self.settings = settings
        self._gate = Gate(settings)
        self._hits: Counter[int] = Counter()
        self._seen: set[str] = set()
        self._pages: OrderedDict[tuple[object, ...], Answer] = OrderedDict()
        self._kept = 0

    def render(self, request: Request) -> int:
        """Twisted's entry."""
        ask = _ask(request)
        if ask.path.startswith("/_replay/"):
            send(request, self._control(ask), (), {})
            return NOT_DONE_YET
        source = source_of(ask.path)
        entry = _entry(ask, source)
        self.log.append(entry)
        names = self._faults_for(ask, source)
        entry["faults"] = sorted(names)
        request.notifyFinish().addErrback(lambda _: None)
        if "hang" in names:
            return NOT_DONE_YET
        answer = self._special(ask, names) or self._gate.refusal(ask, source) or self._answer(ask, source, names)
        entry["status"] = answer.status
        send(request, answer, names, self._gate.headers(source))
        return NOT_DONE_YET

    def _faults_for(self, ask: Ask, source: str) -> frozenset[str]:
        found = set()
        for place, fault in enumerate(self.settings.faults):
            for_robots = fault.name.startswith("robots_") or "robots" in fault.path
            if (ask.path == "/robots.txt") != for_robots:
                continue
            if fault.path not in ask.path or (not for_robots and fault.source not in ("", source)):
                continue
            self._hits[place] += 1
            turn = self._hits[place] - fault.skip
            if turn >= 1 and (not fault.times or turn <= fault.times):
                found.add(fault.name)
        return frozenset(found)

    def _special(self, ask: Ask, names: Collection[str]) -> Answer | None:
        """Answer that needs no source: refusals, redirects and failures."""
        fixed = {"forbidden": 403, "not_found": 404, "server_error": 500, "robots_500": 500}
        for name in names:
            if name in fixed:
                return Answer(fixed[name], {"message": name})
        if "flaky_500" in names or "busy_503" in names:
            key = f"{ask.method} {ask.path} {sorted(ask.query.items())} {ask.body!r}"
            if key not in self._seen:
                self._seen.add(key)
                busy = "busy_503" in names
                return Answer(
                    503 if busy else 500, {"message": "try again"}, headers={"Retry-After": "1"} if busy else {}
                )
        if "redirect_loop" in names:
            return _redirect(ask.path if "again" in ask.query else ask.path + "?again=1")
        if "redirect_elsewhere" in names:
            return _redirect(self.elsewhere + ask.path)
        return _redirect("file:///etc/hostname") if "redirect_to_file" in names else None

    def _answer(self, ask: Ask, source: str, names: frozenset[str]) -> Answer:
        if ask.path == "/robots.txt":
            return robots(ask.base, crawl_delay=self.settings.crawl_delay, disallow_all="robots_disallow_all" in names)
        if not source:
            return Answer(404, {"message": "Not Found"})
        endless = "same" if "endless_same" in names else "fresh" if "endless_fresh" in names else ""
        query = tuple((name, *values) for name, values in ask.query.items())
        key = (source, endless, ask.base, ask.method, ask.path, query, ask.body)
        bent = names & _NOT_CACHED
        if not bent and (kept := self._pages.get(key)):
            return kept
        try:
            answer = self._made(ask, source, names, endless)
        except Exception:  # a mistake of ours must be seen, and must not end the server
            logging.getLogger(__name__).exception("no answer to %s %s", ask.method, ask.path)
            return Answer(599, {"message": "the replay server has a fault of its own; see its standard error"})
        if not bent:
            self._keep(key, answer)
        return answer

    def _made(self, ask: Ask, source: str, names: frozenset[str], endless: str) -> Answer:
        world = world_of(self.settings, source, endless)
        to_records = names & RECORD_FAULTS
        view = View(
            world, (lambda record, number: spoil_record(source, to_records, record, number)) if to_records else None
        )
        answer = HANDLERS[source](ask, view) or Answer(404, {"message": "Not Found"})
        if "many_items" in names:
            answer = many_items(source, answer)
        answer = spoil_page(sorted(names & PAGE_FAULTS), answer)
        body = bend_bytes(names, answer.encoded(), media=answer.media)
        return replace(answer, data=None, place=None, body=body)

    def _keep(self, key: tuple[object, ...], answer: Answer) -> None:
        self._pages[key] = answer
        self._kept += len(answer.body or b"")
        while self._kept > CACHE_SIZE:
            _, oldest = self._pages.popitem(last=False)
            self._kept -= len(oldest.body or b"")

    def _control(self, ask: Ask) -> Answer:
        """Private endpoints under ``/_replay/``."""
        if ask.path == "/_replay/log":
            rows = list(self.log)
            if ask.method == "DELETE":
                self.log.clear()
            return Answer(data=rows)
        if ask.path == "/_replay/info":
            return Answer(data={"url": self.url, "elsewhere": self.elsewhere, "settings": asdict(self.settings)})
        if ask.path == "/_replay/faults":
            return Answer(data=FAULTS)
        try:
            if ask.path == "/_replay/truth":
                return Answer(body=encode([asdict(row) for row in truth(self.settings, ask.one("source"))]))
            if ask.path == "/_replay/settings" and ask.method == "POST":
                self.set(from_json(ask.body.decode()))
                return Answer(data={"set": True})
        except (ValueError, TypeError) as error:
            return Answer(400, {"message": str(error)})
        return Answer(404, {"message": "expected log, info, faults, truth or settings"})


class Elsewhere(Resource):
    """The other port: nobody should come here. Requests go to the same log."""

    isLeaf = True

    def __init__(self, log: deque[dict[str, Any]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._log = log

    def render(self, request: Request) -> int:
        """Twisted's entry."""
        entry = _entry(_ask(request), "elsewhere")
        self._log.append({**entry, "status": 200, "faults": []})
        send(request, Answer(data={"message": "you should not be here"}), (), {})
        return NOT_DONE_YET


def _ask(request: Any) -> Ask:  # noqa: ANN401  # Twisted's request, of which much is untyped
    path, _, query = request.uri.decode("latin-1").partition("?")
    headers = {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    base = "http://" + headers.get("host", "127.0.0.1")
    body = request.content.read() if request.content else b""
    parsed = parse_qs(query, keep_blank_values=True, errors="replace")
    return Ask(request.method.decode("latin-1"), unquote(path), parsed, headers, body, base)


def _entry(ask: Ask, source: str) -> dict[str, Any]:
    secret = ("authorization", "freelancer-oauth-v1")
    return {
        "time": time.time(),
        "method": ask.method,
        "path": ask.path,
        "query": dict(ask.query),
        "headers": {name: value for name, value in ask.headers.items() if name not in secret},
        "authorized": any(name in ask.headers for name in secret),
        "user_agent": ask.headers.get("user-agent", ""),
        "body": json.dumps(ask.body.decode("utf-8", "replace")[:5000]) if ask.body else "",
        "source": source,
        "status": 0,
        "faults": [],
    }


def _redirect(target: str) -> Answer:
    return Answer(302, body=b"", media="text/plain", headers={"Location": target})
