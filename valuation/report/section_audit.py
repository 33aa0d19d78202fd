"""What people said: the audited level and growth beside the run's, who answered, precision, agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import plots_audit as plots
from valuation.report.blocks import Block, Context, Grid, Note, Section
from valuation.report.inputs import lookup, select
from valuation.report.measures_audit import (
    audited_growth,
    audited_levels,
    excludes_one,
    months_audited,
    number,
    over_plain,
    said,
)
from valuation.report.provenance import DASH, cell, interval, month, quoted
from valuation.report.section_audit_quality import agreement, precision
from valuation.report.words import counted

if TYPE_CHECKING:
    import pandas as pd

    from valuation.report.inputs import RunTables

LINES = ("audited", "plain", "plain_users", "audited_all")
"""In the order of the table: what a phone shows first is people beside the run."""

NO_FIGURE = Note(Markup("No audited figure is shown: too few sessions, or users, of a month have an analyst’s value."))


def section(context: Context) -> Section | None:
    """Build the section; None for a run without an audit that has an estimate."""
    if context.tables.audit is None:
        return None
    lead = Markup(
        "Analysts judged a random sample of this run’s matches. What they say corrects the mean of values whatever the "
        "pricer does, if sessions without an analyst’s value are like the others and if the audit did not tune the "
        "pricer. It stays a relative, coarse measure: never a wage, an invoice or a saving."
    )
    blocks = (_who(context), *_series(context), _response(context), precision(context), agreement(context))
    return Section("What people said", lead, (*blocks, *_missing(context.tables)))


def _who(context: Context) -> Note:
    """Say which audit it is, how much was judged, and how much of that was not blind."""
    tables = context.tables
    others = lookup(tables.audit, "others") or []
    text = (
        "Audit {name}: {sessions} of {drawn} sessions drawn were judged, by {analysts} {analyst}, with {verdicts} "
        "verdicts that stand; {settled} of them settle others, and {seen} were given after figures were "
        "seen{files}. {left}{others}"
    )
    analysts = number(tables, "counts", "analysts") or 0.0
    named = Markup(", ").join(quoted(name) for name in others)
    newer = Markup("Older audits of this run with an estimate: {}.").format(named)
    return Note(
        Markup(text).format(  # noqa: S704 (a literal)
            name=quoted(lookup(tables.audit, "audit_id")),
            sessions=said(tables, "count", "counts", "sessions"),
            drawn=said(tables, "count", "counts", "drawn"),
            analysts=said(tables, "count", "counts", "analysts"),
            analyst=counted(analysts, "analyst", "analysts"),
            verdicts=context.fact("audit_verdicts", "count"),
            settled=said(tables, "count", "counts", "settled"),
            seen=said(tables, "count", "counts", "not_blind"),
            files=_from_files(tables),
            left=_left_out(tables),
            others=newer if others else "",
        )
    )


def _from_files(tables: RunTables) -> Markup:
    """Say of how many verdicts it is not known whether figures had been seen."""
    if not number(tables, "counts", "not_known"):
        return Markup("")
    return Markup(" (of {} from files that is not known)").format(said(tables, "count", "counts", "not_known"))


def _left_out(tables: RunTables) -> Markup:
    """Say what of the verdicts the estimate was asked to leave out."""
    words = {"adjudications": "that settle others", "after_figures": "given after figures were seen"}
    parts = [
        Markup("{} {}").format(said(tables, "count", "left_out", why), text)
        for why, text in words.items()
        if number(tables, "left_out", why)
    ]
    return Markup("Left out as asked: verdicts {}. ").format(Markup(", ").join(parts)) if parts else Markup("")


def _series(context: Context) -> tuple[Block, ...]:
    """Draw and list levels and growth, run and people beside each other."""
    tables = context.tables
    if audited_levels(tables).empty and audited_growth(tables) is None:
        return (NO_FIGURE,)
    title = "What people said, beside what the run says"
    picture = context.picture(
        "audit",
        title,
        lambda width: plots.audited_figure(tables, width),
        _growth_sentence(context),
        slug="audited",
        basis=f"n = {context.facts['audit_answered']:,.0f} matched sessions with an analyst’s value",
    )
    header = (
        "", "Audited", "The run", "Audited over the run", "The run, users alone", "Audited, unmatched too", "n audited",
    )  # fmt: skip
    shown = tables.audited[tables.audited["estimate"].notna()]
    levels = sorted(set(shown.loc[shown["measure"] == "level", "to_month"]))
    rows = [_row(tables, "level", name, name) for name in levels]
    ends = shown[shown["measure"] == "growth"]
    if not ends.empty:
        rows.append(_row(tables, "growth", str(ends["from_month"].iloc[0]), str(ends["to_month"].iloc[0])))
    grid = Grid(
        "Audited levels and growth beside the run’s", header, tuple(rows), _series_sentence(context),
        context.concerning("audit"), compact=True,
    )  # fmt: skip
    return picture, grid


def _growth_sentence(context: Context) -> Markup:
    tables = context.tables
    people, run = audited_growth(tables), audited_growth(tables, "plain")
    told = Markup("No audited growth can be shown.")
    if people is not None:
        told = Markup("From {} to {} audited growth is {} ({}){}.").format(
            month(str(people["from_month"])),
            month(str(people["to_month"])),
            *_figure(people, "growth"),
            "" if run is None else Markup(", the run’s {} ({})").format(*_figure(run, "growth")),
        )
    return Markup(
        "{told}{levels} {level} intervals. The run’s covers users and posting prices; the one of users alone is what "
        "the audited interval compares with, which takes the prices as given. n = {answered} sessions with an "
        "analyst’s value of {drawn} matched ones drawn; λ = {power} of the pricer’s variation between sessions "
        "narrows the intervals; it moves no figure on average."
    ).format(
        told=told,
        levels=_levels_apart(tables),
        level=said(tables, "level", "level"),
        answered=context.fact("audit_answered", "count"),
        drawn=context.fact("audit_drawn", "count"),
        power=said(tables, "number", "power"),
    )


def _levels_apart(tables: RunTables) -> Markup:
    """Name the months in which the ratio of the two levels has an interval without 1."""
    rows = over_plain(tables, "level_ratio")
    apart = [
        Markup("{} ({} times, {})").format(
            month(str(row["to_month"])),
            cell("audited", row, "estimate", "number"),
            interval("audited", row, ("lower", "upper"), "number"),
        )
        for _, row in rows.iterrows()
        if excludes_one(row)
    ]
    if not apart:
        return Markup("")
    return Markup(" The audited level is apart from the run’s in {}.").format(Markup(", ").join(apart))


def _figure(row: pd.Series, style: str) -> tuple[Markup, Markup]:
    return cell("audited", row, "estimate", style), interval("audited", row, ("lower", "upper"), style)


def _series_sentence(context: Context) -> Markup:
    return Markup(
        "Typical value by month in US dollars, and growth; below each stands its {level} interval. Audited: the mean "
        "of analysts’ values of matched sessions, each the price of gigs accepted as comparable, or a price given. "
        "Audited over the run is the ratio of levels, or of growth factors; its interval leaves out the sampling of "
        "users, which both rest on: where it excludes one the pricer is wrong. n = {answered} matched sessions with an "
        "analyst’s value.{halving}"
    ).format(
        level=said(context.tables, "level", "level"),
        answered=context.fact("audit_answered", "count"),
        halving=_halving(context.tables),
    )


def _halving(tables: RunTables) -> Markup:
    """Say how many more audits would halve the interval, or why none would."""
    growth = audited_growth(tables)
    if growth is None:
        return Markup("")
    more = said(tables, "count", "audits_to_halve")
    if more != DASH:
        ends = [str(growth["from_month"]), str(growth["to_month"])]
        wait = any(
            (number(tables, "response", place, "drawn") or 0.0) > (number(tables, "response", place, "judged") or 0.0)
            for place, name in enumerate(months_audited(tables))
            if name in ends
        )
        return Markup(
            " {} more audited sessions, in {} and {} together, at today’s response{}, would make the interval of "
            "audited growth half as wide."
        ).format(more, *map(month, ends), " and after those that are drawn and wait" if wait else "")
    return Markup(" An interval half as wide: {}.").format(quoted(lookup(tables.audit, "halving"), 240))


def _row(tables: RunTables, measure: str, first: str, last: str) -> tuple[Markup, ...]:
    """One month's level, or growth, by every line, and how many were audited."""
    style = "usd" if measure == "level" else "growth"
    found = select(tables.audited, measure=measure, from_month=first, to_month=last)
    rows = {str(row["series"]): row for _, row in found.iterrows()}
    cells = [_below(rows[name], style) if name in rows else DASH for name in LINES]
    ratio = select(tables.audited, measure=f"{measure}_ratio", from_month=first, to_month=last)
    cells.insert(2, DASH if ratio.empty else _below(ratio.iloc[0], "number"))
    name = month(last) if measure == "level" else Markup("Growth, {} to {}").format(month(first), month(last))
    audited = cell("audited", rows["audited"], "n_audited", "count") if "audited" in rows else DASH
    return name, *cells, audited


