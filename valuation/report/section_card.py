"""The pricer card: how well the pricers do where prices are known, beside the published study's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import constants
from valuation.report.blocks import Block, Context, Grid, Note
from valuation.report.facts import card_cells, card_rows
from valuation.report.inputs import PRICER_WORDS, headline_pricer, select
from valuation.report.provenance import DASH, cell, constant, interval, key_of, quoted

if TYPE_CHECKING:
    import pandas as pd

BIAS = "predicted_over_actual"
MEASURE_WORDS = {
    "squared_correlation": "Squared correlation of log prices",
    "slope": "Calibration slope",
    "mean_absolute_error": "Mean absolute error, log points",
    "root_mean_squared_error": "Root mean squared error, log points",
    "mean_error": "Mean of actual minus predicted, log points",
    BIAS: "Predicted over actual, geometric mean",
    "single_coverage": "Coverage of the single-posting band",
    "single_width": "Width of the single-posting band, log points",
    "typical_width": "Width of the typical band, log points",
    "interval_score": "Interval score, single-posting band (less is better)",
    "interval_score_constant": "Interval score, a band of constant width",
    "interval_score_difference": "Difference of the two scores",
}
TIER_NOTE = (
    " Tiers are of the actual price: any pricer that regresses to the mean overprices the cheap and underprices the "
    "dear."
)
SAMPLE_WORDS = {"natural": "natural mix", "tier_weighted": "price tiers balanced", "holdout": "held-out file"}
CELL_WORDS = {
    "tier": "price tier",
    "predicted": "predicted value",
    "similarity": "similarity",
    "source": "source",
    "month": "month",
}


def blocks(context: Context) -> tuple[Block, ...]:
    """Build the card's tables, the study's beside it, and where the simulations stand."""
    return (*_card(context), _study(context), SIMULATION)


SIMULATION = Note(
    Markup(
        "Whether intervals made in this way cover what they should was tried on simulated worlds whose growth is "
        "known: the tables, and the situations in which coverage fails, are in <code>docs/evidence.md</code> of the "
        "source; the command valuation simulate makes them again."
    )
)


def style_of(measure: str) -> str:
    """Return how a measure of the card is written."""
    return "share" if "coverage" in measure else "factor" if measure == BIAS else "number"


def _card(context: Context) -> tuple[Block, ...]:
    frame = context.tables.validation
    frame = frame[frame["estimate"].notna()]
    if frame.empty:
        return (Note(Markup("The pricer card is empty: the command valuation validate fills it.")),)
    tables: list[Block] = []
    overall = frame[frame["cell_by"] == ""]
    if not overall.empty:
        tables.append(_overall(context, overall))
    tables += [_by_cell(context, name) for name in CELL_WORDS if (frame["cell_by"] == name).any()]
    return tuple(tables)


def _estimate(row: pd.Series | None) -> Markup:
    if row is None:
        return Markup("")
    style = style_of(row["measure"])
    estimate, ends = cell("validation", row, "estimate", style), interval("validation", row, ("lower", "upper"), style)
    return estimate if ends == DASH else Markup("{} <small>{}</small>").format(estimate, ends)


def _overall(context: Context, frame: pd.DataFrame) -> Grid:
    """Lay measures and samples against the three pricers."""
    pricers = [name for name in PRICER_WORDS if (frame["pricer"] == name).any()]
    body = []
    for (sample, measure), rows in frame.groupby(["sample", "measure"], sort=False):
        found = {row["pricer"]: row for _, row in rows.iterrows()}
        first = rows.iloc[0]
        body.append(
            (
                _words(MEASURE_WORDS, measure),
                _words(SAMPLE_WORDS, sample),
                cell("validation", first, "n", "count"),
                *(_estimate(found.get(name)) for name in pricers),
            )
        )
    header = ("Measure", "Sample", "n", *(PRICER_WORDS[name].capitalize() for name in pricers))
    sentence = Markup(
        "On postings that the pricer did not see, with intervals where they are estimated. Squared correlations of "
        "differently mixed samples are not comparable with each other. The headline uses {pricer}."
    ).format(pricer=PRICER_WORDS[headline_pricer(context.tables)])
    return Grid("Pricer card", header, tuple(body), sentence, context.concerning("card"))


def _words(known: dict[str, str], name: object) -> Markup:
    return Markup("{}").format(known[str(name)]) if str(name) in known else quoted(str(name).replace("_", " "))


def _by_cell(context: Context, cell_by: str) -> Grid:
    """Lay the cells of one kind against the measures, for the headline's pricer."""
    rows = card_rows(context.tables, cell_by)
    kinds = list(dict.fromkeys(rows["measure"]))
    body = []
    for name in card_cells(rows):
        found = {row["measure"]: row for _, row in rows[rows["cell"] == name].iterrows()}
        first = next(iter(found.values()))
        body.append(
            (quoted(name), cell("validation", first, "n", "count"), *(_estimate(found.get(kind)) for kind in kinds))
        )
    header = (CELL_WORDS[cell_by].capitalize(), "n", *(_words(MEASURE_WORDS, kind) for kind in kinds))
    sentence = Markup(
        "{pricer}, {sample}, with intervals where they are estimated; n counts held-out postings.{tier}{cut}"
    ).format(
        pricer=PRICER_WORDS[rows["pricer"].iloc[0]].capitalize(),
        sample=_words(SAMPLE_WORDS, rows["sample"].iloc[0]),
        tier=TIER_NOTE if cell_by == "tier" else "",
        cut=_cut(context, cell_by) if len(card_cells(rows)) < rows["cell"].nunique() else "",
    )
    return Grid(f"Pricer card by {CELL_WORDS[cell_by]}", header, tuple(body), sentence, context.concerning("card"))


