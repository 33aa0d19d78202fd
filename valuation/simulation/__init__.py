"""valuation/simulation."""
