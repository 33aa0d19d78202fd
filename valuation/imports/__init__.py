"""valuation/imports."""