def _cut(context: Context, cell_by: str) -> Markup:
    return Markup(" Of {all} cells, the {shown} with the most postings are shown.").format(
        all=context.fact(key_of("card", cell_by, "all"), "count"),
        shown=context.fact(key_of("card", cell_by, "shown"), "count"),
    )


def _study(context: Context) -> Grid:
    """Set what the published study printed of its pricer beside the same measures of these."""
    frame = context.tables.validation
    pricers = [name for name in PRICER_WORDS if (frame["pricer"] == name).any()]
    balanced = select(frame, sample="tier_weighted", cell_by="", measure="squared_correlation")
    squared = Markup("{} <small>{} to {}</small>").format(
        constant("study_r2", "number"), constant("study_r2_lower", "number"), constant("study_r2_upper", "number")
    )
    body = [
        (Markup("Squared correlation, tiers balanced"), squared, *(_first(balanced, name) for name in pricers)),
        *(_tier(frame, tier, pricers) for tier in range(4)),
    ]
    sentence = Markup(
        "Below the first row: predicted over actual price, geometric mean, by actual price. The study that made this "
        "measure known ({sessions} sessions of {users} people) reported growth of {growth}, without an interval. Its "
        "pricer is a different estimator: a language model guessed prices of sessions rewritten as postings, and was "
        "tried on n = {n} other postings. This report replicates neither; a dash means that this run has no such "
        "cell. Intervals of {level}."
    ).format(
        sessions=constant("study_sessions", "count"),
        users=constant("study_users", "count"),
        growth=constant("study_growth", "growth"),
        n=constant("study_holdout", "count"),
        level=constant("series_level", "level"),
    )
    header = ("Measure", "Published study", *(PRICER_WORDS[name].capitalize() for name in pricers))
    title = "Beside the published study’s pricer, a different estimator"
    return Grid(title, header, tuple(body), sentence, context.concerning("card"))


def _first(rows: pd.DataFrame, pricer: str) -> Markup:
    mine = rows[(rows["pricer"] == pricer) & rows["estimate"].notna()]
    return DASH if mine.empty else _estimate(mine.iloc[0])


def _tier(frame: pd.DataFrame, tier: int, pricers: list[str]) -> tuple[Markup, ...]:
    """One price tier; a run whose tiers have other limits gets dashes."""
    low, high = (int(constants.CONSTANTS[f"study_tier_{end}"]) for end in (tier, tier + 1))
    rows = select(frame, sample="natural", cell_by="tier", cell=f"${low:,}-{high:,}", measure=BIAS)
    name = Markup("{} to {}").format(constant(f"study_tier_{tier}", "usd"), constant(f"study_tier_{tier + 1}", "usd"))
    return name, constant(f"study_bias_tier_{tier}", "factor"), *(_first(rows, pricer) for pricer in pricers)
