"""Any site's JobPosting: from robots.txt to sitemaps to pages to postings."""

import doctest
import gzip
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
import scrapy
from scrapy.http import HtmlResponse, Response, TextResponse

from crawlers.fields import ShapeFault
from crawlers.job import Job, Window
from crawlers.jobposting import jsonld, parse, salary, sitemap
from crawlers.jobposting.spider import JobPostingSpider
from crawlers.posting import Dropped, Fault, Posting
from valuation.config import load

SAVED = Path(__file__).parent
SITE = "https://jobs.example.org"


def spider(*overrides, window=None):
    settings = load(overrides=[f"sources.jobposting.base_url={SITE}", *overrides])
    folder = Path("unused")
    return JobPostingSpider.offline(
        Job("myboard", "c1", settings.sources["jobposting"], settings.crawl, window or Window(), *[folder] * 3)
    )


def urls(found):
    return [one.url for one in found if isinstance(one, scrapy.Request)]


def told(found):
    return [one.value for one in found if isinstance(one, Dropped)]


def requests(found):
    return [one for one in found if isinstance(one, scrapy.Request)]


def read_robots(body, status=200):
    return list(spider().parse_robots(TextResponse(f"{SITE}/robots.txt", body=body, status=status)))


def read_sitemap(body, *overrides, window=None, depth=1):
    made = spider(*overrides, window=window)
    return list(made.parse_sitemap(Response(f"{SITE}/sitemap.xml", body=body), depth=depth))


def read_page(body, url=f"{SITE}/jobs/3"):
    raw = body if isinstance(body, bytes) else body.encode()
    return list(spider().parse_page(HtmlResponse(url, body=raw, encoding="utf-8")))


def page_of(*items):
    return "".join(f'<script type="application/ld+json">{escaped(item)}</script>' for item in items)


def escaped(item):
    return json.dumps(item).replace("</", r"<\/")


def job(**fields):
    return {"@context": "https://schema.org", "@type": "JobPosting", "title": "A", **fields}


def one(**fields):
    (found,) = read_page(page_of(job(**fields)))
    assert isinstance(found, Posting)
    return found


def test_doctests():
    assert [doctest.testmod(module).failed for module in (jsonld, parse, salary, sitemap)] == [0, 0, 0, 0]


def test_begins_at_robots():
    (request,) = spider().first_requests()
    assert (request.url, request.callback.__name__) == (f"{SITE}/robots.txt", "parse_robots")
    assert request.meta["handle_httpstatus_list"] == [404, 410]  # no robots.txt: the callback goes on


def test_robots_names_the_sitemaps_of_the_site():
    found = read_robots((SAVED / "robots.txt").read_bytes())
    assert urls(found) == [
        f"{SITE}/sitemap_index.xml", f"{SITE}/relative.xml",
    ]  # fmt: skip
    assert [request.cb_kwargs for request in found if isinstance(request, scrapy.Request)] == [{"depth": 1}] * 2
    assert told(found) == [
        "1 sitemaps on www.jobs.example.org: set base_url to that site",
        "1 sitemaps on elsewhere.example.com: set base_url to that site",
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"User-agent: *\nDisallow:", 200),
        (b"Sitemap: https://elsewhere.example.com/s.xml", 200),
        (b"Sitemap: https://jobs.example.org/x.xml", 404),
        (b"\xff\xfe\x00", 200),
    ],
)
def test_without_a_named_sitemap_the_usual_place(body, status):
    assert urls(read_robots(body, status)) == [f"{SITE}/sitemap.xml"]


def test_sitemap_lists_pages():
    elsewhere, *found = read_sitemap((SAVED / "sitemap_jobs.xml").read_bytes())
    assert (elsewhere.reason, elsewhere.url) == ("not_a_posting", f"{SITE}/sitemap.xml")
    assert elsewhere.value == "1 pages on elsewhere.example.com: set base_url to that site"
    assert urls(found) == [f"{SITE}{path}" for path in ("/jobs/3?a=1&b=2", "/jobs/2", "/jobs/1", "/about", "/jobs/0")]
    assert len(found) == 5
    assert {request.callback.__name__ for request in found} == {"parse_page"}
    assert all(request.meta["optional"] for request in found)


