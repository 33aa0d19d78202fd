"""The specification curve: growth under every defensible way to measure it.

Simonsohn, Simmons and Nelson (2020, "Specification curve analysis", Nature Human Behaviour 4): all specifications are
estimated and shown in the order of the estimate; the headline, fixed beforehand by the run's identity, is marked among
them; and the median over specifications is tested jointly, by permutations that are the same under every one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from valuation.core.draws import unit_key
from valuation.core.months import month_number
from valuation.core.permutation import central, permuted_months, two_sided_p
from valuation.errors import EnvironmentFault, ThinMatchError
from valuation.evidence.curve import Curve, JointTest, SensitivityResult, curve_table, kept_result, write_result
from valuation.evidence.specification_blocks import fit_block, open_room
from valuation.evidence.specification_growth import estimate, missing
from valuation.evidence.specification_store import block_path, digest, load, save
from valuation.evidence.specification_ways import Ends, make_frame
from valuation.evidence.specifications import ENDS, blocks, grid, headline
from valuation.pipeline.finished import read_run_table
from valuation.pipeline.model_store import basket_id
from valuation.pipeline.run import run
from valuation.storage import read_postings
from valuation.tables import Growth, SeriesTable

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.evidence.specification_blocks import Room
    from valuation.evidence.specification_growth import Estimate
    from valuation.evidence.specifications import Block, Specification
    from valuation.pipeline.run import SessionArrays
    from valuation.progress import Progress
    from valuation.storage import Layout

__all__ = ["SensitivityResult", "joint_test", "sensitivity"]

NO_RANGES = "no price of the basket is a range, so its low and high ends say nothing of their own"
CELLS_AT_ONCE = 8_000_000
"""Sessions × permutations drawn at a time: memory only."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What every block is made from."""

    layout: Layout
    settings: Settings
    folder: Path
    identity: dict[str, Any]
    ends: Ends
    postings: pd.DataFrame
    progress: Progress


def sensitivity(layout: Layout, settings: Settings, progress: Progress) -> SensitivityResult:
    """Estimate growth under every specification of ``[sensitivity]``, and show the run's own among them.

    The run is made if it is not there. Blocks that an earlier call finished are not made again; where nothing changed
    nothing is done. Writes ``sensitivity.parquet`` and ``specification-curve.svg`` beside the run, and its report.

    Raises
    ------
    InputError
        No sessions, or a damaged table.
    ThinMatchError
        The run has no growth, so that there is nothing to be sensitive.
    EnvironmentFault
        An encoder of the grid is not there: found out before the run is made.
    """
    encoders = _encoders(layout, settings)
    done = run(layout, settings, progress)
    grid_settings = settings.sensitivity.model_dump(mode="json", by_alias=True)
    identity = {"run": done.run_id, "grid": grid_settings, "encoders": encoders}
    kept = kept_result(done.folder, digest(identity))
    if kept is not None:
        return kept
    job = _Job(layout, settings, done.folder, identity, _ends(done.folder, settings), read_postings(layout), progress)
    own = headline(settings)
    room = _open(job, own.block)
    ranges = bool((room.half_range > 0).any())
    specifications = grid(settings, room.model.rows["source"].unique(), ranges=ranges)
    estimates = _all_blocks(job, specifications, room)
    in_order = [estimates[specification] for specification in specifications]
    curve = Curve(
        specifications=specifications,
        estimates=tuple(in_order),
        joint=joint_test(
            np.array([found.log_growth for found in in_order]),
            np.stack([found.permuted for found in in_order]),
            level=settings.series.level,
        ),
    )
    note = "" if ranges or not ENDS.keys() & set(settings.sensitivity.basket) else NO_RANGES
    return write_result(layout, done.folder, curve_table(curve), mark=digest(identity), note=note, progress=progress)


def joint_test(log_growth: NDArray[np.float64], permuted: NDArray[np.float64], *, level: float) -> JointTest:
    """Test the median over specifications by permutations that are the same under every one.

    Parameters
    ----------
    log_growth : ndarray, shape (n_specifications,)
        NaN where there is no figure; such a specification is left out of all medians.
    permuted : ndarray, shape (n_specifications, n_permutations)
        Log growth.
    level : float
        Central share of permuted medians that is shown, in (0, 1).
    """
    known, permutations = np.isfinite(log_growth), permuted.shape[1]
    if not known.any() or permutations == 0:
        return JointTest(float("nan"), float("nan"), float("nan"), permutations)
    medians = np.median(permuted[known], axis=0)
    lower, upper = (float(np.expm1(end)) for end in central(medians, level=level))
    return JointTest(two_sided_p(float(np.median(log_growth[known])), medians), lower, upper, permutations)


def _encoders(layout: Layout, settings: Settings) -> dict[str, str]:
    """Return the basket that each encoder of the grid gives: with the run and the grid, all that moves a figure."""
    own, found = settings.encoder.name, {}
    for name in sorted({own, *(own if name == "same" else name for name in settings.sensitivity.encoder)}):
        try:
            found[name] = basket_id(layout, _with_encoder(settings, name))
        except EnvironmentFault as error:
            if name == own:
                raise
            raise EnvironmentFault(f"in sensitivity.encoder, as {error}") from error
    return found


