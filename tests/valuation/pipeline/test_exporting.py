"""Exports: every table and figure in every format, labelled, escaped, deterministic, without what may not leave."""

import csv
import dataclasses
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from lxml import etree

from valuation.errors import ConfigError, EnvironmentFault, InputError
from valuation.pipeline import exporting, outputs
from valuation.pipeline.exporting import codebook_csv, export_run
from valuation.report.codebook import SHEETS
from valuation.report.disclosure import released
from valuation.report.files_figures import save_figure
from valuation.report.files_latex import escape, latex_table
from valuation.report.files_tables import disarmed, save_table
from valuation.report.render import context_of, pictures_in, sections_of

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from make_audit import with_audit
from make_evidence import HIDDEN_LEVEL, HOSTILE_CELL
from make_tables import make_tables, without_rows

TABLES = ("csv", "parquet", "dta", "tex")
FIGURES = ("svg", "pdf", "png")
NAMES = {sheet.name: sheet for sheet in SHEETS}


@pytest.fixture(scope="module")
def tables():
    """A hostile run with one group under the minimum in an end month."""
    run = with_audit(make_tables(hostile=True), hostile=True)
    hidden = (run.series["group"] == sorted(set(run.series["group"]))[1]) & (run.series["month"] == "2026-04")
    return dataclasses.replace(run, series=run.series.assign(suppressed=hidden))


@pytest.fixture
def export(monkeypatch):
    """Export synthetic tables as if they were a run's."""

    def run(found, out, *, tables=(), figures=()):
        monkeypatch.setattr(outputs, "report_tables", lambda *_: found)
        manifest = {**found.manifest, "headline": "value per session +27 %"}
        return export_run(None, Path("run"), manifest, found.sessions, out, tables=tables, figures=figures)

    return run


@pytest.fixture(scope="module")
def sheets(tables):
    return released(tables)


def saved(frame, name, folder, kind):
    path = folder / f"{name}.{kind}"
    save_table(frame, NAMES[name], path)
    return path


def test_the_codebook_fits_stata_and_names_every_column(tables):
    reserved = {"_all", "byte", "double", "float", "if", "in", "int", "long", "using", "with", "strl"}
    assert len(NAMES) == len(SHEETS) == 17
    for sheet in SHEETS:
        assert list(sheet.columns) == list(getattr(tables, sheet.name).columns), sheet.name
        assert len(sheet.title) <= 80 and set(sheet.printed) <= set(sheet.columns)
        for name, label in sheet.columns.items():
            assert re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name) and name not in reserved
            assert 0 < len(label) <= 80, (name, len(label))
    rows = list(csv.DictReader(io.StringIO(codebook_csv())))
    assert [(row["table"], row["variable"]) for row in rows] == [(s.name, c) for s in SHEETS for c in s.columns]
    assert {row["caveat"] for row in rows} == {"a relative, coarse measure: never a wage, an invoice or a saving"}


@pytest.mark.parametrize("name", NAMES)
def test_stata_reads_back_as_it_was_with_labels(sheets, tmp_path, name):
    frame, path = sheets[name], saved(sheets[name], name, tmp_path, "dta")
    assert path.read_bytes().startswith(b"<stata_dta><header><release>118</release>")
    with pd.read_stata(path, iterator=True) as reader:
        assert reader.data_label == NAMES[name].title
        assert reader.variable_labels() == dict(NAMES[name].columns)
        assert reader.time_stamp == "01 Jan 1960 00:00", "no clock in a file"
    back = pd.read_stata(path, convert_categoricals=False)
    assert len(back) == len(frame) > 0
    for column in frame:
        if pd.api.types.is_numeric_dtype(frame[column]):
            expected = frame[column].to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_array_equal(back[column].to_numpy(dtype=float), expected, err_msg=column)
        else:
            assert (back[column] == "").sum() == (frame[column].isna() | (frame[column] == "")).sum()
    if "suppressed" in frame:
        assert set(pd.read_stata(path)["suppressed"]) <= {"no", "yes"}


