"""How well the pricer prices postings it has not seen, what each part of it adds, and how far prices scatter anyway.

    python benchmarks/bench_pricer.py [WORKSPACE] [--encoder NAME]

Without a workspace: a simulated world. Every form is priced on the same five outer folds by unit, each by a model built
on the other four with its own inner folds and penalty. Differences are paired: one bootstrap draw of resampling units
serves both forms. Nothing is written to the workspace but what `valuation run` would write.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from indices.lexical import fit_lexical
from indices.scope import without_money
from valuation import Workspace
from valuation.core.accuracy import squared_correlation, tier, with_interval
from valuation.core.calibration import calibrate
from valuation.core.draws import POSTINGS, exponentials, fold_of
from valuation.core.hedonic import cross_fit
from valuation.core.pricing import PRICERS
from valuation.pipeline.card import FULL_TEXT
from valuation.pipeline.model import basket_features, text_features
from valuation.pipeline.model_store import open_model
from valuation.pipeline.pricing import price_texts
from valuation.pipeline.validation import cross_validate, trained_on
from valuation.progress import Silent
from valuation.simulation import WorldSettings, simulate_world, write_world

FORMS = (  # name, components, their weight, weight of scope: each row adds one thing to the row before
    ("first form", 128, 1.0, 0.0),
    ("384 components of TF-IDF", 384, 1.0, 0.0),
    ("at a quarter of the penalty", 384, 2.0, 0.0),
    ("amounts of work stated", 384, 2.0, 0.1),
)
WEIGHTS = (1.0, 2.0, 4.0)
REPLICATES, LEVEL = 999, 0.95


def workspace(folder: Path, asked: str | None, encoder: str | None) -> Workspace:
    """Open the workspace asked for, or make one of a simulated world."""
    if asked:
        return Workspace(Path(asked), overrides=[f"encoder.name={encoder}"] if encoder else [])
    files = write_world(simulate_world(WorldSettings(), seed=1), folder / "world")
    made = Workspace.create(folder / "work")
    made.import_postings([str(files.postings)], mapping=files.postings_map)
    return Workspace(folder / "work", overrides=[f"encoder.name={encoder or 'static'}"])


def in_form(model, settings, components, weight, scope_weight):
    """Give the model other numbers for words; its vectors, neighbours and folds stay."""
    texts = model.rows["text"].tolist()
    lexical = fit_lexical(
        texts, components=components, seed=settings.pricing.fold_seed, weight=weight, scope_weight=scope_weight
    )
    numbers = lexical.transform(texts)
    mean = numbers.mean(axis=0) if settings.register_.mode == "centred" else np.zeros(numbers.shape[1])
    return replace(model, lexical=numbers, frozen=replace(model.frozen, lexical=lexical, lexical_mean=mean))


def without_sources(model, settings):
    """Price each source by a model of the others, as texts without a market: value of `matching`, shape (n,)."""
    source = model.rows["source"].to_numpy(dtype=object)
    value = np.full(len(source), np.nan)
    for name in model.frozen.sources:
        inside, outside = np.flatnonzero(source != name), np.flatnonzero(source == name)
        part = trained_on(model, inside, settings)
        lexical = model.lexical[outside] - part.frozen.lexical_mean
        features = text_features(model.vectors[outside], lexical, part.frozen, source="")
        value[outside] = price_texts(part, model.vectors[outside], features, settings, Silent()).value[0]
    return value


def weights_of(y, full, source):
    """Weights of each posting under the three measures; sources count alike under the last."""
    one, tiers = np.ones(len(y)), np.where(full, tier(y), -1)
    size = np.array([max(np.sum(tiers == t), 1) for t in range(4)])
    balanced = np.where(tiers >= 0, 1 / size[tiers], 0.0)
    return {"natural": one, "full text": full.astype(float), "full text, tier-weighted": balanced}


def across_sources(y, v, weight, source):
    """Mean over sources of the squared correlation within each, shape of `weight` without its last axis."""
    inside = [np.flatnonzero(source == name) for name in np.unique(source.astype(str))]
    return np.mean([squared_correlation(y[i], v[i], weight[..., i]) for i in inside], axis=0)


def show(words, point, draws):
    found = with_interval(float(point), draws, level=LEVEL)
    print(f"  {words:62s} {found.estimate:7.4f}  [{found.lower:7.4f}, {found.upper:7.4f}]", flush=True)


def ablate(model, settings, draw):
    """Price every form on the same folds and print it beside the form before and the first."""
    y = model.arrays.log_price
    full = np.array([len(text) >= FULL_TEXT for text in model.rows["text"]])
    source = model.rows["source"].to_numpy(dtype=object)
    measures = {name: w for name, w in weights_of(y, full, source).items() if (w > 0).any()}
    tiers = np.bincount(tier(y[full])[tier(y[full]) >= 0], minlength=4)
    print(f"{len(y):,} postings, {full.sum():,} of at least {FULL_TEXT} characters, by tier {tiers.tolist()}")
    values = {}
    for name, *form in FORMS:
        began = time.perf_counter()
        formed = in_form(model, settings, *form)
        held = cross_validate(formed, settings, Silent())
        p = model.vectors.shape[1] + formed.lexical.shape[1] + len(model.frozen.sources) + len(model.frozen.months)
        print(f"\n{name}: {p} features, {time.perf_counter() - began:.0f} s", flush=True)
        for which, pricer in enumerate(PRICERS):
            for measure, w in measures.items():
                v = held.value[which]
                show(f"{pricer}, {measure}", squared_correlation(y, v, w), squared_correlation(y, v, draw * w))
        values[name] = held.value[0]
    names = list(values)
    print("\nmatching, paired differences of squared correlations")
    pairs = [*zip(names, names[1:], strict=False), (names[0], names[-1])]
    for old, new in pairs:
        for measure, w in measures.items():
            before, after = (
                [squared_correlation(y, values[name], each) for each in (w, draw * w)] for name in (old, new)
            )
            show(f"{new} - {old}, {measure}"[:62], after[0] - before[0], after[1] - before[1])
    return values, measures


def leave_sources_out(model, settings, draw):
    """The same of leaving one source out, for the first and the last form."""
    y, source = model.arrays.log_price, model.rows["source"].to_numpy(dtype=object)
    if len(model.frozen.sources) < 2:
        return
    print("\nleave one source out, matching: squared correlation within the source left out")
    value = {name: without_sources(in_form(model, settings, *form), settings) for name, *form in (FORMS[0], FORMS[-1])}
    one = np.ones(len(y))
    for name, v in value.items():
        for s in model.frozen.sources:
            i = np.flatnonzero(source == s)
            show(f"{name}: {s} (n {len(i):,}; slope {calibrate(y[i], v[i]).slope:.2f})",
                 squared_correlation(y[i], v[i], one[i]), squared_correlation(y[i], v[i], draw[:, i]))  # fmt: skip
        show(f"{name}: mean over sources", across_sources(y, v, one, source), across_sources(y, v, draw, source))
    first, last = value.values()
    point = across_sources(y, last, one, source) - across_sources(y, first, one, source)
    moved = across_sources(y, last, draw, source) - across_sources(y, first, draw, source)
    show("last - first, mean over sources", point, moved)


def choices(model, settings):
    """Which weight of the components inner validation chooses within each outer training part."""
    print(f"\nweight of the components with the least inner error, of {WEIGHTS}, by outer training part")
    fold, chosen = model.pricer.fit.fold, []
    formed = in_form(model, settings, 384, 1.0, 0.1)
    n_components = len(formed.frozen.lexical.components)
    for f in range(model.pricer.fit.n_folds):
        inside = np.flatnonzero(fold != f)
        rows = model.rows.iloc[inside]
        inner = fold_of(model.arrays.unit_key, folds=settings.pricing.folds, seed=settings.pricing.fold_seed + 1)
        errors = []
        for weight in WEIGHTS:
            numbers = formed.lexical[inside].copy()
            numbers[:, :n_components] *= weight
            x = basket_features(model.vectors[inside], numbers, rows, formed.frozen)
            fit = cross_fit(x, model.arrays.log_price[inside], inner[model.arrays.unit[inside]],
                            penalties=settings.pricing.penalties)  # fmt: skip
            errors.append(fit.penalty_error.min())
        chosen.append(WEIGHTS[int(np.argmin(errors))])
    print("  " + ", ".join(f"{weight:g}" for weight in chosen))


def floor(model, values, draw):
    """Half the mean squared difference of log prices between near texts of different units: what no text can tell."""
    y, unit = model.arrays.log_price, model.arrays.unit
    variance = y.var()
    print(f"\nnoise: half the mean squared difference of log prices of two postings (variance of all {variance:.3f})")
    left, right = np.repeat(np.arange(len(y)), model.row.shape[1]), model.row.ravel()
    keep = (unit[left] != unit[right]) & (left < right)
    left, right, near = left[keep], right[keep], model.similarity.ravel()[keep]
    for low, high in ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 1.01)):
        pair = (near >= low) & (near < high)
        if pair.sum() < 30:
            continue
        gap = (y[left[pair]] - y[right[pair]]) ** 2 / 2
        weight = draw[:, left[pair]] * draw[:, right[pair]]
        nugget = weight @ gap / weight.sum(axis=1)
        show(f"similarity {low:.2f} to {high:.2f}, {pair.sum():,} pairs", gap.mean(), nugget)
    has = np.array([without_money(text) != text and "$" in text for text in model.rows["text"]])
    for words, mine in (("texts that state dollars", has), ("other texts", ~has)):
        if mine.sum() > 30:
            v = values[FORMS[-1][0]]
            show(f"last form, natural, {words} (n {mine.sum():,})",
                 squared_correlation(y[mine], v[mine], np.ones(mine.sum())),
                 squared_correlation(y[mine], v[mine], draw[:, mine]))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", nargs="?")
    parser.add_argument("--encoder", help="default: the workspace's; static for the simulated world")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = workspace(Path(name), asked.workspace, asked.encoder)
        settings = work.settings
        model = open_model(work.layout, settings, Silent()).model
        keys = model.arrays.unit_key
        drawn = exponentials(keys, seed=settings.bootstrap.seed, stream=POSTINGS, first=0, count=REPLICATES)
        draw = drawn[:, model.arrays.unit]
        values, _ = ablate(model, settings, draw)
        choices(model, settings)
        leave_sources_out(model, settings, draw)
        floor(model, values, draw)


if __name__ == "__main__":
    main()
