"""The workspace on disk: where each thing lies, who holds it, and how its partitioned tables are read and written.

A *workspace* is a folder; nothing is kept anywhere else. `Layout` knows the paths, `held` is the one-writer lock,
`read_postings`/`write_postings` and `read_sessions`/`write_sessions` are the two inputs.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from valuation.config import configs_dir
from valuation.errors import EnvironmentFault, InputError
from valuation.tables import (
    Postings,
    PostingVersions,
    Sessions,
    digest_partitions,
    finish_write,
    read_partitions,
    write_partitions,
)
from valuation.tables.partitions import NEXT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of a workspace."""

    root: Path

    @property
    def settings(self) -> Path:
        """Settings of this workspace."""
        return self.root / "valuation.toml"

    @property
    def key_file(self) -> Path:
        """The key that names are hashed with; mode 0600."""
        return self.root / ".key"

    @property
    def postings(self) -> Path:
        """Postings, partitioned ``source=…/month=…``."""
        return self.root / "postings"

    @property
    def versions(self) -> Path:
        """Every version of crawled postings, partitioned as postings are."""
        return self.root / "versions"

    @property
    def crawl(self) -> Path:
        """What crawls keep: a folder a source, ``reports/`` and ``tombstones.parquet``."""
        return self.root / "crawl"

    def crawl_store(self, source: str) -> Path:
        """A source's raw responses, versions and counts."""
        return self.crawl / source / "store.db"

    @property
    def sessions(self) -> Path:
        """Sessions, partitioned ``month=…``."""
        return self.root / "sessions"

    @property
    def imports(self) -> Path:
        """The ledger of imports."""
        return self.root / "imports.parquet"

    def quarantine(self, kind: str, import_id: str = "") -> Path:
        """Folder of a kind's quarantined rows, or one import's table."""
        folder = self.root / "quarantine" / kind
        return folder / f"{import_id}.parquet" if import_id else folder

    @property
    def embeddings(self) -> Path:
        """Vectors by model and content hash."""
        return self.root / "embeddings"

    @property
    def indices(self) -> Path:
        """FAISS files with their cards."""
        return self.root / "indices"

    @property
    def models(self) -> Path:
        """Encoders made here, such as the static one."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """Runs by id."""
        return self.root / "runs"

    @property
    def audits(self) -> Path:
        """Samples that analysts judge, by id, with what was estimated from their verdicts."""
        return self.root / "audits"

    @property
    def latest(self) -> Path:
        """One line: the newest run's id."""
        return self.runs / "latest"


def open_layout(root: Path) -> Layout:
    """Return the layout of an existing workspace.

    Raises
    ------
    InputError
        `root` is not a workspace.
    """
    layout = Layout(root.expanduser().resolve())
    if not layout.settings.is_file():
        raise InputError(f"{root} is not a workspace (no valuation.toml); make one with: valuation init {root}")
    return layout


def make_workspace(root: Path, *, key_file: Path | None = None, settings: str | None = None) -> Layout:
    """Make a workspace: a commented ``valuation.toml`` (or the text given) and a hashing key.

    Raises
    ------
    InputError
        The folder is a workspace already, or is not empty, or the key cannot be read or is too short.
    EnvironmentFault
        It cannot be written.
    """
    folder = root.expanduser()
    layout = Layout(folder.resolve())
    if layout.settings.exists():
        raise InputError(f"{folder} is a workspace already; nothing was changed")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not an empty folder; choose a new name for the workspace")
    try:
        key = key_file.read_bytes() if key_file is not None else None
    except OSError as error:
        raise InputError(f"--key-file {key_file}: cannot be read: {error.strerror}") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_key(layout, key)
        layout.settings.write_text(commented_settings() if settings is None else settings, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"{folder}: cannot be written: {error.strerror}") from error
    return layout


def commented_settings() -> str:
    """``valuation.toml`` of a new workspace: every setting with its meaning, switched off."""
    lines = (configs_dir() / "default.toml").read_text(encoding="utf-8").splitlines()
    shown = [line if not line or line.startswith(("#", "[")) else f"# {line}" for line in lines]
    head = ["# Settings of this workspace. Remove the # before a line to change it.", ""]
    return "\n".join([*head, *shown[3:]]) + "\n"


