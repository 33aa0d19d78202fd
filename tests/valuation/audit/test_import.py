from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from tests.valuation.audit.conftest import COLUMNS, at, prices_by
from valuation.audit.imported import WhySetAside
from valuation.audit.importing import import_verdicts
from valuation.audit.opening import open_audit
from valuation.audit.reasons import MEANINGS, VerdictReason
from valuation.audit.tokens import gig_token, session_token
from valuation.errors import ConfigError, InputError
from valuation.storage import read_key
from valuation.tables import Quarantine, read_table
from valuation.verdicts import open_log, review_url, verdict_frame


@pytest.fixture
def drawn(home):
    home.audit_draw(per_month=12, name="a")
    return open_audit(home.layout)


@pytest.fixture
def near(home, drawn):
    """Neighbours of the first matched session of the sample: (session_id, posting_ids nearest first)."""
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    session = next(one for one in drawn.wanted if one in set(matches["session_id"]))
    return session, matches[matches["session_id"] == session].sort_values("rank")["posting_id"].tolist()


def row(session, posting=None, verdict="comparable", **more):
    return {
        "session_id": session, "posting_id": posting, "verdict": verdict, "price_usd": None, "better_posting_id": None,
        "analyst": "Ada", "decided_at": at(0), "note": None, **more,
    }  # fmt: skip


def standing(home, audit_id="a"):
    log = open_log(review_url(home.layout, home.settings))
    try:
        return log.standing(audit_id=audit_id)
    finally:
        log.close()


def counts(result):
    assert result.rows_in == result.kept + result.already_there + result.quarantined
    return result.kept, result.already_there, result.quarantined


def codes(result):
    return [(one.code, one.rows) for one in result.files[0].reasons]


@pytest.mark.slow
def test_what_a_row_says_reaches_the_log(home, drawn, near, brought):
    session, gigs = near
    rows = [
        row(session, gigs[0], price_usd=120.5, note='=2+2, "so"', decided_at="2026-07-01T11:00:00+02:00"),
        row(session, None, "cant_say", better_posting_id=gigs[3]),
    ]
    assert counts(brought(home, "a", rows)) == (2, 0, 0)
    whole, gig = sorted((one.entry for one in standing(home)), key=lambda one: one.posting_id)
    assert (gig.session_id, gig.posting_id, gig.verdict, gig.price_usd) == (session, gigs[0], "comparable", 120.5)
    assert (gig.note, gig.decided_at) == ('=2+2, "so"', datetime(2026, 7, 1, 9, 0))  # noqa: DTZ001
    assert (gig.run_id, gig.settings_hash, gig.audit_id) == (drawn.run_id, drawn.settings_hash, "a")
    assert (gig.origin, gig.adjudicates, gig.blind) == ("import", False, False)
    assert (whole.better_posting_id, whole.better_rank, whole.posting_id) == (gigs[3], 4, "")


def test_the_same_file_again_adds_nothing_and_undone_stays_undone(home, drawn, near, brought):
    session, gigs = near
    rows = [row(session, gigs[0]), row(session, gigs[1], decided_at=at(1))]
    assert counts(brought(home, "a", rows)) == (2, 0, 0)
    assert counts(brought(home, "a", rows[::-1], name="other-order.csv")) == (0, 2, 0)
    log = open_log(review_url(home.layout, home.settings))
    log.undo(analyst="Ada", audit_id="a", token="u", decided_at=datetime(2026, 7, 2))  # noqa: DTZ001
    log.close()
    assert counts(brought(home, "a", rows)) == (0, 2, 0)
    assert [one.entry.posting_id for one in standing(home)] == [gigs[0]]


@pytest.mark.slow
def test_two_equal_rows_of_one_call_are_one(home, drawn, near, brought):
    session, gigs = near
    rows = [row(session, gigs[0])] * 3
    assert counts(brought(home, "a", rows)) == (1, 2, 0)


