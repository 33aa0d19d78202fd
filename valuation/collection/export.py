"""A source's store -> Parquet: current postings, all versions, the quarantine, the ledger. Made anew each time.

The tables are a function of the store alone, so an interrupted, a repeated and a single long crawl of the same postings
give the same rows. Versions stream through in pieces: memory does not grow with the source.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq

from crawlers.store import Store, open_store
from valuation.collection.rows import Context, Version, read_version, summary_json, version_rows
from valuation.errors import EnvironmentFault
from valuation.imports.ledger import (
    CRAWLED,
    Entry,
    Provenance,
    read_provenance,
    write_ledger,
    write_provenance,
    write_quarantine,
)
from valuation.imports.masking import mask
from valuation.imports.rates import rates_path, user_rates
from valuation.imports.reasons import MEANINGS, Reason
from valuation.storage import read_key
from valuation.tables import PartsWriter, Postings, PostingVersions, Quarantine, empty, read_partitions, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.storage import Layout

PIECE = 10_000  # versions at once
_QUERY = """
SELECT v.posting_id, v.version, v.content, v.first_seen_at, v.last_seen_at, v.first_response,
       v.version = (SELECT max(w.version) FROM versions w WHERE w.posting_id = v.posting_id)
FROM versions v ORDER BY v.posting_id, v.version
"""
_DROPPED = """
SELECT record_id, reason, value, d.url, d.response_id, position, r.url
FROM dropped d LEFT JOIN responses r USING (response_id) ORDER BY record_id
"""
_REASON_OF_DROPPED = {
    "not_a_posting": Reason.NOT_A_POSTING,
    "unreadable_record": Reason.UNREADABLE_ROW,
    "no_id": Reason.NO_ID,
    "gone": Reason.GONE,
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What one source's tables hold now.

    Attributes
    ----------
    postings, versions : int
        Rows of the current table, and of the history.
    quarantined : tuple of (reason, rows)
        Most frequent first.
    """

    postings: int
    versions: int
    quarantined: tuple[tuple[str, int], ...]


def import_id(name: str) -> str:
    """Id of a source's line in the ledger."""
    return hashlib.sha256(f"{CRAWLED}{name}".encode()).hexdigest()[:16]


def export(layout: Layout, settings: Settings, name: str) -> Exported:
    """Write a source's tables from its store.

    Raises
    ------
    EnvironmentFault
        The store or a table cannot be read or written.
    """
    rates = user_rates(rates_path(layout, settings.currency.rates_file))
    context = Context(name, read_key(layout), rates)
    store = open_store(layout.crawl_store(name))
    try:
        return _export(layout, store, context)
    except sqlite3.Error as error:
        raise EnvironmentFault(
            f"{store.path}: cannot be read: {error}; restore it from a copy, or move it away"
        ) from error
    finally:
        store.close()


def _export(layout: Layout, store: Store, context: Context) -> Exported:
    ours = import_id(context.source)
    others = _of_other_imports(layout, context.source, set(read_provenance(layout, "postings", ours)["id"]))
    taken = _ids_elsewhere(layout, context.source)
    ids: list[str] = []
    held: list[pd.DataFrame] = []
    digest = hashlib.sha256()
    n_versions = 0
    keys = ("source", "month")
    with (
        PartsWriter(layout.postings, Postings, keys, context.source) as postings,
        PartsWriter(layout.versions, PostingVersions, keys, context.source) as versions,
    ):
        for piece in _pieces(store):
            frame, reasons = version_rows(piece, context)
            reasons[frame["posting_id"].isin(taken).to_numpy() & (reasons == None)] = Reason.DUPLICATE_ID  # noqa: E711
            usable = pd.Series([reason is None for reason in reasons], dtype=bool)
            current = frame[usable & frame["current"]]
            if usable.any():
                versions.add(frame[usable])
            if len(current):
                postings.add(current[list(Postings.to_schema().columns)])
            ids += current["posting_id"].tolist()
            n_versions += int(usable.sum())
            held.append(_held(piece, reasons, ours, context.source))
            for one in piece:
                digest.update(f"{one.posting_id} {one.version} {one.last_seen_at}\n".encode())
        others = others[~others["posting_id"].isin(ids)]
        if len(others):
            postings.add(others)
        held.append(_held_dropped(store, ours, context.source))
        quarantine = pd.concat([table for table in held if len(table)] or held[:1], ignore_index=True)
        _write(layout, context, ids, quarantine, digest.hexdigest(), postings, versions)
    by_count = sorted(Counter(quarantine["reason"]).items(), key=lambda one: (-one[1], one[0]))
    return Exported(len(ids), n_versions, tuple(by_count))


