"""What ``valuation audit estimate`` prints for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from valuation.audit.draw_text import wrapped
from valuation.audit.result import LEFT_OUT
from valuation.pipeline.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from valuation.audit.result import AuditResult, Line

AGREEMENT_WORDS = {
    "alpha_nominal": "alpha, four verdicts",
    "ac1_nominal": "Gwet's AC1, four verdicts",
    "alpha_ordinal": "alpha, smaller < comparable < larger",
    "alpha_log_price": "alpha, log values (they share gigs)",
    "cant_say_share": "share of can't say",
}
LINE_WORDS = {
    "plain": "the run",
    "plain_users": "the run, users only",
    "audited": "audited",
    "audited_all": "audited, unmatched too",
    "accepting_all": "were every gig accepted",
}


def estimate_text(result: AuditResult) -> str:
    """Audited beside plain, response, precision, agreement, and what more audits would buy; 80 columns."""
    counts = result.counts
    head = (
        f"audit {result.audit_id} of run {result.run_id}: {counts.sessions:,} of {counts.drawn:,} sessions judged by "
        f"{counts.analysts} analyst{'s' if counts.analysts != 1 else ''}"
    )
    parts = [wrapped(head), _verdicts(result), _levels(result), _growth(result), _response(result)]
    parts += [_precision(result), _agreement(result)]
    parts.append(wrapped(f"an interval half as wide: {result.halving}"))
    parts += [wrapped(f"missing: {line}") for line in result.missing]
    shown = f"the run's report shows this after: valuation report {result.run_id}"
    return "\n\n".join([*parts, wrapped(result.caveat), f"{shown}\n{result.folder}"])


def _verdicts(result: AuditResult) -> str:
    counts = result.counts
    said = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.standing.items())
    values = (
        f"values: {counts.by_gigs:,} sessions from gigs, {counts.by_price:,} from a price, {counts.no_response:,} "
        f"without ({counts.rejected:,} with no gig accepted); {counts.settled:,} verdicts settle others; λ "
        f"{result.power:.2f} of the pricer's variation narrows the intervals"
    )
    blind = f"{counts.not_blind:,} verdicts were given on a page after figures were seen"
    if counts.not_known:
        blind += f"; of {counts.not_known:,} from files that is not known"
    left = [f"{result.left_out[why]:,} {words}" for why, words in LEFT_OUT.items() if result.left_out[why]]
    lines = [said, values, blind, *([f"left out as asked: {', '.join(left)}"] if left else [])]
    return "\n".join(wrapped(one) for one in lines)


def _levels(result: AuditResult) -> str:
    lines = [f"{'USD a session':24s}{'month':9s}{'value':>10s}   {f'{result.level:.0%} interval':24s}{'audited':>8s}"]
    for name, words in LINE_WORDS.items():
        line: Line = getattr(result, name)
        for one in line.months:
            audited = "" if one.n_audited is None else f"{one.n_audited:,d}"
            value, interval = _usd(one.value), _ends(_usd, one.lower, one.upper)
            lines.append(f"{words:24s}{one.month:9s}{value:>10s}   {interval:24s}{audited:>8s}")
            words = ""
    words = "audited over the run"
    for apart in result.apart:
        if apart.from_month == apart.to_month:
            interval = _ends(_two, apart.lower, apart.upper)
            lines.append(f"{words:24s}{apart.from_month:9s}{_two(apart.ratio):>10s}   {interval}")
            words = ""
    return "\n".join(lines)


def _growth(result: AuditResult) -> str:
    lines: list[str] = []
    for name, words in LINE_WORDS.items():
        growth = getattr(result, name).growth
        if growth is None:
            continue
        if not lines:
            months = f"growth {growth.from_month} to {growth.to_month}"
            lines.append(f"{months:33s}{'growth':>10s}   {result.level:.0%} interval")
        interval = _ends(_share, growth.lower, growth.upper)
        lines.append(f"{words:33s}{_share(growth.growth):>10s}   {interval}")
    for one in result.apart:
        if one.from_month != one.to_month:
            interval = _ends(_two, one.lower, one.upper)
            lines.append(f"{'audited over the run, 1 + growth':33s}{_two(one.ratio):>10s}   {interval}")
    if result.growth_bounds is not None:
        low, high = (_share(one) for one in result.growth_bounds)
        bounds = f"audited growth if those without a value had extreme ones, sampling error apart: {low} to {high}"
        lines.append(wrapped(bounds))
    return "\n".join(lines) or "no growth: one month was audited"


def _response(result: AuditResult) -> str:
    lines = [
        f"{'matched':10s}{'drawn':>7s}{'judged':>8s}{'with a value':>14s}{'rate':>7s}   level if others were extreme"
    ]
    for one in result.response:
        bounds = _ends(_usd, one.lower_bound, one.upper_bound)
        rate = "-" if math.isnan(one.rate) else f"{one.rate:.2f}"
        lines.append(f"{one.month:10s}{one.drawn:7,d}{one.judged:8,d}{one.answered:14,d}{rate:>7s}   {bounds}")
    return "\n".join(lines)


def _precision(result: AuditResult) -> str:
    lines = [f"{'gigs that are comparable':38s}{'gigs':>6s}{'share':>7s}   {'interval':14s}can't say at worst"]
    for row in result.precision_table.to_dict("records"):
        if not row["n_gigs"] + row["n_cant_say"]:
            continue
        words = {"all": "all", "third": "value, third", "half": "similarity, half"}.get(row["cell_by"], row["cell_by"])
        name = words if row["cell_by"] == "all" else f"{words}: {row['cell']}"
        interval = _ends(_two, row["lower"], row["upper"])
        bounds = _ends(_two, row["lower_bound"], row["upper_bound"])
        lines.append(f"{plain(name, 37):38s}{row['n_gigs']:6,d}{_two(row['estimate']):>7s}   {interval:14s}{bounds}")
    if len(lines) == 1:
        return "no verdict on a gig yet: precision is not known"
    said = (
        f"from gigs of {result.precision.n_sessions:,} sessions, of {result.counts.sessions:,} judged: those judged as "
        "a whole only, and unmatched ones, are not in it"
    )
    share = result.precision
    if share.n_disagreed:
        said += (
            f"; analysts differ on {share.n_disagreed:,} of {share.n_gigs:,} gigs decided, each counted as the share "
            "of them who call it comparable"
        )
    lines.append(wrapped(said))
    return "\n".join(lines)


def _agreement(result: AuditResult) -> str:
    table = result.agreement_table
    if not len(table) or not table["n_units"].gt(0).any():
        return "nothing was judged by two analysts yet: agreement is not known"
    lines = [f"{'agreement of analysts':38s}{'units':>6s}{'':7s}   interval"]
    for row in table.to_dict("records"):
        words = AGREEMENT_WORDS.get(str(row["measure"]), str(row["measure"]))
        why = row["reason"] if isinstance(row["reason"], str) else ""
        interval = why if math.isnan(row["lower"]) else _ends(_two, row["lower"], row["upper"])
        lines.append(f"{words:38s}{row['n_units']:6,d}{_two(row['estimate']):>7s}   {interval}")
    return "\n".join(line.rstrip() for line in lines)


def _ends(words: Callable[[float], str], lower: float, upper: float) -> str:
    """Both ends, or one dash where there are none."""
    return f"{words(lower)} to {words(upper)}" if math.isfinite(lower) or math.isfinite(upper) else "-"


def _usd(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:,.2f}" if value < 10_000 else f"{value:,.0f}"


def _share(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:+.1%}"


def _two(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:.2f}"
