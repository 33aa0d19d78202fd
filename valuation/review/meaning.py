"""Gigs by meaning: the run's own encoder and neighbour index, loaded in the background so that no page waits for them.

Importing this module loads nothing heavy. One query takes one thread: pages are served beside it.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from valuation.errors import EnvironmentFault, InputError, ValuationError
from valuation.review.meaning_load import gone, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from indices.attribution import WordSpan
    from indices.neighbours import NeighbourIndex
    from valuation.review.meaning_load import Loaded
    from valuation.storage import Layout

Register = Literal["session", "posting"]

NEAR = 1e-5  # what a float32 product may be off, with room: nearer ones are ranked in float64
MILLION = 1_000_000  # similarities are rounded to 1e-6 before ranking, as the index rounds them
KEPT = 4_096  # gigs whose words' contributions are remembered


class NotReady(EnvironmentFault):
    """Search by meaning is still loading, or cannot be loaded; the message is for people."""


@dataclass(frozen=True, slots=True)
class State:
    """How far loading is; `reason` says why it failed."""

    name: Literal["waiting", "ready", "failed"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A gig and how similar it is; `rank` 1 is the most similar of the whole basket."""

    posting_id: str
    similarity: float
    rank: int


class MeaningSearch:
    """Searches the basket of one run by meaning; owns the encoder and the index in memory.

    Parameters
    ----------
    layout : Layout
    manifest : dict
        The run's.
    """

    def __init__(self, layout: Layout, manifest: dict[str, Any]) -> None:
        self._layout = layout
        self._manifest = manifest
        self._folder = layout.indices / str(manifest["basket_id"])
        self._state = State("waiting")
        self._loaded: Loaded | None = None
        self._thread: threading.Thread | None = None
        self._encoding = threading.Lock()
        self._searching = threading.Lock()  # the compiled ranking must not run twice at once
        self._kept: OrderedDict[tuple[str, str], tuple[WordSpan, ...]] = OrderedDict()

    def start(self) -> None:
        """Load in the background; returns at once, and a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load_quietly, name="meaning", daemon=True)
            self._thread.start()

    def wait(self, seconds: float | None = None) -> State:
        """Wait until loading is over, at most so long; returns the state."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self.state

    @property
    def state(self) -> State:
        """How far loading is; failed, too, once the basket is deleted."""
        if self._state.name == "ready" and not (self._folder / "basket.json").is_file():
            self._loaded, self._state = None, State("failed", gone(self._folder))
            self._kept.clear()
        return self._state

    def search(self, text: str, limit: int, register: Register = "session") -> list[Hit]:
        """The gigs most similar to a text, in the whole basket, the most similar first; none for a blank text.

        Raises
        ------
        NotReady
            Not loaded.
        """
        loaded = self._ready()
        if not text.strip() or limit < 1:
            return []
        query = self.vector(text, register)
        with self._searching:
            found = loaded.index.search(query[None], min(limit, loaded.index.card.n))
        pairs = zip(found.row[0].tolist(), found.similarity[0].tolist(), strict=True)
        return [Hit(loaded.index.ids[row], similarity, rank) for rank, (row, similarity) in enumerate(pairs, start=1)]

    def rank_of(self, session: str | NDArray[np.floating], posting_id: str) -> Hit | None:
        """Where a gig stands among all of the basket by similarity to a session; None if it is not in the basket.

        Parameters
        ----------
        session : str or ndarray, shape (dimension,)
            Its summary, or its vector in its register.
        posting_id : str

        Raises
        ------
        NotReady
            Not loaded.
        """
        loaded = self._ready()
        row = bisect_left(loaded.index.ids, posting_id)
        if row == loaded.index.card.n or loaded.index.ids[row] != posting_id:
            return None
        query = self.vector(session) if isinstance(session, str) else np.asarray(session, dtype=np.float32)
        rough = loaded.index.vectors @ query
        near = np.flatnonzero(np.abs(rough - rough[row]) <= 2 * NEAR)
        places = self._places(loaded.index, query, near)
        own = int(places[np.searchsorted(near, row)])
        before = (places < own) | ((places == own) & (near < row))
        ahead = int((rough > rough[row] + 2 * NEAR).sum()) + int(before.sum())
        return Hit(posting_id, 1.0 - own / MILLION, ahead + 1)

    def _places(self, index: NeighbourIndex, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rounded distance from similarity 1, in millionths, as the index ranks by it."""
        from indices.rescoring import pair_products

        with self._searching:
            exact = np.clip(pair_products(query[None], index.vectors, rows[None])[0], -1.0, 1.0)
        return np.asarray(np.rint((1.0 - exact) * MILLION), dtype=np.int64)

    def vector(self, text: str, register: Register = "session") -> NDArray[np.float32]:
        """Vector of a text in a register, shape (dimension,), of length one.

        Raises
        ------
        NotReady
            Not loaded.
        InputError
            A blank text, or one that the encoder can make nothing of.
        """
        from valuation.pipeline.embedding import to_register

        loaded = self._ready()
        if not text.strip():
            raise InputError("an empty text has no meaning to search by")
        with self._encoding:
            bare = loaded.embed(text.strip())
        mean = loaded.means[register]
        moved = bare if mean is None else to_register(bare[None].astype(np.float32), mean)[0]
        return np.asarray(moved, dtype=np.float32)

    def words_of(self, summary: str, gigs: Sequence[str]) -> list[tuple[WordSpan, ...]]:
        """What each word of each gig's text contributes to its similarity with a session; empty if that is not known.

        A transformer takes some 30 milliseconds a gig: ask after the page is served. Remembered for 4,096 gigs.

        Raises
        ------
        NotReady
            Not loaded.
        """
        from indices.attribution import contributions

        loaded, spans = self._ready(), []
        if loaded.words is None or not summary.strip():
            return [()] * len(gigs)
        direction: NDArray[np.float32] | None = None
        for text in gigs:
            key = (_digest(summary), _digest(text))
            known = self._kept.get(key)
            if known is None and text.strip():
                direction = self.vector(summary) if direction is None else direction
                with self._encoding:
                    shares = loaded.words.read([text])[0]
                known = contributions(text, shares, direction, mean=loaded.means["posting"])
                self._keep(key, known)
            spans.append(known or ())
        return spans

    def _keep(self, key: tuple[str, str], spans: tuple[WordSpan, ...]) -> None:
        with self._encoding:
            self._kept[key] = spans
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def _ready(self) -> Loaded:
        state, loaded = self.state, self._loaded
        if state.name != "ready" or loaded is None:
            raise NotReady(state.reason or "search by meaning is still loading; try again in some seconds")
        return loaded

    def _load_quietly(self) -> None:
        try:
            self._loaded = load(self._layout, self._manifest)
            self._state = State("ready")
        except ValuationError as error:
            self._state = State("failed", str(error))
        except Exception as error:  # noqa: BLE001 - in the background: the pages say it
            self._state = State("failed", f"search by meaning: {type(error).__name__}: {str(error)[:200]}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
