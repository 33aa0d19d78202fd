"""Who is behind growth: those who stay, come and go, how much they do and at what value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report.blocks import Block, Context, Grid
from valuation.report.provenance import DASH, cell, interval, month
from valuation.report.words import PEOPLE_WORDS, WHO_WORDS, in_words

if TYPE_CHECKING:
    import pandas as pd

LEVELS = ("users", "sessions_per_user", "value_per_session", "value_per_user_month")
CHANGES = ("log_growth_sessions_per_user", "log_growth", "log_growth_per_user_month", "contribution")


def blocks(context: Context) -> list[Block]:
    """Build the two tables; what is under the disclosure minimum is a dash."""
    frame = context.tables.people
    frame = frame[frame["estimate"].notna()]
    level = frame[frame["from_month"] == frame["to_month"]]
    change = frame[frame["from_month"] != frame["to_month"]]
    return [*_levels(context, level), *_changes(context, change)]


def _levels(context: Context, frame: pd.DataFrame) -> list[Block]:
    body = []
    for who in WHO_WORDS:
        for name in sorted(set(frame.loc[frame["who"] == who, "to_month"])):
            rows = frame[(frame["who"] == who) & (frame["to_month"] == name)]
            count = cell("people", _first(rows, LEVELS), "n_sessions", "count")
            body.append((in_words(WHO_WORDS, who), month(name), count, *_cells(rows, LEVELS)))
    if not body:
        return []
    sentence = Markup(
        "Stayers have matched sessions in both months, entrants in the last alone, leavers in the first alone. n "
        "counts matched sessions; {level} intervals. One job split into more sessions lowers value per session, and "
        "not value per user and month. A dash: under the disclosure minimum."
    ).format(level=context.level("series"))
    header = ("Who", "Month", "n", *(PEOPLE_WORDS[name][0] for name in LEVELS))
    return [Grid("Who is behind the sessions", header, tuple(body), sentence, context.concerning("people"), True)]


def _changes(context: Context, frame: pd.DataFrame) -> list[Block]:
    body = []
    for who in (name for name in WHO_WORDS if name in set(frame["who"])):
        rows = frame[frame["who"] == who]
        count = cell("people", _first(rows, CHANGES), "n_users", "count")
        body.append((in_words(WHO_WORDS, who), count, *_cells(rows, CHANGES)))
    if not body:
        return []
    first = frame.sort_values(["from_month", "to_month"]).iloc[0]
    sentence = Markup(
        "From {base} to {last}, log points, {level} intervals; n counts users. Growth of stayers compares people with "
        "themselves; contributions say how much of all growth comes from them, from who came and from who went, and "
        "add up to it. Growth of value per user is that of sessions per user plus that of value per session."
    ).format(base=month(first["from_month"]), last=month(first["to_month"]), level=context.level("series"))
    header = ("Who", "n", *(PEOPLE_WORDS[name][0].removesuffix(", log points") for name in CHANGES))
    return [Grid("Whose growth it is", header, tuple(body), sentence, context.concerning("people"))]


def _first(rows: pd.DataFrame, measures: tuple[str, ...]) -> pd.Series:
    """Return the row of the first of `measures` that is there: its counts stand for the line."""
    found = {row["measure"]: row for _, row in rows.iterrows()}
    return found[min(found, key=lambda name: (measures.index(name) if name in measures else len(measures), name))]


def _cells(rows: pd.DataFrame, measures: tuple[str, ...]) -> list[Markup]:
    found = {row["measure"]: row for _, row in rows.iterrows()}
    return [_value(found.get(name), PEOPLE_WORDS[name][1]) for name in measures]


def _value(row: pd.Series | None, style: str) -> Markup:
    if row is None:
        return DASH
    value, ends = cell("people", row, "estimate", style), interval("people", row, ("lower", "upper"), style)
    return value if ends == DASH else Markup("{} <small>{}</small>").format(value, ends)
