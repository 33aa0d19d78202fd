"""Which words of a gig are marked as carrying its similarity to a session: stretches of text, never markup.

With the encoder at hand it is said exactly, word by word (`indices.attribution`); before it is loaded, the words that
session and gig share stand in, the rarer the better.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from indices.attribution import WordSpan
    from valuation.review.gigs import GigStore

Segments = list[tuple[str, bool]]
"""Stretches of a text and whether each is marked; joined they are the text."""

MOST_MARKS = 12
ABOVE_MEAN = 0.75  # standard deviations of the words' contributions: "clearly above the mean"
COMMON = 0.15  # share of gigs; a word that more of them hold says nothing
_WORD = re.compile(r"[^\W_][\w+#]*")
_STOP = frozenset(
    """
    a about above across after again against all almost along already also although always am among an and another any
    anyone anything are around as at available away back be because been before being below best better between both but
    by can cannot could did do does doing done down during each either else etc even ever every everything few first for
    from further get gets getting give given go going good great had has have having he hello help her here hi him his
    how however i if in into is it its itself just keep know last least less let like ll look looking made make makes
    making many may me mine more most much must my myself need needed needing needs never new next no nor not nothing
    now of off often ok on once one only onto or other our out over own per please provide put re really right s same
    see seeking she should since so some someone something soon still such sure t take than thank thanks that the their
    them then there these they thing things this those through to together too two under until up upon us use used user
    using ve very via want wants was way we well were what when where whether which while who whole whom why will with
    within without work working would yes yet you your yours
    """.split()  # noqa: SIM905 - a list of two hundred quoted words is harder to read
)


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with its marks, and how they were found.

    Attributes
    ----------
    segments : list of (str, bool)
    how : {"meaning", "shared words", "none"}
    """

    segments: Segments
    how: Literal["meaning", "shared words", "none"]


def marks(text: str, summary: str, gigs: GigStore, words: Sequence[WordSpan] = ()) -> Marked:
    """Mark a gig's text by its words' contributions where they are known, else by the words it shares.

    Parameters
    ----------
    text : str
        The gig's, as `words` were counted in.
    summary : str
        The session's.
    gigs : GigStore
        Says how rare a word is.
    words : sequence of WordSpan, optional
        What each word contributes.
    """
    by_meaning = marked_by_meaning(text, words)
    if any(marked for _, marked in by_meaning):
        return Marked(by_meaning, "meaning")
    shared = marked_by_shared_words(text, summary, gigs)
    return Marked(shared, "shared words" if any(marked for _, marked in shared) else "none")


def marked_by_meaning(text: str, words: Sequence[WordSpan]) -> Segments:
    """Mark at most twelve words whose contribution lies clearly above the mean word's; never a word like "the"."""
    telling = [one for one in words if _is_telling(text[one.start : one.end])]
    if not telling:
        return _segments(text, [])
    mean = sum(one.contribution for one in telling) / len(telling)
    spread = math.sqrt(sum((one.contribution - mean) ** 2 for one in telling) / len(telling))
    least = max(mean + ABOVE_MEAN * spread, 0.0)
    chosen = [one for one in telling if one.contribution > least or (len(telling) == 1 and one.contribution > 0)]
    chosen.sort(key=lambda one: (-one.contribution, one.start))
    return _segments(text, [(one.start, one.end) for one in chosen[:MOST_MARKS]])


def marked_by_shared_words(text: str, other: str, gigs: GigStore) -> Segments:
    """Mark the rarest words that two texts share, at most twelve places."""
    return shared_words(text, other, gigs.document_counts(_stems_and_words(text)), gigs.count())


def shared_words(text: str, other: str, counts: Mapping[str, int], n: int) -> Segments:
    """As `marked_by_shared_words`, of known counts.

    Parameters
    ----------
    counts : mapping of str to int
        Gigs that hold a word, by the word in lower case.
    n : int
        Gigs in all; words that more than 15 in 100 of them hold are not marked.
    """
    theirs = {_stem(found[0]) for found in _WORD.finditer(other) if _is_telling(found[0])}
    places: dict[str, list[tuple[int, int]]] = {}
    held: dict[str, int] = {}
    for found in _WORD.finditer(text):
        stem = _stem(found[0])
        if _is_telling(found[0]) and stem in theirs:
            places.setdefault(stem, []).append(found.span())
            held[stem] = max(held.get(stem, 0), counts.get(found[0].casefold(), 0), counts.get(stem, 0))
    rare = [stem for stem in places if held[stem] <= COMMON * max(n, 1)]
    rare.sort(key=lambda stem: (held[stem], -len(stem), stem))
    spans: list[tuple[int, int]] = []
    for stem in rare:
        spans += places[stem][: MOST_MARKS - len(spans)]
    return _segments(text, spans)


def between(segments: Segments, start: int, end: int) -> Segments:
    """The part of a marked text from one character to another, such as its title.

    >>> between([("Fix ", False), ("login", True), (" page", False)], 2, 7)
    [('x ', False), ('log', True)]
    """
    out, at = [], 0
    for text, marked in segments:
        part = text[max(start - at, 0) : max(end - at, 0)]
        if part:
            out.append((part, marked))
        at += len(text)
    return out


def _stems_and_words(text: str) -> Iterable[str]:
    """Distinct words of a text in lower case, and their stems."""
    words = dict.fromkeys(found[0].casefold() for found in _WORD.finditer(text) if _is_telling(found[0]))
    return dict.fromkeys([*words, *map(_stem, words)])


def _is_telling(word: str) -> bool:
    """Whether a word can be marked: a letter in it, two characters, and no stop word."""
    return len(word) > 1 and any(char.isalpha() for char in word) and word.casefold() not in _STOP


def _stem(word: str) -> str:
    """A word without case and plural.

    >>> _stem("Websites"), _stem("companies"), _stem("boxes"), _stem("CSS"), _stem("analysis")
    ('website', 'company', 'box', 'css', 'analysis')
    """
    plain = word.casefold()
    if len(plain) > 4 and plain.endswith("ies"):
        return plain[:-3] + "y"
    if len(plain) > 4 and plain.endswith(("xes", "ches", "shes", "sses", "zes")):
        return plain[:-2]
    if len(plain) > 3 and plain.endswith("s") and not plain.endswith(("ss", "us", "is")):
        return plain[:-1]
    return plain


def _segments(text: str, spans: list[tuple[int, int]]) -> Segments:
    """Cut a text at its marks; marks that touch, or have but a space between them, become one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= 1 and text[joined[-1][1] : start] in ("", " "):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    out, at = [], 0
    for start, end in joined:
        if start > at:
            out.append((text[at:start], False))
        out.append((text[start:end], True))
        at = end
    return [*out, (text[at:], False)] if at < len(text) else out
