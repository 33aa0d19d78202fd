"""The encoder ``static``: the bundled model distilled into a table of token vectors, once, in about 15 seconds."""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from indices.model_files import CODE_VERSION, bundled_folder, fingerprint, sha256
from indices.quiet import quiet
from valuation.errors import EnvironmentFault

DIMENSION = 256  # principal components kept
FREQUENCY_WEIGHT = 1e-3  # of smooth inverse frequency (Arora et al. 2017), frequencies by Zipf's law
REMOVED_TOKENS = r"\[unused\d+\]"
RECIPE = "recipe.json"
FILES = ("model.safetensors", "tokenizer.json", "modules.json")


def recipe() -> dict[str, str | int | float]:
    """Everything the distilled table follows from; checks the bundled weights on the way."""
    source = bundled_folder()
    return {
        "weights": sha256(source / "model.safetensors"),
        "tokenizer": sha256(source / "tokenizer.json"),
        "dimension": DIMENSION,
        "frequency_weight": FREQUENCY_WEIGHT,
        "removed_tokens": REMOVED_TOKENS,
        "model2vec": metadata.version("model2vec"),
        "code": CODE_VERSION,
    }


def is_made(folder: Path) -> bool:
    """Whether `folder` holds the model of today's recipe; another recipe's does not count.

    Raises
    ------
    EnvironmentFault
        A file differs from what was written.
    """
    try:
        written = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise EnvironmentFault(f"{folder / RECIPE}: not readable; delete {folder}, it is made again") from error
    if written.get("recipe") != recipe():
        return False
    for name in FILES:
        if not (folder / name).is_file() or sha256(folder / name) != written["sha256"][name]:
            raise EnvironmentFault(f"{folder / name}: missing or damaged; delete {folder}, it is made again")
    return True


def make(folder: Path) -> None:
    """Distil into `folder` by way of a temporary folder beside it; the same machine gives the same table every time."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tmp-static-") as temporary:
            fresh = Path(temporary) / "fresh"
            fresh.mkdir()
            _distil(fresh)
            written = {"recipe": recipe(), "sha256": {name: sha256(fresh / name) for name in FILES}}
            (fresh / RECIPE).write_text(json.dumps(written, indent=1, sort_keys=True), encoding="utf-8")
            if folder.exists():
                shutil.move(folder, Path(temporary) / "stale")
            fresh.replace(folder)
    except OSError as error:
        raise EnvironmentFault(f"{folder}: the static encoder cannot be written: {error.strerror or error}") from error


def _distil(folder: Path) -> None:
    """Write a sentence-transformers model into `folder`, distilled by model2vec (Tulkens and van Dongen 2024)."""
    with quiet():
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

        table = StaticEmbedding.from_distillation(
            str(bundled_folder()),
            device="cpu",
            pca_dims=DIMENSION,
            sif_coefficient=FREQUENCY_WEIGHT,
            token_remove_pattern=REMOVED_TOKENS,
            quantize_to="float32",
        )
        table.tokenizer.no_truncation()  # inherited from the transformer; a table has no reason to cut
        SentenceTransformer(modules=[table, Normalize()], device="cpu").save(str(folder), create_model_card=False)


def identity() -> str:
    """Fingerprint of the distilled model: of its recipe, so that it is known before the model is made."""
    return fingerprint({"recipe": recipe()})
