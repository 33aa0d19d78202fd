"""The main figure as a file."""

import pytest
from lxml import etree
from make_tables import make_tables, without_rows

from valuation.errors import InputError
from valuation.report import save_main_figure, section_growth
from valuation.report.files_figures import save_figure
from valuation.report.render import context_of, pictures_in


@pytest.mark.slow
def test_svg_and_png_are_written_and_deterministic(tmp_path):
    tables = make_tables(evidence=False)
    picture = pictures_in([section_growth.section(context_of(tables))])[0]
    for kind in ("svg", "pdf", "png"):
        first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
        save_main_figure(tables, first)
        save_figure(picture, second)
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-1.")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert b"dc:date" not in (tmp_path / "a.svg").read_bytes()
    root = etree.parse(tmp_path / "a.svg").getroot()
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Index number, base month = 100" in texts


def test_other_suffixes_and_empty_series_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.svg, \.pdf, \.png, not as \.jpeg"):
        save_main_figure(make_tables(), tmp_path / "main.jpeg")
    with pytest.raises(InputError, match="no month of this run"):
        save_main_figure(without_rows(make_tables(), "series"), tmp_path / "main.svg")
