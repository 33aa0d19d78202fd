"""The database is made, migrated, and refused in words; what it cannot keep is not said to be kept."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import event, text

from valuation.errors import ConfigError, EnvironmentFault
from valuation.verdicts import open_log, opening, review_url
from valuation.verdicts.opening import shown
from valuation.verdicts.schema import METADATA

from .conftest import NOON, entry

SECRET = "s3cr3t"
NOT_ONE = "expected sqlite:///FILE or postgresql://USER@HOST/NAME"


def test_migrations_make_what_the_schema_says(log):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with log._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == "0002"


def test_what_an_older_database_knows_to_have_been_seen_is_taken_over(log, url):
    kept = log.append(entry())
    with log._engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql("DROP TABLE seen")
        connection.exec_driver_sql("ALTER TABLE assignments ADD COLUMN revealed_at TIMESTAMP")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        for audit, session, who, at in (("a", "s1", "Ada", NOON), ("b", "s1", "Ada", NOON), ("a", "s2", "Ada", None)):
            row = {"audit": audit, "session": session, "who": who, "at": at, "until": NOON}
            connection.execute(
                text("INSERT INTO assignments VALUES (:audit, :session, 0, :who, :until, NULL, :at)"), row
            )
    again = open_log(url)
    assert again.seen.of("Ada", ["s1", "s2"]) == {"s1"} and not again.seen.has("Bo", "s1")
    assert [one.analyst for one in again.assignments.all_of("a")] == ["Ada", "Ada"]
    assert again.lines()["id"].tolist() == [kept.id]
    again.close()


def test_opening_again_changes_nothing(log, url):
    log.append(entry())
    for _ in range(2):
        again = open_log(url)
        assert len(again.lines()) == 1
        again.close()


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(log, url):
    with log._engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(EnvironmentFault, match=r"made by a newer version \(schema 0099\); update this program"):
        open_log(url)
    with log._engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0099"


def test_another_programs_table_is_not_taken_for_ours(tmp_path):
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE verdicts (x)")
    with pytest.raises(EnvironmentFault, match="other.db: cannot be opened: table verdicts already exists"):
        open_log(f"sqlite:///{tmp_path / 'other.db'}")
    with sqlite3.connect(tmp_path / "other.db") as other:
        names = {row[0] for row in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names <= {"verdicts", "alembic_version"}  # nothing of ours is left half made


def test_sqlite_keeps_a_line_on_the_disk_before_it_says_so(tmp_path):
    log = open_log(f"sqlite:///{tmp_path / 'review.db'}")
    with log._engine.connect() as connection:
        settings = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in (
            "journal_mode", "synchronous", "foreign_keys", "busy_timeout"
        )}  # fmt: skip
    log.close()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


@pytest.mark.parametrize("name", ["work", "a b", "100%41", "what?x=1", "ü#d@e:f", "'quoted\""])
def test_verdicts_lie_in_the_workspace_whatever_it_is_called(tmp_path, name):
    from valuation.config import load
    from valuation.storage import Layout

    root = tmp_path / name
    root.mkdir()
    log = open_log(review_url(Layout(root), load()))
    log.append(entry())
    log.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == [name]
    with sqlite3.connect(root / "review.db") as found:
        assert found.execute("SELECT count(*) FROM verdicts").fetchone() == (1,)


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("", ConfigError, f"review.database '': {NOT_ONE}"),
        ("review.db", ConfigError, NOT_ONE),
        ("sqlite://", ConfigError, "names no file; verdicts in memory would be lost"),
        ("sqlite:///:memory:", ConfigError, "names no file"),
        ("sqlite:////no/such/folder/x.db", EnvironmentFault, "folder: no such folder; make it, or set review"),
        ("sqlite:////tmp", EnvironmentFault, "sqlite:////tmp: cannot be opened: unable to open database file"),
        ("sqlite:////tmp/x.db?mode=ro", ConfigError, "expected sqlite:///FILE and nothing else"),
        ("sqlite:////tmp/x.db?timeout=soon", ConfigError, "expected sqlite:///FILE and nothing else"),
        ("sqlite:////tmp/\x00", ConfigError, "expected sqlite:///FILE and nothing else"),
        (f"mysql://u:{SECRET}@h/x", ConfigError, NOT_ONE),
        (f"postgres://u:{SECRET}@h/x", ConfigError, NOT_ONE),
        (f"postgresql+psycopg2://u:{SECRET}@h/x", ConfigError, NOT_ONE),
        (f"postgresql://u:{SECRET}@127.0.0.1:1/x", EnvironmentFault, r"u:\*\*\*@127.0.0.1:1/x: .* connection failed"),
        (f"postgresql://u:a:{SECRET}@127.0.0.1:1/x", EnvironmentFault, r"u:\*\*\*@127.0.0.1:1/x: cannot"),
        (f"postgresql://u:a/{SECRET}@127.0.0.1:1/x", EnvironmentFault, r"u:\*\*\*@127.0.0.1:1/x: cannot"),
        (f"postgresql://u:a@{SECRET}@127.0.0.1:1/x", ConfigError, "in a password write @ as %40, : as %3A, / as %2F"),
        (f"postgresql://127.0.0.1:1/x?user=u&password={SECRET}", EnvironmentFault, r"127.0.0.1:1/x\?\*\*\*: cannot"),
        (f"postgresql://u@127.0.0.1:1/x?colour={SECRET}", EnvironmentFault, 'invalid connection option "colour"'),
        (f"postgresql://u:{SECRET}@127.0.0.1:port/x", ConfigError, NOT_ONE),
        (f"postgresql://u:{SECRET}", ConfigError, r"'postgresql://u:\*\*\*'"),
        (f"postgresql://u:{SECRET}@[::1/x", ConfigError, NOT_ONE),
        (f"postgresql://u:{SECRET}@127.0.0.1:99999/x", EnvironmentFault, "99999/x: cannot be opened"),
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_told_apart_and_never_show_a_password(url, kind, message):
    with pytest.raises(kind, match=message) as caught:
        open_log(url)
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("postgresql://ada@db.example.org:5432/audit", "postgresql://ada@db.example.org:5432/audit"),
        (f"postgresql://ada:{SECRET}@db.example.org/audit", "postgresql://ada:***@db.example.org/audit"),
        (f"postgresql://ada:{SECRET}@[::1]:5432/audit", "postgresql://ada:***@[::1]:5432/audit"),
        (f"postgresql://:{SECRET}@h", "postgresql://:***@h"),
        (f"ada:{SECRET}@h/x", "ada:***@h/x"),
        ("sqlite:////home/ada:b@c/review.db", "sqlite:////home/ada:b@c/review.db"),
    ],
)
def test_what_is_shown_of_an_address(url, public):
    assert shown(url) == public


@pytest.mark.slow
def test_a_database_that_is_not_there_and_a_user_who_may_not(postgresql):
    with pytest.raises(EnvironmentFault, match='database "nowhere" does not exist'):
        open_log(f"{postgresql.rpartition('/')[0]}/nowhere")
    with pytest.raises(EnvironmentFault, match='role "eve" does not exist') as caught:
        open_log(postgresql.replace("valuation@", f"eve:{SECRET}@"))
    assert SECRET not in str(caught.value)


@pytest.mark.slow
def test_connections_that_the_server_closed_are_opened_again(postgresql):
    from ...support.postgres import new_database

    log = open_log(new_database(postgresql))
    log.append(entry())
    with log._engine.connect() as one, pytest.raises(Exception, match="terminat"):
        one.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert log.append(entry(posting_id="p2")).fresh and len(log.lines()) == 2
    log.close()


def allowed(log, *pragmas: str) -> None:
    """Set limits on all of a log's connections."""
    engine = log._engine
    engine.dispose()
    event.listen(engine, "connect", lambda made, _: [made.execute(f"PRAGMA {one}") for one in pragmas])


