"""One session beside its gigs: the blind page, which is made without the figures, and the open one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from valuation.audit.done import is_done
from valuation.errors import InputError
from valuation.review.blind_text import mask_blind, visible_text
from valuation.review.cards import Card, Neighbour, Said, blind_card, facts_of, open_card, said, split
from valuation.review.match_numbers import Numbers, numbers_of
from valuation.review.tokens import gig_token, shuffled
from valuation.tables import Matches, Nearby, Workings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from valuation.review.desk import Desk, ReviewRun
    from valuation.verdicts import Stored

BLIND_PAGE, OPEN_PAGE = "blind-2", "open-2"
"""Versions of what a page shows; they stand in the log. Raise them when the page shows other things."""
WHOLE = "session"
"""The name in forms of a verdict on the session as a whole."""


@dataclass(frozen=True, slots=True)
class Text:
    """A session's summary: what is shown at once, and what is folded away."""

    lead: str
    rest: str


@dataclass(frozen=True, slots=True)
class MatchView:
    """A session beside its gigs.

    Attributes
    ----------
    run_id, session_id, audit_id : str
    summary : Text
    cards : list of Card
    mine : Said or None
        The analyst's own verdict on the session as a whole.
    others : tuple of Said
    better : Card or None
        The gig chosen as the right comparison.
    focus : str
        Token of the gig to judge next, or `WHOLE`.
    complete : bool
        Nothing is left to judge.
    numbers : Numbers or None
        None on blind pages.
    n_neighbours : int
    """

    run_id: str
    session_id: str
    audit_id: str
    summary: Text
    cards: list[Card]
    mine: Said | None
    others: tuple[Said, ...]
    better: Card | None
    focus: str
    complete: bool
    numbers: Numbers | None
    n_neighbours: int

    @property
    def asks_worth(self) -> bool:
        """Every gig is judged and none is comparable: what the session is worth is still to be said."""
        return not self.complete and bool(self.cards) and all(card.mine is not None for card in self.cards)

    @property
    def blind(self) -> bool:
        """Whether figures, links, dates and others' verdicts are hidden."""
        return self.numbers is None


def place_of(audit_id: str, session_id: str, analyst: str) -> str:
    """Where gigs' tokens are valid and their order is drawn."""
    return "\x1f".join(("blind", audit_id, session_id, analyst))


def neighbours_of(run: ReviewRun, session_id: str) -> list[Neighbour]:
    """A session's neighbours, nearest first; none of an unmatched session.

    Raises
    ------
    InputError
        The run's matches are damaged.
    """
    found = run.rows.lists("matches", Matches, session_id)
    columns = ("posting_id", "rank", "similarity", "weight", "price_usd", "log_price", "contribution")
    rows = zip(*(found[name] for name in columns), strict=True)
    return sorted((Neighbour(*row) for row in rows), key=lambda one: one.rank)


def shown_gigs(run: ReviewRun, neighbours: Sequence[Neighbour], session_id: str, most: int) -> list[str]:
    """posting_ids to judge: the nearest `most` neighbours; of an unmatched session as many, so that nothing tells."""
    if neighbours:
        return [one.posting_id for one in neighbours[:most]]
    errors, _ = run.rows.errors()
    rows = [] if errors is None else _nearby(run, session_id)[:most]
    return [] if errors is None else [str(one) for one in errors["posting_id"].iloc[rows]]


def _nearby(run: ReviewRun, session_id: str) -> list[int]:
    """Rows of the basket nearest to an unmatched session; the one nearest in runs made before more were kept."""
    try:
        near = run.rows.lists("nearby", Nearby, session_id)
        return [row for _, row in sorted(zip(near["rank"], near["row"], strict=True))]
    except InputError:
        pass
    try:
        return [int(row) for row in run.rows.lists("workings", Workings, session_id)["nearest"]]
    except InputError:
        return []


def blind_view(
    desk: Desk, run: ReviewRun, audit_id: str, session_id: str, analyst: str, *, better: str | None = None
) -> MatchView:
    """Make a blind page's content. What is hidden is not in it.

    Parameters
    ----------
    better : str, optional
        posting_id of a gig that the analyst has picked by searching.
    """
    row = run.items.one(session_id)
    if row is None:
        raise InputError(run.rows.unknown(session_id))
    place = place_of(audit_id, session_id, analyst)
    ids = shuffled(
        desk.key, place, shown_gigs(run, neighbours_of(run, session_id), session_id, desk.settings.review.gigs)
    )
    mine = _by_gig(desk.log.standing(audit_id=audit_id, session_id=session_id, analyst=analyst))
    whole = mine.get("")
    picked = better or (whole.better_posting_id if whole is not None else None)
    gigs = run.gigs.get([*ids, *([picked] if picked else [])])
    cards = [
        blind_card(gigs[one], token=gig_token(desk.key, place, one), number=number, mine=mine.get(one))
        for number, one in enumerate((one for one in ids if one in gigs), start=1)
    ]
    chosen = None
    if picked is not None and picked in gigs:
        chosen = blind_card(gigs[picked], token=gig_token(desk.key, place, picked), number=0, mine=None)
    summary = split(visible_text(mask_blind(str(row.get("summary") or ""))))
    left = [card.token for card in cards if card.mine is None]
    return MatchView(
        run_id=run.run_id,
        session_id=session_id,
        audit_id=audit_id,
        summary=Text(*summary),
        cards=cards,
        mine=whole,
        others=(),
        better=chosen,
        focus=WHOLE if better or not left else left[0],
        complete=is_done({one: mine[one].verdict for one in mine}, ids),
        numbers=None,
        n_neighbours=len(cards),
    )


