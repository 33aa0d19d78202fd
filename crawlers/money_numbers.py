"""Numbers as people and machines write them: 1,234.50 and 1.234,50, or nothing where both readings are open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCALES = {"k": 1e3, "thousand": 1e3, "grand": 1e3, "тыс": 1e3, "万": 1e4, "lakh": 1e5, "lac": 1e5}
_SCALES |= dict.fromkeys(("m", "mn", "mio", "million", "млн"), 1e6) | {"crore": 1e7, "cr": 1e7, "億": 1e8, "亿": 1e8}
_SCALES |= dict.fromkeys(("b", "bn", "billion"), 1e9)


@dataclass(frozen=True, slots=True)
class DecimalEvidence:
    """How the numbers of a column are written.

    Attributes
    ----------
    point, comma : bool
        Some number shows a decimal point, or comma.
    either_point, either_comma : str
        A text whose "1.200", or "1,200", can be read either way; ``''`` if there is none.
    """

    point: bool
    comma: bool
    either_point: str
    either_comma: str


def decimal_evidence(texts: Iterable[str]) -> DecimalEvidence:
    """Collect what a column's texts show of its decimal mark; independent of their order.

    >>> decimal_evidence(["1.200", "12,50"])
    DecimalEvidence(point=False, comma=True, either_point='1.200', either_comma='')
    """
    shown: dict[str, str] = {}
    for text in texts:
        for token in re.findall(r"\d+(?:[.,'_ ]\d+)*", text[:2000]):
            kind = _kind(token)
            shown[kind] = min(shown.get(kind, text), text)
    return DecimalEvidence("." in shown, "," in shown, shown.get("?.", ""), shown.get("?,", ""))


def _kind(token: str) -> str:
    """What one number shows: its decimal mark, ``?,`` or ``?.`` where it can be read either way, ``''`` for nothing."""
    grouped = re.fullmatch(r"\d{1,3}(?:([.,])\d{2,3})(?:\1\d{3})+", token)
    if grouped:
        return "," if grouped[1] == "." else "."
    mark = decimal_mark(token)
    return mark if mark != "?" else "?," if "," in token else "?."


def parse_number(text: str, *, decimal_comma: bool | None = None) -> float | None:
    """Read one number as people write it, or None where its separators can be read two ways.

    >>> [parse_number(t) for t in ("1,234.50", "1.234,50", "1 234", "1'234", "1,00,000", "1.234", "12,5")]
    [1234.5, 1234.5, 1234.0, 1234.0, 100000.0, None, 12.5]
    >>> parse_number("1.234", decimal_comma=True), parse_number("1.234", decimal_comma=False)
    (1234.0, 1.234)
    """
    digits = text.strip().replace("’", "'")
    if not re.fullmatch(r"\d+(?:[.,'_ ]\d+)*", digits) or re.match(r"0\d", digits):
        return None
    shown = decimal_mark(digits)
    point = _resolve(digits, decimal_comma) if shown == "?" else shown
    if shown in (".", ",") and decimal_comma is not None and (shown == ",") != decimal_comma:
        return None
    if point is None:
        return None
    whole, _, fraction = digits.rpartition(point) if point else (digits, "", "")
    if not re.fullmatch(r"\d+|\d{1,3}(?:([.,'_ ])\d{3})(?:\1\d{3})*|\d{1,2}(?:,\d\d)*,\d{3}", whole):
        return None
    return float(re.sub(r"\D", "", whole) + ("." + fraction if fraction else ""))


def decimal_mark(digits: str) -> Literal["", ".", ",", "?"]:
    """Return the decimal mark that a number shows, ``''`` if it has none, ``'?'`` if one separator can be either.

    >>> [decimal_mark(t) for t in ("1,234.50", "12,5", "1,234", "1,234,567", "0.125")]
    ['.', ',', '?', '', '.']
    """
    marks = re.findall(r"[.,]", digits)
    if not marks or len(marks) > 1 and len(set(marks)) == 1:
        return ""
    last: Literal[".", ","] = "." if marks[-1] == "." else ","
    if len(marks) > 1 or re.search(r"['_ ]", digits):
        return last
    whole, fraction = re.split(r"[.,]", digits)
    return "?" if len(fraction) == 3 and len(whole) <= 3 and whole != "0" else last


def _resolve(digits: str, decimal_comma: bool | None) -> Literal["", ".", ","] | None:
    """Decide "1,234" and "1.234": money has no three decimals, but machines write 1.5 as "1.500"."""
    written: Literal[".", ","] = "," if "," in digits else "."
    if decimal_comma is None:
        return "" if written == "," else None
    return written if (written == ",") == decimal_comma else ""


def scale_of(text: str | None) -> float | None:
    """Multiplier that a suffix of a number stands for; None without one.

    >>> scale_of(" K"), scale_of("lakhs"), scale_of("")
    (1000.0, 100000.0, None)
    """
    key = (text or "").strip(" .").lower()
    return _SCALES.get(key, _SCALES.get(key.rstrip("s"))) if key else None
