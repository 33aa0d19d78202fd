"""A drawn audit on disk, read back."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from valuation.errors import InputError
from valuation.tables import AuditFrame, AuditSample, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from valuation.storage import Layout

CARD, SAMPLE, FRAME = "audit.json", "sample.parquet", "frame.parquet"
AUDIT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,59}")
_KEYS = ("audit_id", "design_id", "number", "run_id", "settings_hash", "months", "strata", "sha256")


@dataclass(frozen=True)
class Audit:
    """A drawn audit.

    Attributes
    ----------
    audit_id, run_id : str
    settings_hash : str
        SHA-256 (hex) of the run's settings, from its manifest.
    folder : Path
    months : tuple of str
        Audited months, ascending.
    sample : DataFrame
        An AuditSample table, ordered by `place`.
    data : dict
        ``audit.json``.
    """

    audit_id: str
    run_id: str
    settings_hash: str
    folder: Path
    months: tuple[str, ...]
    sample: pd.DataFrame
    data: dict[str, Any]

    @cached_property
    def wanted(self) -> dict[str, int]:
        """Reviews wanted of each session, in the order of work."""
        reviews = self.sample["reviews"].astype(int).tolist()
        return dict(zip(self.sample["session_id"].tolist(), reviews, strict=True))

    @cached_property
    def strata(self) -> pd.DataFrame:
        """One row a stratum: stratum, label, month, kind, third, half, unmatched, sessions, audits."""
        return pd.DataFrame(self.data["strata"])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Every session of the audited months: an AuditFrame table, ordered by session_id.

        Raises
        ------
        InputError
            It is damaged, or not the one that was written.
        """
        return _whole(self.folder / FRAME, self.data, AuditFrame)


def settings_hash(manifest: dict[str, Any]) -> str:
    """SHA-256 (hex) of a run's settings."""
    return hashlib.sha256(json.dumps(manifest["settings"], sort_keys=True).encode()).hexdigest()


def audit_ids(layout: Layout) -> list[str]:
    """Audits of the workspace, the newest first; one that was cut short while it was drawn is not among them."""
    cards = [read_card(path) for path in layout.audits.glob(f"*/{CARD}")]
    return [str(card["audit_id"]) for card in sorted(cards, key=_newest, reverse=True)]


def _newest(card: dict[str, Any]) -> tuple[int, str]:
    return int(card["number"]), str(card["audit_id"])


def read_card(path: Path) -> dict[str, Any]:
    """Read an ``audit.json``.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({' '.join(str(error).split())[:120]}); {_restore(path)}") from error
    if not isinstance(card, dict) or any(key not in card for key in _KEYS) or card["audit_id"] != path.parent.name:
        raise InputError(f"{path}: not the card of an audit of this name; {_restore(path)}")
    return card


def open_audit(layout: Layout, audit_id: str | None = None) -> Audit:
    """Open an audit, by default the newest.

    Raises
    ------
    InputError
        There is no such audit, or its files are damaged.
    """
    if audit_id is None:
        known = audit_ids(layout)
        if not known:
            raise InputError("no audit yet; draw one with: valuation audit draw")
        audit_id = known[0]
    folder = layout.audits / audit_id
    if not AUDIT_ID.fullmatch(audit_id) or not (folder / CARD).is_file():
        raise InputError(f"no audit {audit_id[:80]!a}; audits are {', '.join(audit_ids(layout)) or 'none yet'}")
    card = read_card(folder / CARD)
    sample = _whole(folder / SAMPLE, card, AuditSample).sort_values("place", ignore_index=True)
    months = tuple(str(month) for month in card["months"])
    return Audit(audit_id, str(card["run_id"]), str(card["settings_hash"]), folder, months, sample, card)


def _whole(path: Path, card: dict[str, Any], schema: type[AuditSample | AuditFrame]) -> pd.DataFrame:
    """Read a table of the audit; an edited one would give wrong weights without a word."""
    table = read_table(path, schema)
    if hashlib.sha256(path.read_bytes()).hexdigest() != card["sha256"].get(path.name):
        raise InputError(f"{path}: not the file that was written when the audit was drawn; {_restore(path)}")
    return table


def _restore(path: Path) -> str:
    return f"restore {path.parent} from a copy, or delete it and draw the audit again: the same draw is the same sample"
