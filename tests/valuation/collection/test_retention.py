"""Retention with a moved clock: what is due leaves every file of the workspace, on time and not before."""

import hashlib
import json
import random
import re
import shutil
import sqlite3
import zlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from crawlers.job import Window
from crawlers.posting import Dropped, Posting, Price
from crawlers.store import Records, open_store, stamp
from indices.vector_store import content_hash
from valuation.cli import results
from valuation.collection import export as exports
from valuation.collection import retention as stores
from valuation.collection import retention_files
from valuation.collection.crawl import SourceResult
from valuation.collection.export import export
from valuation.collection.judged import judge_crawl
from valuation.collection.report import write_crawl_report
from valuation.errors import EnvironmentFault, InputError
from valuation.imports import import_postings, import_sessions
from valuation.pipeline import basket as baskets
from valuation.pipeline import retention, withdrawal
from valuation.pipeline.retention import enforce
from valuation.storage import read_postings, read_sessions, read_versions
from valuation.tables import HoldoutPredictions, Matches, ValidationPredictions, Values, read_table
from valuation.tables.withdrawn import Withdrawal, read_withdrawn, withdrawn_line
from valuation.workspace import Workspace

pytestmark = pytest.mark.slow

SEEN = datetime(2100, 11, 20, 12, tzinfo=UTC)  # later than any clock: the workspace's verbs enforce limits themselves
HOUR = timedelta(hours=1)
DUE = SEEN + 24 * HOUR
MARK = "zqxmarker"
KEPT = "zqxstays"
"""Stands in github's postings, which have no limit."""
SHARED = "upwork:77"
"""Its text is that of a posting that stays."""
HIDDEN = "upwork:60"
"""Has its text in common with a later posting that stays, of a smaller id: no index names it."""


SAYS = {"upwork": MARK, "github": KEPT}


def posting(name, *, title, description, price, published, skills=(), mark=MARK):
    return Posting(
        job_posting_id=name,
        url=f"https://example.org/{mark}/{name}",
        job_title=title,
        description=description,
        date_published=published,
        price=Price(f"${price}", "fixed", "posted", price, price, "USD", "$"),
        skills=skills,
        hiring_organization=f"client {name}",
    )


def keep(store, crawl_id, url, body, at, *, mark=MARK):
    return store.keep(
        crawl_id, url=url, method="GET", request_hash=hashlib.sha256(url.encode()).hexdigest(), status=200,
        fetched_at=at, headers=[("ETag", f'"{mark}"')], body=body, callback="parse", cb_kwargs={"term": mark},
        optional=False,
    )  # fmt: skip


def crawled(layout, name, postings, at, *, crawl_id, dropped=()):
    """One crawl of a source, one response for each posting."""
    store, mark = open_store(layout.crawl_store(name), create=True), SAYS[name]
    store.wrote()
    store.db.execute(
        "INSERT INTO crawls VALUES (?, 'full', ?, ?, NULL, NULL, NULL, 'stopped', 'shutdown')",
        (crawl_id, stamp(at), stamp(at)),
    )
    records = Records(store, source=name, crawl_id=crawl_id, started_at=at, window=Window())
    for position, one in enumerate([*postings, *dropped], start=1):
        words = f"{one.job_title} {one.description}" if isinstance(one, Posting) else str(one.value)
        url = f"https://{name}.example/{mark}/{position}"
        number = keep(store, crawl_id, url, f"<p>{words} {crawl_id} {position}</p>".encode(), at, mark=mark)
        records.add(one, response_id=number, position=1, seen_at=at)
        store.fault(crawl_id, "shape", f"odd key {mark}", url=url, response_id=number)
    store.fault(crawl_id, "connection", f"no answer {mark}", url=f"https://{name}.example/{mark}")
    store.close()


def beside(layout, settings, name, crawl_id, at):
    """Queue, log and report, as a crawl leaves them."""
    folder = layout.crawl_store(name).parent
    (folder / "job" / "requests.queue").mkdir(parents=True)
    (folder / "job" / "requests.queue" / "p0").write_text(SAYS[name])
    (folder / "job" / "resumable").write_text(crawl_id)
    local = at.astimezone().strftime("%Y-%m-%d %H:%M:%S,000")
    (folder / "crawl.log").write_text(f"{local} ERROR gave up https://x.example/{SAYS[name]}\n  more {SAYS[name]}\n")
    store = open_store(layout.crawl_store(name))
    judged = judge_crawl(store, name, crawl_id, settings.sources[name])
    store.close()
    return SourceResult(judged, export(layout, settings, name))


