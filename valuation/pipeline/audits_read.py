"""What people said of a run, read back for its report: the estimate of its newest audit that has one."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from valuation.errors import InputError
from valuation.tables import AuditAgreement, AuditedSeries, AuditPrecision, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from valuation.storage import Layout
    from valuation.tables import Table

CARD, ESTIMATE = "audit.json", "estimate.json"
TABLES: dict[str, tuple[str, type[Table]]] = {
    "audited": ("audited", AuditedSeries),
    "audit_precision": ("precision", AuditPrecision),
    "audit_agreement": ("agreement", AuditAgreement),
}
"""Fields of `valuation.report.RunTables`, each with its file and schema."""
SHOWN = ("audit_id", "run_id", "level", "power", "growth_bounds", "response", "audits_to_halve", "halving", "counts",
         "left_out", "missing")  # fmt: skip
COUNTS = ("sessions", "drawn", "analysts", "standing", "settled", "not_blind", "not_known")
RESPONSE = ("month", "drawn", "judged", "answered", "users", "rate", "lower_bound", "upper_bound")
SAME = 1e-9
"""Relative: the same number in two files."""


def read_audit(layout: Layout, run_id: str) -> dict[str, Any]:
    """Read the estimate of the run's newest audit that has one.

    Parameters
    ----------
    layout : Layout
    run_id : str

    Returns
    -------
    dict
        ``{}`` without an estimate; else the tables `audited`, `audit_precision` and `audit_agreement`, and `audit`:
        what ``estimate.json`` says beside them, with the column of its kinds (``kind_by``) and the names of the run's
        other audits with an estimate (``others``, the newest first).

    Raises
    ------
    InputError
        An audit with an estimate is damaged.
    """
    known = [(folder, _card(folder)) for folder in sorted(path.parent for path in layout.audits.glob(f"*/{ESTIMATE}"))]
    mine = [(card["number"], folder.name, folder, card) for folder, card in known if card["run_id"] == run_id]
    if not mine:
        return {}
    (_, name, folder, card), *others = sorted(mine, key=lambda one: one[:2], reverse=True)
    said = _estimate(folder, name, run_id)
    tables = {field: _table(folder, file, schema) for field, (file, schema) in TABLES.items()}
    if not _agree(said, tables["audited"]):
        raise InputError(f"{folder}: its tables are not those of {ESTIMATE}; {_again(folder)}")
    shown = {key: said[key] for key in SHOWN}
    return {**tables, "audit": {**shown, "kind_by": str(card.get("kind_by", "")), "others": [one[1] for one in others]}}


def _card(folder: Path) -> dict[str, Any]:
    """Read what says which run an audit is of, and how new it is."""
    found = _json(folder / CARD, f"restore {folder} from a copy, or delete it")
    if not isinstance(found.get("number"), int) or not isinstance(found.get("run_id"), str):
        raise InputError(f"{folder / CARD}: not the card of an audit; restore {folder} from a copy, or delete it")
    return found


def _estimate(folder: Path, name: str, run_id: str) -> dict[str, Any]:
    path = folder / ESTIMATE
    found = _json(path, _again(folder))
    whole = (
        _has(found, SHOWN)
        and _has(found["counts"], COUNTS)
        and isinstance(found["response"], list)
        and all(_has(one, RESPONSE) for one in found["response"])
    )
    if not whole or (found["audit_id"], found["run_id"]) != (name, run_id):
        raise InputError(f"{path}: not an estimate of this audit as this version writes it; {_again(folder)}")
    return found


def _has(found: object, keys: Sequence[str]) -> bool:
    return isinstance(found, dict) and all(key in found for key in keys)


def _json(path: Path, remedy: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({' '.join(str(error).split())[:120]}); {remedy}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: not an object; {remedy}")
    return found


def _table(folder: Path, file: str, schema: type[Table]) -> pd.DataFrame:
    try:
        return read_table(folder / f"{file}.parquet", schema)
    except InputError as error:
        raise InputError(f"{error}; {_again(folder)}") from error


def _agree(said: dict[str, Any], audited: pd.DataFrame) -> bool:
    """Whether the table has the levels that the estimate names: the two are written one after the other."""
    rows = audited[(audited["series"] == "audited") & (audited["measure"] == "level")]
    table = dict(zip(rows["to_month"], rows["estimate"].astype(float), strict=True))
    months = said.get("audited", {}).get("months", [])
    named = {one["month"]: math.nan if one["value"] is None else float(one["value"]) for one in months}
    return table.keys() == named.keys() and all(_same(table[month], named[month]) for month in table)


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME) or (math.isnan(one) and math.isnan(other))


def _again(folder: Path) -> str:
    return f"write it again with: valuation audit estimate {folder.name}"
