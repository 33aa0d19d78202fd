"""A session's values by the pricers that are not the headline, redone on their calibration lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.core.calibration import IDENTITY, Calibration, apply

if TYPE_CHECKING:
    import pandas as pd

AGREES = 1e-9
"""Log points within which a redone figure must meet the stored one."""


@dataclass(frozen=True, slots=True)
class OtherValue:
    """A session's value by a pricer that is not the headline: ``exp(intercept + slope × log_value_raw)``.

    Attributes
    ----------
    pricer : str
    log_value_raw : float
        Before calibration, log USD.
    intercept, slope : float
        The pricer's own calibration line; 0 and 1 where none is applied.
    log_value : float
        Log USD.
    value_usd : float
        As the run says.
    agrees : bool
        They are the same to 1e-9.
    """

    pricer: str
    log_value_raw: float
    intercept: float
    slope: float
    log_value: float
    value_usd: float
    agrees: bool


def other_value(value: pd.Series, working: pd.Series, pricer: str, manifest: dict[str, Any]) -> OtherValue:
    """Redo a matched session's value by the pricer ``neighbours`` or ``hedonic``."""
    line, raw = line_of(manifest, pricer), float(working[f"log_{pricer}"])
    moved, stored = float(apply(line, np.array(raw))), float(value[f"value_{pricer}"])
    agrees = bool(abs(moved - np.log(stored)) < AGREES)
    return OtherValue(pricer, raw, line.intercept, line.slope, moved, stored, agrees)


def line_of(manifest: dict[str, Any], pricer: str) -> Calibration:
    """The line that the run put a pricer's values on; the identity where it did not."""
    stored = manifest["calibration"]
    if not stored["applied"]:
        return IDENTITY
    line = stored.get("lines", {}).get(pricer, stored)
    return Calibration(intercept=line["intercept"], slope=line["slope"])
