"""The basket: which postings price sessions, one row a duplicate cluster, grouped into resampling units."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.errors import ThinMatchError
from valuation.pipeline.deflator import log_prices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indices.trained import LearnedFrom
    from valuation.config import Settings
    from valuation.pipeline.deflator import Deflator


@dataclass(frozen=True, slots=True)
class Counts:
    """How the imported postings became a basket; each line is counted, none is dropped silently.

    `trained_encoder` of those in range taught the encoder in use, or share a client or a text with one that did.
    """

    postings: int
    reference_only: int
    other_price_type: int
    other_price_kind: int
    out_of_range: int
    kept: int
    clusters: int
    units: int
    trained_encoder: int = 0

    def data(self) -> dict[str, int]:
        """Return plain data for a manifest."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Basket:
    """The basket's clusters.

    Attributes
    ----------
    rows : DataFrame
        One row a cluster, ordered by posting_id: posting_id (of the latest member), cluster_id (smallest posting_id
        of the members), text, source, month, log_price (members' mean, log USD: nominal, or constant
        dollars where there is a deflator), n_members.
    unit : ndarray of int, shape (n_clusters,)
        Resampling unit of each cluster, in [0, n_units).
    unit_id : tuple of str
        Smallest posting_id of each unit, ascending.
    counts : Counts
    members : DataFrame or None
        Every posting (posting_id) and its cluster_id; None where the basket is part of another or was read back.
    """

    rows: pd.DataFrame
    unit: NDArray[np.int64]
    unit_id: tuple[str, ...]
    counts: Counts
    members: pd.DataFrame | None = None


def posting_texts(postings: pd.DataFrame) -> list[str]:
    """Text of each posting: title, description and skills joined by line breaks, empty parts left out."""
    parts = postings[["title", "description", "skills"]].fillna("")
    return ["\n".join(part.strip() for part in row if part.strip()) for row in parts.itertuples(index=False)]


def make_basket(
    postings: pd.DataFrame, settings: Settings, learned: LearnedFrom | None = None, *, deflator: Deflator | None
) -> Basket:
    """Select, cluster and group the postings that will price sessions.

    Parameters
    ----------
    postings : DataFrame
        A Postings table, ordered by posting_id.
    learned : LearnedFrom, optional
        What the encoder in use learned from: every resampling unit that holds one of these postings, one of these
        texts or one of these clients is left out, whenever it came.
    deflator : Deflator or None
        What log prices are put into constant dollars by. The basket's range of prices is in nominal ones.

    Raises
    ------
    InputError
        The deflator lacks a posting's month.
    ThinMatchError
        Nothing is left; the message counts why.
    """
    from indices.duplicates import duplicate_clusters

    chosen, kept = _select(postings, settings)
    taught = postings["posting_id"].isin(learned.posting_id if learned else ())
    outside = postings[taught & ~postings["posting_id"].isin(kept["posting_id"])]  # they link, but price nothing
    kept = pd.concat([kept, outside]).sort_values("posting_id", ignore_index=True) if len(outside) else kept
    texts = posting_texts(kept)
    cluster = duplicate_clusters(
        texts, similarity=settings.basket.duplicate_similarity, seed=settings.pricing.fold_seed
    )
    kept = kept.assign(text=texts, cluster=cluster, log_price=np.log(kept["price_usd"]))
    n_selected = len(kept) - len(outside)
    if learned:
        kept = _without_learned(kept, learned)
    kept = kept.assign(log_price=log_prices(kept["price_usd"], kept["month"], deflator))
    rows = _one_row_a_cluster(kept)
    unit, unit_id = _units(kept, rows)
    counts = Counts(
        **chosen, kept=len(kept), clusters=len(rows), units=len(unit_id), trained_encoder=n_selected - len(kept)
    )
    members = kept[["posting_id", "cluster"]].merge(rows[["cluster", "cluster_id"]], validate="many_to_one")
    return Basket(
        rows=rows.drop(columns="cluster"),
        unit=unit,
        unit_id=unit_id,
        counts=counts,
        members=members[["posting_id", "cluster_id"]],
    )


