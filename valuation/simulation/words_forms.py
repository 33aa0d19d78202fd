"""What a concept's words are: the form of the tables beside this module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KindWords:
    """Phrases of one kind of work; ``{object}`` is the thing it is done to, in the phrase's own register.

    Attributes
    ----------
    titles, asks, wants : tuple of str
        A posting's title, the clause after "Looking for someone to", a further sentence.
    did, also : tuple of str
        A session's opening in the past tense, a further sentence.
    skills : tuple of str
        What a posting asks for.
    """

    titles: tuple[str, ...]
    asks: tuple[str, ...]
    wants: tuple[str, ...]
    did: tuple[str, ...]
    also: tuple[str, ...]
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DomainWords:
    """Phrases of one domain.

    Attributes
    ----------
    objects : tuple of (tuple of str, tuple of str)
        Each object's names in postings and in sessions, bare nouns without article.
    context, detail : tuple of str
        A sentence of a posting, of a session, that only this domain has.
    skills : tuple of str
        What a posting asks for.
    section : str
        The market's rubric.
    """

    objects: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    context: tuple[str, ...]
    detail: tuple[str, ...]
    skills: tuple[str, ...]
    section: str


@dataclass(frozen=True, slots=True)
class LevelWords:
    """Phrases of one level; ``{n}`` is a count that goes with it.

    Attributes
    ----------
    titles : tuple of str
        First words of a posting's title; may be empty strings.
    asks : tuple of str
        Sentences of a posting.
    extents : tuple of str
        What a session's opening ends in, after a comma.
    reports : tuple of str
        Sentences of a session.
    counts : tuple of int
        Lowest and highest ``{n}``.
    """

    titles: tuple[str, ...]
    asks: tuple[str, ...]
    extents: tuple[str, ...]
    reports: tuple[str, ...]
    counts: tuple[int, int]
