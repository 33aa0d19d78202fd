"""Gigs as analysts see them, read out of the basket and the postings table, a batch in memory at once."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from valuation.errors import InputError
from valuation.tables.partitions import PART

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from valuation.storage import Layout

BATCH = 2_000  # rows in memory at once

_OF_POSTING = (
    "title", "description", "skills", "url", "posted_at", "date_quality", "category", "country", "price_low",
    "price_high", "currency", "price_kind",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gig:
    """A posting as an analyst sees it.

    Attributes
    ----------
    posting_id : str
    row : int or None
        Row of the basket's index; None where the basket is gone.
    cluster_id : str or None
    n_members : int or None
        Postings of the cluster that it stands for.
    log_price : float or None
        The cluster's mean log price, as it prices sessions.
    source, month : str
    title, description, skills : str or None
        The text that the basket was made of, also where the posting was edited since.
    url : str or None
        As the source wrote it: not to be trusted.
    posted_at : datetime or None
        UTC; None, as are the others below, where the posting is no longer in the postings table.
    date_quality, category, country : str or None
    price_low, price_high : float or None
        In `currency`.
    currency, price_kind : str or None
    """

    posting_id: str
    row: int | None
    cluster_id: str | None
    n_members: int | None
    log_price: float | None
    source: str
    month: str
    title: str | None = None
    description: str | None = None
    skills: str | None = None
    url: str | None = None
    posted_at: datetime | None = None
    date_quality: str | None = None
    category: str | None = None
    country: str | None = None
    price_low: float | None = None
    price_high: float | None = None
    currency: str | None = None
    price_kind: str | None = None


@dataclass(frozen=True, slots=True)
class _Member:
    """A row of the basket, its text by its hash."""

    row: int
    cluster_id: str
    n_members: int
    log_price: float
    text: bytes


def basket_there(folder: Path) -> bool:
    """Whether a basket's folder is finished: its card goes first when a posting of it is deleted."""
    return (folder / "basket.json").is_file()


def basket_count(folder: Path) -> int:
    """Gigs of a basket; 0 where it is gone."""
    with contextlib.suppress(OSError, pa.ArrowException):
        if basket_there(folder):
            return int(pq.read_metadata(folder / "basket.parquet").num_rows)
    return 0


def gigs_of_basket(layout: Layout, folder: Path) -> Iterator[Gig]:
    """Every gig of a basket, a batch of postings in memory at once; in no particular order."""
    members = _members(folder)
    sources = set(_column(folder / "basket.parquet", "source"))
    for part in _parts(layout, sources):
        for posting in _postings(part, None):
            member = members.get(posting["posting_id"])
            if member is not None and _hash(_text(posting)) == member.text:
                del members[posting["posting_id"]]
                yield _gig(posting, member)
    if members:  # edited since, or no longer imported: the text that prices sessions is the basket's
        yield from _from_basket(layout, folder, members, sources)


def _members(folder: Path) -> dict[str, _Member]:
    """Rows of the basket by posting_id."""
    members: dict[str, _Member] = {}
    for line in _lines(folder / "basket.parquet", ["posting_id", "cluster_id", "n_members", "log_price", "text"]):
        members[line["posting_id"]] = _Member(
            len(members), line["cluster_id"], line["n_members"], line["log_price"], _hash(line["text"])
        )
    return members


def _from_basket(layout: Layout, folder: Path, members: dict[str, _Member], sources: Collection[str]) -> Iterator[Gig]:
    """Gigs whose posting has another text now, or none: title is the first line, the rest is the description."""
    known = {
        posting["posting_id"]: posting for part in _parts(layout, sources) for posting in _postings(part, set(members))
    }
    for line in _lines(folder / "basket.parquet", ["posting_id", "source", "month", "text"]):
        member = members.get(line["posting_id"])
        if member is not None:
            title, _, rest = line["text"].partition("\n")
            words = {"title": title, "description": rest or None, "skills": None}
            yield _gig(known.get(line["posting_id"], {}) | line | words, member)


def postings_as_gigs(layout: Layout, basket_id: str, only: Collection[str]) -> Iterator[Gig]:
    """Some gigs straight from the postings table, as it is now: what is shown before the file is there.

    Where the basket is gone, all postings are looked through, and nothing is known of rows and prices.
    """
    folder, members, parts = layout.indices / basket_id, {}, list(_parts(layout, None))
    if basket_there(folder):
        wanted = set()
        names = ["posting_id", "cluster_id", "n_members", "log_price", "source", "month"]
        for row, line in _some(folder / "basket.parquet", names, only):
            members[line["posting_id"]] = _Member(row, line["cluster_id"], line["n_members"], line["log_price"], b"")
            wanted.add(layout.postings / f"source={line['source']}" / f"month={line['month']}" / PART)
        parts, only = [part for part in parts if part in wanted], set(members)
    for part in parts:
        for posting in _postings(part, only):
            member = members.get(posting["posting_id"])
            yield _gig(posting, member)


def _gig(posting: dict[str, Any], member: _Member | None) -> Gig:
    return Gig(
        posting_id=posting["posting_id"],
        row=None if member is None else member.row,
        cluster_id=None if member is None else member.cluster_id,
        n_members=None if member is None else member.n_members,
        log_price=None if member is None else member.log_price,
        source=posting["source"],
        month=posting["month"],
        **{name: posting.get(name) for name in _OF_POSTING},
    )


def _text(posting: dict[str, Any]) -> str:
    """Text of a posting as `valuation.pipeline.basket.posting_texts` writes it."""
    parts = ((posting[name] or "").strip() for name in ("title", "description", "skills"))
    return "\n".join(part for part in parts if part)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _parts(layout: Layout, sources: Collection[str] | None) -> Iterator[Path]:
    """Files of the postings table, by name."""
    for part in sorted(layout.postings.glob(f"source=*/month=*/{PART}")):
        if sources is None or part.parent.parent.name.removeprefix("source=") in sources:
            yield part


def _postings(part: Path, only: Collection[str] | None) -> Iterator[dict[str, Any]]:
    """Postings of one file with their source and month; those of `only`, if given."""
    keys = {"source": part.parent.parent.name.removeprefix("source="), "month": part.parent.name.removeprefix("month=")}
    names = ["posting_id", *_OF_POSTING]
    lines = _lines(part, names) if only is None else (line for _, line in _some(part, names, only))
    for line in lines:
        yield line | keys


def _lines(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file, a batch in memory at once."""
    with _readable(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH, columns=columns, use_threads=False):
            yield from batch.to_pylist()


def _some(path: Path, columns: list[str], only: Collection[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a Parquet file whose posting_id is one of `only`, with their position."""
    wanted = pa.array(sorted(only), type=pa.large_string())
    with _readable(path), pq.ParquetFile(path) as file:
        ids = file.read(columns=["posting_id"], use_threads=False).column("posting_id")
        rows = pc.indices_nonzero(pc.is_in(ids.cast(pa.large_string()), value_set=wanted))
        if len(rows):
            found = file.read(columns=columns, use_threads=False).take(rows)
            yield from zip(rows.to_pylist(), found.to_pylist(), strict=True)


def _column(path: Path, name: str) -> list[Any]:
    """Distinct values of a column."""
    with _readable(path), pq.ParquetFile(path) as file:
        return list(pc.unique(file.read(columns=[name], use_threads=False).column(name)).to_pylist())


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Name a file that cannot be read."""
    try:
        yield
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"{path}: not readable as Parquet: {(str(error).splitlines() or [''])[0][:200]}") from error
