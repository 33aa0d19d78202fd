"""Files of postings and sessions -> the workspace's tables. Callers hold the workspace (`valuation.storage.held`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from valuation.imports.entry import import_postings, import_sessions, quarantined, read_postings_file, retry
    from valuation.imports.report import FileReport, ImportReport

__all__ = [
    "FileReport",
    "ImportReport",
    "import_postings",
    "import_sessions",
    "quarantined",
    "read_postings_file",
    "retry",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # pandas and pandera load only when something is imported
    if name in ("FileReport", "ImportReport"):
        from valuation.imports import report

        return getattr(report, name)
    if name in __all__:
        from valuation.imports import entry

        return getattr(entry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
