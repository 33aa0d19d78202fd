"""The warnings of a run, by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valuation.report import rules_audit as audit
from valuation.report import rules_estimates as estimates
from valuation.report import rules_evidence as evidence
from valuation.report import rules_sessions as sessions
from valuation.report import rules_shift as shift

if TYPE_CHECKING:
    from collections.abc import Callable

    from valuation.report.inputs import RunTables
    from valuation.report.warning import Warning_

ORDER = {"serious": 0, "caution": 1, "note": 2}
RULES: tuple[Callable[[RunTables], list[Warning_]], ...] = (
    estimates.nothing_matched,
    estimates.sums_off,
    sessions.withdrawn,
    estimates.no_growth,
    estimates.shift_excludes_zero,
    audit.audit_differs,
    shift.few_components,
    shift.blind_shift_check,
    evidence.placebo_failed,
    sessions.mix_jump,
    sessions.length_drift,
    evidence.few_clusters,
    sessions.few_users,
    sessions.one_user,
    estimates.matched_fall,
    evidence.unmatched_rising,
    evidence.much_unmatched,
    evidence.tilt_slope,
    evidence.sign_changes,
    estimates.few_postings,
    sessions.user_overlap,
    sessions.length_value,
    estimates.includes_zero,
    estimates.calibration_slope,
    estimates.coverage,
    estimates.hubs,
    audit.low_precision,
    audit.audit_response,
    audit.few_audited,
    audit.analysts_disagree,
    sessions.missing_months,
    sessions.partial_months,
    estimates.suppressed,
)


def warnings_of(tables: RunTables) -> list[Warning_]:
    """Apply every rule; the serious first, then in the order of the rules."""
    fired = [found for rule in RULES for found in rule(tables)]
    return sorted(fired, key=lambda found: ORDER[found.severity])
