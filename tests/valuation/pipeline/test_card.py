"""The pricer card from held-out arrays made by hand: which rows it has, and what stands in them."""

from dataclasses import replace

import numpy as np
import pytest

from indices.scope import NAMES
from valuation.config import load
from valuation.core.calibration import apply, calibrate
from valuation.core.pricing import PRICERS
from valuation.pipeline.card import FULL_TEXT, validation_table
from valuation.pipeline.model_store import basket_id, open_model
from valuation.pipeline.validation import HeldOut, cross_validate, trained_on
from valuation.progress import Silent
from valuation.tables.schemas import CARD_SAMPLES
from valuation.workspace import Workspace

N = 1200


def held(seed=0):
    """Prices on a line of slope 0.5 and intercept 3 in the value before correction, with known cells and bands."""
    rng = np.random.default_rng(seed)
    raw = np.stack([rng.normal(5, 1.5, N) for _ in PRICERS])
    noise = rng.normal(0, 0.8, N)
    noise -= np.polyval(np.polyfit(raw[0], noise, 1), raw[0])  # the line below is then the least-squares line
    y = 3 + 0.5 * raw[0] + noise
    lines = np.array([[3.0, 0.5], [0.0, 1.0], [0.0, 1.0]])
    return HeldOut(
        log_price=y,
        value=raw,
        raw=raw,
        corrected=lines[:, :1] + lines[:, 1:] * raw,
        single_lower=y - np.where(np.arange(N) % 10 == 0, -0.1, 1.0),  # misses every tenth
        single_upper=y + 1.5,
        typical_lower=y - np.where(np.arange(N) % 2 == 0, -0.1, 0.1),  # holds every second
        typical_upper=y + 0.3,
        constant_lower=y - 2.0,
        constant_upper=y + 2.0,
        similarity=rng.uniform(0.2, 0.9, N),
        category=np.arange(N) % 4,
        characters=np.where(np.arange(N) % 3 == 0, FULL_TEXT, FULL_TEXT - 1),
        unit=np.arange(N) // 2,
        unit_key=np.arange(N // 2, dtype=np.uint64) + 7,
        source=np.where(np.arange(N) % 5 == 0, "a", "b"),
        month=np.where(np.arange(N) % 7 == 0, "2025-01", "2025-02"),
    )


@pytest.fixture(scope="module")
def card():
    return validation_table(held(), load(), sample="natural")


def rows(card, measure, by="", pricer="matching", sample="natural"):
    return card[
        (card["measure"] == measure) & (card["cell_by"] == by) & (card["pricer"] == pricer) & (card["sample"] == sample)
    ]


def test_slope_and_intercept_before_and_after_the_correction(card):
    for measure, expected in (
        ("slope_raw", 0.5), ("intercept_raw", 3.0), ("slope_corrected", 1.0), ("intercept_corrected", 0.0),
    ):  # fmt: skip
        (row,) = rows(card, measure).to_dict(orient="records")
        assert row["lower"] < row["estimate"] < row["upper"]
        assert row["estimate"] == pytest.approx(expected, abs=1e-9)
    (raw,), (corrected,) = (rows(card, f"slope_{name}")["estimate"] for name in ("raw", "corrected"))
    assert corrected == pytest.approx(2 * raw)
    assert rows(card, "slope_raw", pricer="hedonic")["estimate"].item() == pytest.approx(0, abs=0.1)


def test_the_slope_is_least_squares(card):
    made = held()
    slope, intercept = np.polyfit(made.raw[0], made.log_price, 1)
    assert rows(card, "slope_raw")["estimate"].item() == pytest.approx(slope)
    assert rows(card, "intercept_raw")["estimate"].item() == pytest.approx(intercept)


def test_calibration_stands_in_cells_that_the_price_did_not_choose(card):
    assert set(card.loc[card["measure"] == "slope_raw", "cell_by"]) == {
        "", "predicted", "similarity", "source", "month",
    }  # fmt: skip
    made = held()
    error = made.log_price - made.corrected[0]
    for name in ("a", "b"):
        found = rows(card, "mean_error_corrected", "source").set_index("cell").loc[name]
        assert found["estimate"] == pytest.approx(error[made.source == name].mean())
        assert found["n"] == (made.source == name).sum()
        assert found["lower"] < found["estimate"] < found["upper"]


def test_both_bands_are_counted_and_measured_in_every_cell(card):
    for by in ("", "predicted", "similarity", "source", "month", "tier", "mondrian"):
        for band, share, width in (("single", 0.9, 2.5), ("typical", 0.5, 0.4)):
            covered = rows(card, f"{band}_coverage", by)
            outside = 0 if by != "tier" else N - int(covered["n"].sum())  # prices outside $10 to $50,000 have no tier
            assert 0 <= outside < 10  # noqa: PLR2004
            assert (covered["estimate"] * covered["n"]).sum() == pytest.approx(share * N, abs=max(outside, 1e-6))
            assert covered["n"].sum() == N - outside
            assert (covered["lower"] < covered["upper"]).all()
            widths = rows(card, f"{band}_width", by)
            assert widths["estimate"].between(width - 1.11, width + 0.1).all()


def test_mondrian_cells_are_named_by_fifth_and_third(card):
    names = rows(card, "single_coverage", "mondrian")["cell"].tolist()
    assert names == [f"fifth 1, third {third}" for third in (1, 2, 3)] + ["fifth 2, third 1"]


def test_full_texts_stand_apart(card):
    made = held()
    full = made.characters >= FULL_TEXT
    (row,) = rows(card, "squared_correlation", sample="full_text").to_dict(orient="records")
    assert row["n"] == full.sum() == N // 3
    assert row["estimate"] == pytest.approx(np.corrcoef(made.log_price[full], made.value[0, full])[0, 1] ** 2)


def test_tier_weighted_measures_count_each_tier_alike():
    made = held()
    price = np.exp(made.log_price)
    tiers = np.digitize(price, [200, 1000, 5000])
    spread = replace(made, log_price=np.log(np.array([50, 500, 2000, 9000.0])[np.arange(N) % 4]), category=tiers * 0)
    table = validation_table(spread, load(), sample="natural")
    for sample, inside in (
        ("tier_weighted", np.ones(N, bool)), ("full_text_tier_weighted", made.characters >= FULL_TEXT),
    ):  # fmt: skip
        (row,) = rows(table, "squared_correlation", sample=sample).to_dict(orient="records")
        tier = np.arange(N) % 4
        weight = np.where(inside, 1 / np.bincount(tier[inside])[tier], 0.0)
        cov = np.cov(spread.log_price, spread.value[0], aweights=weight)
        assert row["estimate"] == pytest.approx(cov[0, 1] ** 2 / cov[0, 0] / cov[1, 1])
        assert row["n"] == inside.sum()


def test_without_full_texts_there_is_no_such_row():
    short = replace(held(), characters=np.full(N, FULL_TEXT - 1))
    table = validation_table(short, load(), sample="natural")
    assert not table["sample"].str.startswith("full_text").any()


def test_a_holdout_keeps_its_name():
    table = validation_table(held(), load(), sample="holdout")
    assert set(table["sample"]) == set(CARD_SAMPLES[4:])
    assert "full_text" not in set(table["sample"])


def test_how_words_count_is_part_of_the_basket_s_identity(work, fast):
    asked = ("lexical_weight=1.5", "scope_weight=0", "lexical_components=8")
    others = [Workspace(work.layout.root, overrides=[*fast, f"pricing.{one}"]).settings for one in asked]
    assert len({basket_id(work.layout, settings) for settings in (work.settings, *others)}) == 1 + len(asked)


def test_the_basket_s_words_end_with_its_amounts_of_work(work):
    model = open_model(work.layout, work.settings, Silent()).model
    assert model.lexical.shape[1] == len(model.frozen.lexical.components) + len(NAMES)
    assert model.frozen.lexical.weight == work.settings.pricing.lexical_weight == 2.0  # noqa: PLR2004
    assert np.array_equal(model.lexical, model.frozen.lexical.transform(model.rows["text"].tolist()))


def test_the_correction_of_a_held_out_fold_is_that_of_the_others(work):
    model = open_model(work.layout, work.settings, Silent()).model
    found = cross_validate(model, work.settings, Silent())
    assert np.array_equal(found.value, found.raw)  # nothing is applied by default
    fold = model.pricer.fit.fold
    part = trained_on(model, np.flatnonzero(fold != 0), work.settings)
    for which in range(len(PRICERS)):
        line = calibrate(part.arrays.log_price, part.value[which])
        expected = apply(line, found.raw[which, fold == 0])
        np.testing.assert_allclose(found.corrected[which, fold == 0], expected, rtol=1e-9)
    assert (found.typical_lower < found.value[0]).all()
    assert (found.value[0] < found.typical_upper).all()
    assert found.characters.tolist() == [len(text) for text in model.rows["text"]]
    assert set(found.category) <= set(range(15))
