"""What people said: the section shows its tables, hides what is thin, and its rules fire past their thresholds."""

import dataclasses
import re
from unittest import mock

import numpy as np
import pytest
from lxml import etree, html
from make_audit import HIDDEN_LEVEL, HOSTILE_KIND, with_audit
from make_tables import make_tables
from markupsafe import Markup, escape

from valuation.report import render, rules_audit, section_audit
from valuation.report.blocks import Context, Picture
from valuation.report.constants import CAVEAT
from valuation.report.disclosure import disclosed, released
from valuation.report.inputs import RunTables
from valuation.report.measures_audit import facts_of_audit
from valuation.report.order import ordered
from valuation.report.render import context_of, sections_of
from valuation.report.warnings import RULES
from valuation.tables import AuditedSeries, AuditPrecision, empty

TITLE = "What people said"


@pytest.fixture(scope="module")
def bare():
    return make_tables(evidence=False)


@pytest.fixture(scope="module")
def tables(bare):
    return with_audit(bare)


def built(tables: RunTables):
    """Build the section alone: the whole report takes too long for so many cases."""
    shown = ordered(disclosed(tables))
    return section_audit.section(Context(shown, facts_of_audit(shown), ()))


def words(tables: RunTables) -> str:
    """All that the section says, without figures."""
    section = built(tables)
    parts = [section.lead]
    for block in section.blocks:
        parts += [block.sentence, *(cell for row in getattr(block, "rows", ()) for cell in row)]
    return " ".join(Markup(part).striptags() for part in parts)


def grid(tables: RunTables, title: str):
    return next(block for block in built(tables).blocks if getattr(block, "title", "") == title)


def numbers(row) -> list[float]:
    return [float(one) for part in row for one in re.findall(r'<data value="([^"]+)"', part)]


def test_without_an_audit_there_is_no_section_and_no_rule(bare):
    assert built(bare) is None
    assert not [found for rule in RULE.values() for found in rule(bare)]
    assert facts_of_audit(bare) == {}


@pytest.mark.slow
def test_without_an_audit_the_page_is_what_it_was(bare):
    left = dataclasses.replace(bare, audited=empty(AuditedSeries), audit_precision=empty(AuditPrecision))
    with mock.patch.multiple(Picture, wide=Markup(""), narrow=Markup("")):
        assert render(left) == render(bare) and TITLE not in render(bare)


def test_the_section_stands_after_certainty(tables):
    titles = [section.title for section in sections_of(context_of(tables))]
    assert titles[:4] == ["How much?", "How sure?", TITLE, "Why did it move?"]


def test_the_table_shows_every_line_of_its_months(tables):
    found = grid(tables, "Audited levels and growth beside the run’s")
    rows = tables.audited.set_index(["series", "measure", "to_month"])
    assert len(found.rows) == 3 and found.header[1] == "Audited"
    for row, (measure, month) in zip(
        found.rows, [("level", "2025-10"), ("level", "2026-04"), ("growth", "2026-04")], strict=True
    ):
        lines = [("audited", measure), ("plain", measure), ("audited_over_plain", f"{measure}_ratio"),
                 ("plain_users", measure), ("audited_all", measure)]  # fmt: skip
        expected = [
            float(rows.loc[(*line, month), column]) for line in lines for column in ("estimate", "lower", "upper")
        ]
        expected.append(float(rows.loc[("audited", measure, month), "n_audited"]))
        assert numbers(row) == expected


def test_who_answered_with_bounds_and_what_would_halve_the_interval(tables):
    found = grid(tables, "Who answered, and what the others could change")
    assert numbers(found.rows[0]) == [60, 59, 58, 58 / 60, 50, 101.5, 161.5]
    assert "within −5.2 to +31.2 %" in words(tables).replace("\u00a0", " ")
    assert "231 more audited sessions" in words(tables)
    never = with_audit(make_tables(evidence=False), audits_to_halve=None, halving="no number of audits: users alone")
    assert "An interval half as wide: no number of audits: users alone." in words(never)


