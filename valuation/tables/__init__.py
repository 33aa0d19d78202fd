"""Every file between stages: its schema (`schemas`) and how it is written and read (`files`)."""

from valuation.tables.files import read_table, write_atomic, write_table, write_text
from valuation.tables.partitions import digest_partitions, finish_write, read_partitions, write_partitions
from valuation.tables.schemas import (
    Decomposition,
    Growth,
    Imports,
    Matches,
    Postings,
    PostingVersions,
    Priced,
    Quarantine,
    SeriesTable,
    Sessions,
    ShiftCheck,
    Table,
    Validation,
    Values,
    empty,
    typed,
    validate,
)
from valuation.tables.streaming import PartsWriter

__all__ = [
    "Decomposition",
    "Growth",
    "Imports",
    "Matches",
    "PartsWriter",
    "PostingVersions",
    "Postings",
    "Priced",
    "Quarantine",
    "SeriesTable",
    "Sessions",
    "ShiftCheck",
    "Table",
    "Validation",
    "Values",
    "digest_partitions",
    "empty",
    "finish_write",
    "read_partitions",
    "read_table",
    "typed",
    "validate",
    "write_atomic",
    "write_partitions",
    "write_table",
    "write_text",
]
