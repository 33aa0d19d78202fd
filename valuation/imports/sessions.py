"""Raw rows -> the Sessions table: the named columns, and all others as attributes to group by."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.errors import InputError
from valuation.imports.built import Built, settle
from valuation.imports.cells import as_text, map_texts, missing, number_of, pick, require_columns, texts
from valuation.imports.given import GIVEN_ID
from valuation.imports.mapping import used_columns
from valuation.imports.masking import hash_name, mask_column
from valuation.imports.names import names_person
from valuation.imports.reasons import Reason, faults
from valuation.imports.times import Times, read_times

if TYPE_CHECKING:
    from valuation.imports.built import Context
    from valuation.imports.mapping import SessionsMapping
    from valuation.imports.raw import Cell, RawTable

TABLE_COLUMNS = ("session_id", "user_id", "started_at", "month", "summary", "weight")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?")


def build_sessions(raw: RawTable, mapping: SessionsMapping, *, file: str, context: Context) -> Built:
    """Read every row of a file.

    Raises
    ------
    InputError
        The mapping does not fit the file, a line of it is missing, or an attribute has a name of the table's own.
    """
    require_columns(raw.frame, [theirs for _, theirs in used_columns(mapping)], file)
    columns = mapping.columns
    for ours in ("summary", "started_at"):
        if not getattr(columns, ours):
            raise InputError(f'{file}: no {ours}; write one line under [columns] in a mapping: {ours} = "COLUMN"')
    summary = mask_column(texts(raw.frame, columns.summary, mapping.values.get("summary")))
    cells = pick(raw.frame, columns.started_at)
    times = read_times(cells, options=mapping.options, crawled_at=None, file=file, column=columns.started_at[0])
    user = texts(raw.frame, columns.user, mapping.values.get("user"))
    user = user.fillna(mapping.constants.user) if mapping.constants.user else user
    user = map_texts(user, lambda name: hash_name(context.key, name))
    weight, weight_faults = _weights(raw, mapping)
    given = texts(raw.frame, columns.session_id)
    table = pd.DataFrame(
        {
            "session_id": _ids(given, user, times.at, summary),
            "user_id": user,
            "started_at": times.at,
            "month": times.at.dt.strftime("%Y-%m").astype("str"),
            "summary": summary,
            "weight": weight,
        }
    )
    extra = _attributes(raw, mapping, file, context.key)
    found = [faults(summary.isna().to_numpy(), Reason.NO_TEXT, columns.summary[0]), weight_faults]
    found += _date_faults(times, cells, columns.started_at[0], context)
    theirs = columns.session_id[0] if columns.session_id else ""
    whole = pd.concat([table, extra], axis=1)
    derived = bool(given.isna().all())
    single, bad, merged = settle(whole, found, "session_id", id_source=theirs, derived=derived)
    return Built(single, bad, merged, notes=_notes(mapping, list(extra.columns), given, user))


def _date_faults(times: Times, cells: pd.Series, theirs: str, context: Context) -> list[pd.DataFrame]:
    """Rows without a date, with one that cannot be read, or with one in the future."""
    latest = pd.Timestamp(context.now) + timedelta(days=1)
    return [
        faults((times.form == "missing").to_numpy(), Reason.NO_DATE, theirs),
        faults((times.form == "bad").to_numpy(), Reason.BAD_DATE, theirs, cells),
        faults((times.at > latest).to_numpy(), Reason.FUTURE_DATE, theirs, cells),
    ]


def _weights(raw: RawTable, mapping: SessionsMapping) -> tuple[pd.Series[float], pd.DataFrame]:
    """Weights above zero; rows without one take the constant, else 1."""
    cells = pick(raw.frame, mapping.columns.weight)
    default = mapping.constants.weight or 1.0
    weight = pd.to_numeric(cells.map(as_text).astype("str"), errors="coerce").astype(float)
    given = ~cells.map(missing).astype(bool)
    bad = (given & ~(np.isfinite(weight) & (weight > 0))).to_numpy()
    theirs = mapping.columns.weight[0] if mapping.columns.weight else ""
    return weight.where(given, default), faults(bad, Reason.BAD_VALUE, theirs, cells)


def _ids(given: pd.Series[str], user: pd.Series[str], at: pd.Series, summary: pd.Series[str]) -> pd.Series[str]:
    """Given ids, else 16 hex digits of SHA-256(user_id, started_at, summary)."""
    stamp = at.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = zip(user.fillna(""), stamp.fillna(""), summary.fillna(""), strict=True)
    hashes = [hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:16] for row in parts]
    return given.fillna(pd.Series(hashes, dtype="str"))


def _attributes(raw: RawTable, mapping: SessionsMapping, file: str, key: bytes) -> pd.DataFrame:
    """Columns kept to group by; those that hold people's names are hashed."""
    used = {theirs for _, theirs in used_columns(mapping)}
    wanted = mapping.options.attributes
    if wanted is not None:
        require_columns(raw.frame, wanted, file)
    names = list(wanted) if wanted is not None else [name for name in raw.frame.columns if name not in used]
    renamed = {"session_id": GIVEN_ID} if not mapping.columns.session_id and GIVEN_ID not in names else {}
    clash = [name for name in names if name in TABLE_COLUMNS and name not in renamed]
    if clash:
        kept = ", ".join(f'"{name}"' for name in names if name not in TABLE_COLUMNS)
        raise InputError(
            f"{file}: column {clash[0]!r} has a name of the table's own; map it under [columns], or write one line "
            f"under [options] in a mapping: attributes = [{kept}]"
        )
    columns = {
        name: _attribute(raw.frame[name], key if names_person(name) else None, mapping.values.get(name))
        for name in names
        if name not in renamed
    }
    columns |= {new: mask_column(texts(raw.frame, (old,))) for old, new in renamed.items() if old in names}
    return pd.DataFrame(columns, index=raw.frame.index)