def made(root, world_files, fast) -> Workspace:
    """A workspace with imports, two crawled sources and a finished run."""
    work = Workspace.create(root)
    for which, bring in (("postings", import_postings), ("sessions", import_sessions)):
        file, mapping = str(getattr(world_files, which)), getattr(world_files, f"{which}_map")
        bring(work.layout, [file], settings=work.settings, mapping=mapping, dry_run=False)
    work = Workspace(root, overrides=fast)
    layout, rng = work.layout, random.Random(3)
    known = read_postings(layout)
    known = known[(known["price_type"] == "fixed") & known["description"].notna() & known["title"].notna()]
    known = known.sort_values("posting_id", ignore_index=True)
    chosen = known.iloc[100:190].reset_index(drop=True)  # some of them are among the neighbours that a report shows

    def told(row, n, mark):
        words = str(row["description"]).split()
        rng.shuffle(words)
        text = f"{mark} {' '.join(words)} {mark}{n}"
        return posting(str(n), title=f"{row['title']} {mark}", description=text, price=100.0 + n,
                       published=row["posted_at"].to_pydatetime(), skills=(mark,), mark=mark)  # fmt: skip

    upwork = [told(row, n, MARK) for n, row in chosen.iloc[:50].iterrows()]
    same = known.iloc[80]
    skills = () if pd.isna(same["skills"]) else (same["skills"],)
    upwork.append(posting("77", title=same["title"], description=same["description"], skills=skills, price=777.0,
                          published=same["posted_at"].to_pydatetime()))  # fmt: skip
    text = " ".join(f"{word}{KEPT}" for word in str(known.iloc[85]["description"]).split()[:40])
    when = known.iloc[85]["posted_at"].to_pydatetime()
    upwork.append(posting("60", title="the same", description=text, price=50.0, published=when))
    github = [told(row, n, KEPT) for n, row in chosen.iloc[60:70].iterrows()]
    github.append(posting("1", title="the same", description=text, price=5000.0, published=when + HOUR, mark=KEPT))
    crawled(layout, "github", github, SEEN, crawl_id="g1")
    off = Dropped("900", f"https://example.org/{MARK}", "unreadable_record", f"odd {MARK}")
    crawled(layout, "upwork", upwork, SEEN, crawl_id="u1", dropped=[off])
    for name, crawl_id in (("github", "g1"), ("upwork", "u1")):
        result = beside(layout, work.settings, name, crawl_id, SEEN)
        if name == "upwork":
            write_crawl_report(layout, [result])
    work.run()
    return work


@pytest.fixture(scope="module")
def ready(tmp_path_factory, world_files, fast):
    return made(tmp_path_factory.mktemp("retention") / "work", world_files, fast)


@pytest.fixture
def shown(ready, tmp_path, fast):
    """A copy of its own."""
    shutil.copytree(ready.layout.root, tmp_path / "work")
    return Workspace(tmp_path / "work", overrides=fast)


@pytest.fixture
def work(shown):
    """A copy whose run has no report, which takes the longest to write again."""
    (shown.run_folder() / "report.html").unlink()
    return shown


def content(path) -> str:
    """Everything that a file says, unpacked."""
    raw = path.read_bytes()
    found = raw.decode("utf-8", "replace")
    if path.suffix == ".parquet":
        found += pq.ParquetFile(path).read().to_pandas().to_csv()
    if path.suffix == ".db":
        database = sqlite3.connect(path)
        found += b" ".join(zlib.decompress(row[0]) for row in database.execute("SELECT content FROM bodies")).decode()
        database.close()
    if raw[:2] == b"PK":
        with np.load(path, allow_pickle=False) as arrays:
            found += " ".join(arrays[name].tobytes().decode("utf-8", "replace") for name in arrays.files)
    return found


def files(root):
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name not in (".lock", "store.lock"))


def holding(root, what) -> list[str]:
    """Files that say `what`, in content or in name."""
    return [
        str(path.relative_to(root))
        for path in files(root)
        if what in content(path) or what in str(path.relative_to(root))
    ]


def state(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in files(root)}


def deleted_ids(work):
    return {name for name in read_postings(work.layout)["posting_id"] if name.startswith("upwork:")}


def in_database(work, query, name="upwork"):
    database = sqlite3.connect(work.layout.crawl_store(name))
    found = database.execute(query).fetchall()
    database.close()
    return found


def vector_keys(work):
    found = set()
    for path in work.layout.embeddings.glob("*/*.parquet"):
        found |= set(pq.ParquetFile(path).read(columns=["key"]).column("key").to_pylist())
    return found


def key(text):
    return bytes.fromhex(content_hash(text))[:16]


