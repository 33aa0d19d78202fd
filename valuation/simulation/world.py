"""One simulated world: raw files as a market and a tool would export them, and what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.errors import ConfigError
from valuation.simulation.dirt import soil_postings, soil_sessions
from valuation.simulation.postings import simulate_postings
from valuation.simulation.sessions import simulate_sessions
from valuation.simulation.truth import Truth, establish

if TYPE_CHECKING:
    from valuation.simulation.settings import WorldSettings


@dataclass(frozen=True, slots=True)
class World:
    """A world.

    Attributes
    ----------
    postings, sessions : DataFrame
        Raw rows, faults included, under the exporters' own column names; all text, "" where something is missing.
    truth : Truth
    settings : WorldSettings
    seed : int
    """

    postings: pd.DataFrame
    sessions: pd.DataFrame
    truth: Truth
    settings: WorldSettings
    seed: int


def simulate_world(settings: WorldSettings, *, seed: int) -> World:
    """Draw a world; the same settings and seed give the same world, byte for byte.

    Postings, sessions and faults have streams of their own: changing the sessions' settings leaves the postings alone.

    Raises
    ------
    ConfigError
        The seed is negative, or the settings ask for growth that no scope of work can carry.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed = {seed!r}: expected a whole number, 0 or more")
    streams = [np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(4)]
    postings, true_postings = simulate_postings(settings, rng=streams[0])
    sessions, true_sessions = simulate_sessions(settings, rng=streams[1])
    soiled_postings = soil_postings(postings, rows=settings.rows_per_fault, rng=streams[2])
    soiled_sessions = soil_sessions(sessions, rows=settings.rows_per_fault, rng=streams[3])
    planted = pd.concat([soiled_postings.planted, soiled_sessions.planted], ignore_index=True)
    truth = establish(settings, true_postings, true_sessions, planted)
    return World(soiled_postings.raw, soiled_sessions.raw, truth, settings, seed)
