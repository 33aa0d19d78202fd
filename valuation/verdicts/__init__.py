"""Analysts' verdicts: an append-only log in SQLite or PostgreSQL, and who works on what.

`open_log` opens it, `VerdictLog` appends and reads, `VERDICTS` are the words a verdict may be.
"""

from valuation.verdicts.entries import CANT_SAY, COMPARABLE, VERDICTS, WHOLE_SESSION, Entry, Stored
from valuation.verdicts.frames import verdict_frame
from valuation.verdicts.log import VerdictLog
from valuation.verdicts.opening import open_log, review_url

__all__ = [
    "CANT_SAY", "COMPARABLE", "VERDICTS", "WHOLE_SESSION", "Entry", "Stored", "VerdictLog", "open_log", "review_url",
    "verdict_frame",
]  # fmt: skip