def test_the_world_is_as_the_tests_need_it(shown):
    """The marker is everywhere that it is later said to be gone from."""
    held = holding(shown.layout.root, MARK)
    folders = {re.sub(r"[0-9a-f]{16}|\d{8}T\d+Z|month=[-\d]+", "*", name) for name in held}
    assert folders >= {
        "crawl/upwork/store.db", "crawl/upwork/crawl.log", "crawl/upwork/job/requests.queue/p0",
        "crawl/reports/*/report.json", "crawl/reports/*/report.html", "postings/source=upwork/*/part.parquet",
        "versions/source=upwork/*/part.parquet", "quarantine/postings/*.parquet", "indices/*/basket.parquet",
        "indices/*/lexical", "runs/*/report.html",
    }  # fmt: skip
    matches = read_table(shown.run_folder() / "matches.parquet", Matches)
    assert matches["posting_id"].str.startswith("upwork:").sum() > 20
    assert not matches["posting_id"].eq(HIDDEN).any() and not matches["cluster_id"].eq(HIDDEN).any()
    assert len(deleted_ids(shown)) == 52


def test_before_the_limit_nothing_changes(work):
    before = state(work.layout.root)
    assert enforce(work.layout, work.settings, now=DUE - timedelta(microseconds=1)).sources == ()
    assert state(work.layout.root) == before


def test_at_the_limit_everything_is_gone(shown):
    layout, run = shown.layout, shown.run_folder()
    ids, old = deleted_ids(shown), read_postings(layout)
    manifest, basket = (
        (run / "manifest.json").read_bytes(),
        json.loads((run / "manifest.json").read_text())["basket_id"],
    )
    values = (run / "values.parquet").read_bytes()
    texts = dict(zip(old["posting_id"], baskets.posting_texts(old), strict=True))
    with_vector = {name for name in ids if key(texts[name]) in vector_keys(shown)}
    assert len(with_vector) > 45 and SHARED in with_vector | {SHARED}
    matches = read_table(run / "matches.parquet", Matches)

    (done,) = enforce(layout, shown.settings, now=DUE).sources

    assert holding(layout.root, MARK) == [], "the marker is nowhere"
    left = {name for name in files(layout.root) if any(f"{one}\x00" in content(name) + "\x00" for one in [HIDDEN])}
    assert {path.name for path in left} <= {"store.db", "tombstones.parquet"}
    assert deleted_ids(shown) == set()
    pd.testing.assert_frame_equal(read_postings(layout), old[~old["posting_id"].isin(ids)].reset_index(drop=True))
    assert set(read_versions(layout)["source"]) == {"github"}
    for table in ("responses", "bodies", "versions", "dropped"):
        assert in_database(shown, f"SELECT count(*) FROM {table}") == [(0,)], table
    assert in_database(shown, "SELECT count(*), count(url), max(message) FROM faults") == [(54, 0, "")]
    assert in_database(shown, "SELECT n FROM counts WHERE name = 'record' AND key = 'new'") == [(52,)]
    assert (done.source, done.deleted_at, done.retention_hours) == ("upwork", stamp(DUE), 24.0)
    assert (done.responses, done.versions, done.postings, done.baskets) == (53, 52, 52, 1)
    assert done.vectors == len({texts[name] for name in with_vector} - {texts[SHARED], texts[HIDDEN]})
    assert {key(texts[SHARED]), key(texts[HIDDEN])} <= vector_keys(shown), "texts that others have keep their vector"
    assert not {key(texts[name]) for name in ids - {SHARED, HIDDEN}} & vector_keys(shown)
    assert [path.name for path in (layout.indices / basket).iterdir()] == ["members.parquet"]
    assert done.runs == (run.name,)
    assert (run / "manifest.json").read_bytes() == manifest and (run / "values.parquet").read_bytes() == values
    after = read_table(run / "matches.parquet", Matches)
    assert len(after) == len(matches) - done.match_rows
    assert not after["posting_id"].isin(ids).any() and not after["cluster_id"].isin(ids).any()
    assert not (layout.crawl / "upwork" / "job").exists()
    assert (layout.crawl / "upwork" / "crawl.log").read_text() == ""


def test_a_price_mixed_with_a_deleted_one_goes_too(work):
    """A match row is its cluster's mean price: two prices of which one is known give the other."""
    folder = work.run_folder()
    before = read_table(folder / "matches.parquet", Matches)
    mixed = before[before["posting_id"] == "github:1"]
    members = pq.ParquetFile(next(work.layout.indices.glob("*/members.parquet"))).read().to_pandas()
    assert set(members.loc[members["cluster_id"] == "github:1", "posting_id"]) == {"github:1", HIDDEN}
    if mixed.empty:  # no session came near it: put one there
        before.loc[0, ["posting_id", "cluster_id"]] = "github:1"
        stores.write_table(before, folder / "matches.parquet", Matches)
    enforce(work.layout, work.settings, now=DUE)
    after = read_table(folder / "matches.parquet", Matches)
    assert not after["posting_id"].eq("github:1").any()
    others = before["posting_id"].str.startswith("github:") & (before["posting_id"] != "github:1")
    assert others.sum() == (after["posting_id"].str.startswith("github:")).sum() > 0


