"""Tables as files: CSV for spreadsheets, Parquet for R and Python, Stata, LaTeX; equal tables give equal bytes.

Texts in them are untrusted (names of groups come with the data): a spreadsheet must not run them, LaTeX not obey them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.report.constants import CAVEAT
from valuation.report.files_latex import latex_table
from valuation.report.text import clean
from valuation.tables.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from valuation.report.sheet import Sheet

TABLE_FORMATS = ("csv", "parquet", "dta", "tex")
LONGEST_STR = 2045  # bytes of Stata's ordinary strings; longer ones become strL
EPOCH = datetime(1960, 1, 1)  # Stata's own first day: a file that carried its hour would differ from its twin
FORMULA = r"^([=+\-@\uff1d\uff0b\uff0d\uff20])"  # what a spreadsheet takes for a formula, full-width forms too


def save_table(frame: pd.DataFrame, sheet: Sheet, path: Path) -> None:
    """Write one table as the suffix of `path` says, one of `TABLE_FORMATS`, atomically.

    Parameters
    ----------
    frame : DataFrame
        With the columns of `sheet`, in any dtypes that `valuation.tables` uses.
    sheet : Sheet
        Labels, title, and the columns that are printed.
    path : Path
        Where to.
    """
    writers: dict[str, Callable[[pd.DataFrame, Sheet, Path], None]] = {
        ".csv": _csv,
        ".parquet": _parquet,
        ".dta": _stata,
        ".tex": _latex,
    }
    write_atomic(path, lambda to: writers[path.suffix.lower()](frame[list(sheet.columns)], sheet, to))


def _texts(frame: pd.DataFrame) -> list[str]:
    """Names of the columns that hold text."""
    return [str(name) for name in frame if pd.api.types.is_string_dtype(frame[name])]


def disarmed(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts on one line, without control characters, an apostrophe before what a spreadsheet would run."""
    known = {name: frame[name].map(clean, na_action="ignore").astype("str") for name in _texts(frame)}
    return frame.assign(**{name: text.str.replace(FORMULA, r"'\1", regex=True) for name, text in known.items()})


def _csv(frame: pd.DataFrame, sheet: Sheet, to: Path) -> None:
    disarmed(frame).to_csv(to, index=False, lineterminator="\n", encoding="utf-8")


def _parquet(frame: pd.DataFrame, sheet: Sheet, to: Path) -> None:
    """Write texts as they are, with every column's label in its field's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [field.with_metadata({"label": sheet.columns[field.name]}) for field in table.schema]
    about = {**(table.schema.metadata or {}), b"title": sheet.title.encode(), b"caveat": CAVEAT.encode()}
    pq.write_table(table.cast(pa.schema(fields, metadata=about)), to, compression="zstd")


def _stata(frame: pd.DataFrame, sheet: Sheet, to: Path) -> None:
    """Write version 118 with labels: missing text is empty, truth values are 0 and 1 with value labels."""
    texts, flags = _texts(frame), [str(name) for name in frame if pd.api.types.is_bool_dtype(frame[name])]
    numbers = [str(name) for name in frame if name not in (*texts, *flags)]
    plain = {
        **{name: frame[name].map(clean, na_action="ignore").astype("str").fillna("").astype(object) for name in texts},
        **{name: frame[name].astype("int8") for name in flags},
        **{name: _number(frame[name]) for name in numbers},
    }
    ready = pd.DataFrame({name: plain[str(name)] for name in frame})
    long = [name for name in texts if ready[name].map(lambda text: len(text.encode())).max() > LONGEST_STR]
    ready.to_stata(
        to, version=118, write_index=False, time_stamp=EPOCH, data_label=sheet.title,
        variable_labels=dict(sheet.columns), value_labels={name: {0: "no", 1: "yes"} for name in flags},
        convert_strl=long,
    )  # fmt: skip


def _number(column: pd.Series) -> pd.Series:
    """Return whole numbers as they are; anything that can be missing as a double, infinities missing too."""
    if pd.api.types.is_integer_dtype(column) and not column.isna().any():
        return column.astype("int64")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(np.where(np.isfinite(values), values, np.nan), index=column.index)


def _latex(frame: pd.DataFrame, sheet: Sheet, to: Path) -> None:
    to.write_text(latex_table(frame, sheet), encoding="utf-8")
