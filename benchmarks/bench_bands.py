"""The single-posting band against a band of constant width, and its scale against shrunk neighbours' residuals.

    python benchmarks/bench_bands.py [postings.parquet [map.toml]]

Without a file: the simulated world. Prints interval scores (smaller is better) and coverage on held-out folds.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from valuation import Workspace
from valuation.core.accuracy import interval_score
from valuation.core.bands import make_scores
from valuation.core.pricing import PRICERS
from valuation.pipeline.model_store import open_model
from valuation.progress import Silent
from valuation.simulation import WorldSettings, simulate_world, write_world


def postings(folder: Path) -> tuple[str, Path | None]:
    if len(sys.argv) > 1:
        return sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None
    files = write_world(simulate_world(WorldSettings(), seed=1), folder / "world")
    return str(files.postings), files.postings_map


def banded(scores, value, sigma, level):
    """Ends from each category's scores: the pricer's own out-of-fold values, without CV+."""
    lower, upper = np.empty(len(value)), np.empty(len(value))
    for category in np.unique(scores.category):
        mine = scores.category == category
        ends = np.quantile(scores.score[mine], [(1 - level) / 2, (1 + level) / 2])
        lower[mine], upper[mine] = (value[mine] + end * sigma[mine] for end in ends)
    return lower, upper


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, mapping = postings(folder)
        work = Workspace.create(folder / "work")
        work.import_postings([file], mapping=mapping)
        settings = Workspace(folder / "work", overrides=["encoder.name=static"]).settings
        model = open_model(work.layout, settings, Silent()).model
        which, level = PRICERS.index("matching"), settings.bands.level
        value, fold = model.value[which], model.pricer.fit.fold
        rho = model.arrays.log_price - value
        nearest = np.where(fold[model.row] != fold[:, None], model.similarity, -1.0).max(axis=1)
        local = (model.weight * rho[model.row] ** 2).sum(axis=1)
        sigmas = {
            "regression on the text": rho / model.scores.score,
            "neighbours, shrunk half-way": np.sqrt((local + local.mean()) / 2),
            "constant": np.ones(len(rho)),
        }
        for words, sigma in sigmas.items():
            lower, upper = banded(make_scores(rho, sigma, value, nearest, fold), value, sigma, level)
            inside = (lower <= model.arrays.log_price) & (model.arrays.log_price <= upper)
            score = interval_score(model.arrays.log_price, lower, upper, level=level).mean()
            by_source = {s: round(float(inside[model.rows["source"] == s].mean()), 3) for s in model.frozen.sources}
            print(f"{words:28s} interval score {score:.3f}  coverage {inside.mean():.3f}  by source {by_source}")


if __name__ == "__main__":
    main()
