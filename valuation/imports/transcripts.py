"""Transcripts of Claude Code: a folder of ``*.jsonl`` files, one session a file or session id."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from valuation.errors import InputError
from valuation.imports.mapping import SessionColumns, SessionsMapping
from valuation.imports.raw import RawTable, object_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from valuation.imports.mapping import SessionConstants

Line = dict[str, Any]
MAX_PROMPTS = 20_000  # characters of joined prompts kept as a summary; the report says how many sessions were cut
_NO_PROMPT = ("<command-", "<local-command", "<system-reminder", "Caveat:", "[Request interrupted")


@dataclass(frozen=True, slots=True)
class Folder:
    """Transcript files of one folder.

    Attributes
    ----------
    name : str
        The folder's name.
    files : tuple of (relative path, bytes)
        Ordered by path.
    """

    name: str
    files: tuple[tuple[str, bytes], ...]

    @property
    def sha256(self) -> str:
        """Hash of names and contents."""
        whole = hashlib.sha256()
        for path, content in self.files:
            whole.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        return whole.hexdigest()


def is_transcript(path: Path) -> bool:
    """Whether a file's first lines are those of a transcript."""
    try:
        with path.open(encoding="utf-8") as file:
            first = [json.loads(line) for _, line in zip(range(3), file, strict=False) if line.strip()]
    except (OSError, ValueError):
        return False
    return any(isinstance(line, dict) and "type" in line and {"sessionId", "leafUuid"} & set(line) for line in first)


def read_folder(path: Path) -> Folder:
    """Read all transcripts below a folder, or one file.

    Raises
    ------
    InputError
        There are none.
    """
    found = [path] if path.is_file() else sorted(path.rglob("*.jsonl"))
    if not found:
        raise InputError(f"{path}: no *.jsonl transcripts in it or below")
    root = path.parent if path.is_file() else path
    try:
        files = tuple((file.relative_to(root).as_posix(), file.read_bytes()) for file in found)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return Folder(path.resolve().name, files)


def transcript_mapping(constants: SessionConstants) -> SessionsMapping:
    """Mapping of the rows that `read_transcripts` gives."""
    columns = SessionColumns(session_id=("session_id",), started_at=("started_at",), summary=("summary",))
    return SessionsMapping(kind="sessions", columns=columns, constants=constants)


def read_transcripts(folder: Folder) -> RawTable:
    """One row a session: its id, first time stamp, summary, project folder and number of prompts.

    The summary is the transcript's own ``summary`` line if it has one, else the user's prompts joined by blank lines.

    Raises
    ------
    InputError
        No line of any file is a transcript's.
    """
    sessions: dict[str, list[Line]] = {}
    unreadable = 0
    for path, content in folder.files:
        lines = list(_lines(content))
        unreadable += lines.count(None)
        good = [line for line in lines if line is not None]
        named = next((line["sessionId"] for line in good if line.get("sessionId")), PurePosixPath(path).stem)
        for line in good:  # a summary line does not say its session: it is the file's
            sessions.setdefault(str(line.get("sessionId") or named), []).append(line)
    rows = [_row(session, lines) for session, lines in sorted(sessions.items())]
    if not any(row["started_at"] for row in rows):
        raise InputError(f"{folder.name}: no lines with type, sessionId and timestamp; is it the right folder?")
    notes: tuple[str, ...] = (f"{unreadable} lines are not JSON and were left out",) if unreadable else ()
    cut = sum(len(str(row["summary"] or "")) == MAX_PROMPTS for row in rows)
    notes += (f"{cut} sessions' prompts were cut at {MAX_PROMPTS} characters",) if cut else ()
    return RawTable(object_frame(rows), tuple(range(1, len(rows) + 1)), (), "", notes)


def _lines(content: bytes) -> Iterator[Line | None]:
    """Objects of a JSON Lines file; None for a line that is none."""
    for text in content.decode("utf-8", errors="replace").splitlines():
        if text.strip():
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                line = None
            yield line if isinstance(line, dict) else None


def _row(session: str, lines: Sequence[Line]) -> Line:
    """One session's row."""
    titles = [line.get("summary") for line in lines if line.get("type") == "summary"]
    summaries = [title for title in titles if isinstance(title, str) and title.strip()]
    prompts = [text for line in lines if (text := _prompt(line))]
    stamps = [line["timestamp"] for line in lines if isinstance(line.get("timestamp"), str)]
    folders = [line["cwd"] for line in lines if isinstance(line.get("cwd"), str) and line["cwd"]]
    return {
        "session_id": session,
        "started_at": min(stamps, default=None),
        "summary": summaries[-1] if summaries else "\n\n".join(prompts)[:MAX_PROMPTS] or None,
        "project": _last_part(folders[0]) if folders else None,
        "prompts": len(prompts),
    }


def _prompt(line: Line) -> str:
    """What the user typed in a line; ``''`` for tool results, commands and side chains."""
    message = line.get("message")
    if line.get("type") != "user" or line.get("isMeta") or line.get("isSidechain") or not isinstance(message, dict):
        return ""
    content = message.get("content")
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    said = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    kept = [text.strip() for text in said if isinstance(text, str) and not text.lstrip().startswith(_NO_PROMPT)]
    return "\n".join(text for text in kept if text)


def _last_part(folder: str) -> str:
    """Last part of a path: what stands before it may name a person."""
    parts = PureWindowsPath(folder) if "\\" in folder else PurePosixPath(folder)
    return parts.name or "unknown"