def test_rerun_reads_what_has_changed():
    window = Window(changed_since=datetime(2026, 11, 10, 12, tzinfo=UTC))
    found = read_sitemap((SAVED / "sitemap_jobs.xml").read_bytes(), window=window)
    # /jobs/2 changed some time on the 10th: it may have been after noon; /jobs/0 does not say
    assert urls(found) == [f"{SITE}{path}" for path in ("/jobs/3?a=1&b=2", "/jobs/2", "/about", "/jobs/0")]


def test_queries_choose_pages():
    found = read_sitemap((SAVED / "sitemap_jobs.xml").read_bytes(), 'sources.jobposting.queries=["/jobs/"]')
    assert f"{SITE}/about" not in urls(found)
    assert len(requests(found)) == 4
    assert told(found) == ["1 pages on elsewhere.example.com: set base_url to that site"]
    nothing = read_sitemap((SAVED / "sitemap_jobs.xml").read_bytes(), 'sources.jobposting.queries=["/gigs/"]')
    assert nothing == []


def test_index_lists_sitemaps():
    body = (SAVED / "sitemap_index.xml").read_bytes()
    found = read_sitemap(body)
    assert urls(found) == [
        f"{SITE}/{name}" for name in ("sitemap-jobs-1.xml.gz", "sitemap-jobs-2.xml", "sitemap-pages.xml")
    ]
    assert told(found) == ["1 sitemaps on elsewhere.example.com: set base_url to that site"]
    assert [request.cb_kwargs for request in requests(found)] == [{"depth": 2}] * 3
    assert {request.callback.__name__ for request in requests(found)} == {"parse_sitemap"}
    rerun = read_sitemap(body, window=Window(changed_since=datetime(2026, 11, 10, tzinfo=UTC)))
    assert urls(rerun) == [f"{SITE}/sitemap-jobs-1.xml.gz", f"{SITE}/sitemap-pages.xml"]
    deep = read_sitemap(body, depth=3)
    assert deep == [Fault("cap", "sitemaps nest deeper than 3: 4 left at https://jobs.example.org/sitemap.xml")]


def test_gzip_is_told_by_its_content():
    plain = (SAVED / "sitemap_jobs.xml").read_bytes()
    assert urls(read_sitemap(gzip.compress(plain, mtime=0))) == urls(read_sitemap(plain))
    halves = gzip.compress(plain[:300], mtime=0) + gzip.compress(plain[300:], mtime=0)
    assert urls(read_sitemap(halves)) == urls(read_sitemap(plain))


def test_a_compression_bomb_is_not_unpacked():
    bomb = gzip.compress(b"<urlset>" + b" " * 5_000_000, mtime=0)
    with pytest.raises(ShapeFault, match="at most 1000000 bytes unpacked"):
        read_sitemap(bomb, "crawl.max_response_mb=1")
    assert len(sitemap.inflate(gzip.compress(b"x" * 100, mtime=0), 100)) == 100
    with pytest.raises(ShapeFault):
        sitemap.inflate(gzip.compress(b"x" * 101, mtime=0), 100)