def test_it_says_who_judged_how_much_blind_and_which_other_audits_there_are(tables):
    text = words(tables)
    assert "Audit june: 118 of 120 sessions drawn were judged, by 3 analysts, with 370 verdicts that stand" in text
    assert (
        "2 of them settle others, and 7 were given after figures were seen (of 9 from files that is not known)." in text
    )
    assert "Older audits of this run with an estimate: may, april." in text
    assert "Left out" not in text
    without = {"adjudications": 0, "after_figures": 7}
    told = words(with_audit(make_tables(evidence=False), left_out=without))
    assert "Left out as asked: verdicts 7 given after figures were seen. Older" in told
    assert "Older audits" not in words(with_audit(make_tables(evidence=False), others=[]))
    assert "never a wage, an invoice or a saving" in text
    assert "if the audit did not tune the pricer" in text and "λ = 0.6" in text
    assert "n = 115 sessions with an analyst’s value of 120 matched ones drawn" in text
    assert "Not told: no audited level of all sessions." in text


def test_precision_by_coarse_cell_with_interval_and_both_bounds(tables):
    found = grid(tables, "How often the gigs are comparable")
    names = [Markup(row[0]).striptags() for row in found.rows]
    assert names == [
        "All matched sessions", "Oct 2025", "Apr 2026", "build", "other kinds", "Cheapest third by value",
        "More similar half",
    ]  # fmt: skip
    assert "Analysts differ on 11, each counted as the share who call it comparable." in words(tables)
    row = tables.audit_precision.iloc[0]
    columns = ("estimate", "lower", "upper", "lower_bound", "upper_bound", "n_gigs", "n_cant_say", "n_sessions")
    assert numbers(found.rows[0]) == [float(row[name]) for name in columns]


def test_agreement_with_both_coefficients_and_why_there_is_none(tables):
    found = grid(tables, "How far analysts agree")
    assert [numbers(row)[:3] for row in found.rows[:2]] == [[63, 19, 0.71], [63, 19, 0.71 + 0.05]]
    assert "1 judged twice, 2 needed" in found.rows[3][0]
    alone = dataclasses.replace(tables, audit_agreement=tables.audit_agreement.assign(n_units=0))
    assert "Nothing was judged by two analysts" in words(alone)


def markup(tables: RunTables) -> str:
    """The section as it enters the page, without figures; what is no Markup is escaped there."""
    section = built(tables)
    parts = [section.title, section.lead]
    for block in section.blocks:
        parts += [block.sentence, getattr(block, "title", ""), *getattr(block, "header", ())]
        parts += [cell for row in getattr(block, "rows", ()) for cell in row]
    return " ".join(str(escape(part)) for part in parts)


def test_hostile_texts_are_text():
    tables = with_audit(make_tables(hostile=True, evidence=False), hostile=True, audit_id=HOSTILE_KIND, others=["<b>"])
    tables = dataclasses.replace(tables, audit={**tables.audit, "audits_to_halve": None, "halving": HOSTILE_KIND})
    said = markup(tables)
    assert "<script" not in said and "<img" not in said and "<b>" not in said and "\u202e" not in said
    assert said.count("&lt;script&gt;alert(1)") == 3, "the audit's name, why no audits help, a kind"
    assert "{{ 7 * 7 }}" in said and "$\\frac{1}{0}$" in said


def test_words_do_not_depend_on_the_order_of_rows(tables):
    names = ("audited", "audit_precision", "audit_agreement")
    mixed = {name: getattr(tables, name).sample(frac=1, random_state=3).reset_index(drop=True) for name in names}
    assert markup(dataclasses.replace(tables, **mixed)) == markup(tables)


def thin(tables: RunTables, **of_last) -> RunTables:
    """The last month has few: its audited levels are ones that may not be seen."""
    response = [tables.audit["response"][0], {**tables.audit["response"][1], **of_last}]
    frame = tables.audited
    of_people = ["audited", "audited_all", "accepting_all", "audited_over_plain"]
    last = frame["series"].isin(of_people) & (frame["to_month"] == "2026-04")
    frame = frame.assign(estimate=frame["estimate"].where(~last, HIDDEN_LEVEL))
    return dataclasses.replace(tables, audited=frame, audit={**tables.audit, "response": response})


@pytest.mark.parametrize("few", [{"answered": 14}, {"users": 4}])
def test_few_audited_sessions_or_users_have_no_level_no_growth_and_no_bounds(tables, few):
    shown = disclosed(thin(tables, **few))
    kept = shown.audited
    assert HIDDEN_LEVEL not in set(kept["estimate"])
    assert set(kept.loc[kept["series"] == "audited", "to_month"]) == {"2025-10"}
    assert len(kept[kept["series"] == "plain"]) == 3
    assert shown.audit["growth_bounds"] is None and shown.audit["response"][1]["upper_bound"] is None
    assert shown.audit["response"][0]["upper_bound"] == 161.5
    text = words(thin(tables, **few))
    assert "No audited growth can be shown." in text and "9,876,543" not in text
    assert tables.audit["growth_bounds"] is not None, "nothing is written into the run's own tables"


