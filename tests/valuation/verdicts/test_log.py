"""The log: what is appended stays, once; undo is a line; what stands is what was said last."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from valuation.errors import EnvironmentFault, InputError
from valuation.verdicts import VERDICTS, open_log, verdict_frame
from valuation.verdicts.schema import COLUMNS, VERDICT_LOG

from .conftest import NOON, entry, taken_back


def standing(log, **asked):
    return [(one.entry.session_id, one.entry.posting_id, one.entry.verdict) for one in log.standing(**asked)]


def test_a_line_comes_back_as_it_was_given(log, url):
    full = entry(
        audit_id="first", run_id="0f52847e962793a8", settings_hash="a" * 64, price_usd=1250.5, better_posting_id="p9",
        better_rank=3, note="as long as it takes", adjudicates=True, blind=True, shown='{"gigs": ["p1"]}',
        origin="import",
    )  # fmt: skip
    stored = log.append(full)
    assert (stored.id, stored.fresh, stored.entry) == (1, True, full)
    log.close()
    again = open_log(url)
    assert [(one.id, one.entry) for one in again.standing()] == [(1, full)]
    line = again.lines().iloc[0]
    assert list(again.lines().columns) == list(COLUMNS)
    assert {name: line[name] for name in COLUMNS if name not in ("id", "undoes")} == {
        name: value for name, value in dataclasses.asdict(full).items() if name != "undoes"
    }
    assert again.last_id() == 1
    again.close()


def test_an_empty_log_says_nothing(log):
    assert (log.last_id(), log.standing(), log.lines().shape) == (0, [], (0, len(COLUMNS)))
    assert log.sessions_judged("Ada") == (frozenset(), frozenset())
    assert (log.tally("first", "Ada"), log.last_times("first", "Ada", 5)) == ({}, [])
    assert taken_back(log, "u") is None and log.last_id() == 0


def test_a_form_sent_twice_is_one_line(log):
    first = entry(note="first")
    stored = log.append(first)
    again = log.append(dataclasses.replace(first, note="second", analyst="Bo"))
    assert (again.id, again.fresh, again.entry) == (stored.id, False, first)
    assert len(log.lines()) == 1


def test_all_lines_are_appended_or_none(log):
    log.append(known := entry())
    both = log.append_all([dataclasses.replace(known), entry(posting_id="p2")])
    assert [one.fresh for one in both] == [False, True]
    lost = entry(posting_id="p3", action="undo", verdict=None, undoes=99_999)
    if log._engine.dialect.name == "postgresql":  # SQLite checks keys of other lines at once as well
        with pytest.raises(EnvironmentFault, match="was not kept: .*verdicts_undoes_fkey.*nothing was changed"):
            log.append_all([entry(posting_id="p4"), lost])
    else:
        with pytest.raises(EnvironmentFault, match="was not kept: FOREIGN KEY constraint failed; nothing was changed"):
            log.append_all([entry(posting_id="p4"), lost])
    assert log.lines()["posting_id"].tolist() == ["p1", "p2"]
    assert log.append(entry()).id > both[1].id


def test_ids_ascend_and_none_is_given_twice(log):
    ids = [log.append(entry()).id for _ in range(5)]
    assert ids == sorted(set(ids))
    assert log.last_id() == ids[-1]


def test_what_was_said_last_stands_and_undo_brings_back_what_was_said_before(log):
    log.append(entry(verdict="comparable"))
    log.append(entry(verdict="wrong_kind", price_usd=5, note="B"))
    assert standing(log) == [("s1", "p1", "wrong_kind")]
    undone = taken_back(log, "u1")
    assert (undone.session_id, undone.posting_id, undone.undoes, undone.action) == ("s1", "p1", 2, "undo")
    assert (undone.verdict, undone.price_usd, undone.note) == (None, None, "")
    assert standing(log) == [("s1", "p1", "comparable")]
    assert taken_back(log, "u2").undoes == 1
    assert standing(log) == []
    assert taken_back(log, "u3") is None
    assert log.lines()["action"].tolist() == ["verdict", "verdict", "undo", "undo"]
    log.append(entry(verdict="cant_say"))
    assert standing(log) == [("s1", "p1", "cant_say")]


def test_undo_sent_twice_takes_back_one(log):
    log.append_all([entry(posting_id="p1"), entry(posting_id="p2")])
    first, again = (taken_back(log, "same") for _ in range(2))
    assert first == again and first.posting_id == "p2"
    assert standing(log) == [("s1", "p1", "comparable")]


def test_nobody_takes_back_what_another_said_or_what_was_said_elsewhere(log):
    log.append(entry(analyst="Bo", audit_id="first"))
    log.append(entry(analyst="Ada", audit_id="second"))
    log.append(entry(analyst="Ada"))
    assert taken_back(log, "u1", analyst="Ada", audit_id="first") is None
    assert taken_back(log, "u2", analyst="ada", audit_id="second") is None
    assert taken_back(log, "u3", analyst="Ada", audit_id="second").audit_id == "second"
    assert [one.entry.analyst for one in log.standing()] == ["Bo", "Ada"]


def test_a_line_is_taken_back_once(log):
    log.append(entry())
    taken_back(log, "u1")
    with pytest.raises(EnvironmentFault, match="this verdict has been taken back already; reload the page"):
        log.append(entry(action="undo", verdict=None, undoes=1))
    assert len(log.lines()) == 2


def test_is_undone_tells_of_a_line_that_is_sent_again(log):
    first = entry()
    assert not log.is_undone(log.append(first))
    assert not log.is_undone(log.append(first))
    taken_back(log, "u1")
    assert log.is_undone(log.append(first))


def test_an_adjudication_stands_beside_its_analysts_own_verdict(log):
    log.append(entry(audit_id="first", verdict="session_larger"))
    log.append(entry(audit_id="first", verdict="comparable", adjudicates=True))
    assert standing(log) == [("s1", "p1", "session_larger"), ("s1", "p1", "comparable")]
    assert [one.entry.adjudicates for one in log.standing()] == [False, True]
    assert taken_back(log, "u", audit_id="first").adjudicates
    assert standing(log) == [("s1", "p1", "session_larger")]


def test_standing_keeps_to_what_is_asked_for(log):
    keys = [(audit, session, analyst) for audit in ("", "a") for session in ("s1", "s2") for analyst in ("Ada", "Bo")]
    for audit, session, analyst in keys:
        log.append(entry(audit_id=audit, session_id=session, analyst=analyst))

    def found(**asked):
        return [(one.entry.audit_id, one.entry.session_id, one.entry.analyst) for one in log.standing(**asked)]

    assert found() == keys
    assert found(audit_id="") == keys[:4]  # outside of audits, not: everywhere
    assert found(audit_id="a", analyst="Bo") == [("a", "s1", "Bo"), ("a", "s2", "Bo")]
    assert found(session_id="s2", analyst="Ada") == [("", "s2", "Ada"), ("a", "s2", "Ada")]
    assert found(audit_id="nowhere") == found(analyst="' OR 1=1 --") == []
    assert len(log.lines(audit_id="a")) == 4 and len(log.lines(audit_id="a", session_id="s1")) == 2


def test_counts_times_and_judged_sessions(log):
    for number, word in enumerate(("comparable", "comparable", "cant_say")):
        log.append(
            entry(audit_id="a", posting_id=f"p{number}", verdict=word, decided_at=NOON + dt.timedelta(hours=-number))
        )
    log.append(entry(audit_id="a", session_id="s2", analyst="Bo"))
    log.append(entry(audit_id="a", session_id="s3", origin="import"))
    log.append(entry(session_id="s4"))
    taken_back(log, "u")
    assert log.tally("a", "Ada") == {"comparable": 3, "cant_say": 1}
    assert log.last_times("a", "Ada", 9) == [NOON - dt.timedelta(hours=hours) for hours in (2, 1, 0)]
    assert log.last_times("a", "Ada", 1) == [NOON - dt.timedelta(hours=2)]  # the last given, not the latest
    anybody, ada = log.sessions_judged("Ada")
    assert (anybody, ada) == ({"s1", "s2", "s3"}, {"s1", "s3"})


ANALYSTS, GIGS, AUDITS = ("Ada", "Bo"), ("", "p1", "p2"), ("", "x")
said = st.tuples(
    st.sampled_from(ANALYSTS), st.sampled_from(GIGS), st.sampled_from(AUDITS), st.sampled_from(VERDICTS), st.booleans()
)
undone = st.tuples(st.sampled_from(ANALYSTS), st.sampled_from(AUDITS))


@given(steps=st.lists(said | undone, max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_stands_is_what_a_stack_of_verdicts_would_hold(log, steps):
    """Any order of verdicts and undos, against a list that undo takes the last one off."""
    fresh = f"{log.last_id()}-"  # the same database: other sessions
    kept: list = []
    for step in steps:
        if len(step) == 5:
            analyst, gig, audit, verdict, settles = step
            one = entry(
                session_id=fresh, analyst=analyst, posting_id=gig, audit_id=fresh + audit, verdict=verdict,
                adjudicates=settles,
            )  # fmt: skip
            log.append(one)
            kept.append(one)
        else:
            analyst, audit = step
            mine = [one for one in kept if (one.analyst, one.audit_id) == (analyst, fresh + audit)]
            back = taken_back(log, f"u{log.last_id()}", analyst=analyst, audit_id=fresh + audit)
            assert (back is None) == (not mine)
            if mine:
                kept.remove(mine[-1])
    last = {(one.audit_id, one.posting_id, one.analyst, one.adjudicates): one for one in kept}
    assert [one.entry for one in log.standing(session_id=fresh)] == [one for one in kept if one in last.values()]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE verdicts SET verdict = 'wrong_kind'",
        "UPDATE verdicts SET note = note",
        "DELETE FROM verdicts WHERE id = 1",
        "DELETE FROM verdicts",
        "TRUNCATE verdicts CASCADE",
        "INSERT OR REPLACE INTO verdicts SELECT id, token, action, undoes, audit_id, run_id, settings_hash, session_id,"
        " posting_id, 'wrong_kind', price_usd, better_posting_id, better_rank, note, analyst, adjudicates, blind,"
        " shown, decided_at, origin FROM verdicts",
    ],
)
def test_the_database_itself_refuses_to_overwrite(log, statement):
    kind = log._engine.dialect.name
    if statement.split()[0] == ("TRUNCATE" if kind == "sqlite" else "") or (
        kind != "sqlite" and "REPLACE" in statement
    ):
        return  # the database has no such statement
    log.append(entry())
    before = log.lines()
    from sqlalchemy.exc import DBAPIError

    with log._engine.connect().execution_options(writes=True) as connection:
        if "REPLACE" in statement:
            connection.execute(text(statement))
            connection.commit()
        else:
            with pytest.raises(DBAPIError, match="verdicts are never changed or deleted; undo is a new line"):
                connection.execute(text(statement))
    assert log.lines().equals(before)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "good"}, "verdict 'good': expected one of comparable, session_larger, session_smaller, "),
        ({"verdict": None}, "verdict None with action verdict: a verdict has one"),
        ({"action": "undo", "verdict": "comparable"}, "with action undo"),
        ({"action": "edit"}, "action 'edit': expected one of verdict, undo"),
        ({"price_usd": 0.0}, r"price_usd 0.0: expected US dollars above 0 and up to 10,000,000"),
        ({"price_usd": float("nan")}, "price_usd nan"),
        ({"price_usd": float("inf")}, "price_usd inf"),
        ({"price_usd": 1e7 + 1}, "price_usd 10000001"),
        ({"session_id": ""}, "session_id is empty"),
        ({"session_id": "x" * 401}, "session_id has 401 characters; at most 400 are kept"),
        ({"note": "n" * 4001}, "note has 4,001 characters; at most 4,000 are kept"),
        ({"note": "a\x00b"}, "note holds a NUL character, which no database keeps"),
        ({"note": "\ud83d"}, "note holds half a character"),
        ({"session_id": "\udcff"}, "session_id holds half a character"),
        ({"better_posting_id": "\ud800"}, "better_posting_id holds half"),
        ({"token": "t" * 65}, "token has 65 characters; at most 64"),
        ({"audit_id": "a\x00"}, "audit_id holds a NUL"),
        ({"analyst": ""}, "analyst '': expected 1 to 60 letters"),
        ({"analyst": " Ada"}, "expected 1 to 60 letters, digits, spaces"),
        ({"analyst": "Ada "}, "beginning with a letter or digit"),
        ({"analyst": "A" * 61}, "expected 1 to 60"),
        ({"analyst": "<script>"}, "expected 1 to 60"),
        ({"analyst": "Ada\u202e"}, "expected 1 to 60"),
        ({"analyst": "Ad\u200ba"}, "expected 1 to 60"),
        ({"analyst": "Ada\nBo"}, "expected 1 to 60"),
        ({"analyst": "Ada)"}, "expected 1 to 60"),
        ({"analyst": "_Ada"}, "expected 1 to 60"),
    ],
)  # fmt: skip
def test_what_no_verdict_can_be_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        entry(**changes)


@pytest.mark.parametrize(
    "name", ["A", "Ada Lovelace", "José", "李雷", "o'neil@example.org", "A" * 60, "Ada O. Byron-King", "7"]
)
def test_names_that_may_stand_for_an_analyst(log, name):
    log.append(entry(analyst=name))
    assert [one.entry.analyst for one in log.standing(analyst=name)] == [name]


@pytest.mark.parametrize(
    "text_",
    [
        "n" * 4000,
        "🧮" * 4000,
        "e\u0301\u200d\u202e\ufeff line\r\nline\ttab",
        "'; DROP TABLE verdicts; -- \\ \" %s :name {{7*7}}",
        "\x01\x7f\x85\u2028",
    ],
    ids=["long", "emoji", "marks", "syntax", "control"],
)
def test_a_note_comes_back_character_by_character(log, text_):
    log.append(entry(note=text_, session_id=text_[:400], posting_id=text_[:400]))
    (one,) = log.standing(session_id=text_[:400])
    assert (one.entry.note, one.entry.posting_id) == (text_, text_[:400])


def test_the_table_of_verdicts_has_null_for_the_whole_session_and_times_in_utc(log):
    log.append(entry(session_id="s2", posting_id="p9", analyst="Bo", note="x", price_usd=40.0))
    log.append(entry(session_id="s2", posting_id=""))
    log.append(entry(session_id="s1", posting_id="p2", decided_at=NOON))
    log.append(entry(session_id="s1", posting_id="p2", adjudicates=True))
    frame = verdict_frame(log.standing())
    assert frame["session_id"].tolist() == ["s1", "s2", "s2"]
    assert frame["posting_id"].isna().tolist() == [False, True, False]
    assert (frame["note"].isna().tolist(), frame["price_usd"].tolist()[2]) == ([True, True, False], 40.0)
    assert frame["decided_at"][0].isoformat() == "2026-07-01T12:00:00.123456+00:00"
    assert len(verdict_frame(log.standing(), adjudicates=True)) == 1
    assert len(verdict_frame([])) == 0


def test_lengths_that_are_checked_are_those_the_columns_have():
    from valuation.verdicts import entries

    columns = {name: VERDICT_LOG.c[name].type.length for name in ("session_id", "posting_id", "better_posting_id")}
    assert set(columns.values()) == {entries.ID_LENGTH}
    keys = {VERDICT_LOG.c[name].type.length for name in ("token", "audit_id", "run_id", "settings_hash")}
    assert keys == {entries.KEY_LENGTH}
    assert VERDICT_LOG.c.analyst.type.length == entries.NAME_LENGTH
