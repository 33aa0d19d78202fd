"""What if: the same change under every statistic and every pricer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report.blocks import Block, Context, Grid, Note, Section
from valuation.report.inputs import PRICER_WORDS, STATISTIC_WORDS, headline_growth, select, span
from valuation.report.provenance import DASH, cell, interval, month

if TYPE_CHECKING:
    import pandas as pd


def section(context: Context) -> Section:
    """Build the section."""
    lead = Markup(
        "The headline was chosen beforehand; these are the roads not taken, from the same sessions and postings."
    )
    return Section("What if it were measured otherwise?", lead, (_grid(context), *_treatments(context)))


def _grid(context: Context) -> Block:
    ends = span(context.tables)
    frame = select(context.tables.growth, group_by="", variation="both", from_month=ends.base, to_month=ends.last)
    frame = frame[frame["growth"].notna()]
    if frame.empty:
        return Note(Markup("There is no growth figure to compare."))
    found = {(row["statistic"], row["pricer"]): row for _, row in frame.iterrows()}
    body = tuple(
        (Markup("{}").format(words.capitalize()), *(_cell(found.get((name, pricer))) for pricer in PRICER_WORDS))
        for name, words in STATISTIC_WORDS.items()
        if any((name, pricer) in found for pricer in PRICER_WORDS)
    )
    sentence = Markup(
        "Growth from {base} to {last} with {level} intervals over users and postings, n = {matched} matched sessions "
        "of {users} users. The geometric mean follows the typical session; the mean price follows the dear ones, by "
        "the mean error factor found at each level of value."
    ).format(
        base=month(ends.base),
        last=month(ends.last),
        level=context.level("series"),
        matched=context.fact("matched", "count"),
        users=context.fact("users", "count"),
    )
    header = ("Statistic", *(words.capitalize() for words in PRICER_WORDS.values()))
    return Grid("Growth by statistic and pricer", header, body, sentence, context.concerning("otherwise"))


def _treatments(context: Context) -> tuple[Block, ...]:
    """Set the doubly robust growth and the bounds for unmatched sessions beside the headline."""
    row = headline_growth(context.tables)
    if row is None or not math.isfinite(row["growth"]):
        return ()
    body = [
        (
            Markup("Headline"),
            cell("growth", row, "growth", "growth"),
            interval("growth", row, ("lower", "upper"), "growth"),
        )
    ]
    robust = [context.manifest(f"shift_check/corrected_{part}", "growth") for part in ("growth", "lower", "upper")]
    if DASH not in robust:
        body.append((Markup("Doubly robust"), robust[0], Markup("{} to {}").format(*robust[1:])))
    bounds = [context.manifest_item("unmatched_bounds/growth", position, "growth") for position in (0, 1)]
    if DASH not in bounds:
        body.append((Markup("Unmatched at their bounds"), DASH, Markup("{} to {}").format(*bounds)))
    if len(body) == 1:
        return ()
    sentence = Markup(
        "{level} intervals, n = {matched} matched sessions; the last row is a range without sampling error, in which "
        "all {unmatched} unmatched sessions are as cheap, or as dear, as a tenth of the base month’s. Doubly robust: "
        "the headline plus the pricer’s error on similar postings."
    ).format(
        level=context.level("series"),
        matched=context.fact("matched", "count"),
        unmatched=context.fact("unmatched", "count"),
    )
    return (
        Grid(
            "Growth under other treatments",
            ("Treatment", "Growth", "Interval"),
            tuple(body),
            sentence,
            context.concerning("otherwise"),
        ),
    )


def _cell(row: pd.Series | None) -> Markup:
    if row is None:
        return DASH
    return Markup("{} <small>{}</small>").format(
        cell("growth", row, "growth", "growth"), interval("growth", row, ("lower", "upper"), "growth")
    )
