"""SQL of the lists. Column names come from the table itself and are quoted; everything else is a parameter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from valuation.review.query import QUEUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from valuation.review.items import Judged
    from valuation.review.query import Query

SESSIONS = "read_parquet($sessions, hive_partitioning = false, union_by_name = true)"
VALUES = "read_parquet($values)"
COMPUTED = {
    "typical_width": "ln(v.typical_upper / v.typical_lower)",
    "deviation": "v.log_value - median(v.log_value) OVER (PARTITION BY v.month)",
}
"""In log points; `deviation` is from the median of the session's month."""
LEFT_OUT = ("session_id", "month", "weight")  # of a session's own columns: its row of `values` has them
NUMBERS = re.compile(r"U?(?:TINY|SMALL|BIG)?INT(?:EGER)?|U?INTEGER|FLOAT|DOUBLE")
LONG_NUMBERS = re.compile(r"U?HUGEINT|DECIMAL\(.*\)")


def build(values: Iterable[str], sessions: Iterable[tuple[str, str]]) -> str:
    """SQL that makes the table `items` of `SESSIONS` and `VALUES`.

    Parameters
    ----------
    values : iterable of str
        Columns of the run's values.
    sessions : iterable of (name, type)
        Columns of the sessions and DuckDB's words for their types. They come from a user's files: one that is named
        like a column of ours, in capitals or not, becomes ``sessions.NAME``.
    """
    ours = [*values, *COMPUTED]
    taken = {name.lower() for name in ours}
    chosen = ["v.*"]
    for name, kind in sessions:
        if name not in LEFT_OUT:
            label = f"sessions.{name}" if name.lower() in taken else name
            taken.add(label.lower())
            chosen.append(f"{_plain(f's.{quote(name)}', kind)} AS {quote(label)}")
    chosen += [f"{sql} AS {quote(name)}" for name, sql in COMPUTED.items()]
    return (
        f"CREATE TABLE items AS SELECT {', '.join(chosen)} "
        f"FROM {VALUES} v LEFT JOIN {SESSIONS} s ON s.session_id = v.session_id ORDER BY v.session_id"
    )


def _plain(column: str, kind: str) -> str:
    """A column as a number, text, flag or time in UTC: what lists can filter and sort whatever the machine's zone."""
    if kind in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END"
    if LONG_NUMBERS.fullmatch(kind):
        return f"CAST({column} AS DOUBLE)"
    if kind in ("VARCHAR", "BOOLEAN") or NUMBERS.fullmatch(kind):
        return column
    if kind in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"):
        return f"make_timestamp(epoch_us(CAST({column} AS TIMESTAMP WITH TIME ZONE)))"
    return f"CAST({column} AS {'TIMESTAMP' if kind.startswith('TIMESTAMP') else 'VARCHAR'})"


def quote(name: str) -> str:
    """A column's name as SQL: it may come from a user's file."""
    return '"' + name.replace('"', '""') + '"'


def conditions(
    query: Query, columns: Mapping[str, str], judged: Judged, row_numbers: Callable[[frozenset[str]], list[int]]
) -> tuple[str, list[Any]]:
    """What stands after WHERE, and its parameters.

    Parameters
    ----------
    row_numbers : callable
        Turns sessions into rows of the file: a set of numbers is left out five times as fast as one of names.
    """
    parts: list[str] = ["true"]
    values: list[Any] = []
    for column, chosen in query.equal:
        parts.append(f"coalesce(CAST({quote(column)} AS VARCHAR), '') IN (SELECT unnest(?))")
        values.append([str(one) for one in chosen])
    for ends, sign in ((query.least, ">="), (query.most, "<=")):
        for column, number in ends:
            parts.append(f"{quote(column)} {sign} ?")
            values.append(number)
    for word in query.words.split()[:20]:
        parts.append("contains(lower(coalesce(summary, '')), lower(?))")
        values.append(word)
    parts += {"unmatched": ["NOT matched"], "uncertain": ["matched"], "outliers": ["matched"]}.get(query.queue, [])
    for ids, inside in _by_verdicts(query, judged):
        parts.append(f"rowid {'IN' if inside else 'NOT IN'} (SELECT unnest(?::BIGINT[]))")
        values.append(row_numbers(ids))
    return " AND ".join(parts), values


def _by_verdicts(query: Query, judged: Judged) -> list[tuple[frozenset[str], bool]]:
    """Sets of sessions that a list keeps to (True) or leaves out (False)."""
    wanted = {
        "mine": [(judged.mine, True)],
        "not_mine": [(judged.mine, False)],
        "any": [(judged.any_, True)],
        "none": [(judged.any_, False)],
    }.get(query.verdicts, [])
    queue = [(judged.mine, True)] if query.queue == "mine" else []
    hidden = [(judged.hidden, False)] if judged.hidden else []
    return [*wanted, *queue, *hidden]


def ordering(query: Query) -> str:
    """What stands after ORDER BY: missing last, ties by session_id."""
    column, descending, _ = QUEUES[query.queue]
    if query.sort:
        column, descending = query.sort, query.descending
    name = f"abs({quote(column)})" if query.queue == "outliers" and not query.sort else quote(column)
    return f"{name} {'DESC' if descending else 'ASC'} NULLS LAST, session_id"
