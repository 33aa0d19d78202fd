"""What ``valuation audit estimate`` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


LINES = ("plain", "plain_users", "audited", "audited_all", "accepting_all")
"""Names of an `AuditResult`'s lines, in the order of tables."""
LEFT_OUT = {"adjudications": "adjudications", "after_figures": "verdicts given after figures were seen"}
"""What an estimate can be asked to leave out, with its words."""


@dataclass(frozen=True, slots=True)
class Level:
    """One month's level, USD.

    Attributes
    ----------
    month : str
    value, lower, upper : float
        NaN where it cannot be told.
    n_sessions : int
        Sessions that it is about.
    n_audited : int or None
        Of them with an analyst's value; None in a plain series.
    """

    month: str
    value: float
    lower: float
    upper: float
    n_sessions: int
    n_audited: int | None


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth between two months; 0.27 is 27 %."""

    from_month: str
    to_month: str
    growth: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Line:
    """Levels by month and growth from the first to the last; `growth` is None for one month, or where there is none."""

    months: tuple[Level, ...]
    growth: Growth | None


@dataclass(frozen=True, slots=True)
class Apart:
    """Audited over the run's: of one month's level, or of growth (``1 + growth``) where the months differ.

    Attributes
    ----------
    from_month, to_month : str
    ratio, lower, upper : float
        1 where the pricer is right; NaN where it cannot be told.
    """

    from_month: str
    to_month: str
    ratio: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Response:
    """How many audited sessions of a month have an analyst's value, and what the others could make of its level.

    Attributes
    ----------
    month : str
    drawn, judged, answered : int
        Matched sessions in the sample, with any verdict, with an analyst's value.
    users : int
        Users of those with an analyst's value.
    rate : float
        Answered over drawn, in [0, 1].
    lower_bound, upper_bound : float
        Audited level if all others had the 10th, or the 90th, percentile of analysts' values; USD.
    """

    month: str
    drawn: int
    judged: int
    answered: int
    users: int
    rate: float
    lower_bound: float
    upper_bound: float


@dataclass(frozen=True, slots=True)
class Share:
    """A share in [0, 1] with its interval, bounds and counts.

    Attributes
    ----------
    estimate, lower, upper : float
        NaN where nothing was decided.
    lower_bound, upper_bound : float
        With every "can't say" not comparable, and comparable.
    n_sessions, n_gigs, n_disagreed, n_cant_say : int
        Pairs that nobody decided on are in none of the others; `n_disagreed` are of `n_gigs`.
    """

    estimate: float
    lower: float
    upper: float
    lower_bound: float
    upper_bound: float
    n_sessions: int
    n_gigs: int
    n_disagreed: int
    n_cant_say: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Standing verdicts, and how sessions came to a value.

    Attributes
    ----------
    sessions, drawn, analysts : int
        Sessions with a verdict, of how many drawn, by how many people.
    standing : dict of str to int
        By verdict, on gigs and on sessions as a whole.
    settled : int
        Adjudications among them.
    not_blind : int
        Given on a page after the analyst had seen figures.
    not_known : int
        From files, which do not say whether figures had been seen.
    by_gigs, by_price, no_response : int
        Judged sessions whose value rests on gigs, on a price given, or that have none.
    rejected : int
        Those without a value in which gigs were decided on, and none accepted: whether one has a value then depends on
        what the pricer put beside it.
    withdrawn : int
        Accepted gigs whose price is not known any more.
    """

    sessions: int
    drawn: int
    analysts: int
    standing: dict[str, int]
    settled: int
    not_blind: int
    not_known: int
    by_gigs: int
    by_price: int
    no_response: int
    rejected: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The audited beside the plain series.

    Attributes
    ----------
    audit_id, run_id, settings_hash : str
    folder : Path
        Where the tables were written.
    level : float
        Of all intervals.
    plain : Line
        The run's own rows: users and postings resampled.
    plain_users : Line
        The same sessions with the sampling of users alone: what the audited interval compares with.
    audited : Line
        Mean of analysts' values of matched sessions.
    audited_all : Line
        With the unmatched.
    accepting_all : Line
        What `audited` would be if analysts had called every gig comparable that they judged: what verdicts say is the
        difference.
    apart : tuple of Apart
        Audited over the run's, of each month and then of growth, with an interval of its own.
    power : float
        ``λ``: how much of the pricer's variation is used to narrow the interval, in [0, 1]; it moves no target.
    growth_bounds : tuple of float or None
        Audited growth if sessions without an analyst's value had extreme ones.
    response : tuple of Response
    precision : Share
        Gigs that are comparable, over all sessions.
    precision_table : DataFrame
        An AuditPrecision table.
    agreement_table : DataFrame
        An AuditAgreement table.
    audits_to_halve : int or None
        Further sessions to draw, in the first and the last month together, for an interval of audited growth half as
        wide, once those that are drawn have been judged; None: see `halving`.
    halving : str
        The same in words.
    counts : Counts
        Of the verdicts that count.
    left_out : dict of str to int
        Verdicts that stand and were asked to be left out: ``adjudications``, and others given ``after_figures`` were
        seen.
    missing : tuple of str
        What could not be told, and why.
    caveat : str
    """

    audit_id: str
    run_id: str
    settings_hash: str
    folder: Path
    level: float
    plain: Line
    plain_users: Line
    audited: Line
    audited_all: Line
    accepting_all: Line
    apart: tuple[Apart, ...]
    power: float
    growth_bounds: tuple[float, float] | None
    response: tuple[Response, ...]
    precision: Share
    precision_table: pd.DataFrame
    agreement_table: pd.DataFrame
    audits_to_halve: int | None
    halving: str
    counts: Counts
    left_out: dict[str, int]
    missing: tuple[str, ...]
    caveat: str

    def text(self) -> str:
        """Lines for a person."""
        from valuation.audit.estimate_text import estimate_text

        return estimate_text(self)
