"""valuation/pipeline."""
