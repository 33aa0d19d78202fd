"""Sessions in their register: users, base month, the frozen session means, features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from valuation.core.draws import unit_key
from valuation.core.months import base_month, complete_months, usable_months
from valuation.errors import InputError
from valuation.pipeline.finished import read_manifest
from valuation.tables import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from valuation.config import Settings
    from valuation.storage import Layout

REGISTER_FILE = "register.npz"


@dataclass(frozen=True, slots=True)
class Users:
    """Clusters of sessions by user; a session without a user id is its own.

    Attributes
    ----------
    code : ndarray of int, shape (n_sessions,)
    key : ndarray of uint64, shape (n_users,)
        Hash of each user's smallest session_id.
    """

    code: NDArray[np.int64]
    key: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The months that sessions span.

    Attributes
    ----------
    months : tuple of str
        Months with sessions, ascending.
    complete : ndarray of bool, shape (n_months,)
    base : str
        The month with index number 100.
    """

    months: tuple[str, ...]
    complete: NDArray[np.bool_]
    base: str


@dataclass(frozen=True, slots=True)
class RegisterMeans:
    """Means that are subtracted from session texts, shape (d,) and (c,), and where they come from."""

    vector: NDArray[np.float64]
    lexical: NDArray[np.float64]
    note: str


def users_of(sessions: pd.DataFrame) -> Users:
    """Number the users of sessions that are ordered by session_id."""
    own = "session:" + sessions["session_id"]
    name = ("user:" + sessions["user_id"]).fillna(own)
    code, names = pd.factorize(name)  # numbered by first appearance: by their smallest session_id
    smallest = sessions["session_id"].groupby(code).first()
    return Users(code=code.astype(np.int64), key=unit_key([str(smallest[i]) for i in range(len(names))]))


def calendar(sessions: pd.DataFrame, users: Users, settings: Settings) -> Calendar:
    """Find complete months and the base month from all sessions, matched or not.

    Raises
    ------
    ThinMatchError
        No complete month has enough sessions and users to be the base.
    ConfigError
        The configured base month has no session.
    """
    months = tuple(sorted(sessions["month"].unique()))
    first, last = sessions["started_at"].min().date(), sessions["started_at"].max().date()
    complete = complete_months(months, first=first, last=last)
    grouped = pd.DataFrame({"month": sessions["month"], "user": users.code}).groupby("month")["user"]
    usable = usable_months(
        grouped.size().to_numpy().astype(np.int64),
        grouped.nunique().to_numpy().astype(np.int64),
        complete,
        min_sessions=settings.disclosure.min_sessions,
        min_users=settings.disclosure.min_users,
    )
    asked = None if settings.series.base_month == "auto" else settings.series.base_month
    return Calendar(months=months, complete=complete, base=months[base_month(months, usable, requested=asked)])


def register_means(
    vectors: NDArray[np.float32], lexical: NDArray[np.float64], sessions: pd.DataFrame, users: Users, base: str
) -> RegisterMeans:
    """Mean of the base month's sessions, each user with weight 1."""
    inside = (sessions["month"] == base).to_numpy()
    user = users.code[inside]
    weight = 1.0 / np.bincount(user)[user]
    weight /= weight.sum()
    return RegisterMeans(
        vector=weight @ vectors[inside].astype(np.float64),
        lexical=weight @ lexical[inside],
        note=f"session texts are centred on the sessions of {base}",
    )


def save_means(folder: Path, means: RegisterMeans, basket_id: str) -> None:
    """Freeze a run's session means for later pricing."""

    def save(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, vector=means.vector, lexical=means.lexical, basket=np.array(basket_id))

    write_atomic(folder / REGISTER_FILE, save)


def frozen_session_means(
    layout: Layout, settings: Settings, basket_id: str, vectors: NDArray[np.float32], lexical: NDArray[np.float64]
) -> RegisterMeans:
    """Session means for texts priced outside a run: those of the newest run on this basket, else the texts' own.

    The note says which; a level depends on it, comparisons among the texts do not.
    """
    for manifest in sorted(layout.runs.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        known = read_manifest(manifest.parent)
        if known.get("basket_id") == basket_id and known["settings"]["register"]["mode"] == settings.register_.mode:
            return _read_means(manifest.parent, f"session texts are centred as in run {known['run_id']}")
    return RegisterMeans(
        vector=vectors.astype(np.float64).mean(axis=0),
        lexical=lexical.mean(axis=0),
        note="no run on this basket yet: session texts are centred on the mean of these texts",
    )


def _read_means(folder: Path, note: str) -> RegisterMeans:
    """Means that `save_means` wrote; a damaged file is named."""
    path = folder / REGISTER_FILE
    try:
        with np.load(path, allow_pickle=False) as stored:
            return RegisterMeans(vector=stored["vector"], lexical=stored["lexical"], note=note)
    except Exception as error:  # a damaged zip can raise nearly anything
        raise InputError(
            f"{path}: not readable ({type(error).__name__}); delete {folder}, then: valuation run"
        ) from error