def _attribute(cells: pd.Series, key: bytes | None, translations: dict[str, str] | None) -> pd.Series:
    """One attribute as texts, numbers (float) or truth values, whichever all its cells are."""
    said = texts(cells.to_frame("cell"), ("cell",), translations)
    if key is not None:
        return map_texts(said, lambda name: hash_name(key, name))
    present = said.dropna()
    if len(present) and present.str.lower().isin(("true", "false")).all():
        return said.str.lower().map({"true": True, "false": False}).astype("boolean")
    if len(present) and all(_is_number(cell) for cell in cells[said.notna()]):
        return pd.to_numeric(said, errors="coerce").astype(float)
    return mask_column(said)


def _is_number(cell: Cell) -> bool:
    """A number, or a text that is one and no code such as 007."""
    return number_of(cell) is not None or (isinstance(cell, str) and bool(_NUMBER.fullmatch(cell.strip())))


def agree(current: pd.DataFrame, incoming: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give attributes that both tables have the same type: text, where they differ."""
    differ = [
        name
        for name in incoming.columns
        if name in current.columns and name not in TABLE_COLUMNS and current[name].dtype != incoming[name].dtype
    ]
    return _as_texts(current, differ), _as_texts(incoming, differ)


def _as_texts(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return table.assign(**{name: table[name].astype(object).map(as_text).astype("str") for name in names})


def _notes(
    mapping: SessionsMapping, attributes: list[str], given: pd.Series[str], user: pd.Series[str]
) -> tuple[str, ...]:
    """What the rows do not say themselves."""
    notes = [f"attributes: {', '.join(str(name)[:40] for name in attributes) or 'none'}"]
    if without := int(given.isna().sum()):
        whose = "no ids are given" if without == len(given) else f"{without:,} of {len(given):,} rows have no id"
        keyed = "" if user.isna().all() else "; users are hashed first, so another workspace's key makes other ids"
        notes.append(f"{whose}: an id is made from user, start and summary{keyed}")
    if not mapping.columns.weight:
        notes.append(f"every session has weight {mapping.constants.weight or 1.0}")
    if not mapping.columns.user:
        notes.append("all sessions are one user's" if mapping.constants.user else "no user: each session is its own")
    elif user.isna().all():
        notes.append(f"{mapping.columns.user[0][:40]} is empty: no user, each session is its own")
    return (*notes, f"times without a zone are read as {mapping.options.timezone or 'UTC'}")
