"""The predictions beside a pricer card: every figure of the card worked out from them again, in plain numpy."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from valuation.config import load
from valuation.core.pricing import PRICERS
from valuation.errors import ThinMatchError
from valuation.pipeline import card_store
from valuation.pipeline.card import validation_table
from valuation.pipeline.model_store import MEMBERS, open_model
from valuation.pipeline.predictions import predictions_table
from valuation.pipeline.validate import RowsLeftOut, ValidationResult
from valuation.pipeline.validation import HeldOut
from valuation.progress import Silent
from valuation.storage import read_postings
from valuation.tables import HoldoutPredictions, Validation, ValidationPredictions, read_table
from valuation.tables.schemas import CARD_SAMPLES
from valuation.workspace import Workspace

N = 900
EDGES = (10.0, 200.0, 1000.0, 5000.0)


def made():
    """Held-out arrays of all tiers, with their rows."""
    rng = np.random.default_rng(3)
    y = np.log(np.geomspace(8, 60000, N))[rng.permutation(N)]
    value = y * 0.5 + 2 + rng.normal(0, 1, (3, N))
    single, typical = rng.uniform(0.5, 3, (2, N)), rng.uniform(0.1, 0.6, (2, N))
    held = HeldOut(
        log_price=y, value=value, raw=value + 0.1, corrected=0.9 * value + 0.3,
        single_lower=value[0] - single[0], single_upper=value[0] + single[1],
        typical_lower=value[0] - typical[0], typical_upper=value[0] + typical[1],
        constant_lower=value[0] - 1.5, constant_upper=value[0] + 1.7,
        similarity=rng.uniform(0, 1, N), category=rng.integers(0, 15, N), characters=rng.integers(0, 600, N),
        unit=np.arange(N) // 2, unit_key=np.arange(N // 2, dtype=np.uint64),
        source=np.where(np.arange(N) % 5 == 0, "a", "b"), month=np.where(np.arange(N) % 3 == 0, "2025-01", "2025-02"),
    )  # fmt: skip
    ids = [f"p{i:04d}" for i in range(N)]
    rows = pd.DataFrame({"posting_id": ids, "cluster_id": ids})
    return held, predictions_table(held, rows, [f"u{i}" for i in range(N // 2)], rows)


def squared(table, pricer, weight):
    y, v = table["log_price"].to_numpy(), table[f"log_value_{pricer}"].to_numpy()
    weight = np.asarray(weight, dtype=float) / np.sum(weight)
    y, v = y - weight @ y, v - weight @ v
    return (weight @ (y * v)) ** 2 / ((weight @ y**2) * (weight @ v**2))


def cells(table):
    """Names of the card's cells that each row is in, by what they are cells of."""
    fifth = np.searchsorted(
        np.quantile(table["log_value_matching"], [0.2, 0.4, 0.6, 0.8]), table["log_value_matching"], "right"
    )
    third = np.searchsorted(np.quantile(table["similarity_max"], [1 / 3, 2 / 3]), table["similarity_max"], "right")
    return table.assign(
        predicted=[f"{part + 1} of 5" for part in fifth], similarity=[f"{part + 1} of 3" for part in third]
    )  # fmt: skip


def worked_out(table, prefix=""):
    """{(pricer, sample, cell_by, cell, measure): estimate} of a card, from its predictions alone."""
    found = {}
    natural, part = (prefix or "natural"), f"{prefix}_" if prefix else ""
    tiers = np.digitize(np.exp(table["log_price"]) * (1 + 1e-12), EDGES)  # a price of $200 is of the second tier
    for pricer in PRICERS:
        error = table["log_price"] - table[f"log_value_{pricer}"]
        found[pricer, natural, "", "", "squared_correlation"] = squared(table, pricer, np.ones(len(table)))
        found[pricer, natural, "", "", "mean_error"] = error.mean()
        found[pricer, natural, "", "", "mean_absolute_error"] = error.abs().mean()
        found[pricer, natural, "", "", "root_mean_squared_error"] = np.sqrt((error**2).mean())
        for name in ("raw", "corrected"):
            line = np.polyfit(table[f"log_value_{pricer}_{name}"], table["log_price"], 1)
            found[pricer, natural, "", "", f"slope_{name}"], found[pricer, natural, "", "", f"intercept_{name}"] = line
        for name, rows in table.groupby("tier"):
            found[pricer, natural, "tier", name, "predicted_over_actual"] = np.exp(-error[rows.index].mean())
        full = table[table["full_text"]]
        found[pricer, f"{part}full_text", "", "", "squared_correlation"] = squared(full, pricer, np.ones(len(full)))
        for sample, rows, weight in (
            ("tier_weighted", table, "tier_weight"), ("full_text_tier_weighted", full, "full_text_tier_weight"),
        ):  # fmt: skip
            inside = rows[rows[weight].notna()]
            if len(inside):
                n = pd.Series(tiers, index=table.index)[inside.index]
                np.testing.assert_allclose(inside[weight], 1 / n.map(n.value_counts()))
                score = squared(inside, pricer, inside[weight])
                found[pricer, f"{part}{sample}", "", "", "squared_correlation"] = score
    celled = cells(table).assign(**{"": ""})
    for by in ("", "tier", "predicted", "similarity", "source", "month", "mondrian"):
        for cell, rows in celled.groupby(by):
            for band in ("single", "typical"):
                lower, upper = rows[f"log_{band}_lower"], rows[f"log_{band}_upper"]
                held = ((lower <= rows["log_price"]) & (rows["log_price"] <= upper)).mean()
                found["matching", natural, by, cell, f"{band}_coverage"] = held
                found["matching", natural, by, cell, f"{band}_width"] = (upper - lower).median()
    for name, band in (("interval_score", "single"), ("interval_score_constant", "constant")):
        y, lower, upper = table["log_price"], table[f"log_{band}_lower"], table[f"log_{band}_upper"]
        missed = (lower - y).clip(lower=0) + (y - upper).clip(lower=0)
        found["matching", natural, "", "", name] = (upper - lower + missed * 2 / 0.1).mean()
    return found


