"""Blocks of settings of what people do with a run: review pages and audits. None moves a figure of a run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from valuation.config.base import Section

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\-\[\]:]{1,253}$")]


class Review(Section):
    """The analysts' pages."""

    database: str
    host: HostName
    port: int = Field(ge=0, le=65_535)
    allowed_hosts: tuple[HostName, ...]
    user_header: str = Field(pattern=r"^([A-Za-z][A-Za-z0-9-]{0,63})?$")
    gigs: int = Field(ge=1, le=50)
    held_minutes: float = Field(gt=0, le=10_080)


class Audit(Section):
    """Samples that analysts judge."""

    per_month: int = Field(ge=1, le=1_000_000)
    stratify_by: str
    double_share: float = Field(ge=0, le=1)
    seed: int = Field(ge=0, lt=2**63)
    replicates: int = Field(ge=99, le=100_000)