@pytest.mark.parametrize(("answered", "users", "gone"), [(15, 5, False), (14, 5, True), (15, 4, True)])
def test_the_minimum_is_that_of_the_run(tables, answered, users, gone):
    kept = released(thin(tables, answered=answered, users=users))["audited"]
    assert (HIDDEN_LEVEL not in set(kept["estimate"])) == gone


def test_a_suppressed_month_or_kind_takes_what_rests_on_it(tables):
    series = tables.series
    month = (series["group"] == "") & (series["month"] == "2026-04")
    hidden = dataclasses.replace(tables, series=series.assign(suppressed=month))
    left = released(hidden)
    assert set(left["audited"]["to_month"]) == {"2025-10"}
    assert "2026-04" not in set(left["audit_precision"]["cell"])
    assert (disclosed(hidden).audited["measure"] == "growth").any(), "a report keeps its headline"
    kind = (series["group"] == "build") & (series["month"] == "2025-10")
    left = released(dataclasses.replace(tables, series=series.assign(suppressed=kind)))["audit_precision"]
    assert "build" not in set(left["cell"]) and "other kinds" in set(left["cell"])


def test_strata_cells_of_few_sessions_and_unjudged_ones_never_leave(tables):
    kept = released(tables)["audit_precision"]
    assert "stratum" not in set(kept["cell_by"]) and "few" not in set(kept["cell"])
    assert kept["n_sessions"].min() == 15
    assert len(released(tables)["audit_agreement"]) == 5


RULE = {
    "audit_differs": rules_audit.audit_differs,
    "audit_response": rules_audit.audit_response,
    "few_audited": rules_audit.few_audited,
    "low_precision": rules_audit.low_precision,
    "analysts_disagree": rules_audit.analysts_disagree,
}


def fired(tables, code):
    found = RULE[code](tables)
    assert all(one.code == code for one in found)
    return found[0] if found else None


def test_every_rule_is_applied_and_an_audit_that_agrees_fires_none(tables):
    assert set(RULE.values()) <= set(RULES)
    assert not [found for rule in RULE.values() for found in rule(tables)]


def with_growth(tables, series="audited", measure="growth", **columns):
    frame = tables.audited
    mine = (frame["series"] == series) & (frame["measure"] == measure)
    return dataclasses.replace(
        tables, audited=frame.assign(**{k: frame[k].where(~mine, v) for k, v in columns.items()})
    )


def test_audited_growth_that_excludes_the_runs(tables):
    def ratio(**columns):
        return fired(with_growth(tables, "audited_over_plain", "growth_ratio", **columns), "audit_differs")

    assert ratio(lower=1.0) is None and ratio(upper=1.0) is None
    for found in (ratio(upper=1.0 - 1e-6), ratio(lower=1.0 + 1e-6)):
        assert found.severity == "serious" and "which excludes one: the pricer errs" in found.sentence
        assert "growth factor to growth factor, is 0.98 (" in found.sentence.striptags()
    assert ratio(lower=np.nan, upper=np.nan) is None
    # the two rest on the same users: an audited interval without the run's growth, or with it, does not decide
    frame = tables.audited
    run = float(frame.loc[(frame["series"] == "plain") & (frame["measure"] == "growth"), "estimate"].iloc[0])
    assert fired(with_growth(tables, lower=run + 1e-6), "audit_differs") is None


def test_a_contradicted_headline_says_so_beside_it():
    tables = with_audit(make_tables(evidence=False), wrong=True)
    with mock.patch.multiple(Picture, wide=Markup(""), narrow=Markup("")):
        document = html.document_fromstring(render(tables))
    beside = [one.text_content() for one in document.xpath("//header/p[@class='beside']")]
    assert len(beside) == 1 and beside[0].startswith("By what people said of a random sample, growth from Oct 2025")
    assert "The audited level is apart from the run’s in Apr 2026 (0.70 times, 0.65 to 0.76)." in words(tables)


def with_rates(tables, *rates):
    response = [{**one, "rate": rate} for one, rate in zip(tables.audit["response"], rates, strict=True)]
    return dataclasses.replace(tables, audit={**tables.audit, "response": response})


