"""The pricer card: how well the pricers do where prices are known, beside the published study's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report import constants
from valuation.report.blocks import Block, Context, Grid, Note
from valuation.report.inputs import PRICER_WORDS, RunTables, headline_pricer, lookup, select
from valuation.report.provenance import DASH, cell, constant, interval
from valuation.report.words import in_words
from valuation.report.words_card import BIAS, MEASURE_WORDS, SAMPLE_WORDS, ranked

if TYPE_CHECKING:
    import pandas as pd


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
    overall = frame[(frame["cell_by"] == "") & frame["pricer"].isin(list(PRICER_WORDS))]
    return () if overall.empty else (_overall(context, overall),)


def estimated(row: pd.Series | None) -> Markup:
    """Write a measure of the card with its interval below, if it has one; nothing if there is no such row."""
    if row is None:
        return Markup("")
    style = style_of(row["measure"])
    estimate, ends = cell("validation", row, "estimate", style), interval("validation", row, ("lower", "upper"), style)
    return estimate if ends == DASH else Markup("{} <small>{}</small>").format(estimate, ends)


def _overall(context: Context, frame: pd.DataFrame) -> Grid:
    """Lay measures and samples against the three pricers."""
    pricers = [name for name in PRICER_WORDS if (frame["pricer"] == name).any()]
    if {"slope_raw", "slope_corrected"} <= set(frame["measure"]):
        frame = frame[frame["measure"] != "slope"]  # one of those two, whichever the settings ask for
    keys = sorted(
        set(zip(frame["measure"], frame["sample"], strict=True)),
        key=lambda key: (ranked(MEASURE_WORDS, key[0]), ranked(SAMPLE_WORDS, key[1])),
    )
    body = [_measure_row(select(frame, measure=measure, sample=sample), pricers) for measure, sample in keys]
    header = ("Measure", "Sample", "n", *(PRICER_WORDS[name].capitalize() for name in pricers))
    sentence = Markup(
        "On postings that the pricer did not see; below an estimate stands its {level} interval. Squared "
        "correlations of differently mixed samples are not comparable with each other: the natural mix is the "
        "postings’ own, balanced tiers count a quarter each. Fully described postings have {characters} characters or "
        "more. The headline uses {pricer}{applied}."
    ).format(
        pricer=PRICER_WORDS[headline_pricer(context.tables)],
        level=constant("series_level", "level"),
        characters=constant("full_text", "count"),
        applied=_applied(context.tables),
    )
    return Grid("Pricer card", header, tuple(body), sentence, context.concerning("card"))


def _measure_row(rows: pd.DataFrame, pricers: list[str]) -> tuple[Markup, ...]:
    found = {row["pricer"]: row for _, row in rows.iterrows()}
    first = next(found[name] for name in pricers if name in found)
    words = in_words(MEASURE_WORDS, first["measure"]), in_words(SAMPLE_WORDS, first["sample"])
    return *words, cell("validation", first, "n", "count"), *(estimated(found.get(name)) for name in pricers)


def _applied(tables: RunTables) -> str:
    """Say whether the run's values carry the linear correction, if its manifest does."""
    known = lookup(tables.manifest, "calibration/applied")
    return "" if not isinstance(known, bool) else " after the linear correction" if known else " before any correction"


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
    return DASH if mine.empty else estimated(mine.iloc[0])


def _tier(frame: pd.DataFrame, tier: int, pricers: list[str]) -> tuple[Markup, ...]:
    """One price tier; a run whose tiers have other limits gets dashes."""
    low, high = (int(constants.CONSTANTS[f"study_tier_{end}"]) for end in (tier, tier + 1))
    rows = select(frame, sample="natural", cell_by="tier", cell=f"${low:,}-{high:,}", measure=BIAS)
    name = Markup("{} to {}").format(constant(f"study_tier_{tier}", "usd"), constant(f"study_tier_{tier + 1}", "usd"))
    return name, constant(f"study_bias_tier_{tier}", "factor"), *(_first(rows, pricer) for pricer in pricers)
