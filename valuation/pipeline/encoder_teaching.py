"""Which postings teach an encoder: a share of the clients, dealt by a hash, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.draws import fold_of, unit_key
from valuation.errors import ThinMatchError
from valuation.pipeline.basket import make_basket, posting_texts
from valuation.pipeline.deflator import read_deflator
from valuation.storage import read_postings

if TYPE_CHECKING:
    from valuation.config import Settings
    from valuation.storage import Layout

FEWEST = 100
"""Clusters needed on either side: fewer teach nothing, or price nothing."""
DEALT = 1_000_000
"""Lots that units are dealt into; those below ``training.share`` of them teach."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """The postings that teach, and what is known of them.

    Attributes
    ----------
    rows : DataFrame
        One row a cluster, as `Basket.rows`.
    postings : DataFrame
        Every member: posting_id, client_id, text.
    units, left : int
        Units that teach; clusters that do not.
    sha256 : str
        Of ids, texts, prices and sources.
    """

    rows: pd.DataFrame
    postings: pd.DataFrame
    units: int
    left: int
    sha256: str


def choose(layout: Layout, settings: Settings) -> Teaching:
    """Deal the basket's units by a hash of their id: ``training.share`` of them teach.

    A source whose terms limit how long it may be kept never teaches: weights cannot forget a posting.
    """
    postings = read_postings(layout)
    basket = make_basket(postings, settings, deflator=read_deflator(layout, settings))
    lot = fold_of(unit_key(basket.unit_id), folds=DEALT, seed=settings.training.seed)
    members = basket.members.merge(  # type: ignore[union-attr]
        postings[["posting_id", "source", "client_id", "title", "description", "skills"]], validate="one_to_one"
    )
    unit = pd.Series(basket.unit, index=basket.rows["cluster_id"])[members["cluster_id"]].to_numpy()
    may_not = np.unique(unit[members["source"].isin(limited_sources(layout, settings))])
    teaches = (lot < settings.training.share * DEALT) & ~np.isin(np.arange(len(lot)), may_not)
    rows = basket.rows[teaches[basket.unit]].reset_index(drop=True)
    left = len(basket.rows) - len(rows)
    if min(len(rows), left) < FEWEST:
        raise ThinMatchError(
            f"{len(rows)} distinct postings would teach and {left} be left to price with; expected at least {FEWEST} "
            f"of either: import more postings, or change training.share (now {settings.training.share:g})"
        )
    mine = members[teaches[unit]].sort_values("posting_id", ignore_index=True)
    taught = pd.DataFrame(
        {"posting_id": mine["posting_id"], "client_id": mine["client_id"], "text": posting_texts(mine)}
    )
    return Teaching(rows, taught, int(teaches.sum()), left, _data_sha256(rows, taught))


def limited_sources(layout: Layout, settings: Settings) -> set[str]:
    """Sources that may be kept for a time only, and crawled ones whose limit the settings no longer tell."""
    known = {name for name, source in settings.sources.items() if source.retention_hours != "unlimited"}
    crawled = {path.parent.name for path in layout.crawl.glob("*/store.db")}
    return known | (crawled - settings.sources.keys())


def _data_sha256(rows: pd.DataFrame, taught: pd.DataFrame) -> str:
    """Hash of everything that is learned from."""
    digest = hashlib.sha256()
    for frame, columns in ((rows, ["cluster_id", "source", "text", "log_price"]), (taught, ["posting_id", "text"])):
        for row in frame[columns].itertuples(index=False):
            digest.update(json.dumps(list(row)).encode())
    return digest.hexdigest()
