"""A site with schema.org JobPosting pages: robots.txt, an index of sitemaps, pages in the shapes that sites use."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Sequence
from typing import Any

from crawlers.replay.boards import slug
from crawlers.replay.draws import Draw, mix
from crawlers.replay.exchange import Answer, Ask, Record, Truth, View
from crawlers.replay.jobs import Job, job_at, nasty, truth_of
from crawlers.replay.quotes import Quote, Unit
from crawlers.replay.world import ENDLESS, World, iso

MAP_SIZE = 1000  # pages a sitemap
_XML = "application/xml; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_UNITS: tuple[tuple[Unit, str, int], ...] = (
    ("hour", "HOUR", 1), ("day", "DAY", 8), ("week", "WEEK", 40), ("month", "MONTH", 160), ("year", "YEAR", 1900),
)  # fmt: skip


def handle(ask: Ask, view: View) -> Answer | None:
    """Answer a request for a page of the site; None where there is none."""
    if ask.path == "/sitemap.xml":
        return _index(ask, view.world)
    if found := re.fullmatch(r"/sitemaps/jobs-(\d+)\.xml(\.gz)?", ask.path):
        return _map(ask, view.world, int(found[1]), packed=bool(found[2]))
    if ask.path == "/sitemaps/pages.xml":
        pages = "".join(
            f"<url><loc>{ask.base}{path}</loc></url>" for path in ("/about", "/blog/hiring", "/private/job-0")
        )
        return _xml(f"<urlset {_SPACE}>{pages}</urlset>")
    if ask.path in ("/about", "/blog/hiring"):
        return Answer(body=_shell("About us", "<p>We list work.</p>", ""), media=_HTML)
    if found := re.fullmatch(r"/(jobs|private)/[\w-]*?-?(\d+)", ask.path):
        return _job_page(ask, view, int(found[2]))
    return None


def robots(base: str, *, crawl_delay: float, disallow_all: bool = False) -> Answer:
    """The host's robots.txt."""
    delay = f"Crawl-delay: {crawl_delay:g}\n" if crawl_delay else ""
    rule = "Disallow: /\n" if disallow_all else "Disallow: /private/\nDisallow: /admin\n"
    text = f"# written for tests\nUser-agent: *\n{rule}{delay}\nSitemap: {base}/sitemap.xml\n"
    return Answer(body=text.encode(), media="text/plain; charset=utf-8")


def _xml(text: str) -> Answer:
    return Answer(body=f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode(), media=_XML)


def _open(world: World) -> Sequence[int]:
    return world.select("open", lambda number: world.change(number) != "close")


