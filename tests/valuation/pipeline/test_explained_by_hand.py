"""A referee's arithmetic: from `explain --json` and the manifest alone, in plain numpy, every figure of a session."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from valuation.cli import output
from valuation.pipeline.explain import explain
from valuation.workspace import Workspace

EXACT = 1e-9


def printed(explained):
    """What ``--json`` prints, as a reader has it."""
    return json.loads(json.dumps(output.plain(explained.data())))


def both(work, session):
    """What is printed with and without ``--json``."""
    explained = work.explain(session)
    return printed(explained), explained.text()


def line_of(told, pricer):
    if not told["calibration"]["applied"]:
        return 0.0, 1.0
    line = told["calibration"]["lines"][pricer]
    return line["intercept"], line["slope"]


def columns(told, *names):
    return [np.array([row[name] for row in told["matches"]], dtype=float) for name in names]


def redo_values(told):
    """Log values by hand: the headline, plain neighbours, the regression."""
    weight, price, posting, session = columns(told, "weight", "log_price", "log_price_hedonic", "log_session_hedonic")
    raw = {"matching": (weight * (price + session - posting)).sum(), "neighbours": (weight * price).sum()}
    other = {one["pricer"]: one for one in told["other_pricers"]}
    raw["hedonic"] = other["hedonic"]["log_value_raw"] if "hedonic" in other else told["value"]["log_value_raw"]
    return {pricer: line_of(told, pricer)[0] + line_of(told, pricer)[1] * value for pricer, value in raw.items()}


def redo_typical(told):
    """Both ends by hand; the neighbours' part from their errors, units and weights."""
    band, (weight, error, unit) = told["typical_band"], columns(told, "weight", "error", "unit")
    own = sum(((weight * error)[unit == one]).sum() ** 2 for one in np.unique(unit))
    own = 0.0 if told["pricer"] == "hedonic" else own
    assert own == pytest.approx(band["variance_neighbours"], abs=EXACT)
    freedom = max(1 / (weight**2).sum() - 1, 3) if told["pricer"] != "hedonic" else 1e6
    variance = own + band["variance_covariance"] + band["variance_hedonic"]
    error = abs(line_of(told, told["pricer"])[1]) * variance**0.5
    half = stats.t.ppf(0.95, freedom) * error
    return told["value"]["log_value"] - half, told["value"]["log_value"] + half


def redo_single(told):
    """Both ends by hand: the value without the fold of the posting that sets it, and that posting's score."""
    band, (intercept, slope) = told["single_posting_band"], line_of(told, told["pricer"])
    raw = {one["fold"]: one["log_value_raw"] for one in band["left_out"]}
    ends = []
    for end in (band["lower"], band["upper"]):
        left_out = intercept + slope * raw[end["fold"]]
        assert left_out == pytest.approx(end["left_out"], abs=EXACT)
        ends.append(left_out + end["score"] * band["scale"])
    return tuple(ends)


def check(told):
    """Every figure of a matched session is what its parts give."""
    value, logs = told["value"], redo_values(told)
    assert logs[told["pricer"]] == pytest.approx(value["log_value"], abs=EXACT)
    assert np.log(value["value_usd"]) == pytest.approx(value["log_value"], abs=EXACT)
    for pricer in ("neighbours", "hedonic"):
        assert logs[pricer] == pytest.approx(np.log(value[f"value_{pricer}"]), abs=EXACT)
    for band, ends in (("typical", redo_typical(told)), ("single", redo_single(told))):
        stored = [value[f"{band}_lower"], value[f"{band}_upper"]]
        assert ends == pytest.approx(np.log(stored), abs=EXACT), band
    assert told["typical_band"]["agrees"] and told["single_posting_band"]["agrees"]
    assert all(one["agrees"] for one in told["other_pricers"])
    assert value["similarity_max"] == told["nearest"]["similarity"] >= told["s_min"]
    assert told["nearest"]["posting_id"] == told["matches"][0]["posting_id"]
    assert told["nearest"]["title"] == told["matches"][0]["title"]
    assert told["not_shown"] == []


