"""Mapping files: which of a file's columns is which of ours. Frozen models; an unknown key is refused by name."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from valuation.config import Section, read_toml
from valuation.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_tuple)]
"""One column, or several in order of preference: each row takes the first that is not empty."""
DateQuality = Literal["exact", "derived", "upper_bound", "stated"]
PriceKind = Literal["posted", "bid_average", "awarded", "paid"]
PriceType = Literal["fixed", "hourly"]
Source = Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9._-]*)?$")]


class PriceColumns(Section):
    """Where prices stand: one text or number, or two ends."""

    price: Names = ()
    price_low: Names = ()
    price_high: Names = ()
    currency: Names = ()

    @model_validator(mode="after")
    def _one_way(self) -> PriceColumns:
        if bool(self.price_low) != bool(self.price_high):
            raise ValueError("price_low and price_high go together; a single amount is price")
        if self.price and self.price_low:
            raise ValueError("give price, or price_low with price_high, not both")
        return self


class PostingColumns(PriceColumns):
    """Columns of postings (ours = theirs)."""

    posting_id: Names = ()
    source: Names = ()
    url: Names = ()
    title: Names = ()
    description: Names = ()
    skills: Names = ()
    posted_at: Names = ()
    date_quality: Names = ()
    crawled_at: Names = ()
    price_type: Names = ()
    price_kind: Names = ()
    category: Names = ()
    country: Names = ()
    client_id: Names = ()
    fixed: PriceColumns = PriceColumns()
    hourly: PriceColumns = PriceColumns()

    @model_validator(mode="after")
    def _by_type(self) -> PostingColumns:
        split = self.fixed != PriceColumns() or self.hourly != PriceColumns()
        if split and (self.price or self.price_low):
            raise ValueError("give price here, or under [columns.fixed] and [columns.hourly], not both")
        return self


class SessionColumns(Section):
    """Columns of sessions (ours = theirs)."""

    session_id: Names = ()
    user: Names = ()
    started_at: Names = ()
    summary: Names = ()
    weight: Names = ()


class PostingConstants(Section):
    """What a file of postings does not hold."""

    currency: str | None = Field(default=None, pattern=r"^[A-Z0-9]{2,10}$")
    posted_at: datetime | date | None = None
    date_quality: DateQuality | None = None
    crawled_at: datetime | date | None = None
    price_kind: PriceKind | None = None
    price_type: PriceType | None = None
    category: str | None = None
    country: str | None = None

    @model_validator(mode="after")
    def _quality_with_date(self) -> PostingConstants:
        if self.posted_at is not None and self.date_quality is None:
            raise ValueError('posted_at needs date_quality beside it, such as date_quality = "stated"')
        return self


class SessionConstants(Section):
    """What a file of sessions does not hold."""

    user: str | None = None
    weight: float | None = Field(default=None, gt=0)


class Options(Section):
    """How a file is read."""

    amount_is_usd: bool = False
    day_first: bool | None = None
    decimal_comma: bool | None = None
    timezone: str | None = None
    header_rows: int | None = Field(default=None, ge=1, le=3)
    skip_rows: int | None = Field(default=None, ge=0, le=1000)
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    records: str | None = None
    attributes: tuple[str, ...] | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                raise ValueError("expected an IANA time zone such as Europe/London") from None
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
            except LookupError:
                raise ValueError("expected an encoding such as utf-8, cp1252 or utf-16") from None
        return value


class PostingsMapping(Section):
    """A mapping of postings."""

    kind: Literal["postings"]
    source: Source = ""
    columns: PostingColumns = PostingColumns()
    constants: PostingConstants = PostingConstants()
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    options: Options = Options()

    @field_validator("values")
    @classmethod
    def _known_columns(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        known = set(PostingColumns.model_fields) - {"fixed", "hourly"}
        for name in value:
            if name not in known:
                raise ValueError(f"[values.{name}]: not one of our columns: {', '.join(sorted(known))}")
        return value


class SessionsMapping(Section):
    """A mapping of sessions."""

    kind: Literal["sessions"]
    source: Source = ""
    columns: SessionColumns = SessionColumns()
    constants: SessionConstants = SessionConstants()
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    options: Options = Options()


Mapping = PostingsMapping | SessionsMapping
M = TypeVar("M", PostingsMapping, SessionsMapping)


def load_postings_mapping(path: Path) -> PostingsMapping:
    """Read a mapping file of postings; a `ConfigError` names each fault."""
    return _load(path, PostingsMapping)


def load_sessions_mapping(path: Path) -> SessionsMapping:
    """Read a mapping file of sessions; a `ConfigError` names each fault."""
    return _load(path, SessionsMapping)


def _load(path: Path, model: type[M]) -> M:
    """Validate a mapping file as `model`."""
    plain = read_toml(path)
    kind = str(model.model_fields["kind"].annotation).split("'")[1]
    if plain.get("kind") != kind:
        raise ConfigError(f'{path}: expected kind = "{kind}", got {str(plain.get("kind"))[:40]!r}')
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error


def digest(mapping: Mapping) -> str:
    """SHA-256 (hex) of what a mapping says, whatever file it stands in."""
    plain = mapping.model_dump(mode="json")
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def used_columns(mapping: Mapping) -> tuple[tuple[str, str], ...]:
    """Pairs (ours, theirs) of every mapped column, in the tables' order."""
    pairs: list[tuple[str, str]] = []
    for ours in type(mapping.columns).model_fields:
        value = getattr(mapping.columns, ours)
        if isinstance(value, PriceColumns):
            pairs += [(f"{ours}.{sub}", their) for sub in PriceColumns.model_fields for their in getattr(value, sub)]
        else:
            pairs += [(ours, their) for their in value]
    return tuple(pairs)


def _explain(error: ValidationError) -> str:
    """One line a fault: the key, the value, what was expected."""
    shown = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"] if part != "constrained-str") or "mapping"
        unknown = fault["type"] == "extra_forbidden"
        text = "unknown key" if unknown else fault["msg"].removeprefix("Value error, ")
        shown.append(f"{name}: {text}" + ("" if unknown else f", got {str(fault['input'])[:60]!r}"))
    return "; ".join(shown)
