"""How sure: which sampling the interval comes from, the shift check, the matched share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import measures, section_card
from valuation.report import plots_series as plots
from valuation.report import plots_values as distributions
from valuation.report.blocks import Block, Context, Grid, Note, Section
from valuation.report.inputs import headline_growth, series_of, span
from valuation.report.provenance import DASH, cell, interval, month

if TYPE_CHECKING:
    import pandas as pd

VARIATIONS = {
    "users": "Users",
    "postings": "Postings",
    "both": "Both",
}


def section(context: Context) -> Section:
    """Build the section."""
    lead = Markup(
        "An interval covers sampling only: other people, other prices. Whether the pricer’s errors move with the "
        "sessions is asked by the shift check; what no text shows, only people who read the matches can judge."
    )
    sampling = (_variation(context), *_shift(context), *_matched(context))
    return Section("How sure?", lead, (*sampling, *_widths(context), *section_card.blocks(context)))


def _variation(context: Context) -> Block:
    rows = [(name, headline_growth(context.tables, variation=name)) for name in VARIATIONS]
    body = tuple(_variation_row(name, row) for name, row in rows if row is not None)
    if not body:
        return Note(Markup("Without a growth figure there is nothing to split by source of variation."))
    sentence = Markup(
        "Users: other people might have been observed. Postings: other prices might have been posted. Both: the "
        "headline. {level} intervals of headline growth from {base} to {last}, n = {matched} matched sessions of "
        "{users} users. Effective numbers count users and postings as if all weighed the same; under thirty of "
        "either, intervals are widened. The top {top} of postings carry {hubs} of all matching weight.{detectable}"
    ).format(
        level=context.level("series"),
        base=month(span(context.tables).base),
        last=month(span(context.tables).last),
        matched=context.fact("matched", "count"),
        users=context.fact("users", "count"),
        top="hundredth",
        hubs=context.fact("hub_share", "share"),
        detectable=_detectable(context),
    )
    header = ("What varies", "Growth", "Interval", "Effective users", "Effective postings")
    title = "Where the uncertainty of growth comes from"
    return Grid(title, header, body, sentence, context.concerning("variation"))


def _detectable(context: Context) -> Markup:
    found = context.manifest("support/minimum_detectable_growth", "share")
    return Markup("") if found == DASH else Markup(" Growth under {} would hardly be told from none.").format(found)


def _variation_row(name: str, row: pd.Series) -> tuple[Markup, ...]:
    return (
        Markup(VARIATIONS[name]),  # noqa: S704 (a literal of this module)
        cell("growth", row, "growth", "growth"),
        interval("growth", row, ("lower", "upper"), "growth"),
        cell("growth", row, "effective_users", "index"),
        cell("growth", row, "effective_postings", "index"),
    )


def _shift(context: Context) -> tuple[Block, ...]:
    frame = context.tables.shift_check.sort_values("month", ignore_index=True)
    if not frame["difference"].notna().any():
        return (Note(Markup("This run has no shift check: whether the pricer errs as sessions shift is not known.")),)
    found = measures.shift(context.tables)
    verdict = Markup("It cannot be formed for the two end months of growth.")
    if found is not None:
        verdict = Markup(
            "Between the end months it moved by {shift} log points ({lower} to {upper}), so {reading}."
        ).format(
            shift=context.fact("shift", "log"),
            lower=context.fact("shift_lower", "log"),
            upper=context.fact("shift_upper", "log"),
            reading=_reading(found.lower, found.upper, found.joint),
        )
    sentence = Markup(
        "For each month, postings are weighted to resemble its matched sessions, and their actual prices set against "
        "what a pricer that has not seen them says.{balanced} {verdict} {level} intervals; n = {matched} matched "
        "sessions. The doubly robust series adds the error back: right if either the pricer or the weighting is."
    ).format(
        verdict=verdict,
        balanced=_balanced(context),
        level=context.level("series"),
        matched=context.fact("matched", "count"),
    )
    title = "Shift check: does the pricer’s error move with the sessions?"
    picture = context.picture(
        "shift", title, lambda width: plots.shift_figure(context.tables, width), sentence, slug="shift-check"
    )
    rows = tuple(_shift_row(row) for _, row in frame.iterrows())
    header = ("Month", "Error, log points", "Interval", "Effective postings", "Doubly robust value", "Interval")
    text = Markup(
        "The figures behind the drawing; {level} intervals, n = {matched} matched sessions over all months."
    ).format(level=context.level("series"), matched=context.fact("matched", "count"))
    return picture, Grid("Shift check by month", header, rows, text, context.concerning("shift"))


def _balanced(context: Context) -> Markup:
    """Say in how many directions the weighted postings resemble the sessions, if the run says so."""
    balanced, asked = (context.manifest(f"{path}shift_check/components", "count") for path in ("", "settings/"))
    if DASH in (balanced, asked):
        return Markup("")
    return Markup(" In the end months they resemble them in {} of {} main directions of the texts.").format(
        balanced, asked
    )


def _reading(lower: float, upper: float, joint: bool) -> str:
    text = "it does not contradict the headline" if lower <= 0 <= upper else "it contradicts the headline"
    return text if joint else text + " (an interval that allows for any dependence between the two months)"


def _shift_row(row: pd.Series) -> tuple[Markup, ...]:
    return (
        month(row["month"]),
        cell("shift_check", row, "difference", "log"),
        interval("shift_check", row, ("lower", "upper"), "log"),
        cell("shift_check", row, "effective_postings", "count"),
        cell("shift_check", row, "corrected_value", "usd"),
        interval("shift_check", row, ("corrected_lower", "corrected_upper"), "usd"),
    )


def _matched(context: Context) -> tuple[Block, ...]:
    frame = series_of(context.tables)
    frame = frame[frame["matched_share"].notna() & ~frame["suppressed"].astype(bool)]
    if frame.empty:
        return ()
    first, last = frame.iloc[0], frame.iloc[-1]
    sentence = Markup(
        "{share} of {sessions} sessions are matched over all months; {first_share} in {first} (n = {first_n}) and "
        "{last_share} in {last} (n = {last_n}). The others have no posting similar enough; they are counted here, "
        "not priced. A share of all sessions observed: no interval applies."
    ).format(
        share=context.fact("matched_share", "share"),
        sessions=context.fact("sessions", "count"),
        first_share=cell("series", first, "matched_share", "share"),
        first=month(first["month"]),
        first_n=cell("series", first, "n_sessions", "count"),
        last_share=cell("series", last, "matched_share", "share"),
        last=month(last["month"]),
        last_n=cell("series", last, "n_sessions", "count"),
    )
    title = "Matched share of sessions by month"
    return (
        context.picture(
            "matched",
            title,
            lambda width: plots.matched_figure(context.tables, width),
            sentence,
            slug="matched-share",
            basis=f"n = {context.facts['sessions']:,.0f} sessions",
        ),
    )


def _widths(context: Context) -> tuple[Block, ...]:
    if all(width.empty for width in measures.band_widths(context.tables.values).values()):
        return ()
    sentence = Markup(
        "Both bands have level {level}. The <em>typical band</em> holds the pricer’s own target, the typical price "
        "of comparable work, against sampling error; half of the sessions have one narrower than {typical} either "
        "way. The <em>single-posting band</em> says where the price of one such posting would lie ({single} in the "
        "middle): wide on purpose, because clients ask very different prices for like work. n = {matched} matched "
        "sessions."
    ).format(
        level=context.level("bands"),
        typical=context.fact("width_typical", "factor"),
        single=context.fact("width_single", "factor"),
        matched=context.fact("matched", "count"),
    )
    title = "Half-width of the two bands of a session’s value"
    return (
        context.picture(
            "widths",
            title,
            lambda width: distributions.widths_figure(context.tables, width),
            sentence,
            slug="band-widths",
        ),
    )
