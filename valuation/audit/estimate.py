"""``valuation audit estimate``: what verdicts say of a run, beside what the run says."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.audit.agreeing import agreement_of
from valuation.audit.drawn import CAVEAT
from valuation.audit.lines import audited_line, estimate, growth_of, plain_line, plain_users_line, series_frame
from valuation.audit.opening import open_audit
from valuation.audit.precision import precision_of
from valuation.audit.prices import gig_prices, matches_of
from valuation.audit.result import AuditResult, Counts, Response
from valuation.audit.values import (
    GIGS,
    PRICE,
    Prices,
    analyst_values,
    by_session,
    named_postings,
    pair_verdicts,
    session_values,
)
from valuation.core.audit_growth import halving, level_bounds
from valuation.core.audit_variance import variance_of
from valuation.errors import InputError, ThinMatchError
from valuation.pipeline.finished import read_manifest
from valuation.tables import AuditAgreement, AuditedSeries, AuditPrecision, write_table, write_text
from valuation.verdicts import VERDICTS, open_log, review_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from valuation.audit.opening import Audit
    from valuation.audit.result import Line
    from valuation.audit.values import AnalystValue, SessionVerdicts
    from valuation.config import Settings
    from valuation.core.audit_estimate import AuditEstimate
    from valuation.core.audit_growth import AuditedGrowth
    from valuation.storage import Layout
    from valuation.verdicts import Entry, Stored

LEAST = 2
"""Sessions of a month with an analyst's value, so that it has a level."""


def estimate_audit_of(
    layout: Layout, settings: Settings, audit_id: str | None = None, *, settled_first: bool = True
) -> AuditResult:
    """Estimate from the verdicts that stand, and write the tables beside the sample.

    Parameters
    ----------
    audit_id : str, optional
        By default the newest audit.
    settled_first : bool
        Adjudications take the place of what they settle; else they are left out.

    Raises
    ------
    InputError
        No such audit, or its run is gone or damaged.
    ThinMatchError
        No verdict stands in it.
    """
    told = _opened(layout, settings, audit_id)
    result, lines = _result(told, settings, settled_first=settled_first)
    _write(result, lines)
    return result


@dataclass(frozen=True, slots=True)
class _Told:
    """An audit with its run and the verdicts that stand."""

    audit: Audit
    run: Path
    manifest: dict[str, Any]
    standing: list[Stored]
    prices: Prices
    sessions: dict[str, SessionVerdicts]


def _opened(layout: Layout, settings: Settings, audit_id: str | None) -> _Told:
    audit = open_audit(layout, audit_id)
    run = layout.runs / audit.run_id
    if not (run / "manifest.json").is_file():
        raise InputError(
            f"audit {audit.audit_id} is of run {audit.run_id}, which is not in the workspace any more; with its inputs "
            "and settings unchanged `valuation run` makes it again"
        )
    manifest = read_manifest(run)
    standing = _standing(layout, settings, audit)
    prices = Prices.of(gig_prices(layout, manifest, matches_of(run, audit.wanted), named_postings(standing)))
    return _Told(audit, run, manifest, standing, prices, by_session(standing, prices))


def _result(told: _Told, settings: Settings, *, settled_first: bool) -> tuple[AuditResult, dict[str, Line]]:
    """Estimate every part; the four lines by name beside."""
    audit, level = told.audit, float(told.manifest["settings"]["series"]["level"])
    values = analyst_values(told.sessions, told.prices, settled_first=settled_first)
    h = session_values(values)
    matched, everyone = (estimate(audit, h, unmatched=which, level=level) for which in (False, True))
    growth = growth_of(matched, audit)
    lines = {
        "plain": plain_line(told.run, told.manifest, audit),
        "plain_users": plain_users_line(matched, growth, audit),
        "audited": audited_line(matched, growth, audit),
        "audited_all": audited_line(everyone, growth_of(everyone, audit), audit),
    }
    pairs = pair_verdicts(told.sessions, told.prices, settled_first=settled_first)
    precision, precision_table = precision_of(audit, pairs, level=level)
    counts = _counts(audit, told.standing, values)
    response = _responses(audit, matched, set(told.sessions), set(h))
    more_audits, halving_words = _halving(growth, matched, audit, response)
    result = AuditResult(
        audit_id=audit.audit_id,
        run_id=audit.run_id,
        settings_hash=audit.settings_hash,
        folder=audit.folder,
        level=level,
        **lines,
        power=matched.slope,
        growth_bounds=_growth_bounds(growth),
        response=response,
        precision=precision,
        precision_table=precision_table,
        agreement_table=agreement_of(audit, told.sessions, told.prices, settings.audit, level=level),
        audits_to_halve=more_audits,
        halving=halving_words,
        counts=counts,
        missing=_missing(audit, matched, everyone, lines["plain"].growth is None, counts),
        caveat=CAVEAT,
    )
    return result, lines


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