def test_predictions_of_deleted_postings_go_too(work):
    """Rows of the card's predictions whose cluster has lost a posting, in both tables, and no id stays as a name."""
    path, ids = work.validate().predictions, deleted_ids(work)
    before = read_table(path, ValidationPredictions)
    members = before["members"].map(json.loads)
    touched = members.map(lambda names: bool(ids & set(names)))
    assert 40 < touched.sum() < len(before)
    assert "github:1" in set(before.loc[touched, "cluster_id"]), "its member was deleted, not itself"
    kept = before.index[~touched][0]
    before.loc[kept, "unit"] = sorted(ids)[0]  # a client's unit is named after its smallest posting
    stores.write_table(before, path, ValidationPredictions)
    other = path.with_name("holdout_predictions.parquet")
    stores.write_table(before.drop(columns="fold"), other, HoldoutPredictions)
    enforce(work.layout, work.settings, now=DUE)
    for file, schema in ((path, ValidationPredictions), (other, HoldoutPredictions)):
        after = read_table(file, schema)
        assert after["posting_id"].tolist() == before.loc[~touched, "posting_id"].tolist()
        assert not ids & {name for names in after["members"] for name in json.loads(names)}
        assert not ids & set(after["unit"]) and after["unit"][0] == before.loc[kept, "cluster_id"]
        assert not ids & {cell for column in after.select_dtypes("str") for cell in after[column]}
    stamps = [file.stat().st_mtime_ns for file in (path, other)]
    enforce(work.layout, work.settings, now=DUE + 1000 * HOUR)
    assert [file.stat().st_mtime_ns for file in (path, other)] == stamps


def test_damaged_predictions_are_told(work):
    path = work.validate().predictions
    path.write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"predictions\.parquet: .*delete this file: valuation validate makes it anew"):
        enforce(work.layout, work.settings, now=DUE)
    path.unlink()
    assert enforce(work.layout, work.settings, now=DUE).sources[0].baskets == 1


def test_other_sources_are_untouched(work):
    def theirs():
        return {name: value for name, value in state(work.layout.root).items() if "github" in name or "=task" in name}

    before = theirs()
    assert len(before) > 5 and any("crawl/github/store.db" in name for name in before)
    enforce(work.layout, work.settings, now=DUE + 1000 * HOUR)
    assert theirs() == before
    assert len(holding(work.layout.root, KEPT)) > 5


def test_tombstones_are_there(work):
    ids = deleted_ids(work)
    enforce(work.layout, work.settings, now=DUE)
    stones = read_table(work.layout.crawl / "tombstones.parquet", stores.Tombstones)
    assert set(stones["posting_id"]) == ids and set(stones["source"]) == {"upwork"}
    assert set(stones["deleted_at"]) == {pd.Timestamp(DUE)} and set(stones["last_seen_at"]) == {pd.Timestamp(SEEN)}
    assert set(stones["versions"]) == {1}


def test_called_again_it_does_nothing(work):
    enforce(work.layout, work.settings, now=DUE)
    before = state(work.layout.root)
    assert enforce(work.layout, work.settings, now=DUE + HOUR).sources == ()
    assert state(work.layout.root) == before


def test_the_run_says_so(shown):
    folder = shown.run_folder()
    matches = read_table(folder / "matches.parquet", Matches)
    (done,) = enforce(shown.layout, shown.settings, now=DUE).sources
    (mark,) = read_withdrawn(folder)
    assert (mark.source, mark.deleted_at, mark.retention_hours) == ("upwork", stamp(DUE), 24.0)
    assert (mark.postings, mark.match_rows, mark.neighbours) == (52, done.match_rows, 10)
    line = "52 of its postings were deleted on 2100-11-21 by sources.upwork.retention_hours = 24"
    assert shown.status().withdrawn == line
    assert f"note: {line}" in " ".join(results.status(shown.status()).split())
    page = (folder / "report.html").read_text()
    assert "Postings deleted since" in page and "sources.upwork.retention_hours = 24" in page
    assert "do not belong together" not in page
    gone = matches["posting_id"].str.startswith("upwork:")
    lost = matches[gone].groupby("session_id").size()
    session = str(lost.idxmax())
    told = shown.explain(session)
    assert told.withdrawn == line and told.n_deleted >= lost.max()
    assert told.data()["withdrawn"] == line and told.data()["n_deleted"] == told.n_deleted
    assert "no longer here, as when one of its postings was deleted" in told.data()["not_shown"][0]
    assert line in told.text()
    assert f"{told.n_deleted} of its 10 neighbours were deleted: the sum cannot be redone" in told.text()
    assert "sum of contributions" not in told.text()
    whole = next(name for name in matches["session_id"].unique() if name not in set(lost.index)
                 and not matches.loc[matches["session_id"] == name, "posting_id"].eq("github:1").any())  # fmt: skip
    untouched = shown.explain(whole)
    assert untouched.n_deleted == 0 and "sum of contributions" in untouched.text() and line in untouched.text()


