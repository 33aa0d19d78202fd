"""What a run writes: its tables, its manifest and its report."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.core.growth import DETECTABLE
from valuation.pipeline.audits_read import read_audit
from valuation.pipeline.card_store import pricer_card
from valuation.pipeline.deflator import read_deflator, with_dollars
from valuation.pipeline.embedding import identify_encoder
from valuation.pipeline.finished import read_run_table, read_truth
from valuation.pipeline.manifest_parts import calibration_facts, category_facts, smearing_facts
from valuation.pipeline.moved_tables import (
    check_shift,
    decomposition_table,
    moved_tables,
    shift_check_table,
    shift_facts,
)
from valuation.pipeline.series_tables import growth_table, series_table, span_of
from valuation.pipeline.session_register import save_means
from valuation.pipeline.tables import matches_table, values_table
from valuation.pipeline.tracking import track
from valuation.pipeline.workings import left_out_table, nearby_table, workings_table, write_errors
from valuation.storage import postings_digest, read_postings, sessions_digest
from valuation.tables import (
    Decomposition,
    Growth,
    IndexNumbers,
    LeftOut,
    Matches,
    Nearby,
    People,
    Placebo,
    PlaceboDraws,
    PriceVolume,
    Sensitivity,
    SeriesTable,
    ShiftCheck,
    Table,
    TiltBacktest,
    TimeDummies,
    Validation,
    Values,
    Workings,
    empty,
    write_atomic,
    write_table,
    write_text,
)
from valuation.tables.lookup import ROW_GROUP
from valuation.tables.withdrawn import read_withdrawn

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.config import Settings
    from valuation.core.shift_check import ShiftCheck as ShiftCheckArrays
    from valuation.pipeline.model_store import OpenedModel
    from valuation.pipeline.pricing import PricedTexts
    from valuation.pipeline.run import SessionArrays
    from valuation.pipeline.tracking import Tracked
    from valuation.progress import Progress
    from valuation.report import RunTables
    from valuation.storage import Layout

PACKAGES = ("faiss-cpu", "numpy", "numba", "pandas", "scikit-learn", "scipy", "sentence-transformers", "torch")
BESIDE: dict[str, type[Table]] = {
    "decomposition_monthly": Decomposition,
    "index_numbers": IndexNumbers,
    "price_volume": PriceVolume,
    "time_dummies": TimeDummies,
    "people": People,
    "placebo": Placebo,
    "placebo_draws": PlaceboDraws,
    "tilt_backtest": TiltBacktest,
    "sensitivity": Sensitivity,
}
"""Tables that the report shows if they are there."""
LOOKED_UP = ("values", "matches", "workings", "nearby", "left_out")
"""Tables that the review pages look up single sessions in."""


def write_run(
    layout: Layout,
    settings: Settings,
    folder: Path,
    identity: str,
    opened: OpenedModel,
    sessions: SessionArrays,
    priced: PricedTexts,
    progress: Progress,
) -> None:
    """Write every table of a run, its report and, last, its manifest."""
    model, frame = opened.model, sessions.frame
    _write(folder, "values", values_table(frame, priced, model, settings), Values)
    _write(folder, "matches", matches_table(frame["session_id"], priced, model, settings), Matches)
    _write(folder, "workings", workings_table(frame["session_id"], priced), Workings)
    _write(folder, "nearby", nearby_table(frame["session_id"], priced), Nearby)
    _write(folder, "left_out", left_out_table(frame["session_id"], priced), LeftOut)
    write_errors(layout, opened.basket_id, model, settings)
    progress.stage("track months")
    tracked = track(frame, sessions.users, sessions.calendar, priced, sessions.features, model, settings)
    series = series_table(tracked, frame, priced.matched, settings)
    growth = growth_table(tracked, settings)
    shift = check_shift(tracked, sessions.vectors, model, settings)
    _write(folder, "series", series, SeriesTable)
    _write(folder, "growth", growth, Growth)
    _write(folder, "shift_check", shift_check_table(tracked, shift, settings), ShiftCheck)
    _write(folder, "decomposition", decomposition_table(tracked, settings), Decomposition)
    moved = moved_tables(tracked, sessions.vectors, model, settings)
    _write(folder, "decomposition_monthly", moved.decomposition_monthly, Decomposition)
    _write(folder, "index_numbers", moved.index_numbers, IndexNumbers)
    _write(folder, "price_volume", moved.price_volume, PriceVolume)
    _write(folder, "time_dummies", moved.time_dummies, TimeDummies)
    _write(folder, "people", moved.people, People)
    card = pricer_card(layout, settings, opened, progress)
    _write(folder, "validation", card, Validation)
    save_means(folder, sessions.means, opened.basket_id)
    progress.stage("report")
    manifest = _manifest(layout, settings, identity, opened, sessions, priced, tracked, shift, growth)
    manifest = with_dollars(manifest, read_deflator(layout, settings))
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    # rendered from what is written, so that `valuation report` gives the same bytes later
    write_report(layout, folder, json.loads(text), frame)
    write_text(folder / "manifest.json", text)


def _write(folder: Path, name: str, frame: pd.DataFrame, schema: type[Table]) -> None:
    rows_a_group = ROW_GROUP if name in LOOKED_UP else None
    write_table(frame, folder / f"{name}.parquet", schema, rows_a_group=rows_a_group)


def _manifest(
    layout: Layout,
    settings: Settings,
    identity: str,
    opened: OpenedModel,
    sessions: SessionArrays,
    priced: PricedTexts,
    tracked: Tracked,
    shift: ShiftCheckArrays,
    growth: pd.DataFrame,
) -> dict[str, Any]:
    """Everything that says what a run is: no clock, no host."""
    model, calendar = opened.model, sessions.calendar
    encoder = asdict(identify_encoder(layout, settings))
    named = list(zip(calendar.months, calendar.complete.tolist(), strict=True))
    return {
        "run_id": identity,
        "headline": headline(growth, settings, len(sessions.frame), int(priced.matched.sum())),
        "caveat": "a relative, coarse measure: never a wage, an invoice or a saving",
        "basket_id": opened.basket_id,
        "basket": model.counts.data(),
        "inputs": {"postings": postings_digest(layout), "sessions": sessions_digest(layout)},
        "encoder": {key: item for key, item in encoder.items() if key not in ("path", "ready")},
        "register": sessions.means.note,
        "base_month": calendar.base,
        "months": {
            "complete": [month for month, whole in named if whole],
            "partial": [month for month, whole in named if not whole],
        },
        "s_min": model.s_min,
        "calibration": calibration_facts(model, settings),
        "single_posting_categories": category_facts(model.scores),
        "ridge": {
            "penalty": model.pricer.fit.penalty,
            "tried": dict(
                zip(map(str, settings.pricing.penalties), model.pricer.fit.penalty_error.tolist(), strict=True)
            ),
        },
        "long_text_share": {"postings": opened.long_share, "sessions": sessions.long_share},
        "unmatched_bounds": unmatched_bounds(sessions, priced, tracked, settings),
        "shift_check": shift_facts(tracked, shift, settings),
        "support": _support(tracked, settings),
        "smearing": smearing_facts(tracked.smearing),
        "settings": settings.identity(),
        "code": {"valuation": version("session-value"), "packages": {name: version(name) for name in PACKAGES}},
    }


def _support(tracked: Tracked, settings: Settings) -> dict[str, float]:
    """What the headline's growth rests on, and the smallest growth that it could show."""
    from valuation.core.growth import between, contrast_interval, effective, support
    from valuation.core.intervals import widening

    span = span_of(tracked, tracked.cells.groups[0], settings)
    if span is None or not span.grows:
        return {}
    headline = tracked.statistics[0]
    contrast = between(headline.influence.mean.size, np.array([span.base]), np.array([span.last]))
    stands, level = support(headline.influence, contrast), settings.series.level
    factor = float(widening(np.array([effective(stands, "both")]), level=level)[0])
    change = contrast_interval(headline.replicates, contrast, variation="both", level=level, factor=factor)
    detectable = float(np.expm1(DETECTABLE * change.standard_error[0] * factor))
    return {"hub_weight": stands.hub_weight, "minimum_detectable_growth": detectable}