def _counts(audit: Audit, standing: Sequence[Stored], values: Sequence[AnalystValue]) -> Counts:
    said = Counter(str(one.entry.verdict) for one in standing)
    ways: dict[str, str] = {}
    for one in values:
        ways[one.session_id] = max(ways.get(one.session_id, ""), one.way, key=("", PRICE, GIGS).index)
    by_way = Counter(ways.values())
    gone = {one.session_id: one.withdrawn for one in values}
    return Counts(
        sessions=len({one.entry.session_id for one in standing}),
        drawn=len(audit.wanted),
        analysts=len({one.entry.analyst for one in standing}),
        standing={verdict: said.get(verdict, 0) for verdict in VERDICTS},
        settled=sum(one.entry.adjudicates for one in standing),
        not_blind=sum(_after_figures(one.entry) for one in standing),
        by_gigs=by_way.get(GIGS, 0),
        by_price=by_way.get(PRICE, 0),
        no_response=by_way.get("", 0),
        withdrawn=sum(gone.values()),
    )


def _after_figures(entry: Entry) -> bool:
    """Whether the page showed prices or values before the verdict; who settles disagreements is meant to see them."""
    return entry.origin == "page" and not entry.blind and not entry.adjudicates


def _missing(
    audit: Audit, matched: AuditEstimate, everyone: AuditEstimate, no_plain_growth: bool, counts: Counts
) -> tuple[str, ...]:
    """What could not be told, and why."""
    said = []
    for which, found in (("matched sessions", matched), ("all sessions", everyone)):
        short = [
            f"{month} has {int(found.n_responses[at])}"
            for at, month in enumerate(audit.months)
            if not np.isfinite(found.audited.estimate[at])
        ]
        if short:
            said.append(
                f"no audited level of {which}: {', '.join(short)} with an analyst's value, and at least {LEAST} are "
                "needed in a month (gigs accepted as comparable, or a price)"
            )
    if counts.withdrawn:
        said.append(
            f"{counts.withdrawn:,} accepted gigs have no price any more: their postings were deleted since; the other "
            "gigs of those sessions count, and a session without any has no analyst's value"
        )
    if len(audit.months) > 1 and no_plain_growth:
        said.append(f"the run has no growth from {audit.months[0]} to {audit.months[-1]} to stand beside the audited")
    return tuple(said)


def _write(result: AuditResult, lines: Mapping[str, Any]) -> None:
    """Write the tables and, last, the result as JSON."""
    write_table(series_frame(lines), result.folder / "audited.parquet", AuditedSeries)
    write_table(result.precision_table, result.folder / "precision.parquet", AuditPrecision)
    write_table(result.agreement_table, result.folder / "agreement.parquet", AuditAgreement)
    write_text(result.folder / "estimate.json", json.dumps(as_json(result), indent=1, sort_keys=True))


def as_json(result: AuditResult) -> dict[str, Any]:
    """The result as plain data, without its folder: numbers that are not finite are null."""
    tables = ("precision_table", "agreement_table")
    said = {name: getattr(result, name) for name in AuditResult.__dataclass_fields__ if name not in (*tables, "folder")}
    plain = {name: asdict(one) if hasattr(one, "__dataclass_fields__") else one for name, one in said.items()}
    plain["response"] = [asdict(one) for one in result.response]
    plain |= {name: getattr(result, name).to_dict("records") for name in tables}
    finite: dict[str, Any] = _finite(plain)
    return finite


def _finite(value: Any) -> Any:  # noqa: ANN401 - JSON's own types
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