@pytest.mark.parametrize("name", NAMES)
def test_parquet_and_csv_hold_the_figures_exactly(sheets, tmp_path, name):
    frame = sheets[name]
    path = saved(frame, name, tmp_path, "parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame, check_dtype=False)
    fields = pq.read_schema(path)
    assert {f.name: f.metadata[b"label"].decode() for f in fields} == dict(NAMES[name].columns)
    assert b"never a wage" in fields.metadata[b"caveat"]
    text = saved(frame, name, tmp_path, "csv").read_bytes()
    assert b"\r" not in text
    back = pd.read_csv(io.BytesIO(text), keep_default_na=False, na_values={c: [""] for c in frame})
    for column in frame.select_dtypes("number"):
        expected = frame[column].to_numpy(dtype=float, na_value=np.nan)
        np.testing.assert_array_equal(back[column].to_numpy(dtype=float), expected, err_msg=column)


@pytest.mark.parametrize("kind", TABLES)
def test_equal_tables_give_equal_bytes(sheets, tmp_path, kind):
    first = saved(sheets["placebo"], "placebo", tmp_path / "a", kind).read_bytes()
    assert saved(sheets["placebo"].copy(), "placebo", tmp_path / "b", kind).read_bytes() == first


def test_a_spreadsheet_runs_nothing(tmp_path):
    texts = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1", "\u200b=1", "plain", "a=b", None]
    frame = pd.DataFrame({"text": pd.Series(texts, dtype="str"), "number": -1.0 * np.arange(11)})
    safe = disarmed(frame)
    assert safe["text"].tolist()[:8] == ["'=1+1", "'+1", "'-1", "'@x", "'=1", "'=1", "'\uff1d1", "'=1"]
    assert safe["text"].tolist()[8:10] == ["plain", "a=b"] and safe["text"].isna().tolist()[-1]
    assert safe["number"].tolist() == frame["number"].tolist(), "a negative number is a number"
    nothing = frame.assign(text=pd.Series([None] * 11, dtype="str"))
    assert disarmed(nothing)["text"].isna().all()


def test_hostile_names_are_harmless_in_every_format(sheets, tmp_path):
    frame = sheets["placebo"]
    assert (frame["cell"] == HOSTILE_CELL).any(), "the test's own premise"
    assert "\n=HYPERLINK" not in (text := saved(frame, "placebo", tmp_path, "csv").read_text())
    assert ",=HYPER" not in text and ',"=HYPER' not in text and "'=HYPERLINK" in text
    latex = saved(frame, "placebo", tmp_path, "tex").read_text()
    body = latex.split(r"\endhead")[-1]
    for character in "&#%_$":
        unescaped = re.findall(rf"(?<!\\)\{character}", body.replace(" & ", "").replace("% ", ""))
        assert not [u for u in unescaped if character not in "&$"], character
    rows = [line for line in latex.splitlines() if line.endswith(r"\\")]
    columns = len(NAMES["placebo"].printed)
    assert {line.count(" & ") + 1 for line in rows if "HYPER" in line} == {columns}


def test_latex_escapes_everything_it_obeys():
    assert escape("\\input{x}") == r"\textbackslash{}input\{x\}"
    assert escape("a & b_1 # 5 % $x$ ~ ^") == (r"a \& b\_1 \# 5 \% \$x\$ \textasciitilde{} \textasciicircum{}")
    assert escape("[x]*") == "{[}x{]}{*}", "after a row's end these would be its options"
    assert escape("−1 × “a”…\u00a0–") == r"$-$1 $\times$ ``a''\ldots{}~--"


def test_latex_has_rules_caption_label_units_and_the_caveat(sheets):
    text = latex_table(sheets["growth"], NAMES["growth"])
    for part in (
        r"\begin{longtable}{lllllllrrr}", r"\toprule", r"\midrule", r"\bottomrule", r"\endhead", r"\end{longtable}",
        r"\caption{Growth of the value of a session between two months} \label{tab:growth}",
        f"n = {len(sheets['growth']):,} rows.", r"growth; 0.27 = 27 \%", "never a wage, an invoice or a saving",
    ):  # fmt: skip
        assert part in text, part
    assert text.count(r"\begin{") == text.count(r"\end{") and text.count(r"\begingroup") == text.count(r"\endgroup")
    assert text.count("{") == text.count("}")


def test_what_is_under_the_minimum_does_not_leave(tables):
    name = sorted(set(tables.series["group"]))[1]
    kept = released(tables)
    row = kept["series"][(kept["series"]["group"] == name) & (kept["series"]["month"] == "2026-04")]
    assert len(row) == 12 and row["suppressed"].all()
    assert row.select_dtypes("number").isna().all(axis=None) and row["n_sessions"].isna().all()
    others = kept["series"][~kept["series"]["suppressed"]]
    assert others["value"].notna().all() and str(others["n_sessions"].dtype) == "Int64"
    assert name not in set(kept["growth"]["group"]) and name in set(tables.growth["group"])
    parts = kept["decomposition"]
    assert name not in set(parts["group"]) and (parts["group"] == "").any()
    assert not (kept["people"]["who"] == "leavers").any() and not kept["people"]["suppressed"].any()
    assert HIDDEN_LEVEL not in set(kept["placebo"]["estimate"]), "a set of nine sessions"
    assert "too few postings" in set(kept["placebo"]["reason"]), "a row without a figure keeps its reason"
    assert set(kept) == set(NAMES), "no values, matches, sessions or postings"


def test_a_group_that_is_never_shown_has_no_name(tables):
    name = sorted(set(tables.series["group"]))[2]
    series = tables.series.assign(suppressed=tables.series["group"] == name)
    kept = released(dataclasses.replace(tables, series=series))
    assert not any(name in set(kept[t]["group"]) for t in ("series", "growth", "decomposition"))


def test_two_columns_crossed_leave_as_sums_alone(tables):
    part = tables.decomposition.assign(group_by="kind x agent")
    kept = released(dataclasses.replace(tables, decomposition=part))["decomposition"]
    assert set(kept["group"]) == {""} and len(kept) == 3


def test_a_thin_end_month_takes_all_growth_with_it(tables):
    thin = tables.series["month"].eq("2026-04") & tables.series["group"].eq("")
    kept = released(dataclasses.replace(tables, series=tables.series.assign(suppressed=thin)))
    for name in ("placebo_draws", "sensitivity", "price_volume"):
        assert kept[name].empty, name
    assert set(kept["placebo"]["placebo"]) == {"tilt_backtest"}
    assert not (kept["growth"]["group_by"] == "").any() and not kept["index_numbers"]["month"].eq("2026-04").any()
    assert "2026-04" not in set(kept["shift_check"]["month"]) | set(kept["time_dummies"]["month"])
    assert len(kept["tilt_backtest"]) == len(tables.tilt_backtest) and len(kept["validation"]) > 0


def test_specifications_of_few_sessions_or_one_user_stay(tables):
    curve = tables.sensitivity.copy()
    curve.loc[0, "n_matched"], curve.loc[1, "effective_users"], curve.loc[2, "effective_users"] = 14, 1.9, np.nan
    kept = released(dataclasses.replace(tables, sensitivity=curve))["sensitivity"]
    assert sorted(set(curve["specification"]) - set(kept["specification"])) == [1, 2]


def test_unknown_formats_name_the_known_ones(export, tables, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown format 'xlsx' of tables; known are csv, parquet, dta, tex"):
        export(tables, tmp_path / "o", tables=["csv", "xlsx"])
    with pytest.raises(ConfigError, match=r"unknown format 'jpeg' of figures; known are svg, pdf, png"):
        export(tables, tmp_path / "o", figures=["jpeg"])
    with pytest.raises(ConfigError, match="name at least one format"):
        export(tables, tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_a_file_in_the_way_is_refused(export, tables, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file; expected a folder"):
        export(tables, tmp_path / "file", tables=["csv"])
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "tables").write_text("mine")
    with pytest.raises(InputError, match="tables: is a file"):
        export(tables, tmp_path / "o", tables=["csv"])
    with pytest.raises(EnvironmentFault, match="cannot be made"):
        export(tables, tmp_path / "file" / "below", tables=["csv"])
    assert (tmp_path / "file").read_text() == "mine"


def test_csv_alone(export, tables, tmp_path):
    result = export(tables, tmp_path / "o", tables=[".CSV", "csv"])
    assert result.tables == tuple(f"tables/{sheet.name}.csv" for sheet in SHEETS) and result.figures == ()
    assert {p.relative_to(result.out).as_posix() for p in result.out.rglob("*") if p.is_file()} == {
        *result.tables, "codebook.csv", "README.md", "export.json"
    }  # fmt: skip
    hidden = int(tables.series["suppressed"].sum())
    gone = sum(len(getattr(tables, s.name)) - len(pd.read_csv(result.out / f"tables/{s.name}.csv")) for s in SHEETS)
    assert result.withheld == hidden + gone
    text = result.text()
    assert "value per session +27 %" in text and "never a wage, an invoice or a saving" in text
    assert f"{result.withheld} rows are left out or emptied" in text and text.endswith(str(result.out))
    assert "Figures of run 0123456789abcdef" in (result.out / "README.md").read_text()


def test_empty_tables_name_the_command_that_makes_them(export, tables, tmp_path):
    bare = without_rows(tables, "placebo", "placebo_draws", "tilt_backtest", "sensitivity")
    result = export(bare, tmp_path / "o", tables=["csv"])
    assert result.empty == (
        "placebo (valuation placebo)", "placebo_draws (valuation placebo)", "tilt_backtest (valuation placebo)",
        "sensitivity (valuation sensitivity)",
    )  # fmt: skip
    assert not (tmp_path / "o/tables/placebo.csv").exists() and "no rows in placebo" in result.text()


def test_an_export_again_removes_what_is_stale_and_nothing_else(export, tables, tmp_path):
    out = tmp_path / "o"
    export(tables, out, tables=["csv"])
    (out / "tables" / "mine.csv").write_text("kept")
    listing = json.loads((out / "export.json").read_text())
    (tmp_path / "victim").write_text("kept")
    hostile = ["../victim", "tables/../../victim", "/etc/passwd", 5, "tables/..", "README.md"]
    (out / "export.json").write_text(json.dumps({**listing, "files": [*listing["files"], *hostile]}))
    result = export(without_rows(tables, "placebo"), out, tables=["csv"])
    assert not (out / "tables/placebo.csv").exists() and (out / "tables/growth.csv").exists()
    assert (out / "tables/mine.csv").read_text() == "kept" and (tmp_path / "victim").read_text() == "kept"
    assert json.loads((out / "export.json").read_text())["files"] == sorted(
        [*result.tables, "README.md", "codebook.csv"]
    )
    for broken in ("not json", "[]", '{"files": 3}'):
        (out / "export.json").write_text(broken)
        export(tables, out, tables=["csv"])


def test_the_reports_own_tables_in_latex(export, tables, tmp_path):
    result = export(tables, tmp_path / "o", tables=["tex"])
    names = [name for name in result.tables if "/report-" in name]
    assert names[0] == "tables/report-01-growth-of-the-typical-value.tex" and len(names) >= 12
    assert not any("manifest" in name or "truth" in name for name in names)
    for name in names:
        text = (result.out / name).read_text()
        braces = re.sub(r"\\[{}]", "", text)
        assert braces.count("{") == braces.count("}") and "never a wage" in text and r"\toprule" in text, name
        assert "<" not in text and "\u2212" not in text and "\u00a0" not in text, name
    growth = (result.out / names[0]).read_text()
    assert re.search(r"All & Oct 2025 & Apr 2026 & \+[\d.]+~\\% {\[}\+[\d.]+ to \+[\d.]+~\\%{\]} &", growth)
    card = next(name for name in names if "pricer-card" in name)
    assert "0.30 {[}0.25 to 0.35{]}" in (result.out / card).read_text()


@pytest.mark.slow
def test_every_figure_in_every_format_twice_the_same(export, tables, tmp_path):
    first = export(tables, tmp_path / "a", figures=list(FIGURES))
    assert first.tables == ()
    again = pictures_in(sections_of(context_of(tables, keep_headline=False)))
    for position in (0, 5, 14, 17):
        for kind in FIGURES:
            name = f"{position + 1:02d}-{again[position].slug}.{kind}"
            save_figure(again[position], tmp_path / name)
            assert (tmp_path / name).read_bytes() == (first.out / "figures" / name).read_bytes(), name
    stems = list(dict.fromkeys(Path(name).stem for name in first.figures))
    assert stems[0] == "01-growth" and "18-specification-curve" in stems
    assert [int(stem[:2]) for stem in stems] == list(range(1, len(stems) + 1))
    assert len(first.figures) == 3 * len(stems) and all(re.fullmatch(r"\d\d-[a-z0-9-]+", stem) for stem in stems)
    readme = (first.out / "README.md").read_text()
    for name in first.figures:
        data = (first.out / name).read_bytes()
        if name.endswith(".png"):
            assert data.startswith(b"\x89PNG")
        elif name.endswith(".pdf"):
            assert data.startswith(b"%PDF-1.") and len(re.findall(rb"/Type /Page\b", data)) == 1
            assert b"/CreationDate" not in data
        else:
            root = etree.fromstring(data)
            words = " ".join("".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text"))
            assert "never a wage, an invoice or a saving" in words and re.search(r"\bn = [\d,]+ ", words), name
            assert b"dc:date" not in data and b"<script" not in data
        assert Path(name).stem in readme


def test_nothing_of_a_single_session_leaves(export, tables, tmp_path):
    result = export(tables, tmp_path / "o", tables=["csv", "tex"])
    text = "".join(path.read_text() for path in result.out.rglob("*") if path.is_file())
    for column, frame in (("session_id", tables.sessions), ("user_id", tables.sessions)):
        assert not any(name in text for name in frame[column].dropna().iloc[:40])
    assert "p00001" not in text and exporting.MANIFEST == "export.json"