def read_key(layout: Layout) -> bytes:
    """Return the workspace's hashing key.

    Raises
    ------
    EnvironmentFault
        The key is missing: names hashed with another key would not join with those already here.
    """
    try:
        key = layout.key_file.read_bytes().strip()
    except OSError as error:
        raise EnvironmentFault(
            f"{layout.key_file}: the hashing key cannot be read ({error.strerror}); restore it or make a new workspace"
        ) from error
    if len(key) < 16:
        raise EnvironmentFault(f"{layout.key_file}: expected at least 16 bytes of key, got {len(key)}")
    return key


def write_key(layout: Layout, key: bytes | None = None) -> None:
    """Store the hashing key with mode 0600; a fresh random one by default. Never overwrites."""
    material = key if key is not None else secrets.token_hex(32).encode()
    if len(material.strip()) < 16:
        raise InputError(f"the key must have at least 16 bytes, got {len(material.strip())}")
    handle = os.open(layout.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(material)


@contextlib.contextmanager
def held(layout: Layout, verb: str) -> Iterator[None]:
    """Hold the workspace for writing while `verb` runs.

    Raises
    ------
    EnvironmentFault
        Another process holds it; the message says which, where and since when.
    """
    lock = FileLock(layout.root / ".lock", timeout=0)
    note = layout.root / ".lock.json"
    try:
        lock.acquire()
    except Timeout:
        raise EnvironmentFault(f"{layout.root} is in use{_holder(note)}; try again when it has finished") from None
    except OSError as error:
        raise EnvironmentFault(f"{layout.root}: cannot be locked: {error.strerror}") from error
    try:
        for folder in (layout.postings, layout.versions, layout.sessions):
            finish_write(folder)  # of a process that was killed
        _sweep(layout)
        holder = {"verb": verb, "pid": os.getpid(), "host": socket.gethostname(), "since": _now()}
        with contextlib.suppress(OSError):
            note.write_text(json.dumps(holder))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _sweep(layout: Layout) -> None:
    """Remove unfinished files that a killed process left; whoever holds the lock knows that nobody writes them."""
    tables = (layout.postings, layout.versions, layout.sessions)
    left = [*layout.root.rglob(".tmp-*"), *(path for table in tables for path in table.rglob(NEXT))]
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _holder(note: Path) -> str:
    """Say who holds the lock, as far as the holder's note tells."""
    try:
        holder = json.loads(note.read_text())
        return (
            f" by `valuation {holder['verb']}` (process {holder['pid']} on {holder['host']}, since {holder['since']})"
        )
    except (OSError, ValueError, KeyError):
        return " by another process"


def read_postings(layout: Layout) -> pd.DataFrame:
    """All current postings, ordered by posting_id; an empty table before the first import."""
    return read_partitions(layout.postings, Postings, ("source", "month"), "posting_id")


def write_postings(layout: Layout, postings: pd.DataFrame) -> None:
    """Replace the postings table, all of it or nothing; partitions that do not change keep their bytes."""
    write_partitions(postings, layout.postings, Postings, ("source", "month"), "posting_id")


def read_versions(layout: Layout) -> pd.DataFrame:
    """All versions of crawled postings, ordered by posting_id and version; an empty table before the first crawl."""
    return read_partitions(layout.versions, PostingVersions, ("source", "month"), ["posting_id", "version"])


def read_sessions(layout: Layout) -> pd.DataFrame:
    """All sessions, ordered by session_id; an empty table before the first import."""
    return read_partitions(layout.sessions, Sessions, ("month",), "session_id")


def write_sessions(layout: Layout, sessions: pd.DataFrame) -> None:
    """Replace the sessions table, all of it or nothing; partitions that do not change keep their bytes."""
    write_partitions(sessions, layout.sessions, Sessions, ("month",), "session_id")


def postings_digest(layout: Layout) -> str:
    """SHA-256 (hex) over the postings' partitions: equal content gives equal digests."""
    return digest_partitions(layout.postings)


def sessions_digest(layout: Layout) -> str:
    """SHA-256 (hex) over the sessions' partitions."""
    return digest_partitions(layout.sessions)
