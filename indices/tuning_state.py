"""The last finished epoch of a fit, in one safetensors file: read back, the fit goes on as if it had not stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from valuation.tables import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def write_state(path: Path, tensors: Mapping[str, Any], *, losses: Sequence[float], identity: str) -> None:
    """Write tensors, the losses of the epochs so far and the fit's identity; the file is whole or not there."""
    from safetensors.torch import save_file

    copies = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    noted = {"identity": identity, "losses": json.dumps(list(losses))}
    write_atomic(path, lambda to: save_file(copies, to, metadata=noted))


def read_state(path: Path, tensors: Mapping[str, Any], *, identity: str) -> tuple[float, ...]:
    """Copy a state of this identity into `tensors`; returns the losses of the epochs it has behind it.

    A missing, damaged or foreign state is none: the fit begins at the first epoch and `tensors` are left as they are.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return ()
    try:
        with safe_open(path, framework="pt") as stored:
            noted = stored.metadata() or {}
            if noted.get("identity") != identity or set(stored.keys()) != set(tensors):
                return ()
            found = {name: stored.get_tensor(name) for name in tensors}
            losses = tuple(float(one) for one in json.loads(noted["losses"]))
    except (SafetensorError, OSError, KeyError, ValueError):
        return ()
    if any(found[name].shape != tensor.shape for name, tensor in tensors.items()):
        return ()
    for name, tensor in tensors.items():
        tensor.copy_(found[name])
    return losses
