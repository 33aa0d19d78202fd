"""Rows in, rows set aside, and rows read again, through the command line."""

from __future__ import annotations

import json

import pandas as pd
import pytest

ROWS = """title,description,budget,estimate,currency,posted
Fix a broken checkout,The payment page of a small shop fails,$250,,USD,2026-02-03
Monthly newsletter,Write one newsletter a month,negotiable,300,USD,2026-02-04
Move a database,Move forty tables to a new server,"$1,000 - $2,000",,USD,2026-02-05
"""
MAPPING = """kind = "postings"
source = "more"
[columns]
title = "title"
description = "description"
price = "budget"
currency = "currency"
posted_at = "posted"
[constants]
price_type = "fixed"
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "more.csv").write_text(ROWS)
    (tmp_path / "more.toml").write_text(MAPPING)
    return tmp_path / "more.csv", tmp_path / "more.toml"


def test_a_dry_run_shows_everything_and_writes_nothing(valuation, workspace, files):
    before = sorted(path for path in workspace.rglob("*") if path.name != ".lock")
    done = valuation("-w", workspace, "import", "postings", files[0], "--map", files[1], "--dry-run")
    assert done.status == 0, done.err
    for line in ("  in              3", "  kept            2", "  quarantined     1", "     1  negotiable"):
        assert line in done.out.splitlines()
    assert done.out.endswith("dry run: nothing was written\n")
    assert max(map(len, done.out.splitlines())) <= 80
    assert sorted(path for path in workspace.rglob("*") if path.name != ".lock") == before


def test_import_status_show_export_retry(valuation, workspace, files, tmp_path):
    def at(*arguments):
        done = valuation("-w", workspace, *arguments)
        assert done.status == 0, done.err
        return done

    imported = at("import", "postings", files[0], "--map", files[1], "--json").data
    assert {
        key: imported[key] for key in ("command", "kind", "dry_run", "rows_in", "kept", "merged", "quarantined")
    } == {
        "command": "import postings",
        "kind": "postings",
        "dry_run": False,
        "rows_in": 3,
        "kept": 2,
        "merged": 0,
        "quarantined": 1,
    }
    assert imported["files"][0]["unparsed_forms"] == [["negotiable", 1]]
    status = at("status", "--json").data
    assert (status["postings"], status["quarantined"], status["imports"]) == (2, 1, 1)
    shown = at("quarantine", "show", "postings").out.splitlines()
    assert shown[0] == "1 row set aside"
    assert shown[-1].split()[:4] == ["more.csv", "2", "budget", "negotiable"]
    at("quarantine", "export", "--out", tmp_path / "aside.csv")
    assert json.loads(pd.read_csv(tmp_path / "aside.csv")["raw"][0])["title"] == "Monthly newsletter"
    better = tmp_path / "better.toml"
    # only the row set aside is read again: the others have no estimate
    better.write_text(MAPPING.replace('price = "budget"', 'price = "estimate"'))
    retried = at("quarantine", "retry", "postings", "--map", better)
    assert "  kept            3" in retried.out.splitlines()
    status = at("status", "--json").data
    assert (status["postings"], status["quarantined"], status["imports"]) == (3, 0, 1)
    assert at("quarantine", "show").out == "no rows are set aside\n"


def test_a_wrong_mapping_is_2_and_names_what_is_wrong(valuation, workspace, files):
    files[1].write_text(MAPPING.replace("price_type", "price_tipe"))
    done = valuation("-w", workspace, "import", "postings", files[0], "--map", files[1])
    assert done.status == 2
    assert "price_tipe" in done.err
    assert done.err.count("\n") == 1
