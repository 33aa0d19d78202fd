"""Example matches: chosen by rule, with the arithmetic of each value, so that it can be redone by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from valuation.report.blocks import Block, Context, Example, Neighbour, Note, Section
from valuation.report.facts import TOP_NEIGHBOURS, example_ids
from valuation.report.inputs import lookup
from valuation.report.measures import incomplete
from valuation.report.provenance import DASH, cell, interval, key_of, month
from valuation.report.text import clean, excerpt, safe_url

if TYPE_CHECKING:
    import pandas as pd

SUMMARY_CHARACTERS, TITLE_CHARACTERS = 320, 110


def section(context: Context) -> Section:
    """Build the section."""
    identities = example_ids(context.tables)
    lead = Markup(
        "Chosen by rule: evenly spaced quantiles of value, from cheap to dear, over all matched sessions. “Fitted” "
        "is the hedonic regression, for the session and for the posting, fitted without that posting’s fold; a "
        "contribution is weight × (log price + fitted for the session − fitted for the posting). Texts are excerpts "
        "of what was imported."
    )
    if not identities:
        return Section("Example matches", lead, (Note(Markup("No session is matched, so there is none to show.")),))
    chosen = context.tables.values[context.tables.values["session_id"].isin(identities)]
    values = {row["session_id"]: row for _, row in chosen.iterrows()}
    sessions = context.tables.sessions.set_index("session_id", drop=False)
    postings = context.tables.postings.set_index("posting_id", drop=False)
    rows = context.tables.matches.sort_values("rank").groupby("session_id", sort=False)
    blocks: list[Block] = []
    for name in identities:
        nearest = rows.get_group(name).iloc[:TOP_NEIGHBOURS]
        summary = sessions["summary"].get(name, "")
        blocks.append(_example(context, values[name], summary, nearest, postings))
    return Section("Example matches", lead, tuple(blocks))


def _example(
    context: Context, value: pd.Series, summary: object, nearest: pd.DataFrame, postings: pd.DataFrame
) -> Example:
    lead = Markup(
        "{month}: <strong>{value}</strong>; typical band {typical}, single-posting band {single} (level {level})."
    ).format(
        month=month(value["month"]),
        value=cell("values", value, "value_usd", "usd"),
        typical=interval("values", value, ("typical_lower", "typical_upper"), "usd"),
        single=interval("values", value, ("single_lower", "single_upper"), "usd"),
        level=context.level("bands"),
    )
    return Example(
        session_id=clean(value["session_id"]),
        lead=lead,
        summary=excerpt(summary, SUMMARY_CHARACTERS),
        neighbours=tuple(_neighbour(row, postings) for _, row in nearest.iterrows()),
        arithmetic=_arithmetic(context, value),
    )


def _neighbour(row: pd.Series, postings: pd.DataFrame) -> Neighbour:
    known = row["posting_id"] in postings.index
    posting = postings.loc[row["posting_id"]] if known else None
    text = "" if posting is None else clean(posting["title"]) or clean(posting["description"])
    cells = (
        ("rank", "count"),
        ("price_usd", "usd"),
        ("similarity", "number"),
        ("weight", "share"),
        ("log_price", "ln"),
        ("log_session_hedonic", "ln"),
        ("log_price_hedonic", "ln"),
        ("contribution", "ln"),
    )
    return Neighbour(
        title=excerpt(text, TITLE_CHARACTERS) or "(no title)",
        url="" if posting is None else safe_url(posting["url"]),
        source="" if posting is None else clean(posting["source"]),
        cells=tuple(cell("matches", row, column, style) for column, style in cells),
    )


def _arithmetic(context: Context, value: pd.Series) -> Markup:
    """Write the sum that gives the value; say so where it does not."""
    name = str(value["session_id"])
    facts = {part: key_of("example", name, part) for part in ("shown", "others", "n_shown", "n_others", "sum")}
    total = Markup("Contributions: {shown} from the {n_shown} shown and {others} from {n_others} others").format(
        shown=context.fact(facts["shown"], "ln"),
        n_shown=context.fact(facts["n_shown"], "count"),
        others=context.fact(facts["others"], "ln"),
        n_others=context.fact(facts["n_others"], "count"),
    )
    if not math.isclose(context.facts[facts["sum"]], float(value["log_value_raw"]), rel_tol=0, abs_tol=1e-6):
        raw = cell("values", value, "log_value_raw", "ln")
        if name in incomplete(context.tables):
            return Markup(
                "{}. The rest of {}, the log value of this run ({}; {}), came from neighbours deleted since."
            ).format(total, raw, *_value(value))
        return Markup("{}: they do not add up to {}, the log value of this run ({}; {}).").format(
            total, raw, *_value(value)
        )
    if math.isclose(float(value["log_value_raw"]), float(value["log_value"]), rel_tol=0, abs_tol=1e-9):
        return Markup("{}: together {}, whose exponential is {}.").format(total, *_value(value))
    text = "{}: together {}; after calibration ({}) {}, whose exponential is {}."
    return Markup(text).format(total, cell("values", value, "log_value_raw", "ln"), _rule(context), *_value(value))


def _value(value: pd.Series) -> tuple[Markup, Markup]:
    return cell("values", value, "log_value", "ln"), cell("values", value, "value_usd", "usd")


def _rule(context: Context) -> Markup:
    slope = "slope" if lookup(context.tables.manifest, "calibration/slope") is not None else "b"
    intercept = "intercept" if slope == "slope" else "a"
    pair = [context.manifest(f"calibration/{name}", "ln") for name in (intercept, slope)]
    return Markup("linear") if DASH in pair else Markup("{} + {} × the sum").format(*pair)
