"""Transactions that write."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from valuation.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Write in one transaction: committed to the disk when the block ends, rolled back where it raises.

    Raises
    ------
    EnvironmentFault
        The database refuses.
    """
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
        raise EnvironmentFault(f"the verdict was not kept: {reason}; nothing was changed") from error
