"""Compared with what: the sources of prices, where sessions lie, other pricers and statistics, placebos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import plots_values as plots
from valuation.report import section_placebos
from valuation.report.blocks import Block, Context, Grid, Note, Section
from valuation.report.facts import sources_shown
from valuation.report.inputs import PRICER_WORDS, STATISTIC_WORDS, select, span
from valuation.report.provenance import DASH, cell, interval, key_of, month, quoted

if TYPE_CHECKING:
    import pandas as pd


def section(context: Context) -> Section:
    """Build the section."""
    lead = Markup(
        "Whose prices these are, how like their postings the sessions are, what other pricers and statistics say, and "
        "what the method says where there is nothing to find."
    )
    blocks = (*_sources(context), *_values(context), *_similarity(context), _grid(context))
    return Section("Compared with what?", lead, (*blocks, *section_placebos.blocks(context)))


def _sources(context: Context) -> tuple[Block, ...]:
    names = sources_shown(context.tables)
    if not names:
        return ()
    body = tuple(
        (
            quoted(name),
            context.fact(key_of("source", name, "postings"), "count"),
            context.fact(key_of("source", name, "share"), "share"),
            context.fact(key_of("source", name, "price"), "usd"),
        )
        for name in names
    )
    sentence = Markup(
        "Postings that are a neighbour of a session, the share of all matching weight that they carry, and their "
        "geometric mean price; n = {matched} matched sessions. {shown} of {all} sources are shown, by weight. Which "
        "sources make up the basket is a choice that no interval covers: see growth with each left out."
    ).format(
        matched=context.fact("matched", "count"),
        shown=context.fact("sources_shown", "count"),
        all=context.fact("sources_all", "count"),
    )
    header = ("Source", "Postings used", "Share of weight", "Geometric mean price")
    return (Grid("Whose prices: sources of the postings", header, body, sentence, context.concerning("sources")),)


def _values(context: Context) -> tuple[Block, ...]:
    values = context.tables.values
    if not (values["matched"] & values["value_usd"].notna()).any():
        return (Note(Markup("No session is matched, so there is no distribution of values.")),)
    sentence = Markup(
        "The middle matched session is valued at {middle}; eight in ten lie between {low} and {high} (n = "
        "{matched}). Values are typical prices, so they spread less than the prices of single postings do; the "
        "interval is a range, not a margin of error."
    ).format(
        middle=context.fact("value_p50", "usd"),
        low=context.fact("value_p10", "usd"),
        high=context.fact("value_p90", "usd"),
        matched=context.fact("matched", "count"),
    )
    title = "Distribution of sessions’ values, base month and last month"
    return (
        context.picture(
            "values", title, lambda width: plots.values_figure(context.tables, width), sentence, slug="values"
        ),
    )


def _similarity(context: Context) -> tuple[Block, ...]:
    if context.tables.values["similarity_max"].dropna().empty:
        return ()
    sentence = Markup(
        "Half of the sessions reach a similarity of {middle} to their nearest posting, eight in ten lie between "
        "{low} and {high}. Under {limit} a session is unmatched: {unmatched} of n = {sessions}."
    ).format(
        middle=context.fact("similarity_p50", "number"),
        low=context.fact("similarity_p10", "number"),
        high=context.fact("similarity_p90", "number"),
        limit=context.manifest("s_min", "number"),
        unmatched=context.fact("unmatched", "count"),
        sessions=context.fact("sessions", "count"),
    )
    title = "Similarity of sessions to their nearest posting"
    return (
        context.picture(
            "similarity",
            title,
            lambda width: plots.similarity_figure(context.tables, width),
            sentence,
            slug="similarity",
            basis=f"n = {len(context.tables.values['similarity_max'].dropna()):,} sessions",
        ),
    )


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
        "the mean error factor found at each level of value. A dash: not estimated in a run."
    ).format(
        base=month(ends.base),
        last=month(ends.last),
        level=context.level("series"),
        matched=context.fact("matched", "count"),
        users=context.fact("users", "count"),
    )
    header = ("Statistic", *(words.capitalize() for words in PRICER_WORDS.values()))
    return Grid("Growth by statistic and pricer", header, body, sentence, context.concerning("otherwise"))


def _cell(row: pd.Series | None) -> Markup:
    if row is None:
        return DASH
    return Markup("{} <small>{}</small>").format(
        cell("growth", row, "growth", "growth"), interval("growth", row, ("lower", "upper"), "growth")
    )
