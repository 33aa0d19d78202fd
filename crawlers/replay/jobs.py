"""One posting of a source as its author wrote it, before a source puts it into its own format."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crawlers.replay.draws import Draw
from crawlers.replay.exchange import Truth
from crawlers.replay.quotes import NASTY_PRICES, Quote, raised
from crawlers.replay.words import COMPANIES, PEOPLE, PLACES, english, slavic
from crawlers.replay.world import Change, World


@dataclass(frozen=True, slots=True)
class Job:
    """A posting. `draw` gives what a source adds of its own; times are seconds, UTC."""

    number: int
    created: int
    updated: int
    change: Change
    title: str
    paragraphs: tuple[str, ...]
    skills: tuple[str, ...]
    area: str
    company: str
    person: str
    place: str
    draw: Draw

    @property
    def body(self) -> str:
        """Paragraphs as plain text."""
        return "\n\n".join(self.paragraphs)

    @property
    def html(self) -> str:
        """Paragraphs as markup."""
        return "".join(f"<p>{paragraph}</p>" for paragraph in self.paragraphs)

    def now(self, quote: Quote) -> Quote:
        """Price in this edition."""
        return raised(quote) if self.change == "raise" else quote


def job_at(world: World, number: int, *, in_slavic: bool = False) -> Job:
    """Posting number `number` of a world."""
    draw = Draw(world.base ^ 4, number)
    text = slavic(draw, number) if in_slavic else english(draw, number)
    change = world.change(number)
    paragraphs = text.paragraphs
    if change == "edit":
        paragraphs = (*paragraphs, "Update: we added two examples and moved the date by a week.")
    return Job(
        number, world.created(number), world.updated(number), change, text.title, paragraphs, text.skills, text.area,
        draw.pick(COMPANIES), draw.pick(PEOPLE), draw.pick(PLACES), draw,
    )  # fmt: skip


def nasty(number: int) -> Quote:
    """Price that the fault ``nasty_prices`` gives to a posting."""
    return NASTY_PRICES[number % len(NASTY_PRICES)]


def reverse(quote: Quote) -> Quote:
    """Price that the fault ``reversed_price`` makes of one: the minimum above the maximum."""
    if quote.low is None or quote.high is None:
        return quote
    return replace(quote, low=quote.high * 2, why="reversed")


def truth_of(job: Job, quote: Quote, *, identity: str, url: str = "", kind: str = "posting") -> Truth:
    """What a perfect crawl knows of a job."""
    usable = not quote.why and quote.low is not None
    return Truth(
        identity, url, job.title, kind, job.created, quote.low if usable else None, quote.high if usable else None,
        quote.currency, quote.unit, quote.why or ("" if usable else "none"),
    )  # fmt: skip
