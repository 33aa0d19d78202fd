"""Faults of the connection, the status and the body as a whole: what they do on the wire."""

import http.client
import json
import re
import socket
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawlers.replay import SOURCES

FEEDS = [source for source in SOURCES if source != "jobposting"]


def raw(ask, path, seconds=1.0):
    """Bytes that come within some seconds of one request, and how it went on: open, closed or reset."""
    url = urlsplit(ask.url)
    with socket.create_connection((url.hostname, url.port), timeout=seconds) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
        found, until = b"", time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                piece = wire.recv(65536)
                if not piece:
                    return found, "closed"
                found += piece
        except TimeoutError:
            pass
        except ConnectionResetError:
            return found, "reset"
    return found, "open"


def split(found):
    head, _, body = found.partition(b"\r\n\r\n")
    return int(re.search(rb"Content-Length: (\d+)", head)[1]), body


def check_slow_drip(ask, put):
    put("slow_drip")
    size, body = split(raw(ask, "/api", 1.3)[0])
    assert size > 10_000 and 10 <= len(body) <= 50


def check_hang(ask, put):
    put("hang")
    assert raw(ask, "/api", 0.5) == (b"", "open")


def check_hang_mid_body(ask, put):
    put("hang_mid_body")
    found, state = raw(ask, "/api", 0.7)
    size, body = split(found)
    assert (len(body), state) == (size // 2, "open")


def check_reset_mid_body(ask, put):
    put("reset_mid_body")
    found, state = raw(ask, "/jobs/api", 2.0)
    size, body = split(found)
    assert (len(body), state) == (size // 2, "reset")


def check_short_body(ask, put):
    put("short_body")
    found, state = raw(ask, "/jobs/api", 2.0)
    size, body = split(found)
    assert (len(body), state) == (size // 2, "closed")
    with pytest.raises(http.client.IncompleteRead):
        ask("/jobs/api")


def check_flaky_500(ask, put):
    put("flaky_500")
    assert [ask("/jobs/api").status for _ in range(3)] == [500, 200, 200]
    assert [ask("/jobs/api?offset=20").status for _ in range(2)] == [500, 200]


def check_busy_503(ask, put):
    put("busy_503")
    first, second = ask("/jobs/api"), ask("/jobs/api")
    assert (first.status, first.headers["Retry-After"], second.status) == (503, "1", 200)


def check_server_error(ask, put):
    put("server_error")
    assert {ask.source(source).status for source in SOURCES for _ in range(2)} == {500}


def check_forbidden(ask, put):
    put("forbidden")
    assert {ask.source(source).status for source in SOURCES for _ in range(2)} == {403}
    assert ask("/robots.txt").status == 200


def check_not_found(ask, put):
    put("not_found")
    assert {ask.source(source).status for source in SOURCES} == {404}


def check_redirect_loop(ask, put):
    put("redirect_loop")
    path, seen = "/jobs/api", []
    for _ in range(5):
        reply = ask(path)
        path = reply.headers["Location"]
        seen.append((reply.status, path))
    assert seen == [(302, "/jobs/api?again=1"), (302, "/jobs/api")] * 2 + [(302, "/jobs/api?again=1")]


def check_redirect_elsewhere(ask, put):
    put("redirect_elsewhere")
    target = ask("/jobs/api").headers["Location"]
    assert target == ask.server.elsewhere + "/jobs/api" and urlsplit(target).port != urlsplit(ask.url).port
    other = http.client.HTTPConnection(urlsplit(target).netloc, timeout=5)
    other.request("GET", "/jobs/api")
    other.getresponse().read()
    other.close()
    assert [entry["source"] for entry in ask.server.log] == ["himalayas", "elsewhere"]


def check_redirect_to_file(ask, put):
    put("redirect_to_file")
    assert ask("/jobs/api").headers["Location"] == "file:///etc/hostname"


def wrong_charset(ask, put, name, source, charset, letters):
    put(name)
    reply = ask.source(source)
    assert "charset=utf-8" in reply.headers["Content-Type"]
    with pytest.raises(UnicodeDecodeError):
        reply.body.decode("utf-8")
    assert letters in reply.body.decode(charset) and json.loads(reply.body.decode(charset))


def check_wrong_charset_latin1(ask, put):
    wrong_charset(ask, put, "wrong_charset_latin1", "remoteok", "latin-1", "naïve, façade")


def check_wrong_charset_cp1251(ask, put):
    wrong_charset(ask, put, "wrong_charset_cp1251", "freelancehunt", "cp1251", "сайт")


def check_truncated(ask, put):
    whole = ask("/jobs/api").body
    put("truncated")
    assert ask("/jobs/api").body == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        _ = ask("/jobs/api").json


def check_html_instead(ask, put):
    put("html_instead")
    replies = [ask.source(source) for source in FEEDS]
    assert {(reply.status, reply.headers["Content-Type"][:9], reply.body[:9]) for reply in replies} == {
        (200, "text/html", b"<!doctype")
    }


def memory(ask):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{ask.server.pid}/status").read_text())[1]) // 1024


def start_of_body(ask, size=30_000_000):
    connection = http.client.HTTPConnection(urlsplit(ask.url).netloc, timeout=10)
    connection.request("GET", "/jobs/api")
    answer = connection.getresponse()
    found = len(answer.read(size))
    connection.close()
    return answer.headers, found


def check_huge_body(ask, put):
    put("huge_body")
    before = memory(ask)
    headers, found = start_of_body(ask)
    assert (headers["Content-Length"], found) == (str(2 * 1024**3), 30_000_000)
    assert memory(ask) - before < 30 and ask("/_replay/info").status == 200


def check_huge_body_chunked(ask, put):
    put("huge_body_chunked")
    headers, found = start_of_body(ask)
    assert (headers["Content-Length"], headers["Transfer-Encoding"], found) == (None, "chunked", 30_000_000)


def check_gzip_bomb(ask, put):
    put("gzip_bomb")
    reply = ask("/jobs/api")
    assert reply.headers["Content-Encoding"] == "gzip" and len(reply.body) < 2_000_000
    unpacker, size, packed = zlib.decompressobj(zlib.MAX_WBITS | 16), 0, reply.body
    while packed:
        size += len(unpacker.decompress(packed, 2**22))
        packed = unpacker.unconsumed_tail
    assert size + len(unpacker.flush()) == 1024**3 and unpacker.eof


def check_robots_disallow_all(ask, put):
    put("robots_disallow_all")
    assert re.search(r"^Disallow: /$", ask("/robots.txt").body.decode(), re.M)


def check_robots_500(ask, put):
    put("robots_500")
    assert (ask("/robots.txt").status, ask("/jobs/api").status) == (500, 200)


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}
SLOW = {"gzip_bomb", "many_items"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CHECKS])
def test_fault(ask, put, name):
    CHECKS[name](ask, put)
    assert not [entry for entry in ask.server.log if entry["status"] == 599]
