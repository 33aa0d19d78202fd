"""Files beside a source's store that name what it sent: Scrapy's queue, the log, the crawl reports, trace-backs."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from valuation.collection.report import page
from valuation.errors import EnvironmentFault
from valuation.tables import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from crawlers.store import Store
    from valuation.collection.retention import Expired
    from valuation.storage import Layout

WITHHELD = "(deleted: the source's retention limit)"


def clear_files(layout: Layout, store: Store, expired: Expired) -> None:
    """Remove what these files hold of the time before the cut; done twice, it does no more than once.

    Raises
    ------
    EnvironmentFault
        One cannot be written.
    """
    (newest,) = store.db.execute("SELECT max(started_at) FROM crawls WHERE kind <> 'reparse'").fetchone()
    folder = layout.crawl_store(expired.source).parent
    try:
        if newest is not None and newest <= expired.cut:
            remove_tree(folder / "job")  # a crawl begun then cannot be gone on with; the next starts at its mark
        _clear_log(folder / "crawl.log", expired.cut)
        _clear_traces(layout.root / "faults", expired.cut)
        for report in sorted((layout.crawl / "reports").glob("*/report.json")):
            _clear_report(report, expired)
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename}: cannot be written: {error.strerror}; run the command again"
        ) from error


def remove_tree(folder: Path) -> None:
    """Remove a folder at one stroke: under its name it is whole or not there."""
    for left in folder.parent.glob(f".tmp-gone-{folder.name}-*"):  # of a process that was killed
        shutil.rmtree(left)
    if folder.exists():
        aside = folder.with_name(f".tmp-gone-{folder.name}-{secrets.token_hex(4)}")
        folder.replace(aside)
        shutil.rmtree(aside)


def _clear_log(path: Path, cut: str) -> None:
    """Drop a log's lines up to the cut; a line without a time belongs to the one before."""
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept, keep = [], False
    for line in lines:
        with contextlib.suppress(ValueError):
            when = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").astimezone(UTC)  # noqa: DTZ007 - local time
            keep = when.isoformat(timespec="microseconds") > cut
        if keep:
            kept.append(line)
    if len(kept) < len(lines):
        write_text(path, "".join(kept))


def _clear_traces(folder: Path, cut: str) -> None:
    """Remove trace-backs from before the cut: an error's message may quote what it stumbled over."""
    latest = f"{datetime.fromisoformat(cut):%Y-%m-%dT%H%M%S}"
    for path in folder.glob("*.txt"):
        if path.name[: len(latest)] <= latest:
            path.unlink()


def _clear_report(path: Path, expired: Expired) -> None:
    """Blank addresses and messages in a crawl report's parts that are of this source and too old."""
    try:
        data: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["sources"]
        cleared = [_cleared(part) if _too_old(part, expired) else part for part in data]
    except (ValueError, KeyError, TypeError):  # nobody can tell what is in it
        remove_tree(path.parent)
        return
    shown = path.with_suffix(".html")
    if cleared == data and not any(_too_old(part, expired) for part in data):
        return
    if cleared != data:
        write_text(path, json.dumps({"sources": cleared}, indent=1, ensure_ascii=False) + "\n")
    if shown.exists() and shown.read_text(encoding="utf-8", errors="replace") != (text := page(cleared)):
        write_text(shown, text)


def _too_old(part: dict[str, Any], expired: Expired) -> bool:
    """Whether a part tells of answers from before the cut; a reparse may tell of any."""
    if part["source"] != expired.source:
        return False
    return str(part["started_at"]) <= expired.cut or part["kind"] == "reparse"


def _cleared(part: dict[str, Any]) -> dict[str, Any]:
    """Blank what came from the source; counts stay."""
    first = part["first_differing"]
    return {
        **part,
        "first_differing": first and {**first, "url": WITHHELD, "what": WITHHELD},
        "faults": [{**fault, "url": None, "message": ""} for fault in part["faults"]],
    }
