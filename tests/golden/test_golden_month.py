"""One golden run from files to figures; ``make golden`` makes the figures again, and the diff is reviewed."""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_figures_are_those_that_were_reviewed(tmp_path):
    spec = importlib.util.spec_from_file_location("remake", HERE / "remake.py")
    remake = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(remake)
    found, golden = remake.figures(tmp_path), json.loads((HERE / "figures.json").read_text(encoding="utf-8"))
    assert found.keys() == golden.keys()
    for name, rows in golden.items():
        assert len(found[name]) == len(rows), name
        for ours, theirs in zip(found[name], rows, strict=True):
            for mine, kept in zip(ours, theirs, strict=True):
                # half a unit of the last digit either way: another machine may round the other way
                assert mine == (pytest.approx(kept, abs=0.011, rel=1e-4) if isinstance(kept, float) else kept), (
                    name,
                    theirs,
                )