def _below(row: pd.Series, style: str) -> Markup:
    estimate, ends = _figure(row, style)
    return estimate if ends == DASH else Markup("{} <small>{}</small>").format(estimate, ends)


def _response(context: Context) -> Grid:
    """List who answered by month, and what the others could make of the level."""
    tables = context.tables
    rows = tuple(_answered(tables, place, name) for place, name in enumerate(months_audited(tables)))
    sentence = Markup(
        "Matched sessions of the sample; n = {answered} with an analyst’s value. Those without count as like the "
        "others of their stratum; the last column is the audited level if all of them had the tenth, or the ninetieth, "
        "percentile of analysts’ values.{growth}"
    ).format(answered=context.fact("audit_answered", "count"), growth=_growth_bounds(tables))
    header = ("Month", "Drawn", "Judged", "With a value", "Response rate", "Users", "Level if the others were extreme")
    title = "Who answered, and what the others could change"
    return Grid(title, header, rows, sentence, context.concerning("audit_response"), compact=True)


def _answered(tables: RunTables, place: int, name: str) -> tuple[Markup, ...]:
    styles = {"drawn": "count", "judged": "count", "answered": "count", "rate": "share", "users": "count"}
    counts = [said(tables, style, "response", place, key) for key, style in styles.items()]
    return month(name), *counts, _ends(*(said(tables, "usd", "response", place, f"{end}_bound") for end in ENDS))


ENDS = ("lower", "upper")


def _ends(low: Markup, high: Markup) -> Markup:
    return DASH if DASH in (low, high) else Markup('<span class="interval">{} to {}</span>').format(low, high)


def _growth_bounds(tables: RunTables) -> Markup:
    ends = _ends(said(tables, "growth_bare", "growth_bounds", 0), said(tables, "growth", "growth_bounds", 1))
    return Markup("") if ends == DASH else Markup(" Audited growth would then lie within {}.").format(ends)


def _missing(tables: RunTables) -> tuple[Note, ...]:
    """Repeat what the estimate says that it cannot tell."""
    return tuple(
        Note(Markup("Not told: {}.").format(quoted(one, 400))) for one in lookup(tables.audit, "missing") or []
    )
