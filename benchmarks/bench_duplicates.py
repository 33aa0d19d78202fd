"""Near-duplicate clusters: how time grows, against all-pairs TF-IDF cosine in the same run.

Texts are simulated postings of the replay server's grammar, long ones, a fifth of them reposts with a word changed.
Usage: python benchmarks/bench_duplicates.py [SIZES …]   (default 10000 20000 100000 400000; all pairs up to 20000)
"""

from __future__ import annotations

import sys
import time

import numpy as np

from indices.duplicates import duplicate_clusters

SIZES = (10_000, 20_000, 100_000, 400_000)
ALL_PAIRS_UP_TO = 20_000
WORDS = 60


def make_texts(size):
    """Texts of sixty words from a vocabulary with a long tail; every fifth repeats the one before but for a word."""
    rng = np.random.default_rng(20261122)
    vocabulary = np.array([f"word{n}" for n in range(20_000)])
    ranks = np.minimum(rng.zipf(1.3, size=(size, WORDS)) - 1, len(vocabulary) - 1)
    texts = []
    for row in range(size):
        if row % 5 == 4:
            words = texts[-1].split(" ")
            words[int(ranks[row, 0]) % WORDS] = "changed"
            texts.append(" ".join(words))
        else:
            texts.append(" ".join(vocabulary[ranks[row]]))
    return texts


def all_pairs(texts, *, similarity):
    """Pairs of TF-IDF cosine at least `similarity`, by blocks of the full matrix product."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    matrix = TfidfVectorizer().fit_transform(texts)
    pairs = 0
    for begin in range(0, len(texts), 1000):
        block = matrix[begin : begin + 1000] @ matrix.T
        pairs += int((block.data >= similarity).sum())
    return (pairs - len(texts)) // 2


def main():
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    duplicate_clusters(make_texts(100), similarity=0.9, seed=1)
    print(f"{'texts':>8} {'ours, s':>8} {'us a text':>10} {'clusters':>9} {'all pairs, s':>13} {'ratio':>6}")
    for size in sizes:
        texts = make_texts(size)
        began = time.perf_counter()
        clusters = len(set(duplicate_clusters(texts, similarity=0.9, seed=1).tolist()))
        ours = time.perf_counter() - began
        theirs = ratio = "-"
        if size <= ALL_PAIRS_UP_TO:
            began = time.perf_counter()
            all_pairs(texts, similarity=0.9)
            seconds = time.perf_counter() - began
            theirs, ratio = f"{seconds:.1f}", f"{seconds / ours:.1f}"
        print(f"{size:8,} {ours:8.1f} {1e6 * ours / size:10.0f} {clusters:9,} {theirs:>13} {ratio:>6}", flush=True)


if __name__ == "__main__":
    main()