BAD = [
    (dict(session_id=None), VerdictReason.NO_SESSION, "session_id"),
    (dict(session_id="nobody"), VerdictReason.UNKNOWN_SESSION, "session_id"),
    (dict(posting_id="no-such-gig"), VerdictReason.UNKNOWN_POSTING, "posting_id"),
    (dict(posting_id="gig-" + "0" * 24), VerdictReason.UNKNOWN_POSTING, "posting_id"),
    (dict(posting_id="x" * 500), VerdictReason.UNKNOWN_POSTING, "posting_id"),
    (dict(better_posting_id="no-such-gig"), VerdictReason.UNKNOWN_BETTER, "better_posting_id"),
    (dict(verdict="great"), VerdictReason.BAD_VERDICT, "verdict"),
    (dict(verdict=None), VerdictReason.BAD_VERDICT, "verdict"),
    (dict(verdict="Comparable"), VerdictReason.BAD_VERDICT, "verdict"),
    (dict(price_usd="0"), VerdictReason.BAD_PRICE, "price_usd"),
    (dict(price_usd="-5"), VerdictReason.BAD_PRICE, "price_usd"),
    (dict(price_usd="inf"), VerdictReason.BAD_PRICE, "price_usd"),
    (dict(price_usd="$90"), VerdictReason.BAD_PRICE, "price_usd"),
    (dict(price_usd="1,200"), VerdictReason.BAD_PRICE, "price_usd"),
    (dict(price_usd="1e400"), VerdictReason.BAD_PRICE, "price_usd"),
    (dict(price_usd="20000000"), VerdictReason.BAD_PRICE, "price_usd"),
    (dict(analyst=None), VerdictReason.NO_ANALYST, "analyst"),
    (dict(analyst="<b>Ada"), VerdictReason.BAD_ANALYST, "analyst"),
    (dict(analyst="a" * 61), VerdictReason.BAD_ANALYST, "analyst"),
    (dict(decided_at=None), VerdictReason.NO_DATE, "decided_at"),
    (dict(decided_at="yesterday"), VerdictReason.BAD_DATE, "decided_at"),
    (dict(decided_at="1970-01-01"), VerdictReason.BAD_DATE, "decided_at"),
    (dict(decided_at="2999-01-01T00:00:00Z"), VerdictReason.FUTURE_DATE, "decided_at"),
    (dict(note="n" * 4001), VerdictReason.BAD_NOTE, "note"),
]


def test_rows_that_cannot_be_used_are_set_aside(home, drawn, near, brought):
    session, gigs = near
    good = row(session, gigs[0])
    result = brought(home, "a", [good, *(row(session, gigs[1]) | change for change, _, _ in BAD)])
    assert counts(result) == (1, 0, len(BAD))
    path = home.layout.root / "quarantine" / "verdicts" / "a" / f"{result.files[0].import_id}.parquet"
    assert result.files[0].set_aside == str(path)
    aside = read_table(path, Quarantine)
    assert aside["row"].tolist() == list(range(2, len(BAD) + 2))
    assert list(zip(aside["reason"], aside["column"], strict=True)) == [(one.value, column) for _, one, column in BAD]
    assert list(zip(aside["expected"], aside["message"], strict=True)) == [MEANINGS[one] for _, one, _ in BAD]
    raw = [json.loads(one) for one in aside["raw"]]
    assert [one["session_id"] for one in raw] == [(good | change)["session_id"] for change, _, _ in BAD]
    for one in result.files[0].reasons:
        of_it = [at for at, (_, reason, _) in enumerate(BAD) if reason.value == one.code]
        first = aside.iloc[of_it[0]]
        assert (one.rows, one.first_row, one.column) == (len(of_it), first["row"], BAD[of_it[0]][2])
        assert one.value == first["value"] or (one.value is None and pd.isna(first["value"]))
        assert f"{one.code}:" in result.text()
    assert f"first in row {aside['row'][0]}, {BAD[0][2]}" in " ".join(result.text().split())
    assert [one.entry.posting_id for one in standing(home)] == [gigs[0]]


def test_every_reason_is_tested():
    tested = {reason for _, reason, _ in BAD}
    tested |= {VerdictReason.CONFLICT, VerdictReason.SUPERSEDED, VerdictReason.UNREADABLE_ROW}
    assert tested == set(VerdictReason) == set(MEANINGS)