def _index(ask: Ask, world: World) -> Answer:
    numbers = _open(world)
    count = max(2, -(-len(numbers) // MAP_SIZE))  # a small site has two as well, so that one is packed
    names = [f"jobs-{place + 1}.xml{'.gz' if place == count - 1 else ''}" for place in range(count)]
    if world.endless:
        names = ["jobs-1.xml"]
    newest = iso(max((world.updated(number) for number in numbers[-50:]), default=0), "%Y-%m-%d")
    rows = "".join(
        f"<sitemap><loc>{ask.base}/sitemaps/{name}</loc><lastmod>{newest}</lastmod></sitemap>"
        for name in [*names, "pages.xml"]
    )
    return _xml(f"<sitemapindex {_SPACE}>{rows}</sitemapindex>")


def _map(ask: Ask, world: World, place: int, *, packed: bool) -> Answer:
    if world.endless:  # a sitemap that names another one, for ever
        following = f"{ask.base}/sitemaps/jobs-{1 if world.endless == 'same' else place + 1}.xml"
        return _xml(f"<sitemapindex {_SPACE}><sitemap><loc>{following}</loc></sitemap></sitemapindex>")
    numbers = _open(world)
    count = max(2, -(-len(numbers) // MAP_SIZE))
    size = max(1, -(-len(numbers) // count))
    if not 1 <= place <= count or packed != (place == count):
        return Answer(404, body=_shell("Not found", "", ""), media=_HTML)
    rows = "".join(
        f"<url><loc>{ask.base}{path_of(job)}</loc><lastmod>{iso(job.updated)}</lastmod></url>"
        for job in (job_at(world, number) for number in numbers[(place - 1) * size : place * size])
    )
    answer = _xml(f"<urlset {_SPACE}>{rows}</urlset>")
    if not packed:
        return answer
    return Answer(body=gzip.compress(answer.encoded(), 6, mtime=0), media="application/gzip")


def path_of(job: Job) -> str:
    """Path of a job's page."""
    return f"/jobs/{slug(job.title)}-{job.number}"


def _quote(world: World, job: Job) -> Quote:
    draw = Draw(world.base ^ 7, job.number)
    unit, _, factor = draw.pick(_UNITS)
    low = float(draw.between(20, 90) * factor)
    currency = draw.pick(("USD", "EUR", "GBP"))
    quote = job.now(Quote("", low, low * 1.5, currency, unit))
    form = job.number % 8
    if form == 6:
        return Quote("", why="none")
    if form in (1, 2) and quote.low is not None:  # a number alone: one amount
        return Quote("", quote.low, quote.low, currency, unit)
    if form == 7 and quote.low is not None:
        return Quote("", quote.low, quote.high, currency, "")
    return quote


def base_salary(world: World, job: Job) -> object:
    """``baseSalary`` in one of the shapes in use."""
    quote = _quote(world, job)
    if quote.low is None:
        return None
    unit = next((name for ours, name, _ in _UNITS if ours == quote.unit), None)
    named = {"unitText": unit} if unit else {}
    form = job.number % 8
    money: dict[str, Any] = {"@type": "MonetaryAmount", "currency": quote.currency}
    if form == 1:
        return {**money, "value": {"@type": "QuantitativeValue", "value": quote.low, **named}}
    if form == 2:
        return {**money, "value": quote.low, **named}
    if form == 3:
        return {**money, "minValue": quote.low, "maxValue": quote.high, **named}
    if form == 4:
        return {
            **money,
            "value": {
                "@type": "QuantitativeValue",
                "minValue": f"{quote.low:.2f}",
                "maxValue": f"{quote.high:.2f}",
                **named,
            },
        }
    if form == 5:
        return [
            {**money, "value": {"@type": "QuantitativeValue", "minValue": quote.low, "maxValue": quote.high, **named}}
        ]
    return {**money, "value": {"@type": "QuantitativeValue", "minValue": quote.low, "maxValue": quote.high, **named}}


def job_object(world: World, job: Job, base: str) -> Record:
    """JobPosting of a job."""
    described = job.html if job.number % 3 else html.escape(job.html)
    record: Record = {
        "@type": "JobPosting" if job.number % 4 else ["JobPosting"],
        "title": job.title,
        "description": described,
        "identifier": {"@type": "PropertyValue", "name": job.company, "value": f"JOB-{job.number}"},
        "datePosted": iso(job.created, "%Y-%m-%d" if job.number % 2 else "%Y-%m-%dT%H:%M:%S+00:00"),
        "validThrough": iso(job.created + 90 * 86400, "%Y-%m-%dT%H:%M:%S+00:00"),
        "employmentType": "CONTRACTOR" if job.number % 2 else ["CONTRACTOR", "PART_TIME"],
        "hiringOrganization": {"@type": "Organization", "name": job.company, "sameAs": "https://example.org"},
        "jobLocationType": "TELECOMMUTE",
        "applicantLocationRequirements": {"@type": "Country", "name": job.place},
        "skills": ", ".join(job.skills),
        "url": base + path_of(job),
    }
    money = base_salary(world, job)
    return record if money is None else {**record, "baseSalary": money}


def _job_page(ask: Ask, view: View, number: int) -> Answer:
    world = view.world
    job = job_at(world, number)
    if number >= (ENDLESS if world.endless else world.count) or (
        ask.path != path_of(job) and "private" not in ask.path
    ):
        return Answer(404, body=_shell("Not found", "", ""), media=_HTML)
    if job.change == "close":
        return Answer(410, body=_shell("This job is gone", "", ""), media=_HTML)
    if plain(world, number):
        return Answer(body=_shell(job.title, job.html, ""), media=_HTML)
    record = view.show(job_object(world, job, ask.base), number)
    return Answer(body=_shell(job.title, job.html, _scripts(record, number)), media=_HTML)


def plain(world: World, number: int) -> bool:
    """Whether a job's page holds no JSON-LD: one in fifty."""
    return (mix(world.base ^ 5, number) >> 9) % 50 == 0


def _scripts(record: Record, number: int) -> str:
    crumbs = {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": []}
    context = {"@context": "https://schema.org/" if number % 2 else "http://schema.org"}
    form = (number // 8) % 4
    if form == 0:
        blocks: list[object] = [{**context, **record}]
    elif form == 1:
        blocks = [{**context, "@graph": [{"@type": "WebSite", "name": "Board"}, record]}]
    elif form == 2:
        blocks = [[crumbs, {**context, **record}]]
    else:
        blocks = [crumbs, {**context, **record}]
    texts = [json.dumps(block, ensure_ascii=number % 2 == 0).replace("</", "<\\/") for block in blocks]
    return "".join(f'<script type="application/ld+json">{text}</script>' for text in texts)


def _shell(title: str, body: str, head: str) -> bytes:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>{head}</head>'
        f"<body><h1>{html.escape(title)}</h1>{body}</body></html>"
    )
    return text.encode("utf-8", "surrogatepass")


def truth(world: World, number: int, *, is_nasty: bool = False) -> Truth | None:
    """What a perfect crawl knows of a page; None where it is gone or holds no JSON-LD."""
    job = job_at(world, number)
    if job.change == "close" or plain(world, number):
        return None
    quote = nasty(number) if is_nasty else _quote(world, job)
    return truth_of(job, quote, identity=f"JOB-{number}", url=path_of(job))
