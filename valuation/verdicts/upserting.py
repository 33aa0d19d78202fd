"""Insert-or-update and insert-if-new, which each database spells in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Table

Insert = postgresql.Insert | sqlite.Insert


def insert_if_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> Insert:
    """Insert `row` unless one of the table's keys is taken."""
    return _insert(connection, table).values(dict(row)).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, row: Mapping[str, Any], *, keys: tuple[str, ...]) -> Insert:
    """Insert `row`, or give the one with the same `keys` its other columns."""
    changed = {name: value for name, value in row.items() if name not in keys}
    return _insert(connection, table).values(dict(row)).on_conflict_do_update(index_elements=list(keys), set_=changed)


def _insert(connection: Connection, table: Table) -> Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
