"""Why: the series by group, and the split into mix and within."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import plots_groups as plots
from valuation.report import section_people, section_prices
from valuation.report.blocks import Block, Context, Grid, Note, Section
from valuation.report.drawing import label
from valuation.report.provenance import cell, interval, key_of, month, quoted, traced
from valuation.report.text import slug
from valuation.report.words import counted

if TYPE_CHECKING:
    import pandas as pd


def section(context: Context) -> Section:
    """Build the section."""
    lead = Markup(
        "Sessions can become worth more because each kind of work does (within), or because there is more of the "
        "dearer kinds (mix); because gigs are dearer, or because the work is; because people changed what they do, or "
        "because other people came."
    )
    tables = context.tables
    # a group of two columns crossed has no series, so nothing says that it is large enough: only the sums are shown
    names = sorted(set(tables.series["group_by"]) - {""})
    blocks: list[Block] = []
    for position, group_by in enumerate(names):
        blocks += _groups(context, group_by, position)
        blocks += [*_decomposition(context, group_by, position), *_monthly(context, group_by, position)]
    if not names:
        blocks.append(Note(Markup("No column to group sessions by was configured, so the change is not split.")))
    blocks += [*_sums(context), *section_prices.blocks(context), *section_people.blocks(context)]
    return Section("Why did it move?", lead, tuple(blocks))


def _sums(context: Context) -> list[Block]:
    """Set the sums of every split side by side, those of two columns crossed too."""
    frame = context.tables.decomposition
    frame = frame[(frame["group"] == "") & frame["estimate"].notna()]
    body = []
    for group_by in sorted(set(frame["group_by"])):
        rows = {row["term"]: row for _, row in frame[frame["group_by"] == group_by].iterrows()}
        body.append((quoted(group_by), *(_term(rows.get(term)) for term in ("within", "mix", "total"))))
    if len(body) < 2:  # noqa: PLR2004 - one split stands in its own table
        return []
    sentence = Markup(
        "The same change split by each column, and by two crossed: log points with {level} intervals, n = {matched} "
        "matched sessions. A split by a finer or another column answers another question; none of them is the cause."
    ).format(level=context.level("series"), matched=context.fact("matched", "count"))
    title = "Mix and within, by every column"
    header = ("Split by", "Within", "Mix", "Total")
    return [Grid(title, header, tuple(body), sentence, context.concerning("decomposition"))]


def _term(row: pd.Series | None) -> Markup:
    if row is None:
        return traced(None, "", "log")
    return Markup("{} <small>{}</small>").format(cell("decomposition", row, "estimate", "log"), _interval(row))


def _groups(context: Context, group_by: str, position: int) -> list[Block]:
    names = plots.group_names(context.tables, group_by)
    if not names:
        return [Note(Markup("By {}: every cell is under the disclosure minimum.").format(quoted(group_by)))]
    sentence = Markup(
        "Typical value with {level} pointwise intervals; the grey line is all sessions; n, under each name, counts "
        "the sessions shown. {groups} of {all} groups are drawn, the largest first; {suppressed} cells are under the "
        "disclosure minimum and left out."
    ).format(
        level=context.level("series"),
        groups=context.fact(key_of("groups", group_by, "drawn"), "count"),
        all=context.fact(key_of("groups", group_by, "all"), "count"),
        suppressed=context.fact(key_of("groups", group_by, "suppressed"), "count"),
    )
    title = f"Typical value by {label(group_by)}"
    return [
        context.picture(
            "groups",
            title,
            lambda width: plots.groups_figure(context.tables, group_by, width),
            sentence,
            slug=f"groups-by-{slug(group_by)}",
            name=f"groups{position}",
        )
    ]


def _decomposition(context: Context, group_by: str, position: int) -> list[Block]:
    frame = plots.decomposition_rows(context.tables, group_by)
    frame = frame[frame["estimate"].notna()]
    if frame.empty:
        return [Note(Markup("By {}: no split into mix and within in this run.").format(quoted(group_by)))]
    total = frame[(frame["group"] == "") & (frame["term"] == "total")]
    first = frame.sort_values(["from_month", "to_month"]).iloc[0]
    sentence = Markup(
        "From {base} to {last}{total}. Bars with {level} intervals, in log points; n = {matched} matched sessions of "
        "{users} users over all months. Finer groups move change from within to mix; errors in the labels do the "
        "reverse. A group with sessions in one of the two months alone has a part in mix, none within.{hidden}"
    ).format(
        base=month(first["from_month"]),
        last=month(first["to_month"]),
        total=_total(frame) if not total.empty else "",
        level=context.level("series"),
        matched=context.fact("matched", "count"),
        users=context.fact("users", "count"),
        hidden=_hidden(context, group_by),
    )
    title = f"Mix and within by {label(group_by)}"
    picture = context.picture(
        "decomposition",
        title,
        lambda width: plots.decomposition_figure(context.tables, group_by, width),
        sentence,
        slug=f"mix-and-within-by-{slug(group_by)}",
        name=f"decomposition{position}",
    )
    return [picture, _decomposition_table(context, frame, group_by)]


def _monthly(context: Context, group_by: str, position: int) -> list[Block]:
    if plots.monthly_rows(context.tables, group_by).empty:
        return []
    pairs, within, mix = (key_of("monthly", group_by, name) for name in ("pairs", "within", "mix"))
    sentence = Markup(
        "Each month set beside the one before: what that step owes to values within groups and to the mix of groups, "
        "in log points with {level} pointwise intervals; n = {matched} matched sessions of {users} "
        "users. Of {pairs} {steps}, the interval of within misses zero in {within}, that of mix in {mix}; of many "
        "steps, some would by chance alone. Steps add up to total growth, but their parts need "
        "not add up to the split above, which sets the end months side by side."
    ).format(
        level=context.level("series"),
        matched=context.fact("matched", "count"),
        users=context.fact("users", "count"),
        pairs=context.fact(pairs, "count"),
        steps=counted(context.facts[pairs], "step", "steps"),
        within=context.fact(within, "count"),
        mix=context.fact(mix, "count"),
    )
    return [
        context.picture(
            "monthly",
            f"Mix and within by {label(group_by)}, month by month",
            lambda width: plots.monthly_figure(context.tables, group_by, width),
            sentence,
            slug=f"mix-and-within-by-{slug(group_by)}-monthly",
            name=f"monthly{position}",
        )
    ]


def _hidden(context: Context, group_by: str) -> Markup:
    name = key_of("groups", group_by, "hidden")
    if not context.facts.get(name):
        return Markup("")
    text = " {} {} under the disclosure minimum in an end month; the sum holds {}."
    one = context.facts[name] == 1
    return Markup(text).format(
        context.fact(name, "count"),
        "group is left out as" if one else "groups are left out as",
        "it" if one else "them",
    )


def _total(frame: pd.DataFrame) -> Markup:
    rows = {row["term"]: row for _, row in frame[frame["group"] == ""].iterrows()}
    parts = [
        Markup("{} {} ({})").format(term, cell("decomposition", rows[term], "estimate", "log"), _interval(rows[term]))
        for term in ("total", "within", "mix")
        if term in rows
    ]
    return Markup(": {}").format(Markup(", ").join(parts))


def _interval(row: pd.Series) -> Markup:
    return interval("decomposition", row, ("lower", "upper"), "log")


def _decomposition_table(context: Context, frame: pd.DataFrame, group_by: str) -> Grid:
    body = []
    for group in dict.fromkeys(frame["group"]):
        rows = {row["term"]: row for _, row in frame[frame["group"] == group].iterrows()}
        terms = [_term(rows.get(term)) for term in ("within", "mix", "total")]
        body.append((quoted(group) if group else Markup("All groups"), *terms))
    sentence = Markup(
        "Log points with {level} intervals; within and mix add up to the total. n = {matched} matched sessions."
    ).format(level=context.level("series"), matched=context.fact("matched", "count"))
    title = f"Contributions to log growth by {label(group_by)}"
    header = ("Group", "Within", "Mix", "Total")
    return Grid(title, header, tuple(body), sentence, context.concerning("decomposition"))
