"""Audits: a random sample of a run's matches that people judge, and what their verdicts say of the run.

`draw` makes one, `open_audit` reads it back, `import_verdicts` and `export_audit` carry verdicts in and out,
`estimate` sets the audited beside the plain series.
"""