def adjudication_view(desk: Desk, run: ReviewRun, audit_id: str, session_id: str, analyst: str) -> MatchView:
    """Make the page that settles a disagreement: a blind page with what the others said."""
    blind = blind_view(desk, run, audit_id, session_id, analyst)
    standing = desk.log.standing(audit_id=audit_id, session_id=session_id)
    place = place_of(audit_id, session_id, analyst)
    ids = {gig_token(desk.key, place, one.entry.posting_id): one.entry.posting_id for one in standing}
    own = _by_gig([one for one in standing if one.entry.analyst == analyst and one.entry.adjudicates])
    first = [one for one in standing if not one.entry.adjudicates]
    cards = [
        replace(
            card,
            mine=own.get(ids.get(card.token, "-")),
            others=tuple(said(one) for one in first if one.entry.posting_id == ids.get(card.token, "-")),
        )
        for card in blind.cards
    ]
    left = [card.token for card in cards if card.mine is None]
    return replace(
        blind,
        cards=cards,
        mine=own.get(""),
        others=tuple(said(one) for one in first if one.entry.posting_id == ""),
        focus=left[0] if left else WHOLE,
    )


def open_view(
    desk: Desk,
    run: ReviewRun,
    session_id: str,
    analyst: str,
    *,
    audit_id: str = "",
    most: int | None = None,
    better: str | None = None,
) -> MatchView:
    """Make an open page's content: everything that `valuation explain` tells, and everybody's verdicts.

    Parameters
    ----------
    audit_id : str
        Whose verdicts are shown; ``''``: those given outside of audits.
    most : int, optional
        Gigs with their texts; default ``review.gigs``.
    """
    row = run.items.one(session_id)
    if row is None:
        raise InputError(run.rows.unknown(session_id))
    neighbours = neighbours_of(run, session_id)
    wanted = shown_gigs(run, neighbours, session_id, most or desk.settings.review.gigs)
    standing = desk.log.standing(audit_id=audit_id, session_id=session_id)
    mine = _by_gig([one for one in standing if one.entry.analyst == analyst])
    whole = mine.get("")
    picked = better or (whole.better_posting_id if whole is not None else None)
    gigs = run.gigs.get([*(one.posting_id for one in neighbours), *wanted, *([picked] if picked else [])])
    numbers = numbers_of(run, row, neighbours, gigs)
    by_id = {one.posting_id: one for one in neighbours}
    without = {one.posting_id: one.without_usd for one in numbers.neighbours}
    cards = [
        open_card(
            gigs[one],
            number=number,
            facts=facts_of(gigs[one], by_id.get(one), without_usd=without.get(one)),
            mine=mine.get(one),
            others=_others(standing, one, analyst),
        )
        for number, one in enumerate((one for one in wanted if one in gigs), start=1)
    ]
    chosen = None
    if picked is not None and picked in gigs:
        facts = facts_of(gigs[picked], by_id.get(picked), without_usd=without.get(picked))
        chosen = open_card(gigs[picked], number=0, facts=facts, mine=None, others=())
    left = [card.token for card in cards if card.mine is None]
    return MatchView(
        run_id=run.run_id,
        session_id=session_id,
        audit_id=audit_id,
        summary=Text(*split(visible_text(str(row.get("summary") or "")))),
        cards=cards,
        mine=whole,
        others=_others(standing, "", analyst),
        better=chosen,
        focus=WHOLE if better or not left else left[0],
        complete=is_done({one: mine[one].verdict for one in mine}, wanted),
        numbers=numbers,
        n_neighbours=len(neighbours),
    )


def _by_gig(standing: Sequence[Stored]) -> dict[str, Said]:
    """Standing verdicts of one analyst by posting_id; an adjudication goes before their own first verdict."""
    ordered = sorted(standing, key=lambda one: (one.entry.adjudicates, one.id))
    return {one.entry.posting_id: said(one) for one in ordered}


def _others(standing: Sequence[Stored], posting_id: str, analyst: str) -> tuple[Said, ...]:
    return tuple(said(one) for one in standing if one.entry.posting_id == posting_id and one.entry.analyst != analyst)