@pytest.mark.slow
def test_two_verdicts_that_differ_on_one_thing_are_both_set_aside(home, drawn, near, brought, tmp_path):
    session, gigs = near
    rows = [row(session, gigs[0]), row(session, gigs[0], "wrong_kind", decided_at=at(5)), row(session, gigs[1])]
    result = brought(home, "a", rows)
    assert counts(result) == (1, 0, 2)
    assert result.files[0].reasons == (WhySetAside("conflict", 2, 1, "verdict", "comparable"),)
    assert "1 verdict added to audit a" in result.text()
    assert [one.entry.posting_id for one in standing(home)] == [gigs[1]]
    assert counts(brought(home, "a", rows)) == (0, 1, 2)


@pytest.mark.slow
def test_an_older_verdict_does_not_take_the_place_of_a_newer_one(home, drawn, near, brought):
    session, gigs = near
    brought(home, "a", [row(session, gigs[0], "wrong_kind", decided_at=at(100))])
    result = brought(home, "a", [row(session, gigs[0], decided_at=at(50))], name="late.csv")
    assert codes(result) == [("superseded", 1)]
    assert counts(brought(home, "a", [row(session, gigs[0], "cant_say", decided_at=at(150))], name="new.csv")) == (
        1,
        0,
        0,
    )
    assert [one.entry.verdict for one in standing(home)] == ["cant_say"]


@pytest.mark.slow
def test_rows_are_appended_in_the_order_of_time(home, drawn, near, brought):
    session, gigs = near
    brought(home, "a", [row(session, gigs[0], "wrong_kind", decided_at=at(9)), row(session, gigs[1], decided_at=at(3))])
    assert [one.entry.posting_id for one in standing(home)] == [gigs[1], gigs[0]]


@pytest.mark.slow
def test_adjudications_stand_beside(home, drawn, near, brought):
    session, gigs = near
    brought(home, "a", [row(session, gigs[0])])
    assert counts(brought(home, "a", [row(session, gigs[0])], adjudicated=True)) == (1, 0, 0)
    assert [one.entry.adjudicates for one in standing(home)] == [False, True]
    assert len(verdict_frame(standing(home), adjudicates=True)) == 1


@pytest.mark.slow
def test_who_and_when_can_be_said_once_for_all_rows(home, drawn, near, brought):
    session, gigs = near
    bare = [{"session_id": session, "posting_id": gigs[0], "verdict": "comparable"}]
    with pytest.raises(
        InputError, match="v.csv: no column analyst; say --analyst NAME; expected the columns session_id"
    ):
        brought(home, "a", bare)
    with pytest.raises(InputError, match="no column decided_at; say when with --decided-at TIME"):
        brought(home, "a", bare, analyst="Ada")
    assert counts(brought(home, "a", bare, analyst="Ada", decided_at="2026-07-01T10:00+02:00")) == (1, 0, 0)
    (one,) = standing(home)
    assert (one.entry.analyst, one.entry.decided_at) == ("Ada", datetime(2026, 7, 1, 8, 0))  # noqa: DTZ001


@pytest.mark.slow
def test_what_stands_in_a_row_comes_before_what_is_said_for_all(home, drawn, near, brought):
    session, gigs = near
    rows = [row(session, gigs[0], analyst="Bo"), row(session, gigs[1], analyst=None)]
    brought(home, "a", rows, analyst="Ada")
    assert [one.entry.analyst for one in standing(home)] == ["Bo", "Ada"] or {
        (one.entry.posting_id, one.entry.analyst) for one in standing(home)
    } == {(gigs[0], "Bo"), (gigs[1], "Ada")}


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"analyst": "<x>"}, {"decided_at": "soon"}])
def test_a_flag_that_cannot_be(home, drawn, near, brought, how):
    with pytest.raises(ConfigError, match="--"):
        brought(home, "a", [row(*near[:1])], **how)


@pytest.mark.slow
def test_a_file_without_verdicts_names_its_columns(home, drawn, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="x.csv: no column session_id; .*it has a, b"):
        home.audit_import("a", [str(path)])
    assert not (home.layout.root / "quarantine" / "verdicts").exists()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv.gz"])