def test_a_session_without_any_neighbour_left_is_still_explained(work):
    folder = work.run_folder()
    matches = read_table(folder / "matches.parquet", Matches)
    session = matches["session_id"].iloc[0]
    matches.loc[matches["session_id"] == session, "posting_id"] = "upwork:1"
    stores.write_table(matches, folder / "matches.parquet", Matches)
    enforce(work.layout, work.settings, now=DUE)
    text = work.explain(session).text()
    assert "10 of its 10 neighbours were deleted" in text and "rank  similarity" not in text
    value = read_table(folder / "values.parquet", Values).set_index("session_id").loc[session]
    assert f"{value['value_usd']:,.2f} USD" in text


def test_an_unmatched_session_has_lost_nothing(work):
    values = read_table(work.run_folder() / "values.parquet", Values)
    enforce(work.layout, work.settings, now=DUE)
    told = work.explain(values.loc[~values["matched"], "session_id"].iloc[0])
    assert told.n_deleted == 0 and "not matched" in told.text()


def test_a_run_and_a_basket_that_used_none_are_not_touched(work):
    """Another run, on a basket of imported postings alone."""
    layout, used = work.layout, work.run_folder()
    manifest = json.loads((used / "manifest.json").read_text())
    folder, basket = layout.runs / ("a" * 16), layout.indices / ("b" * 16)
    shutil.copytree(used, folder)
    shutil.copytree(layout.indices / manifest["basket_id"], basket)
    (folder / "manifest.json").write_text(json.dumps({**manifest, "run_id": "a" * 16, "basket_id": "b" * 16}))
    matches = read_table(folder / "matches.parquet", Matches)
    crawled_ = matches["posting_id"].str.contains(":") | matches["cluster_id"].str.contains(":")
    stores.write_table(matches[~crawled_].reset_index(drop=True), folder / "matches.parquet", Matches)
    for name in ("members.parquet", "basket.parquet"):
        frame = pq.ParquetFile(basket / name).read().to_pandas()
        frame[~frame["posting_id"].str.contains(":") & ~frame["cluster_id"].str.contains(":")].to_parquet(basket / name)
    before = state(folder), state(basket)
    (done,) = enforce(layout, work.settings, now=DUE).sources
    assert (done.runs, done.baskets) == ((used.name,), 1)
    assert (state(folder), state(basket)) == before and read_withdrawn(folder) == ()
    layout.latest.write_text("a" * 16 + "\n")
    assert work.status().withdrawn is None


def test_a_new_run_works_and_the_old_one_is_made_again(work):
    old = work.run_folder()
    store = state(work.layout.crawl)
    enforce(work.layout, work.settings, now=DUE)
    new = work.run()
    assert not new.unchanged and new.folder != old and work.status().withdrawn is None
    assert not read_table(new.folder / "matches.parquet", Matches)["posting_id"].str.startswith("upwork:").any()
    assert work.run().unchanged
    for name, content_ in store.items():  # as if the same postings had been crawled again
        (work.layout.crawl / name).parent.mkdir(parents=True, exist_ok=True)
        (work.layout.crawl / name).write_bytes(content_)
    export(work.layout, work.settings, "upwork")
    again = work.run()
    assert again.folder == old and not again.unchanged, "a run that lost rows is not taken for a finished one"
    assert read_withdrawn(old) == () and work.explain(str(read_sessions(work.layout)["session_id"][0])).n_deleted == 0


class Killed(BaseException):
    """What no handler stops."""