def test_a_compression_bomb_takes_no_memory():
    bomb = gzip.compress(b" " * 50_000_000, mtime=0)
    tracemalloc.start()
    with pytest.raises(ShapeFault):
        sitemap.inflate(bomb, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("damage", [lambda body: body[:40], lambda body: body[:12] + b"\x00\x00" + body[14:]])
def test_a_broken_gzip_file_is_loud(damage):
    with pytest.raises(ShapeFault, match="gzip"):
        read_sitemap(damage(gzip.compress((SAVED / "sitemap_jobs.xml").read_bytes(), mtime=0)))


@pytest.mark.parametrize(
    "body", [b"", b"no XML", b"<html><body>404</body></html>", b'{"jobs": []}', b"<?xml version='1.0'?>"]
)
def test_what_is_no_sitemap_is_loud(body):
    with pytest.raises(ShapeFault, match="sitemap: expected"):
        read_sitemap(body)


def test_a_cut_off_sitemap_is_told_and_read():
    body = (SAVED / "sitemap_jobs.xml").read_bytes()
    fault, *found = read_sitemap(body[: body.index(b"<lastmod>2026-11-09")])
    assert fault == Fault("shape", f"a sitemap is cut off after 2 entries: {SITE}/sitemap.xml") or len(found) == 3
    assert urls(found)[:2] == [f"{SITE}/jobs/3?a=1&b=2", f"{SITE}/jobs/2"]


def test_a_cut_anywhere_is_told():
    body = (SAVED / "sitemap_jobs.xml").read_bytes().rstrip()
    for end in range(body.index(b"<urlset") + len(b"<urlset"), len(body)):
        assert not sitemap.read_sitemap(body[:end], zone="UTC").complete, body[:end]
    assert sitemap.read_sitemap(body, zone="UTC").complete


@pytest.mark.parametrize(
    "body",
    [
        b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>',
        b"<urlset />",
        b"<urlset></urlset>",
        b'<s:urlset xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9"/>',
        b"<sitemapindex/>",
        b"<urlset></urlset >",
        b"<urlset></urlset>\n<!-- " + b"made by a plugin " * 50 + b"-->\n",
        b"<urlset></urlset><!-- cut off in a comment",
        b"<urlset></urlset><script>1</script>",
        '<?xml version="1.0" encoding="UTF-16"?><urlset></urlset>'.encode("utf-16"),
    ],
)
def test_a_whole_sitemap_without_a_page(body):
    assert read_sitemap(body) == []


def test_a_bare_ampersand_cuts_nothing_off():
    body = f"<urlset><url><loc>{SITE}/jobs/1?a=1&b=2</loc></url></urlset><!-- {'x' * 500} -->".encode()
    assert [type(one) for one in read_sitemap(body)] == [scrapy.Request]
    assert isinstance(read_sitemap(body[: body.index(b"</urlset")])[0], Fault)


def test_pages_on_other_hosts_are_counted():
    lines = [f"https://www.jobs.example.org/{n}" for n in range(3)] + ["https://a.example.com/1", f"{SITE}:443/4"]
    lines.append("https://jobs.example.org:8443/5")
    body = "".join(f"<url><loc>{line}</loc></url>" for line in lines)
    found = read_sitemap(f"<urlset>{body}</urlset>".encode())
    assert told(found) == [
        "3 pages on www.jobs.example.org: set base_url to that site",
        "1 pages on a.example.com: set base_url to that site",
        "1 pages on jobs.example.org:8443: set base_url to that site",
    ]
    assert urls(found) == [f"{SITE}:443/4"]
    assert len({one.record_id for one in found if isinstance(one, Dropped)}) == 3
    fewer = read_sitemap(f"<urlset>{body[len('<url><loc></loc></url>') + len(lines[0]) :]}</urlset>".encode())
    assert fewer[0].value.startswith("2 pages")
    assert fewer[0].record_id == found[0].record_id  # one line a sitemap and host, however many pages there are


def test_no_more_hosts_are_named_than_can_be_read():
    lines = "".join(f"<url><loc>https://h{n}.example.com/{k}</loc></url>" for n in range(30) for k in range(2))
    found = read_sitemap(f"<urlset>{lines}</urlset>".encode())
    assert len(found) == 21
    assert found[-1].value == "20 pages on 10 other hosts"


@pytest.mark.parametrize(
    ("lastmod", "expected"),
    [
        ("2026-11-10T12:00:00+02:00", datetime(2026, 11, 10, 10, tzinfo=UTC)),
        ("2026-11-10T12:00Z", datetime(2026, 11, 10, 12, tzinfo=UTC)),
        (" 2026-11-10 ", datetime(2026, 11, 11, tzinfo=UTC)),
        ("2026-11", datetime(2026, 12, 2, tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, tzinfo=UTC)),
        ("vor 3 Tagen", None),
        ("10 листопада 2026", None),
        ("2026", None),
        ("", None),
        (f"2026-11-10{' ' * 100}12:00", None),  # longer than any date
    ],
)
def test_times_of_sitemaps(lastmod, expected):
    body = f"<urlset><url><loc>{SITE}/1</loc><lastmod>{lastmod}</lastmod></url></urlset>"
    (entry,) = sitemap.read_sitemap(body.encode(), zone="UTC").entries
    assert entry.modified == expected


def test_times_of_sitemaps_take_no_time(monkeypatch):
    import dateparser

    monkeypatch.setattr(dateparser, "parse", lambda *_, **__: pytest.fail("dateparser was asked"))
    lines = "".join(
        f"<url><loc>{SITE}/{n}</loc><lastmod>{n % 28 + 1} листопада 2026</lastmod></url>" for n in range(50)
    )
    assert len(read_sitemap(f"<urlset>{lines}</urlset>".encode())) == 50


def test_times_without_a_zone_are_the_sites():
    body = f"<urlset><url><loc>{SITE}/1</loc><lastmod>2026-11-10T12:00:00</lastmod></url></urlset>".encode()
    (entry,) = sitemap.read_sitemap(body, zone="Europe/Kyiv").entries
    assert entry.modified == datetime(2026, 11, 10, 10, tzinfo=UTC)


def test_entities_are_refused_and_never_expanded():
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    outside = f'<!ENTITY x SYSTEM "{(SAVED / "robots.txt").as_uri()}">'
    for entities in (f"<!ENTITY l0 'ha'>{laughs}", outside):
        body = f"<!DOCTYPE u [{entities}]><urlset><url><loc>{SITE}/&x;&l11;</loc></url></urlset>"
        with pytest.raises(ShapeFault, match="sitemap: expected XML that declares no entities"):
            read_sitemap(body.encode())
        try:  # in an encoding that hides the declaration
            found = read_sitemap(f'<?xml version="1.0" encoding="UTF-16"?>{body}'.encode("utf-16"))
        except ShapeFault:
            continue
        assert all(len(url) < 100 and "ha" not in url and "Disallow" not in url for url in urls(found))


def test_a_large_sitemap_is_read_whole():
    lines = "".join(f"<url><loc>{SITE}/jobs/{n}</loc><lastmod>2026-11-01</lastmod></url>" for n in range(5_000))
    assert len(read_sitemap(f"<urlset>{lines}</urlset>".encode())) == 5_000


def test_values():
    (found,) = read_page((SAVED / "posting.html").read_bytes())
    assert found.job_posting_id == "J-2026-17-f823d0bd33f9"  # of "Example Jobs"
    assert found.url == f"{SITE}/jobs/3#apply"
    assert found.job_title == "Webflow site for a bakery & café"
    assert found.description == "Five pages.\n\nPhotos exist."  # its HTML was escaped twice
    assert found.date_published == datetime(2026, 11, 18, tzinfo=UTC)
    assert found.date_published_raw == "2026-11-18"
    assert found.date_modified == datetime(2026, 11, 19, 7, tzinfo=UTC)
    assert found.valid_through == datetime(2026, 12, 18, tzinfo=UTC)
    assert found.skills == ("Webflow", "CSS", "Figma")
    assert (found.employment_type, found.category) == ("CONTRACTOR, PART_TIME", "Web design")
    assert (found.hiring_organization, found.job_location) == ("Brot & Salz", "Graz, AT; Wien, Austria")
    price = found.price
    assert (price.type, price.kind, price.low, price.high) == ("hourly", "posted", 35, 50)
    assert (price.currency, price.raw, price.fault) == ("EUR", "35 - 50 EUR / HOUR", None)


def test_several_on_a_page_and_a_broken_script():
    broken, first, second = read_page((SAVED / "graph.html").read_bytes(), f"{SITE}/list")
    assert (broken.reason, broken.value, broken.url) == ("unreadable_record", "1 scripts are no JSON", f"{SITE}/list")
    assert (first.job_title, first.description) == ("Translate a menu", "40 dishes.")
    assert (first.price.type, first.price.low, first.price.raw) == ("fixed", 400, "400 USD / PROJECT")
    assert (second.job_title, second.price.fault, second.price.raw) == (
        "Proofread a menu",
        "other_unit",
        "60000 USD / YEAR",
    )
    assert second.url == f"{SITE}/list"  # its own names another site
    assert len({first.job_posting_id, second.job_posting_id}) == 2


def test_pages_without_a_posting_are_told():
    (found,) = read_page("<html><p>JobPosting</p></html>", f"{SITE}/about")
    assert (found.reason, found.url) == ("not_a_posting", f"{SITE}/about")
    (again,) = read_page("<html><p>changed</p></html>", f"{SITE}/about")
    assert again.record_id == found.record_id  # one line a page, however often it is read
    (other,) = list(spider().parse_page(Response(f"{SITE}/a.pdf", body=b"%PDF")))
    assert (other.reason, other.value) == ("not_a_posting", "not a page of text")
    assert other.record_id != found.record_id


def test_ids_stay_the_same():
    first = one(title="A", datePosted="2026-11-01")
    edited = one(title="B", datePosted="2026-11-02")
    assert first.job_posting_id == edited.job_posting_id
    page = f"{SITE}/jobs/3"
    assert parse.posting_id({}, page=page, alone=True) == parse.posting_id({}, page=f"{page}#top", alone=True)
    (elsewhere,) = read_page(page_of(job()), f"{SITE}/jobs/4")
    assert elsewhere.job_posting_id != first.job_posting_id
    two = [found.job_posting_id for found in read_page(page_of(job(title="A"), job(title="B")))]
    swapped = [found.job_posting_id for found in read_page(page_of(job(title="B"), job(title="A")))]
    assert two == swapped[::-1]


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("X1", "X1"), (17, "17"), ({"value": " X2 "}, "X2"), ({"value": 18}, "18"), ([{"value": "X3"}, "X4"], "X3"),
        ({"@id": "X5"}, "X5"),
    ],
)  # fmt: skip
def test_identifiers(identifier, expected):
    assert one(identifier=identifier).job_posting_id == expected


