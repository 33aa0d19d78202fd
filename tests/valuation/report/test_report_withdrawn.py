"""What the report says of a run that lost postings to a retention limit."""

import dataclasses
from unittest import mock

import pytest
from lxml import html
from make_tables import make_tables
from markupsafe import Markup

from valuation.report import render
from valuation.report.blocks import Picture
from valuation.report.warnings import warnings_of
from valuation.tables.withdrawn import Withdrawal

LOST = "p00003"


@pytest.fixture(scope="module")
def whole():
    return make_tables()


@pytest.fixture(scope="module")
def reduced(whole):
    rows = whole.matches["posting_id"] == LOST
    marks = (
        Withdrawal("upwork", "2026-11-21T00:00:00+00:00", 24.0, 5, int(rows.sum()) - 1, 8),
        Withdrawal("upwork", "2026-11-22T00:00:00+00:00", 24.0, 7, 1, 8),
        Withdrawal("own", "2026-11-20T00:00:00+00:00", 1.5, 2, 0, 8),
    )
    return dataclasses.replace(whole, matches=whole.matches[~rows].reset_index(drop=True), withdrawn=marks)


def fired(tables):
    return {(found.code, found.subject): found for found in warnings_of(tables)}


def test_each_limit_is_told_once_with_its_counts(whole, reduced):
    assert not any(code == "withdrawn" for code, _ in fired(whole))
    found = fired(reduced)
    rows = len(whole.matches) - len(reduced.matches)
    assert rows > 5
    assert found["withdrawn", "upwork"].numbers == {"postings": 12.0, "rows": float(rows)}
    assert found["withdrawn", "own"].numbers == {"postings": 2.0, "rows": 0.0}
    said = found["withdrawn", "upwork"].sentence.striptags()
    assert said.startswith(
        "12 of this run’s postings were deleted since it was made, as sources.upwork.retention_hours"
    )
    assert "= 24 asks (last on 2026-11-22)" in said


def test_sums_that_lack_deleted_neighbours_are_no_fault(whole, reduced):
    assert ("sums_off", "") not in fired(reduced)
    unmarked = dataclasses.replace(reduced, withdrawn=())
    assert ("sums_off", "") in fired(unmarked), "without a mark they are one"
    session = reduced.matches.groupby("session_id").size().pipe(lambda sizes: sizes[sizes == 8]).index[0]
    moved = reduced.matches.assign(
        contribution=reduced.matches["contribution"].where(reduced.matches["session_id"] != session, 9.0)
    )
    assert ("sums_off", "") in fired(dataclasses.replace(reduced, matches=moved)), "of a session that lost none, too"


def test_the_page_says_so_and_claims_no_whole_sum(reduced):
    settings = {**reduced.manifest.get("settings", {}), "report": {"examples": 100}}
    with mock.patch.multiple(Picture, wide=Markup(""), narrow=Markup("")):  # its words alone are asked for
        page = render(dataclasses.replace(reduced, manifest={**reduced.manifest, "settings": settings}))
    text = html.document_fromstring(page).text_content()
    assert "Postings deleted since" in text and LOST not in page
    assert "came from neighbours deleted since" in text and "they do not add up" not in text
