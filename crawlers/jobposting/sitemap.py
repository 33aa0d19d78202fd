"""Sitemaps -> the URLs that they list. Bounded in size; entities are never expanded."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crawlers.dates import parse_date
from crawlers.fields import ShapeFault, web_url
from crawlers.text import LONGEST_DATE

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a sitemap.

    Attributes
    ----------
    url : str
        Absolute, http or https.
    modified : datetime or None
        The latest moment that ``lastmod`` can mean: the end of the day, or month, where it states no more. UTC.
    """

    url: str
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap is, and what it lists.

    Attributes
    ----------
    is_index : bool
        It lists sitemaps, not pages.
    entries : tuple of Entry
        In order.
    complete : bool
        False where the file is cut off.
    """

    is_index: bool
    entries: tuple[Entry, ...]
    complete: bool


def inflate(body: bytes, limit: int) -> bytes:
    """Contents of a gzip file, told by its first bytes; anything else stays what it is.

    Parameters
    ----------
    body : bytes
    limit : int
        Bytes; more are never unpacked.

    Raises
    ------
    ShapeFault
        It is larger, or broken.
    """
    if not body.startswith(_GZIP):
        return body
    unpacked = bytearray()
    try:
        while body.startswith(_GZIP):  # a gzip file may be several, one after the other
            stream = zlib.decompressobj(wbits=31)
            unpacked += stream.decompress(body, limit + 1 - len(unpacked))
            if len(unpacked) > limit:
                raise ShapeFault("sitemap", f"at most {limit} bytes unpacked (crawl.max_response_mb)", None)
            if not stream.eof:
                raise ShapeFault("sitemap", "a whole gzip file", None)
            body = stream.unused_data
    except zlib.error as error:
        raise ShapeFault("sitemap", f"a gzip file ({str(error)[:80]})", None) from error
    return bytes(unpacked)


def read_sitemap(body: bytes, *, zone: str) -> Sitemap:
    """Read a sitemap or an index of sitemaps; lines that are no absolute web URL are left out.

    Raises
    ------
    ShapeFault
        It is neither.

    >>> found = read_sitemap(b"<urlset><url><loc>https://example.org/1</loc></url></urlset>", zone="UTC")
    >>> found.is_index, [entry.url for entry in found.entries], found.complete
    (False, ['https://example.org/1'], True)
    """
    from lxml.etree import XMLSyntaxError  # type: ignore[import-untyped]
    from scrapy.utils.sitemap import Sitemap as Lines

    if b"<!ENTITY" in body:  # no sitemap needs one; a bomb does
        raise ShapeFault("sitemap", "XML that declares no entities", None)
    try:
        lines = Lines(body)
        kind = lines.type
        if kind not in ("urlset", "sitemapindex"):
            raise ShapeFault("sitemap", "<urlset> or <sitemapindex>", None)
        entries = tuple(_entries(lines, zone))
    except (XMLSyntaxError, StopIteration, ValueError) as error:
        raise ShapeFault("sitemap", "XML", None) from error
    # the parser complains of any cut, but also of a bare "&"; a file with such faults is whole if its root is closed
    closed = re.compile(rf"</(?:[\w.-]{{1,100}}:)?{kind}\s{{0,100}}>".encode())
    complete = not lines.xmliter.error_log or closed.search(body) is not None
    return Sitemap(kind == "sitemapindex", entries, complete)


def _entries(lines: object, zone: str) -> Iterator[Entry]:
    for line in lines:  # type: ignore[attr-defined]
        url = web_url(line.get("loc"))
        if url is not None:
            yield Entry(url, _latest(line.get("lastmod", ""), zone))


def _latest(lastmod: str, zone: str) -> datetime | None:
    """Read a W3C date; other forms are not in the sitemaps' protocol, and would take long to try."""
    stated = lastmod.strip()
    found = parse_date(stated, zone=ZoneInfo(zone)) if len(stated) <= LONGEST_DATE else None
    if found is None or found.year >= 9999:  # no month can be added to it
        return found
    return found + timedelta(days=31 if len(stated) <= len("2026-01") else 1 if len(stated) <= len("2026-01-01") else 0)


def host_of(url: str) -> str:
    """Host and port of a URL: what a crawl keeps to, so that ``www.`` is another one. ``''``: it has none.

    >>> host_of("https://Example.org:443/x"), host_of("http://www.example.org"), host_of("http://[")
    ('example.org', 'www.example.org', '')
    """
    try:
        parts = urlsplit(url)
        usual = parts.port in (None, 443 if parts.scheme == "https" else 80)
        return (parts.hostname or "") + ("" if usual else f":{parts.port}")
    except ValueError:
        return ""


def same_site(url: str, base_url: str) -> bool:
    """Whether a URL is on the site: the same host and port, with or without ``www.``: good for a link that is shown.

    >>> same_site("https://www.example.org/x", "https://example.org"), same_site("https://evil.org", "https://example.org")
    (True, False)
    """
    return _host(url) == _host(base_url)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower().removeprefix("www.")
    except ValueError:
        return ""
