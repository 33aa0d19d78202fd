"""Alembic's migrations of the verdict database; `valuation.verdicts.opening` runs them when a log is opened."""
