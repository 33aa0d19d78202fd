"""The report names the months that more audits are for, and what is drawn already."""

import pytest
from make_audit import with_audit
from make_tables import make_tables
from markupsafe import Markup

from valuation.report import section_audit
from valuation.report.blocks import Context
from valuation.report.disclosure import disclosed
from valuation.report.measures_audit import facts_of_audit
from valuation.report.order import ordered


@pytest.mark.parametrize(("judged", "waits"), [(59, " and after those that are drawn and wait"), (60, "")])
def test_more_audits_are_in_the_two_months_and_after_those_that_wait(judged, waits):
    tables = with_audit(make_tables(evidence=False))
    response = [{**one, "judged": judged} for one in tables.audit["response"]]
    shown = ordered(disclosed(with_audit(make_tables(evidence=False), response=response)))
    section = section_audit.section(Context(shown, facts_of_audit(shown), ()))
    text = " ".join(Markup(block.sentence).striptags() for block in section.blocks).replace("\u00a0", " ")
    assert (
        f"231 more audited sessions, in Oct 2025 and Apr 2026 together, at today’s response{waits}, would make the "
        "interval of audited growth half as wide."
    ) in text
