"""What ``valuation explain`` prints for a person: every sum with its terms, at nine decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from valuation.pipeline.plain import plain

if TYPE_CHECKING:
    import pandas as pd

    from valuation.pipeline.explained_bands import BandEnd, SingleParts, TypicalParts
    from valuation.pipeline.explained_values import OtherValue

NAMES = {"neighbours": "plain neighbours", "hedonic": "hedonic regression"}


def neighbour_lines(matches: pd.DataFrame, pricer: str) -> list[str]:
    """The table of neighbours: every term of the sum, and the errors and units that the typical band is made of."""
    head = {"matching": "log price + m(session) - m(posting) = term", "neighbours": "log price = term"}[pricer]
    known = bool(matches["error"].notna().any())
    more = "      error    unit" if known else ""
    lines = [f"rank  similarity    weight  price USD  {head}  x weight{more}  posting"]
    for row in matches.to_dict(orient="records"):
        weight, contribution = float(row["weight"]), float(row["contribution"])
        term = contribution / weight if weight else float("nan")
        parts = f"{row['log_price']:10.6f} + {row['log_session_hedonic']:9.6f} - {row['log_price_hedonic']:9.6f} = "
        error = ""
        if known:
            lacks = row["error"] is None or np.isnan(row["error"])
            error = f"{'?':>10} {'?':>7}  " if lacks else f"{row['error']:10.6f} {int(row['unit']):7d}  "
        lines.append(
            f"{row['rank']:4d}  {row['similarity']:10.6f}  {weight:8.6f} {row['price_usd']:10,.2f} "
            f"{parts if pricer == 'matching' else ''}{term:9.6f} {contribution:9.6f}  {error}"
            f"{plain(row['posting_id'], 24)} {plain(row['title'], 40)}"
        )
    return lines


def value_lines(
    value: pd.Series, line: tuple[float, float] | None, total: float | None, lost: tuple[int, int]
) -> list[str]:
    """The sum and its correction.

    Parameters
    ----------
    value : Series
        The session's row of `values`.
    line : (intercept, slope) or None
        The calibration line; None where none is applied.
    total : float or None
        Sum of the contributions listed; None where neighbours play no part.
    lost : (int, int)
        Neighbours deleted since, of how many.
    """
    raw = float(value["log_value_raw"])
    if total is None:
        lines = [
            "the hedonic regression prices this session: its neighbours play no part in the value, and are not listed",
            f"m(session)                {raw:.9f} = log_value_raw",
        ]
    elif lost[0]:
        lines = [
            f"{lost[0]} of its {lost[1]} neighbours were deleted: the sum cannot be redone",
            f"sum of those left         {total:.9f}; log_value_raw was {raw:.9f}",
        ]
    else:
        lines = [f"sum of contributions      {total:.9f} = log_value_raw {raw:.9f}"]
        raw = total
    if line is not None:
        lines.append(f"calibrated                {line[0]:.9f} + {line[1]:.9f} x {raw:.9f} = {value['log_value']:.9f}")
    return [*lines, f"value                     exp({value['log_value']:.9f}) = {value['value_usd']:,.2f} USD"]


def other_lines(others: tuple[OtherValue, ...], *, calibrated: bool) -> list[str]:
    """The values by the other pricers."""
    what = {"neighbours": "sum of weight x log price", "hedonic": "m(session)"}
    lines = ["by the other pricers"]
    for one in others:
        moved = ""
        if calibrated:
            moved = f"; {one.intercept:.9f} + {one.slope:.9f} x {one.log_value_raw:.9f} = {one.log_value:.9f}"
        lines += [
            f"  {NAMES[one.pricer]:<23} {what[one.pricer]} = {one.log_value_raw:.9f}{moved}; "
            f"exp = {one.value_usd:,.2f} USD",
            *_disagreement("value", agrees=one.agrees),
        ]
    return lines


def bare_lines(value: pd.Series, level: float, *, single_only: bool) -> list[str]:
    """The figures of which no parts are known."""
    single = f"single-posting band, {level:.0%} {value['single_lower']:,.2f} to {value['single_upper']:,.2f} USD"
    if single_only:
        return [single]
    return [
        *(f"  {NAMES[name]:<23} {value[f'value_{name}']:,.2f} USD" for name in NAMES),
        f"typical band, {level:.0%}        {value['typical_lower']:,.2f} to {value['typical_upper']:,.2f} USD",
        single,
    ]


def typical_lines(parts: TypicalParts, value: pd.Series) -> list[str]:
    """The typical band for a person."""
    total = parts.variance_neighbours + parts.variance_covariance + parts.variance_hedonic
    slope = "" if parts.slope == 1 else f"slope {abs(parts.slope):.9f} x "
    freedom = "a million degrees of freedom, as good as normal: no neighbour has a part in the value"
    if parts.degrees_of_freedom < 1e6:  # noqa: PLR2004 - stands for no limit
        freedom = (
            f"max({value['effective_neighbours']:.6f} effective neighbours - 1, 3) = {parts.degrees_of_freedom:.6f} "
            "degrees of freedom"
        )
    return [
        f"typical band, {parts.level:.0%}: sampling error of the value",
        f"  {'variance, uncalibrated' if slope else 'variance':<23} neighbours {parts.variance_neighbours:.9f} + "
        f"covariance {parts.variance_covariance:.9f} + regression {parts.variance_hedonic:.9f} = {total:.9f}",
        f"  standard error          {slope}sqrt({total:.9f}) = {parts.standard_error:.9f}",
        f"  Student's t             {parts.quantile:.9f}: the {(1 + parts.level) / 2:.4g} quantile with {freedom}",
        f"  half-width              {parts.quantile:.9f} x {parts.standard_error:.9f} = {parts.half_width:.9f}",
        f"  lower end               {value['log_value']:.9f} - {parts.half_width:.9f} = {parts.lower:.9f}; "
        f"exp = {value['typical_lower']:,.2f} USD",
        f"  upper end               {value['log_value']:.9f} + {parts.half_width:.9f} = {parts.upper:.9f}; "
        f"exp = {value['typical_upper']:,.2f} USD",
        *_disagreement("band", agrees=parts.agrees),
    ]


def single_lines(parts: SingleParts, value: pd.Series, *, calibrated: bool) -> list[str]:
    """The single-posting band for a person."""
    lines = [
        f"single-posting band, {parts.level:.0%}: where the price of one such posting would lie",
        f"  category                value {_stretch(parts.value_from, parts.value_to, usd=True)} USD (fifth "
        f"{parts.value_fifth}), nearest similarity {_stretch(parts.similarity_from, parts.similarity_to, usd=False)} "
        f"(third {parts.similarity_third}): category {parts.category}, {parts.n_scores:,} postings",
        f"  sigma of this text      {parts.scale:.9f}",
        "  value without fold      " + ", ".join(f"{one.fold}: {one.log_value_raw:.9f}" for one in parts.left_out),
    ]
    if calibrated:
        lines.append(
            "  the same, calibrated    " + ", ".join(f"{one.fold}: {one.log_value:.9f}" for one in parts.left_out)
        )
    if parts.lower is None or parts.upper is None:
        return [*lines, f"  no band: {parts.n_scores:,} postings are too few for ends at this level"]
    for name, end in (("lower", parts.lower), ("upper", parts.upper)):
        lines.append(
            f"  {name} end               {end.left_out:.9f} (without fold {end.fold}) + {end.score:.9f} x "
            f"{parts.scale:.9f} = {end.log_end:.9f}; exp = {value[f'single_{name}']:,.2f} USD"
        )
        lines.append(f"    set by                rank {end.rank:,} of {parts.n_scores:,}: {_posting(end)}")
    return [*lines, *_disagreement("band", agrees=parts.agrees)]


def _posting(end: BandEnd) -> str:
    """A posting's name in one line; its text is untrusted."""
    return f"{plain(end.posting_id, 24)} {plain(end.title, 40)}".rstrip()


def _stretch(low: float | None, high: float | None, *, usd: bool) -> str:
    """A stretch between two limits in words; limits of values are logs."""
    below, above = (None if x is None else f"{np.exp(x):,.2f}" if usd else f"{x:.6f}" for x in (low, high))
    if below is None or above is None:
        return f"under {above}" if below is None else f"from {below} on"
    return f"from {below} to under {above}"


def _disagreement(what: str, *, agrees: bool) -> list[str]:
    return (
        [] if agrees else [f"  these parts do not give the run's {what} to 1e-9: delete the run, then: valuation run"]
    )
