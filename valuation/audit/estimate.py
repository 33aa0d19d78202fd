"""``valuation audit estimate``: what verdicts say of a run, beside what the run says."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.audit.agreeing import agreement_of
from valuation.audit.counts import after_figures, counts_of
from valuation.audit.drawn import CAVEAT
from valuation.audit.lines import (
    apart_of,
    audited_line,
    estimate,
    growth_of,
    plain_line,
    plain_users_line,
    series_frame,
)
from valuation.audit.missing import LEAST, missing_of
from valuation.audit.opening import open_audit
from valuation.audit.precision import precision_of
from valuation.audit.prices import gig_prices, matches_of
from valuation.audit.result import LEFT_OUT, LINES, AuditResult, Response
from valuation.audit.values import (
    Prices,
    analyst_values,
    by_session,
    named_postings,
    pair_verdicts,
    session_values,
    values_accepting_all,
)
from valuation.core.audit_growth import halving, level_bounds
from valuation.core.audit_variance import variance_of
from valuation.errors import InputError, ThinMatchError
from valuation.pipeline.finished import read_manifest
from valuation.tables import AuditAgreement, AuditedSeries, AuditPrecision, write_table, write_text
from valuation.verdicts import open_log, review_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from valuation.audit.opening import Audit
    from valuation.audit.values import SessionVerdicts
    from valuation.config import Settings
    from valuation.core.audit_estimate import AuditEstimate
    from valuation.core.audit_growth import AuditedGrowth
    from valuation.storage import Layout
    from valuation.verdicts import Stored


def estimate_audit_of(
    layout: Layout, settings: Settings, audit_id: str | None = None, *, settled_first: bool = True,
    blind_only: bool = False,
) -> AuditResult:  # fmt: skip
    """Estimate from the verdicts that stand, and write the tables beside the sample.

    Parameters
    ----------
    audit_id : str, optional
        By default the newest audit.
    settled_first : bool
        Adjudications take the place of what they settle; else they are left out.
    blind_only : bool
        Leave out verdicts given on a page after the analyst had seen figures.

    Raises
    ------
    InputError
        No such audit, or its run is gone or damaged.
    ThinMatchError
        No verdict stands in it, or none that is not left out.
    """
    told = _opened(layout, settings, audit_id, settled_first=settled_first, blind_only=blind_only)
    result = _result(told, settings)
    _write(result)
    return result


@dataclass(frozen=True, slots=True)
class _Told:
    """An audit with its run and the verdicts that stand and count; how many were left out, by why."""

    audit: Audit
    run: Path
    manifest: dict[str, Any]
    standing: list[Stored]
    left_out: dict[str, int]
    prices: Prices
    sessions: dict[str, SessionVerdicts]


def _opened(
    layout: Layout, settings: Settings, audit_id: str | None, *, settled_first: bool, blind_only: bool
) -> _Told:
    audit = open_audit(layout, audit_id)
    run = layout.runs / audit.run_id
    if not (run / "manifest.json").is_file():
        raise InputError(
            f"audit {audit.audit_id} is of run {audit.run_id}, which is not in the workspace any more; with its inputs "
            "and settings unchanged `valuation run` makes it again"
        )
    manifest = read_manifest(run)
    standing, left_out = _counting(_standing(layout, settings, audit), settled_first, blind_only)
    if not standing:
        raise ThinMatchError(
            f"of the verdicts that stand in audit {audit.audit_id} none is left: "
            + " and ".join(f"{n:,} {LEFT_OUT[why]}" for why, n in left_out.items() if n)
            + " were left out as asked"
        )
    prices = Prices.of(gig_prices(layout, manifest, matches_of(run, audit.wanted), named_postings(standing)))
    return _Told(audit, run, manifest, standing, left_out, prices, by_session(standing, prices))


def _counting(standing: list[Stored], settled_first: bool, blind_only: bool) -> tuple[list[Stored], dict[str, int]]:
    """Verdicts that are asked for, and how many others there are."""
    counting = [one for one in standing if settled_first or not one.entry.adjudicates]
    blind = [one for one in counting if not (blind_only and after_figures(one.entry))]
    left_out = {"adjudications": len(standing) - len(counting), "after_figures": len(counting) - len(blind)}
    return blind, left_out


def _result(told: _Told, settings: Settings) -> AuditResult:
    """Estimate every part."""
    audit, level = told.audit, float(told.manifest["settings"]["series"]["level"])
    values = analyst_values(told.sessions, told.prices, settled_first=True)
    h = session_values(values)
    matched, everyone = (estimate(audit, h, unmatched=which, level=level) for which in (False, True))
    growth = growth_of(matched, audit)
    plain = plain_line(told.run, told.manifest, audit)
    if_all = estimate(audit, values_accepting_all(told.sessions, told.prices), unmatched=False, level=level)
    pairs = pair_verdicts(told.sessions, told.prices, settled_first=True)
    precision, precision_table = precision_of(audit, pairs, level=level)
    counts = counts_of(audit, told.standing, told.sessions, values)
    response = _responses(audit, matched, set(told.sessions), set(h))
    more_audits, halving_words = _halving(growth, matched, audit, response)
    return AuditResult(
        audit_id=audit.audit_id,
        run_id=audit.run_id,
        settings_hash=audit.settings_hash,
        folder=audit.folder,
        level=level,
        plain=plain,
        plain_users=plain_users_line(matched, growth, audit),
        audited=audited_line(matched, growth, audit),
        audited_all=audited_line(everyone, growth_of(everyone, audit), audit),
        accepting_all=audited_line(if_all, growth_of(if_all, audit), audit),
        apart=apart_of(matched, audit),
        power=matched.slope,
        growth_bounds=_growth_bounds(growth),
        response=response,
        precision=precision,
        precision_table=precision_table,
        agreement_table=agreement_of(audit, told.sessions, told.prices, settings.audit, level=level),
        audits_to_halve=more_audits,
        halving=halving_words,
        counts=counts,
        left_out=told.left_out,
        missing=missing_of(audit, matched, everyone, response, plain.growth is None, counts),
        caveat=CAVEAT,
    )


def _standing(layout: Layout, settings: Settings, audit: Audit) -> list[Stored]:
    """Verdicts that stand on sessions of the sample."""
    log = open_log(review_url(layout, settings))
    try:
        standing = log.standing(audit_id=audit.audit_id)
    finally:
        log.close()
    wanted = audit.wanted
    standing = [one for one in standing if one.entry.session_id in wanted]
    if not standing:
        raise ThinMatchError(
            f"no verdict stands in audit {audit.audit_id}; at least {LEAST} sessions of each month need an analyst's "
            f"value, and {len(wanted):,} are drawn: judge with valuation review, or valuation audit import "
            f"{audit.audit_id} FILE"
        )
    return standing


def _responses(audit: Audit, found: AuditEstimate, judged: set[str], valued: set[str]) -> tuple[Response, ...]:
    """Response by month among matched sessions, with bounds; `valued` have an analyst's value."""
    bounds = level_bounds(found)
    frame = audit.frame
    mine = frame[frame["matched"] & frame["session_id"].isin(judged)].groupby("month").size()
    users = frame[frame["matched"] & frame["session_id"].isin(valued)].groupby("month")["user"].nunique()
    return tuple(
        Response(
            month, int(found.n_audited[at]), int(mine.get(month, 0)), int(found.n_responses[at]),
            int(users.get(month, 0)), float(found.response_rate[at]), float(np.exp(bounds.lower[at])),
            float(np.exp(bounds.upper[at])),
        )
        for at, month in enumerate(audit.months)
    )  # fmt: skip


