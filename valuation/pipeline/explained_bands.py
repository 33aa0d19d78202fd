"""What a session's two bands are made of, redone from a run's stored parts and compared with what the run says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from valuation.core.bands import Scores, categories, end_ranks, typical_freedom
from valuation.core.calibration import apply
from valuation.pipeline.explained_values import AGREES, line_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

PARTS = ("neighbours", "covariance", "hedonic")
"""Of the variance."""


@dataclass(frozen=True, slots=True)
class TypicalParts:
    """The typical band: ``log_value ± quantile × standard_error``.

    Attributes
    ----------
    level : float
        In (0, 1).
    variance_neighbours, variance_covariance, variance_hedonic : float
        They sum to the variance of the value before calibration (`valuation.core.bands.Variance`).
    slope : float
        Of the calibration line; 1 where none is applied.
    standard_error : float
        ``|slope| √(sum of the three)``, log points.
    degrees_of_freedom, quantile, half_width : float
        ``max(k_eff − 1, 3)``, Student's quantile at ``(1 + level)/2``, and ``quantile × standard_error``.
    lower, upper : float
        Log USD.
    agrees : bool
        Both ends are those of the run to 1e-9.
    """

    level: float
    variance_neighbours: float
    variance_covariance: float
    variance_hedonic: float
    slope: float
    standard_error: float
    degrees_of_freedom: float
    quantile: float
    half_width: float
    lower: float
    upper: float
    agrees: bool


@dataclass(frozen=True, slots=True)
class BandEnd:
    """One end of the single-posting band: ``log_end = left_out + score × scale``.

    Attributes
    ----------
    rank : int
        From 1, among the category's postings by rising ``left_out + score × scale``.
    posting_id, title : str or None
        The posting at that rank.
    fold : int
        Its fold.
    left_out : float
        The session's value without that fold, after calibration, log USD.
    score : float
        The posting's ``R``.
    log_end : float
    """

    rank: int
    posting_id: str
    title: str | None
    fold: int
    left_out: float
    score: float
    log_end: float


@dataclass(frozen=True, slots=True)
class FoldValue:
    """The session's value without one fold, before and after calibration, log USD."""

    fold: int
    log_value_raw: float
    log_value: float


@dataclass(frozen=True, slots=True)
class SingleParts:
    """The single-posting band.

    Attributes
    ----------
    level : float
    value_fifth, similarity_third : int
        From 1: where the session's value and nearest similarity lie.
    value_from, value_to, similarity_from, similarity_to : float or None
        Limits of that cell: log USD and similarity; None = none.
    category, n_scores : int
        The category that the cell was merged into, and its postings.
    scale : float
        ``σ_i``, log points.
    left_out : tuple of FoldValue
    lower, upper : BandEnd or None
        None where the category has too few postings for an end at this level.
    agrees : bool
        Both ends are those of the run to 1e-9.
    """

    level: float
    value_fifth: int
    similarity_third: int
    value_from: float | None
    value_to: float | None
    similarity_from: float | None
    similarity_to: float | None
    category: int
    n_scores: int
    scale: float
    left_out: tuple[FoldValue, ...]
    lower: BandEnd | None
    upper: BandEnd | None
    agrees: bool


def typical_parts(value: pd.Series, working: pd.Series, manifest: dict[str, Any]) -> TypicalParts:
    """Redo the typical band of a matched session.

    Parameters
    ----------
    value, working : Series
        The session's rows of `values` and `workings`.
    """
    settings = manifest["settings"]
    pricer, level = settings["pricing"]["pricer"], float(settings["bands"]["level"])
    slope = line_of(manifest, pricer).slope
    neighbours, covariance, hedonic = (float(working[f"variance_{name}"]) for name in PARTS)
    error = abs(slope) * float(np.sqrt(max(neighbours + covariance + hedonic, 0.0)))
    effective = np.nan if pricer == "hedonic" else float(value["effective_neighbours"])
    freedom = float(typical_freedom(np.array([effective]))[0])
    quantile = float(stdtrit(freedom, (1 + level) / 2))
    half, centre = quantile * error, float(value["log_value"])
    return TypicalParts(
        level=level,
        variance_neighbours=neighbours,
        variance_covariance=covariance,
        variance_hedonic=hedonic,
        slope=slope,
        standard_error=error,
        degrees_of_freedom=freedom,
        quantile=quantile,
        half_width=half,
        lower=centre - half,
        upper=centre + half,
        agrees=_agree((centre - half, centre + half), value, "typical"),
    )


