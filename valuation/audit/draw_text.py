"""What ``valuation audit draw`` prints for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from valuation.pipeline.plain import plain

if TYPE_CHECKING:
    from valuation.audit.drawn import DrawResult
    from valuation.audit.plan import ExpectedWidth

WIDTH = 80


def draw_text(result: DrawResult) -> str:
    """Design, strata, expected widths and caveat, in 80 columns."""
    head = f"audit {result.audit_id} of run {result.run_id}"
    if result.unchanged:
        head += " (unchanged: the same draw was there already)"
    if result.dry_run:
        head += " (dry run: nothing was written)"
    parts = [head, _months(result), _strata(result), _expected(result), wrapped(result.caveat)]
    if not result.dry_run:
        parts.append(f"next: valuation review, or valuation audit export {result.audit_id} --out DIR\n{result.folder}")
    return "\n\n".join(parts)


def _months(result: DrawResult) -> str:
    lines = [f"{'month':10s}{'sessions':>10s}{'matched':>10s}{'drawn':>8s}"]
    lines += [f"{one.month:10s}{one.sessions:10,d}{one.matched:10,d}{one.drawn:8,d}" for one in result.months]
    drawn = sum(one.drawn for one in result.months)
    lines.append(
        f"{result.reviews:,} judgements: {drawn:,} sessions, {result.reviews - drawn:,} of them by two analysts; "
        f"seed {result.seed}"
    )
    return "\n".join(lines)


def _strata(result: DrawResult) -> str:
    by = f"month x {plain(result.kind_by, 30)} x value x similarity" if result.kind_by else "month x value x similarity"
    lines = [f"{len(result.strata)} strata, {by}; the unmatched are their own"]
    lines.append(f"{'stratum':50s}{'sessions':>10s}{'drawn':>7s}{'probability':>13s}")
    lines += [
        f"{plain(one.label, 49):50s}{one.sessions:10,d}{one.audits:7,d}{one.inclusion_probability:13.4f}"
        for one in result.strata
    ]
    lines += [wrapped(f"coarser for want of audits: {plain(line, 300)}") for line in result.coarsened]
    return "\n".join(lines)


def _expected(result: DrawResult) -> str:
    months = [one.month for one in result.months]
    if not result.expected:
        why = "one month has levels only" if len(months) < 2 else "a month has no matched session"
        return wrapped(f"no growth is expected from this audit: {why}")
    lines = [
        wrapped(
            f"expected: {result.level:.0%} interval of audited growth {months[0]} to {months[-1]}, if growth is none "
            "and every session gets a value"
        ),
        f"{'sd':>5s}{'audits se':>11s}{'users se':>10s}{'se':>8s}{'interval':>18s}   half as wide needs",
    ]
    lines += [_width(one) for one in result.expected]
    held_out = "; * of this run on held-out postings" if any(one.why != "assumed" for one in result.expected) else ""
    said = f"sd: of analyst's less predicted value, log points{held_out}; se: standard error of log growth"
    lines.append(wrapped(said))
    lines.append(wrapped("errors that a user's sessions share make the interval wider than this"))
    return "\n".join(lines)


def _width(one: ExpectedWidth) -> str:
    from math import expm1

    interval = f"{expm1(-one.half_width):+.1%} to {expm1(one.half_width):+.1%}"
    needs = "no audit: users alone" if one.half_needs is None else f"{one.half_needs:,} a month"
    mark = "" if one.why == "assumed" else " *"
    return (
        f"{one.spread:5.2f}{one.audits:11.3f}{one.users:10.3f}{one.standard_error:8.3f}{interval:>18s}   {needs}{mark}"
    )


def wrapped(text: str) -> str:
    """Break a line at 80 columns."""
    return "\n".join(textwrap.wrap(text, WIDTH, break_on_hyphens=False, subsequent_indent="  "))