def check_ranks(told, errors):
    """The ends are at their ranks among all postings of the category."""
    band = told["single_posting_band"]
    of_postings = errors.set_index("posting_id").loc[[row["posting_id"] for row in told["matches"]]]
    assert columns(told, "error")[0] == pytest.approx((of_postings["log_price"] - of_postings["log_value"]).to_numpy())
    mine = errors[errors["category"] == band["category"]]
    left_out = np.array([one["log_value"] for one in band["left_out"]])
    points = left_out[mine["fold"]] + mine["score"].to_numpy() * band["scale"]
    order = np.argsort(points)
    n = band["n_scores"]
    assert n == len(mine)
    assert [band[end]["rank"] for end in ("lower", "upper")] == [
        int(0.05 * (n + 1)),
        int(np.ceil(0.95 * (n + 1) - EXACT)),
    ]
    for end in ("lower", "upper"):
        assert mine["posting_id"].iloc[order[band[end]["rank"] - 1]] == band[end]["posting_id"]
    low, high = (band[f"value_{way}"] for way in ("from", "to"))
    assert (low is None or low <= told["value"]["log_value"]) and (high is None or told["value"]["log_value"] < high)
    low, high = (band[f"similarity_{way}"] for way in ("from", "to"))
    nearest = told["nearest"]["similarity"]
    assert (low is None or low <= nearest) and (high is None or nearest < high)


def errors_of(work):
    folder = work.layout.indices / json.loads((work.run_folder() / "manifest.json").read_text())["basket_id"]
    (path,) = folder.glob("errors-*.parquet")
    return pd.read_parquet(path)


def check_mean_price(work):
    """A month's mean price from values and the manifest's factors, and the factors from the postings' errors."""
    folder = work.run_folder()
    manifest = json.loads((folder / "manifest.json").read_text())
    values, series = pd.read_parquet(folder / "values.parquet"), pd.read_parquet(folder / "series.parquet")
    smearing = manifest["smearing"]
    mine = values[values["matched"] & (values["month"] == manifest["base_month"])]
    factor = np.array(smearing["factor"])[np.searchsorted(smearing["edges"], mine["log_value"], side="right")]
    mean = np.average(mine["value_usd"] * factor, weights=mine["weight"])
    row = series.query("statistic == 'mean' and group_by == '' and month == @manifest['base_month']").iloc[0]
    assert mean == pytest.approx(row["value"], rel=1e-9)

    errors, line = errors_of(work), {"intercept": 0.0, "slope": 1.0}
    if manifest["calibration"]["applied"]:
        line = manifest["calibration"]["lines"][manifest["settings"]["pricing"]["pricer"]]
    held_out = line["intercept"] + line["slope"] * errors["log_value"].to_numpy()
    residual = errors["log_price"].to_numpy() - held_out
    assert np.quantile(held_out, [0.2, 0.4, 0.6, 0.8]) == pytest.approx(smearing["edges"], abs=EXACT)
    fifth = np.searchsorted(smearing["edges"], held_out, side="right")
    assert [np.exp(residual[fifth == one]).mean() for one in range(5)] == pytest.approx(smearing["factor"], rel=EXACT)
    assert residual / errors["scale"].to_numpy() == pytest.approx(errors["score"].to_numpy(), abs=EXACT)
    assert len(smearing["top_share"]) == 5 and all(0 < share < 1 for share in smearing["top_share"])


def check_lines(work):
    """The headline's line is least squares on the postings' errors, and its slope has an interval around it."""
    manifest, errors = json.loads((work.run_folder() / "manifest.json").read_text()), errors_of(work)
    found = manifest["calibration"]
    slope, intercept = np.polyfit(errors["log_value"], errors["log_price"], 1)
    assert set(found["lines"]) == {"matching", "neighbours", "hedonic"}
    headline = found["lines"][manifest["settings"]["pricing"]["pricer"]]
    assert headline == {"intercept": found["intercept"], "slope": found["slope"]}
    assert (found["intercept"], found["slope"]) == pytest.approx((intercept, slope), abs=1e-8)
    assert found["slope_lower"] < found["slope"] < found["slope_upper"]
    assert found["slope_upper"] - found["slope"] == pytest.approx(found["slope"] - found["slope_lower"])


