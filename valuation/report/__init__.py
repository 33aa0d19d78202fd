"""valuation/report."""
