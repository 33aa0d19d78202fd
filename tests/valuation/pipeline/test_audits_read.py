"""The audit that a report shows: the newest with an estimate, whole, of this run; what is damaged says what to do."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from valuation.errors import InputError
from valuation.pipeline.audits_read import read_audit
from valuation.storage import Layout

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from make_audit import with_audit
from make_tables import make_tables

RUN = "0123456789abcdef"


@pytest.fixture(scope="module")
def tables():
    return with_audit(make_tables(evidence=False))


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


@pytest.fixture
def audit(layout, tables):
    """Write an audit as `valuation audit draw` and `estimate` do."""

    def write(name, number, run_id=RUN, estimated=True):
        folder = layout.audits / name
        folder.mkdir(parents=True)
        (folder / "audit.json").write_text(json.dumps({"number": number, "run_id": run_id, "kind_by": "kind"}))
        if not estimated:
            return folder
        levels = tables.audited.query("series == 'audited' and measure == 'level'")
        months = [{"month": one.to_month, "value": one.estimate} for one in levels.itertuples()]
        said = {**tables.audit, "audit_id": name, "run_id": run_id, "audited": {"months": months}, "caveat": "x"}
        (folder / "estimate.json").write_text(json.dumps(said))
        for file, frame in (("audited", tables.audited), ("precision", tables.audit_precision),
                            ("agreement", tables.audit_agreement)):  # fmt: skip
            frame.to_parquet(folder / f"{file}.parquet", index=False)
        return folder

    return write


def test_no_audit_no_estimate_or_one_of_another_run_is_none(layout, audit):
    assert read_audit(layout, RUN) == {}
    audit("drawn", 1, estimated=False)
    audit("other", 2, run_id="f" * 16)
    assert read_audit(layout, RUN) == {}


def test_the_newest_with_an_estimate_is_shown_and_the_others_are_named(layout, audit, tables):
    for name, number in (("zoe", 1), ("abe", 10), ("mia", 9)):
        audit(name, number)
    audit("newest", 11, estimated=False)
    audit("other", 12, run_id="f" * 16)
    found = read_audit(layout, RUN)
    assert found["audit"]["audit_id"] == "abe" and found["audit"]["others"] == ["mia", "zoe"]
    assert found["audit"]["kind_by"] == "kind" and found["audit"]["counts"]["not_blind"] == 7
    assert set(found) == {"audit", "audited", "audit_precision", "audit_agreement"}
    pd.testing.assert_frame_equal(found["audited"], tables.audited)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("estimate.json", "{", "not readable .*; write it again with: valuation audit estimate a1"),
        ("estimate.json", "[]", "not an object; write it again"),
        (
            "estimate.json",
            '{"audit_id": "a1"}',
            "not an estimate of this audit as this version writes it; write it again",
        ),
        ("audit.json", "no", "not readable .*; restore .*a1 from a copy, or delete it"),
        ("audit.json", '{"number": "1"}', "not the card of an audit; restore"),
        ("precision.parquet", "no", "precision.parquet.*; write it again with: valuation audit estimate a1"),
    ],
)
def test_a_damaged_audit_says_what_to_do(layout, audit, file, text, message):
    folder = audit("a1", 1)
    (folder / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_audit(layout, RUN)


@pytest.mark.parametrize("file", ["audit.json", "agreement.parquet"])
def test_a_missing_file_says_what_to_do(layout, audit, file):
    (audit("a1", 1) / file).unlink()
    with pytest.raises(InputError, match="a1"):
        read_audit(layout, RUN)


@pytest.mark.parametrize(
    "change",
    [{"audit_id": "b"}, {"run_id": "e" * 16}, {"response": [{"month": "2025-10"}]}, {"response": 3}, {"counts": {}}],
)
def test_an_estimate_of_something_else_or_without_its_parts_is_refused(layout, audit, change):
    path = audit("a1", 1) / "estimate.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match="not an estimate of this audit"):
        read_audit(layout, RUN)


def test_tables_of_another_estimate_are_refused(layout, audit, tables):
    folder = audit("a1", 1)
    tables.audited.assign(estimate=tables.audited["estimate"] * 1.001).to_parquet(
        folder / "audited.parquet", index=False
    )
    with pytest.raises(InputError, match=r"its tables are not those of estimate.json; write it again"):
        read_audit(layout, RUN)
    tables.audited.assign(estimate=float("nan")).to_parquet(folder / "audited.parquet", index=False)
    with pytest.raises(InputError, match=r"its tables are not those"):
        read_audit(layout, RUN)
