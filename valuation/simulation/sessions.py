"""The users' side of a world: session summaries as a tool would export them, with their truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.simulation import model
from valuation.simulation.dice import Dice
from valuation.simulation.people import assign_users, draw_users
from valuation.simulation.settings import KIND_NAMES, month_names
from valuation.simulation.texts import personal_text, session_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from valuation.simulation.settings import WorldSettings

PERSONAL = "personal"  # the kind of sessions that no posting resembles
TOOLS = ("helper-4", "helper-5")
TOOL_SPREAD = 0.15  # the newer tool goes from this share to one less it: a change that no value hangs on
LANGUAGES = ("en", "de", "es", "pt", "ja")
LANGUAGE_SHARES = np.array([0.64, 0.12, 0.10, 0.08, 0.06])


def simulate_sessions(settings: WorldSettings, *, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the raw sessions and their truth, row by row, in order of time.

    Returns
    -------
    raw : DataFrame
        session_id, user, started_at (ISO, UTC), summary, kind, tool, language; all text.
    truth : DataFrame
        session_id, user, month, matchable, kind, domain, object, size, complexity, urgent, log_value (f, log
        USD; NaN where not matchable).
    """
    n = settings.sessions
    month = np.sort(rng.integers(0, settings.months, n))
    personal = rng.random(n) < model.unmatched_shares(settings)[month]
    kind = _kinds(settings, month, rng)
    attributes = model.draw_attributes(kind, model.lifts(settings)[month, kind], rng=rng)
    users = draw_users(settings.users, settings.months, rng=rng)
    owner = assign_users(attributes, month, users, rng=rng)
    dice = Dice(rng)
    summaries = [personal_text(dice) if personal[i] else session_text(attributes, i, dice=dice) for i in range(n)]
    identifiers = [f"s{place:07d}" for place in range(1, n + 1)]
    labels = np.where(personal, PERSONAL, np.array(KIND_NAMES, dtype=object)[kind])
    names = np.array([f"user-{number:05d}" for number in range(1, settings.users + 1)], dtype=object)[owner]
    truth = pd.DataFrame(
        {
            "session_id": identifiers,
            "user": names,
            "month": np.array(month_names(settings.first_month, settings.months), dtype=object)[month],
            "matchable": ~personal,
            "kind": labels,
            "domain": np.where(personal, "", np.array(model.DOMAIN_NAMES, dtype=object)[attributes.domain]),
            "object": np.where(personal, "", model.object_names(attributes)),
            "size": np.where(personal, "", np.array(model.SIZE_NAMES, dtype=object)[attributes.size]),
            "complexity": np.where(personal, "", np.array(model.COMPLEXITY_NAMES, dtype=object)[attributes.complexity]),
            "urgent": attributes.urgent & ~personal,
            "log_value": np.where(personal, np.nan, model.log_value(attributes)),
        }
    )
    raw = pd.DataFrame(
        {
            "session_id": identifiers,
            "user": names,
            "started_at": _times(settings, month, rng),
            "summary": summaries,
            "kind": labels,
            "tool": _tools(settings, month, rng),
            "language": np.array(LANGUAGES, dtype=object)[model.draw(LANGUAGE_SHARES, settings.users, rng=rng)[owner]],
        }
    )
    return raw, truth


def _kinds(settings: WorldSettings, month: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw each session's kind by its month's shares, shape (n,)."""
    bounds = np.cumsum(model.kind_shares(settings), axis=1)[:, :-1]
    return np.asarray((rng.random(len(month))[:, None] >= bounds[month]).sum(axis=1), dtype=np.int64)


def _times(settings: WorldSettings, month: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.object_]:
    """Return times within each session's month, ISO with Z, in order within the month, shape (n,)."""
    names = month_names(settings.first_month, settings.months + 1)
    bounds = np.array([pd.Timestamp(f"{name}-01", tz="UTC").timestamp() for name in names])
    seconds = bounds[month] + rng.random(len(month)) * (bounds[month + 1] - bounds[month])
    ordered = np.sort(np.floor(seconds))
    return np.asarray(pd.to_datetime(ordered, unit="s").strftime("%Y-%m-%dT%H:%M:%SZ"), dtype=object)


def _tools(settings: WorldSettings, month: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.object_]:
    share = np.linspace(TOOL_SPREAD, 1 - TOOL_SPREAD, settings.months)[month]
    return np.array(TOOLS, dtype=object)[(rng.random(len(month)) < share).astype(np.int64)]
