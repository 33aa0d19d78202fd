"""``valuation explain``: one session's neighbours, weights, prices and bands, so that all can be redone by hand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.errors import InputError
from valuation.pipeline import explained_text as say
from valuation.pipeline.explained_parts import Parts, open_parts, with_errors
from valuation.pipeline.explained_rows import WholeTables
from valuation.pipeline.explained_values import line_of
from valuation.pipeline.plain import plain
from valuation.tables import Matches, Values
from valuation.tables.withdrawn import read_withdrawn, withdrawn_line

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.pipeline.explained_rows import Rows
    from valuation.storage import Layout

CAVEAT = "a relative, coarse measure: the price at which comparable work is posted; never a wage or a saving"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One session's value and what it is made of.

    Attributes
    ----------
    run_id, session_id, summary : str
    value : Series
        The session's row of `values`.
    matches : DataFrame
        Its rows of `matches`, with the postings' titles, units, folds and errors.
    manifest : dict
        The run's manifest.
    withdrawn : str
        Which postings of the run were deleted since, in one line; ``''`` if none.
    n_deleted : int
        How many of the session's own neighbours went with them.
    parts : Parts
        What bands, the other pricers' values and the verdict are made of.
    """

    run_id: str
    session_id: str
    summary: str
    value: pd.Series
    matches: pd.DataFrame
    manifest: dict[str, Any]
    withdrawn: str = ""
    n_deleted: int = 0
    parts: Parts = Parts()

    @property
    def pricer(self) -> str:
        """The headline pricer."""
        return str(self.manifest["settings"]["pricing"]["pricer"])

    def data(self) -> dict[str, Any]:
        """Plain data, numbers unrounded."""
        value = {key: None if _missing(item) else _plain(item) for key, item in self.value.to_dict().items()}
        matches = self.matches.astype(object).where(self.matches.notna(), None)
        if self.pricer == "hedonic":
            matches = matches.assign(contribution=None)
        shown = self.parts.nearest, self.parts.typical_band, self.parts.single_posting_band
        nearest, typical, single = (None if part is None else asdict(part) for part in shown)
        return {
            "run_id": self.run_id,
            "session_id": self.session_id,
            "summary": self.summary,
            "s_min": self.manifest.get("s_min"),
            "nearest": nearest,
            "calibration": self.manifest["calibration"],
            "pricer": self.pricer,
            "value": value,
            "matches": matches.to_dict(orient="records"),
            "other_pricers": [asdict(one) for one in self.parts.other_pricers],
            "typical_band": typical,
            "single_posting_band": single,
            "not_shown": list(self.parts.not_shown),
            "withdrawn": self.withdrawn or None,
            "n_deleted": self.n_deleted,
        }

    def text(self) -> str:
        """Lines for a person."""
        lines = [f"session {plain(self.session_id, 60)} of {self.value['month']}, run {self.run_id}"]
        lines += [f"  {plain(self.summary, 96)}", ""]
        if self.withdrawn:
            lines += [f"run {self.run_id}: {self.withdrawn}", ""]
        body = self._matched() if self.value["matched"] else self._unmatched()
        missing = [f"not shown: {one}" for one in self.parts.not_shown]
        return "\n".join([*lines, *body, *missing, *([CAVEAT] if self.value["matched"] else [])])

    def _unmatched(self) -> list[str]:
        """Why there is no value."""
        verdict = f"not matched: {self.value['reason']}; it has no value and is counted as such"
        return [verdict, *self._verdict("below")]

    def _verdict(self, beside: str) -> list[str]:
        """The similarity that decides, beside the threshold."""
        limit = self.manifest.get("s_min")
        near = f"nearest similarity        {self.value['similarity_max']:.6f}"
        lines = [near if limit is None else f"{near}, {beside} s_min = {limit:.9f}"]
        if self.parts.nearest is not None and self.parts.nearest.posting_id is not None:
            named = f"{plain(self.parts.nearest.posting_id, 24)} {plain(self.parts.nearest.title, 40)}"
            lines.append(f"nearest posting           {named}".rstrip())
        return lines

    def _matched(self) -> list[str]:
        """The arithmetic, from neighbours to bands."""
        value, stored, has = self.value, self.manifest["calibration"], self.pricer != "hedonic"
        line = line_of(self.manifest, self.pricer) if stored["applied"] else None
        level = float(self.manifest["settings"]["bands"]["level"])
        lines = [*say.neighbour_lines(self.matches, self.pricer), ""] if has and len(self.matches) else []
        lines += say.value_lines(
            value,
            None if line is None else (line.intercept, line.slope),
            float(self.matches["contribution"].sum()) if has else None,
            (self.n_deleted if has else 0, self.n_deleted + len(self.matches)),
        )
        if self.parts.typical_band is None:
            lines += say.bare_lines(value, level, single_only=False)
        else:
            lines += ["", *say.other_lines(self.parts.other_pricers, calibrated=line is not None)]
            lines += ["", *say.typical_lines(self.parts.typical_band, value), ""]
            lines += (
                say.bare_lines(value, level, single_only=True)
                if self.parts.single_posting_band is None
                else say.single_lines(self.parts.single_posting_band, value, calibrated=line is not None)
            )
            lines.append("")
        return [*lines, f"effective neighbours      {value['effective_neighbours']:.6f}", *self._verdict("at least")]


def _missing(item: object) -> bool:
    return item is None or (isinstance(item, float) and np.isnan(item))


def _plain(item: object) -> object:
    return item.item() if isinstance(item, np.generic) else item


def explain(layout: Layout, folder: Path, manifest: dict[str, Any], session_id: str) -> Explanation:
    """Collect one session's arithmetic from a run.

    Raises
    ------
    InputError
        The run has no such session, or its values or matches are damaged.
    """
    return explain_rows(WholeTables(layout, folder, manifest), folder, manifest, session_id)


def explain_rows(rows: Rows, folder: Path, manifest: dict[str, Any], session_id: str) -> Explanation:
    """Collect one session's arithmetic from a run's rows, as `explain` does."""
    mine = rows.of("values", Values, session_id)
    if mine.empty:
        raise InputError(rows.unknown(session_id))
    value, matched = mine.iloc[0], bool(mine["matched"].iloc[0])
    chosen = rows.of("matches", Matches, session_id).drop(columns="session_id")
    titles = rows.titles(chosen["posting_id"].tolist())
    merged = chosen.merge(titles, on="posting_id", how="left", validate="many_to_one").sort_values("rank")
    marks = read_withdrawn(folder)
    had = max((mark.neighbours for mark in marks), default=0) if matched else 0
    parts = open_parts(rows, folder, manifest, value)
    return Explanation(
        run_id=manifest["run_id"],
        session_id=session_id,
        summary=rows.summary(session_id),
        value=value,
        matches=with_errors(merged.reset_index(drop=True), parts.errors),
        manifest=manifest,
        withdrawn=withdrawn_line(marks),
        n_deleted=max(0, had - len(merged)),
        parts=parts,
    )
