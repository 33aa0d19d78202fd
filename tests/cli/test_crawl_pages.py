"""What docs/crawl.md says is what the settings say."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from valuation.config import load

PAGE = (Path(__file__).parents[2] / "docs" / "crawl.md").read_text(encoding="utf-8")

SETTINGS = set(re.findall(r"`(?:--set )?(crawl\.\w+|sources\.<name>\.\w+)[=`]", PAGE)) - {"crawl.log"}


def table(header: str) -> list[list[str]]:
    rows = re.search(rf"^\| {re.escape(header)} .*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)[1]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def test_the_table_of_sources():
    said = {row[0]: tuple(row[1:5]) for row in table("source")}
    kept = load().sources
    settings = {
        name: (
            source.base_url or "yours",
            source.retention_hours if isinstance(source.retention_hours, str) else f"{source.retention_hours:g} h",
            source.token,
            "yes" if source.enabled else "no",
        )
        for name, source in kept.items()
    }
    assert said == settings
    for name, *_, what in table("source"):
        assert ("reference only" in what) == kept[name].reference_only, name
        assert ("requests a day" in what) == bool(kept[name].requests_per_day), name
        assert (f"at most {kept[name].requests_per_day} requests a day" in what) == bool(kept[name].requests_per_day)


def test_tables_of_the_store(tmp_path):
    from crawlers.store import open_store

    store = open_store(tmp_path / "store.db", create=True)
    made = {name for (name,) in store.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    store.close()
    said = {name for row in table("table of `store.db`") for name in re.findall(r"`(\w+)`", row[0])}
    assert said == {name for name in made if not name.startswith("sqlite_")}
    for query in re.findall(r"^```sql\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        sqlite3.connect(tmp_path / "store.db").execute(query)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_settings_exist(name):
    section, *_, key = name.split(".")
    settings = load()
    assert key in type(settings.crawl if section == "crawl" else settings.sources["github"]).model_fields


def test_the_source_of_ones_own(tmp_path):
    block = re.search(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[1]
    (tmp_path / "valuation.toml").write_text(block)
    assert load(tmp_path / "valuation.toml").sources["shop"].base_url == "https://jobs.example.org"


def test_exit_statuses():
    from valuation.cli import faults
    from valuation.errors import BelowExpectation, ConfigError, EnvironmentFault

    said = {int(row[0]): row[1] for row in table("status")}
    assert set(said) == {0, 1, 2, 3, faults.INTERRUPTED}
    statuses = [error.exit_status for error in (EnvironmentFault, ConfigError, BelowExpectation)]
    assert statuses == [1, 2, 3]
    assert "expectation" in said[3]
