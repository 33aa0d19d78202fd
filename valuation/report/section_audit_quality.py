"""What people said of single gigs: how often they are comparable, and how far analysts agree on that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report.blocks import Block, Context, Grid, Note
from valuation.report.measures_audit import said
from valuation.report.provenance import DASH, cell, interval, month, quoted
from valuation.report.words import in_words

if TYPE_CHECKING:
    import pandas as pd

CELLS = ("all", "month", "kind", "third", "half")
"""Coarse cells of precision, in this order; strata are too small to show."""
THIRDS = {"1": "Cheapest third by value", "2": "Middle third by value", "3": "Dearest third by value"}
HALVES = {"1": "Less similar half", "2": "More similar half"}
AGREEMENT_WORDS = {
    "alpha_nominal": "Krippendorff’s alpha, four verdicts",
    "ac1_nominal": "Gwet’s AC₁, four verdicts",
    "alpha_ordinal": "Alpha, session smaller < comparable < session larger",
    "alpha_log_price": "Alpha, analysts’ log values of sessions",
    "cant_say_share": "Share of “can’t say”",
}
NO_PRECISION = Note(
    Markup("How many of the gigs are comparable is not known: none was judged, or those of too few sessions.")
)
NO_AGREEMENT = Note(
    Markup("Nothing was judged by two analysts who did not see each other’s verdicts: agreement is not known.")
)


def precision(context: Context) -> Block:
    """List the share of gigs that are comparable, overall and by coarse cell."""
    frame = context.tables.audit_precision
    frame = frame[frame["cell_by"].isin(CELLS) & (frame["n_gigs"] + frame["n_cant_say"] > 0)]
    if frame.empty:
        return NO_PRECISION
    order = {name: place for place, name in enumerate(CELLS)}
    frame = frame.sort_values(["cell_by", "cell"], key=lambda c: c.map(order) if c.name == "cell_by" else c)
    sentence = Markup(
        "Share of judged gigs that are comparable to the session they stand beside, weighted by the design over "
        "strata; below it its {level} interval. “Can’t say” is left out of the share; the bounds count it as "
        "not comparable, and as comparable. n counts gigs judged otherwise. Cells of few sessions are left out."
    ).format(level=said(context.tables, "level", "level"))
    header = ("Gigs beside", "Comparable", "Bounds", "n", "Can’t say", "Sessions")
    rows = tuple(_share(row) for _, row in frame.iterrows())
    title = "How often the gigs are comparable"
    return Grid(title, header, rows, sentence + _differ(frame), context.concerning("audit_precision"), compact=True)


def _differ(frame: pd.DataFrame) -> Markup:
    """Say how many of the gigs, over all, analysts differ on, and how those count."""
    whole = frame[frame["cell_by"] == "all"]
    if whole.empty or not whole.iloc[0]["n_disagreed"]:
        return Markup("")
    said_by_some = cell("audit_precision", whole.iloc[0], "n_disagreed", "count")
    return Markup(" Analysts differ on {}, each counted as the share who call it comparable.").format(said_by_some)


def _share(row: pd.Series) -> tuple[Markup, ...]:
    estimate = cell("audit_precision", row, "estimate", "share")
    ends = interval("audit_precision", row, ("lower", "upper"), "share")
    return (
        _cell_name(str(row["cell_by"]), str(row["cell"])),
        estimate if ends == DASH else Markup("{} <small>{}</small>").format(estimate, ends),
        interval("audit_precision", row, ("lower_bound", "upper_bound"), "share"),
        *(cell("audit_precision", row, name, "count") for name in ("n_gigs", "n_cant_say", "n_sessions")),
    )


def _cell_name(cell_by: str, name: str) -> Markup:
    if cell_by == "all":
        return Markup("All matched sessions")
    if cell_by == "month":
        return month(name)
    return (
        in_words(THIRDS, name) if cell_by == "third" else in_words(HALVES, name) if cell_by == "half" else quoted(name)
    )


def agreement(context: Context) -> Block:
    """List how far analysts agree on what several judged."""
    frame = context.tables.audit_agreement
    if not frame["n_units"].gt(0).any():
        return NO_AGREEMENT
    order = {name: place for place, name in enumerate(AGREEMENT_WORDS)}
    frame = frame.sort_values("measure", key=lambda c: c.map(order))
    sentence = Markup(
        "On what two or more judged without seeing each other’s verdicts; n counts pairs of session and gig, or "
        "sessions for log values. One is full agreement; of verdicts zero is chance, of log values it is not, since "
        "analysts average the same gigs’ prices. {level} intervals, by user. Where nearly all verdicts are one "
        "category alpha is low although analysts agree; AC₁ is not. “Can’t say” is missing there."
    ).format(level=said(context.tables, "level", "level"))
    header = ("Measure", "n", "Users", "Agreement", "Interval")
    rows = tuple(_agreed(row) for _, row in frame.iterrows())
    title = "How far analysts agree"
    return Grid(title, header, rows, sentence, context.concerning("audit_agreement"))


def _agreed(row: pd.Series) -> tuple[Markup, ...]:
    style = "share" if row["measure"] == "cant_say_share" else "number"
    name = in_words(AGREEMENT_WORDS, row["measure"])
    if isinstance(row["reason"], str) and row["reason"]:
        name = Markup("{} <small>{}</small>").format(name, quoted(row["reason"], 160))
    return (
        name,
        cell("audit_agreement", row, "n_units", "count"),
        cell("audit_agreement", row, "n_users", "count") if row["n_users"] else DASH,
        cell("audit_agreement", row, "estimate", style),
        interval("audit_agreement", row, ("lower", "upper"), style),
    )
