"""Log prices in constant dollars: the user's series, its faults, and what a run with one is known by and says."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from valuation.config import load
from valuation.errors import ConfigError, InputError
from valuation.pipeline import outputs, validate
from valuation.pipeline.basket import half_ranges, make_basket
from valuation.pipeline.deflator import read_deflator
from valuation.pipeline.encoder_teaching import choose
from valuation.pipeline.finished import read_manifest
from valuation.pipeline.model_store import basket_id, read_members
from valuation.pipeline.run import run_id
from valuation.storage import Layout, read_postings
from valuation.workspace import Workspace

SETTINGS = load()
DEFLATED = load(None, ["pricing.deflator=cpi.csv"])
MONTHS = ("2025-01", "2025-02", "2025-03", "2025-04")


def table(*rows):
    """Postings of (id, text, month, USD), and of (…, price type)."""
    found = pd.DataFrame(
        [(*row, "fixed")[:5] for row in rows], columns=["posting_id", "title", "month", "price_usd", "price_type"]
    )
    other = {"source": "s", "description": None, "skills": None, "price_kind": "posted", "client_id": None}
    return found.assign(posted_at=pd.to_datetime(found["month"] + "-05", utc=True), **other)


POSTINGS = table(
    *((f"p{i}", f"one of the {name} kinds of work", MONTHS[i % 4], 100.0 * (1 + i))
      for i, name in enumerate(("first", "second", "third", "fourth", "fifth"))),
)  # fmt: skip


def series(tmp_path, content):
    (tmp_path / "cpi.csv").write_text(content, encoding="utf-8")
    return read_deflator(Layout(tmp_path), DEFLATED)


def of(tmp_path, numbers):
    return series(tmp_path, "month,index_number\n" + "".join(f"{m},{n}\n" for m, n in numbers.items()))


def log_price(postings, deflator):
    return make_basket(postings, SETTINGS, deflator=deflator).rows.set_index("posting_id")["log_price"]


def test_without_a_series_there_is_none_and_prices_are_nominal(tmp_path):
    assert read_deflator(Layout(tmp_path), SETTINGS) is None
    nominal = log_price(POSTINGS, None)
    np.testing.assert_array_equal(nominal, np.log(POSTINGS.set_index("posting_id")["price_usd"][nominal.index]))


def test_prices_are_in_dollars_of_the_last_month_whatever_the_order_of_rows(tmp_path):
    found = series(tmp_path, "\ufeffmonth,index_number\n2025-04, 200\n2025-01,100\n2025-03,1e2\n2025-02,160\n")
    assert found.month == "2025-04" and found.data()["months"] == 4 and len(found.sha256) == 64
    below = log_price(POSTINGS, None) - log_price(POSTINGS, found)
    np.testing.assert_allclose(below, np.log([0.5, 0.8, 0.5, 1.0, 0.5]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("number", ["1", "1e-3", "131.7", "7e9"])
def test_a_constant_series_changes_nothing(tmp_path, number):
    flat = of(tmp_path, dict.fromkeys(MONTHS, number))
    np.testing.assert_array_equal(log_price(POSTINGS, flat), log_price(POSTINGS, None))


@pytest.mark.parametrize("last", range(3))
def test_doubling_the_index_up_to_a_month_halves_the_prices_of_those_months(tmp_path, last):
    numbers = dict(zip(MONTHS, (80.0, 90.0, 95.0, 104.0), strict=True))
    doubled = {month: number * (2 if month <= MONTHS[last] else 1) for month, number in numbers.items()}
    before, after = (log_price(POSTINGS, of(tmp_path, found)) for found in (numbers, doubled))
    months = POSTINGS.set_index("posting_id")["month"][before.index]
    np.testing.assert_allclose(after - before, np.where(months <= MONTHS[last], -np.log(2), 0), rtol=0, atol=1e-12)


def test_a_cluster_has_the_mean_of_its_members_each_deflated_by_its_own_month(tmp_path):
    text = "the very same text in both of these postings, a repost of one job by one client"
    twins = table(("a", text, "2025-01", 100.0), ("b", text, "2025-02", 400.0))
    found = make_basket(twins, SETTINGS, deflator=of(tmp_path, {"2025-01": 50, "2025-02": 100})).rows
    assert found["n_members"].tolist() == [2]
    assert found["log_price"].tolist() == pytest.approx([(np.log(200) + np.log(400)) / 2], abs=1e-12)


def test_a_month_that_the_series_lacks_is_named(tmp_path):
    short = of(tmp_path, {"2025-02": 100, "2025-04": 101})
    message = (
        r"^pricing.deflator = cpi.csv: no index_number for 2025-01, the month of 2 postings "
        r"\(2 of the basket's months are missing\); add them$"
    )
    with pytest.raises(InputError, match=message):
        make_basket(POSTINGS, SETTINGS, deflator=short)
    with pytest.raises(InputError, match=r"for 2025-03, the month of 1 postings \(1 .*; add it$"):
        make_basket(POSTINGS, SETTINGS, deflator=of(tmp_path, dict.fromkeys(("2025-01", "2025-02", "2025-04"), 1)))


def test_months_of_postings_outside_the_basket_are_not_asked_for(tmp_path):
    rows = table(("a", "one", "2025-01", 100.0), ("b", "two", "2025-03", 20.0, "hourly"), ("c", "x", "2025-03", 1.0))
    flat = of(tmp_path, {"2025-01": 3})
    assert make_basket(rows, SETTINGS, deflator=flat).rows["log_price"].tolist() == [np.log(100.0)]


def test_the_range_of_prices_of_a_basket_is_nominal(tmp_path):
    rows = table(("a", "one", "2025-01", 11.0), ("b", "two", "2025-02", 9.0))
    found = make_basket(rows, SETTINGS, deflator=of(tmp_path, {"2025-01": 2, "2025-02": 1})).rows
    assert found["posting_id"].tolist() == ["a"] and np.exp(found["log_price"].iloc[0]) == pytest.approx(5.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not readable as CSV"),
        ("month,index_number\n", "no row; expected such as 2026-03,131.2"),
        ("month,value\n2025-01,1\n", "expected the header month,index_number, got month,value"),
        (
            "month,index_number\n2025-01,1\n2025-02,0\n",
            "row 2: expected a month and a number above 0, .* got 2025-02,0",
        ),
        ("month,index_number\n2025-01,-1\n", "row 1: .* got 2025-01,-1"),
        ("month,index_number\n2025-01,one\n", "row 1: .* got 2025-01,one"),
        ("month,index_number\n2025-01,inf\n", "row 1: .* got 2025-01,inf"),
        ("month,index_number\n2025-01,\n", "row 1: .* got 2025-01,"),
        ("month,index_number\n2025-13,1\n", "row 1: .* got 2025-13,1"),
        ("month,index_number\n2025-01-01,1\n", "row 1: "),
        ("month,index_number\n2025-01,1\n2025-02,1\n2025-01,2\n", "row 3: a second number for 2025-01; keep one"),
    ],
)
def test_a_fault_of_the_series_is_named_with_its_row(tmp_path, content, message):
    with pytest.raises(InputError, match="^pricing.deflator = cpi.csv: " + message):
        series(tmp_path, content)


def test_a_series_that_is_not_there_is_a_fault_of_the_settings(tmp_path):
    with pytest.raises(ConfigError, match=r"^pricing.deflator = .*cpi\.csv: cannot be read: No such file"):
        read_deflator(Layout(tmp_path), DEFLATED)


def test_a_run_is_known_by_the_content_of_its_series_not_by_its_place(fast, tmp_path):
    layout, nominal = Workspace.create(tmp_path / "work").layout, load(None, fast)
    other = load(None, [*fast, f"pricing.deflator={tmp_path / 'other.csv'}"])
    deflated = load(None, [*fast, f"pricing.deflator={tmp_path / 'cpi.csv'}"])
    assert deflated.identity() == nominal.identity() and "cpi" not in json.dumps(deflated.identity())
    seen = [(basket_id(layout, nominal), run_id(layout, nominal))]
    for settings, content in ((deflated, "2025-01,1"), (other, "2025-01,1"), (deflated, "2025-01,2")):
        Path(settings.pricing.deflator).write_text(f"month,index_number\n{content}\n")
        seen.append((basket_id(layout, settings), run_id(layout, settings)))
    assert seen[1] == seen[2]
    assert len({basket for basket, _ in seen}) == len({run for _, run in seen}) == 3


@pytest.mark.slow
def test_a_run_is_in_dollars_of_the_last_month_and_says_so(work, fast, tmp_path, monkeypatch, world_files):
    """Where prices in general double after the postings, levels do and growth stays; hold-outs and teaching alike."""
    shutil.copytree(work.layout.root, tmp_path / "copy", ignore=shutil.ignore_patterns("runs", "validation"))
    deflated = Workspace(tmp_path / "copy", overrides=[*fast, "pricing.deflator=cpi.csv"])
    months = sorted(read_postings(deflated.layout)["month"].unique())
    content = "month,index_number\n" + "".join(f"{month},7\n" for month in months) + "2030-01,14\n"
    (tmp_path / "copy" / "cpi.csv").write_text(content)
    monkeypatch.setattr(outputs, "write_report", lambda *_: None)
    deflated.run()
    manifest, nominal = read_manifest(deflated.run_folder()), read_manifest(work.run_folder())
    assert manifest["constant_dollars"].items() >= {"month": "2030-01", "months": len(months) + 1}.items()
    assert manifest["headline"] == nominal["headline"] + ", in constant dollars of 2030-01"
    assert "constant_dollars" not in nominal and manifest["settings"] == nominal["settings"]
    for name, column, more in (("values", "log_value", np.log(2)), ("growth", "growth", 0), ("growth", "upper", 0)):
        found, expected = (pd.read_parquet(w.run_folder() / f"{name}.parquet")[column] for w in (deflated, work))
        np.testing.assert_allclose(found, expected + more, rtol=0, atol=1e-9)
    taught, dearer = (choose(w.layout, w.settings).rows.set_index("posting_id")["log_price"] for w in (work, deflated))
    np.testing.assert_allclose(dearer, taught + np.log(2), rtol=0, atol=1e-12)
    others = pd.read_csv(world_files.postings, dtype="str").assign(client=None)
    others.to_csv(tmp_path / "others.csv", index=False)
    given_to = []
    monkeypatch.setattr(validate, "make_basket", lambda *_, deflator: given_to.append(deflator.month) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deflated.validate(holdout=str(tmp_path / "others.csv"), mapping=world_files.postings_map)
    assert given_to == ["2030-01"]


def test_half_ranges_are_means_over_the_members_of_a_cluster():
    rows = pd.DataFrame({"cluster_id": ["c", "a"], "posting_id": ["d", "a"]})
    members = pd.DataFrame({"posting_id": ["a", "c", "d"], "cluster_id": ["a", "c", "c"]})
    postings = pd.DataFrame(
        {"posting_id": ["d", "a", "x", "c"], "price_low": [10.0, 5.0, 1.0, 3.0], "price_high": [40.0, 5.0, 9.0, 27.0]}
    )
    assert half_ranges(rows, members, postings).tolist() == pytest.approx([(np.log(2) + np.log(3)) / 2, 0.0])


def test_a_basket_without_its_list_of_members_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"members\.parquet: not readable \(.*; delete .*abc and it is made anew"):
        read_members(Layout(tmp_path), "abc")
