"""Finished blocks of a specification curve on disk, so that a long grid goes on where it was interrupted.

A block lies under ``runs/<id>/.sensitivity/`` and is named by a hash of all that its figures depend on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from valuation.evidence.specification_growth import Estimate
from valuation.tables import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from valuation.evidence.specifications import Specification

VERSION = 2
"""Raise it when the same run and settings would give other figures."""
FOLDER = ".sensitivity"
NUMBERS = ("growth", "lower", "upper", "log_growth", "n_matched", "effective_users", "effective_postings")


def digest(what: Any) -> str:  # noqa: ANN401 - anything that JSON can say
    """Return 16 hex digits of the SHA-256 of plain data."""
    return hashlib.sha256(json.dumps([VERSION, what], sort_keys=True).encode()).hexdigest()[:16]


def block_path(folder: Path, members: Sequence[Specification], *identity: Any) -> Path:  # noqa: ANN401
    """Where a block's estimates lie.

    Parameters
    ----------
    folder : Path
        Of the run.
    members : sequence of Specification
        The block's specifications, in order.
    *identity : plain data
        What else moves a figure: the run, the encoder's fingerprint, the permutations.
    """
    return folder / FOLDER / f"{digest([*identity, [asdict(member) for member in members]])}.npz"


def save(path: Path, estimates: Sequence[Estimate]) -> None:
    """Write a block's estimates, atomically and without pickling."""

    def write(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(
                file,
                numbers=np.array([[getattr(e, name) for name in NUMBERS] for e in estimates], dtype=np.float64),
                reason=np.array([e.reason for e in estimates], dtype=np.str_),
                permuted=np.stack([e.permuted for e in estimates]),
            )

    write_atomic(path, write)


def load(path: Path, n: int) -> list[Estimate] | None:
    """Read the estimates of a block of `n` specifications; None if they are not there, or damaged: made again then."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            numbers, reason, permuted = stored["numbers"], stored["reason"], stored["permuted"]
    except Exception:  # noqa: BLE001 - missing, or damaged in any of the ways a zip can be
        return None
    if not len(numbers) == len(reason) == len(permuted) == n or numbers.shape[1:] != (len(NUMBERS),):
        return None
    found = []
    for row, why, drawn in zip(numbers.tolist(), reason.tolist(), permuted, strict=True):
        growth, lower, upper, log_growth, n_matched, users, postings = row
        found.append(Estimate(growth, lower, upper, log_growth, int(n_matched), users, postings, str(why), drawn))
    return found