def _write(
    layout: Layout,
    context: Context,
    ids: list[str],
    quarantine: pd.DataFrame,
    digest: str,
    postings: PartsWriter,
    versions: PartsWriter,
) -> None:
    """Put everything in place, in the order in which imports do: the ledger's line last."""
    provenance = typed({"id": pd.Series(ids, dtype="str"), "kept": [True] * len(ids)}, Provenance)
    ours, n = import_id(context.source), len(ids) + len(quarantine)
    now = datetime.now(UTC)
    entry = Entry(ours, "postings", f"{CRAWLED}{context.source}", digest, now, n, quarantine, provenance)
    write_quarantine(layout, entry)
    # until the rows are in place both the old and the new ones are ours: else one that goes would be taken for a file's
    before = read_provenance(layout, "postings", ours)
    gone = before[~before["id"].isin(ids)]
    both = pd.concat([table for table in (provenance, gone) if len(table)] or [provenance], ignore_index=True)
    write_provenance(layout, dataclasses.replace(entry, provenance=both))
    versions.commit()
    postings.commit()
    write_provenance(layout, entry)
    write_ledger(layout, [entry], superseded=())


def _of_other_imports(layout: Layout, source: str, ours: set[str]) -> pd.DataFrame:
    """Rows of this source that files brought, not crawls."""
    folder = layout.postings / f"source={source}"
    if not folder.exists():
        return empty(Postings)
    whole = read_partitions(layout.postings, Postings, ("source", "month"), "posting_id", only=source)
    return whole[~whole["posting_id"].isin(ours)]


def _ids_elsewhere(layout: Layout, source: str) -> set[str]:
    """Ids in this source's spelling that files brought under other sources."""
    found: set[str] = set()
    for part in layout.postings.glob("source=*/month=*/part.parquet"):
        if part.parts[-3] != f"source={source}":
            ids = pq.read_table(part, columns=["posting_id"], partitioning=None)["posting_id"].to_pylist()
            found.update(one for one in ids if one.startswith(f"{source}:"))
    return found


def _pieces(store: Store) -> Iterator[list[Version]]:
    """Versions by posting and number, some thousand at a time."""
    rows = store.db.execute(_QUERY)
    while piece := [read_version(row) for row in islice(rows, PIECE)]:
        yield piece


def _held(piece: list[Version], reasons: NDArray[np.object_], ours: str, source: str) -> pd.DataFrame:
    """Quarantine rows of the current versions that cannot be used; ``row`` is the answer's number in the store."""
    pairs = zip(piece, reasons.tolist(), strict=True)
    bad = [(one, reason) for one, reason in pairs if reason is not None and one.current]
    return _quarantine(
        ours,
        source,
        rows=[one.response_id for one, _ in bad],
        values=[_value_of(one, reason) for one, reason in bad],
        reasons=[reason for _, reason in bad],
        raw=[summary_json(one) for one, _ in bad],
    )


def _value_of(version: Version, reason: Reason) -> str | None:
    """What was at fault."""
    posting = version.posting
    found = posting.date_published_raw if reason in (Reason.BAD_DATE, Reason.FUTURE_DATE) else posting.price.raw
    return mask(found)[:80] if found else None


def _held_dropped(store: Store, ours: str, source: str) -> pd.DataFrame:
    """Quarantine rows of the records that are no postings."""
    found = store.db.execute(_DROPPED).fetchall()
    return _quarantine(
        ours,
        source,
        rows=[response for _, _, _, _, response, _, _ in found],
        values=[value and mask(value)[:80] for _, _, value, *_ in found],
        reasons=[_REASON_OF_DROPPED[reason] for _, reason, *_ in found],
        raw=[
            json.dumps({"id": name, "url": mask(url or page or ""), "position": position})
            for name, _, _, url, _, position, page in found
        ],
    )


def _quarantine(
    ours: str,
    source: str,
    *,
    rows: list[int],
    values: list[str | None],
    reasons: list[Reason],
    raw: list[str],
) -> pd.DataFrame:
    return typed(
        {
            "import_id": [ours] * len(rows),
            "file": [f"{CRAWLED}{source}"] * len(rows),
            "row": rows,
            "column": [None] * len(rows),
            "value": values,
            "expected": [MEANINGS[reason][0] for reason in reasons],
            "reason": [str(reason) for reason in reasons],
            "message": [MEANINGS[reason][1] for reason in reasons],
            "raw": raw,
        },
        Quarantine,
    )
