"""What gigs cost: log prices of a run's basket, found by the posting that an analyst saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

from valuation.errors import InputError
from valuation.pipeline.model_store import MEMBERS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from valuation.storage import Layout

_EMPTY = {"posting_id": "str", "cluster_id": "str", "log_price": "float64"}


def matches_of(folder: Path, session_ids: Collection[str]) -> pd.DataFrame:
    """Rows of `matches` of some sessions: session_id, rank, posting_id, cluster_id, log_price; none for the unmatched.

    Ordered by session and rank. A run of any length is passed by, not read into memory.

    Raises
    ------
    InputError
        The run's table is missing or damaged.
    """
    path = folder / "matches.parquet"
    found = _picked(path, ("session_id", "rank", "posting_id", "cluster_id", "log_price"), "session_id", session_ids)
    return found.sort_values(["session_id", "rank"], kind="stable", ignore_index=True)


def gig_prices(
    layout: Layout, manifest: dict[str, Any], matches: pd.DataFrame, wanted: Collection[str]
) -> pd.DataFrame:
    """Prices of the postings that are known, whichever member of its cluster a posting is.

    Parameters
    ----------
    matches : DataFrame
        From `matches_of`: what is left to go by where the basket is not kept any more.
    wanted : collection of str
        Posting ids.

    Returns
    -------
    DataFrame
        posting_id (unique), cluster_id, log_price (the cluster's mean, log USD); postings that are not in the basket,
        or were deleted since, are left out.
    """
    folder = layout.indices / str(manifest["basket_id"])
    parts = [_from_matches(matches)]
    if (folder / "basket.parquet").is_file() and (folder / MEMBERS).is_file():
        members = _picked(folder / MEMBERS, ("posting_id", "cluster_id"), "posting_id", wanted)
        rows = _picked(folder / "basket.parquet", ("cluster_id", "log_price"), "cluster_id", set(members["cluster_id"]))
        parts.insert(0, members.merge(rows, on="cluster_id", validate="many_to_one"))
    known = pd.concat(parts, ignore_index=True)
    known = known[known["posting_id"].isin(set(wanted))].drop_duplicates("posting_id")
    return known.sort_values("posting_id", ignore_index=True).astype(_EMPTY)


def gigs_beside(
    layout: Layout,
    folder: Path,
    manifest: dict[str, Any],
    session_ids: Collection[str],
    matches: pd.DataFrame,
    *,
    most: int | None = None,
) -> dict[str, list[str]]:
    """Postings that stand beside each session, matched or not: its nearest `most`.

    Parameters
    ----------
    matches : DataFrame
        From `matches_of`, of these sessions.
    most : int, optional
        By default all that the run keeps.

    Returns
    -------
    dict of str to list of str
        Nearest first; empty where the basket, or its run's working, is not kept any more.
    """
    near = matches.sort_values(["session_id", "rank"])[["session_id", "posting_id"]]
    alone = sorted(set(session_ids) - set(matches["session_id"]))
    basket = layout.indices / str(manifest["basket_id"]) / "basket.parquet"
    if alone and basket.is_file():
        rows = _nearby(folder, alone)
        named = pq.read_table(basket, columns=["posting_id"])["posting_id"].take(pa.array(rows["row"]))
        own = pd.DataFrame({"session_id": rows["session_id"].to_numpy(), "posting_id": named.to_pylist()}, dtype="str")
        near = own if near.empty else pd.concat([near, own], ignore_index=True)
    beside = {
        session: [str(one) for one in postings[:most]] for session, postings in near.groupby("session_id")["posting_id"]
    }
    return {session: beside.get(session, []) for session in session_ids}


def _nearby(folder: Path, session_ids: Collection[str]) -> pd.DataFrame:
    """Rows of the basket nearest to unmatched sessions: session_id, row, nearest first.

    One a session in runs made before more were kept, none where the run's table is gone.
    """
    if (folder / "nearby.parquet").is_file():
        found = _picked(folder / "nearby.parquet", ("session_id", "rank", "row"), "session_id", session_ids)
        return found.sort_values(["session_id", "rank"])[["session_id", "row"]]
    if (folder / "workings.parquet").is_file():
        found = _picked(folder / "workings.parquet", ("session_id", "nearest"), "session_id", session_ids)
        return found.rename(columns={"nearest": "row"})
    return pd.DataFrame({"session_id": pd.Series(dtype="str"), "row": pd.Series(dtype="int64")})


def _from_matches(matches: pd.DataFrame) -> pd.DataFrame:
    """A cluster stands in `matches` by its latest member and by its smallest id."""
    rows = matches[["posting_id", "cluster_id", "log_price"]]
    return pd.concat([rows, rows.assign(posting_id=rows["cluster_id"])], ignore_index=True)


def _picked(path: Path, columns: tuple[str, ...], key: str, wanted: Collection[str]) -> pd.DataFrame:
    """Rows whose key is wanted."""
    try:
        kept = pc.field(key).isin(pa.array(sorted(wanted), type=pa.string()))
        table = dataset(path, format="parquet").to_table(columns=list(columns), filter=kept)
    except (pa.ArrowException, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: not readable ({reason}); delete {path.parent}, then: valuation run") from error
    picked: pd.DataFrame = table.to_pandas()
    return picked
