"""Who has seen which session's figures: no verdict of theirs on it is blind from then on, in whatever audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from valuation.verdicts.schema import SEEN
from valuation.verdicts.upserting import insert_if_new
from valuation.verdicts.writing import reading, writing

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Engine


class Seen:
    """Figures that pages have shown, by analyst and session; nothing is ever taken from it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, session_ids: Collection[str], *, analyst: str, at: datetime) -> None:
        """Note that the analyst is about to be shown the figures of sessions; on the disk when this returns."""
        if not session_ids:
            return
        new = sorted(set(session_ids) - self.of(analyst, session_ids))
        if not new:
            return  # most often: a page is looked at again
        rows = [{"session_id": one, "analyst": analyst, "seen_at": at} for one in new]
        with writing(self._engine) as connection:
            connection.execute(insert_if_new(connection, SEEN, rows[0]), rows)

    def of(self, analyst: str, session_ids: Collection[str]) -> set[str]:
        """Those of the sessions whose figures the analyst has seen."""
        mine = and_(SEEN.c.analyst == analyst, SEEN.c.session_id.in_(list(session_ids)))
        with reading(self._engine) as connection:
            return {str(row.session_id) for row in connection.execute(select(SEEN.c.session_id).where(mine))}

    def has(self, analyst: str, session_id: str) -> bool:
        """Whether the analyst has seen the session's figures."""
        return bool(self.of(analyst, [session_id]))
