"""Every number of the report that stands in no table, computed once and named: the source ``fact:NAME:value``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from valuation.report import measures, measures_audit, measures_evidence
from valuation.report.inputs import RunTables, headline_pricer, lookup, select, setting, span
from valuation.report.order import natural
from valuation.report.plots_groups import group_names, hidden_groups, monthly_rows
from valuation.report.provenance import key_of
from valuation.report.words_card import SAMPLE_WORDS, ranked

if TYPE_CHECKING:
    import pandas as pd

TOP_NEIGHBOURS = 5
MOST_CELLS = 12
MOST_CARD_CELLS = 16  # fifteen cells of the bands


def facts_of(tables: RunTables) -> dict[str, float]:
    """Return the report's own numbers by name; NaN where a run cannot give one."""
    facts = {**_counts(tables), **_spread(tables), **_shift(tables), **_groups(tables), **_monthly(tables)}
    facts |= {**_card(tables), **_sources(tables), **measures_evidence.facts_of_evidence(tables)}
    facts |= measures_audit.facts_of_audit(tables)
    for session_id in example_ids(tables):
        facts.update(_example(tables, session_id))
    return facts


def _counts(tables: RunTables) -> dict[str, float]:
    ends, values = span(tables), tables.values
    joined = measures.with_users(tables)
    both, either, single = measures.user_overlap(tables)
    facts: dict[str, float] = {
        "sessions": len(values),
        "matched": float(values["matched"].sum()),
        "unmatched": float((~values["matched"]).sum()),
        "matched_share": float(values["matched"].mean()) if len(values) else math.nan,
        "users": joined["user"].nunique(),
        "months": tables.values["month"].nunique(),
        "postings_used": tables.matches["cluster_id"].nunique(),
        "users_both": both,
        "users_either": either,
        "users_single_month": single,
        "hub_share": measures.hub_share(tables),
    }  # fmt: skip
    for name, month in (("base", ends.base), ("last", ends.last)):
        here = joined[joined["month"] == month]
        facts[f"sessions_{name}"] = len(here)
        facts[f"users_{name}"] = here["user"].nunique()
    return facts


def _spread(tables: RunTables) -> dict[str, float]:
    """Quantiles of values, similarity and band widths over matched sessions."""
    matched = tables.values[tables.values["matched"]]
    facts: dict[str, float] = {"length_correlation": measures.length_correlation(tables)}
    for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
        facts[f"value_{name}"] = _quantile(matched["value_usd"], share)
        facts[f"similarity_{name}"] = _quantile(tables.values["similarity_max"], share)
    for band, widths in measures.band_widths(tables.values).items():
        facts[f"width_{band}"] = _quantile(widths, 0.5)
    facts["effective_neighbours_p50"] = _quantile(matched["effective_neighbours"], 0.5)
    return facts


def _quantile(column: pd.Series, share: float) -> float:
    known = column.dropna().to_numpy(float)
    return float(np.quantile(known, share)) if len(known) else math.nan


def _shift(tables: RunTables) -> dict[str, float]:
    found = measures.shift(tables)
    if found is None:
        return {}
    return {"shift": found.difference, "shift_lower": found.lower, "shift_upper": found.upper}


def _groups(tables: RunTables) -> dict[str, float]:
    """Count each grouping's groups, those drawn, and the cells left out."""
    facts: dict[str, float] = {}
    keys = {"statistic": "mean_log", "pricer": headline_pricer(tables)}
    for group_by in sorted(set(tables.series["group_by"]) - {""}):
        frame = select(tables.series, group_by=group_by, **keys)
        facts[key_of("groups", group_by, "all")] = frame["group"].nunique()
        facts[key_of("groups", group_by, "drawn")] = len(group_names(tables, group_by))
        facts[key_of("groups", group_by, "hidden")] = len(hidden_groups(tables, group_by))
        facts[key_of("groups", group_by, "suppressed")] = float(frame["suppressed"].sum())
    return facts


