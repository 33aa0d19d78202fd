"""Placebos: what the method says where there is nothing to find, and where the answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import plots_evidence as plots
from valuation.report.blocks import Block, Context, Grid, Note
from valuation.report.provenance import cell, constant, interval, quoted
from valuation.report.words import (
    AXIS_WORDS,
    MEASURE_WORDS,
    PLACEBO_WORDS,
    VERDICT_WORDS,
    in_words,
    measure_style,
)

if TYPE_CHECKING:
    import pandas as pd

WHAT_IF = ("users_equal", "price_axis", "leave_one_source_out", "frozen_sessions")
"""Placebos that are another way to measure rather than a test: they stand under "What if"."""
MISSING = Note(Markup("No placebo has been run: the command valuation placebo does it, and adds it here."))


def blocks(context: Context) -> tuple[Block, ...]:
    """Build the histograms, the verdicts and the backtest."""
    tables = context.tables
    if tables.placebo.empty and tables.placebo_draws.empty and tables.tilt_backtest.empty:
        return (MISSING,)
    return (*_histograms(context), *_verdicts(context), *_tilts(context))


def _histograms(context: Context) -> tuple[Block, ...]:
    names = plots.drawn(context.tables)
    if not names:
        return ()
    counts = Markup(", ").join(
        Markup("{} (n = {} draws)").format(PLACEBO_WORDS[name].lower(), context.fact(f"draws,{name}", "count"))
        for name in names
    )
    sentence = Markup(
        "Growth that the same method finds where there is none: {counts}. Measured growth, {real} log points, is the "
        "line; the shade holds the central {level} of the draws. Growth that chance explains would lie inside the "
        "shade. Shuffled prices should give none; permuted months need not centre on zero, since users whom nobody can "
        "exchange months with keep theirs."
    ).format(counts=counts, real=context.fact("log_growth", "log"), level=constant("placebo_level", "level"))
    title = "Placebos: growth where there is none"
    total = sum(len(plots.draws_of(context.tables, name)) for name in names)
    return (
        context.picture(
            "placebo",
            title,
            lambda width: plots.placebo_figure(context.tables, width),
            sentence,
            slug="placebos",
            basis=f"n = {total:,} draws",
        ),
    )


def _verdicts(context: Context) -> tuple[Block, ...]:
    frame = context.tables.placebo
    frame = frame[~frame["placebo"].isin(WHAT_IF)]
    if frame.empty:
        return ()
    order = {name: position for position, name in enumerate(PLACEBO_WORDS)}
    frame = frame.sort_values(
        ["placebo", "cell", "measure"], key=lambda c: c.map(order).fillna(len(order)) if c.name == "placebo" else c
    )  # noqa: E501
    sentence = Markup(
        "Each with what was to be expected and a verdict by rule; n counts draws, sessions, postings or tilts. Not "
        "judged: shown for what it says, or too little to judge by. A placebo that passes makes one way of being wrong "
        "less likely; it proves nothing. {level} intervals."
    ).format(level=context.level("series"))
    header = ("Placebo", "Verdict", "n", "Found", "Interval", "Expected", "p")
    body = tuple(_verdict(row) for _, row in frame.iterrows())
    return (Grid("Placebos and their verdicts", header, body, sentence, context.concerning("placebo"), compact=True),)


def _verdict(row: pd.Series) -> tuple[Markup, ...]:
    style = measure_style(str(row["measure"]))
    return (
        named(row),
        Markup('<span class="words">{}</span>').format(in_words(VERDICT_WORDS, row["passed"])),  # second: phones
        cell("placebo", row, "n", "count"),
        cell("placebo", row, "estimate", style),
        interval("placebo", row, ("lower", "upper"), style),
        cell("placebo", row, "expected", style),
        cell("placebo", row, "p_value", "p"),
    )


def named(row: pd.Series) -> Markup:
    """Say what a row is about: the placebo, below it which part and what was measured, and why it is as it is."""
    measures = {name: words for name, (words, _) in MEASURE_WORDS.items()}
    axis = row["placebo"] == "tilt_backtest"
    part = in_words(AXIS_WORDS, row["cell"]) if axis else quoted(row["cell"], 40)
    parts = ([part] if row["cell"] else []) + [in_words(measures, row["measure"])]
    told = isinstance(row["reason"], str) and row["reason"]
    why = Markup(" <small>{}</small>").format(quoted(row["reason"], 240)) if told else Markup("")
    words = in_words(PLACEBO_WORDS, row["placebo"])
    return Markup("{} <small>{}</small>{}").format(words, Markup(": ").join(parts), why)


def _tilts(context: Context) -> tuple[Block, ...]:
    frame = context.tables.tilt_backtest
    if frame.empty:
        return ()
    slopes = context.tables.placebo
    slopes = slopes[
        (slopes["placebo"] == "tilt_backtest") & (slopes["measure"] == "slope") & slopes["estimate"].notna()
    ]
    order = {name: position for position, name in enumerate(AXIS_WORDS)}
    slopes = slopes.sort_values("cell", key=lambda cells: cells.map(order).fillna(len(order)), kind="stable")
    found = Markup(", ").join(
        Markup("{} {} ({})").format(
            in_words(AXIS_WORDS, row["cell"]),
            cell("placebo", row, "estimate", "number"),
            interval("placebo", row, ("lower", "upper"), "number"),
        )
        for _, row in slopes.iterrows()
    )
    sentence = Markup(
        "Held-out postings stand in for sessions: months are made by tilting them along an axis, so that the true "
        "change of their mean log price is known. Points on the dashed line are measured without error; bars are "
        "{level} bands of the true change, simultaneous over the panel.{slopes} Tilts by price show how far the pricer "
        "shrinks: no text tells it everything. n = {n} tilts, each of at least {least} effective postings."
    ).format(
        slopes=Markup(" Slopes of true on measured change, {level} intervals: {found}.").format(
            level=context.level("series"), found=found
        )
        if found
        else "",
        level=context.level("series"),
        n=context.fact("tilts", "count"),
        least=context.fact("tilts_least", "count"),
    )
    title = "Backtest of growth on held-out postings"
    return (
        context.picture(
            "tilt",
            title,
            lambda width: plots.tilt_figure(context.tables, width),
            sentence,
            slug="tilt-backtest",
            basis=f"n = {len(frame):,} tilts of held-out postings",
        ),
    )
