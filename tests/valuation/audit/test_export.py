from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.valuation.audit.conftest import COLUMNS, at, prices_by
from valuation.audit.opening import open_audit
from valuation.errors import ConfigError, InputError
from valuation.tables import Verdicts, read_table
from valuation.workspace import Workspace

TABLES = ("csv", "parquet")


@pytest.fixture
def judged(home, brought, truth):
    """An audit with prices, a gig judged twice, an adjudication and a note that a spreadsheet would run."""
    home.audit_draw(per_month=12, name="a")
    audit = open_audit(home.layout)
    matches = pd.read_parquet(home.run_folder() / "matches.parquet")
    near = matches[matches["session_id"].isin(audit.wanted) & (matches["rank"] == 1)].head(2)
    rows = prices_by(truth, list(audit.wanted), noise=0.2).assign(note=["=1+1", "''@x", 'a,"b"\nc'] * 8)
    gigs = [
        {"session_id": one.session_id, "posting_id": one.posting_id, "verdict": verdict, "analyst": who,
         "decided_at": "2026-07-01T10:00:00.123456Z"}
        for one in near.itertuples() for who, verdict in (("Ada", "comparable"), ("Bo", "wrong_kind"))
    ]  # fmt: skip
    brought(home, "a", pd.concat([rows, pd.DataFrame(gigs)]))
    brought(home, "a", [gigs[0] | {"decided_at": at(900)}], name="s.csv", adjudicated=True)
    return home


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_out_and_into_another_workspace_gives_the_same_estimate(judged, tmp_path, kind):
    other = tmp_path / "other"
    shutil.copytree(judged.layout.root, other, ignore=shutil.ignore_patterns("review.db*"))
    result = judged.audit_export("a", tmp_path / "out", formats=TABLES)
    assert (result.verdicts, result.adjudications, result.lines) == (28, 1, 29)
    assert set(result.files) == {f"{name}.{one}" for name in ("verdicts", "adjudications", "log") for one in TABLES}
    fresh = Workspace(other)
    brought = fresh.audit_import("a", [str(tmp_path / "out" / f"verdicts.{kind}")])
    assert (brought.kept, brought.quarantined) == (28, 0)
    fresh.audit_import("a", [str(tmp_path / "out" / f"adjudications.{kind}")], adjudicated=True)
    judged.audit_estimate()
    fresh.audit_estimate()
    for name in ("estimate.json", "audited.parquet", "precision.parquet", "agreement.parquet"):
        mine, theirs = (one.layout.audits / "a" / name for one in (judged, fresh))
        assert mine.read_bytes() == theirs.read_bytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_back_into_the_same_workspace_adds_nothing(judged, tmp_path, kind):
    judged.audit_export("a", tmp_path / "out", formats=TABLES)
    back = judged.audit_import("a", [str(tmp_path / "out" / f"verdicts.{kind}")])
    assert (back.kept, back.already_there, back.quarantined) == (0, 28, 0)


@pytest.mark.slow
def test_the_columns_are_exactly_eight(judged, tmp_path):
    judged.audit_export("a", tmp_path / "out", formats=TABLES)
    assert pd.read_csv(tmp_path / "out" / "verdicts.csv").columns.tolist() == COLUMNS
    table = read_table(tmp_path / "out" / "verdicts.parquet", Verdicts)
    assert table.columns.tolist() == COLUMNS
    assert table["decided_at"].max() == pd.Timestamp("2026-07-01T10:00:00.123456Z")


def test_no_cell_begins_as_a_formula(judged, tmp_path):
    judged.audit_export("a", tmp_path / "out", formats=["csv"])
    notes = pd.read_csv(tmp_path / "out" / "verdicts.csv")["note"].dropna()
    assert set(notes) == {"'=1+1", "''@x", 'a,"b"\nc'}


@pytest.mark.slow
def test_the_log_has_undone_lines(judged, tmp_path):
    from valuation.verdicts import open_log, review_url

    log = open_log(review_url(judged.layout, judged.settings))
    log.undo(analyst="Bo", audit_id="a", token="u", decided_at=pd.Timestamp("2026-07-02").to_pydatetime())
    log.close()
    result = judged.audit_export("a", tmp_path / "out", formats=["parquet"])
    assert (result.verdicts, result.lines) == (27, 30)
    lines = pd.read_parquet(tmp_path / "out" / "log.parquet")
    assert lines["action"].tolist() == ["verdict"] * 29 + ["undo"]


@pytest.mark.slow
def test_what_leaves_is_said(judged, tmp_path):
    result = judged.audit_export("a", tmp_path / "out", formats=["html"], analyst="Ada")
    assert result.files == ("audit-a.html",)
    assert "texts of sessions" in result.warning
    assert "Delete it" in " ".join(result.text().split())
    assert judged.audit_export("a", tmp_path / "out", formats=["csv"]).warning == ""


@pytest.mark.slow
def test_what_cannot_be(judged, tmp_path):
    with pytest.raises(ConfigError, match="--formats 'dta': expected some of csv, parquet, html"):
        judged.audit_export("a", tmp_path / "out", formats=["dta"])
    with pytest.raises(ConfigError, match="--analyst"):
        judged.audit_export("a", tmp_path / "out", analyst="<x>")
    Path(tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file; name a folder"):
        judged.audit_export("a", tmp_path / "file")
