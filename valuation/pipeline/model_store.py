"""Keeps a basket's slow parts under ``indices/<basket>/``: clusters, lexical components, index, search in itself.

The fit itself (one or two seconds of linear algebra) is repeated at each opening by the same code, so that a stored
model can never differ from a fresh one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from valuation.errors import InputError
from valuation.pipeline.basket import Basket, Counts, make_basket
from valuation.pipeline.deflator import deflator_sha256, read_deflator
from valuation.pipeline.embedding import embed_texts, identify_encoder, to_register
from valuation.pipeline.model import FrozenFeatures, PriceModel, dummies, fit_model
from valuation.storage import postings_digest, read_postings
from valuation.tables import write_atomic, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from indices.lexical import Lexical
    from valuation.config import Settings
    from valuation.progress import Progress
    from valuation.storage import Layout

MEMBERS = "members.parquet"
"""Which postings a basket is made of, and in which clusters: what retention goes by."""
STORE_VERSION = 3
"""Raise it when the same postings and settings would give another basket, lexical space or index."""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A price model with what a manifest says of it."""

    model: PriceModel
    basket_id: str
    long_share: float


def basket_id(layout: Layout, settings: Settings) -> str:
    """Return the identity of the basket that these postings and settings give: 16 hex digits."""
    from indices.trained import card_sha256, folder_of, is_trained

    what = {
        "version": STORE_VERSION,
        "postings": postings_digest(layout),
        "encoder": identify_encoder(layout, settings).fingerprint,
        "register": settings.register_.mode,
        "basket": settings.basket.model_dump(mode="json"),
        "k": settings.matching.k,
        "seed": settings.pricing.fold_seed,
        "lexical": _lexical_settings(settings),
    }
    if is_trained(settings.encoder.name):  # base:NAME has its base's fingerprint, but NAME's basket
        what["left_out"] = card_sha256(folder_of(settings.encoder.name, layout.models))
    if settings.pricing.deflator:
        what["deflator"] = deflator_sha256(layout, settings)
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def _lexical_settings(settings: Settings) -> tuple[int, float, float]:
    """Settings that the words' numbers depend on: components, their weight, the weight of scope."""
    want = settings.pricing
    return want.lexical_components, want.lexical_weight, want.scope_weight


def open_model(layout: Layout, settings: Settings, progress: Progress) -> OpenedModel:
    """Open the basket's price model, building what is not there.

    Raises
    ------
    ThinMatchError
        Too few postings.
    InputError
        A stored part is damaged.
    """
    from indices.lexical import Lexical
    from indices.neighbours import NeighbourIndex

    identity = basket_id(layout, settings)
    folder = layout.indices / identity
    if not (folder / "basket.json").exists():
        _build(layout, settings, folder, progress)
    basket = _read_basket(folder)
    embedded = embed_texts(layout, settings, basket.rows["text"].tolist(), what="postings", progress=progress)
    parts = _read_parts(folder)
    frozen = _frozen(basket.rows, embedded.vectors, parts["lexical"], Lexical.load(folder / "lexical"), settings)
    vectors = to_register(embedded.vectors, frozen.vector_mean)
    progress.stage("fit prices")
    neighbour_index = NeighbourIndex.open(
        folder, fingerprint=identify_encoder(layout, settings).fingerprint, label=settings.register_.mode
    )
    model = fit_model(
        basket, vectors, parts["lexical"], frozen, neighbour_index, parts["similarity"], parts["row"], settings
    )
    return OpenedModel(model=model, basket_id=identity, long_share=float(embedded.long_share))


def _build(layout: Layout, settings: Settings, folder: Path, progress: Progress) -> None:
    """Cluster, embed, index and search; ``basket.json`` is written last and marks the folder as whole."""
    from indices.lexical import fit_lexical
    from indices.neighbours import NeighbourIndex, build
    from indices.trained import learned_from

    progress.stage("cluster postings")
    learned = learned_from(settings.encoder.name, layout.models)
    basket = make_basket(read_postings(layout), settings, learned, deflator=read_deflator(layout, settings))
    texts = basket.rows["text"].tolist()
    embedded = embed_texts(layout, settings, texts, what="postings", progress=progress)
    progress.stage("index postings")
    components_asked, weight, scope_weight = _lexical_settings(settings)
    lexical = fit_lexical(
        texts,
        components=components_asked,
        seed=settings.pricing.fold_seed,
        weight=weight,
        scope_weight=scope_weight,
    )
    components = lexical.transform(texts)
    vectors = to_register(embedded.vectors, _mean(embedded.vectors, settings)).astype(np.float32)
    fingerprint = identify_encoder(layout, settings).fingerprint
    ids = basket.rows["posting_id"].tolist()
    build(vectors, ids, folder=folder, fingerprint=fingerprint, label=settings.register_.mode)
    lexical.save(folder / "lexical")
    opened = NeighbourIndex.open(folder, fingerprint=fingerprint, label=settings.register_.mode)
    found = opened.search(vectors, min(2 * settings.matching.k + 1, len(ids)))
    _write_parts(folder, basket, components, found.similarity, found.row)