def _select(postings: pd.DataFrame, settings: Settings) -> tuple[dict[str, int], pd.DataFrame]:
    """Keep the wanted price type, kind and range, and count what is left out by each."""
    want = settings.basket
    pricing = postings[~postings["source"].isin(settings.reference_only)]
    of_type = pricing[pricing["price_type"] == want.price_type]
    of_kind = of_type[of_type["price_kind"] == want.price_kind]
    kept = of_kind[of_kind["price_usd"].between(want.min_usd, want.max_usd)]
    chosen = {
        "postings": len(postings),
        "reference_only": len(postings) - len(pricing),
        "other_price_type": len(pricing) - len(of_type),
        "other_price_kind": len(of_type) - len(of_kind),
        "out_of_range": len(of_kind) - len(kept),
    }
    if kept.empty:
        raise ThinMatchError(
            f"no posting can price anything: {len(postings)} imported, of which {len(of_type)} {want.price_type}, "
            f"{len(of_kind)} {want.price_type} and {want.price_kind}, and none of these from {want.min_usd:g} to "
            f"{want.max_usd:g} USD; import postings, or change [basket] in valuation.toml"
        )
    return chosen, kept.sort_values("posting_id", ignore_index=True)


def _without_learned(kept: pd.DataFrame, learned: LearnedFrom) -> pd.DataFrame:
    """Leave out whole resampling units that an encoder has learned from, in part or in whole."""
    from indices.trained import text_mark

    marked = kept["posting_id"].isin(learned.posting_id) | kept["client_id"].isin(learned.client_id)
    marked |= np.array([text_mark(text) in learned.text for text in kept["text"]], dtype=bool)
    rows = _one_row_a_cluster(kept)
    unit = pd.Series(_units(kept, rows)[0], index=rows["cluster"])[kept["cluster"]].to_numpy()
    left = kept[~np.isin(unit, unit[marked])].reset_index(drop=True)
    if left.empty:
        raise ThinMatchError(
            f"no posting can price anything: all {len(kept)} taught the encoder in use, or share a client or a text "
            "with one that did; import other postings, or use another encoder"
        )
    return left


def half_ranges(rows: pd.DataFrame, members: pd.DataFrame, postings: pd.DataFrame) -> NDArray[np.float64]:
    """How far the ends of price ranges lie from their geometric mean, clusters' means over members, log points.

    Parameters
    ----------
    rows, members : DataFrame
        Of a `Basket`.
    postings : DataFrame
        A Postings table that has every member.

    Returns
    -------
    ndarray, shape (n_clusters,)
        At least 0: ``y_j`` less this is the cluster's log price at the low ends, plus this at the high ends. An end
        may lie outside the basket's range of prices: it is the middle that lets a posting in.
    """
    ends = postings[["posting_id", "price_low", "price_high"]]
    known = members.merge(ends, on="posting_id", how="left", validate="one_to_one")
    known["half"] = 0.5 * np.log(known["price_high"] / known["price_low"])
    return np.asarray(known.groupby("cluster_id")["half"].mean().loc[rows["cluster_id"]], dtype=np.float64)


def _one_row_a_cluster(kept: pd.DataFrame) -> pd.DataFrame:
    """Latest member's text, members' mean log price; ties in time go to the smallest posting_id."""
    latest = kept.sort_values(["posted_at", "posting_id"], ascending=[False, True]).drop_duplicates("cluster")
    sums = kept.groupby("cluster").agg(
        cluster_id=("posting_id", "min"), mean=("log_price", "mean"), n_members=("posting_id", "size")
    )
    rows = latest.drop(columns="log_price").merge(
        sums.rename(columns={"mean": "log_price"}), left_on="cluster", right_index=True, validate="one_to_one"
    )
    columns = ["posting_id", "cluster_id", "text", "source", "month", "log_price", "n_members", "cluster"]
    return rows[columns].sort_values("posting_id", ignore_index=True)


def _units(kept: pd.DataFrame, rows: pd.DataFrame) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Join clusters that share a client into units, in the order of their smallest posting_id."""
    from scipy import sparse
    from scipy.sparse import csgraph

    place = pd.Series(np.arange(len(rows)), index=rows["cluster"])
    known = kept.dropna(subset=["client_id"])
    client = pd.factorize(known["client_id"])[0]
    bipartite = sparse.coo_matrix(
        (np.ones(len(known)), (place[known["cluster"]].to_numpy(), len(rows) + client)),
        shape=(len(rows) + len(known), len(rows) + len(known)),
    )
    component = csgraph.connected_components(bipartite, directed=False)[1][: len(rows)]
    smallest = rows["cluster_id"].groupby(component).transform("min")
    unit_id, unit = np.unique(smallest.to_numpy().astype(str), return_inverse=True)
    return unit.astype(np.int64), tuple(unit_id.tolist())
