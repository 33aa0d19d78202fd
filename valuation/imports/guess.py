"""Without a mapping: columns guessed from names and content. In doubt, the missing lines of a mapping are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlers.dates import day_first_evidence, parse_age, parse_date, parse_epoch
from valuation.errors import InputError
from valuation.imports.amounts import type_of
from valuation.imports.cells import as_text, missing, number_of
from valuation.imports.given import note_of_ids, price_columns, take_posting_columns
from valuation.imports.guess_price import PriceGuess, guess_price
from valuation.imports.mapping import (
    Mapping,
    PostingColumns,
    PostingConstants,
    PostingsMapping,
    SessionColumns,
    SessionsMapping,
    used_columns,
)
from valuation.imports.names import POSTING_NAMES, SESSION_NAMES, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from valuation.imports.raw import Cell, RawTable

SAMPLE = 500  # filled cells of a column that its content is judged by


@dataclass(frozen=True, slots=True)
class Question:
    """What a guess leaves open: a mapping's section, and the lines of which one is to be written."""

    what: str
    section: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        """One clause of the message."""
        said = " or ".join(self.lines)
        return f"{self.what}: write {said if said.startswith('under ') else f'under [{self.section}] {said}'}"


def guess_postings(raw: RawTable, *, file: str) -> tuple[PostingsMapping, tuple[str, ...]]:
    """Guess the mapping of a file of postings, and say what of our own names was not taken.

    Raises
    ------
    InputError
        Listing the lines of a mapping that must be written: two candidates for price, currency or date, or none.
    """
    questions: list[Question] = []
    found = {ours: _choose(raw.frame, ours, POSTING_NAMES[ours], questions) for ours in POSTING_NAMES}
    if not (found["title"] or found["description"]):
        questions.append(_ask("no column of titles or descriptions", raw.frame, "title", _is_prose))
    if not found["posted_at"] and not any(question.lines[0].startswith("posted_at") for question in questions):
        dates = tuple(f'posted_at = "{name}"' for name in raw.frame.columns if is_dates(raw.frame[name]))
        stated = 'posted_at = 2026-01-31 with date_quality = "stated"'
        questions.append(Question("no column of posting dates", "columns", (*dates, f"under [constants] {stated}")))
    price = guess_price(price_columns(raw.frame))
    questions += [Question(what, "columns", lines) for what, lines in price.questions]
    if found["currency"] and price.currency:
        lines = (f'currency = "{found["currency"][0]}"', f'under [constants] currency = "{price.currency}"')
        questions.append(Question("two candidates for the currency", "columns", lines))
    columns = {ours: names for ours, names in found.items() if names}
    _refuse(file, questions, columns)
    taken = take_posting_columns(raw.frame)
    constants = PostingConstants.model_validate(_stated(price))
    mapped = PostingColumns.model_validate(columns | taken.columns | dict(price.columns))
    mapping = PostingsMapping(kind="postings", source=slug(file), columns=mapped, constants=constants)
    return mapping, taken.notes


def guess_sessions(raw: RawTable, *, file: str) -> tuple[SessionsMapping, tuple[str, ...]]:
    """Guess the mapping of a file of sessions, and say where its ids are not kept.

    Raises
    ------
    InputError
        Listing the lines of a mapping that must be written.
    """
    questions: list[Question] = []
    found = {ours: _choose(raw.frame, ours, SESSION_NAMES[ours], questions) for ours in SESSION_NAMES}
    asked = {question.lines[0].split(" ")[0] for question in questions}
    if not found["summary"] and "summary" not in asked:
        questions.append(_ask("no column of summaries", raw.frame, "summary", _is_prose))
    if not found["started_at"] and "started_at" not in asked:
        questions.append(_ask("no column of start times", raw.frame, "started_at", is_dates))
    columns = {ours: names for ours, names in found.items() if names}
    _refuse(file, questions, columns)
    note = note_of_ids(raw.frame, columns["session_id"][0]) if "session_id" in columns else ""
    if note:
        del columns["session_id"]  # 1, 2, 3 would clash with the next file's: derived from the content instead
    for ours, name in (("session_id", "session_id"), ("user", "user_id"), ("weight", "weight")):
        if ours not in columns and name in raw.frame.columns and not _is_filled(raw.frame[name]):
            columns[ours] = (name,)  # empty, and it says so by its name: no ids, no users, weights of one
    mapped = SessionColumns.model_validate(columns)
    return SessionsMapping(kind="sessions", source=slug(file), columns=mapped), (note,) if note else ()


