"""valuation/core."""
