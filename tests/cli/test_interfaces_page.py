from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import valuation.tables as tables
from valuation.cli import interfaces, output
from valuation.pipeline.explain import Explanation

PAGE = Path(__file__).parents[2] / "docs" / "interfaces.md"


def test_the_page_is_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == interfaces.page(), (
        "run: python -m valuation.cli.interfaces > docs/interfaces.md"
    )


def test_every_table_and_every_command_is_on_it():
    schemas = {
        name
        for name in tables.__all__
        if isinstance(getattr(tables, name), type) and issubclass(getattr(tables, name), tables.Table)
    }
    assert set(interfaces.TABLES) == schemas - {"Table"}
    assert {*interfaces.RESULTS, "explain"} == {name for name, _, _ in interfaces.leaves()}


def test_the_keys_of_an_explanation():
    value = pd.Series({"session_id": "s", "log_value": 4.5, "reason": None})
    manifest = {"calibration": {"applied": False}, "settings": {"pricing": {"pricer": "matching"}}}
    explanation = Explanation("r", "s", "text", value, pd.DataFrame({"rank": [1], "title": [None]}), manifest)
    assert list(explanation.data()) == interfaces.json_keys("explain")
    assert output.plain(explanation.data())["matches"] == [{"rank": 1, "title": None}]


@pytest.mark.parametrize(
    "fact",
    [
        "| 70 | our fault: one line, and a trace-back in a file (or shown with VALUATION_DEBUG=1) |",
        "| `--set SECTION.KEY=VALUE` | Change one setting for this call; repeatable. |",
        "| `--out FILE` | Where the values go: .csv, .jsonl, .json or .parquet. [required] |",
        "| `price_usd` | float |  | > 0; geometric mean of the range, nominal USD |",
        "| `matched_share` | float | yes | ≥ 0; ≤ 1 |",
        "| `matching.k` | `50` | 1..1000 neighbours |",
        "| `imports.parquet` | The ledger of imports. |",
        "JSON: `command`, `run_id`, `folder`, `unchanged`, `headline`.",
    ],
)
def test_facts_on_the_page(fact):
    assert fact in interfaces.page()