def lines_of(mapping: Mapping) -> str:
    """A guessed mapping as the lines one would write, in one line."""
    columns = "; ".join(f'{ours} = "{theirs}"' for ours, theirs in used_columns(mapping))
    said = mapping.constants.model_dump(mode="json", exclude_none=True)
    constants = "; ".join(f'{name} = "{value}"' for name, value in said.items())
    return f'kind = "{mapping.kind}"; source = "{mapping.source}"; [columns] {columns}' + (
        f"; [constants] {constants}" if constants else ""
    )


def slug(file: str) -> str:
    """Name of a source made from a file's name.

    >>> slug("My Jobs (2024).csv.gz")
    'my-jobs-2024'
    """
    stem = file.lower().split(".")[0]
    return re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:64] or "import"


def is_dates(cells: pd.Series) -> bool:
    """Whether at least half of a column's filled cells are dates, ages or Unix stamps."""
    sample = _sample(cells)
    return bool(sample) and sum(map(_is_date, sample)) >= len(sample) / 2


def _choose(frame: pd.DataFrame, ours: str, tiers: Sequence[str], questions: list[Question]) -> tuple[str, ...]:
    """The column that goes by one of our field's names; two equally good ones are a question where it matters."""
    for tier in tiers:
        known = tier.split("|")
        found = [str(name) for name in frame.columns if " ".join(words_of(str(name))) in known]
        found = [name for name in found if _FITS.get(ours, _is_filled)(frame[name])]
        if len(found) > 1 and ours in ("currency", "posted_at", "started_at", "session_id", "user", "summary"):
            lines = tuple(f'{ours} = "{name}"' for name in found)
            questions.append(Question(f"two candidates for {ours}", "columns", lines))
            return ()
        if found:
            return (min(found, key=lambda name: known.index(" ".join(words_of(name)))),)
    return ()


def _ask(what: str, frame: pd.DataFrame, ours: str, fits: Callable[[pd.Series], bool]) -> Question:
    """Question after a column that no name gave away; columns whose content fits are its answers."""
    names = [str(name) for name in frame.columns if fits(frame[name])] or ["COLUMN"]
    return Question(what, "columns", tuple(f'{ours} = "{name}"' for name in names))


def _refuse(file: str, questions: Sequence[Question], columns: dict[str, tuple[str, ...]]) -> None:
    if questions:
        known = "; ".join(f'{ours} = "{names[0]}"' for ours, names in columns.items())
        asked = "; ".join(map(str, questions))
        raise InputError(f"{file}: the columns cannot be guessed: {asked} (found: {known or 'nothing'}; see --map)")


def _stated(price: PriceGuess) -> dict[str, str]:
    """What the name of the price column says."""
    said = {"currency": price.currency, "price_type": price.price_type}
    return {name: value for name, value in said.items() if value}


def _sample(cells: pd.Series) -> list[Cell]:
    """First filled cells of a column."""
    return [cell for cell in cells if not missing(cell)][:SAMPLE]


def _is_filled(cells: pd.Series) -> bool:
    return not cells.map(missing).all()


def _is_date(cell: Cell) -> bool:
    if hasattr(cell, "year"):
        return True
    number = number_of(cell)
    text = str(int(number)) if number is not None and number == number // 1 and abs(number) < 1e19 else str(cell)
    if parse_date(text) or day_first_evidence(text) in ("either", "day", "month"):
        return True
    digits = text.strip().replace(".", "", 1)
    return bool(parse_epoch(float(text)) if digits.isdigit() else parse_age(text[:200]))


def _is_prose(cells: pd.Series) -> bool:
    """Whether a column holds texts of several words."""
    sample = [as_text(cell) or "" for cell in _sample(cells)]
    return bool(sample) and sum(len(text.split()) >= 3 for text in sample) >= len(sample) / 2


def _is_types(cells: pd.Series) -> bool:
    """Whether a column's values name price types."""
    values = {as_text(cell) or "" for cell in _sample(cells)}
    return any(type_of(value[:200]) for value in values)


def _is_texts(cells: pd.Series) -> bool:
    return any(isinstance(cell, str) and not cell.strip().isdigit() for cell in _sample(cells))


_FITS: dict[str, Callable[[pd.Series], bool]] = {
    "posted_at": is_dates, "crawled_at": is_dates, "started_at": is_dates, "price_type": _is_types,
    "title": _is_texts, "description": _is_texts, "summary": _is_texts,
}  # fmt: skip
