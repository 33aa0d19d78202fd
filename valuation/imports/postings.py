"""Raw rows -> the Postings table. Each step yields a column and the faults of the rows it could not do."""

from __future__ import annotations

import hashlib
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from valuation.errors import InputError
from valuation.imports.amounts import price_rows
from valuation.imports.built import Built, settle
from valuation.imports.cells import map_texts, pick, require_columns, texts
from valuation.imports.given import respelled
from valuation.imports.mapping import used_columns
from valuation.imports.masking import hash_name, mask_column
from valuation.imports.reasons import Reason, faults
from valuation.imports.times import read_times, utc, utc_series
from valuation.tables.schemas import DATE_QUALITIES, PRICE_KINDS, Postings, typed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.imports.built import Context
    from valuation.imports.mapping import PostingsMapping
    from valuation.imports.raw import RawTable

TEXTS = ("title", "description", "skills")
_SOURCE = r"[a-z0-9][a-z0-9._-]*"


def build_postings(raw: RawTable, mapping: PostingsMapping, *, file: str, context: Context) -> Built:
    """Read every row of a file.

    Raises
    ------
    InputError
        The mapping does not fit the file, or a line of it is missing; the message says which.
    """
    require_columns(raw.frame, [theirs for _, theirs in used_columns(mapping)], file)
    if not (mapping.columns.posted_at or mapping.constants.posted_at):
        raise InputError(
            f'{file}: no date; write one line in a mapping: posted_at = "COLUMN" under [columns], or under '
            '[constants] posted_at = 2026-01-31 with date_quality = "stated"'
        )
    words = {name: _masked(raw, mapping, name) for name in (*TEXTS, "url", "category", "country")}
    dated, date_faults = _dates(raw, mapping, file, context)
    prices = price_rows(raw, mapping, dated["month"], file=file, rates=context.rates)
    source, source_faults = _source(raw, mapping)
    kind, kind_faults = _choice(raw, mapping, "price_kind", PRICE_KINDS, mapping.constants.price_kind or "posted")
    client = map_texts(texts(raw.frame, mapping.columns.client_id), lambda name: hash_name(context.key, name))
    table = {**words, **dated, **prices.columns, "source": source, "price_kind": kind, "client_id": client}
    table["posting_id"] = _ids(raw, mapping, table)
    empty = np.logical_and.reduce([words[name].isna().to_numpy() for name in TEXTS])
    found = [faults(empty, Reason.NO_TEXT, ""), source_faults, date_faults, *prices.faults, kind_faults]
    theirs = mapping.columns.posting_id
    single, bad, merged = _settle(table, found, theirs[0] if theirs else "")
    notes = (*_notes(mapping), *respelled(texts(raw.frame, mapping.columns.source), source), *prices.notes)
    return Built(single, bad, merged, prices.parsed_forms, prices.unparsed_forms, notes)


