"""Sitemaps -> the URLs that they list. Bounded in size; entities are never expanded."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawlers.fields import ShapeFault, web_url
from crawlers.text import read_time

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
    return Sitemap(kind == "sitemapindex", entries, f"{kind}>".encode() in body[-200:])


def _entries(lines: object, zone: str) -> Iterator[Entry]:
    for line in lines:  # type: ignore[attr-defined]
        url = web_url(line.get("loc"))
        if url is not None:
            yield Entry(url, _latest(line.get("lastmod", ""), zone))


def _latest(lastmod: str, zone: str) -> datetime | None:
    found = read_time(lastmod, zone=zone)
    width = len(lastmod.strip())
    spans = timedelta(days=31 if width <= len("2026-01") else 1 if width <= len("2026-01-01") else 0)
    return found and found + spans


def same_site(url: str, base_url: str) -> bool:
    """Whether a URL is on the site: the same host and port, with or without ``www.``.

    >>> same_site("https://www.example.org/x", "https://example.org"), same_site("https://evil.org", "https://example.org")
    (True, False)
    """
    return _host(url) == _host(base_url)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower().removeprefix("www.")
    except ValueError:
        return ""
