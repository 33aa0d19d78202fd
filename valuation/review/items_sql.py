"""SQL of the lists. Column names come from the table itself and are quoted; everything else is a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from valuation.review.query import QUEUES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from valuation.review.items import Judged
    from valuation.review.query import Query

BUILD = """
CREATE TABLE items AS
WITH s AS (
  SELECT * EXCLUDE (month, weight)
  FROM read_parquet($sessions, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)
), v AS (
  SELECT * FROM read_parquet($values)
)
SELECT
  v.*,
  s.* EXCLUDE (session_id),
  ln(v.typical_upper / v.typical_lower) AS typical_width,
  v.log_value - median(v.log_value) OVER (PARTITION BY v.month) AS deviation
FROM v LEFT JOIN s ON s.session_id = v.session_id
ORDER BY v.session_id
"""
"""`typical_width` and `deviation` are in log points; `deviation` is from the median of the session's month."""


def quote(name: str) -> str:
    """A column's name as SQL: it may come from a user's file."""
    return '"' + name.replace('"', '""') + '"'


def conditions(query: Query, columns: Mapping[str, str], judged: Judged) -> tuple[str, list[Any]]:
    """What stands after WHERE, and its parameters."""
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
        parts.append(f"session_id {'IN' if inside else 'NOT IN'} (SELECT unnest(?::VARCHAR[]))")
        values.append(sorted(ids))
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