def test_employers_number_alike():
    def named(name, value="1", **fields):
        return one(identifier={"@type": "PropertyValue", "name": name, "value": value}, **fields).job_posting_id

    acme = named("Acme")
    assert acme.startswith("1-") and len(acme) == 14
    assert "Acme" not in acme  # ids leave the store, employers' names do not
    assert named("Brot & Salz") != acme
    assert named("Acme", "2").partition("-")[2] != acme.partition("-")[2]  # nor can postings be joined by employer
    assert named(" ACME ") == named("Acme", title="B", url=f"{SITE}/x") == named("Acme", hiringOrganization="B") == acme
    (elsewhere,) = read_page(page_of(job(identifier={"name": "Acme", "value": 1})), f"{SITE}/jobs/4")
    assert elsewhere.job_posting_id == acme
    two = read_page(
        page_of(job(identifier={"name": "Acme", "value": "1"}), job(identifier={"name": "B", "value": "1"}))
    )
    assert [two[0].job_posting_id == acme, two[1].job_posting_id == acme] == [True, False]
    assert len(named("x" * 5000, "y" * 200)) == 213


@pytest.mark.parametrize(
    "identifier", ["1", 1, {"value": "1"}, {"name": " ", "value": 1}, [{"name": None, "value": 1}]]
)
@pytest.mark.parametrize("organization", ["Acme", {"@type": "Organization", "name": "Acme"}, [{"name": "Acme"}]])
def test_employers_of_identifiers_without_a_name(identifier, organization):
    same = one(identifier={"name": "Acme", "value": "1"}).job_posting_id
    assert one(identifier=identifier, hiringOrganization=organization).job_posting_id == same
    assert one(identifier=identifier, hiringOrganization="B").job_posting_id not in (same, "1")


