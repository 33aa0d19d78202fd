"""Analysts' values of sessions: what the gigs cost that they accept as comparable, else the price they give."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from valuation.verdicts import CANT_SAY, COMPARABLE, WHOLE_SESSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from valuation.verdicts import Entry, Stored

GIGS, PRICE = "gigs", "price"
"""Ways to a value."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Log prices of gigs, by the posting that an analyst saw.

    Attributes
    ----------
    cluster : mapping of str to str
        Cluster of each posting that is known: two members of one are one gig.
    log_price : mapping of str to float
        Of each cluster.
    """

    cluster: Mapping[str, str]
    log_price: Mapping[str, float]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Prices:
        """From the table of `valuation.audit.prices.gig_prices`."""
        cluster = dict(zip(table["posting_id"], table["cluster_id"], strict=True))
        return cls(cluster, dict(zip(table["cluster_id"], table["log_price"].astype(float), strict=True)))

    def gig(self, posting_id: str) -> str:
        """What stands for a posting and its duplicates; itself where it is not known."""
        return self.cluster.get(posting_id, posting_id)


@dataclass(frozen=True, slots=True)
class AnalystValue:
    """One analyst's value of one session.

    Attributes
    ----------
    session_id, analyst : str
    log_value : float
        ``h``, log USD; NaN is no response.
    way : str
        `GIGS`, `PRICE`, or ``''`` for no response.
    n_gigs : int
        Gigs that the mean is over.
    withdrawn : int
        Gigs accepted whose price is not known any more.
    """

    session_id: str
    analyst: str
    log_value: float
    way: str
    n_gigs: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class SessionVerdicts:
    """What stands of one session, the settling verdicts apart.

    Attributes
    ----------
    by_analyst : dict of str to list of Entry
        Without the settling ones.
    settled : dict of str to Entry
        By gig (`Prices.gig`); the last one counts where several people settled the same.
    """

    by_analyst: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    settled: dict[str, Entry] = field(default_factory=dict)


def by_session(standing: Sequence[Stored], prices: Prices) -> dict[str, SessionVerdicts]:
    """Group standing verdicts by session; `standing` is in the order accepted."""
    sessions: dict[str, SessionVerdicts] = defaultdict(SessionVerdicts)
    for stored in standing:
        entry = stored.entry
        if entry.adjudicates:
            sessions[entry.session_id].settled[prices.gig(entry.posting_id)] = entry
        else:
            sessions[entry.session_id].by_analyst[entry.analyst].append(entry)
    return dict(sessions)


def effective_rows(verdicts: SessionVerdicts, prices: Prices, *, settled_first: bool) -> dict[str, list[Entry]]:
    """Rows that each analyst's value rests on: what was settled stands in the place of all they said on it.

    Where only settling verdicts are left they are one analyst's, named ``''``.
    """
    if not (settled_first and verdicts.settled):
        return {name: list(rows) for name, rows in verdicts.by_analyst.items()}
    settled = list(verdicts.settled.values())
    rows = {
        name: [*settled, *(one for one in mine if prices.gig(one.posting_id) not in verdicts.settled)]
        for name, mine in verdicts.by_analyst.items()
    }
    return rows or {"": settled}


def analyst_value(session_id: str, analyst: str, rows: Iterable[Entry], prices: Prices) -> AnalystValue:
    """Mean log price of the gigs accepted, else log of the price given, else no response.

    Accepted are gigs judged comparable and better gigs named in any row; duplicates of one posting count once. Of
    prices the one on the session as a whole comes first, else the mean log of those given on gigs.
    """
    rows = list(rows)
    accepted = {one.posting_id for one in rows if one.posting_id != WHOLE_SESSION and one.verdict == COMPARABLE}
    accepted |= {one.better_posting_id for one in rows if one.better_posting_id}
    gigs = {prices.gig(posting) for posting in accepted}
    known = sorted(gig for gig in gigs if gig in prices.log_price)
    gone = len(gigs) - len(known)
    if known:
        mean = math.fsum(prices.log_price[gig] for gig in known) / len(known)
        return AnalystValue(session_id, analyst, mean, GIGS, len(known), gone)
    whole = [one.price_usd for one in rows if one.posting_id == WHOLE_SESSION and one.price_usd is not None]
    given = whole or [one.price_usd for one in rows if one.price_usd is not None]
    if given:
        mean = math.fsum(math.log(price) for price in given) / len(given)
        return AnalystValue(session_id, analyst, mean, PRICE, 0, gone)
    return AnalystValue(session_id, analyst, math.nan, "", 0, gone)


def analyst_values(
    sessions: Mapping[str, SessionVerdicts], prices: Prices, *, settled_first: bool
) -> list[AnalystValue]:
    """Value of every session by every analyst, ordered by session and analyst."""
    return [
        analyst_value(session_id, analyst, rows, prices)
        for session_id in sorted(sessions)
        for analyst, rows in sorted(
            effective_rows(sessions[session_id], prices, settled_first=settled_first).items(),
            key=lambda item: item[0],
        )
    ]


def session_values(values: Iterable[AnalystValue]) -> dict[str, float]:
    """``h`` of each session with a response: the mean of its analysts' values."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in values:
        if not math.isnan(one.log_value):
            found[one.session_id].append(one.log_value)
    return {session: math.fsum(some) / len(some) for session, some in found.items()}