def agrees(card, table, prefix=""):
    """Compare what was worked out with the card; returns how many figures there were."""
    keys = ["pricer", "sample", "cell_by", "cell", "measure"]
    stated = card.set_index(keys)["estimate"]
    found = pd.Series(worked_out(table, prefix))
    assert set(found.index) <= set(stated.index)
    np.testing.assert_allclose(stated[found.index].to_numpy(float), found.to_numpy(float), rtol=0, atol=1e-9)
    rest = ~pd.MultiIndex.from_frame(card[keys]).isin(found.index) & (card["n"] > 0)  # a tier may have no rows
    left = card.loc[rest, "measure"].unique()
    assert set(left) <= {
        "slope", "interval_score_difference", "mean_error_raw", "mean_error_corrected", "slope_raw", "slope_corrected",
    }, "what is not worked out here is made of the same columns"  # fmt: skip
    return len(found)


@pytest.mark.parametrize("sample", ["natural", "holdout"])
def test_a_card_is_worked_out_from_its_predictions(sample):
    held, table = made()
    card = validation_table(held, load(), sample=sample)
    ours = CARD_SAMPLES[:4] if sample == "natural" else CARD_SAMPLES[4:]
    assert tuple(card["sample"].unique()) and set(card["sample"]) == set(ours)
    assert agrees(card, table, "" if sample == "natural" else "holdout") > 100  # noqa: PLR2004
    assert table["unit"].tolist()[:4] == ["u0", "u0", "u1", "u1"]
    outside = np.exp(table["log_price"]).between(10, 50000, inclusive="both")
    assert table["tier"].notna().tolist() == outside.tolist() and not outside.all()


