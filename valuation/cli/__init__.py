"""The command line: a thin layer over `valuation.workspace`, with nothing heavy imported before a verb runs."""
