"""``valuation price``: values for texts in a table; needs a basket, but no sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from valuation.errors import ConfigError, InputError
from valuation.pipeline.embedding import embed_texts, to_register
from valuation.pipeline.model import text_features
from valuation.pipeline.model_store import open_model
from valuation.pipeline.pricing import price_texts
from valuation.pipeline.session_register import frozen_session_means
from valuation.pipeline.tables import Columns, figure_columns, priced_table, unmatched_reasons
from valuation.tables import write_atomic

if TYPE_CHECKING:
    from valuation.config import Settings
    from valuation.pipeline.model_store import OpenedModel
    from valuation.progress import Progress
    from valuation.storage import Layout

WriteTable = Callable[[pd.DataFrame, Path], None]


@dataclass(frozen=True, slots=True)
class PriceResult:
    """What ``price`` did: rows in = matched + unmatched + unusable."""

    rows: int
    matched: int
    unmatched: int
    unusable: int
    out: Path
    note: str


def price_file(
    layout: Layout,
    settings: Settings,
    file: str,
    out: str,
    *,
    register: str,
    source: str | None,
    id_column: str,
    text_column: str,
    progress: Progress,
) -> PriceResult:
    """Price the texts of a table and write one row for each, in input order.

    Raises
    ------
    InputError
        The file cannot be read, or has no such column.
    ConfigError
        An unknown register, source, or output format.
    """
    if register not in ("session", "posting"):
        raise ConfigError(f"--register {register}: expected session or posting")
    to = Path(out).expanduser()
    writer_for(to)
    frame = _read(file)
    ids, texts = _columns(frame, file, id_column, text_column)
    reasons = pd.Series([None if text.strip() else "no text" for text in texts], dtype="str")
    usable = np.flatnonzero(reasons.isna())
    opened = open_model(layout, settings, progress)
    chosen = [texts[i].strip() for i in usable]
    figures, words, note = _price_chosen(layout, settings, opened, chosen, register, source, progress)
    reasons.iloc[usable] = words.to_numpy()
    table = priced_table(ids, usable, reasons, figures)
    write_atomic(to, lambda temporary: writer_for(to)(table, temporary))
    matched = int(table["matched"].sum())
    return PriceResult(len(table), matched, len(usable) - matched, len(table) - len(usable), to.resolve(), note)


def _read(file: str) -> pd.DataFrame:
    """Read the table; a row that does not fit its header would break "one row out for each row in" and is refused."""
    from valuation.imports.mapping import Options
    from valuation.imports.reading import fetch, read_source

    table = read_source(fetch(file), Options())
    if table.broken:
        first = table.broken[0]
        raise InputError(f"{file}: row {first.row}: {first.message}; mend the row and try again")
    return table.frame


def _columns(frame: pd.DataFrame, file: str, id_column: str, text_column: str) -> tuple[pd.Series, list[str]]:
    """Take identifiers and texts; both columns must be there."""
    for flag, column in (("--id", id_column), ("--text", text_column)):
        if column not in frame.columns:
            shown = ", ".join(str(name) for name in frame.columns[:20])
            raise InputError(f"{file}: no column {column!r}; its columns are {shown}; name the right one with {flag}")
    ids = frame[id_column].map(_as_text).astype("str").reset_index(drop=True)
    return ids, ["" if pd.isna(value) else str(value) for value in frame[text_column]]


def _as_text(value: object) -> str | None:
    """Write an identifier as text: whole floats without their point, missing as null."""
    if isinstance(value, float):
        return None if np.isnan(value) else str(int(value)) if value.is_integer() else str(value)
    return None if value is None or value is pd.NA or value is pd.NaT else str(value)


def _price_chosen(
    layout: Layout,
    settings: Settings,
    opened: OpenedModel,
    texts: list[str],
    register: str,
    source: str | None,
    progress: Progress,
) -> tuple[Columns, pd.Series, str]:
    """Embed and price the usable texts."""
    model, frozen = opened.model, opened.model.frozen
    embedded = embed_texts(layout, settings, texts, what="texts", progress=progress)
    lexical = frozen.lexical.transform(texts)
    vector_mean, lexical_mean, note = frozen.vector_mean, frozen.lexical_mean, ""
    if register == "session" and settings.register_.mode == "centred":
        means = frozen_session_means(layout, settings, opened.basket_id, embedded.vectors, lexical)
        vector_mean, lexical_mean, note = means.vector, means.lexical, means.note
    reference = settings.pricing.reference_source if source is None else source
    vectors = to_register(embedded.vectors, vector_mean)
    features = text_features(vectors, lexical - lexical_mean, frozen, source=reference)
    progress.stage("price texts")
    priced = price_texts(model, vectors, features, settings, progress)
    return figure_columns(priced, settings), unmatched_reasons(priced, model.s_min), note


def writer_for(path: Path) -> WriteTable:
    """Choose how a table is written by its name's ending.

    Raises
    ------
    ConfigError
        An ending that is not known.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ending = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes[-1] if suffixes else "")
    zipped: Literal["gzip"] | None = "gzip" if suffixes and suffixes[-1] == ".gz" else None
    if ending == ".parquet" and zipped is None:
        return lambda frame, to: frame.to_parquet(to, index=False)
    if ending == ".csv":
        return lambda frame, to: frame.to_csv(to, index=False, compression=zipped)
    if ending in (".jsonl", ".ndjson"):
        return lambda frame, to: frame.to_json(to, orient="records", lines=True, compression=zipped)
    if ending == ".json":
        return lambda frame, to: frame.to_json(to, orient="records", compression=zipped)
    raise ConfigError(
        f"--out {path}: expected a name ending in .parquet, .csv, .jsonl or .json (.gz too, but .parquet)"
    )