def test_without_a_tier_nothing_is_weighted():
    held, table = made()
    cheap = table["tier"].eq("$10-200").to_numpy()
    part = {
        name: np.asarray(getattr(held, name))[..., cheap] for name in HeldOut.__dataclass_fields__ if name != "unit_key"
    }
    rows = table[cheap].reset_index(drop=True)
    few = predictions_table(HeldOut(**part, unit_key=held.unit_key), rows, [f"u{i}" for i in range(N // 2)], rows)
    assert few["tier_weight"].isna().all() and few["full_text_tier_weight"].isna().all()
    assert few["unit"].tolist() == rows["unit"].tolist()


def test_the_folds_predictions_lie_beside_the_card(work):
    result = work.validate()
    assert result.predictions == result.path.with_name("validation_predictions.parquet")
    table = read_table(result.predictions, ValidationPredictions)
    agrees(read_table(result.path, Validation), table)
    assert len(table) == result.n == result.table.loc[result.table["sample"] == "natural", "n"].max()
    opened = open_model(work.layout, work.settings, Silent())
    assert table["posting_id"].tolist() == opened.model.rows["posting_id"].tolist()
    assert table["fold"].tolist() == opened.model.pricer.fit.fold.tolist()
    assert table["unit"].tolist() == [opened.model.unit_id[unit] for unit in opened.model.arrays.unit]
    assert table["log_price"].tolist() == opened.model.rows["log_price"].tolist()
    members = pq.ParquetFile(work.layout.indices / opened.basket_id / MEMBERS).read().to_pandas()
    stated = [
        (name, cluster)
        for ids, cluster in zip(table["members"], table["cluster_id"], strict=True)
        for name in json.loads(ids)
    ]
    assert sorted(stated) == sorted(members.itertuples(index=False, name=None))
    assert result.left_out == ()


def test_no_text_of_a_posting_is_in_them(work):
    table = read_table(work.validate().predictions, ValidationPredictions)
    texts = {text for text in read_postings(work.layout)["title"].dropna() if len(text) > 20}  # noqa: PLR2004
    assert texts and not texts & {cell for column in table.select_dtypes("str") for cell in table[column]}
    assert not [name for name in table.columns if re.search("title|description|skills|client|^text", name)]


def test_a_card_without_predictions_is_made_again(work, monkeypatch):
    """As by an earlier version, or where the file was deleted; with both, nothing is priced."""
    opened = open_model(work.layout, work.settings, Silent())
    card, kept = card_store.card_with_predictions(work.layout, work.settings, opened, Silent())
    _, beside = card_store._paths(work.layout, work.settings, opened)
    beside.unlink()
    again, made_again = card_store.card_with_predictions(work.layout, work.settings, opened, Silent())
    pd.testing.assert_frame_equal(again, card)
    pd.testing.assert_frame_equal(made_again, kept)

    def thin(*_):
        raise ThinMatchError("too few")

    monkeypatch.setattr("valuation.pipeline.validation.cross_validate", thin)
    assert len(card_store.card_with_predictions(work.layout, work.settings, opened, Silent())[1]) == len(kept)
    assert len(card_store.pricer_card(work.layout, work.settings, opened, Silent())) == len(card)
    fewer = Workspace(work.layout.root, overrides=["bands.level=0.8"]).settings
    table, predictions = card_store.card_with_predictions(work.layout, fewer, opened, Silent())
    assert table.empty and predictions.empty


def test_a_holdout_says_what_it_left_out(work, world_files, tmp_path):
    """Rows of the file = rows priced + rows left out, each with its reason; the predictions give the card."""
    source = pd.read_csv(world_files.postings, dtype=str, keep_default_na=False)
    fixed = source[
        (source["terms"] == "Fixed price") & source["budget"].str.fullmatch(r"\$\d+") & (source["client"] != "")
    ]
    rng = np.random.default_rng(0)
    words = np.array("harbour mural violin orchard glacier lantern pottery saddle compass bakery".split())
    fresh = fixed.head(40).assign(
        job_ref=[f"new{i}" for i in range(40)], client=[f"stranger{i}" for i in range(40)], tags="",
        headline=[" ".join(rng.choice(words, 6)) + f" number {i}" for i in range(40)],
        details=[" ".join(rng.choice(words, 60)) for _ in range(40)], budget=[f"${20 + 15 * i}" for i in range(40)],
    )  # fmt: skip
    twin = fresh.head(1).assign(job_ref="twin", client="another")
    unread = fresh.head(1).assign(job_ref="bad", budget="$0")
    dear = fresh.tail(1).assign(job_ref="dear", budget="$900,000", headline="Different", details="quite another text")
    known = fixed.tail(3)
    long = fixed[fixed["details"].str.len() > 300].iloc[[0, 0]]  # noqa: PLR2004 - few words may be alike by chance
    seen = long.assign(job_ref=["s1", "s2"], client=["t1", "t2"])
    path = tmp_path / "held.csv"
    pd.concat([fresh, twin, unread, dear, known, seen]).to_csv(path, index=False)
    result = work.validate(holdout=str(path), mapping=world_files.postings_map)
    counted = {one.reason.split(":")[0]: one.rows for one in result.left_out}
    assert result.n + sum(counted.values()) == 48  # noqa: PLR2004
    assert counted["near-duplicates of another row of the file, priced once"] == 1
    assert counted["near-duplicates of a posting in the basket"] == 2
    assert counted["cannot be read as postings"] == 1
    assert counted["price outside 10 to 50,000 USD"] == 1
    assert counted["of a client whose postings are in the workspace"] == 3
    assert f"  {sum(counted.values()):,} rows of the file are left out:" in result.text()
    assert result.predictions == result.path.with_name("holdout_predictions.parquet")
    assert result.text().splitlines()[-2:] == [str(result.predictions), str(result.path)]
    table = read_table(result.predictions, HoldoutPredictions)
    agrees(read_table(result.path, Validation), table, "holdout")
    assert json.loads(table.set_index("cluster_id")["members"].map(str).iloc[0])
    assert sum(len(json.loads(ids)) for ids in table["members"]) == result.n + 1


def test_both_kinds_of_samples_are_shown():
    held, _ = made()
    card = validation_table(held, load(), sample="holdout")
    shown = ValidationResult(None, None, "b", N, (RowsLeftOut("of a client", 3),), card)._lines(
        "holdout_full_text", "matching"
    )
    assert len(shown) == 1 and shown[0].startswith("  holdout_full_text ")
