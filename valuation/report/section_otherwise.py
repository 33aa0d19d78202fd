"""What if: every specification, other treatments, one source left out, frozen sets of sessions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import plots_evidence as plots
from valuation.report.blocks import Block, Context, Grid, Note, Section
from valuation.report.inputs import headline_growth, select
from valuation.report.provenance import DASH, cell, interval
from valuation.report.section_placebos import WHAT_IF, named
from valuation.report.words import VERDICT_WORDS, in_words, measure_style

if TYPE_CHECKING:
    import pandas as pd

MISSING = Note(
    Markup("No other specification has been tried: the command valuation sensitivity does it, and adds it here.")
)


def section(context: Context) -> Section:
    """Build the section."""
    lead = Markup(
        "The headline was chosen beforehand; these are the roads not taken, from the same sessions and postings."
    )
    blocks = (*_curve(context), *_treatments(context), *_left_out(context), *_alternatives(context))
    return Section("What if it were measured otherwise?", lead, blocks)


def _curve(context: Context) -> tuple[Block, ...]:
    table = context.tables.sensitivity
    if not table["growth"].notna().any():
        return (MISSING,)
    from valuation.report.plots_sensitivity import specification_curve

    sentence = Markup(
        "Growth under n = {n} specifications, in order, with {level} intervals; the headline is marked. {same} have "
        "the headline’s sign; the middle one is {median}, and they lie between {low} and {high}.{chance} They share "
        "the same sessions and replicates, so they are no independent evidence; {failed} gave no figure. Each holds "
        "the matched sessions of its own rule: {least} to {most}."
    ).format(
        n=context.fact("specifications", "count"),
        level=context.level("series"),
        same=context.fact("specifications_same_sign", "share"),
        median=context.fact("specifications_median", "growth"),
        low=context.fact("specifications_low", "growth"),
        high=context.fact("specifications_high", "growth"),
        chance=_chance(context),
        failed=context.fact("specifications_failed", "count"),
        least=context.fact("specifications_least", "count"),
        most=context.fact("specifications_most", "count"),
    )
    title = "Specification curve: growth under every specification"
    known = table[table["growth"].notna()]
    return (
        context.picture(
            "specifications",
            title,
            lambda width: specification_curve(table, width),
            sentence,
            slug="specification-curve",
            basis=f"n = {len(known):,} specifications of {known['n_matched'].max():,} matched sessions or fewer",
        ),
    )


def _chance(context: Context) -> Markup:
    p_value = context.fact("specifications_p", "p")
    if p_value == DASH:
        return Markup("")
    return Markup(
        " With the months of all of them dealt anew among users {draws} times, a middle as far from zero came up in a "
        "share of {p} of them."
    ).format(p=p_value, draws=context.fact("specifications_draws", "count"))


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
    title = "Growth under other treatments"
    header = ("Treatment", "Growth", "Interval")
    return (Grid(title, header, tuple(body), sentence, context.concerning("otherwise")),)


def _left_out(context: Context) -> tuple[Block, ...]:
    frame = plots.left_out(context.tables)
    if frame.empty:
        return ()
    sentence = Markup(
        "Growth, in log points, when the postings of one source are left out of the basket and everything is priced "
        "again, with {level} intervals; the line is the headline, {real}. n counts matched sessions of the "
        "two months: {most}. A point far from the line means that the figure rests on that source."
    ).format(
        level=context.level("series"),
        real=context.fact("log_growth", "log"),
        most=context.fact("left_out_most", "count"),
    )
    title = "Growth with one source of postings left out"
    picture = context.picture(
        "otherwise",
        title,
        lambda width: plots.left_out_figure(context.tables, width),
        sentence,
        slug="one-source-left-out",
        name="leftout",
        basis=f"n = {frame['n'].max():,} matched sessions of the two months",
    )
    return (picture,)


def _alternatives(context: Context) -> tuple[Block, ...]:
    frame = context.tables.placebo
    apart = (frame["placebo"] == "leave_one_source_out") & (frame["measure"] == "difference")
    rows = [row for name in WHAT_IF for _, row in select(frame[~apart], placebo=name).iterrows()]
    body = tuple(_alternative(row) for row in rows)
    if not body:
        return (Note(Markup("Users weighted equally, prices along their axis, one source left out and frozen sessions: "
                            "the command valuation placebo adds them here.")),)  # fmt: skip
    sentence = Markup(
        "Log points, {level} intervals; n counts sessions; of a slope, postings. The price-axis reading supposes that "
        "sessions move along prices whatever their words: growth divided by the slope of predicted on actual price, a "
        "sensitivity and never the headline. Frozen sets are one month’s sessions priced with each vintage of "
        "postings: gig prices alone move them. {real} is the headline."
    ).format(level=context.level("series"), real=context.fact("log_growth", "log"))
    header = ("What if", "n", "Found", "Interval", "As expected")
    title = "Growth measured otherwise"
    return (Grid(title, header, body, sentence, context.concerning("otherwise"), compact=True),)


def _alternative(row: pd.Series) -> tuple[Markup, ...]:
    style = measure_style(str(row["measure"]))
    return (
        named(row),
        cell("placebo", row, "n", "count"),
        cell("placebo", row, "estimate", style),
        interval("placebo", row, ("lower", "upper"), style),
        in_words(VERDICT_WORDS, row["passed"]),
    )
