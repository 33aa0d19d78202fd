"""Why a verdict could not be used: a closed list of codes, with what was expected and what is wrong."""

from __future__ import annotations

from enum import StrEnum

from valuation.verdicts.entries import MAX_PRICE, NAME_LENGTH, NOTE_LENGTH, VERDICTS


class VerdictReason(StrEnum):
    """Codes of the quarantine's ``reason`` column, for verdicts."""

    UNREADABLE_ROW = "unreadable_row"
    NO_SESSION = "no_session"
    UNKNOWN_SESSION = "unknown_session"
    UNKNOWN_POSTING = "unknown_posting"
    UNKNOWN_BETTER = "unknown_better_posting"
    BAD_VERDICT = "bad_verdict"
    BAD_PRICE = "bad_price"
    NO_ANALYST = "no_analyst"
    BAD_ANALYST = "bad_analyst"
    NO_DATE = "no_date"
    BAD_DATE = "bad_date"
    FUTURE_DATE = "future_date"
    BAD_NOTE = "bad_note"
    CONFLICT = "conflict"
    SUPERSEDED = "superseded"


MEANINGS: dict[VerdictReason, tuple[str, str]] = {
    # reason: (what was expected, what is wrong)
    VerdictReason.UNREADABLE_ROW: (
        "as many fields as the header has, or one JSON object a line",
        "the row cannot be read",
    ),
    VerdictReason.NO_SESSION: ("the session_id of a session of the sample", "the row names no session"),
    VerdictReason.UNKNOWN_SESSION: (
        "the session_id of a session of the sample, as in sample.parquet",
        "the audit's sample has no such session",
    ),
    VerdictReason.UNKNOWN_POSTING: (
        "a posting of the run's basket, or nothing for the session as a whole",
        "the run's basket has no such posting",
    ),
    VerdictReason.UNKNOWN_BETTER: (
        "a posting of the run's basket, or nothing",
        "the basket has no such better posting",
    ),
    VerdictReason.BAD_VERDICT: (f"one of {', '.join(VERDICTS)}", "the verdict is none of the five"),
    VerdictReason.BAD_PRICE: (
        f"US dollars as a plain number above 0 and up to {MAX_PRICE:,.0f}, such as 149.50, or nothing",
        "the price is no such number",
    ),
    VerdictReason.NO_ANALYST: ("a name in the column analyst, or --analyst NAME", "nothing says who judged"),
    VerdictReason.BAD_ANALYST: (
        f"1 to {NAME_LENGTH} letters, digits, spaces or .'@+-, beginning with a letter or digit",
        "the name cannot stand for an analyst",
    ),
    VerdictReason.NO_DATE: (
        "a time in the column decided_at, or --decided-at TIME for rows without one",
        "nothing says when it was decided",
    ),
    VerdictReason.BAD_DATE: ("a time in ISO 8601 since 1995, such as 2026-06-30T14:05:00Z", "the time cannot be read"),
    VerdictReason.FUTURE_DATE: ("a time not after the import plus one day", "the time lies in the future"),
    VerdictReason.BAD_NOTE: (f"at most {NOTE_LENGTH:,} characters, none of them NUL", "the note cannot be kept"),
    VerdictReason.CONFLICT: (
        "one verdict of an analyst on a session and gig",
        "the files hold two that differ; neither was kept",
    ),
    VerdictReason.SUPERSEDED: (
        "a verdict not older than the one that stands",
        "a later verdict of the same analyst on the same thing stands",
    ),
}