def some(work, matched, n=2):
    values = pd.read_parquet(work.run_folder() / "values.parquet")
    ids = values.loc[values["matched"] == matched, "session_id"]
    return ids.iloc[:: max(1, len(ids) // n)].tolist()[:n]


def copied(work, tmp_path, *overrides):
    shutil.copytree(work.layout.root, tmp_path / "copy")
    return Workspace(tmp_path / "copy", overrides=overrides)


def test_a_session_is_redone_from_what_is_printed(work):
    errors = errors_of(work)
    for session in some(work, matched=True):
        told = printed(work.explain(session))
        check(told)
        check_ranks(told, errors)
    check_mean_price(work)
    check_lines(work)


@pytest.mark.slow
@pytest.mark.parametrize("pricer", ["matching", "neighbours", "hedonic"])
def test_a_calibrated_session_is_redone_from_what_is_printed(work, fast, tmp_path, pricer):
    other = copied(
        work, tmp_path, *fast, "pricing.calibrate=true", f"pricing.pricer={pricer}", "compute.chunk_rows=100"
    )
    other.run()
    errors = errors_of_run(other)
    for session in some(other, matched=True):
        told, text = both(other, session)
        assert told["calibration"]["applied"] and line_of(told, pricer)[1] != 1.0
        check(told)
        check_ranks(told, errors)
        for one in told["other_pricers"]:
            intercept, slope = line_of(told, one["pricer"])
            assert f"{intercept:.9f} + {slope:.9f} x {one['log_value_raw']:.9f} = {one['log_value']:.9f}" in text
        assert "the same, calibrated" in text and "slope " in text
        check_listing(told, text, pricer)


def check_listing(told, text, pricer):
    """The neighbours' terms of the pricer in use; none where they play no part."""
    lines = re.findall(r"^ +\d+ +[\d.-]+ +([\d.]+) +([\d.,]+) .* +([\d.-]+) +([\d.-]+) +[\d.-]+ +\d+  ", text, re.M)
    if pricer == "hedonic":
        assert "its neighbours play no part in the value, and are not listed" in text
        assert "rank  similarity" not in text and not lines
        assert f"m(session)                {told['value']['log_value_raw']:.9f} = log_value_raw" in text
        assert {row["contribution"] for row in told["matches"]} == {None}
        return
    assert len(lines) == len(told["matches"]) == 10
    weight, price, term, product = np.array([[cell.replace(",", "") for cell in line] for line in lines], dtype=float).T
    assert np.allclose(weight * term, product, atol=1e-5)
    if pricer == "neighbours":
        assert "price USD  log price = term  x weight" in text
        assert np.allclose(term, np.log(price), atol=1e-3)


def errors_of_run(work):
    """Errors of the newest run where the basket has those of several."""
    folder = work.layout.indices / json.loads((work.run_folder() / "manifest.json").read_text())["basket_id"]
    return pd.read_parquet(max(folder.glob("errors-*.parquet"), key=lambda path: path.stat().st_mtime_ns))


def test_an_unmatched_session_shows_what_decides(work):
    errors = errors_of(work)
    for session in some(work, matched=False):
        told, text = both(work, session)
        assert told["value"]["similarity_max"] == told["nearest"]["similarity"] < told["s_min"]
        assert told["nearest"]["posting_id"] in set(errors["posting_id"])
        assert f"{told['nearest']['similarity']:.6f}, below s_min = {told['s_min']:.9f}" in text
        assert f"nearest posting           {told['nearest']['posting_id']}" in text
        assert told["typical_band"] is told["single_posting_band"] is None and told["other_pricers"] == []


def test_the_text_says_what_the_numbers_say(work):
    session = some(work, matched=True)[1]
    told, text = both(work, session)
    typical, single = told["typical_band"], told["single_posting_band"]
    assert f"sqrt({sum(typical[f'variance_{p}'] for p in ('neighbours', 'covariance', 'hedonic')):.9f})" in text
    assert f"{typical['quantile']:.9f} x {typical['standard_error']:.9f} = {typical['half_width']:.9f}" in text
    for name in ("lower", "upper"):
        end = single[name]
        assert (
            f"(without fold {end['fold']}) + {end['score']:.9f} x {single['scale']:.9f} = {end['log_end']:.9f}" in text
        )
        assert f"rank {end['rank']:,} of {single['n_scores']:,}: {end['posting_id']}" in text
    weight, error = columns(told, "weight", "error")
    assert f"{error[0]:10.6f}" in text.splitlines()[4] and "error    unit" in text
    assert "not shown" not in text and "do not give the run's" not in text


BANDS = "what the bands and the other pricers' values are made of"
SINGLE = "what the single-posting band is made of"
POSTINGS = "the nearest posting, the neighbours' errors and what the single-posting band is made of"


@pytest.mark.parametrize(
    ("file", "how", "line", "shown"),
    [  # the line begins with it; parts that are there all the same
        ("workings", "missing", f"{BANDS}: the run has no workings.parquet: an earlier version", ()),
        ("workings", "cut", f"{BANDS}: ", ()),
        ("left_out", "missing", f"{SINGLE}: the run has no left_out", ("typical_band", "nearest")),
        ("left_out", "cut", f"{SINGLE}: ", ("typical_band", "nearest")),
        ("errors", "missing", f"{POSTINGS}: the run's basket", ("typical_band",)),
        ("errors", "cut", f"{POSTINGS}: ", ("typical_band",)),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_told_in_a_line(work, tmp_path, file, how, line, shown):
    copy = copied(work, tmp_path)
    folder = copy.run_folder() if file != "errors" else next(copy.layout.indices.glob("*"))
    for path in folder.glob(f"{file}*.parquet"):
        path.unlink() if how == "missing" else path.write_bytes(path.read_bytes()[:100])
    session = some(copy, matched=True)[0]
    told, text = both(copy, session)
    (said,) = told["not_shown"]
    assert said.startswith(line) and f"not shown: {said}" in text and "\n" not in said
    for part in ("typical_band", "single_posting_band", "nearest"):
        assert (told[part] is not None) == (part in shown), part
    value = told["value"]
    assert f"{value['single_lower']:,.2f} to {value['single_upper']:,.2f} USD" in text
    assert f"{value['typical_upper']:,.2f}" in text and f"{value['value_hedonic']:,.2f}" in text
    assert told["matches"][0]["error"] is None or "typical_band" in shown
    if how == "missing":
        unmatched, text = both(copy, some(copy, matched=False)[0])
        assert "not matched: nearest posting has similarity" in text
        assert (unmatched["nearest"] is not None) == ("nearest" in shown)


@pytest.mark.parametrize(
    ("column", "said"), [("variance_hedonic", "band"), ("scale", "band"), ("log_hedonic", "value")]
)
def test_parts_that_do_not_give_the_figures_are_told(work, tmp_path, column, said):
    copy = copied(work, tmp_path)
    path = copy.run_folder() / "workings.parquet"
    frame = pd.read_parquet(path)
    frame[column] *= 1 + 1e-6
    frame.to_parquet(path)
    explained = copy.explain(some(copy, matched=True)[0])
    told = explained.data()
    agrees = [told["typical_band"]["agrees"], told["single_posting_band"]["agrees"], told["other_pricers"][1]["agrees"]]
    assert agrees == [column != name for name in ("variance_hedonic", "scale", "log_hedonic")]
    assert explained.text().count(f"these parts do not give the run's {said} to 1e-9") == 1


def test_a_run_of_an_earlier_version_is_explained_as_before(work, tmp_path):
    """Neither new tables nor new keys of the manifest."""
    copy = copied(work, tmp_path)
    folder = copy.run_folder()
    for name in ("workings", "left_out"):
        (folder / f"{name}.parquet").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    for key in ("single_posting_categories", "smearing"):
        del manifest[key]
    manifest["calibration"] = {"applied": True, "intercept": 0.5, "slope": 0.9}
    session = some(copy, matched=True)[0]
    told = explain(copy.layout, folder, manifest, session)
    assert told.parts.nearest is None and "calibrated                0.500000000 + 0.900000000 x" in told.text()


def test_a_category_with_too_few_postings_has_no_band(work, tmp_path):
    copy = copied(work, tmp_path)
    session = some(copy, matched=True)[0]
    category = printed(copy.explain(session))["single_posting_band"]["category"]
    (path,) = next(copy.layout.indices.glob("*")).glob("errors-*.parquet")
    errors = pd.read_parquet(path)
    rest = errors["category"] == category
    errors.loc[rest & (rest.cumsum() > 18), "category"] = 99  # 19 scores are the fewest with ends at 0.90
    errors.to_parquet(path)
    values = copy.run_folder() / "values.parquet"
    frame = pd.read_parquet(values)
    frame.loc[frame["session_id"] == session, ["single_lower", "single_upper"]] = np.nan
    frame.to_parquet(values)
    told, text = both(copy, session)
    band = told["single_posting_band"]
    assert (band["lower"], band["upper"], band["n_scores"], band["agrees"]) == (None, None, 18, True)
    assert "no band: 18 postings are too few for ends at this level" in text