def steps():
    """Places at which the process may be killed, in their order."""
    return [
        (stores, "scrub"), (retention_files, "clear_files"), (retention_files, "write_text"), (retention_files, "page"),
        (stores, "claim"), (exports, "_of_other_imports"), (exports, "write_provenance"), (exports, "write_ledger"),
        (withdrawal, "withdraw_vectors"), (withdrawal, "withdraw_runs"), (withdrawal, "write_withdrawn"),
        (withdrawal, "write_table"), (withdrawal, "_write_report"),
        (withdrawal, "withdraw_predictions"), (withdrawal, "withdraw_baskets"),
        (withdrawal, "_write_members"), (stores, "write_tombstones"), (stores, "finish"),
    ]  # fmt: skip


def test_killed_at_every_step_it_is_completed_by_the_next_call(shown, monkeypatch):
    folder = shown.run_folder()
    rows = len(read_table(folder / "matches.parquet", Matches))

    def killed(*_, **__):
        raise Killed

    for later, (module, name) in enumerate(steps()):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(module, name, killed)
            if name != "_write_report":
                patch.setattr(withdrawal, "_write_report", lambda *_: None)
            enforce(shown.layout, shown.settings, now=DUE + later * HOUR)
    (done,) = enforce(shown.layout, shown.settings, now=DUE + 100 * HOUR).sources
    assert (done.deleted_at, done.versions, done.runs) == (stamp(DUE), 52, (folder.name,)), "the first call's deletion"
    assert holding(shown.layout.root, MARK) == []
    assert deleted_ids(shown) == set()
    (mark,) = read_withdrawn(folder)
    left = len(read_table(folder / "matches.parquet", Matches))
    assert (mark.postings, mark.match_rows) == (52, rows - left) and mark.match_rows > 20
    assert "Postings deleted since" in (folder / "report.html").read_text()
    assert len(read_table(shown.layout.crawl / "tombstones.parquet", stores.Tombstones)) == 52
    assert enforce(shown.layout, shown.settings, now=DUE + 100 * HOUR).sources == ()


def test_nothing_is_deleted_where_the_note_cannot_be_written(work, monkeypatch):
    before = in_database(work, "SELECT posting_id, content FROM versions")

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(stores, "read_version", killed)
        enforce(work.layout, work.settings, now=DUE)
    assert in_database(work, "SELECT posting_id, content FROM versions") == before
    assert in_database(work, "SELECT count(*) FROM tombstones") == [(0,)]


def test_rows_that_a_cut_short_export_disowned_go_too(work):
    """An export killed between its list of ids and its tables must not turn crawled rows into imported ones."""
    from valuation.imports.ledger import Provenance, provenance_path

    path = provenance_path(work.layout, "postings", stores.import_id("upwork"))
    stores.write_table(read_table(path, Provenance).iloc[:0], path, Provenance)
    enforce(work.layout, work.settings, now=DUE)
    assert deleted_ids(work) == set() and holding(work.layout.root, MARK) == []


def recrawled(work, ids, at, *, price=None):
    """The same postings seen again, with another price if one is given."""
    import dataclasses

    store = open_store(work.layout.crawl_store("upwork"))
    from crawlers.posting import from_json

    query = "SELECT content FROM versions WHERE posting_id = ? ORDER BY version DESC LIMIT 1"
    found = [from_json(store.db.execute(query, (name,)).fetchone()[0]) for name in ids]
    store.close()
    if price is not None:
        found = [
            dataclasses.replace(one, price=dataclasses.replace(one.price, low=price, high=price, raw=f"${price}"))
            for one in found
        ]
    crawled(work.layout, "upwork", found, at, crawl_id=f"u{at:%H}")
    export(work.layout, work.settings, "upwork")


def test_what_was_seen_again_stays(work):
    recrawled(work, ["upwork:3", "upwork:4"], SEEN + 5 * HOUR)
    (done,) = enforce(work.layout, work.settings, now=DUE).sources
    assert (done.responses, done.versions, done.postings) == (53, 50, 50)
    assert deleted_ids(work) == {"upwork:3", "upwork:4"}
    assert (
        in_database(work, "SELECT count(*) FROM responses")
        == in_database(work, "SELECT count(*) FROM bodies")
        == [(2,)]
    )
    kept = in_database(work, "SELECT url, message FROM faults WHERE crawl_id = 'u17' ORDER BY fault_id")
    assert len(kept) == 3 and all(MARK in url and MARK in message for url, message in kept)
    assert {row[0] for row in in_database(work, "SELECT DISTINCT posting_id FROM versions")} == {"upwork:3", "upwork:4"}
    (later,) = enforce(work.layout, work.settings, now=DUE + 5 * HOUR).sources
    assert later.postings == 2 and holding(work.layout.root, MARK) == []


