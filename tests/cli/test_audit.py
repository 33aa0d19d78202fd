"""`valuation audit`, as a person types it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from valuation.audit.opening import open_audit
from valuation.storage import open_layout


@pytest.fixture
def drawn(finished, valuation):
    done = valuation("-w", finished, "--quiet", "audit", "draw", "--per-month", 12, "--name", "a", "--json")
    assert done.status == 0, done.err
    return done.data


def verdicts_of(finished, path, *, price=100.0):
    audit = open_audit(open_layout(finished), "a")
    rows = [
        {"session_id": one, "verdict": "comparable", "price_usd": price, "analyst": "Ada",
         "decided_at": "2026-07-01T09:00:00Z"}
        for one in audit.wanted
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(path, index=False)
    return len(rows)


@pytest.mark.slow
def test_draw_says_what_it_will_buy(finished, valuation, drawn):
    assert drawn["command"] == "audit draw"
    assert (drawn["audit_id"], drawn["unchanged"]) == ("a", False)
    assert sum(one["drawn"] for one in drawn["months"]) == 24
    assert len(drawn["expected"]) == 4 and "never a wage" in drawn["caveat"]
    again = valuation("-w", finished, "--quiet", "audit", "draw", "--per-month", 12, "--name", "a")
    assert again.status == 0
    assert "unchanged: the same draw was there already" in again.out
    assert "half as wide needs" in again.out
    valuation("-w", finished, "--quiet", "audit", "draw", "--per-month", 13, "--name", "a").refused(1, "another --name")


@pytest.mark.slow
def test_a_dry_run_leaves_nothing(finished, valuation):
    done = valuation("-w", finished, "--quiet", "audit", "draw", "--per-month", 12, "--dry-run")
    assert done.status == 0
    assert "dry run: nothing was written" in done.out
    assert not (finished / "audits").exists()


def test_the_whole_way(finished, valuation, drawn, tmp_path):
    n = verdicts_of(finished, tmp_path / "v.csv")
    done = valuation("-w", finished, "--quiet", "audit", "import", "a", tmp_path / "v.csv", "--json")
    assert (done.data["rows_in"], done.data["kept"], done.data["quarantined"]) == (n, n, 0)
    done = valuation("-w", finished, "--quiet", "audit", "estimate", "--json")
    assert done.status == 0, done.err
    data = done.data
    assert [one["value"] for one in data["audited"]["months"]] == pytest.approx([100.0, 100.0])
    assert data["audited"]["growth"]["growth"] == pytest.approx(0.0, abs=1e-9)
    assert data["plain"]["growth"]["growth"] != 0
    assert {"plain", "plain_users", "audited", "audited_all", "precision", "power", "run_id", "settings_hash"} <= set(
        data
    )
    stored = json.loads((finished / "audits" / "a" / "estimate.json").read_text())
    assert stored["audited"] == data["audited"]
    shown = valuation("-w", finished, "--quiet", "audit", "estimate")
    assert "the run, users only" in shown.out and "audited, unmatched too" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines()[:-1])
    done = valuation("-w", finished, "--quiet", "audit", "export", "--out", tmp_path / "out")
    assert done.status == 0
    assert "texts of sessions" in done.out
    assert (tmp_path / "out" / "audit-a.html").stat().st_size > 10_000


@pytest.mark.slow
def test_a_bad_row_is_set_aside_and_said(finished, valuation, drawn, tmp_path):
    n = verdicts_of(finished, tmp_path / "v.csv")
    table = pd.read_csv(tmp_path / "v.csv", dtype=str)
    table.loc[0, "session_id"] = "nobody\x1b[31m"
    table.to_csv(tmp_path / "v.csv", index=False)
    done = valuation("-w", finished, "--quiet", "audit", "import", "a", tmp_path / "v.csv")
    assert done.status == 0
    assert "unknown_session: the audit's sample has no such session" in " ".join(done.out.split())
    assert "\x1b" not in done.out
    assert f"{n - 1} verdicts added to audit a" in done.out
    shown = valuation("-w", finished, "--json", "quarantine", "show", "verdicts").data
    assert (shown["count"], shown["rows"][0]["reason"], shown["rows"][0]["file"]) == (1, "unknown_session", "v.csv")
    others = valuation("-w", finished, "--json", "quarantine", "show", "postings").data["count"]
    others += valuation("-w", finished, "--json", "quarantine", "show", "sessions").data["count"]
    assert valuation("-w", finished, "--json", "quarantine", "show").data["count"] == others + 1
    assert valuation("-w", finished, "quarantine", "export", "verdicts", "--out", tmp_path / "aside.csv").status == 0
    assert pd.read_csv(tmp_path / "aside.csv")["reason"].tolist() == ["unknown_session"]
    mapping = tmp_path / "any.toml"
    mapping.write_text("")
    assert valuation("-w", finished, "quarantine", "retry", "verdicts", "--map", mapping).status == 2


@pytest.mark.slow
def test_what_is_refused(finished, valuation, drawn, tmp_path, workspace):
    quiet = ("-w", finished, "--quiet", "audit")
    valuation(*quiet, "estimate").refused(1, "no verdict stands in audit a", "valuation review")
    valuation(*quiet, "estimate", "b").refused(1, "no audit 'b'; audits are a")
    valuation(*quiet, "draw", "--name", "a/b").refused(2, "letters, digits and dashes")
    valuation(*quiet, "draw", "--set", "audit.stratify_by=colour").refused(2, "no column 'colour'", "kind")
    valuation(*quiet, "draw", "--run", "nope").refused(1, "no run 'nope'")
    valuation(*quiet, "import", "a", tmp_path / "none.csv").refused(1, "no such file")
    valuation(*quiet, "export", "--out", tmp_path, "--formats", "xls").refused(2, "csv, parquet, html")
    valuation("-w", workspace, "--quiet", "audit", "draw").refused(1, "no run yet")


@pytest.mark.slow
def test_a_workspace_in_use_is_not_written(finished, valuation):
    from valuation.storage import held

    with held(open_layout(finished), "run"):
        valuation("-w", finished, "--quiet", "audit", "draw").refused(1, "is in use by `valuation run`")
