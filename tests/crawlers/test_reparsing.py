"""Stored answers through the callbacks again: the rows that the crawl wrote, another parser's rows, or nothing."""

import dataclasses
import json
import sys
import types

import pytest
from crawling import DAY, HOUR, T0, begin, end, keep, make_job, new_store, posting, price, rows
from scrapy.http import JsonResponse

from crawlers.engine.reparsing import reparse_store
from crawlers.fields import ShapeFault, records_of
from crawlers.job import Window
from crawlers.posting import Dropped, Fault
from crawlers.spider import SourceSpider
from valuation.errors import ConfigError, InputError

PAGES = [
    {"items": [{"id": "1", "pay": 100}, {"id": "2", "pay": 50}, "junk"]},
    {"items": [{"id": "1", "pay": 200}, {"id": "2", "pay": 50}, {"pay": 3}]},
    {"items": [{"id": "1", "pay": 100}]},
]


def spider(*, scale=1, attributes=None):
    """A spider as a source's package holds it."""

    class Demo(SourceSpider):
        name = "github"

        def one(self, record):
            if not self.window.holds(T0):
                return Dropped(record["id"], None, "not_a_posting")
            from crawlers.fields import identifier

            return posting(identifier(record, "id"), paid=price(record["pay"] * scale), published=T0 - DAY)

        def parse(self, response, page=1):
            yield Fault("cap", "12 out of reach") if page == 2 else self.get("/next", self.parse, page=2)
            yield from self.records(records_of(self.json(response), "items"), self.one)

        def broken(self, response):
            yield posting("9")
            raise ZeroDivisionError

        def nothing(self, response):
            return None

    for name, value in (attributes or {}).items():
        setattr(Demo, name, value)
    return Demo


@pytest.fixture
def use(monkeypatch):
    """Put a spider in the place of a source's own."""

    def put(found):
        module = types.ModuleType("crawlers.github.spider")
        found.__module__, module.Demo = module.__name__, found
        monkeypatch.setitem(sys.modules, "crawlers.github.spider", module)
        return found

    return put


def crawl(store, made, pages=PAGES, *, window=None):
    """What the engine does, without a network: each day an answer, kept, read and written."""
    for day, page in enumerate(pages):
        records = begin(store, f"c{day}", at=T0 + day * DAY, window=window)
        body, at = json.dumps(page).encode(), T0 + day * DAY + HOUR
        number = keep(store, f"c{day}", body=body, at=at, request_hash="same")
        response = JsonResponse("https://example.org/list", body=body)
        found = [one for one in made.parse(response) if not hasattr(one, "callback")]
        for position, one in enumerate(found, start=1):
            records.add(one, response_id=number, position=position, seen_at=at)
        end(store, f"c{day}")


def tables(store):
    return rows(store, "versions"), rows(store, "dropped")


def job(tmp_path, **more):
    return make_job(tmp_path, crawl_id="r1", **more)


def again(store, tmp_path):
    told = []
    reparse_store(store, job(tmp_path), progress=lambda *done: told.append(done))
    return told


@pytest.fixture
def store(tmp_path):
    found = new_store(tmp_path)
    yield found
    found.close()


def test_reading_again_gives_the_rows_of_the_crawl(store, tmp_path, use):
    crawl(store, use(spider()).offline(job(tmp_path)))
    before = tables(store)
    assert [(row[0], row[1]) for row in before[0]] == [
        ("github:1", 1),
        ("github:1", 2),
        ("github:1", 3),
        ("github:2", 1),
    ]
    assert len(before[1]) == 2
    assert again(store, tmp_path) == [(1, 3), (2, 3), (3, 3)]
    assert tables(store) == before
    assert store.counts("r1")[("record", "new")] == 2
    assert store.counts("r1")[("record", "changed")] == 2
    assert store.counts("r1")[("record", "dropped")] == 2
    line = store.db.execute(
        "SELECT kind, outcome, reason, ended_at IS NULL FROM crawls WHERE crawl_id = 'r1'"
    ).fetchone()
    assert line == ("reparse", "finished", "finished", 0)


def test_a_corrected_parser_mends_every_version(store, tmp_path, use):
    crawl(store, use(spider()).offline(job(tmp_path)))
    use(spider(scale=10))
    again(store, tmp_path)
    found = [(row[0], row[1], json.loads(row[3])["price"]["low"]) for row in rows(store, "versions")]
    assert found == [("github:1", 1, 1000.0), ("github:1", 2, 2000.0), ("github:1", 3, 1000.0), ("github:2", 1, 500.0)]


def test_what_the_parser_now_reads_alike_becomes_one_version(store, tmp_path, use):
    crawl(store, use(spider()).offline(job(tmp_path)))
    use(spider(scale=0))
    again(store, tmp_path)
    assert [(row[0], row[1]) for row in rows(store, "versions")] == [("github:1", 1), ("github:2", 1)]


