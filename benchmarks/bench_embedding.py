"""Our batching against sentence-transformers' default loop: same model, same texts, same process.

``python benchmarks/bench_embedding.py FILE...`` reads texts from each file (``summary``, else title, description and
skills; CSV or Parquet), keeps those that both read whole, and prints seconds and their ratio. Rounds alternate, and the
fastest counts, so that other work on the machine weighs on both alike. Without files, texts are made up.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from indices.encoders import open_encoder
from indices.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable


def texts_of(path: Path, limit: int, seed: int) -> list[str]:
    """Up to `limit` distinct texts of a file, drawn by `seed`."""
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    columns = ["summary"] if "summary" in frame else [c for c in ("title", "description", "skills") if c in frame]
    joined = frame[columns].fillna("").agg("\n".join, axis=1).str.strip()
    kept = joined[joined != ""].drop_duplicates()
    return kept.sample(min(limit, len(kept)), random_state=seed).tolist()


def made_up(n: int, seed: int) -> list[str]:
    """Texts of 3 to 200 made-up words: many short, some long, as postings are."""
    rng = np.random.default_rng(seed)
    words = np.array([f"{a}{b}" for a in ("build", "site", "data", "logo", "fix") for b in ("", "s", "er", "ing")])
    lengths = rng.lognormal(3, 1, n).astype(int).clip(3, 200)
    return [f"{row} " + " ".join(rng.choice(words, length)) for row, length in enumerate(lengths)]


def timed(run: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Seconds of one call, and its result."""
    began = time.perf_counter()
    result = run()
    return time.perf_counter() - began, result


def compare(texts: list[str], *, batch_tokens: int, rounds: int) -> None:
    """Print the seconds of both loops, their ratio, and the largest difference of their vectors."""
    with tempfile.TemporaryDirectory() as models:
        ours = open_encoder("bundled", models_dir=Path(models), max_tokens=256, batch_tokens=batch_tokens)
    with quiet():
        from sentence_transformers import SentenceTransformer

        theirs = SentenceTransformer(ours.card.path)
    reads = theirs.tokenizer.backend_tokenizer
    reads.no_truncation()
    whole = [text for text in texts if len(reads.encode(text).ids) <= 256]
    seconds: dict[str, list[float]] = {"ours": [], "default": []}
    for _ in range(rounds):
        spent, mine = timed(lambda: ours.encode(whole).vectors)
        seconds["ours"].append(spent)
        spent, default = timed(lambda: theirs.encode(whole, normalize_embeddings=True, show_progress_bar=False))
        seconds["default"].append(spent)
    best = {name: min(spent) for name, spent in seconds.items()}
    print(f"texts {len(whole)} of {len(texts)} (the others are longer than the default loop reads)")
    for name, spent in best.items():
        print(f"{name:8} {spent:8.2f} s {len(whole) / spent:8.0f} texts/s")
    print(f"ratio    {best['default'] / best['ours']:8.2f}   largest difference {np.abs(mine - default).max():.1e}")


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--limit", type=int, default=1500, help="texts a file")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    texts = [text for path in args.files for text in texts_of(path, args.limit, args.seed)]
    compare(texts or made_up(args.limit, args.seed), batch_tokens=args.batch_tokens, rounds=args.rounds)


if __name__ == "__main__":
    main()
