"""How much: the headline, the series, the levels, the growth table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import plots_series as plots
from valuation.report.blocks import Block, Context, Grid, Note, Section
from valuation.report.inputs import (
    PRICER_WORDS,
    headline_growth,
    headline_pricer,
    lookup,
    select,
    series_of,
    span,
    true_growth,
)
from valuation.report.provenance import DASH, cell, constant, interval, month, quoted, traced
from valuation.report.words import counted

if TYPE_CHECKING:
    import pandas as pd

    from valuation.report.inputs import RunTables


def headline(context: Context) -> Markup:
    """Return growth with its interval, the months, and what it rests on; or say that there is none."""
    tables = context.tables
    row, ends = headline_growth(tables), span(tables)
    basis = Markup(
        "{sessions} sessions ({matched} matched) of {users} users, priced by {pricer} with {postings} postings"
    ).format(
        sessions=context.fact("sessions", "count"),
        matched=context.fact("matched", "count"),
        users=context.fact("users", "count"),
        pricer=PRICER_WORDS[headline_pricer(tables)],
        postings=_postings(context),
    )
    if row is None or not math.isfinite(row["growth"]):
        return Markup("No growth is estimated in this run: {}.").format(basis)
    return Markup(
        "From {base} to {last} the value of the typical session changed by <strong>{growth}</strong> "
        "({level} interval {interval}{zero}): {basis}."
    ).format(
        zero=", which includes zero" if row["lower"] <= 0 <= row["upper"] else "",
        base=month(ends.base),
        last=month(ends.last),
        growth=cell("growth", row, "growth", "growth"),
        level=context.level("series"),
        interval=interval("growth", row, ("lower", "upper"), "growth"),
        basis=basis,
    )


def _postings(context: Context) -> Markup:
    found = context.manifest("basket/clusters", "count")
    return context.fact("postings_used", "count") if found == DASH else found


def truth(context: Context) -> Markup | None:
    """Set the truth of a simulated world beside the estimate."""
    known, drawn = true_growth(context.tables), true_growth(context.tables, name="growth")
    row = headline_growth(context.tables)
    if known is None or row is None or not math.isfinite(row["growth"]):
        return None
    text = (
        "This is a simulated world, so the truth is known: growth of {truth}{drawn}. The estimate is {growth}; its "
        "interval {holds} the truth."
    )
    realised = Markup("")
    if drawn is not None:
        shown = traced(drawn[1], f"truth:{drawn[0]}:value", "growth")
        realised = Markup(" in the population ({} among the sessions drawn from it)").format(shown)
    return Markup(text).format(
        truth=traced(known[1], f"truth:{known[0]}:value", "growth"),
        drawn=realised,
        growth=cell("growth", row, "growth", "growth"),
        holds="holds" if row["lower"] <= known[1] <= row["upper"] else "misses",
    )


def section(context: Context) -> Section:
    """Build the section."""
    lead = Markup("The headline, month by month: first as index numbers, then in dollars.")
    if plots.shown(series_of(context.tables)).empty:
        empty = Note(Markup("No month of this run has a value that may be shown."))
        return Section("How much?", lead, (empty, *_growth_table(context)))
    return Section("How much?", lead, (_index(context), _levels(context), *_growth_table(context)))


def _index(context: Context) -> Block:
    frame = plots.shown(series_of(context.tables))
    ends = span(context.tables)
    at = frame[frame["month"] == ends.last]
    row = (at if not at.empty else frame).iloc[-1]
    sentence = Markup(
        "Index number {value} in {last} (base month {base} = {hundred}; {level} pointwise interval {pointwise}, "
        "simultaneous {simultaneous}). Bars are pointwise: each holds its month by itself. The shade is "
        "simultaneous: it holds all months at once, so a path may be read from it. n = {matched} matched of "
        "{sessions} sessions, {users} users. In the base month it is {hundred} by definition, without interval. The "
        "intervals cover the sampling of users and of posting prices, not the pricer’s bias."
    ).format(
        value=cell("series", row, "index_number", "index"),
        last=month(row["month"]),
        base=month(ends.base),
        hundred=constant("index_base", "count"),
        level=context.level("series"),
        pointwise=interval("series", row, ("lower", "upper"), "index"),
        simultaneous=interval("series", row, ("simultaneous_lower", "simultaneous_upper"), "index"),
        matched=context.fact("matched", "count"),
        sessions=context.fact("sessions", "count"),
        users=context.fact("users", "count"),
    )
    title = "Typical value of a session by month, as index numbers"
    return context.picture(
        "index", title, lambda width: plots.main_figure(context.tables, width), sentence, slug="growth"
    )


def _levels(context: Context) -> Block:
    frame = plots.shown(series_of(context.tables))
    parts = [
        Markup("{} {} ({} to {}, n = {} matched)").format(
            month(row["month"]),
            cell("series", row, "value", "usd"),
            cell("series", row, "value_lower", "usd"),
            cell("series", row, "value_upper", "usd"),
            cell("series", row, "n_matched", "count"),
        )
        for _, row in frame[frame["month"].isin((span(context.tables).base, span(context.tables).last))].iterrows()
    ]
    sentence = Markup(
        "{values}{stop}{level} pointwise intervals on the headline pricer; the other two pricers are drawn without. "
        "A typical value is a geometric mean of asking prices for comparable postings, in {dollars}."
    ).format(
        values=Markup(", ").join(parts),
        stop="; " if parts else "",
        level=context.level("series"),
        dollars=_dollars(context.tables),
    )
    title = "Typical value of a session by month, in US dollars"
    return context.picture(
        "levels", title, lambda width: plots.levels_figure(context.tables, width), sentence, slug="levels"
    )


def _dollars(tables: RunTables) -> Markup:
    """Name the dollars that prices are in: of their own month, or of one month if the run deflated them."""
    constant_month = lookup(tables.manifest, "constant_dollars/month")
    if not isinstance(constant_month, str):
        return Markup("nominal US dollars")
    return Markup("constant US dollars of {}").format(month(constant_month))


def _growth_table(context: Context) -> tuple[Block, ...]:
    tables = context.tables
    keys = {"statistic": "mean_log", "pricer": headline_pricer(tables), "variation": "both"}
    frame = select(tables.growth, **keys)
    frame = frame[frame["growth"].notna()]
    if frame.empty:
        return (Note(Markup("The run’s growth table has no estimate for the headline.")),)
    frame = frame.sort_values(["group_by", "group", "from_month", "to_month"])
    told = true_growth(tables) is not None
    rows = tuple(_growth_row(row) + ((_true(context, row),) if told else ()) for _, row in frame.iterrows())
    sentence = Markup(
        "Below an estimate stands its {level} interval over users and postings jointly; n = {matched} matched sessions "
        "of {users} users in all, and effective users count those behind a row as if all weighed the same. “A month” "
        "is average growth a month; the trend is an ordinary least squares slope over complete months, in log points a "
        "month. {months} {series} cannot be deseasonalised. Rows are not adjusted for being many: the more there "
        "are, the likelier that an interval misses zero by chance."
    ).format(
        level=context.level("series"),
        matched=context.fact("matched", "count"),
        users=context.fact("users", "count"),
        months=context.fact("months", "count"),
        series=counted(context.facts["months"], "month", "months"),
    )
    header = ("Sessions", "From", "To", "Growth", "A month", "Trend", "Effective users") + (("Truth",) if told else ())
    return (Grid("Growth of the typical value", header, rows, sentence, context.concerning("growth"), compact=True),)


def _growth_row(row: pd.Series) -> tuple[Markup, ...]:
    return (
        group_label(row),
        month(row["from_month"]),
        month(row["to_month"]),
        _below(row, "growth", ("lower", "upper"), "growth"),
        _below(row, "monthly_growth", ("monthly_lower", "monthly_upper"), "growth"),
        _below(row, "trend", ("trend_lower", "trend_upper"), "log"),
        cell("growth", row, "effective_users", "index"),
    )


def _below(row: pd.Series, column: str, columns: tuple[str, str], style: str) -> Markup:
    """Write an estimate with its interval below it, if it has one."""
    estimate, ends = cell("growth", row, column, style), interval("growth", row, columns, style)
    return estimate if ends == DASH else Markup("{} <small>{}</small>").format(estimate, ends)


def _true(context: Context, row: pd.Series) -> Markup:
    """Return the simulated world's own growth of the row's sessions, over the same months."""
    ends = span(context.tables)
    known = true_growth(context.tables, str(row["group"])) if row["group_by"] in ("", "kind") else None
    if known is None or (row["from_month"], row["to_month"]) != (ends.base, ends.last):
        return DASH
    return traced(known[1], f"truth:{known[0]}:value", "growth")


def group_label(row: pd.Series) -> Markup:
    """Name the sessions a row is about."""
    if not row["group_by"]:
        return Markup("All")
    return Markup("{}: {}").format(quoted(row["group_by"]), quoted(row["group"]))