def test_formats(home, drawn, near, tmp_path, ending):
    session, gigs = near
    frame = pd.DataFrame([row(session, gigs[0], price_usd=80.0), row(session, None, note="'=x")], columns=COLUMNS)
    path = tmp_path / f"v.{ending}"
    if ending == "parquet":
        frame.to_parquet(path, index=False)
    elif ending == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)
    assert counts(home.audit_import("a", [str(path)])) == (2, 0, 0)
    notes = {one.entry.note for one in standing(home)}
    assert notes == {
        "",
        "=x" if "csv" in ending else "'=x",
    }  # a CSV's first apostrophe keeps a spreadsheet from running


@pytest.mark.slow
def test_a_broken_row_is_set_aside(home, drawn, near, tmp_path):
    session, gigs = near
    path = tmp_path / "v.csv"
    path.write_text(f"{','.join(COLUMNS)}\n{session},{gigs[0]},comparable,,,Ada,{at(0)},\n{session},too,few\n")
    result = home.audit_import("a", [str(path)])
    assert counts(result) == (1, 0, 1)
    assert codes(result) == [("unreadable_row", 1)]


@pytest.mark.slow
def test_names_of_an_offline_page_stand_for_their_gigs_here_only(home, drawn, near, brought):
    session, gigs = near
    key = read_key(home.layout)
    name, gig = session_token(key, "a", session), gig_token(key, "a", session, gigs[2])
    other = gig_token(key, "a", "another", gigs[2])
    result = brought(home, "a", [row(name, gig), row(name, other), row(session_token(key, "b", session), gig)])
    assert counts(result) == (1, 0, 2)
    assert [code for code, _ in codes(result)] == ["unknown_posting", "unknown_session"]
    (one,) = standing(home)
    assert (one.entry.session_id, one.entry.posting_id) == (session, gigs[2])


@pytest.mark.slow
def test_an_import_of_postings_leaves_the_verdicts_set_aside(home, drawn, near, brought, tmp_path):
    result = brought(home, "a", [row("nobody")])
    file = tmp_path / "p.csv"
    file.write_text("title,description,budget,currency,posted,type\nLogo,A logo of a fox,100,USD,2026-02-03,fixed\n")
    map_file = tmp_path / "m.toml"
    map_file.write_text(
        'kind = "postings"\nsource = "x"\n[columns]\ntitle = "title"\ndescription = "description"\nprice = "budget"\n'
        'currency = "currency"\nposted_at = "posted"\nprice_type = "type"\n'
    )
    home.import_postings([str(file)], mapping=map_file)
    assert (home.layout.root / "quarantine" / "verdicts" / "a" / f"{result.files[0].import_id}.parquet").exists()


@pytest.mark.slow
def test_the_clock_is_an_argument(home, drawn, near, tmp_path):
    path = tmp_path / "v.csv"
    pd.DataFrame([row(*near[:1])]).to_csv(path, index=False)
    early = datetime(2026, 6, 1, tzinfo=UTC)
    result = import_verdicts(home.layout, home.settings, "a", [str(path)], now=early)
    assert codes(result) == [("future_date", 1)]


@pytest.mark.slow
def test_five_thousand_rows_take_little(home, tmp_path):
    home.audit_draw(per_month=200, name="big")
    audit = open_audit(home.layout)
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    pairs = matches[matches["session_id"].isin(audit.wanted)][["session_id", "posting_id"]]
    several = pd.concat([pairs.assign(analyst=name) for name in ("Ada", "Bo", "Cy")])[:5000]
    rng = np.random.default_rng(2)
    several = several.assign(
        verdict=rng.choice(["comparable", "wrong_kind"], len(several)), decided_at=at(0), price_usd=99.5
    )
    path = tmp_path / "many.csv"
    several.to_csv(path, index=False)
    home.audit_import("big", [str(path)])
    begin = time.process_time()
    again = home.audit_import("big", [str(path)])
    spent = time.process_time() - begin
    assert again.already_there == len(several) > 2000
    assert spent < 4.0, spent  # reading, checking and comparing; a second on an idle machine


@pytest.mark.slow
def test_a_price_alone_is_a_value(home, drawn, brought, truth):
    rows = prices_by(truth, list(drawn.wanted))
    assert brought(home, "a", rows).kept == len(drawn.wanted)
    assert len(verdict_frame(standing(home))) == len(drawn.wanted)