def _mean(vectors: NDArray[np.float32], settings: Settings) -> NDArray[np.float64]:
    """Return the postings' register mean; zero where registers are not centred."""
    if settings.register_.mode == "none":
        return np.zeros(vectors.shape[1])
    return np.asarray(vectors.astype(np.float64).mean(axis=0))


def _frozen(
    rows: pd.DataFrame,
    vectors: NDArray[np.float32],
    components: NDArray[np.float64],
    lexical: Lexical,
    settings: Settings,
) -> FrozenFeatures:
    """Freeze the means and the order of dummies."""
    sources, months = tuple(sorted(rows["source"].unique())), tuple(sorted(rows["month"].unique()))
    centred = settings.register_.mode == "centred"
    return FrozenFeatures(
        vector_mean=_mean(vectors, settings),
        lexical_mean=components.mean(axis=0) if centred else np.zeros(components.shape[1]),
        sources=sources,
        months=months,
        source_share=dummies(rows["source"], sources).mean(axis=0),
        month_share=dummies(rows["month"], months).mean(axis=0),
        lexical=lexical,
    )


def _write_parts(
    folder: Path,
    basket: Basket,
    components: NDArray[np.float64],
    similarity: NDArray[np.float64],
    row: NDArray[np.int64],
) -> None:
    """Write the basket's rows and arrays, each atomically, and the card last."""
    unit_id = pd.Series(basket.unit_id, dtype="str").iloc[basket.unit].to_numpy()
    table = pa.Table.from_pandas(basket.rows.assign(unit_id=unit_id), preserve_index=False)
    write_atomic(folder / "basket.parquet", lambda to: pq.write_table(table, to, compression="zstd"))
    members = pa.Table.from_pandas(basket.members, preserve_index=False)
    write_atomic(folder / MEMBERS, lambda to: pq.write_table(members, to, compression="zstd"))

    def save(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, lexical=components, similarity=similarity, row=row)

    write_atomic(folder / "arrays.npz", save)
    card = {"counts": basket.counts.data(), "sha256": _hashes(folder)}
    write_text(folder / "basket.json", json.dumps(card, indent=1, sort_keys=True))


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the parts that this module wrote."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("arrays.npz", "basket.parquet")}


def _read_basket(folder: Path) -> Basket:
    """Read the clusters back; a damaged part is refused."""
    try:
        card: dict[str, Any] = json.loads((folder / "basket.json").read_text())
        whole = card["sha256"] == _hashes(folder)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: not readable ({error}); delete the folder and it is made anew") from error
    if not whole:
        raise InputError(f"{folder}: its files are not those that were written; delete the folder and it is made anew")
    rows = pq.ParquetFile(folder / "basket.parquet").read().to_pandas()
    unit_id, unit = np.unique(rows["unit_id"].to_numpy().astype(str), return_inverse=True)
    return Basket(
        rows=rows.drop(columns="unit_id"),
        unit=unit.astype(np.int64),
        unit_id=tuple(unit_id.tolist()),
        counts=Counts(**card["counts"]),
    )


def read_members(layout: Layout, identity: str) -> pd.DataFrame:
    """Every posting (posting_id) of a finished basket with its cluster (cluster_id).

    Raises
    ------
    InputError
        The list is not there, or damaged.
    """
    path = layout.indices / identity / MEMBERS
    try:
        found: pd.DataFrame = pq.ParquetFile(path).read(columns=["posting_id", "cluster_id"]).to_pandas()
    except (pa.ArrowException, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: not readable ({reason}); delete {path.parent} and it is made anew") from error
    return found


def _read_parts(folder: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays; never unpickled."""
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in ("lexical", "similarity", "row")}