@pytest.mark.parametrize(
    ("rates", "fires"),
    [((0.7, 0.8), False), ((0.69, 0.72), True), ((0.95, 0.85), False), ((0.95, 0.84), True), ((0.84, 0.95), True),
     ((None, 0.2), False)],
)  # fmt: skip
def test_response_that_is_low_or_differs(tables, rates, fires):
    assert (fired(with_rates(tables, *rates), "audit_response") is not None) == fires


@pytest.mark.parametrize(("answered", "said"), [((30, 31), None), ((29, 40), "29 in Oct 2025 (limit 30")])
def test_few_audited_in_a_month(answered, said):
    found = fired(with_audit(make_tables(evidence=False), answered=answered), "few_audited")
    assert (said in found.sentence.striptags()) if said else found is None


@pytest.mark.parametrize(
    ("estimate", "upper", "severity"),
    [(0.5, 0.6, None), (0.49, 0.6, "caution"), (0.4, 0.499, "serious"), (np.nan, np.nan, None)],
)
def test_precision_under_a_half(tables, estimate, upper, severity):
    frame = tables.audit_precision
    whole = frame["cell_by"] == "all"
    frame = frame.assign(estimate=frame["estimate"].where(~whole, estimate), upper=frame["upper"].where(~whole, upper))
    found = fired(dataclasses.replace(tables, audit_precision=frame), "low_precision")
    assert (found.severity if found else None) == severity


@pytest.mark.parametrize(("alpha", "severity"), [(0.4, None), (0.39, "caution"), (-0.1, "caution"), (np.nan, "note")])
def test_analysts_who_agree_little_or_were_not_compared(tables, alpha, severity):
    frame = tables.audit_agreement
    frame = frame.assign(estimate=frame["estimate"].where(frame["measure"] != "alpha_nominal", alpha))
    found = fired(dataclasses.replace(tables, audit_agreement=frame), "analysts_disagree")
    assert (found.severity if found else None) == severity
    if severity == "note":
        assert found.title == "Agreement not measured"


def picture(tables) -> Picture:
    return next(block for block in built(tables).blocks if isinstance(block, Picture))


@pytest.mark.parametrize("width", [7.0, 3.5])
def test_the_figure_has_both_intervals_of_every_month_and_of_growth(tables, width):
    figure = picture(tables).draw(width)
    left, right = figure.axes
    assert left.get_xscale() == "log" and left.get_xlabel() == "USD (log axis)" and right.get_xlabel() == "Growth, %"
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["Oct 2025\nn 58", "Apr 2026\nn 57"]
    for axes, measure, scale in ((left, "level", 1.0), (right, "growth", 100.0)):
        for line, container in zip(("plain", "plain_users", "audited"), axes.containers, strict=True):
            rows = tables.audited[(tables.audited["series"] == line) & (tables.audited["measure"] == measure)]
            rows = rows.sort_values("to_month")
            np.testing.assert_allclose(container[0].get_xdata(orig=False), scale * rows["estimate"].to_numpy(float))
            ends = np.array([segment[:, 0] for segment in container[2][0].get_segments()])
            np.testing.assert_allclose(ends, scale * rows[["lower", "upper"]].to_numpy(float))
    assert "n = 115 matched sessions with an analyst’s value" in figure.get_supxlabel()
    assert CAVEAT in figure.get_supxlabel()


def test_one_audited_month_has_no_growth(tables):
    frame = tables.audited
    one = dataclasses.replace(
        tables, audited=frame[(frame["from_month"] == "2025-10") & (frame["measure"] == "level")],
        audit={**tables.audit, "response": tables.audit["response"][:1], "growth_bounds": None, "audits_to_halve": None,
               "halving": "one month has no growth"},
    )  # fmt: skip
    assert len(picture(one).draw(7.0).axes) == 1
    assert len(grid(one, "Audited levels and growth beside the run’s").rows) == 1
    assert "half as wide" not in words(one)


@pytest.mark.slow
def test_the_drawn_figure_is_text_and_well_formed():
    tables = with_audit(make_tables(hostile=True, evidence=False), hostile=True, wrong=True)
    for drawing in (picture(tables).wide, picture(tables).narrow):
        said = " ".join(etree.fromstring(str(drawing)).itertext())
        assert "Audited" in said and CAVEAT in said.replace("\n", " ") and "<script" not in drawing


def test_nothing_names_an_analyst_a_session_or_a_text(tables):
    page = words(tables)
    for frame, column in ((tables.sessions, "session_id"), (tables.sessions, "user_id")):
        assert not any(str(one) in page for one in frame[column].dropna())
    assert section_audit.LINES == ("audited", "plain", "plain_users", "audited_all")