def test_a_full_disk_loses_no_line_that_was_acknowledged(tmp_path):
    url = f"sqlite:///{tmp_path / 'review.db'}"
    log = open_log(url)
    allowed(log, f"max_page_count = {(tmp_path / 'review.db').stat().st_size // 4096 + 40}")
    kept = 0
    with pytest.raises(
        EnvironmentFault, match="the verdict was not kept: database or disk is full; nothing was changed"
    ):
        for kept in range(1000):  # noqa: B007 - how many were kept
            log.append(entry(note="n" * 4000))
    assert 5 < kept < 100 and len(log.lines()) == kept
    with pytest.raises(EnvironmentFault, match="not kept"):
        log.append_all([entry(note="n" * 4000) for _ in range(60)])
    log.close()
    again = open_log(url)
    assert len(again.lines()) == kept
    assert again.append(entry(note="n" * 4000)).id == kept + 1
    again.close()


def test_a_database_that_may_not_be_written_says_so_and_is_read(tmp_path):
    url = f"sqlite:///{tmp_path / 'review.db'}"
    log = open_log(url)
    log.append(entry())
    allowed(log, "query_only = ON")
    for change in (
        lambda: log.append(entry()),
        lambda: log.undo(analyst="Ada", audit_id="", token="u", decided_at=NOON),
        lambda: log.places.keep(analyst="Ada", queue="q", address="/", now=NOON),
    ):
        with pytest.raises(EnvironmentFault, match="attempt to write a readonly database; nothing was changed"):
            change()
    assert len(log.standing()) == 1
    log.close()