def pair_verdicts(
    sessions: Mapping[str, SessionVerdicts], prices: Prices, *, settled_first: bool
) -> list[tuple[str, str, float | None]]:
    """What was said of each session-gig pair: (session_id, gig, share), ordered by session and gig.

    The share of analysts who call the pair comparable, of those who decided: 1 or 0 where one judged, or all agree.
    To leave out pairs on which they differ would move precision away from 1/2 by how many are judged twice. None
    where nobody decided. What was settled counts in the place of what was said on it.
    """
    pairs: list[tuple[str, str, float | None]] = []
    for session_id in sorted(sessions):
        said: dict[str, list[float]] = {}
        for rows in effective_rows(sessions[session_id], prices, settled_first=settled_first).values():
            for gig, verdicts in _by_gig(rows, prices).items():
                decided = [float(verdict == COMPARABLE) for verdict in verdicts if verdict != CANT_SAY]
                said.setdefault(gig, []).extend([_mean(decided)] if decided else [])
        pairs += [(session_id, gig, _mean(shares) if shares else None) for gig, shares in sorted(said.items())]
    return pairs


def _by_gig(rows: Iterable[Entry], prices: Prices) -> dict[str, list[str]]:
    """One analyst's verdicts on each gig: several where duplicates of one posting were judged."""
    said: dict[str, list[str]] = defaultdict(list)
    for one in rows:
        if one.posting_id != WHOLE_SESSION:
            said[prices.gig(one.posting_id)].append(str(one.verdict))
    return said


def _mean(shares: Sequence[float]) -> float:
    return math.fsum(shares) / len(shares)


def values_accepting_all(sessions: Mapping[str, SessionVerdicts], prices: Prices) -> dict[str, float]:
    """What ``h`` would be if every gig that was judged had been called comparable: mean log price of them."""
    found = {}
    for session_id, verdicts in sorted(sessions.items()):
        rows = [one for some in verdicts.by_analyst.values() for one in some]
        gigs = {prices.gig(one.posting_id) for one in rows if one.posting_id != WHOLE_SESSION}
        known = sorted(gig for gig in gigs if gig in prices.log_price)
        if known:
            found[session_id] = math.fsum(prices.log_price[gig] for gig in known) / len(known)
    return found


def named_postings(standing: Iterable[Stored]) -> set[str]:
    """Postings that verdicts name."""
    entries = [one.entry for one in standing]
    return {name for one in entries for name in (one.posting_id, one.better_posting_id) if name}
