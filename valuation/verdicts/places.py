"""Where each analyst left each queue, so that tomorrow begins there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from valuation.verdicts.schema import PLACES
from valuation.verdicts.upserting import upsert
from valuation.verdicts.writing import reading, writing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine


class Places:
    """The last address of each analyst in each queue."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, *, analyst: str, queue: str, address: str, now: datetime) -> None:
        """Remember `address`, a path on the pages, in place of the one before."""
        row = {"analyst": analyst, "queue": queue, "address": address, "seen_at": now}
        with writing(self._engine) as connection:
            connection.execute(upsert(connection, PLACES, row, keys=("analyst", "queue")))

    def of(self, analyst: str) -> dict[str, str]:
        """Addresses by queue."""
        query = select(PLACES.c.queue, PLACES.c.address).where(PLACES.c.analyst == analyst)
        with reading(self._engine) as connection:
            return {str(row.queue): str(row.address) for row in connection.execute(query)}
