"""The two bodies that `tune` can fit, and how what was fitted becomes a sentence-transformers model on disk."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from indices.model_files import IDENTITY_SUFFIXES, inspect
from indices.quiet import quiet
from indices.transformer_model import load_model, padded, special_tokens, tokenise
from valuation.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LIBRARY = "sentence_transformers.models."
IDENTITY = "torch.nn.modules.linear.Identity"  # no activation
LINEAR = "linear.weight"  # the name of a `Dense` module's matrix
TABLE = "embedding.weight"  # the name of a `StaticEmbedding`'s table


class WholeBody:
    """A whole sentence-transformers model; owns it and the texts' tokens.

    Parameters
    ----------
    folder : Path
        The model to begin with; it is not changed.
    texts : sequence of str
    max_tokens : int
        Tokens read of each text, special tokens included; what is beyond them is not learned from. Static models
        read all.
    """

    def __init__(self, folder: Path, texts: Sequence[str], *, max_tokens: int) -> None:
        self.module: Any = load_model(folder)
        self._static = inspect(folder).static
        self.transforms = not self._static
        if not self._static:
            _freeze_tokens(self.module)
        tokenizer = self.module.tokenizer if self._static else getattr(self.module.tokenizer, "backend_tokenizer", None)
        if tokenizer is None:
            raise ConfigError(f"{folder}: its tokenizer has no fast form (tokenizer.json); expected one that has")
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._before, self._after = ([], []) if self._static else special_tokens(tokenizer)
        self._padding = 0 if self._static else self.module.tokenizer.pad_token_id or 0
        room = None if self._static else max_tokens - len(self._before) - len(self._after)
        self._ids = [ids[:room] for ids in tokenise(tokenizer, list(texts))]
        self.length = np.array([max(ids.size, 1) for ids in self._ids], dtype=np.int64)

    def embed(self, rows: NDArray[np.int64]) -> Any:  # noqa: ANN401 - a torch tensor
        """Vectors of some texts, with gradients."""
        import torch

        parts = [self._ids[row] for row in rows]
        if self._static:
            parts = [part if part.size else np.zeros(1, dtype=np.int32) for part in parts]
            offsets = np.cumsum([0, *(part.size for part in parts[:-1])])
            features = {"input_ids": np.concatenate(parts).astype(np.int64), "offsets": offsets.astype(np.int64)}
        else:
            tokens, mask = padded(parts, before=self._before, after=self._after, padding=self._padding)
            features = {"input_ids": tokens, "attention_mask": mask}
        return self.module({name: torch.from_numpy(array) for name, array in features.items()})["sentence_embedding"]

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder."""
        with quiet():
            self.module.save(str(folder), create_model_card=False)


class ProjectionBody:
    """One matrix behind a frozen model; begins as the identity.

    Parameters
    ----------
    folder : Path
        The frozen model.
    vectors : ndarray of float32, shape (n, dimension)
        Its vectors of the texts.
    """

    def __init__(self, folder: Path, vectors: NDArray[np.float32]) -> None:
        import torch

        self._folder = folder
        self.transforms = False
        self._vectors = torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32))
        self.module = torch.nn.Linear(vectors.shape[1], vectors.shape[1], bias=False)
        torch.nn.init.eye_(self.module.weight)
        self.length = np.ones(len(vectors), dtype=np.int64)

    def embed(self, rows: NDArray[np.int64]) -> Any:  # noqa: ANN401 - a torch tensor
        """Vectors of some texts, with gradients."""
        import torch

        return self.module(self._vectors[torch.from_numpy(rows)])

    def save(self, folder: Path) -> None:
        """Write the frozen model with the matrix behind it into an empty folder; a static model's table is multiplied.

        A static model's vector is the direction of a mean of rows of its table, so that both come to the same.
        """
        from safetensors.numpy import save_file

        matrix = self.module.weight.detach().numpy()
        _copy(self._folder, folder)
        if inspect(folder).static:
            _multiply_table(folder, matrix)
            return
        listed = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        added = [("Dense", f"{len(listed)}_Dense"), ("Normalize", f"{len(listed) + 1}_Normalize")]
        for kind, part in added:
            (folder / part).mkdir()
            number = len(listed)
            listed.append({"idx": number, "name": str(number), "path": part, "type": LIBRARY + kind})
        width = len(matrix)
        config = {"in_features": width, "out_features": width, "bias": False, "activation_function": IDENTITY}
        (folder / added[0][1] / "config.json").write_text(json.dumps(config), encoding="utf-8")
        save_file({LINEAR: np.ascontiguousarray(matrix)}, folder / added[0][1] / "model.safetensors")
        (folder / "modules.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")


def _freeze_tokens(model: Any) -> None:  # noqa: ANN401 - a SentenceTransformer
    """Keep the token vectors of a transformer: a word that training never saw stays where its like are."""
    transformer = model[0]
    inner = getattr(transformer, "model", None) or transformer.auto_model
    inner.get_input_embeddings().weight.requires_grad_(False)


def _copy(source: Path, to: Path) -> None:
    """Copy a model: its files and those of its modules, and nothing else that lies beside them."""
    for path in [*source.glob("*"), *source.glob("*/*")]:
        if path.is_file() and path.suffix in IDENTITY_SUFFIXES:
            target = to / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    for module in json.loads((source / "modules.json").read_text(encoding="utf-8")):
        (to / module["path"]).mkdir(parents=True, exist_ok=True)


def _multiply_table(folder: Path, matrix: NDArray[np.float32]) -> None:
    """Multiply each row of a table of token vectors by the matrix."""
    from safetensors.numpy import save_file

    from indices.static_model import read_table

    table = read_table(folder / "model.safetensors").astype(np.float64)
    save_file({TABLE: (table @ matrix.T.astype(np.float64)).astype(np.float32)}, folder / "model.safetensors")
