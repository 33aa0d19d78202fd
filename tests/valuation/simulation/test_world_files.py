"""Files: the same seed gives the same bytes; faults are planted and counted; the project's own import agrees."""

import json
import re
import time
from collections import Counter
from datetime import UTC, datetime

import pandas as pd
import pytest

from valuation.errors import EnvironmentFault
from valuation.simulation import words_common, words_personal, words_scope
from valuation.simulation.dirt import HOSTILE_TEXTS
from valuation.simulation.files import write_world
from valuation.simulation.settings import KIND_NAMES, WorldSettings, scaled
from valuation.simulation.texts import KINDS
from valuation.simulation.words_domains import DOMAINS
from valuation.simulation.world import simulate_world


@pytest.fixture(scope="module")
def world():
    return simulate_world(WorldSettings(), seed=7)


def bytes_of(world, folder):
    write_world(world, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(world, tmp_path):
    one, again = bytes_of(world, tmp_path / "a"), bytes_of(simulate_world(WorldSettings(), seed=7), tmp_path / "b")
    other = bytes_of(simulate_world(WorldSettings(), seed=8), tmp_path / "c")
    assert sorted(one) == [
        "postings.csv", "postings.map.toml", "sessions.jsonl", "sessions.map.toml", "truth-postings.csv",
        "truth-sessions.csv", "truth.json",
    ]  # fmt: skip
    assert one == again
    data = [name for name in one if not name.endswith(".toml")]
    assert all(one[name] != other[name] for name in data)


def test_the_default_world_takes_no_time():
    start = time.perf_counter()
    simulate_world(WorldSettings(), seed=1)
    assert time.perf_counter() - start < 5  # about half a second alone; machines are shared


def test_truth_json_says_all(world, tmp_path):
    record = json.loads(write_world(world, tmp_path).truth.read_text())
    assert record["seed"] == 7
    assert record["settings"]["growth_scale"] == 1.0
    assert [row["month"] for row in record["series"]][:2] == ["2026-01", "2026-02"]
    assert record["growth"] == pytest.approx(0.299, abs=5e-4)
    assert record["growth_by_group"]["build"] == pytest.approx(0.43)
    assert list(record["growth_by_group"]) == sorted(KIND_NAMES)
    assert record["growth_table"][0]["kind"] == ""
    assert record["growth_table"][0]["growth"] == pytest.approx(world.truth.growth["growth"].iloc[0], abs=1e-12)
    assert len(record["kinds"]) == 70 and len(record["decomposition"]) == 33
    assert sum(row["rows"] for row in record["planted"]) == 76


def test_files_hold_what_the_world_holds(world, tmp_path):
    files = write_world(world, tmp_path)
    postings = pd.read_csv(files.postings, keep_default_na=False, dtype=str)
    pd.testing.assert_frame_equal(postings, world.postings, check_dtype=False)
    sessions = [json.loads(line) for line in files.sessions.read_text().split("\n") if line]
    assert sessions == world.sessions.to_dict(orient="records")


def test_a_folder_that_cannot_be_made_is_one_line(world, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="the world cannot be written") as caught:
        write_world(world, tmp_path / "file" / "below")
    assert "\n" not in str(caught.value)


def planted(world, file, fault):
    return int(world.truth.planted.set_index(["file", "fault"]).loc[(file, fault), "rows"])


def test_faults_are_planted_as_counted(world):
    raw = world.postings
    n = world.settings.rows_per_fault
    assert n == 4
    extra = world.truth.planted.query("file == 'postings' and outcome != 'kept'")["rows"].sum()
    assert len(raw) == world.settings.postings + extra
    assert (raw["budget"] == "").sum() == planted(world, "postings", "missing_price") == n
    assert (raw["budget"] == "$0").sum() == planted(world, "postings", "zero_price") == n
    assert (raw["budget"] == "negotiable").sum() == planted(world, "postings", "negotiable") == n
    assert (raw["budget"] == "$900 - $300").sum() == planted(world, "postings", "reversed_range") == n
    assert (raw["posted_on"] == "").sum() == planted(world, "postings", "missing_date") == n
    assert (raw["posted_on"] > "2100").sum() == planted(world, "postings", "future_date") == n
    assert ((raw["headline"] == "") & (raw["details"] == "")).sum() == planted(world, "postings", "empty_text") == n
    assert raw.duplicated().sum() == planted(world, "postings", "exact_duplicate") == n
    distinct = raw.drop_duplicates()
    assert distinct["job_ref"].duplicated(keep=False).sum() == planted(world, "postings", "duplicated_id") == 2 * n
    hostile = sum(raw["details"].str.endswith(text).sum() for text in HOSTILE_TEXTS)
    assert hostile >= planted(world, "postings", "hostile_text") == n


def test_sessions_faults_are_planted_as_counted(world):
    raw = world.sessions
    n = world.settings.rows_per_fault
    extra = world.truth.planted.query("file == 'sessions' and outcome != 'kept'")["rows"].sum()
    assert len(raw) == world.settings.sessions + extra
    assert (raw["started_at"] == "").sum() == n
    assert (raw["started_at"] > "2100").sum() == n
    assert (raw["summary"] == "").sum() == n
    assert (raw.drop_duplicates("session_id")["user"] == "").sum() >= planted(world, "sessions", "missing_user") == n
    assert raw.duplicated().sum() == n
    assert raw.drop_duplicates()["session_id"].duplicated(keep=False).sum() == 2 * n


def test_every_sound_row_is_there_once(world):
    for raw, truth, key in (
        (world.postings, world.truth.postings, "job_ref"),
        (world.sessions, world.truth.sessions, "session_id"),
    ):
        assert truth[key].is_unique
        assert set(truth[key]) <= set(raw[key])
        assert raw.drop_duplicates()[key].isin(truth[key]).sum() == len(truth)


def test_rows_are_dated_in_their_month_and_in_order(world):
    for raw, truth, key, column in (
        (world.postings, world.truth.postings, "job_ref", "posted_on"),
        (world.sessions, world.truth.sessions, "session_id", "started_at"),
    ):
        dates = raw.drop_duplicates(key).set_index(key).loc[truth[key], column]
        assert dates.is_monotonic_increasing
        assert dates.str.slice(0, 7).tolist() == truth["month"].tolist()
        assert dates.str.slice(8, 10).nunique() == 31


@pytest.mark.parametrize("rows", [0, 9, 100_000])
def test_any_number_of_faults_can_be_planted(rows):
    world = simulate_world(WorldSettings(postings=400, sessions=400, users=40, rows_per_fault=rows), seed=1)
    extra = world.truth.planted.query("outcome != 'kept'").groupby("file")["rows"].sum()
    assert len(world.postings) == 400 + extra["postings"]
    assert len(world.sessions) == 400 + extra["sessions"]


def test_the_smallest_world_works(tmp_path):
    small = WorldSettings(postings=50, sessions=20, users=2, months=2, posting_months=1, rows_per_fault=1)
    world = simulate_world(small, seed=0)
    write_world(world, tmp_path)
    assert world.truth.sessions["user"].nunique() == 2
    assert len(world.truth.postings) == 50


def test_size_scales_in_a_straight_line():
    world = simulate_world(scaled(WorldSettings(), 3), seed=1)
    assert len(world.truth.sessions) == len(world.truth.postings) == 9600
    assert world.truth.sessions["user"].nunique() == 900


def test_the_import_finds_every_planted_fault_and_keeps_the_rest(world, tmp_path):
    from valuation.config import load
    from valuation.imports.entry import import_postings, import_sessions
    from valuation.storage import make_workspace, read_postings, read_sessions

    files = write_world(world, tmp_path / "world")
    layout = make_workspace(tmp_path / "workspace")
    now = datetime(2026, 11, 22, tzinfo=UTC)
    settings = load()
    reports = {
        "postings": import_postings(
            layout, [str(files.postings)], settings=settings, mapping=files.postings_map, dry_run=False, now=now
        ),
        "sessions": import_sessions(
            layout, [str(files.sessions)], settings=settings, mapping=files.sessions_map, dry_run=False, now=now
        ),
    }
    for name, report in reports.items():
        wanted = world.truth.planted[world.truth.planted["file"] == name]
        quarantined = wanted[wanted["outcome"] == "quarantined"].groupby("reason")["rows"].sum().to_dict()
        (found,) = report.files
        assert dict(found.reasons) == quarantined
        assert found.merged == wanted.loc[wanted["outcome"] == "merged", "rows"].sum()
        assert found.kept == 3200
    postings = read_postings(layout).set_index("posting_id")
    truth = world.truth.postings.set_index("job_ref")
    dollars = postings[postings["currency"] == "USD"]
    assert len(dollars) > 2500
    assert dollars["price_usd"].to_numpy() == pytest.approx(
        truth.loc[dollars.index, "log_price"].map(lambda y: 2.718281828459045**y).to_numpy(), rel=1e-9
    )
    foreign = postings[postings["currency"] != "USD"]
    ratio = foreign["price_usd"] / truth.loc[foreign.index, "log_price"].map(lambda y: 2.718281828459045**y)
    assert ratio.between(0.97, 1.03).all()
    assert (postings["price_type"] == "hourly").to_numpy().tolist() == truth.loc[postings.index, "hourly"].tolist()
    assert {"kind", "tool", "language"} <= set(read_sessions(layout).columns)


WORD = re.compile(r"[a-z0-9']+")


def grams(texts, n):
    found = Counter()
    for text in texts:
        tokens = WORD.findall(text.lower())
        found.update(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
    return found


@pytest.fixture(scope="module")
def sound():
    world = simulate_world(WorldSettings(rows_per_fault=0), seed=4)
    postings = world.postings
    return [
        "\n".join(filter(None, row)) for row in postings[["headline", "details", "tags"]].itertuples(index=False)
    ], world


def asks():
    """Every template of a client."""
    for kind in KINDS.values():
        yield from (*kind.titles, *kind.asks, *kind.wants)
    for level in (*words_scope.SIZES, *words_scope.COMPLEXITIES):
        yield from (*level.titles, *level.asks)
    for domain in DOMAINS.values():
        yield from domain.context
    yield from (*words_common.TOPIC_ASKS, *words_common.SIZE_ASKS, *words_common.COMPLEXITY_ASKS)
    yield from (*words_scope.OPENINGS, *words_scope.URGENT_ASKS, *words_scope.CALM_ASKS, *words_scope.CLOSINGS)
    yield from (*words_scope.RAMBLES, *words_scope.TRADE_NOTES)


def accounts():
    """Every template of a worker."""
    for kind in KINDS.values():
        yield from (*kind.did, *kind.also)
    for level in (*words_scope.SIZES, *words_scope.COMPLEXITIES):
        yield from (*level.extents, *level.reports)
    for domain in DOMAINS.values():
        yield from domain.detail
    yield from (*words_common.TOPIC_REPORTS, *words_common.SIZE_REPORTS, *words_common.COMPLEXITY_REPORTS)
    yield from (*words_scope.URGENT_REPORTS, *words_scope.CHECKS, *words_scope.MEANS, *words_personal.PERSONAL)


def test_no_template_serves_both_registers(sound):
    requests, world = sound
    reports = world.sessions["summary"].tolist()
    assert not set(grams(asks(), 4)) & set(grams(accounts(), 4))
    shared = set(grams(requests, 6)) & set(grams(reports, 6))
    assert not shared, sorted(shared)[:3]
    both = set(grams(requests, 1)) & set(grams(reports, 1))
    either = set(grams(requests, 1)) | set(grams(reports, 1))
    assert 0.2 < len(both) / len(either) < 0.7  # vocabulary overlaps, but only partly


def test_clients_ask_and_workers_report(sound):
    requests, world = sound
    asked = [text for text, details in zip(requests, world.postings["details"], strict=True) if details]
    opening = re.compile(r"looking|need|hire|would like|seeking|can you", re.IGNORECASE)
    assert all(opening.search(text) for text in asked)
    matchable = world.truth.sessions["matchable"].to_numpy()
    work = world.sessions["summary"][matchable]
    past = re.compile(r"\w+ed\b|^(Built|Led|Did|Split|Ran|Wrote|Rewrote|Set)\b")
    assert all(past.search(text.split(".")[0]) for text in work)
    assert not work.str.contains(r"looking for|we need|please|budget", case=False).any()
    assert (world.postings["details"] == "").mean() == pytest.approx(world.settings.title_only, abs=0.02)


def test_texts_are_whole_sentences_without_open_slots(sound):
    requests, world = sound
    for text in [*requests, *world.sessions["summary"]]:
        assert "{" not in text and "}" not in text
        assert "  " not in text and " ." not in text
        assert 10 < len(text) < 2500


def test_personal_sessions_share_hardly_a_word_with_any_posting(sound):
    requests, world = sound
    vocabulary = set(grams(requests, 1))
    personal = world.sessions["summary"][~world.truth.sessions["matchable"].to_numpy()]
    assert 60 < len(personal) < 200
    assert (world.sessions["kind"] == "personal").sum() == len(personal)

    def known(text):
        words = [word for word in WORD.findall(text.lower()) if len(word) > 3]
        return sum((word,) in vocabulary for word in words) / len(words)

    work = world.sessions["summary"][world.truth.sessions["matchable"].to_numpy()]
    assert max(map(known, personal)) < min(map(known, work))


def test_texts_show_size_and_never_the_price(sound):
    _, world = sound
    truth, summaries = world.truth.sessions, world.sessions["summary"]
    large = summaries[(truth["size"] == "large").to_numpy()]
    small = summaries[(truth["size"] == "small").to_numpy()]
    big_words = r"large|huge|massive|major|long-term|enterprise-wide|extensive|full-scale"
    assert large.str.contains(big_words).all()
    assert not small.str.contains(big_words).any()
    assert not summaries.str.contains(r"[$€£]\s?\d").any()
