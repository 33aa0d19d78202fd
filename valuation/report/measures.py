"""Quantities that the report computes from a run's tables, for its warnings and sentences.

Each takes the run's tables and returns plain numbers or a Series; none of them prices anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.report import constants
from valuation.report.inputs import CORE_SESSION_COLUMNS, RunTables, lookup, months_listed, setting, span

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Jump:
    """The largest change of an attribute's mix between consecutive months.

    Attributes
    ----------
    attribute : str
        Column of sessions.
    earlier, later : str
        Months.
    distance : float
        Total variation distance of the two months' shares, in [0, 1].
    category : str
        The value whose share moved most.
    share_earlier, share_later : float
        Its shares, in [0, 1].
    """

    attribute: str
    earlier: str
    later: str
    distance: float
    category: str
    share_earlier: float
    share_later: float


@dataclass(frozen=True, slots=True)
class Shift:
    """D_T - D_0 in log points with its interval; `joint` says that the run estimated it as one number."""

    difference: float
    lower: float
    upper: float
    joint: bool


def with_users(tables: RunTables) -> pd.DataFrame:
    """Sessions with their value and a user each: a session without one is its own user."""
    values = tables.values[["session_id", "matched", "log_value"]]
    joined = tables.sessions.merge(values, on="session_id", how="inner", validate="one_to_one")
    return joined.assign(user=joined["user_id"].fillna("session:" + joined["session_id"]))


def user_shares(tables: RunTables) -> pd.Series:
    """Share of each month's matched weight by user: a Series over (month, user)."""
    joined = with_users(tables)
    weight = joined[joined["matched"]].groupby(["month", "user"], sort=True)["weight"].sum()
    return weight / weight.groupby(level="month").transform("sum")


def effective_users(tables: RunTables) -> pd.Series:
    """Effective number of users by month, 1 / sum of squared shares (Kish 1965)."""
    return 1.0 / (user_shares(tables) ** 2).groupby(level="month").sum()


def largest_user(tables: RunTables) -> pd.Series:
    """Share of each month's matched weight that its largest user holds."""
    return user_shares(tables).groupby(level="month").max()


def user_overlap(tables: RunTables) -> tuple[float, float, float]:
    """Users seen in both end months, in either, and the share of all users seen in one month only."""
    joined, ends = with_users(tables), span(tables)
    first, last = (set(joined.loc[joined["month"] == month, "user"]) for month in (ends.base, ends.last))
    months = joined.groupby("user")["month"].nunique()
    return float(len(first & last)), float(len(first | last)), float((months == 1).mean()) if len(months) else math.nan


def median_lengths(tables: RunTables) -> pd.Series:
    """Median length of the summaries by month, in characters."""
    return tables.sessions["summary"].str.len().groupby(tables.sessions["month"]).median().astype(float)


def length_correlation(tables: RunTables) -> float:
    """Correlation of log length and log value over matched sessions; NaN if either does not vary."""
    joined = with_users(tables)
    joined = joined[joined["matched"]]
    length, value = np.log(joined["summary"].str.len().to_numpy(float)), joined["log_value"].to_numpy(float)
    if len(joined) < 3 or np.ptp(length) == 0 or np.ptp(value) < 1e-12:
        return math.nan
    return float(np.corrcoef(length, value)[0, 1])


def length_effect(tables: RunTables) -> float:
    """Change of log value between the end months that a changed length alone would bring, in log points.

    The slope of log value on log length within months, times the change of mean log length of matched sessions; NaN
    where either cannot be had.
    """
    joined, ends = with_users(tables), span(tables)
    joined = joined[joined["matched"]]
    length = joined["summary"].str.len().astype(float).map(math.log)
    by_month = length.groupby(joined["month"])
    x = (length - by_month.transform("mean")).to_numpy(float)
    means = by_month.mean()
    if not {ends.base, ends.last} <= set(means.index) or float(x @ x) == 0:
        return math.nan
    y = joined["log_value"].to_numpy(float)
    return float(x @ y / (x @ x)) * float(means[ends.last] - means[ends.base])


def attributes(sessions: pd.DataFrame) -> list[str]:
    """Columns beside the named ones that hold 2 to 20 different texts or truth values."""
    found = []
    for column in sessions.columns.difference(list(CORE_SESSION_COLUMNS)):
        kind = sessions[column].dtype
        textual = pd.api.types.is_bool_dtype(kind) or not (
            pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)
        )
        if textual and 2 <= sessions[column].dropna().astype(str).nunique() <= constants.MIX_CATEGORIES:
            found.append(str(column))
    return sorted(found)


def mix_jumps(tables: RunTables) -> list[Jump]:
    """For each attribute, its largest jump between consecutive months that are complete and large enough."""
    partial = set(months_listed(tables, "partial"))
    least = setting(tables, "disclosure/min_sessions", constants.MIN_CELL_SESSIONS)
    sessions = tables.sessions[~tables.sessions["month"].isin(partial)]
    jumps = []
    for attribute in attributes(sessions):
        counts = pd.crosstab(sessions["month"], sessions[attribute].fillna("(missing)").astype(str)).astype(float)
        found = _largest_jump(attribute, counts[counts.sum(axis=1) >= least])
        if found is not None:
            jumps.append(found)
    return jumps


