"""``valuation audit draw``: a random sample of a run's sessions with known probabilities, and what it will buy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from valuation.audit.drawn import DrawResult, MonthDrawn
from valuation.audit.opening import AUDIT_ID, CARD, FRAME, SAMPLE, audit_ids, read_card, settings_hash
from valuation.audit.plan import expected_widths, month_codes
from valuation.audit.population import Population, population
from valuation.audit.strata import Stratum, coarsened, strata_of
from valuation.core.audit_design import draw_audit
from valuation.core.draws import exponentials, unit_key
from valuation.errors import ConfigError, InputError
from valuation.pipeline.finished import read_manifest
from valuation.tables import AuditFrame, AuditSample, typed, write_table, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.core.audit_design import AuditDesign
    from valuation.storage import Layout

DESIGN_VERSION = 1
"""Raise it when the same run and settings would give another sample."""
PLACES, SECOND_REVIEWS = 24, 25
"""Streams of draws (`valuation.core.draws`): the order of work, and who is judged twice."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A design with everything that will be written."""

    audit_id: str
    design_id: str
    people: Population
    design: AuditDesign
    sample: pd.DataFrame
    strata: tuple[Stratum, ...]


def draw(
    layout: Layout,
    settings: Settings,
    folder: Path,
    *,
    months: Sequence[str] = (),
    per_month: int | None = None,
    name: str | None = None,
    double_share: float | None = None,
    dry_run: bool = False,
) -> DrawResult:
    """Draw an audit of the run in `folder`, and write it unless it is there or `dry_run`.

    Parameters
    ----------
    months : sequence of str
        Months to audit; by default those that the run's growth is between.
    per_month : int, optional
        Sessions a month; by default ``audit.per_month``. A month with fewer is taken whole.
    name : str, optional
        Of the audit; by default 12 hex digits of its design.
    double_share : float, optional
        Share of the sample that two analysts judge; by default ``audit.double_share``.

    Raises
    ------
    ConfigError
        A name, number or column that cannot be.
    InputError
        Another draw of this name, a month without sessions, or a damaged run.
    """
    per_month = settings.audit.per_month if per_month is None else per_month
    share = settings.audit.double_share if double_share is None else double_share
    _check(per_month, share, name)
    manifest = read_manifest(folder)
    people = population(layout, settings, folder, manifest, months)
    drawn = _design(people, settings, manifest, per_month=per_month, double_share=share, name=name)
    result = _result(layout, folder, manifest, settings, drawn, share, dry_run=dry_run)
    if _is_there(layout, drawn, result):
        return replace(result, unchanged=True)
    if not dry_run:
        _write(result, drawn, number=len(audit_ids(layout)) + 1)
    return result


def _check(per_month: int, double_share: float, name: str | None) -> None:
    if per_month < 4:
        raise ConfigError(
            f"--per-month {per_month}: expected at least 4 sessions a month: 2 of the matched and 2 of the unmatched"
        )
    if not 0 <= double_share <= 1:
        raise ConfigError(f"--double {double_share:g}: expected a share from 0 to 1 of the sample")
    if name is not None and not AUDIT_ID.fullmatch(name):
        raise ConfigError(f"--name {name[:80]!a}: expected 1 to 60 letters, digits and dashes, the first no dash")


def _design(
    people: Population,
    settings: Settings,
    manifest: dict[str, Any],
    *,
    per_month: int,
    double_share: float,
    name: str | None,
) -> _Drawn:
    """Draw the sample: nothing in it depends on the order of rows."""
    sessions, seed = people.sessions, settings.audit.seed
    key = unit_key(sessions["session_id"].tolist())
    kind_names, kind = np.unique(sessions["kind"].to_numpy(dtype=str), return_inverse=True)
    design = draw_audit(
        key,
        month_codes(people),
        kind.ravel().astype(np.int64),
        sessions["log_value"].to_numpy(dtype=np.float64),
        sessions["similarity_max"].to_numpy(dtype=np.float64),
        audits=np.full(len(people.months), per_month, dtype=np.int64),
        seed=seed,
    )
    what = {
        "version": DESIGN_VERSION,
        "run_id": manifest["run_id"],
        "months": list(people.months),
        "per_month": per_month,
        "seed": seed,
        "stratify_by": people.kind_by,
        "double_share": double_share,
    }
    design_id = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
    strata = strata_of(design, people.months, [str(one) for one in kind_names])
    sample = _sample(people, design, key, seed=seed, double_share=double_share)
    return _Drawn(name or design_id, design_id, people, design, sample, strata)


