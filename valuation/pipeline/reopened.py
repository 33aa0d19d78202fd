"""A run's arrays again, from stored vectors and its settings: what placebos and specifications start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from valuation.pipeline.model_store import open_model
from valuation.pipeline.run import prepare_sessions, run

if TYPE_CHECKING:
    from pathlib import Path

    from valuation.config import Settings
    from valuation.pipeline.model_store import OpenedModel
    from valuation.pipeline.pricing import PricedTexts
    from valuation.pipeline.run import SessionArrays
    from valuation.pipeline.tracking import Tracked
    from valuation.progress import Progress
    from valuation.storage import Layout


@dataclass(frozen=True, slots=True)
class ReopenedRun:
    """A run as arrays.

    Attributes
    ----------
    run_id : str
    folder : Path
        Where its tables lie; more may be added beside them.
    settings : Settings
    opened : OpenedModel
        The basket's price model.
    sessions : SessionArrays
        All sessions, ordered by session_id.
    priced : PricedTexts
        Their values under the three pricers.
    tracked : Tracked
        The series with its replicates.
    """

    run_id: str
    folder: Path
    settings: Settings
    opened: OpenedModel
    sessions: SessionArrays
    priced: PricedTexts
    tracked: Tracked


def reopen(layout: Layout, settings: Settings, progress: Progress) -> ReopenedRun:
    """Make the run if it is not there, and open its arrays: no text is embedded twice.

    Raises
    ------
    InputError
        No sessions, or a damaged table.
    ThinMatchError
        Too few postings, sessions or users.
    """
    from valuation.pipeline.pricing import price_texts
    from valuation.pipeline.tracking import track

    done = run(layout, settings, progress)
    opened = open_model(layout, settings, progress)
    sessions = prepare_sessions(layout, settings, opened.model, progress)
    progress.stage("price sessions")
    priced = price_texts(opened.model, sessions.vectors, sessions.features, settings, progress)
    progress.stage("track months")
    tracked = track(
        sessions.frame, sessions.users, sessions.calendar, priced, sessions.features, opened.model, settings
    )
    return ReopenedRun(done.run_id, done.folder, settings, opened, sessions, priced, tracked)