def test_an_employers_name_is_no_identifier_of_a_job():
    misused = {"name": "Acme", "value": "ACME"}
    assert one(identifier=misused).job_posting_id == one().job_posting_id
    (elsewhere,) = read_page(page_of(job(identifier=misused)), f"{SITE}/jobs/4")
    assert elsewhere.job_posting_id != one().job_posting_id


@pytest.mark.parametrize(
    "identifier", [None, "", " ", {}, [], True, 1.5, {"value": None}, {"value": {}}, "x" * 201, 10**200]
)
def test_identifiers_that_are_none(identifier):
    assert one(identifier=identifier).job_posting_id == one().job_posting_id


def pay(**fields):
    return {"baseSalary": {"@type": "MonetaryAmount", **fields}}


def eur(value):
    return pay(currency="EUR", value={"@type": "QuantitativeValue", **value})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (eur({"value": 40, "unitText": "HOUR"}), ("hourly", 40, 40, "EUR", None)),
        (eur({"value": "40.50", "unitText": "hour"}), ("hourly", 40.5, 40.5, "EUR", None)),
        (eur({"value": 40, "unitCode": "HUR"}), ("hourly", 40, 40, "EUR", None)),
        (pay(currency="EUR", value=40, unitText="HOUR"), ("hourly", 40, 40, "EUR", None)),
        (pay(currency="EUR", minValue=40, maxValue=60, unitText="Hourly"), ("hourly", 40, 60, "EUR", None)),
        (pay(priceCurrency="EUR", price="40", unitText="HOUR"), ("hourly", 40, 40, "EUR", None)),
        (eur({"value": 900, "unitText": "PROJECT"}), ("fixed", 900, 900, "EUR", None)),
        (pay(currency="€", value=900, unitText="fixed price"), ("fixed", 900, 900, "EUR", None)),
        (eur({"value": 900, "unitText": "PER PROJECT"}), ("fixed", 900, 900, "EUR", None)),
        (eur({"value": 900, "unitText": "a project"}), ("fixed", 900, 900, "EUR", None)),
        (eur({"value": 900, "unitText": "per_task"}), ("fixed", 900, 900, "EUR", None)),
        (eur({"value": 900, "unitText": "/ job"}), ("fixed", 900, 900, "EUR", None)),
        (eur({"value": 40, "unitText": "PER HOUR"}), ("hourly", 40, 40, "EUR", None)),
        (eur({"value": 40, "unitText": "an hour"}), ("hourly", 40, 40, "EUR", None)),
        (eur({"value": 40, "unitText": "/hr"}), ("hourly", 40, 40, "EUR", None)),
        (eur({"value": 40, "unitText": "per a year"}), (None, None, None, "EUR", "other_unit")),
        (eur({"value": 40, "unitText": "annual"}), (None, None, None, "EUR", "other_unit")),
        (eur({"value": 40, "unitText": "per"}), (None, None, None, "EUR", "other_unit")),
        (eur({"value": 900}), (None, 900, 900, "EUR", None)),
        (eur({"value": 900}) | {"employmentType": "CONTRACTOR"}, (None, 900, 900, "EUR", None)),
        (eur({"value": 90, "unitText": "DAY"}), (None, None, None, "EUR", "other_unit")),
        (eur({"value": 90, "unitText": "WEEK"}), (None, None, None, "EUR", "other_unit")),
        (eur({"value": 90, "unitText": "MONTH"}), (None, None, None, "EUR", "other_unit")),
        (eur({"value": 90, "unitCode": "ANN"}), (None, None, None, "EUR", "other_unit")),
        (eur({"value": 90, "unitText": "WORD"}), (None, None, None, "EUR", "other_unit")),
        (eur({"minValue": 30, "unitText": "HOUR"}), ("hourly", None, None, "EUR", "open")),
        (eur({"minValue": "?", "maxValue": 5, "unitText": "HOUR"}), ("hourly", None, None, "EUR", "unclear")),
        (eur({"minValue": 50, "maxValue": 30, "unitText": "HOUR"}), ("hourly", None, None, "EUR", "reversed")),
        (eur({"value": 0, "unitText": "HOUR"}), ("hourly", None, None, "EUR", "zero")),
        (eur({"minValue": "€30", "maxValue": "€50", "unitText": "HOUR"}), ("hourly", 30, 50, "EUR", None)),
        (eur({"minValue": "€30", "unitText": "HOUR"}), ("hourly", None, None, "EUR", "unclear")),
        ({"baseSalary": {"currency": "USD", "value": "30 - 50", "unitText": "HOUR"}}, ("hourly", 30, 50, "USD", None)),
        ({"baseSalary": [{"value": {"value": 40, "unitText": "HOUR"}}]}, ("hourly", 40, 40, None, None)),
        ({"baseSalary": [{"value": 4}, {"value": 5}]}, (None, None, None, None, "several")),
        ({"baseSalary": "$500"}, (None, 500, 500, "USD", None)),
        ({"baseSalary": "500 - 1,000 USD / hour"}, ("hourly", 500, 1000, "USD", None)),
        ({"baseSalary": "$60,000 per year"}, (None, None, None, None, "other_unit")),
        ({"baseSalary": "negotiable"}, (None, None, None, None, "none")),
        ({"baseSalary": 500, "salaryCurrency": "GBP"}, (None, 500, 500, "GBP", None)),
        ({"baseSalary": "500", "salaryCurrency": "GBP"}, (None, 500, 500, "GBP", None)),
        (pay(value={"value": 5, "unitText": "HOUR"}) | {"salaryCurrency": "GBP"}, ("hourly", 5, 5, "GBP", None)),
        ({"baseSalary": {"currency": "EUR"}}, (None, None, None, "EUR", "none")),
        ({"baseSalary": None}, (None, None, None, None, "none")),
        ({"baseSalary": []}, (None, None, None, None, "none")),
        ({"baseSalary": True}, (None, None, None, None, "none")),
        ({}, (None, None, None, None, "none")),
    ],
)  # fmt: skip
def test_salaries(fields, expected):
    price = one(**fields).price
    assert (price.type, price.low, price.high, price.currency, price.fault) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"jobLocation": {"address": "Graz"}}, "Graz"),
        ({"jobLocation": "Graz"}, "Graz"),
        ({"jobLocation": {"name": "Our studio"}}, "Our studio"),
        ({"jobLocation": {"address": {"addressRegion": "CA", "addressCountry": "CA"}}}, "CA"),
        ({"jobLocationType": "TELECOMMUTE"}, "Remote"),
        ({"jobLocation": {"geo": {}}, "jobLocationType": "TELECOMMUTE"}, "Remote"),
        ({"jobLocation": [17, None]}, None),
    ],
)
def test_places(fields, expected):
    assert one(**fields).job_location == expected


