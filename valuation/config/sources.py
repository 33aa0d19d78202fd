"""A block of ``configs/sources.toml``: one source, where it is, what its terms allow, what it must yield."""

from __future__ import annotations

import ipaddress
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from valuation.config.base import Section

SOURCE_NAME = r"^[a-z][a-z0-9]{1,31}$"

Share = Annotated[float, Field(ge=0, le=1)]


def is_loopback(url: str) -> bool:
    """Whether a URL names a server on this machine.

    >>> is_loopback("http://127.0.0.1:8123"), is_loopback("https://api.example.org")
    (True, False)
    """
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class SourceSettings(Section):
    """One source. Times in hours or days, rates in requests, shares in [0, 1]."""

    spider: str = Field(pattern=SOURCE_NAME)
    enabled: bool
    why_off: str
    base_url: str
    terms_url: str
    terms_read_on: date
    robots: Literal["obey"]
    token: Literal["none", "optional", "required"]
    retention_hours: Literal["unlimited"] | Annotated[float, Field(gt=0)]
    requests_per_minute: float = Field(ge=0)
    requests_per_day: int = Field(ge=0)
    concurrency: int = Field(ge=1, le=16)
    max_requests: int = Field(ge=1)
    page_size: int = Field(ge=1, le=100_000)
    queries: tuple[str, ...]
    price_kind: Literal["posted", "bid_average", "awarded", "paid"]
    reference_only: bool
    timezone: str
    look_back_days: float = Field(ge=0)
    min_items: int = Field(ge=0)
    min_field_coverage: Share
    min_price_share: Share
    max_error_share: Share
    max_unreadable_share: Share

    @field_validator("base_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if not value:  # the user names the site
            return value
        parts = urlsplit(value)
        named = parts.hostname and parts.port != 0  # reading a port that is none is a ValueError
        if parts.scheme not in ("http", "https") or not named or parts.query or parts.fragment:
            raise ValueError("expected a URL such as https://api.example.org")
        if parts.username or parts.password:
            raise ValueError("a URL must not hold a name or password; tokens come from the environment")
        return value.rstrip("/")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("expected an IANA time zone such as UTC or Europe/Kyiv") from error
        return value

    @model_validator(mode="after")
    def _off_says_why(self) -> SourceSettings:
        if not self.enabled and not self.why_off.strip():
            raise ValueError("a source that is off must say why (why_off)")
        return self

    @property
    def loopback(self) -> bool:
        """Whether the source is a server on this machine."""
        return is_loopback(self.base_url)
