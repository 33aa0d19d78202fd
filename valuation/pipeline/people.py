"""The table `people`: users who stay, come and go, how much they do and at what value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from valuation.core import people as core
from valuation.core.influence import series_influence
from valuation.core.linear import Columns, combination, few_factor
from valuation.pipeline.headline import raw_residual, sessions_at, sides, uses_hedonic
from valuation.tables import People, typed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.bootstrap import Replicates, Variation
    from valuation.core.influence import Influence
    from valuation.core.people import Figure
    from valuation.pipeline.model import PriceModel
    from valuation.pipeline.series_tables import Span
    from valuation.pipeline.tracking import Tracked

LEVELS = {
    "all": (core.ALL_FROM, core.ALL_TO),
    "stayers": (core.STAYERS_FROM, core.STAYERS_TO),
    "entrants": (None, core.ENTRANTS),
    "leavers": (core.LEAVERS, None),
}
"""Cells of each kind of user in the base and the last month."""
MEASURES = (
    ("sessions_per_user", False, True),
    ("value_per_session", True, False),
    ("value_per_user_month", True, True),
)
"""Measure, and whether value and sessions per user enter it."""
GROWTHS = ("log_growth_sessions_per_user", "log_growth", "log_growth_per_user_month")
"""Growth of each of `MEASURES`, log points; the first two add up to the third."""


@dataclass(frozen=True, slots=True)
class PreparedPeople:
    """The six cells of `valuation.core.people.who_cells`, with the columns to draw."""

    influence: Influence
    columns: Columns
    hidden: NDArray[np.bool_]


def prepare_people(tracked: Tracked, model: PriceModel, span: Span, settings: Settings) -> PreparedPeople:
    """Gather the matched sessions of the base and the last month by their users' standing."""
    rows, side = sides(tracked, span.base, span.last)
    sessions = sessions_at(tracked.sessions, rows)
    cell = core.who_cells(sessions.user, side, n_users=sessions.user_key.size)
    influence = series_influence(
        sessions, model.arrays, raw_residual(model, settings), cell,
        n_cells=core.N_CELLS, use_hedonic=uses_hedonic(settings),
    )  # fmt: skip
    most = np.asarray(influence.user_share.max(axis=0).toarray()).ravel()
    few = influence.n_sessions < settings.disclosure.min_sessions
    hidden = few | (influence.n_users < settings.disclosure.min_users) | (most > 0.5)
    return PreparedPeople(influence, core.who_columns(influence, sessions.weight, cell), np.asarray(hidden))


def people_table(
    prepared: PreparedPeople, replicates: Replicates, tracked: Tracked, span: Span, settings: Settings
) -> pd.DataFrame:
    """Levels in either month (``from_month = to_month``) and changes between them.

    Parameters
    ----------
    replicates : Replicates
        Of `who_columns`, calibrated if configured.
    """
    ends = (tracked.calendar.months[span.base], tracked.calendar.months[span.last])
    rows: list[dict[str, object]] = []
    for who, cells in LEVELS.items():
        for month, cell in zip(ends, cells, strict=True):
            if cell is not None:
                rows += _levels(prepared, replicates, who, month, cell, settings)
        if None not in cells:
            rows += _changes(prepared, replicates, who, ends, settings)
    for who, figure in core.contributions(replicates.point).items():
        key = _Key(who, *ends, "contribution", (*_there(who), *_YARDSTICK[who]), _there(who))
        rows.append(_row(prepared, replicates, key, figure, settings, dollars=False))
    return typed({name: [row[name] for row in rows] for name in People.to_schema().columns}, People)


_YARDSTICK = {"stayers": (), "entrants": (core.STAYERS_TO,), "leavers": (core.STAYERS_FROM,)}
"""Cells that a contribution compares with."""


@dataclass(frozen=True, slots=True)
class _Key:
    """What a row is about: its key, the cells that it reveals, and those that it counts."""

    who: str
    from_month: str
    to_month: str
    measure: str
    reveals: tuple[int, ...]
    counts: tuple[int, ...]


def _there(who: str) -> tuple[int, ...]:
    return tuple(cell for cell in LEVELS[who] if cell is not None)


def _levels(
    prepared: PreparedPeople, replicates: Replicates, who: str, month: str, cell: int, settings: Settings
) -> list[dict[str, object]]:
    """Users, and the measures of one cell; a count has no interval."""
    rows = [
        _row(prepared, replicates, _Key(who, month, month, "users", (cell,), (cell,)), None, settings, dollars=True)
    ]
    for measure, value, sessions in MEASURES:
        figure = core.level(replicates.point, cell, value=value, sessions=sessions)
        key = _Key(who, month, month, measure, (cell,), (cell,))
        rows.append(_row(prepared, replicates, key, figure, settings, dollars=True))
    return rows


def _changes(
    prepared: PreparedPeople, replicates: Replicates, who: str, ends: tuple[str, str], settings: Settings
) -> list[dict[str, object]]:
    """Growth of the measures between the two months, log points."""
    rows = []
    first, second = _there(who)
    for measure, (_, value, sessions) in zip(GROWTHS, MEASURES, strict=True):
        figure = core.change(replicates.point, first, second, value=value, sessions=sessions)
        key = _Key(who, *ends, measure, (first, second), (first, second))
        rows.append(_row(prepared, replicates, key, figure, settings, dollars=False))
    return rows


def _row(
    prepared: PreparedPeople, replicates: Replicates, key: _Key, figure: Figure | None, settings: Settings,
    *, dollars: bool,
) -> dict[str, object]:  # fmt: skip
    """One row; `dollars` takes logs back. Without a figure it is the number of users."""
    influence, level = prepared.influence, settings.series.level
    users = _users(influence.n_users, key.counts)
    ends = np.array([float(users), np.nan, np.nan])
    if figure is not None:
        mean, per_user = figure.weights[: core.N_CELLS], figure.weights[core.N_CELLS : 2 * core.N_CELLS]
        variation: Variation = "both" if mean.any() else "users"
        factor = few_factor(influence, mean + per_user, variation=variation, level=level)
        found = combination(
            replicates, figure.value, figure.weights, variation="both", level=level, factor=factor
        )  # fmt: skip
        ends = np.array([figure.value, found.lower[0], found.upper[0]])
        ends = np.exp(ends) if dollars else ends
    return {
        "from_month": key.from_month,
        "to_month": key.to_month,
        "who": key.who,
        "measure": key.measure,
        "estimate": ends[0],
        "lower": ends[1],
        "upper": ends[2],
        "n_users": users,
        "n_sessions": int(influence.n_sessions[list(key.counts)].sum()),
        "suppressed": bool(prepared.hidden[list(key.reveals)].any()),
    }


def _users(n_users: NDArray[np.int64], cells: tuple[int, ...]) -> int:
    """Distinct users of cells."""
    if cells == (core.ALL_FROM, core.ALL_TO):
        return int(n_users[[core.STAYERS_FROM, core.LEAVERS, core.ENTRANTS]].sum())
    return int(n_users[cells[0]])  # of stayers the same in both months