def unmatched_bounds(
    sessions: SessionArrays, priced: PricedTexts, tracked: Tracked, settings: Settings
) -> dict[str, Any]:
    """Bounds when unmatched sessions take the 10th or 90th percentile of the base month's matched values.

    One pair of values for all months; growth takes the extreme two of the four combinations of its two ends.
    """
    from valuation.core.pricing import PRICERS

    month, weight = sessions.frame["month"].to_numpy(), sessions.frame["weight"].to_numpy()
    value = priced.value[PRICERS.index(settings.pricing.pricer)]
    base = value[priced.matched & (month == sessions.calendar.base)]
    ends = np.quantile(base, [0.1, 0.9])
    bounds: dict[str, Any] = {"low_value_usd": float(np.exp(ends[0])), "high_value_usd": float(np.exp(ends[1]))}
    levels = {}
    for name in sessions.calendar.months:
        inside = month == name
        filled = [np.where(priced.matched, value, end)[inside] for end in ends]
        levels[name] = [float(np.average(part, weights=weight[inside])) for part in filled]
    bounds["value_usd"] = {name: [float(np.exp(end)) for end in pair] for name, pair in levels.items()}
    span = span_of(tracked, tracked.cells.groups[0], settings)
    if span is not None and span.grows:
        first, last = (levels[sessions.calendar.months[i]] for i in (span.base, span.last))
        changes = [float(np.expm1(end - start)) for start in first for end in last]
        bounds["growth"] = [min(changes), max(changes)]
    return bounds


