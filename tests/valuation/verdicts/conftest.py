"""An empty verdict log in SQLite and in PostgreSQL, and lines to append."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from valuation.verdicts import Entry, VerdictLog, open_log

from ...support.postgres import new_database, own_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = dt.datetime(2026, 7, 1, 12, 0, 0, 123456)
_numbers = iter(range(10**9))


def entry(**changes: object) -> Entry:
    """A verdict by Ada on a gig of session s1; every one has a token of its own."""
    number = next(_numbers)
    given = {
        "token": f"token-{number}",
        "session_id": "s1",
        "posting_id": "p1",
        "analyst": "Ada",
        "verdict": "comparable",
        "decided_at": NOON + dt.timedelta(seconds=number),
    }
    return Entry(**(given | changes))


def taken_back(log: VerdictLog, token: str, *, analyst: str = "Ada", audit_id: str = "") -> Entry | None:
    found = log.undo(analyst=analyst, audit_id=audit_id, token=token, decided_at=NOON)
    return None if found is None else found.entry


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with own_server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'review.db'}"
    return new_database(request.getfixturevalue("postgresql"))


@pytest.fixture
def log(url: str) -> Iterator[VerdictLog]:
    opened = open_log(url)
    yield opened
    opened.close()