def test_an_old_version_goes_and_the_posting_stays(work):
    folder = work.run_folder()
    recrawled(work, ["upwork:3"], SEEN + 5 * HOUR, price=4242.0)
    enforce(work.layout, work.settings, now=DUE)
    assert in_database(work, "SELECT posting_id, version FROM versions") == [("upwork:3", 2)]
    assert in_database(work, "SELECT count(*) FROM tombstones WHERE posting_id = 'upwork:3'") == [(0,)]
    postings = read_postings(work.layout).set_index("posting_id")
    assert postings.loc["upwork:3", "price_usd"] == 4242.0
    text = baskets.posting_texts(postings.loc[["upwork:3"]])[0]
    assert key(text) in vector_keys(work), "the version that stays has the same text"
    assert not read_table(folder / "matches.parquet", Matches)["posting_id"].eq("upwork:3").any(), "of the old price"
    enforce(work.layout, work.settings, now=DUE + 5 * HOUR)
    stones = read_table(work.layout.crawl / "tombstones.parquet", stores.Tombstones).set_index("posting_id")
    assert stones.loc["upwork:3", "versions"] == 2
    assert [mark.postings for mark in read_withdrawn(folder)] == [52], "counted once"


def test_a_body_that_a_younger_response_shares_stays(work):
    store = open_store(work.layout.crawl_store("upwork"))
    for hours in (0, 5):
        keep(store, "u1", f"https://upwork.example/{hours}", b"the same twice", SEEN + hours * HOUR)
    store.close()
    enforce(work.layout, work.settings, now=DUE)
    store = open_store(work.layout.crawl_store("upwork"))
    assert [one.body for one in store.responses()] == [b"the same twice"]
    store.close()


def test_the_deleted_bytes_leave_the_file(work):
    path = work.layout.crawl_store("upwork")
    store = open_store(path)
    packed = [bytes(row[0]) for row in store.db.execute("SELECT content FROM bodies")]
    store.close()
    size = path.stat().st_size
    enforce(work.layout, work.settings, now=DUE)
    raw = path.read_bytes()
    assert all(one not in raw for one in packed) and len(raw) < size / 2
    assert not path.with_name("store.db-wal").exists() or path.with_name("store.db-wal").stat().st_size == 0


def test_a_young_part_of_the_log_and_of_the_reports_stays(work):
    log = work.layout.crawl / "upwork" / "crawl.log"
    later = (SEEN + 5 * HOUR).astimezone().strftime("%Y-%m-%d %H:%M:%S,000")
    log.write_text(f"{log.read_text()}{later} INFO later\n  and more\n")
    report = next((work.layout.crawl / "reports").glob("*/report.json"))
    data = json.loads(report.read_text())
    young = {**data["sources"][0], "started_at": stamp(SEEN + HOUR), "crawl_id": "young"}
    other = {**data["sources"][0], "source": "github"}
    old_reparse = {**young, "kind": "reparse"}
    report.write_text(json.dumps({"sources": [*data["sources"], young, other, old_reparse]}))
    enforce(work.layout, work.settings, now=DUE)
    assert log.read_text() == f"{later} INFO later\n  and more\n"
    first, *kept, last = json.loads(report.read_text())["sources"]
    assert kept == [young, other]
    assert MARK not in json.dumps(first) and MARK not in json.dumps(last)
    assert [one["kind"] for one in first["faults"]] == [one["kind"] for one in young["faults"]] and first["faults"]


def test_trace_backs_of_the_time_before_go(work):
    folder = work.layout.root / "faults"
    folder.mkdir()
    for when in (SEEN - HOUR, SEEN, SEEN + HOUR):
        (folder / f"{when:%Y-%m-%dT%H%M%S}-77.txt").write_text(f"KeyError: '{MARK}'")
    enforce(work.layout, work.settings, now=DUE)
    assert [path.name for path in folder.iterdir()] == [f"{SEEN + HOUR:%Y-%m-%dT%H%M%S}-77.txt"]


def test_the_queue_of_a_young_crawl_stays(work):
    crawled(work.layout, "upwork", [], SEEN + HOUR, crawl_id="u2")
    enforce(work.layout, work.settings, now=DUE)
    assert (work.layout.crawl / "upwork" / "job" / "resumable").exists()
    enforce(work.layout, work.settings, now=DUE + HOUR)
    assert not (work.layout.crawl / "upwork" / "job").exists(), "a crawl with nothing but a fault has its time, too"


def test_limits_are_each_sources_own(work, fast):
    strict = Workspace(work.layout.root, overrides=[*fast, "sources.github.retention_hours=0.5"])
    (done,) = enforce(strict.layout, strict.settings, now=SEEN + HOUR).sources
    assert (done.source, done.postings, done.retention_hours) == ("github", 11, 0.5)
    assert len(deleted_ids(work)) == 52
    assert withdrawn_line(read_withdrawn(work.run_folder())) == (
        "11 of its postings were deleted on 2100-11-20 by sources.github.retention_hours = 0.5"
    )
    loose = Workspace(work.layout.root, overrides=[*fast, "sources.upwork.retention_hours=48"])
    assert enforce(loose.layout, loose.settings, now=DUE).sources == ()


