"""Why, at a fixed mix: index numbers, prices against volume, and a time-dummy regression as a cross-check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import constants
from valuation.report import plots_prices as plots
from valuation.report.blocks import Block, Context, Grid, Note
from valuation.report.drawing import label
from valuation.report.inputs import select, span
from valuation.report.provenance import DASH, cell, constant, interval, month, quoted
from valuation.report.text import slug
from valuation.report.words import INDEX_WORDS, TERM_WORDS, counted, in_words

if TYPE_CHECKING:
    import pandas as pd


COMPARISONS = ("direct", "chained", "drift")


def blocks(context: Context) -> list[Block]:
    """Build the blocks, whichever tables the run has."""
    return [*_index_numbers(context), *_price_volume(context), *_dummies(context)]


def _index_numbers(context: Context) -> list[Block]:
    frame = context.tables.index_numbers
    frame = frame[frame["index_number"].notna()]
    found: list[Block] = []
    for position, group_by in enumerate(dict.fromkeys(sorted(frame["group_by"]))):
        mine = select(frame, group_by=group_by)
        if not plots.index_rows(context.tables, group_by, "tornqvist", "direct").empty:
            found.append(_index_figure(context, group_by, position))
        found.append(_index_table(context, mine, group_by))
    return found


def _index_figure(context: Context, group_by: str, position: int) -> Block:
    sentence = Markup(
        "What the index would be if the mix of {column} had stayed: the grey line is the headline’s index, mix as it "
        "is. Bars are {level} pointwise intervals of the direct Törnqvist; chained lines multiply the changes from "
        "month to month, and drift where the mix bounces. n = {matched} matched sessions."
    ).format(column=quoted(group_by), level=context.level("series"), matched=context.fact("matched", "count"))
    title = f"Index numbers at a fixed mix of {label(group_by)}"
    return context.picture(
        "index_numbers",
        title,
        lambda width: plots.index_numbers_figure(context.tables, group_by, width),
        sentence,
        slug=f"fixed-mix-by-{slug(group_by)}",
        name=f"fixed{position}",
    )


def _index_table(context: Context, frame: pd.DataFrame, group_by: str) -> Block:
    """Lay methods against the two comparisons, for the last month of growth or the last there is."""
    months = set(frame["month"])
    last = span(context.tables).last if span(context.tables).last in months else max(months)
    frame = frame[frame["month"] == last]
    body = []
    for method in (name for name in INDEX_WORDS if name in set(frame["method"])):
        rows = {row["comparison"]: row for _, row in frame[frame["method"] == method].iterrows()}
        cells = [_index_cell(rows.get(comparison)) for comparison in COMPARISONS]
        body.append((in_words(INDEX_WORDS, method), *cells))
    first = _quoted_row(frame)
    sentence = Markup(
        "{last}, {base} = {hundred}, {level} intervals from the same replicates as the headline; n = {matched} matched "
        "sessions over all months. {groups} {are} in both months, with at least {covered} of the weight of "
        "either.{thin} Index numbers differ where groups moved differently; direct is the one to quote, and drift, "
        "{hundred} where chaining changes nothing, says how far chaining strays from it. Laspeyres and Paasche weight "
        "by value, the geometric forms by counts."
    ).format(
        last=month(last),
        base=month(first["base_month"]),
        hundred=constant("index_base", "count"),
        level=context.level("series"),
        matched=context.fact("matched", "count"),
        groups=cell("index_numbers", first, "n_groups", "count"),
        are=counted(first["n_groups"], "group is", "groups are"),
        covered=cell("index_numbers", first, "covered_share", "share"),
        thin=_thin(first),
    )
    title = f"Fixed-mix index numbers by {label(group_by)}"
    header = ("Index number", "Direct", "Chained", "Drift: chained over direct")
    return Grid(title, header, tuple(body), sentence, context.concerning("index_numbers"))


def _quoted_row(frame: pd.DataFrame) -> pd.Series:
    """Return the row whose groups the sentence is about: the direct Törnqvist, else the first by comparison, method."""
    order = {name: position for position, name in enumerate(("tornqvist", *INDEX_WORDS))}
    ranks = frame["method"].map(order).fillna(len(order))
    return frame.assign(rank=ranks, other=frame["comparison"] != "direct").sort_values(
        ["other", "rank", "comparison", "method"]
    ).iloc[0]  # fmt: skip


def _thin(row: pd.Series) -> Markup:
    """Say so where the groups in both months are one alone, or little of a month."""
    if row["covered_share"] >= constants.COVERED_LOW:
        return Markup("")
    alone = " With one group there is no mix to hold fixed: every form is that group’s own change."
    text = " That is little: groups that came or went between the two months are left out.{}"
    return Markup(text).format(alone if row["n_groups"] == 1 else "")


def _index_cell(row: pd.Series | None) -> Markup:
    if row is None:
        return DASH
    value = cell("index_numbers", row, "index_number", "index")
    ends = interval("index_numbers", row, ("lower", "upper"), "index")
    return value if ends == DASH else Markup("{} <small>{}</small>").format(value, ends)


def _price_volume(context: Context) -> list[Block]:
    frame = context.tables.price_volume
    if frame.empty:
        return []
    known = frame[frame["estimate"].notna()]
    if known.empty:
        row = frame.sort_values(["from_month", "to_month", "term"]).iloc[0]
        return [
            Note(
                Markup(
                    "Price level of gigs against volume, from {base} to {last}: not given. {reason} Effective "
                    "postings: {before} and {after}."
                ).format(
                    base=month(row["from_month"]),
                    last=month(row["to_month"]),
                    reason=quoted(_sentence(row["reason"]), 300),
                    before=cell("price_volume", row, "postings_from", "count"),
                    after=cell("price_volume", row, "postings_to", "count"),
                )
            )
        ]
    first = known.sort_values(["from_month", "to_month", "term"]).iloc[0]
    sentence = Markup(
        "Each month’s sessions priced with each month’s postings, from {base} ({before} effective postings) to {last} "
        "({after}). Prices and volume add up to the nominal change: the headline holds prices of a kind of work fixed, "
        "so it is volume. {level} intervals, log points, n = {matched} matched sessions."
    ).format(
        base=month(first["from_month"]),
        last=month(first["to_month"]),
        before=cell("price_volume", first, "postings_from", "count"),
        after=cell("price_volume", first, "postings_to", "count"),
        level=context.level("series"),
        matched=context.fact("matched", "count"),
    )
    title = "Price level of gigs and volume of work"
    picture = context.picture(
        "prices", title, lambda width: plots.price_volume_figure(context.tables, width), sentence, slug="price-volume"
    )
    body = tuple(_price_row(row) for term in TERM_WORDS for _, row in frame[frame["term"] == term].iterrows())
    text = Markup("The figures behind the drawing; {level} intervals, n = {matched} matched sessions.").format(
        level=context.level("series"), matched=context.fact("matched", "count")
    )
    table = Grid("Prices and volume", ("Part", "Log points", "Interval"), body, text, context.concerning("prices"))
    return [picture, table]


def _sentence(reason: object) -> str:
    text = str(reason).strip() if isinstance(reason, str) and reason.strip() else "no reason was recorded"
    return text[0].upper() + text[1:].rstrip(".") + "."


def _price_row(row: pd.Series) -> tuple[Markup, ...]:
    ends = interval("price_volume", row, ("lower", "upper"), "log")
    if cell("price_volume", row, "estimate", "log") == DASH:
        ends = quoted(_sentence(row["reason"]), 200)
    return in_words(TERM_WORDS, row["term"]), cell("price_volume", row, "estimate", "log"), ends


def _dummies(context: Context) -> list[Block]:
    frame = context.tables.time_dummies
    why = sorted(set(frame.loc[frame["estimate"].isna(), "reason"].dropna()))
    frame = frame[frame["estimate"].notna()]
    if frame.empty:
        return [Note(Markup("No time-dummy regression: {}").format(quoted(_sentence(why[0]), 300)))] if why else []
    sentence = Markup(
        "A cross-check, not the headline: least squares of log value on month dummies and on columns of the sessions. "
        "Where the lines part, the columns held fixed explain the gap. {level} intervals from the joint replicates; "
        "n = {matched} matched sessions."
    ).format(level=context.level("series"), matched=context.fact("matched", "count"))
    title = "Time dummies: months compared at equal session columns"
    picture = context.picture(
        "dummies", title, lambda width: plots.dummies_figure(context.tables, width), sentence, slug="time-dummies"
    )
    ordered = frame.sort_values(["covariates", "month"])
    body = tuple(_dummy_row(row) for _, row in ordered.iterrows())
    text = Markup(
        "Log points above the base month; the first standard error is that of the joint replicates, the second "
        "clusters by user alone and leaves posting prices out. n = {matched} matched sessions."
    ).format(matched=context.fact("matched", "count"))
    header = ("Holding fixed", "Month", "Effect", "Interval", "Standard error", "By user alone")
    return [picture, Grid("Time-dummy regression", header, body, text, context.concerning("dummies"), compact=True)]


def _dummy_row(row: pd.Series) -> tuple[Markup, ...]:
    return (
        quoted(row["covariates"], 40) if row["covariates"] else Markup("nothing"),
        month(row["month"]),
        cell("time_dummies", row, "estimate", "log"),
        interval("time_dummies", row, ("lower", "upper"), "log"),
        cell("time_dummies", row, "standard_error", "se"),
        cell("time_dummies", row, "clustered_error", "se"),
    )
