"""Strata of a design by name, and how far they are as fine as they could be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.core.audit_design import HALVES, OTHER, THIRDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from valuation.core.audit_design import AuditDesign

POOLED = "other kinds"


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum.

    Attributes
    ----------
    stratum : int
        As in the tables.
    label, month : str
    kind : str or None
        None for the unmatched and for pooled kinds.
    third, half : int or None
        1, 2, … of the predicted value and of the similarity, from the low end; None where not cut.
    unmatched : bool
    sessions, audits : int
    inclusion_probability : float
    """

    stratum: int
    label: str
    month: str
    kind: str | None
    third: int | None
    half: int | None
    unmatched: bool
    sessions: int
    audits: int
    inclusion_probability: float


def strata_of(design: AuditDesign, months: Sequence[str], kind_names: Sequence[str]) -> tuple[Stratum, ...]:
    """Name a design's strata."""
    return tuple(_stratum(design, at, months, kind_names) for at in range(design.size.size))


def _stratum(design: AuditDesign, at: int, months: Sequence[str], kind_names: Sequence[str]) -> Stratum:
    month, unmatched = months[int(design.month[at])], bool(design.unmatched[at])
    code = int(design.kind[at])
    kind = None if unmatched or code == OTHER else kind_names[code]
    third, half = (
        None if unmatched or int(cut[at]) == OTHER else int(cut[at]) + 1 for cut in (design.third, design.half)
    )
    parts = [month, "unmatched" if unmatched else POOLED if kind is None else kind]
    parts += [f"value {third} of {THIRDS}"] if third is not None else []
    parts += [f"similarity {half} of {HALVES}"] if half is not None else []
    size, audits = int(design.size[at]), int(design.audits[at])
    label = ", ".join(part for part in parts if part)
    return Stratum(at, label, month, kind, third, half, unmatched, size, audits, audits / size)


def coarsened(strata: Sequence[Stratum], sessions: pd.DataFrame, kind_by: str) -> tuple[str, ...]:
    """Say for each month how far its strata fall short of kind × thirds × halves.

    Parameters
    ----------
    sessions : DataFrame
        Of a `Population`.
    """
    lines = []
    for month in dict.fromkeys(one.month for one in strata):
        mine = [one for one in strata if one.month == month and not one.unmatched]
        matched = sessions[(sessions["month"] == month) & sessions["matched"]]
        kept = {one.kind for one in mine if one.kind is not None}
        pooled = sorted(set(matched["kind"]) - kept)
        said = []
        if kind_by and pooled:
            named = ", ".join(pooled[:5]) + (", …" if len(pooled) > 5 else "")
            said.append(f"{len(pooled)} rare kinds are one ({named})")
        groups = {one.kind: one for one in mine}
        uncut = sum(one.third is None for one in groups.values())
        unhalved = sum(one.third is not None and one.half is None for one in groups.values())
        what = "kinds" if kind_by else "groups"
        said += [f"{uncut} of {len(groups)} {what} are not cut by value"] if uncut else []
        said += [f"{unhalved} of {len(groups)} {what} are cut by value, but not by similarity"] if unhalved else []
        if said:
            lines.append(f"{month}: " + "; ".join(said))
    return tuple(lines)