def test_a_source_that_is_off_keeps_nothing_longer(work, fast):
    off = Workspace(work.layout.root, overrides=[*fast, "sources.upwork.enabled=false", "sources.upwork.why_off=no"])
    assert len(enforce(off.layout, off.settings, now=DUE).sources) == 1


def test_two_deletions_are_told_in_one_line():
    marks = [
        Withdrawal("upwork", "2026-11-21T00:00:00+00:00", 24.0, 1200, 30, 25),
        Withdrawal("upwork", "2026-11-23T00:00:00+00:00", 24.0, 34, 5, 25),
        Withdrawal("own", "2026-11-23T00:00:00+00:00", 1.5, 1, 0, 25),
    ]
    assert withdrawn_line(marks) == (
        "1,234 of its postings were deleted from 2026-11-21 to 2026-11-23 by sources.upwork.retention_hours = 24; "
        "1 of its postings was deleted on 2026-11-23 by sources.own.retention_hours = 1.5"
    )
    assert withdrawn_line(()) == ""


def test_it_costs_nothing_where_nothing_was_crawled(tmp_path, monkeypatch):
    work = Workspace.create(tmp_path / "empty")

    def opened(*_, **__):
        raise AssertionError("a store was opened")

    monkeypatch.setattr(stores, "open_store", opened)
    before = state(work.layout.root)
    assert enforce(work.layout, work.settings, now=DUE).sources == ()
    (work.layout.crawl / "github").mkdir(parents=True)
    work.layout.crawl_store("github").write_text("not looked at: it has no limit")
    assert enforce(work.layout, work.settings, now=DUE).sources == ()
    work.layout.crawl_store("github").unlink()
    (work.layout.crawl / "github").rmdir()
    work.layout.crawl.rmdir()
    assert state(work.layout.root) == before


def test_a_report_that_cannot_be_written_again_is_replaced(shown, monkeypatch):
    from valuation.pipeline import outputs

    def broken(*_):
        raise KeyError(MARK)

    monkeypatch.setattr(outputs, "write_report", broken)
    enforce(shown.layout, shown.settings, now=DUE)
    page = (shown.run_folder() / "report.html").read_text()
    assert "52 of its postings were deleted on 2100-11-21" in page and "was withdrawn" in page and MARK not in page


def test_a_crawl_under_way_is_waited_for_and_then_told(work, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr(stores, "LOCK_SECONDS", 0.05)
    before = in_database(work, "SELECT count(*) FROM versions")
    with (
        FileLock(work.layout.crawl_store("upwork").with_suffix(".lock")),
        pytest.raises(EnvironmentFault, match="is in use by a crawl; try again when it has finished"),
    ):
        enforce(work.layout, work.settings, now=DUE)
    assert in_database(work, "SELECT count(*) FROM versions") == before


def test_a_store_that_refuses_is_told(work, monkeypatch):
    def full(_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(retention, "_withdraw", lambda *_: stores.scrub(None))
    monkeypatch.setattr(stores, "scrub", full)
    with pytest.raises(EnvironmentFault, match="retention_hours asks for could not be deleted: .*disk is full; run"):
        enforce(work.layout, work.settings, now=DUE)


@pytest.mark.parametrize("kind", ["response", "version", "fault"])
def test_each_kind_of_row_is_due_at_the_limit_and_not_a_moment_before(tmp_path, kind):
    store = open_store(tmp_path / "store.db", create=True)
    store.wrote()
    started = SEEN if kind == "fault" else SEEN + 9 * HOUR
    store.db.execute(
        "INSERT INTO crawls VALUES ('c', 'full', ?, NULL, NULL, NULL, NULL, 'running', NULL)", (stamp(started),)
    )
    if kind == "response":
        keep(store, "c", "https://upwork.example/", b"page", SEEN)
    elif kind == "version":
        one = posting("1", title="a", description="b", price=5.0, published=SEEN)
        records = Records(store, source="upwork", crawl_id="c", started_at=started, window=Window())
        records.add(one, response_id=1, position=1, seen_at=SEEN)
    else:
        store.fault("c", "connection", "no answer", url="https://upwork.example/")
    store.commit()
    assert stores.due(store, stores.cut_of(DUE, 24.0))
    assert not stores.due(store, stores.cut_of(DUE - timedelta(microseconds=1), 24.0))
    store.close()
