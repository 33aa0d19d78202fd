"""valuation/cli."""
