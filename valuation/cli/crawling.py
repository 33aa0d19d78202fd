"""``valuation crawl``: collect, read again, list, and begin a new source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from valuation.cli import crawl_results
from valuation.cli.options import Call, with_call
from valuation.cli.output import emit
from valuation.cli.shown import opened
from valuation.errors import BelowExpectation, ConfigError

COLLECT = "collect"
TAKING = ("-w", "--workspace", "--set", "--since", "--until")  # options that the next word belongs to


class SourcesOrVerb(TyperGroup):
    """A group whose default verb is `collect`: ``valuation crawl github`` is ``valuation crawl collect github``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # typer's own copy of click
        """Put the default verb before the first word that is no verb of the group."""
        words = [place for place, word in enumerate(args) if not word.startswith("-")]
        taken = {place + 1 for place, word in enumerate(args) if word in TAKING}
        first = next((place for place in words if place not in taken), None)
        if first is None and "--help" not in args:  # it says which sources there are
            args = [*args, COLLECT]
        elif first is not None and args[first] not in self.commands:
            args = [COLLECT, *args]
        return super().parse_args(ctx, args)


crawling = typer.Typer(
    cls=SourcesOrVerb,
    rich_markup_mode=None,
    short_help="Collect postings from sources.",
    help="Collect postings from sources: valuation crawl SOURCE… [--since DATE] [--until DATE].",
)


@crawling.callback()
@with_call
def _crawling(call: Call) -> None:
    """Collect postings from sources.

    valuation crawl SOURCE… [--since DATE] [--until DATE] collects; the verbs below do the rest.
    """


@crawling.command(COLLECT, short_help="Collect sources (the verb may be left out).")
@with_call
def collect(
    call: Call,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Sources of configs/sources.toml.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only postings published from this day on, such as 2026-01-31.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Only postings published before this day.")] = None,
) -> None:
    """Collect sources into postings/: politely, every answer kept, every edit a version.

    A source crawled before is asked for what has changed. A crawl that was stopped goes on. Exit status 3: a source
    did less than it should; the crawl report says what.
    """
    window = _day(since, "--since"), _day(until, "--until")
    with opened(call) as workspace:
        result = workspace.crawl(sources or [], since=window[0], until=window[1])
    shown = crawl_results.crawled(result)
    emit(call, "crawl", shown, crawl_results.crawl(shown))
    if result.interrupted:
        raise KeyboardInterrupt
    _judge(shown)


@crawling.command("reparse", short_help="Postings again from stored answers, without the network.")
@with_call
def reparse(
    call: Call,
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Default: all crawled.")] = None,
) -> None:
    """Read the stored answers of sources again and rebuild their tables, without the network."""
    with opened(call) as workspace:
        result = workspace.reparse(sources or [])
    shown = crawl_results.crawled(result)
    emit(call, "crawl reparse", shown, crawl_results.crawl(shown))
    _judge(shown)


@crawling.command("sources", short_help="All sources: on or off and why, terms, limits, what is here.")
@with_call
def sources(call: Call) -> None:
    """List the sources: on or off and why, terms, retention, and how much of each is here."""
    with opened(call) as workspace:
        shown = crawl_results.Sources(tuple(workspace.sources()))
    emit(call, "crawl sources", shown, crawl_results.sources(shown))


@crawling.command("expire", short_help="Delete what is past its source's retention limit.")
@with_call
def expire(call: Call) -> None:
    """Delete now what is past its source's retention limit; every command that writes does so too."""
    with opened(call) as workspace:
        result = workspace.expire()
    emit(call, "crawl expire", result, crawl_results.expired(result))


@crawling.command("new", short_help="The files of a new source, and a failing test to start from.")
@with_call
def new(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters and digits.")],
) -> None:
    """Write the files of a new source into this checkout, and a failing test to start from.

    docs/add-a-source.md has the ten steps.
    """
    if call.workspace is not None or call.overrides:
        raise ConfigError("valuation crawl new writes into this checkout: it takes neither --workspace nor --set")
    from crawlers.scaffold import new_source

    result = new_source(name)
    emit(call, "crawl new", result, crawl_results.made(result))


def _day(text: str | None, flag: str) -> datetime | None:
    """Midnight UTC of a day.

    Raises
    ------
    ConfigError
        It is none.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{flag} {text}: expected a date such as 2026-01-31") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _judge(shown: crawl_results.Crawled) -> None:
    """End with exit status 3 where a source did less than it should."""
    bad = [one for one in shown.sources if not one.good]
    if bad:
        parts = [f"{one.source}: {'; '.join(one.missed)}" for one in bad]
        raise BelowExpectation(f"below expectation: {'. '.join(parts)}. The report: {shown.report}")