def test_faults_are_written_down_and_cost_only_their_page(store, tmp_path, use):
    use(spider())
    keep(store, body=b"not json", url="https://example.org/bad")
    keep(store, body=b"{}", callback="broken")
    keep(store, body=b'{"items": []}', cb_kwargs={"page": 2})
    keep(store, body=json.dumps(PAGES[2]).encode())
    again(store, tmp_path)
    assert [row[0] for row in rows(store, "versions")] == ["github:1", "github:9"]
    found = store.faults("r1")
    assert [(number, kind) for number, _, kind, _ in found] == [(1, "shape"), (2, "shape"), (3, "cap")]
    assert found[0][3].startswith("$: expected JSON (") and found[0][1] == "https://example.org/bad"
    assert [message for *_, message in found[1:]] == ["ZeroDivisionError while reading the page", "12 out of reach"]
    assert store.counts("r1")[("fault", "shape")] == 2


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({"status": 404}, []), ({"status": 500}, []), ({"status": 301}, []), ({"callback": None}, []),
        ({"status": 404, "optional": True}, ["gone"]), ({"status": 410, "optional": True}, ["gone"]),
        ({"status": 403, "optional": True}, []), ({"status": 206}, ["version"]), ({"callback": "nothing"}, []),
        ({"headers": [("Content-Encoding", "gzip"), ("Content-Type", "text/html; charset=nonsense")]}, ["version"]),
    ],
)  # fmt: skip
def test_which_answers_are_read(store, tmp_path, use, more, seen):
    use(spider())
    keep(store, body=json.dumps(PAGES[2]).encode(), **more)
    again(store, tmp_path)
    versions, dropped = tables(store)
    assert ["version"] * len(versions) + [row[1] for row in dropped] == seen
    assert store.faults("r1") == []


def test_each_answer_is_read_with_its_own_crawls_window(store, tmp_path, use):
    use(spider())
    begin(store, "c1", window=Window(until=T0 - 5 * DAY))
    keep(store, "c1", body=json.dumps(PAGES[2]).encode())
    again(store, tmp_path)
    assert rows(store, "versions") == []
    assert store.counts("r1")[("record", "outside_window")] == 1


def test_the_network_and_the_stored_answers_are_not_touched(store, tmp_path, use):
    crawl(store, use(spider()).offline(job(tmp_path)))
    before = rows(store, "responses"), rows(store, "bodies"), rows(store, "state")
    again(store, tmp_path)
    assert (rows(store, "responses"), rows(store, "bodies"), rows(store, "state")) == before


@pytest.mark.parametrize("fail", ["method", "progress"])
def test_a_reparse_that_fails_leaves_everything_as_it_was(store, tmp_path, use, fail):
    crawl(store, use(spider()).offline(job(tmp_path)))
    names = ("crawls", "versions", "dropped", "counts", "faults", "responses")
    before = {name: rows(store, name) for name in names}

    def progress(done, total):
        if done == 2:
            raise KeyboardInterrupt

    if fail == "method":
        keep(store, callback="gone_method")
        before["responses"] = rows(store, "responses")
        before["bodies"] = rows(store, "bodies")
        message = "^github: the spider has no method 'gone_method', which stored responses are for$"
        with pytest.raises(InputError, match=message):
            again(store, tmp_path)
    else:
        with pytest.raises(KeyboardInterrupt):
            reparse_store(store, job(tmp_path), progress=progress)
    assert {name: rows(store, name) for name in before} == before


def test_a_source_without_a_spider_says_what_is_expected(store, tmp_path):
    lost = job(tmp_path)
    lost = type(lost)(**{
        **{name: getattr(lost, name) for name in lost.__slots__},
        "source": lost.source.model_copy(update={"spider": "nosuch"}),
    })  # fmt: skip
    with pytest.raises(ConfigError, match=r"^no spider 'nosuch': expected a module crawlers/nosuch/spider\.py"):
        reparse_store(store, lost, progress=lambda *_: None)
    assert rows(store, "crawls") == []


def test_a_shape_fault_names_where_and_what(store, tmp_path, use):
    use(spider())
    keep(store, body=b'{"entries": []}')
    again(store, tmp_path)
    with pytest.raises(ShapeFault) as caught:
        records_of({"entries": []}, "items")
    assert store.faults("r1")[0][3] == str(caught.value)


@pytest.mark.parametrize("now_at", ["", "http://127.0.0.1:9"])
def test_where_the_source_stands_now_does_not_matter(store, tmp_path, use, now_at):
    def parse(self, response):
        yield self.get("/next", self.parse)  # without a base this is no URL
        yield posting("1", url=self.source.base_url)

    made = use(spider(attributes={"parse": parse}))
    crawl(store, made.offline(job(tmp_path)), [{}])
    there = job(tmp_path)
    moved = there.source.model_copy(update={"base_url": now_at})
    reparse_store(store, dataclasses.replace(there, source=moved), progress=lambda *_: None)
    assert store.faults("r1") == []
    assert json.loads(rows(store, "versions")[0][3])["url"] == "https://example.org"
