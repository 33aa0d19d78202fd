"""What a simulated world is made of: every parameter with its unit and range."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields, replace

from valuation.errors import ConfigError

KIND_NAMES = (
    "fix", "build", "operate", "communicate", "understand", "plan", "orchestrate", "analyse", "test", "write",
)  # fmt: skip
MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
SHARES = ("unmatched_start", "unmatched_end", "reposts", "hourly", "title_only", "foreign", "ranges")
COUNTS = {
    "postings": (50, 5_000_000), "sessions": (20, 5_000_000), "users": (2, 1_000_000), "months": (2, 60),
    "posting_months": (1, 60), "rows_per_fault": (0, 100_000),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """Parameters of a world.

    Attributes
    ----------
    postings, sessions : int
        Sound rows (reposts and hostile texts included); rows with a planted fault come on top.
    users : int
        People with sessions; each has at least one.
    first_month : str
        "YYYY-MM" of the first sessions.
    months : int
        Months with sessions.
    postings_from, posting_months : str, int
        The months postings are spread over.
    mix_start, mix_end : tuple of float
        Share of each of `KIND_NAMES` among matchable sessions in the first and last month; linear between; sum 1.
    growth : tuple of float
        True growth of the mean (geometric) value within each kind, first to last month; 0.43 is 43 %.
    growth_scale : float
        Multiplies the *log* growth within every kind; 0 leaves mix alone, 2 doubles it.
    price_noise : float
        Standard deviation of log price given all attributes, before it is cut at 2.5 of them.
    unmatched_start, unmatched_end : float
        Share of sessions about things that no posting resembles, first and last month; linear between.
    reposts, hourly, title_only, foreign, ranges : float
        Shares of postings: near-identical reposts, paid by the hour, without description, in EUR or GBP, with a
        price range.
    rows_per_fault : int
        Rows planted of each fault in `valuation.simulation.dirt`.
    """

    postings: int = 3200
    sessions: int = 3200
    users: int = 300
    first_month: str = "2026-01"
    months: int = 7
    postings_from: str = "2025-08"
    posting_months: int = 12
    mix_start: tuple[float, ...] = (0.33, 0.22, 0.14, 0.07, 0.05, 0.05, 0.02, 0.04, 0.02, 0.06)
    mix_end: tuple[float, ...] = (0.19, 0.23, 0.21, 0.05, 0.04, 0.03, 0.03, 0.08, 0.02, 0.12)
    growth: tuple[float, ...] = (0.32, 0.43, 0.34, 0.02, 0.05, 0.08, 0.15, 0.10, 0.08, 0.06)
    growth_scale: float = 1.0
    price_noise: float = 1.0
    unmatched_start: float = 0.03
    unmatched_end: float = 0.05
    reposts: float = 0.08
    hourly: float = 0.10
    title_only: float = 0.15
    foreign: float = 0.12
    ranges: float = 0.15
    rows_per_fault: int = 4

    def __post_init__(self) -> None:
        """Refuse parameters out of range, by name."""
        for name, (low, high) in COUNTS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"world.{name} = {value!r}: expected a whole number from {low} to {high}")
        for name in SHARES:
            _in_range(name, getattr(self, name), 0.0, 0.5)
        _in_range("growth_scale", self.growth_scale, -3.0, 3.0)
        _in_range("price_noise", self.price_noise, 0.0, 3.0)
        for name in ("first_month", "postings_from"):
            if not MONTH.match(str(getattr(self, name))):
                raise ConfigError(f"world.{name} = {getattr(self, name)!r}: expected YYYY-MM")
        if self.users > self.sessions // 2:
            raise ConfigError(f"world.users = {self.users}: expected at most half of the {self.sessions} sessions")
        _mix("mix_start", self.mix_start)
        _mix("mix_end", self.mix_end)
        _by_kind("growth", self.growth)
        for growth in self.growth:
            _in_range("growth", growth, -0.5, 1.0)


def scaled(settings: WorldSettings, factor: float) -> WorldSettings:
    """Return the settings of a world `factor` times as large in postings, sessions and users.

    Raises
    ------
    ConfigError
        A count leaves its range.
    """
    _in_range("scale", factor, 1e-6, 1e6)
    counts = {name: round(getattr(settings, name) * factor) for name in ("postings", "sessions", "users")}
    return replace(settings, postings=counts["postings"], sessions=counts["sessions"], users=counts["users"])


def month_names(first: str, count: int) -> tuple[str, ...]:
    """Return `count` months from `first`, as "YYYY-MM"."""
    year, month = int(first[:4]), int(first[5:])
    return tuple(f"{year + (month - 1 + i) // 12:04d}-{(month - 1 + i) % 12 + 1:02d}" for i in range(count))


def as_record(settings: WorldSettings) -> dict[str, object]:
    """Return the settings by name, ready for JSON."""
    return {field.name: getattr(settings, field.name) for field in fields(settings)}


def _in_range(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"world.{name} = {value!r}: expected a number from {low:g} to {high:g}")


def _by_kind(name: str, values: tuple[float, ...]) -> None:
    if len(values) != len(KIND_NAMES):
        raise ConfigError(f"world.{name}: expected {len(KIND_NAMES)} numbers, one a kind of work, got {len(values)}")


def _mix(name: str, shares: tuple[float, ...]) -> None:
    _by_kind(name, shares)
    for share in shares:
        _in_range(name, share, 0.0, 1.0)
    if not math.isclose(sum(shares), 1.0, abs_tol=1e-9):
        raise ConfigError(f"world.{name}: the shares add up to {sum(shares):.6g}, expected 1")