def _sample(
    people: Population, design: AuditDesign, key: NDArray[np.uint64], *, seed: int, double_share: float
) -> pd.DataFrame:
    """The drawn sessions in a random order, a random share of them to be judged twice."""
    rows = np.flatnonzero(design.chosen)
    second = _random_rank(key[rows], seed, SECOND_REVIEWS) < round(double_share * rows.size)
    table = typed(
        {
            "session_id": people.sessions["session_id"].to_numpy()[rows],
            "month": people.sessions["month"].to_numpy()[rows],
            "stratum": design.stratum[rows],
            "inclusion_probability": design.inclusion[rows],
            "place": _random_rank(key[rows], seed, PLACES) + 1,
            "reviews": np.where(second, 2, 1),
        },
        AuditSample,
    )
    return table.sort_values("place", ignore_index=True)


def _random_rank(key: NDArray[np.uint64], seed: int, stream: int) -> NDArray[np.int64]:
    """Place of each key in a random order, from 0: a matter of (seed, stream, keys) alone."""
    draw = exponentials(key, seed=seed, stream=stream, first=0, count=1)[0]
    rank = np.empty(key.size, dtype=np.int64)
    rank[np.lexsort((key, draw))] = np.arange(key.size)
    return rank


def _is_there(layout: Layout, drawn: _Drawn, result: DrawResult) -> bool:
    """Whether this very draw is there under its name.

    Raises
    ------
    InputError
        Another draw has the name.
    """
    path = layout.audits / drawn.audit_id / CARD
    if not path.exists():
        return False
    card = read_card(path)
    if card["design_id"] == drawn.design_id:
        return True
    raise InputError(
        f"audit {drawn.audit_id} is there with another draw ({_differences(card, result)}); nothing was changed: "
        "choose another --name"
    )


def _differences(card: dict[str, Any], result: DrawResult) -> str:
    """What an audit that is there has, and what was asked for now."""
    drawn = {one.month: one.drawn for one in result.months}
    asked = {
        "run": (card["run_id"], result.run_id),
        "months": (", ".join(card["months"]), ", ".join(drawn)),
        "sessions drawn": (_sizes({month: one["drawn"] for month, one in card["sizes"].items()}), _sizes(drawn)),
        "seed": (card["seed"], result.seed),
        "strata by": (card["kind_by"] or "no column", result.kind_by or "no column"),
        "share judged twice": (card["double_share"], result.double_share),
    }
    found = [f"{name} {there}, now {now}" for name, (there, now) in asked.items() if there != now]
    return "; ".join(found) or "sizes asked for or version of the design"


def _sizes(drawn: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,}" for _, count in sorted(drawn.items()))


def _result(
    layout: Layout,
    folder: Path,
    manifest: dict[str, Any],
    settings: Settings,
    drawn: _Drawn,
    double_share: float,
    *,
    dry_run: bool,
) -> DrawResult:
    people, sessions = drawn.people, drawn.people.sessions
    months = []
    for month in people.months:
        here = (sessions["month"] == month).to_numpy()
        n_matched = int(sessions["matched"].to_numpy()[here].sum())
        months.append(MonthDrawn(month, int(here.sum()), n_matched, int(drawn.design.chosen[here].sum())))
    return DrawResult(
        audit_id=drawn.audit_id,
        run_id=str(manifest["run_id"]),
        settings_hash=settings_hash(manifest),
        folder=layout.audits / drawn.audit_id,
        unchanged=False,
        dry_run=dry_run,
        months=tuple(months),
        kind_by=people.kind_by,
        seed=settings.audit.seed,
        double_share=double_share,
        reviews=int(drawn.sample["reviews"].sum()),
        strata=drawn.strata,
        coarsened=coarsened(drawn.strata, sessions, people.kind_by),
        expected=expected_widths(people, drawn.design, folder, manifest),
        level=float(manifest["settings"]["series"]["level"]),
    )


def _write(result: DrawResult, drawn: _Drawn, *, number: int) -> None:
    """Write the frame and the sample and, last, the card that makes them an audit."""
    sessions, design = drawn.people.sessions, drawn.design
    columns = {name: sessions[name] for name in ("session_id", "month", "user", "weight", "matched", "log_value")}
    frame = typed(
        {
            **columns,
            "stratum": design.stratum,
            "inclusion_probability": design.inclusion,
            "sampled": design.chosen,
        },
        AuditFrame,
    )
    write_table(frame, result.folder / FRAME, AuditFrame)
    write_table(drawn.sample, result.folder / SAMPLE, AuditSample)
    said = asdict(result)
    for key in ("folder", "unchanged", "dry_run", "months"):
        del said[key]
    card = {
        **said,
        "design_id": drawn.design_id,
        "number": number,
        "months": list(drawn.people.months),
        "sizes": {one.month: {"sessions": one.sessions, "drawn": one.drawn} for one in result.months},
        "sha256": {name: _sha256(result.folder / name) for name in (SAMPLE, FRAME)},
    }
    write_text(result.folder / CARD, json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
