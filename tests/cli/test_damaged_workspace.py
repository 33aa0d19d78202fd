"""Files of a workspace that were damaged, lost or mistyped: one line that names the file and says what to do."""

from __future__ import annotations

import shutil
from itertools import product

import pytest

CUT_OR_GONE = ("cut", "missing")


def damage(path, how):
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "text": b"hello"}[how])
    return content


def first_part(folder):
    return sorted(folder.rglob("part.parquet"))[0]


@pytest.mark.parametrize("how", ["cut", "empty", "text"])
@pytest.mark.parametrize("kind", ["postings", "sessions"])
def test_a_damaged_table_is_named_by_every_verb(valuation, finished, quickly, kind, how):
    part = first_part(finished / kind)
    damage(part, how)
    for verb in (["status"], [*quickly, "run"]):
        done = valuation("-w", finished, *verb)
        done.refused(1, f"{part}: not readable as Parquet")
    before = {path: path.read_bytes() for path in (finished / kind).rglob("*.parquet")}
    other = finished.parent / "other.csv"
    other.write_text("session_id,user,started_at,summary\nsession-1,ann,2026-01-05,Fixed the login page\n")
    if kind == "sessions":
        valuation("-w", finished, "--quiet", "import", "sessions", other).refused(1, str(part))
        assert {path: path.read_bytes() for path in (finished / kind).rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *product(["arrays.npz", "basket.parquet", "card.json", "index.faiss", "rows.parquet", "lexical"], CUT_OR_GONE),
        ("basket.json", "cut"),  # without it the index counts as unfinished and is made again
    ],
)
def test_a_damaged_index_says_what_to_delete(valuation, finished, quickly, name, how):
    (folder,) = (finished / "indices").iterdir()
    damage(folder / name, how)
    done = valuation("-w", finished, *quickly, "--set", "bootstrap.seed=8", "run")
    done.refused(1, str(folder))
    assert f"delete {folder} and run again" in done.err or "delete the folder and it is made anew" in done.err


@pytest.mark.slow
def test_what_the_line_about_a_damaged_index_says_does_help(valuation, finished, quickly, work):
    (folder,) = (finished / "indices").iterdir()
    damage(folder / "lexical", "missing")
    shutil.rmtree(finished / "runs")
    assert valuation("-w", finished, *quickly, "run").status == 1
    shutil.rmtree(folder)
    assert valuation("-w", finished, *quickly, "run").status == 0
    (again,) = (finished / "runs").glob("*/values.parquet")
    assert again.read_bytes() == (work.run_folder() / "values.parquet").read_bytes()


def test_a_damaged_vector_says_what_to_delete(valuation, finished, quickly):
    part = sorted((finished / "embeddings").rglob("*.parquet"))[0]
    damage(part, "cut")
    done = valuation("-w", finished, *quickly, "--set", "bootstrap.seed=8", "run")
    done.refused(1, f"{part}: damaged", "delete this file: its texts are embedded again")


@pytest.mark.parametrize(
    "content", [b"", b'{"run_id": ', b"[]", b"{}", b'"x"', b"\xff\xfe", b'{"run_id": "x", "headline": "y"}']
)
def test_a_damaged_manifest_says_what_to_delete(valuation, finished, quickly, content):
    (path,) = (finished / "runs").glob("*/manifest.json")
    path.write_bytes(content)
    for verb in (["status"], ["report"], ["explain", "s0000002"], [*quickly, "run"]):
        done = valuation("-w", finished, *verb)
        done.refused(1, str(path), f"delete {path.parent}, then: valuation run")


@pytest.mark.parametrize("how", ["cut", "missing"])
@pytest.mark.parametrize("name", ["values", "matches"])
def test_a_damaged_table_of_a_run_says_what_to_delete(valuation, finished, name, how):
    (path,) = (finished / "runs").glob(f"*/{name}.parquet")
    damage(path, how)
    for verb in (["report"], ["explain", "s0000002"]):
        done = valuation("-w", finished, *verb)
        done.refused(1, str(path), f"delete {path.parent}, then: valuation run")


@pytest.mark.parametrize("content", [b"\xff\xfe../..\n", b"../../../etc\n", b"a\x00b\n", b""])
def test_a_latest_run_that_is_none(valuation, finished, content):
    (finished / "runs" / "latest").write_bytes(content)
    assert valuation("-w", finished, "status").status == 0
    valuation("-w", finished, "report").refused(1, "no run")


def test_a_damaged_ledger_and_quarantine(valuation, finished, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("session_id,user,started_at,summary\nsession-1,ann,2026-01-05,Fixed the login page\n")
    for path in (finished / "imports.parquet", sorted((finished / "quarantine").rglob("*.parquet"))[0]):
        content = damage(path, "cut")
        for verb in (["status"], ["quarantine", "show"], ["import", "sessions", other]):
            valuation("-w", finished, "--quiet", *verb).refused(1, f"{path}: not readable as Parquet")
        path.write_bytes(content)


def test_a_key_that_is_missing_or_short(valuation, workspace, tmp_path):
    file = tmp_path / "some.csv"
    file.write_text("session_id,user,started_at,summary\nsession-1,ann,2026-01-05,Fixed the login page\n")
    key = workspace / ".key"
    key.unlink()
    valuation("-w", workspace, "--quiet", "import", "sessions", file).refused(1, f"{key}: the hashing key cannot be")
    key.write_bytes(b"short")
    valuation("-w", workspace, "--quiet", "import", "sessions", file).refused(1, f"{key}: expected at least 16 bytes")
    assert not (workspace / "sessions").exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "not valid TOML"),
        (b"[matching\nk = 3", "not valid TOML"),
        (b"[matching]\nk = \x003", "not valid TOML"),
        (b"[matching]\nkk = 3", "unknown setting matching.kk; settings are k, s_min, tau"),
        (b"[machting]\nk = 3", "unknown section [machting]"),
        (b"matching = 3", "matching is a section"),
        (b"[matching]\nk = 'many'", "matching.k: Input should be a valid integer"),
        (b"[matching]\nk = 2026-01-01", "matching.k: Input should be a valid integer"),
        (b"[matching]\ntau = nan", "matching.tau: Input should be a finite number"),
        (b"[bands]\nlevel = 2", "bands.level: Input should be less than 1"),
    ],
)
def test_settings_that_cannot_be_read(valuation, workspace, content, expected):
    (workspace / "valuation.toml").write_bytes(content)
    for verb in (["status"], ["run"]):
        valuation("-w", workspace, "--quiet", *verb).refused(2, expected)


@pytest.mark.parametrize(
    ("setting", "status", "expected"),
    [
        ("encoder.name=/nowhere/model", 2, "no such folder"),
        ("pricing.reference_source=elsewhere", 2, "reference source 'elsewhere' is not in the basket"),
        ("series.group_by=team", 2, "sessions have no column 'team'; they have kind"),
    ],
)
def test_settings_that_do_not_fit_the_data(valuation, finished, quickly, setting, status, expected):
    valuation("-w", finished, *quickly, "--set", setting, "run").refused(status, expected)
