"""Transactions that write, and ones that only read, with the database's faults put into words."""

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
        raise EnvironmentFault(f"the verdict was not kept: {_reason(error)}; nothing was changed") from error


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Read in one transaction.

    Raises
    ------
    EnvironmentFault
        The database refuses.
    """
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise EnvironmentFault(f"verdicts cannot be read: {_reason(error)}") from error


def _reason(error: SQLAlchemyError) -> str:
    """The driver's own message, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]
