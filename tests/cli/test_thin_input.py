"""Too little, too equal, too lopsided: a line that says what is missing, or a report that says what it cannot."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from valuation.tables import Growth, SeriesTable, Values, read_table

HOSTILE = "<script>alert(1)</script>\x1b[2J\x07\u202e\u2066\x00 {{7*7}} ${x} </td>"
TAMED = "\x1b\x07\u202e\u2066\x00"


@pytest.fixture
def run_of(valuation, stocked, quickly, tmp_path):
    """Import these sessions and run."""

    def run(sessions, *flags):
        file = tmp_path / "these.jsonl"
        sessions.to_json(file, orient="records", lines=True)
        done = valuation("-w", stocked, "--quiet", "import", "sessions", file)
        assert done.status == 0, done.err
        return valuation("-w", stocked, *quickly, *flags, "run")

    return run


@pytest.fixture
def priced_by(valuation, workspace, quickly, world_files, clean_sessions, tmp_path):
    """Import these postings and the clean sessions into a new workspace, and run."""

    def run(postings, *flags):
        postings.to_csv(tmp_path / "postings.csv", index=False)
        clean_sessions.to_json(tmp_path / "sessions.jsonl", orient="records", lines=True)
        for kind, name, extra in (
            ("postings", "postings.csv", ["--map", world_files.postings_map]),
            ("sessions", "sessions.jsonl", []),
        ):
            done = valuation("-w", workspace, "--quiet", "import", kind, tmp_path / name, *extra)
            assert done.status == 0, done.err
        return valuation("-w", workspace, *quickly, *flags, "run")

    return run


@pytest.fixture(scope="module")
def fixed_postings(world_files):
    """Postings at a plain fixed price, as the simulated market exports them."""
    rows = pd.read_csv(world_files.postings, dtype=str)
    plain = rows["terms"].eq("Fixed price") & rows["budget"].str.fullmatch(r"\$[1-9][\d,]+", na=False)
    dated = pd.to_datetime(rows["posted_on"], errors="coerce", format="mixed").between("2025-01-01", "2026-08-01")
    return rows[plain & dated & rows["details"].notna()].drop_duplicates("job_ref")


def folder_of(done) -> Path:
    assert done.status == 0, done.err
    return Path(done.out.splitlines()[-1])


def page_of(folder: Path) -> str:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    return page


def test_no_postings_no_sessions(valuation, workspace, quickly, stocked):
    valuation("-w", workspace, *quickly, "run").refused(1, "no sessions yet; import some with: valuation import")
    valuation("-w", stocked, *quickly, "run").refused(1, "no sessions yet")


def test_sessions_but_no_postings(priced_by, fixed_postings):
    hourly = fixed_postings.head(3).assign(terms="Hourly")
    priced_by(hourly).refused(1, "no posting can price anything: 3 imported, of which 0 fixed", "change [basket]")


@pytest.mark.parametrize("n", [1, 2])
def test_a_basket_that_cannot_be_cross_fitted(priced_by, fixed_postings, n):
    priced_by(fixed_postings.head(n)).refused(1, f"{n} distinct postings in {n} folds: too few to price anything")


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 10, 50])
def test_a_small_basket_prices_with_k_as_large_as_it_is(priced_by, fixed_postings, n):
    done = priced_by(fixed_postings.sample(n, random_state=1), "--set", "matching.k=1000")
    folder = folder_of(done)
    values = read_table(folder / "values.parquet", Values)
    matched = values[values["matched"]]
    prices = fixed_postings["budget"].str.replace(r"[$,]", "", regex=True).astype(float)
    assert matched["value_neighbours"].between(prices.min(), prices.max()).all()
    assert (matched["effective_neighbours"] <= n).all()
    assert matched["value_usd"].gt(0).all()
    assert "pricer" in page_of(folder)


def test_one_client_posted_everything(priced_by, fixed_postings):
    priced_by(fixed_postings.head(30).assign(client="one")).refused(1, "postings in 1 folds: too few")


def test_one_text_posted_everything(priced_by, fixed_postings):
    same = fixed_postings.head(30).assign(headline="same", details="the same text in all", tags="")
    priced_by(same).refused(1, "1 distinct postings in 1 folds: too few")


@pytest.mark.slow
def test_all_prices_equal(priced_by, fixed_postings, recwarn):
    folder = folder_of(priced_by(fixed_postings.head(150).assign(budget="$100")))
    values = read_table(folder / "values.parquet", Values)
    matched = values[values["matched"]]
    for column in ("value_usd", "value_neighbours", "value_hedonic", "typical_lower", "typical_upper"):
        assert np.allclose(matched[column], 100), column
    assert np.allclose(read_table(folder / "growth.parquet", Growth)["growth"], 0, atol=1e-9)
    headline = json.loads((folder / "manifest.json").read_text())["headline"]
    assert "value per session +0.0% from" in headline
    assert not re.search(r"\bnan\b", page_of(folder), re.IGNORECASE)
    assert not [warning for warning in recwarn if issubclass(warning.category, RuntimeWarning)]


def test_a_month_nobody_has(valuation, finished, quickly):
    done = valuation("-w", finished, *quickly, "--set", "series.base_month=2020-01", "run")
    done.refused(2, "series.base_month = '2020-01'", "expected auto or one of 2026-01, 2026-02")


def test_no_session_resembles_a_posting(valuation, finished, quickly):
    before = sorted(path.name for path in (finished / "runs").iterdir())
    done = valuation("-w", finished, *quickly, "--set", "matching.s_min=1", "run")
    done.refused(1, "sessions resembles a posting: the nearest similarity is", "set matching.s_min")
    assert sorted(path.name for path in (finished / "runs").iterdir()) == before


def test_one_user_only_is_too_few_to_publish(run_of, clean_sessions):
    done = run_of(clean_sessions.assign(user="ann"))
    done.refused(1, "no complete month has enough", "lower disclosure.min_sessions and disclosure.min_users")


@pytest.mark.slow
def test_one_user_only_has_no_interval_if_asked_for_all_the_same(run_of, clean_sessions):
    folder = folder_of(run_of(clean_sessions.assign(user="ann"), "--set", "disclosure.min_users=1"))
    growth = read_table(folder / "growth.parquet", Growth)
    both = growth[growth["variation"].isin(["users", "both"])]
    assert both["growth"].notna().all()
    assert both[["lower", "upper"]].isna().all().all()
    assert "too few effective users for an interval" in json.loads((folder / "manifest.json").read_text())["headline"]
    assert "nan%" not in page_of(folder)


@pytest.mark.slow
def test_one_month_only_has_a_report_and_no_growth(run_of, clean_sessions):
    done = run_of(clean_sessions[clean_sessions["started_at"].str.startswith("2026-02")])
    folder = folder_of(done)
    assert done.out.startswith("no growth figure: fewer than two complete months")
    assert read_table(folder / "growth.parquet", Growth).empty
    assert read_table(folder / "series.parquet", SeriesTable)["month"].unique().tolist() == ["2026-02"]
    assert "fewer than two complete months" in " ".join(page_of(folder).split())


def test_too_few_sessions(run_of, clean_sessions):
    run_of(clean_sessions.head(1)).refused(1, "no complete month has enough")


@pytest.mark.slow
def test_sessions_without_users_are_users_of_their_own(run_of, clean_sessions):
    folder = folder_of(run_of(clean_sessions.drop(columns="user")))
    series = read_table(folder / "series.parquet", SeriesTable)
    assert (series["n_users"] == series["n_matched"]).all() or (series["n_users"] == series["n_sessions"]).all()


@pytest.mark.slow
def test_a_user_whose_weight_is_nearly_all(run_of, clean_sessions):
    first = clean_sessions["user"].iloc[0]
    weight = np.where(clean_sessions["user"] == first, 1e9, 1e-3)
    folder = folder_of(run_of(clean_sessions.assign(weight=weight)))
    growth = read_table(folder / "growth.parquet", Growth)
    both = growth[(growth["group_by"] == "") & (growth["variation"] == "both")]
    assert both["effective_users"].between(0.99, 1.01).all()
    assert both["lower"].isna().all()
    assert "nan%" not in page_of(folder)
    assert "nan%" not in json.loads((folder / "manifest.json").read_text())["headline"]


@pytest.mark.slow
def test_missing_values_are_a_group_and_nobody_is_lost(run_of, clean_sessions):
    kind = clean_sessions["kind"].where(np.arange(len(clean_sessions)) % 3 > 0)
    folder = folder_of(run_of(clean_sessions.assign(kind=kind)))
    series = read_table(folder / "series.parquet", SeriesTable)
    head = series[(series["statistic"] == "mean_log") & (series["pricer"] == "matching")]
    by_kind = head[head["group_by"] == "kind"]
    assert "(missing)" in set(by_kind["group"])
    whole = head[head["group_by"] == ""].set_index("month")["n_matched"]
    assert by_kind.groupby("month")["n_matched"].sum().loc[whole.index].tolist() == whole.tolist()


def test_too_many_groups_and_a_group_twice(run_of, valuation, finished, quickly, clean_sessions):
    ids = clean_sessions.assign(kind=clean_sessions["session_id"])
    run_of(ids).refused(2, "'kind' has", "groups, at most 100 can be shown; group by a coarser column")
    done = valuation("-w", finished, *quickly, "--set", "series.group_by=kind,kind", "run")
    done.refused(2, "series.group_by: kind, kind: a column is named twice")


def test_all_sessions_say_the_same(run_of, clean_sessions):
    same = clean_sessions.assign(summary="the same words for each and every session")
    run_of(same, "--set", "register.mode=centred").refused(1, "vector equals the mean of its register")


@pytest.mark.slow
def test_hostile_text_and_a_megabyte_from_import_to_report(
    valuation, workspace, quickly, world_files, fixed_postings, clean_sessions, tmp_path
):
    root = tmp_path / "a workspace (ünï) 価値"
    shutil.move(workspace, root)
    evil = clean_sessions["summary"].copy()
    evil.iloc[0], evil.iloc[1] = HOSTILE + evil.iloc[0], evil.iloc[1] + " word" * 200_000
    sessions = clean_sessions.assign(summary=evil, kind=clean_sessions["kind"].where(evil.index % 2 > 0, HOSTILE))
    sessions.to_json(tmp_path / "sessions.jsonl", orient="records", lines=True)
    postings = fixed_postings.assign(headline=HOSTILE.replace("\0", "") + fixed_postings["headline"])
    postings["details"] = [text + " paper" * 200_000 if i == 0 else text for i, text in enumerate(postings["details"])]
    postings.to_csv(tmp_path / "postings.csv", index=False, encoding="utf-8")
    shown = [valuation("-w", root, "import", "sessions", tmp_path / "sessions.jsonl")]
    shown.append(
        valuation("-w", root, "import", "postings", tmp_path / "postings.csv", "--map", world_files.postings_map)
    )
    assert [done.status for done in shown] == [0, 0], shown[-1].err
    shown.append(valuation("-w", root, *quickly, "run"))
    folder = folder_of(shown[-1])
    ids = sessions["session_id"].iloc[:2].tolist()
    shown += [valuation("-w", root, "explain", one) for one in ids]
    shown += [valuation("-w", root, "status"), valuation("-w", root, "quarantine", "show")]
    for done in shown:
        assert done.status == 0, done.err
        assert not set(TAMED) & set(done.out + done.err)
        assert max(map(len, (done.out + done.err).splitlines()), default=0) < 400
    page = page_of(folder)
    assert "<script>alert" not in page
    assert not set(TAMED) & set(page)
    assert len(page) < 2_000_000
