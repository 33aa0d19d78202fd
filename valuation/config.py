"""Settings: one TOML, frozen models, a bound on every field.

Order of precedence: ``configs/default.toml``, the workspace's ``valuation.toml``, then ``--set section.key=value``.
No model has a default of its own: what a setting is unless told otherwise stands in ``default.toml`` alone.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from valuation.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Month = Annotated[str, Field(pattern=r"^(auto|\d{4}-(0[1-9]|1[0-2]))$")]


class Section(BaseModel):
    """A frozen block of settings; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Encoder(Section):
    """How texts become vectors."""

    name: str = Field(min_length=1)
    max_tokens: int = Field(ge=16, le=8192)
    batch_tokens: int = Field(ge=256, le=1_048_576)


class Register(Section):
    """Whether each register's mean vector is subtracted."""

    mode: Literal["none", "centred"]


class Basket(Section):
    """Which postings price sessions."""

    price_type: Literal["fixed", "hourly"]
    price_kind: Literal["posted", "bid_average", "awarded", "paid"]
    min_usd: float = Field(gt=0)
    max_usd: float = Field(gt=0)
    duplicate_similarity: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Basket:
        if self.max_usd <= self.min_usd:
            raise ValueError(f"max_usd ({self.max_usd}) must be above min_usd ({self.min_usd})")
        return self


class Matching(Section):
    """Neighbours and their weights."""

    k: int = Field(ge=1, le=1000)
    tau: float = Field(gt=0)
    s_min: Literal["auto"] | Annotated[float, Field(ge=-1, le=1)]


class Pricing(Section):
    """The price of a session."""

    pricer: Literal["matching", "neighbours", "hedonic"]
    reference_source: str
    calibrate: bool
    folds: int = Field(ge=2, le=20)
    fold_seed: int = Field(ge=0)
    lexical_components: int = Field(ge=0, le=1000)
    penalties: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1)


class Bands(Section):
    """Bands of a session's value."""

    level: float = Field(gt=0, lt=1)


class SeriesSettings(Section):
    """The monthly series."""

    base_month: Month
    group_by: tuple[str, ...]
    level: float = Field(gt=0, lt=1)
    trim: float = Field(ge=0, lt=0.5)


class Bootstrap(Section):
    """Replicates of the joint bootstrap."""

    replicates: int = Field(ge=99, le=100_000)
    seed: int = Field(ge=0, lt=2**63)


class ShiftCheck(Section):
    """Entropy balancing of postings to each month's sessions."""

    components: int = Field(ge=1, le=100)
    min_effective: float = Field(ge=1)


class Disclosure(Section):
    """The smallest cell that may be published."""

    min_sessions: int = Field(ge=1)
    min_users: int = Field(ge=1)


class Crawl(Section):
    """Collection from live sources."""

    contact: str


class Currency(Section):
    """Exchange rates beyond the European Central Bank's."""

    rates_file: str


class Report(Section):
    """The HTML report."""

    examples: int = Field(ge=0, le=100)


class Compute(Section):
    """Speed and memory only: no setting here may move a figure."""

    chunk_rows: int = Field(ge=1, le=1_000_000)


class Settings(Section):
    """All settings of a run."""

    encoder: Encoder
    register_: Register = Field(alias="register")
    basket: Basket
    matching: Matching
    pricing: Pricing
    bands: Bands
    series: SeriesSettings
    bootstrap: Bootstrap
    shift_check: ShiftCheck
    disclosure: Disclosure
    crawl: Crawl
    currency: Currency
    report: Report
    compute: Compute

    def identity(self) -> dict[str, Any]:
        """Every setting that can move a figure of a run, as plain data; rates are in the content of the imports."""
        found = self.model_dump(mode="json", by_alias=True, exclude={"compute", "crawl", "currency"})
        del found["encoder"]["batch_tokens"]  # speed only
        return found

    def digest(self) -> str:
        """SHA-256 (hex) of `identity`."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()


def configs_dir() -> Path:
    """Folder of the shipped ``default.toml`` and ``maps/``: in the wheel, or beside the packages in a checkout."""
    shipped = Path(__file__).parent / "_configs"
    return shipped if shipped.is_dir() else Path(__file__).parent.parent / "configs"


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; a missing or malformed file is a `ConfigError` that names it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def load(workspace_file: Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """Read the settings: defaults, then the workspace's file, then ``section.key=value`` overrides.

    Raises
    ------
    ConfigError
        An unknown key or a value out of range, by name, with what was expected.
    """
    merged = read_toml(configs_dir() / "default.toml")
    if workspace_file is not None and workspace_file.exists():
        _merge(merged, read_toml(workspace_file), origin=str(workspace_file))
    for override in overrides:
        _merge(merged, _parse_override(override, merged), origin=f"--set {override}")
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _merge(into: dict[str, Any], new: Mapping[str, Any], *, origin: str) -> None:
    """Lay `new` over `into`, refusing sections and keys that `into` does not know."""
    for section, keys in new.items():
        if section not in into:
            raise ConfigError(f"{origin}: unknown section [{section}]; sections are {', '.join(sorted(into))}")
        if not isinstance(keys, dict):
            raise ConfigError(f"{origin}: {section} is a section: write {section}.KEY = VALUE")
        for key, value in keys.items():
            if key not in into[section]:
                raise ConfigError(
                    f"{origin}: unknown setting {section}.{key}; settings are {', '.join(sorted(into[section]))}"
                )
            into[section][key] = value


def _parse_override(text: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """``section.key=value`` as nested data: the value is TOML where the setting is not a string."""
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not equals or not dot or not key:
        raise ConfigError(f"--set {text}: expected section.key=value, such as matching.k=25")
    current = known.get(section, {}).get(key) if isinstance(known.get(section), dict) else None
    return {section: {key: _parse_value(value.strip(), current)}}


def _parse_value(value: str, current: object) -> object:
    """Read an override by the type of what it replaces; a list may be given as ``a,b``."""
    if isinstance(current, list) and not value.startswith("["):
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return [_parse_value(part, current[0] if current else "") for part in parts]
    try:
        parsed: object = tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        return value
    return value if isinstance(current, str) and not isinstance(parsed, (str, float, int)) else parsed


def _explain(error: ValidationError) -> str:
    """One line a fault: the setting, the value, what was expected."""
    lines = []
    for fault in error.errors():
        name = ".".join(
            str(part) for part in fault["loc"] if part not in ("float", "literal['auto']", "constrained-float")
        )
        shown = repr(fault["input"])[:80]
        lines.append(f"{name}: {fault['msg']}, got {shown}")
    return "settings: " + "; ".join(lines)