def _with_encoder(settings: Settings, name: str) -> Settings:
    return settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"name": name})})


def _most(settings: Settings) -> int:
    return max(settings.matching.k, *settings.sensitivity.k)


def _ends(folder: Path, settings: Settings) -> Ends:
    """Find the months that the headline compares, and what a specification needs in them.

    A month needs the disclosure's sessions and users, or as many as the headline has there, if it has fewer.
    """
    growth, series = read_run_table(folder, "growth", Growth), read_run_table(folder, "series", SeriesTable)
    own = {"group_by": "", "statistic": "mean_log", "pricer": settings.pricing.pricer}
    rows = growth[(growth[list(own)] == list(own.values())).all(axis=1) & (growth["variation"] == "both")]
    if rows.empty:
        raise ThinMatchError(
            "no growth whose sensitivity could be shown: the run has fewer than two complete months with enough "
            "sessions and users; import more, or lower disclosure.min_sessions and disclosure.min_users"
        )
    months = (str(rows["from_month"].iloc[0]), str(rows["to_month"].iloc[0]))
    behind = series[(series[list(own)] == list(own.values())).all(axis=1)].set_index("month").loc[list(months)]
    number = month_number(months)

    def needed(column: str, least: int) -> tuple[int, int]:
        first, last = (min(int(there), least) for there in behind[column])
        return first, last

    return Ends(
        months=months,
        apart=float(number[1] - number[0]),
        sessions=needed("n_matched", settings.disclosure.min_sessions),
        users=needed("n_users", settings.disclosure.min_users),
    )


def _all_blocks(job: _Job, specifications: tuple[Specification, ...], own: Room) -> dict[Specification, Estimate]:
    """Estimate block by block, the finished ones read back; a room is opened for its first unfinished block."""
    permuted = _permuted(own.sessions, job.ends, job.settings)
    plan = blocks(specifications)
    opened = {_room(headline(job.settings).block): own}
    found: dict[Specification, Estimate] = {}
    for number, (block, members) in enumerate(plan.items(), start=1):
        path = block_path(job.folder, members, job.identity["run"], _moving(job, block))
        estimates = load(path, len(members))
        if estimates is None:
            if _room(block) not in opened:
                opened.clear()  # one room at a time: memory
                opened[_room(block)] = _open(job, block)
            job.progress.stage(f"specifications, block {number} of {len(plan)}: {block.title}")
            with threadpool_limits(1, user_api="blas"):  # many small products: threads that wait for each other
                estimates = _block(job, block, members, opened[_room(block)], permuted)
            save(path, estimates)
        job.progress.advance(number, len(plan))
        found |= zip(members, estimates, strict=True)
    return found


def _open(job: _Job, block: Block) -> Room:
    """Open the room of a block."""
    with threadpool_limits(1, user_api="blas"):
        return open_room(job.layout, job.settings, block, _most(job.settings), job.postings, job.progress)


def _room(block: Block) -> tuple[str, str]:
    """Which room a block is in."""
    return block.encoder, block.register_mode


def _moving(job: _Job, block: Block) -> list[Any]:
    """What moves the figures of a block beside the run and its own specifications."""
    grid_settings = job.settings.sensitivity
    return [job.identity["encoders"][block.encoder], grid_settings.seed, grid_settings.permutations]


def _block(
    job: _Job, block: Block, members: tuple[Specification, ...], room: Room, permuted: NDArray[np.int8]
) -> list[Estimate]:
    """Estimate one block; postings too few to price anything are a reason, not a fault."""
    try:
        fitted = fit_block(room, job.postings, block, job.settings)
    except ThinMatchError as error:
        return [missing(str(error), 0, len(permuted)) for _ in members]
    return estimate(make_frame(fitted, room.sessions, job.ends, permuted, job.settings), members)


def _permuted(sessions: SessionArrays, ends: Ends, settings: Settings) -> NDArray[np.int8]:
    """Months permuted between users: 0 (base), 1 (last) or -1, shape (n_permutations, n_sessions)."""
    month = sessions.frame["month"].map({name: code for code, name in enumerate(ends.months)}).fillna(-1)
    codes = np.asarray(month.to_numpy(), dtype=np.int64)
    permutations = settings.sensitivity.permutations
    session_key = unit_key(sessions.frame["session_id"].tolist())
    out = np.empty((permutations, codes.size), dtype=np.int8)
    step = max(1, CELLS_AT_ONCE // codes.size)
    for first in range(0, permutations, step):
        count = min(step, permutations - first)
        out[first : first + count] = permuted_months(
            codes, sessions.users.code, user_key=sessions.users.key, session_key=session_key,
            seed=settings.sensitivity.seed, first=first, count=count,
        )  # fmt: skip
    return out
