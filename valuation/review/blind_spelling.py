"""One spelling for texts that somebody may have disguised, with where each character comes from."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")  # letters by category, and nothing to see
MARKS_IN_A_ROW = 4  # no language's writing stacks more on one letter
_DISGUISED = re.compile(r"[^\n\t -~]")
_DASHES = dict.fromkeys("‐‑‒–—―−﹘﹣－", "-")
_SAME = _DASHES | dict.fromkeys("’‘`´ʼ", "'") | {"⁄": "/", "٬": ",", "٫": ".", "،": ",", "。": ".", "\u2800": " "}


class Spelt(NamedTuple):
    """A text in one spelling.

    Attributes
    ----------
    text : str
        Digits of any script in ASCII, compatibility forms resolved, nothing invisible, no accents.
    origin : tuple of int
        Where each character of `text` comes from in the text as it was; its length at the end.
    """

    text: str
    origin: tuple[int, ...] | range


def spell(text: str) -> Spelt:
    """Bring a text to one spelling.

    >>> spell("５\u200b00 €").text, spell("٣٠٠").text
    ('500 €', '300')
    """
    if not _DISGUISED.search(text):
        return Spelt(text, range(len(text) + 1))
    out, origin = [], []
    for at, char in enumerate(text):
        for written in _spelt(char):
            out.append(written)
            origin.append(at)
    return Spelt("".join(out), (*origin, len(text)))


def original(spelt: Spelt, start: int, end: int) -> tuple[int, int]:
    """A stretch of the spelt text in the text as it was, with the invisible characters that follow."""
    return spelt.origin[start], max(spelt.origin[end - 1] + 1, spelt.origin[end])


@lru_cache(maxsize=20_000)
def _spelt(char: str) -> str:
    """How one character is spelt; ``''`` for one that nobody sees."""
    if char in "\n\t" or (char.isascii() and char.isprintable()):
        return char
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    if char in _SAME:
        return _SAME[char]
    category = unicodedata.category(char)
    if char in BLANK or category in ("Cf", "Cc", "Mn", "Me", "Cs"):
        return "\n" if char in "\r\x0b\x0c\x1c\x1d\x1e\x85" else ""
    if category[0] == "Z":
        return " " if category == "Zs" else "\n"
    plain = unicodedata.normalize("NFKC", char)
    if plain != char:
        return "".join(_spelt(one) for one in plain)
    apart = unicodedata.normalize("NFD", char)
    return apart[0] if all(unicodedata.category(mark) == "Mn" for mark in apart[1:]) else char  # Hangul stays whole


def windows(text: str, trigger: re.Pattern[str], *, before: int, after: int) -> Iterator[tuple[int, int]]:
    """Stretches of a text around what a cheap pattern finds, apart from each other: all that a dear one need see.

    Each reaches to the end of what hangs together without a space.
    """
    begin, end = 0, -1
    for found in trigger.finditer(text):
        if found.start() - before > end:
            if end >= 0:
                yield begin, end
            begin = max(0, found.start() - before)
        reach = min(len(text), found.end() + after)
        if reach > end:
            run = _RUN.match(text, reach)
            end = reach if run is None else run.end()
    if end >= 0:
        yield begin, end


_RUN = re.compile(r"\S*+")


def visible_text(text: str) -> str:
    r"""A text without what nobody sees or what moves other characters: controls, direction marks, zero-width ones.

    Line breaks and tabs stay, composed forms are used (NFC), and at most four marks stand on one letter.

    >>> visible_text("a\u202eb\u200bc\r\nd\x00"), len(visible_text("z" + 100 * "\u0489"))
    ('abc\nd', 5)
    """
    if not _DISGUISED.search(text):
        return text
    shown = "".join(_shown(char) for char in text.replace("\r\n", "\n"))
    out, marks = [], 0
    for char in unicodedata.normalize("NFC", shown):
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS_IN_A_ROW:
            out.append(char)
    return "".join(out)


@lru_cache(maxsize=20_000)
def _shown(char: str) -> str:
    """A character as it may be shown."""
    if char in "\n\t":
        return char
    if char in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029":
        return "\n"
    category = unicodedata.category(char)
    if category in ("Cs", "Co", "Cn"):
        return "\ufffd"
    return "" if category in ("Cf", "Cc") or char in BLANK else char