def single_parts(
    value: pd.Series, working: pd.Series, left_out: pd.DataFrame, errors: pd.DataFrame, manifest: dict[str, Any]
) -> SingleParts:
    """Redo the single-posting band of a matched session.

    Parameters
    ----------
    value, working : Series
        The session's rows of `values` and `workings`.
    left_out : DataFrame
        Its rows of `left_out`, by fold.
    errors : DataFrame
        The basket's `PostingErrors` with a column `title`.
    """
    settings, scores = manifest["settings"], _scores(errors, manifest["single_posting_categories"])
    level, scale = float(settings["bands"]["level"]), float(working["scale"])
    log_value, nearest = float(value["log_value"]), float(value["similarity_max"])
    category = int(categories(scores, np.array([log_value]), np.array([nearest]))[0])
    raw = left_out["log_value"].to_numpy(dtype=np.float64)
    moved = apply(line_of(manifest, settings["pricing"]["pricer"]), raw)
    members = np.flatnonzero(scores.category == category)
    lower, upper = _ends(errors, members, moved, scale, level)
    fifth = int(np.searchsorted(scores.value_cut, log_value, side="right"))
    third = int((nearest >= scores.similarity_cut[fifth]).sum())
    value_from, value_to = _between(scores.value_cut.tolist(), fifth)
    similarity_from, similarity_to = _between(scores.similarity_cut[fifth].tolist(), third)
    return SingleParts(
        level=level,
        value_fifth=fifth + 1,
        similarity_third=third + 1,
        value_from=value_from,
        value_to=value_to,
        similarity_from=similarity_from,
        similarity_to=similarity_to,
        category=category,
        n_scores=len(members),
        scale=scale,
        left_out=tuple(FoldValue(f, float(a), float(b)) for f, (a, b) in enumerate(zip(raw, moved, strict=True))),
        lower=lower,
        upper=upper,
        agrees=_agree(tuple(np.nan if one is None else one.log_end for one in (lower, upper)), value, "single"),
    )


def _scores(errors: pd.DataFrame, cuts: dict[str, Any]) -> Scores:
    """The basket's scores with the manifest's categories."""
    return Scores(
        score=errors["score"].to_numpy(),
        fold=errors["fold"].to_numpy(),
        category=errors["category"].to_numpy(),
        value_cut=np.array(cuts["value_cut"]),
        similarity_cut=np.array(cuts["similarity_cut"]),
        merged=np.array(cuts["category"]),
    )


def _ends(
    errors: pd.DataFrame, members: NDArray[np.int64], left_out: NDArray[np.float64], scale: float, level: float
) -> tuple[BandEnd | None, BandEnd | None]:
    """Both ends among the postings of a category (rows `members`); None where they are too few for the level.

    Parameters
    ----------
    left_out : ndarray, shape (n_folds,)
        The session's value without each fold, after calibration.
    """
    mine = errors.iloc[members]
    fold, score = mine["fold"].to_numpy(), mine["score"].to_numpy()
    points = left_out[fold] + score * scale
    order = np.argsort(points, kind="stable")
    first, last = end_ranks(len(members), level=level)
    if first < 1 or last > len(members):
        return None, None

    def end(rank: int) -> BandEnd:
        at = int(order[rank - 1])
        title = mine["title"].iloc[at]
        return BandEnd(
            rank=rank,
            posting_id=str(mine["posting_id"].iloc[at]),
            title=title if isinstance(title, str) else None,
            fold=int(fold[at]),
            left_out=float(left_out[fold[at]]),
            score=float(score[at]),
            log_end=float(points[at]),
        )

    return end(first), end(last)


def _between(cuts: list[float], place: int) -> tuple[float | None, float | None]:
    """Limits of the `place`-th stretch that the cuts make; None where it has no limit."""
    return (cuts[place - 1] if place else None), (cuts[place] if place < len(cuts) else None)


def _agree(ends: tuple[float, ...], value: pd.Series, band: str) -> bool:
    """Whether redone ends are the stored ones; both missing is agreement."""
    stored = np.log([float(value[f"{band}_lower"]), float(value[f"{band}_upper"])])
    return bool(np.allclose(ends, stored, rtol=0.0, atol=AGREES, equal_nan=True))
