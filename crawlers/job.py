"""One crawl of one source, as data: what a worker process is told, and what a spider may ask."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from valuation.config import Crawl, SourceSettings


@dataclass(frozen=True, slots=True)
class Window:
    """What a crawl is to cover. Times are UTC.

    Attributes
    ----------
    since, until : datetime or None
        Postings published from, and before; None: from the beginning, and to now.
    changed_since : datetime or None
        Set on a rerun: only what was published or changed from then on is wanted (the newest date seen less the
        look-back). None: everything in the window.
    """

    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None

    @property
    def start(self) -> datetime | None:
        """The later of `since` and `changed_since`: where a listing by date may stop."""
        known = [time for time in (self.since, self.changed_since) if time is not None]
        return max(known) if known else None

    def holds(self, published: datetime | None) -> bool:
        """Whether a posting's date lies between `since` and `until`; one without a date does."""
        if published is None:
            return True
        return (self.since is None or published >= self.since) and (self.until is None or published < self.until)


@dataclass(frozen=True, slots=True)
class Job:
    """One crawl of one source.

    Attributes
    ----------
    name : str
        Of the source, and of its postings' ``source``.
    crawl_id : str
        Of this crawl; a resumed crawl keeps it.
    source : SourceSettings
    crawl : Crawl
    window : Window
    store : Path
        The source's SQLite file.
    job_dir : Path
        Scrapy's state, to resume from.
    log : Path
    token : str
        ``''`` where there is none; never written to disk.
    """

    name: str
    crawl_id: str
    source: SourceSettings
    crawl: Crawl
    window: Window
    store: Path
    job_dir: Path
    log: Path
    token: str = field(default="", repr=False)

    def to_json(self) -> str:
        """Everything, the token too: for the worker's standard input alone."""
        data = {
            "name": self.name,
            "crawl_id": self.crawl_id,
            "source": self.source.model_dump(mode="json"),
            "crawl": self.crawl.model_dump(mode="json"),
            "window": {key: value and value.isoformat() for key, value in asdict(self.window).items()},
            "paths": [str(self.store), str(self.job_dir), str(self.log)],
            "token": self.token,
        }
        return json.dumps(data)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        times = {key: datetime.fromisoformat(value) if value else None for key, value in data["window"].items()}
        store, job_dir, log = (Path(path) for path in data["paths"])
        return cls(
            data["name"], data["crawl_id"], SourceSettings.model_validate(data["source"]),
            Crawl.model_validate(data["crawl"]), Window(**times), store, job_dir, log, data["token"],
        )  # fmt: skip


def changed_since(mark: datetime | None, source: SourceSettings) -> datetime | None:
    """Where a rerun starts: the high-water mark, which is never ahead of now, less the source's look-back."""
    return None if mark is None else min(mark, now()) - timedelta(days=source.look_back_days)


def now() -> datetime:
    """Current time, UTC: the one clock of a crawl."""
    return datetime.now(UTC)
