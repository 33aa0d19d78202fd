"""Agreement of an audit's analysts, from the verdicts that stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.audit.agreement import agreement
from valuation.audit.values import SessionVerdicts, analyst_values
from valuation.tables import AuditAgreement, typed
from valuation.verdicts import WHOLE_SESSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from valuation.audit.opening import Audit
    from valuation.audit.values import Prices
    from valuation.config.people import Audit as AuditSettings
    from valuation.verdicts import Entry

CANT_SAY_SHARE = "cant_say_share"


def agreement_of(
    audit: Audit, sessions: Mapping[str, SessionVerdicts], prices: Prices, settings: AuditSettings, *, level: float
) -> pd.DataFrame:
    """Measure agreement on what analysts judged without seeing each other's verdicts; settling verdicts are left out.

    Returns
    -------
    DataFrame
        An AuditAgreement table.
    """
    apart = {session: _unseen(verdicts) for session, verdicts in sessions.items()}
    rows = [
        (session, prices.gig(one.posting_id), one.analyst, one.verdict)
        for session, verdicts in apart.items()
        for entries in verdicts.by_analyst.values()
        for one in entries
        if one.posting_id != WHOLE_SESSION
    ]
    pairs = pd.DataFrame(rows, columns=["session_id", "posting_id", "analyst", "verdict"], dtype=object)
    pairs = pairs.drop_duplicates(["session_id", "posting_id", "analyst"], keep="last")  # two members of one cluster
    values = [
        (one.session_id, one.analyst, one.log_value) for one in analyst_values(apart, prices, settled_first=False)
    ]
    found = agreement(
        pairs,
        pd.DataFrame(values, columns=["session_id", "analyst", "log_value"]).astype({"log_value": np.float64}),
        dict(zip(audit.frame["session_id"], audit.frame["user"], strict=True)),
        seed=settings.seed,
        replicates=settings.replicates,
        level=level,
    )
    shown = [
        (one.measure, one.estimate, one.lower, one.upper, one.n_units, one.n_users, one.reason) for one in found.rows
    ]
    analysts = pairs.groupby(["session_id", "posting_id"])["analyst"].nunique()
    shown.append((CANT_SAY_SHARE, found.cant_say_rate, np.nan, np.nan, int((analysts >= 2).sum()), 0, ""))  # type: ignore[arg-type]
    names = list(AuditAgreement.to_schema().columns)
    table = {name: [row[at] for row in shown] for at, name in enumerate(names)}
    return typed({**table, "reason": [str(one) or None for one in table["reason"]]}, AuditAgreement)


def _unseen(verdicts: SessionVerdicts) -> SessionVerdicts:
    """Verdicts given blind, or brought from outside, where nobody's verdicts are shown."""
    kept = {name: [one for one in rows if _blind(one)] for name, rows in verdicts.by_analyst.items()}
    return replace(verdicts, by_analyst={name: rows for name, rows in kept.items() if rows}, settled={})


def _blind(entry: Entry) -> bool:
    return entry.blind or entry.origin == "import"