def _largest_jump(attribute: str, counts: pd.DataFrame) -> Jump | None:
    """Return the largest total variation distance between consecutive rows that chance does not explain."""
    sizes = counts.sum(axis=1).to_numpy()
    shares = counts.to_numpy() / sizes[:, None]
    best: Jump | None = None
    for later in range(1, len(counts)):
        change = shares[later] - shares[later - 1]
        distance = float(np.abs(change).sum() / 2)
        pooled = (counts.to_numpy()[later] + counts.to_numpy()[later - 1]) / (sizes[later] + sizes[later - 1])
        spread = np.sqrt(pooled * (1 - pooled) * (1 / sizes[later] + 1 / sizes[later - 1]))
        chance = float(np.sqrt(2 / np.pi) * spread.sum() / 2)  # mean of |N(0, s)| is s·sqrt(2/pi)
        if distance < constants.MIX_NOISE * chance or (best is not None and distance <= best.distance):
            continue
        moved = int(np.argmax(np.abs(change)))
        months = counts.index
        best = Jump(
            attribute, str(months[later - 1]), str(months[later]), distance, str(counts.columns[moved]),
            float(shares[later - 1, moved]), float(shares[later, moved]),
        )  # fmt: skip
    return best


def hub_share(tables: RunTables) -> float:
    """Share of all matching weight that lies on the top 1 % of the basket's postings."""
    if tables.matches.empty:
        return math.nan
    weights = dict(zip(tables.values["session_id"], tables.values["weight"], strict=True))
    mass = tables.matches["weight"] * tables.matches["session_id"].map(weights)
    by_cluster = mass.groupby(tables.matches["cluster_id"]).sum().sort_values(ascending=False)
    clusters = lookup(tables.manifest, "basket/clusters")
    size = max(int(clusters) if isinstance(clusters, int) else 0, len(by_cluster))
    total = float(by_cluster.sum())
    return float(by_cluster.iloc[: max(1, round(size / 100))].sum()) / total if total > 0 else math.nan


def source_weights(tables: RunTables) -> pd.DataFrame:
    """Matching weight, number and mean log price of the matched clusters by source; one row a source.

    A cluster counts for the source of its posting in `matches`, the latest of its members.
    """
    if tables.matches.empty or tables.postings.empty:
        return pd.DataFrame({"weight": [], "postings": [], "log_price": []})
    weights = dict(zip(tables.values["session_id"], tables.values["weight"], strict=True))
    rows = tables.matches.assign(mass=tables.matches["weight"] * tables.matches["session_id"].map(weights))
    cluster = rows.groupby("posting_id").agg(mass=("mass", "sum"), log_price=("log_price", "min"))
    source = tables.postings.set_index("posting_id")["source"]
    named = cluster.assign(source=source.reindex(cluster.index).to_numpy()).dropna(subset=["source"])
    found: pd.DataFrame = named.groupby("source").agg(
        weight=("mass", "sum"), postings=("mass", "size"), log_price=("log_price", "mean")
    )
    return found


def shift(tables: RunTables) -> Shift | None:
    """How far the pricer's error on comparable postings moved from the base month to the last.

    The run's joint estimate if the manifest holds it; else the difference of the two monthly rows with the sum of
    their half-widths, which no dependence between the months can exceed.
    """
    joint = lookup(tables.manifest, "shift_check")
    numbers = [lookup(joint, name) for name in ("difference", "lower", "upper")]
    if all(isinstance(number, int | float) for number in numbers):
        difference, lower, upper = map(float, numbers)
        return Shift(difference, lower, upper, joint=True)
    ends, rows = span(tables), tables.shift_check.set_index("month")
    if ends.base == ends.last or not {ends.base, ends.last} <= set(rows.index):
        return None
    pair = rows.loc[[ends.base, ends.last], ["difference", "lower", "upper"]].to_numpy(float)
    difference = float(pair[1, 0] - pair[0, 0])
    half = float((pair[:, 2] - pair[:, 1]).sum() / 2)
    return Shift(difference, difference - half, difference + half, joint=False) if math.isfinite(half) else None


def sum_gaps(tables: RunTables) -> pd.Series:
    """Absolute gap between each matched session's summed contributions and its log value: one number written twice.

    Sessions that lost neighbours to a deletion are left out.
    """
    if tables.matches.empty:
        return pd.Series(dtype=float)
    total = tables.matches.groupby("session_id")["contribution"].sum()
    total = total[~total.index.isin(incomplete(tables))]
    raw = tables.values.set_index("session_id")["log_value_raw"]
    return (total - raw.reindex(total.index)).abs()


def incomplete(tables: RunTables) -> set[str]:
    """Sessions some of whose neighbours were deleted since the run, and some are left."""
    had = max((mark.neighbours for mark in tables.withdrawn), default=0)
    left = tables.matches.groupby("session_id").size()
    return {str(name) for name in left.index[left < had]}


def calibration(tables: RunTables) -> tuple[str, float] | None:
    """Return where the slope of y on v stands in the manifest, and its value."""
    for name in ("slope", "b"):
        found = lookup(tables.manifest, f"calibration/{name}")
        if isinstance(found, int | float):
            return f"calibration,{name}", float(found)
    return None


def band_widths(values: pd.DataFrame) -> Mapping[str, pd.Series]:
    """Multiplicative half-width of each matched session's two bands: 2 means from half to twice."""
    matched = values[values["matched"]]
    return {
        band: ((matched[f"{band}_upper"] / matched[f"{band}_lower"]) ** 0.5).dropna() for band in ("typical", "single")
    }
