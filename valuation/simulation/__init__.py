"""Worlds with known truth: the demo's texts, and vectors for testing the statistics."""

from valuation.simulation.files import WorldFiles, write_world
from valuation.simulation.settings import WorldSettings, scaled
from valuation.simulation.world import World, simulate_world

__all__ = ["World", "WorldFiles", "WorldSettings", "scaled", "simulate_world", "write_world"]