def _growth_bounds(growth: AuditedGrowth | None) -> tuple[float, float] | None:
    if growth is None or not (math.isfinite(growth.lower_bound) and math.isfinite(growth.upper_bound)):
        return None
    return float(np.expm1(growth.lower_bound)), float(np.expm1(growth.upper_bound))


def _halving(
    growth: AuditedGrowth | None, matched: AuditEstimate, audit: Audit, response: Sequence[Response]
) -> tuple[int | None, str]:
    """Sessions to draw for an interval half as wide, and in words; work that waits is not taken for non-response."""
    if growth is None:
        return None, "one month has no growth"
    if not math.isfinite(growth.standard_error):
        return None, "not known before growth has an interval"
    last = len(audit.months) - 1
    contrast = np.zeros(len(audit.months))
    contrast[0], contrast[last] = -1.0, 1.0
    judged = np.array([one.judged for one in response], dtype=np.int64)
    found = halving(matched, variance_of(matched.sampled, contrast), from_month=0, to_month=last, judged=judged)
    if found.too_few:
        return None, (
            f"no number of audits: at today's response all sessions of {audit.months[0]} and {audit.months[last]} "
            "would not give enough values; ask what judged sessions without one are worth"
        )
    if found.more_audits is None:
        return None, (
            "no number of audits: with every session of these months checked, a standard error of "
            f"{found.floor:.3f} remains from the sampling of users"
        )
    words = (
        f"{found.more_audits:,} more audits in {audit.months[0]} and {audit.months[last]} together, at today's response"
    )
    return found.more_audits, words + (
        f", after the {found.waiting:,} that are drawn and wait" if found.waiting else ""
    )


def _write(result: AuditResult) -> None:
    """Write the tables and, last, the result as JSON."""
    lines = {name: getattr(result, name) for name in LINES}
    write_table(series_frame(lines, result.apart), result.folder / "audited.parquet", AuditedSeries)
    write_table(result.precision_table, result.folder / "precision.parquet", AuditPrecision)
    write_table(result.agreement_table, result.folder / "agreement.parquet", AuditAgreement)
    write_text(result.folder / "estimate.json", json.dumps(as_json(result), indent=1, sort_keys=True))


def as_json(result: AuditResult) -> dict[str, Any]:
    """The result as plain data, without its folder: numbers that are not finite are null."""
    tables = ("precision_table", "agreement_table")
    said = {name: getattr(result, name) for name in AuditResult.__dataclass_fields__ if name not in (*tables, "folder")}
    plain = {name: asdict(one) if hasattr(one, "__dataclass_fields__") else one for name, one in said.items()}
    plain |= {name: [asdict(one) for one in getattr(result, name)] for name in ("response", "apart")}
    plain |= {name: getattr(result, name).to_dict("records") for name in tables}
    finite: dict[str, Any] = _finite(plain)
    return finite


def _finite(value: Any) -> Any:  # noqa: ANN401 - JSON's own types
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
