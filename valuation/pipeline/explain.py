"""``valuation explain``: one session's neighbours, weights and prices, so that the sum can be redone by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.errors import InputError
from valuation.pipeline.finished import read_run_table
from valuation.storage import read_postings, read_sessions
from valuation.tables import Matches, Values
from valuation.tables.withdrawn import read_withdrawn, withdrawn_line

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from valuation.storage import Layout

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One session's value and what it is made of.

    Attributes
    ----------
    run_id, session_id, summary : str
    value : Series
        The session's row of `values`.
    matches : DataFrame
        Its rows of `matches`, with the postings' titles.
    manifest : dict
        The run's manifest.
    withdrawn : str
        Which postings of the run were deleted since, in one line; ``''`` if none.
    n_deleted : int
        How many of the session's own neighbours went with them.
    """

    run_id: str
    session_id: str
    summary: str
    value: pd.Series
    matches: pd.DataFrame
    manifest: dict[str, Any]
    withdrawn: str = ""
    n_deleted: int = 0

    def data(self) -> dict[str, Any]:
        """Plain data, numbers unrounded."""
        missing_to_none = {
            key: None if _missing(item) else item.item() if isinstance(item, np.generic) else item
            for key, item in self.value.to_dict().items()
        }
        return {
            "run_id": self.run_id,
            "session_id": self.session_id,
            "summary": self.summary,
            "calibration": self.manifest["calibration"],
            "pricer": self.manifest["settings"]["pricing"]["pricer"],
            "value": missing_to_none,
            "matches": self.matches.astype(object).where(self.matches.notna(), None).to_dict(orient="records"),
            "withdrawn": self.withdrawn or None,
            "n_deleted": self.n_deleted,
        }

    def text(self) -> str:
        """Lines for a person, at most 100 columns."""
        lines = [f"session {plain(self.session_id, 60)} of {self.value['month']}, run {self.run_id}"]
        lines += [f"  {plain(self.summary, 96)}", ""]
        if self.withdrawn:
            lines += [f"run {self.run_id}: {self.withdrawn}", ""]
        if not self.value["matched"]:
            return "\n".join([*lines, f"not matched: {self.value['reason']}; it has no value and is counted as such"])
        shown = [*self._neighbours(), ""] if len(self.matches) else []
        return "\n".join([*lines, *shown, *self._arithmetic()])

    def _neighbours(self) -> list[str]:
        """The table of neighbours: every term of the sum."""
        pricer = self.manifest["settings"]["pricing"]["pricer"]
        head = {"matching": "log price + m(session) - m(posting) = term", "neighbours": "log price = term"}
        lines = [f"rank  similarity    weight  price USD  {head.get(pricer, 'm(session) = term')}  x weight  posting"]
        for row in self.matches.to_dict(orient="records"):
            weight, contribution = float(row["weight"]), float(row["contribution"])
            term = contribution / weight if weight else float("nan")
            parts = f"{row['log_price']:10.6f} + {row['log_session_hedonic']:9.6f} - {row['log_price_hedonic']:9.6f} = "
            lines.append(
                f"{row['rank']:4d}  {row['similarity']:10.6f}  {weight:8.6f} {row['price_usd']:10,.2f} "
                f"{parts if pricer == 'matching' else ''}{term:9.6f} {contribution:9.6f}  "
                f"{plain(row['posting_id'], 24)} {plain(row['title'], 40)}"
            )
        return lines

    def _arithmetic(self) -> list[str]:
        """The sum, the correction and both bands."""
        value, line = self.value, self.manifest["calibration"]
        total = float(self.matches["contribution"].sum())
        raw = float(value["log_value_raw"]) if self.n_deleted else total
        lines = [f"sum of contributions      {total:.9f} = log_value_raw {value['log_value_raw']:.9f}"]
        if self.n_deleted:
            lines = [
                f"{self.n_deleted} of its {self.n_deleted + len(self.matches)} neighbours were deleted: the sum cannot "
                "be redone",
                f"sum of those left         {total:.9f}; log_value_raw was {raw:.9f}",
            ]
        if line["applied"]:
            lines.append(
                f"calibrated                {line['intercept']:.9f} + {line['slope']:.9f} x {raw:.9f} "
                f"= {value['log_value']:.9f}"
            )
        level = self.manifest["settings"]["bands"]["level"]
        lines += [
            f"value                     exp({value['log_value']:.9f}) = {value['value_usd']:,.2f} USD",
            f"  plain neighbours        {value['value_neighbours']:,.2f} USD",
            f"  hedonic regression      {value['value_hedonic']:,.2f} USD",
            f"typical band, {level:.0%}        {value['typical_lower']:,.2f} to {value['typical_upper']:,.2f} USD",
            f"single-posting band, {level:.0%} {value['single_lower']:,.2f} to {value['single_upper']:,.2f} USD",
            f"effective neighbours      {value['effective_neighbours']:.1f}",
            f"nearest similarity        {value['similarity_max']:.6f}",
            "a relative, coarse measure: the price at which comparable work is posted; never a wage or a saving",
        ]
        return lines


def plain(text: object, width: int) -> str:
    """One line of untrusted text: no control, bidirectional or zero-width characters, at most `width` characters."""
    clean = CONTROL.sub(" ", "" if text is None or text != text else str(text)).strip()  # noqa: PLR0124 - NaN
    return clean if len(clean) <= width else clean[: width - 1] + "…"


def _missing(item: object) -> bool:
    return item is None or (isinstance(item, float) and np.isnan(item))


def explain(layout: Layout, folder: Path, manifest: dict[str, Any], session_id: str) -> Explanation:
    """Collect one session's arithmetic from a run.

    Raises
    ------
    InputError
        The run has no such session.
    """
    values = read_run_table(folder, "values", Values)
    mine = values[values["session_id"] == session_id]
    if mine.empty:
        raise InputError(
            f"run {manifest['run_id']} has no session {plain(session_id, 60)!r}; "
            f"it has {len(values):,}, such as {plain(values['session_id'].iloc[0], 60)}"
        )
    matches = read_run_table(folder, "matches", Matches)
    chosen = matches[matches["session_id"] == session_id].drop(columns="session_id")
    titles = read_postings(layout)[["posting_id", "title"]]
    merged = chosen.merge(titles, on="posting_id", how="left", validate="many_to_one").sort_values("rank")
    sessions = read_sessions(layout)
    summary = sessions.loc[sessions["session_id"] == session_id, "summary"]
    marks = read_withdrawn(folder)
    had = max((mark.neighbours for mark in marks), default=0) if mine["matched"].iloc[0] else 0
    return Explanation(
        run_id=manifest["run_id"],
        session_id=session_id,
        summary=str(summary.iloc[0]) if len(summary) else "",
        value=mine.iloc[0],
        matches=merged.reset_index(drop=True),
        manifest=manifest,
        withdrawn=withdrawn_line(marks),
        n_deleted=max(0, had - len(merged)),
    )