def _settle(
    table: dict[str, pd.Series], found: list[pd.DataFrame], id_source: str
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Table in the schema's types, faulty rows set aside and repeated ones merged."""
    whole = typed(table, Postings)
    return settle(whole, found, "posting_id", id_source=id_source, derived=not id_source)


def _masked(raw: RawTable, mapping: PostingsMapping, name: str) -> pd.Series[str]:
    """One text column, translated, masked, or a constant where the row has none."""
    found = mask_column(texts(raw.frame, getattr(mapping.columns, name), mapping.values.get(name)))
    constant = getattr(mapping.constants, name, None)
    return found.fillna(constant) if constant else found


def _dates(
    raw: RawTable, mapping: PostingsMapping, file: str, context: Context
) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """``posted_at``, ``date_quality``, ``month``, ``crawled_at`` and the faults of dates."""
    zone = ZoneInfo(mapping.options.timezone) if mapping.options.timezone else UTC
    crawled = _crawled(raw, mapping, file, zone)
    theirs = (mapping.columns.posted_at or ("",))[0]
    cells = pick(raw.frame, mapping.columns.posted_at)
    times = read_times(cells, options=mapping.options, crawled_at=crawled, file=file, column=theirs)
    stated = mapping.constants.posted_at
    default = np.where(times.form == "age", "derived", "exact")
    quality, quality_faults = _choice(raw, mapping, "date_quality", DATE_QUALITIES, mapping.constants.date_quality)
    quality = quality.fillna(pd.Series(default, dtype="str"))
    at = times.at
    if stated is not None:
        at = at.fillna(pd.Timestamp(utc(stated, zone)))
    unread = (times.form == "bad").to_numpy()
    found = [
        faults((times.form == "missing").to_numpy() & (stated is None), Reason.NO_DATE, theirs),
        faults(unread, Reason.BAD_DATE, theirs, cells),
        faults(_future(at, crawled, context), Reason.FUTURE_DATE, theirs, cells),
        quality_faults,
    ]
    at = at.mask(unread)
    columns: dict[str, pd.Series] = {
        "posted_at": at,
        "date_quality": quality,
        "month": at.dt.strftime("%Y-%m").astype("str"),
    }
    columns["crawled_at"] = crawled if crawled is not None else utc_series([None] * len(at))
    return columns, pd.concat([frame for frame in found if len(frame)] or found[:1], ignore_index=True)


def _future(at: pd.Series, crawled: pd.Series | None, context: Context) -> NDArray[np.bool_]:
    """Dates later than the import, or than the row's crawl, plus one day."""
    latest = pd.Timestamp(context.now) + timedelta(days=1)
    late = at > latest
    return (late if crawled is None else late | (at > crawled + timedelta(days=1))).to_numpy()


def _crawled(raw: RawTable, mapping: PostingsMapping, file: str, zone: tzinfo) -> pd.Series | None:
    """When each row was collected, None where nothing says so."""
    stated = mapping.constants.crawled_at
    at = pd.Series(utc_series([None if stated is None else utc(stated, zone)] * len(raw.frame)))
    if mapping.columns.crawled_at:
        cells = pick(raw.frame, mapping.columns.crawled_at)
        name = mapping.columns.crawled_at[0]
        read = read_times(cells, options=mapping.options, crawled_at=None, file=file, column=name)
        at = read.at.fillna(at)
    return at if mapping.columns.crawled_at or stated is not None else None


def _source(raw: RawTable, mapping: PostingsMapping) -> tuple[pd.Series[str], pd.DataFrame]:
    """Each row's source in its spelling for folders; the mapping's own where the row has none.

    What cannot be spelled so is a fault: under the mapping's own name it would be another market's.
    """
    found = texts(raw.frame, mapping.columns.source, mapping.values.get("source"))
    slug = found.str.lower().str.replace(r"[^a-z0-9._-]+", "-", regex=True).str.strip("-._").str[:64]
    slug = slug.where(slug != "").mask(found.isna(), mapping.source or None)
    bad = ~slug.str.fullmatch(_SOURCE).fillna(False).astype(bool).to_numpy()
    return slug, faults(bad, Reason.NO_SOURCE, (mapping.columns.source or ("",))[0], found)


def _choice(
    raw: RawTable, mapping: PostingsMapping, name: str, allowed: tuple[str, ...], default: str | None
) -> tuple[pd.Series[str], pd.DataFrame]:
    """Read a column with a closed list of values; missing ones take `default`."""
    theirs = getattr(mapping.columns, name)
    found = texts(raw.frame, theirs, mapping.values.get(name))
    if default is not None:
        found = found.fillna(default)
    bad = (found.notna() & ~found.isin(allowed)).to_numpy()
    return found, faults(bad, Reason.BAD_VALUE, theirs[0] if theirs else name, found)


def _ids(raw: RawTable, mapping: PostingsMapping, table: dict[str, pd.Series]) -> pd.Series[str]:
    """Given ids, else ``source:`` + 16 hex digits of SHA-256(title, description, price_raw, posted_at)."""
    given = texts(raw.frame, mapping.columns.posting_id)
    stamp = table["posted_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = zip(
        *(table[name].fillna("") for name in ("title", "description", "price_raw")), stamp.fillna(""), strict=True
    )
    hashes = [hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:16] for row in parts]
    return given.fillna(table["source"].fillna("") + ":" + pd.Series(hashes, dtype="str"))


def _notes(mapping: PostingsMapping) -> tuple[str, ...]:
    """What the rows do not say themselves."""
    said = mapping.constants.model_dump(mode="json", exclude_none=True)
    notes = tuple(f"{name} = {value} for rows that state none" for name, value in said.items())
    zone = mapping.options.timezone
    return (*notes, f"times without a zone are read as {zone or 'UTC'}")
