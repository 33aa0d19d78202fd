"""Precision of matching by month, kind, part of value and of similarity, and stratum.

It is about matched sessions: the one posting that may be shown beside an unmatched session is no match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.audit.lines import month_codes, user_codes
from valuation.audit.result import Share
from valuation.audit.strata import POOLED
from valuation.core.audit_precision import CANT_SAY, COMPARABLE, CheckedSessions, match_precision
from valuation.tables import AuditPrecision, typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from valuation.audit.opening import Audit
    from valuation.core.audit_precision import Precision

GROUPINGS = ("month", "kind", "third", "half", "stratum")


def precision_of(
    audit: Audit, pairs: Sequence[tuple[str, str, float | None]], *, level: float
) -> tuple[Share, pd.DataFrame]:
    """Share of judged gigs that are comparable, over all sessions and by cell.

    Parameters
    ----------
    pairs : sequence of (session_id, gig, share)
        As of `valuation.audit.values.pair_verdicts`; None counts as "can't say".

    Returns
    -------
    (Share, DataFrame)
        Overall, and an AuditPrecision table whose first row is the same. Its ``n_comparable`` counts pairs that all
        who decided call comparable, its ``n_disagreed`` those that some do: they count as the share who do.
    """
    matched = audit.frame["matched"].to_numpy(dtype=bool)
    row_of = {session: at for at, session in enumerate(audit.frame.loc[matched, "session_id"])}
    pairs = [pair for pair in pairs if pair[0] in row_of]
    at = np.array([row_of[session] for session, _, _ in pairs], dtype=np.int64)
    verdict = np.array([CANT_SAY if share is None else share for _, _, share in pairs], dtype=np.float64)
    yes = verdict == COMPARABLE
    rows: list[tuple[Any, ...]] = []
    overall = None
    for grouping in GROUPINGS if audit.data["kind_by"] else [one for one in GROUPINGS if one != "kind"]:
        names, cell = _cells(audit, grouping)
        stratum = audit.frame["stratum"].to_numpy(dtype=np.int64)
        cell = cell[matched]
        sessions = CheckedSessions(month_codes(audit)[matched], user_codes(audit)[matched], stratum[matched], cell)
        found = match_precision(sessions, at, verdict, n_cells=len(names), level=level)
        if overall is None:
            overall = found.overall
            rows.append(_row("all", "", overall, 0, int(yes.sum())))
        agreed = np.bincount(cell[at][yes & (cell[at] >= 0)], minlength=len(names))
        rows += [_row(grouping, name, found.cells, code, int(agreed[code])) for code, name in enumerate(names)]
    columns = list(AuditPrecision.to_schema().columns)
    table = typed({name: [row[place] for row in rows] for place, name in enumerate(columns)}, AuditPrecision)
    assert overall is not None  # noqa: S101 - there are groupings
    return _share(overall), table


def _cells(audit: Audit, grouping: str) -> tuple[list[str], NDArray[np.int64]]:
    """Names of a grouping's cells, and the cell of each session of the frame; -1 where it has none."""
    strata = sorted(audit.data["strata"], key=lambda one: int(one["stratum"]))
    labels = [None if one["unmatched"] else _label(one, grouping) for one in strata]
    names = list(dict.fromkeys(label for label in labels if label is not None))
    if grouping != "stratum":
        names = sorted(names, key=lambda name: (name == POOLED, name))
    code = np.array([-1 if label is None else names.index(label) for label in labels], dtype=np.int64)
    return names, code[audit.frame["stratum"].to_numpy(dtype=np.int64)]


def _label(stratum: dict[str, Any], grouping: str) -> str | None:
    if grouping == "stratum":
        return str(stratum["label"])
    if grouping == "month":
        return str(stratum["month"])
    value = stratum[grouping]
    if grouping == "kind":
        return POOLED if value is None else str(value)
    return None if value is None else str(int(value))


def _row(cell_by: str, cell: str, found: Precision, at: int, yes: int) -> tuple[Any, ...]:
    return (
        cell_by, cell, int(found.n_sessions[at]), int(found.n_decided[at]), yes, int(found.n_disagreed[at]),
        int(found.n_cant_say[at]),
        float(found.estimate[at]), float(found.lower[at]), float(found.upper[at]),
        float(found.lower_bound[at]), float(found.upper_bound[at]),
    )  # fmt: skip


def _share(found: Precision) -> Share:
    return Share(
        float(found.estimate[0]), float(found.lower[0]), float(found.upper[0]), float(found.lower_bound[0]),
        float(found.upper_bound[0]), int(found.n_sessions[0]), int(found.n_decided[0]), int(found.n_disagreed[0]),
        int(found.n_cant_say[0]),
    )  # fmt: skip
