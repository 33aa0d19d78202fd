"""Latent attributes in words: a client's request or a worker's report. The two share no template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.simulation import words_common as common
from valuation.simulation import words_personal as personal
from valuation.simulation import words_scope as words
from valuation.simulation.model import DOMAIN_NAMES
from valuation.simulation.settings import KIND_NAMES
from valuation.simulation.words_domains import DOMAINS
from valuation.simulation.words_making import MAKING
from valuation.simulation.words_thinking import THINKING

if TYPE_CHECKING:
    from valuation.simulation.dice import Dice
    from valuation.simulation.model import Attributes
    from valuation.simulation.words_forms import DomainWords, KindWords, LevelWords


KINDS = {**MAKING, **THINKING}
RAMBLING = 0.1  # share of described postings that tell about the company at length


@dataclass(frozen=True, slots=True)
class PostingText:
    """The words of one posting; the description is "" for one that has only a title."""

    title: str
    description: str
    skills: str
    section: str


@dataclass(frozen=True, slots=True)
class _Row:
    """One row's attributes as words: its concepts, and the pools that both registers draw from."""

    kind: KindWords
    domain: DomainWords
    size: LevelWords
    complexity: LevelWords
    asked: tuple[str, ...]
    done: tuple[str, ...]
    kind_topics: tuple[str, ...]
    domain_topics: tuple[str, ...]
    sizes: tuple[str, ...]
    complexities: tuple[str, ...]
    urgent: bool


def _row(attributes: Attributes, row: int) -> _Row:
    kind, domain = KIND_NAMES[attributes.kind[row]], DOMAIN_NAMES[attributes.domain[row]]
    size, complexity = attributes.size[row], attributes.complexity[row]
    asked, done = DOMAINS[domain].objects[attributes.thing[row]]
    return _Row(
        kind=KINDS[kind],
        domain=DOMAINS[domain],
        size=words.SIZES[size],
        complexity=words.COMPLEXITIES[complexity],
        asked=asked,
        done=done,
        kind_topics=common.KIND_TOPICS[kind],
        domain_topics=common.DOMAIN_TOPICS[domain],
        sizes=common.SIZE_ADJECTIVES[size],
        complexities=common.COMPLEXITY_ADJECTIVES[complexity],
        urgent=bool(attributes.urgent[row]),
    )


def posting_text(attributes: Attributes, row: int, *, title_only: bool, dice: Dice) -> PostingText:
    """Return a posting for the attributes of one row."""
    latent = _row(attributes, row)
    named = dice.pick(latent.asked)
    title = f"{dice.pick(latent.size.titles)} {dice.pick(latent.complexity.titles)}{dice.pick(latent.kind.titles)}"
    skills = dice.shuffled((*latent.kind.skills, *latent.domain.skills))[: dice.between(3, 5)]
    return PostingText(
        title=title.format(object=named),
        description="" if title_only else _request(latent, named, dice),
        skills=", ".join(skills),
        section=latent.domain.section,
    )


def _request(latent: _Row, named: str, dice: Dice) -> str:
    """Return a posting's description: the request, then what goes with it in any order."""
    middle = [
        _pooled(common.SIZE_ASKS, latent.sizes, dice),
        _pooled(common.COMPLEXITY_ASKS, latent.complexities, dice),
        _pooled(common.TOPIC_ASKS, latent.kind_topics, dice),
        _pooled(common.TOPIC_ASKS, latent.domain_topics, dice),
    ]
    for phrases, probability in ((latent.kind.wants, 0.5), (latent.domain.context, 0.4)):
        if dice.chance(probability):
            middle.append(dice.pick(phrases))
    for level in (latent.size, latent.complexity):
        if dice.chance(0.8):
            middle.append(dice.pick(level.asks).format(n=dice.between(*level.counts)))
    when = dice.pick(words.URGENT_ASKS if latent.urgent else words.CALM_ASKS).format(n=dice.between(2, 9))
    opening = dice.pick(words.OPENINGS).format(ask=dice.pick(latent.kind.asks).format(object=named))
    background = _ramble(dice) if dice.chance(RAMBLING) else ""
    trade = dice.pick(words.TRADE_NOTES).format(trade=dice.pick(words.TRADES))
    return _joined([opening, trade, background, *dice.shuffled(middle), when, dice.pick(words.CLOSINGS)])


def _ramble(dice: Dice) -> str:
    """Return what a client tells about the company and nobody asked for."""
    clauses = dice.shuffled(words.RAMBLES)[: dice.between(2, 4)]
    return _joined([c.format(trade=dice.pick(words.TRADES), place=dice.pick(words.PLACES)) for c in clauses])


def session_text(attributes: Attributes, row: int, *, dice: Dice) -> str:
    """Return a summary of the work described by the attributes of one row."""
    latent = _row(attributes, row)
    named = dice.pick((*latent.done, *latent.asked))
    did = dice.pick(latent.kind.did).format(object=named)
    extent = dice.pick(latent.size.extents).format(n=dice.between(*latent.size.counts))
    middle = [
        _pooled(common.SIZE_REPORTS, latent.sizes, dice),
        _pooled(common.COMPLEXITY_REPORTS, latent.complexities, dice),
        _pooled(common.TOPIC_REPORTS, latent.kind_topics, dice),
        _pooled(common.TOPIC_REPORTS, latent.domain_topics, dice),
    ]
    for phrases, probability in ((latent.kind.also, 0.3), (latent.domain.detail, 0.3)):
        if dice.chance(probability):
            middle.append(dice.pick(phrases))
    for level in (latent.size, latent.complexity):
        if dice.chance(0.4):
            middle.append(dice.pick(level.reports).format(n=dice.between(*level.counts), object=named))
    if latent.urgent:
        middle.append(dice.pick(words.URGENT_REPORTS))
    opening = f"{did}, {extent}." if dice.chance(0.6) else f"{did}."
    used = " and ".join(dice.shuffled((*latent.kind.skills, *latent.domain.skills))[: dice.between(3, 5)])
    return _joined([opening, *dice.shuffled(middle), dice.pick(words.CHECKS), dice.pick(words.MEANS).format(used=used)])


def _pooled(templates: tuple[str, ...], pool: tuple[str, ...], dice: Dice) -> str:
    """Return a sentence with two or three different words of a pool."""
    first, second, third = dice.shuffled(pool)[:3]
    sentence = dice.pick(templates).format(a=first, b=second, c=third)
    return sentence[0].upper() + sentence[1:]


def personal_text(dice: Dice) -> str:
    """Return a summary of something no freelance posting resembles."""
    sentences = [dice.pick(personal.PERSONAL), dice.pick(personal.PERSONAL), dice.pick(personal.PERSONAL_TAILS)]
    names = {"who": dice.pick(personal.WHO), "what": dice.pick(personal.WHAT), "food": dice.pick(personal.FOOD)}
    return _joined([sentence.format_map(names) for sentence in sentences])


def _joined(sentences: list[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
