"""Blocks of settings: frozen models, a bound on every field, no default of their own (those stand in ``configs/``)."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from valuation.config.base import Section
from valuation.config.people import Audit, Review
from valuation.config.sources import SourceSettings

Month = Annotated[str, Field(pattern=r"^(auto|\d{4}-(0[1-9]|1[0-2]))$")]


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
    deflator: str
    calibrate: bool
    folds: int = Field(ge=2, le=20)
    fold_seed: int = Field(ge=0)
    lexical_components: int = Field(ge=0, le=1000)
    lexical_weight: float = Field(gt=0, le=100)
    scope_weight: float = Field(ge=0, le=100)
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
    throttle: bool
    cache_hours: float = Field(ge=0, le=8760)
    timeout_seconds: float = Field(gt=0, le=600)
    retries: int = Field(ge=0, le=20)
    max_wait_seconds: float = Field(ge=0, le=86_400)
    max_response_mb: float = Field(gt=0, le=1024)
    max_minutes: float = Field(gt=0, le=10_080)
    max_memory_mb: int = Field(ge=128, le=1_048_576)
    parallel_sources: int = Field(ge=1, le=32)


class Currency(Section):
    """Exchange rates beyond the European Central Bank's."""

    rates_file: str


class Placebo(Section):
    """Placebos: figures that should be nothing."""

    permutations: int = Field(ge=99, le=100_000)
    refits: int = Field(ge=19, le=10_000)
    seed: int = Field(ge=0, lt=2**63)


BasketPart = Literal["all", "each_source_out", "low_ends", "high_ends", "first_half", "last_half", "full_text"]


class Sensitivity(Section):
    """The grid of the specification curve; every list is crossed with every other."""

    pricer: tuple[Literal["matching", "neighbours", "hedonic"], ...] = Field(min_length=1)
    k: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(min_length=1)
    tau: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1)
    s_min: tuple[Literal["auto", "none"] | Annotated[float, Field(ge=-1, le=1)], ...] = Field(min_length=1)
    register_: tuple[Literal["none", "centred"], ...] = Field(min_length=1, alias="register")
    statistic: tuple[Literal["mean_log", "median", "mean", "trimmed_mean"], ...] = Field(min_length=1)
    encoder: tuple[str, ...] = Field(min_length=1)
    basket: tuple[BasketPart, ...] = Field(min_length=1)
    truncation: tuple[Annotated[float, Field(ge=0, lt=0.5)], ...] = Field(min_length=1)
    weighting: tuple[Literal["sessions", "users"], ...] = Field(min_length=1)
    permutations: int = Field(ge=0, le=100_000)
    seed: int = Field(ge=0, lt=2**63)


class Training(Section):
    """Fitting a price-aware encoder."""

    method: Literal["whole", "projection"]
    share: float = Field(gt=0, lt=1)
    epochs: int = Field(ge=1, le=100)
    batch: int = Field(ge=2, le=1024)
    learning_rate: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0, lt=2**31)


class Report(Section):
    """The HTML report."""

    examples: int = Field(ge=0, le=100)


class Compute(Section):
    """Speed and memory only: no setting here may move a figure."""

    chunk_rows: int = Field(ge=1, le=1_000_000)


OUTSIDE = {"compute", "crawl", "sources", "currency", "placebo", "sensitivity", "training", "review", "audit"}
"""Blocks that move no figure of a run: speed, what the imports' content tells, and what is done beside a run."""


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
    sources: dict[str, SourceSettings]
    currency: Currency
    placebo: Placebo
    sensitivity: Sensitivity
    training: Training
    review: Review
    audit: Audit
    report: Report
    compute: Compute

    def identity(self) -> dict[str, Any]:
        """Every setting that can move a figure of a run, as plain data.

        Exchange rates are in the content of the imports; a deflator's content is part of what a run is known by.
        """
        found = self.model_dump(mode="json", by_alias=True, exclude=OUTSIDE)
        del found["encoder"]["batch_tokens"]  # speed only
        del found["pricing"]["deflator"]  # where a file lies moves nothing
        found["basket"]["reference_only"] = list(self.reference_only)
        return found

    @property
    def reference_only(self) -> tuple[str, ...]:
        """Sources of salaries, by name: shown as a reference, never in a basket."""
        return tuple(sorted(name for name, source in self.sources.items() if source.reference_only))

    def digest(self) -> str:
        """SHA-256 (hex) of `identity`."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()