def _monthly(tables: RunTables) -> dict[str, float]:
    """Count each grouping's splits from month to month, and those whose interval misses zero, by term."""
    facts: dict[str, float] = {}
    for group_by in sorted(set(tables.decomposition_monthly["group_by"])):
        rows = monthly_rows(tables, group_by)
        facts[key_of("monthly", group_by, "pairs")] = rows["to_month"].nunique()
        for term in ("within", "mix"):
            mine = rows[rows["term"] == term]
            facts[key_of("monthly", group_by, term)] = float(((mine["lower"] > 0) | (mine["upper"] < 0)).sum())
    return facts


def sources_shown(tables: RunTables) -> list[str]:
    """Sources of the postings that sessions were matched with: the twelve with the most weight."""
    weight = measures.source_weights(tables)["weight"].sort_index()
    return [str(name) for name in weight.sort_values(ascending=False, kind="stable").index[:MOST_CELLS]]


def _sources(tables: RunTables) -> dict[str, float]:
    found, names = measures.source_weights(tables), sources_shown(tables)
    facts: dict[str, float] = {"sources_all": len(found), "sources_shown": len(names)}
    for name in names:
        postings, weight, log_price = (float(found[column].loc[name]) for column in ("postings", "weight", "log_price"))
        facts[key_of("source", name, "postings")] = postings
        facts[key_of("source", name, "share")] = weight / float(found["weight"].sum())
        facts[key_of("source", name, "price")] = math.exp(log_price)
    return facts


def card_rows(tables: RunTables, cell_by: str) -> pd.DataFrame:
    """Rows of the pricer card by one kind of cell: the headline's pricer, or the first there is; one sample."""
    rows: pd.DataFrame = select(tables.validation[tables.validation["estimate"].notna()], cell_by=cell_by)
    mine = select(rows, pricer=headline_pricer(tables))
    rows = mine if not mine.empty else rows
    sample = min(set(rows["sample"]), key=lambda name: ranked(SAMPLE_WORDS, name))
    return select(rows, sample=sample, pricer=min(rows["pricer"]))


def card_cells(rows: pd.DataFrame) -> list[str]:
    """Cells that the card shows, by the numbers in their names: the sixteen with the most postings."""
    largest = rows.groupby("cell")["n"].max().sort_index().sort_values(ascending=False, kind="stable")
    return sorted((str(name) for name in largest.index[:MOST_CARD_CELLS]), key=natural)


def _card(tables: RunTables) -> dict[str, float]:
    facts: dict[str, float] = {}
    known = tables.validation[tables.validation["estimate"].notna()]
    for cell_by in sorted(set(known["cell_by"]) - {""}):
        rows = card_rows(tables, cell_by)
        facts[key_of("card", cell_by, "all")] = rows["cell"].nunique()
        facts[key_of("card", cell_by, "shown")] = len(card_cells(rows))
    return facts


def example_ids(tables: RunTables) -> list[str]:
    """Sessions shown as examples: evenly spaced quantiles of value over matched sessions, ties by id."""
    wanted = lookup(tables.manifest, "settings/report/examples")
    count = int(setting(tables, "report/examples", 10.0)) if wanted is not None else 10
    known = set(tables.matches["session_id"])
    matched = tables.values[tables.values["matched"] & tables.values["session_id"].isin(known)]
    ordered = matched.sort_values(["value_usd", "session_id"])["session_id"].to_list()
    count = min(count, len(ordered))
    return [str(ordered[int((i + 0.5) / count * len(ordered))]) for i in range(count)]


def _example(tables: RunTables, session_id: str) -> dict[str, float]:
    """Sum a session's contributions: the neighbours shown, the others; and count those."""
    rows = tables.matches[tables.matches["session_id"] == session_id].sort_values("rank")
    shown, others = rows.iloc[:TOP_NEIGHBOURS], rows.iloc[TOP_NEIGHBOURS:]
    others = others[others["weight"] > 0]
    return {
        key_of("example", session_id, "shown"): float(shown["contribution"].sum()),
        key_of("example", session_id, "others"): float(others["contribution"].sum()),
        key_of("example", session_id, "n_shown"): len(shown),
        key_of("example", session_id, "n_others"): len(others),
        key_of("example", session_id, "sum"): float(rows["contribution"].sum()),
    }
