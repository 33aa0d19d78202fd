"""Months: which are complete, which is the base, how far apart they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.errors import ConfigError, ThinMatchError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

EDGE_DAYS = 3
"""Data may start or end this many days inside a month and the month still counts as complete."""


def month_number(months: Sequence[str]) -> NDArray[np.int64]:
    """Count months from year 0: differences are calendar months.

    Parameters
    ----------
    months : sequence of str
        "2026-03".
    """
    return np.array([int(month[:4]) * 12 + int(month[5:7]) - 1 for month in months], dtype=np.int64)


def complete_months(months: Sequence[str], *, first: date, last: date) -> NDArray[np.bool_]:
    """Tell complete from partial months by the first and last session of the data.

    The month of the first session is complete if that session falls on its days 1 to 3; the month of the last session
    if that one falls on its last three days; all between are complete. Sessions of one month only must do both.

    Parameters
    ----------
    months : sequence of str
        Months of the series, in any order.
    first, last : date
        UTC days of the earliest and latest session, all groups together.

    Returns
    -------
    ndarray of bool, shape (n_months,)
    """
    number = month_number(months)
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    days = (
        int((np.datetime64(end + 1 - 1970 * 12, "M") - np.datetime64(last, "D")).astype(int)) - 1
    )  # left after `last`
    begins = (number > start) | ((number == start) & (first.day <= EDGE_DAYS))
    ends = (number < end) | ((number == end) & (days < EDGE_DAYS))
    return np.asarray(begins & ends)


def usable_months(
    n_sessions: NDArray[np.int64], n_users: NDArray[np.int64], complete: NDArray[np.bool_],
    *, min_sessions: int, min_users: int,
) -> NDArray[np.bool_]:  # fmt: skip
    """Complete months with enough matched sessions and users to stand at an end of growth, shape (n_months,)."""
    return np.asarray(complete & (n_sessions >= min_sessions) & (n_users >= min_users))


def base_month(months: Sequence[str], usable: NDArray[np.bool_], *, requested: str | None) -> int:
    """Choose the month whose index number is 100: the first usable one, or the one asked for.

    Parameters
    ----------
    months : sequence of str
        Months of the series, ascending.
    usable : ndarray of bool, shape (n_months,)
        From `usable_months`.
    requested : str or None
        ``series.base_month``; None chooses. A month asked for may be partial or thin: the report marks it.

    Returns
    -------
    int
        Position in `months`.

    Raises
    ------
    ConfigError
        No session is matched in the month asked for.
    ThinMatchError
        No month is usable.
    """
    if requested is not None:
        if requested not in months:
            raise ConfigError(
                f"series.base_month = {requested!r}: no matched session in that month; expected auto or one of "
                + ", ".join(months)
            )
        return list(months).index(requested)
    if not usable.any():
        raise ThinMatchError(
            "no complete month has enough matched sessions and users to be the base; set series.base_month to a month, "
            "or lower disclosure.min_sessions and disclosure.min_users"
        )
    return int(np.flatnonzero(usable)[0])