@pytest.mark.parametrize(
    ("skills", "expected"),
    [
        ("CSS", ("CSS",)),
        ("• CSS\n• HTML\n", ("CSS", "HTML")),
        ("<ul><li>CSS</li><li>HTML</li></ul>", ("CSS", "HTML")),
        (["CSS", "CSS", "HTML", 4, None], ("CSS", "HTML")),
        ([{"@type": "DefinedTerm", "name": "CSS"}], ("CSS",)),
        ({"name": "CSS"}, ("CSS",)),
        (7, ()),
    ],
)
def test_skills(skills, expected):
    assert one(skills=skills).skills == expected


def test_hostile_pages():
    assert one(title="<script>alert(1)</script>Logo", hiringOrganization="<b>Acme</b>").job_title == "Logo"
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    (found,) = read_page(f'<script type="application/ld+json">{deep}</script>')
    assert found.reason == "not_a_posting"
    (broken,) = read_page(f'<script type="application/ld+json">{deep[:-5]}JobPosting</script>')
    assert broken.reason == "unreadable_record"
    nested = {"a": job(title="inner")}
    for _ in range(200):
        nested = {"a": [nested]}
    assert [found.job_title for found in read_page(page_of(nested))] == ["inner"]
    assert one(description="x" * 1_000_000).description == "x" * 200_000
    assert len(one(baseSalary={"value": {"value": 5, "unitText": "Y" * 10_000}}).price.raw) < 100
    assert isinstance(read_page(page_of(job(url="javascript:alert(1)")))[0], Posting)
    assert one(url="javascript:alert(1)").url == f"{SITE}/jobs/3"


def test_renamed_types_and_keys():
    (found,) = read_page(page_of({**job(), "@type": "Job"}))
    assert isinstance(found, Dropped)
    renamed = one(title=None, name=None, jobTitle="A", date="2026-11-01", salary={"value": 4})
    assert (renamed.job_title, renamed.date_published, renamed.price.fault) == (None, None, "none")