def headline(growth: pd.DataFrame, settings: Settings, n_sessions: int, n_matched: int) -> str:
    """One sentence: growth with its interval, or why there is none."""
    counted = f"{n_matched:,} of {n_sessions:,} sessions matched"
    rows = growth[
        (growth["group_by"] == "")
        & (growth["statistic"] == "mean_log")
        & (growth["pricer"] == settings.pricing.pricer)
        & (growth["variation"] == "both")
    ]
    if rows.empty:
        return f"no growth figure: fewer than two complete months with enough sessions and users ({counted})"
    row = rows.iloc[0]
    interval = f"{settings.series.level:.0%} interval {_percent(row['lower'])} to {_percent(row['upper'])}"
    if np.isnan([row["lower"], row["upper"]]).any():
        interval = "too few effective users for an interval"
    months = f"from {row['from_month']} to {row['to_month']}"
    return f"value per session {_percent(row['growth'])} {months} ({interval}; {counted}); a relative, coarse measure"


def _percent(share: float) -> str:
    """A signed percentage; a change that rounds to nothing has no sign of its own."""
    return f"{share if abs(share) >= 5e-4 else 0.0:+.1%}"  # noqa: PLR2004 - half of the last place shown


def report_tables(layout: Layout, folder: Path, manifest: dict[str, Any], sessions: pd.DataFrame) -> RunTables:
    """Read a run's tables as they stand on disk, for the report."""
    from valuation.report import RunTables

    matches = read_run_table(folder, "matches", Matches)
    postings = read_postings(layout)
    beside: dict[str, Any] = {name: _beside(folder, name, schema) for name, schema in BESIDE.items()}
    return RunTables(
        values=read_run_table(folder, "values", Values),
        matches=matches,
        series=read_run_table(folder, "series", SeriesTable),
        growth=read_run_table(folder, "growth", Growth),
        decomposition=read_run_table(folder, "decomposition", Decomposition),
        shift_check=read_run_table(folder, "shift_check", ShiftCheck),
        validation=read_run_table(folder, "validation", Validation),
        sessions=sessions,
        postings=postings[postings["posting_id"].isin(matches["posting_id"])].reset_index(drop=True),
        manifest=manifest,
        truth=read_truth(layout.root / "truth.json"),
        withdrawn=read_withdrawn(folder),
        **beside,
        **read_audit(layout, str(manifest["run_id"])),
    )


def _beside(folder: Path, name: str, schema: type[Table]) -> pd.DataFrame:
    """Read a table that a run may or may not have; empty where it has none."""
    return read_run_table(folder, name, schema) if (folder / f"{name}.parquet").exists() else empty(schema)


def write_report(layout: Layout, folder: Path, manifest: dict[str, Any], sessions: pd.DataFrame) -> None:
    """Write ``report.html`` and its main figure as ``main-figure.svg``, where a month may be shown."""
    from valuation.report import has_main_figure, render, save_main_figure

    tables = report_tables(layout, folder, manifest, sessions)
    write_text(folder / "report.html", render(tables))
    if has_main_figure(tables):
        write_atomic(folder / "main-figure.svg", lambda to: save_main_figure(tables, to))
