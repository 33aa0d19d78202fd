"""What trained encoders change: squared correlation of log prices on postings that none of them saw.

``python benchmarks/bench_train_encoder.py WORKSPACE NAME...`` opens, for each encoder that ``valuation train-encoder``
made in the workspace, the basket that it left, with it and with the encoder that it began as, and prints both,

* out of fold: five folds by unit, sources mixed in training as in test;
* unseen sources: each source priced by a basket without it, source means taken out of prices and values, since nothing
  tells the price level of a market that was never seen;

with 95 % intervals of the difference from one bootstrap by unit for both (paired).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from valuation.config import load
from valuation.core.accuracy import squared_correlation, with_interval
from valuation.core.draws import POSTINGS, exponentials
from valuation.core.pricing import PRICERS
from valuation.pipeline.encoder_check import compare, named
from valuation.pipeline.model import text_features
from valuation.pipeline.model_store import open_model
from valuation.pipeline.pricing import price_texts
from valuation.pipeline.validation import trained_on
from valuation.progress import Silent
from valuation.storage import open_layout

if TYPE_CHECKING:
    from valuation.config import Settings
    from valuation.pipeline.model import PriceModel


def unseen_sources(model: PriceModel, settings: Settings) -> np.ndarray:
    """Values of every cluster by a basket without its source, shape (3, n), less the source's mean value."""
    source = model.rows["source"].to_numpy(str)
    value = np.empty((len(PRICERS), len(source)))
    for one in np.unique(source):
        outside = np.flatnonzero(source == one)
        part = trained_on(model, np.flatnonzero(source != one), settings)
        lexical = model.lexical[outside] - part.frozen.lexical_mean
        features = text_features(model.vectors[outside], lexical, part.frozen, source="")
        found = price_texts(part, model.vectors[outside], features, settings, Silent()).value
        value[:, outside] = found - found.mean(axis=1, keepdims=True)
    return value


def without_source_means(model: PriceModel) -> np.ndarray:
    """Log prices less their source's mean, shape (n,)."""
    y = model.rows["log_price"]
    return (y - y.groupby(model.rows["source"].to_numpy()).transform("mean")).to_numpy()


def differences(before: PriceModel, after: PriceModel, settings: Settings) -> list[tuple[str, float, float, str]]:
    """Pricer, before, after and the interval of the difference, on unseen sources."""
    y, rows = without_source_means(after), []
    old, new = unseen_sources(before, settings), unseen_sources(after, settings)
    drawn = exponentials(after.arrays.unit_key, seed=1, stream=POSTINGS, first=0, count=399)[:, after.arrays.unit]
    even = np.ones((1, len(y)))
    for which, pricer in enumerate(PRICERS):
        one, two = (float(squared_correlation(y, value[which], even)[0]) for value in (old, new))
        spread = squared_correlation(y, new[which], drawn) - squared_correlation(y, old[which], drawn)
        found = with_interval(two - one, spread, level=0.95)
        rows.append((pricer, one, two, f"{found.estimate:+.3f} [{found.lower:+.3f}, {found.upper:+.3f}]"))
    return rows


def main() -> None:
    """Print one block a trained encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    layout = open_layout(given.workspace)
    settings = load(layout.settings, given.overrides)
    for name in given.names:
        before, after = (
            open_model(layout, named(settings, f"{kind}:{name}"), Silent()).model for kind in ("base", "trained")
        )
        print(f"{name}: {len(after.rows):,} clusters left in the basket")
        for row in compare(before, after, settings).itertuples(index=False):
            print(
                f"  out of fold     {row.pricer:<10} {row.before:.3f} -> {row.after:.3f}  "
                f"{row.difference:+.3f} [{row.lower:+.3f}, {row.upper:+.3f}]"
            )
        for pricer, old, new, found in differences(before, after, settings):
            print(f"  unseen sources  {pricer:<10} {old:.3f} -> {new:.3f}  {found}")


if __name__ == "__main__":
    main()