@pytest.mark.skipif(os.getuid() != 0, reason="another user's file takes root to make")
def test_another_users_file_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        url = f"sqlite:///{folder}/review.db"
        open_log(url).close()
        os.seteuid(65_534)
        try:
            with pytest.raises(EnvironmentFault, match="review.db: cannot be opened: .*(readonly|unable to open)"):
                open_log(url)
        finally:
            os.seteuid(0)


def test_a_database_that_somebody_else_keeps_locked_is_waited_for_and_then_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "BUSY_MS", 40)
    log = open_log(f"sqlite:///{tmp_path / 'review.db'}")
    with sqlite3.connect(tmp_path / "review.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EnvironmentFault, match="the verdict was not kept: database is locked"):
            log.append(entry())
        assert log.lines().empty  # reading waits for nobody
        other.execute("ROLLBACK")
    assert log.append(entry()).fresh
    log.close()


def test_a_damaged_file_is_told_of_wherever_it_is_read(tmp_path):
    path = tmp_path / "review.db"
    log = open_log(f"sqlite:///{path}")
    log.append_all([entry(note="n" * 4000) for _ in range(40)])
    log.close()
    data = path.read_bytes()
    path.write_bytes(data[:4096] + os.urandom(len(data) - 4096))
    with pytest.raises(EnvironmentFault, match="malformed|not a database|corrupt"):
        broken = open_log(f"sqlite:///{path}")
        broken.standing()
    text_file = tmp_path / "notes.txt"
    text_file.write_text("this is no database\n" * 100)
    with pytest.raises(EnvironmentFault, match="notes.txt: cannot be opened: file is not a database"):
        open_log(f"sqlite:///{text_file}")


@pytest.mark.parametrize("read", ["all_of", "finished_by", "closed_to", "of", "places"])
def test_a_table_that_is_gone_is_a_fault_in_words(tmp_path, read):
    log = open_log(f"sqlite:///{tmp_path / 'review.db'}")
    with sqlite3.connect(tmp_path / "review.db") as other:
        other.execute("DROP TABLE assignments")
        other.execute("DROP TABLE places")
    given = {"all_of": ("a",), "finished_by": ("a", "Ada"), "closed_to": ("a", {}, "Ada"), "of": ("a", "s1", "Ada")}
    with pytest.raises(EnvironmentFault, match="verdicts cannot be read: no such table"):
        log.places.of("Ada") if read == "places" else getattr(log.assignments, read)(*given[read])
    log.close()
