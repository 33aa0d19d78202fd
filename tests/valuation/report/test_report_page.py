"""The page: nothing executes, nothing is loaded, every number is traced, equal tables give equal bytes."""

import dataclasses
import re
from functools import cache
from unittest import mock
from urllib.parse import unquote

import pandas as pd
import pytest
from lxml import etree, html
from make_audit import with_audit
from make_evidence import no_price_volume
from make_tables import HOSTILE_URLS, MONTHS, K, make_tables, with_manifest, without_rows
from markupsafe import Markup

from valuation.report import RunTables, order, render, section_growth
from valuation.report.blocks import Block, Context, Picture
from valuation.report.constants import CONSTANTS
from valuation.report.facts import facts_of
from valuation.report.render import context_of, sections_of
from valuation.report.warnings import warnings_of

ROW_KEYS = {
    "values": ("session_id",),
    "matches": ("session_id", "rank"),
    "series": ("month", "group_by", "group", "statistic", "pricer"),
    "growth": ("group_by", "group", "statistic", "pricer", "variation", "from_month", "to_month"),
    "decomposition": ("group_by", "group", "from_month", "to_month", "term"),
    "shift_check": ("month",),
    "validation": ("pricer", "sample", "cell_by", "cell", "measure"),
    "index_numbers": ("group_by", "method", "comparison", "base_month", "month"),
    "price_volume": ("from_month", "to_month", "term"),
    "time_dummies": ("month", "covariates"),
    "people": ("from_month", "to_month", "who", "measure"),
    "placebo": ("placebo", "cell", "measure"),
    "audited": ("series", "measure", "from_month", "to_month"),
    "audit_precision": ("cell_by", "cell"),
    "audit_agreement": ("measure",),
}
ACTIVE = {"script", "iframe", "object", "embed", "base", "link", "form", "input", "button", "video", "audio", "img",
          "image", "foreignobject", "animate", "set", "source", "template", "noscript"}  # fmt: skip
HIDDEN = 8765432.1
DIGITS = re.compile(r"\d")


@cache
def run(kind: str) -> RunTables:
    if kind == "hostile":
        return make_tables(hostile=True, partial=("2026-04",))
    if kind == "audited":
        return with_audit(make_tables(hostile=True, evidence=False), hostile=True, wrong=True)
    if kind == "truth":
        truth = {
            "growth": [
                {"kind": "", "expected_growth": 0.25, "growth": 0.27},
                {"kind": "fix", "expected_growth": 0.31, "growth": 0.3},
            ],
            "series": [{"month": m, "expected_log_value": 5 + 0.03 * i} for i, m in enumerate(MONTHS)],
            "settings": {"months": 7, "growth": [0.32, 0.43]},
        }
        tables = make_tables(evidence=False)
        target = (tables.series["group"] == "fix") & (tables.series["month"] == "2026-02")
        series = tables.series.assign(suppressed=target, value=tables.series["value"].where(~target, HIDDEN))
        return dataclasses.replace(tables, truth=truth, series=series)
    tables = make_tables(group_by="agent" if kind == "warned" else "kind")
    if kind == "warned":
        shift = {"from_month": "2025-10", "to_month": "2026-04", "difference": 0.1, "lower": 0.02, "upper": 0.18,
                 "corrected_growth": 0.4, "corrected_lower": 0.2, "corrected_upper": 0.6}  # fmt: skip
        bounds = {"growth": [0.1, 0.5]}
        tables = with_manifest(
            tables, shift_check=shift, unmatched_bounds=bounds, s_min=0.3, calibration={"slope": 0.5}
        )
        late = tables.sessions["month"] > "2026-01"
        sessions = tables.sessions.assign(
            agent=tables.sessions["agent"].where(late, "three"), summary=tables.sessions["summary"].where(late, "brief")
        )
        failed = tables.placebo["placebo"].isin(["months_permuted", "leave_one_source_out"])
        off = tables.placebo["measure"] == "slope"
        placebo = tables.placebo.assign(
            passed=tables.placebo["passed"].where(~failed, "no"),
            estimate=tables.placebo["estimate"].where(~off, 1.5),
        )
        curve = tables.sensitivity.assign(growth=tables.sensitivity["growth"] - 0.25)
        tables = dataclasses.replace(
            tables, sessions=sessions, placebo=placebo, sensitivity=curve, price_volume=no_price_volume(MONTHS)
        )
    return tables


def wordily(tables: RunTables) -> str:
    """Render without drawing figures: all that is said of them is there."""
    with mock.patch.multiple(Picture, wide=Markup(""), narrow=Markup("")):
        return render(tables)


def narrowly(tables: RunTables) -> str:
    """Render with every figure drawn once, for a phone: what is drawn for a page comes from the same functions."""
    with mock.patch.object(Picture, "wide", Markup("")):
        return render(tables)


@cache
def page(kind: str) -> str:
    return wordily(run(kind))


@cache
def drawn(kind: str) -> str:
    return render(run(kind)) if kind == "plain" else narrowly(run(kind))


@cache
def tree(kind: str) -> html.HtmlElement:
    return html.document_fromstring(page(kind))


KINDS = ("plain", "hostile", "warned", "truth", "audited")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "hostile", "truth"])
def test_nothing_executes_and_nothing_is_loaded_with_figures(kind):
    assert drawn(kind).count("<svg ") >= 8
    harmless(html.document_fromstring(drawn(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_executes_and_nothing_is_loaded(kind):
    harmless(tree(kind))


def harmless(document: html.HtmlElement) -> None:
    for element in document.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag.lower() not in ACTIVE, element.tag
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), name
            assert name.lower() not in ("src", "srcset", "srcdoc", "action", "formaction", "background", "ping"), name
            if name.lower().endswith("href"):
                assert value.startswith("#") or (
                    element.tag == "a" and re.match(r"https?://", value, re.I) and "@" not in value
                ), value
                if not value.startswith("#"):
                    assert element.get("rel") == "noopener noreferrer nofollow"
            if name == "style":
                assert "url(" not in value.replace("url(#", "")
    for style in document.iter("style"):
        assert "@import" not in style.text and "url(" not in style.text and "</" not in style.text
    assert len(list(document.iter("style"))) == 1


def test_hostile_texts_are_shown_as_text():
    text = page("hostile")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in text and "<iframe" not in text
    assert "{{ 7 * 7 }}" in tree("hostile").text_content()
    assert "$\\frac{1}{0}$" in tree("hostile").text_content()
    for hidden in "\u202e\u202c\u200b\x00\x07\x1b\ufeff\U000e0041":
        assert hidden not in text


def test_only_plain_links_survive():
    links = {a.get("href") for a in tree("hostile").iter("a") if not a.get("href").startswith("#")}
    allowed = {'https://ok.example/a?b="onmouseover=alert(1)', "HTTPS://ok.example/fine"}
    pages = "http://127.0.0.1:8765/runs/0123456789abcdef"  # the review pages, on the reader's own machine
    assert pages in links
    assert links - {pages} and links - {pages} <= allowed
    assert not links & (set(HOSTILE_URLS) - allowed)


def test_content_security_policy_comes_before_everything_that_it_governs():
    head = tree("plain").find("head")
    metas = [m for m in head.iter("meta") if (m.get("http-equiv") or "").lower() == "content-security-policy"]
    assert len(metas) == 1
    for part in ("default-src 'none'", "style-src 'unsafe-inline'", "img-src data:"):
        assert part in metas[0].get("content")
    assert page("plain").index("Content-Security-Policy") < page("plain").index("<style>")


Facts = dict[str, float] | None


@cache
def rows_by_key(kind: str, table: str) -> dict[tuple[str, ...], list[int]]:
    """Places of a table's rows by their keys, as text."""
    frame: pd.DataFrame = getattr(run(kind), table)
    found: dict[tuple[str, ...], list[int]] = {}
    for place, key in enumerate(zip(*(frame[name].astype(str) for name in ROW_KEYS[table]), strict=True)):
        found.setdefault(key, []).append(place)
    return found


def lookup(kind: str, source: str, facts: Facts = None, warnings: tuple = ()) -> float:
    """Follow a source back to its table, without the report's own code."""
    table, key, column = source.split(":")
    parts = [unquote(part) for part in key.split(",")]
    tables = run(kind)
    if table in ROW_KEYS:
        places = rows_by_key(kind, table).get(tuple(parts), [])
        assert len(places) == 1, source
        return float(getattr(tables, table)[column].iloc[places[0]])
    if table in ("manifest", "truth", "audit"):
        node = getattr(tables, table)
        for part in parts:
            node = node[int(part)] if isinstance(node, list) else node[part]
        return float(node)
    if table == "fact":
        return float(facts[key])
    if table == "warning":
        found = [w for w in warnings if [w.code, w.subject] == parts]
        assert len(found) == 1, source
        return float(found[0].numbers[column])
    assert table == "constant", source
    return float(CONSTANTS[key])


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_in_its_table(kind):
    tables, seen = run(kind), {}
    facts, warnings = facts_of(tables), tuple(warnings_of(tables))
    for element in tree(kind).iter("data"):
        source, value = element.get("data-source"), float(element.get("value"))
        if source not in seen:
            seen[source] = lookup(kind, source, facts, warnings)
        assert value == pytest.approx(seen[source], rel=1e-12, abs=0), source
        shown = element.text.replace("\u2212", "-").replace("\u00a0", "").strip("$×%").replace(",", "").lstrip("+")
        shown = shown.replace("$", "")
        digits = len(shown.split("e")[0].partition(".")[2])
        scaled = value * float(element.get("data-scale") or 1)
        slack = 0.5001 * 10.0**-digits if "e" not in shown else abs(scaled) * 1e-5
        slack = max(slack, abs(scaled) * 1e-5 if "manifest" in source or "truth" in source else 0.0)
        assert float(shown) == pytest.approx(scaled, abs=slack, rel=0), (source, element.text, value)
    tables_cited = {source.split(":")[0] for source in seen}
    assert tables_cited >= {"series", "growth", "values", "matches", "shift_check", "validation", "fact", "manifest"}
    if kind == "audited":
        assert tables_cited >= {"audited", "audit_precision", "audit_agreement", "audit"}
    assert kind in ("truth", "audited") or tables_cited >= {
        "index_numbers",
        "price_volume",
        "time_dummies",
        "people",
        "placebo",
    }


def loose_digits(kind: str) -> list[str]:
    """Visible texts with a digit that stand outside numbers, months, quoted text, figures and numbering."""
    found = []

    def walk(element: html.HtmlElement) -> None:
        quoted = "quoted" in (element.get("class") or "").split()
        own = not isinstance(element.tag, str) or element.tag in ("svg", "style", "head", "data", "time") or quoted
        if not own and element.text and DIGITS.search(element.text):
            found.append(element.text)
        for child in [] if own else element:
            walk(child)
            if child.tail and DIGITS.search(child.tail):
                found.append(child.tail)

    walk(tree(kind))
    return [text for text in found if not re.fullmatch(r"\s*(Figure|Table|Example) \d+\.\s*", text)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_stands_outside_a_traced_element(kind):
    # Titles of figures by group name a column of the user's own.
    assert loose_digits(kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_months_are_months_of_the_run(kind):
    card = run(kind).validation
    known = {*run(kind).series["month"], *card.loc[card["cell_by"] == "month", "cell"]}
    assert {m.get("datetime") for m in tree(kind).iter("time")} <= known


def test_tracing_can_fail():
    """A source leads to its own row and column, and nowhere if it is not there: the test of the test."""
    known = {element.get("data-source"): float(element.get("value")) for element in tree("plain").iter("data")}
    source = next(name for name in known if name.endswith("both,2025-10,2026-04:growth"))
    assert lookup("plain", source) == pytest.approx(known[source])
    assert lookup("plain", source.replace(":growth", ":lower")) != pytest.approx(known[source])
    with pytest.raises(AssertionError):
        lookup("plain", source.replace("2026-04", "2026-05"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_and_table_has_a_sentence_with_an_n(kind):
    document = tree(kind)
    figures = list(document.iter("figure"))
    assert len(figures) >= 8
    for figure in figures:
        sentence = figure.find("figcaption").text_content()
        assert len(sentence) > 60 and re.search(r"\bn (=|counts)|n, under each name", sentence), sentence
    for table in document.xpath("//div[starts-with(@class,'table')]"):
        sentence = table.xpath("./p[@class='sentence']")[0].text_content()
        assert re.search(r"\bn (=|counts)|The headline uses", sentence), sentence


@pytest.mark.slow
def test_figures_are_accessible_and_identifiers_unique():
    document = html.document_fromstring(drawn("plain"))
    assert len(document.xpath("//svg")) == 2 * len(document.xpath("//figure"))
    for svg in document.iter("svg"):
        assert svg.get("role") == "img"
        first, second = svg[0], svg[1]
        assert (first.tag, second.tag) == ("title", "desc")
        assert svg.get("aria-labelledby").split() == [first.get("id"), second.get("id")]
        assert first.text and second.text
        assert svg.xpath(".//text")
    identities = document.xpath("//@id")
    assert len(identities) == len(set(identities))
    for link in document.xpath("//@href[starts-with(., '#')]"):
        assert link[1:] in identities


@pytest.mark.slow
def test_the_inlined_figures_are_well_formed_and_hold_hostile_names_as_text():
    pieces = re.findall(r"<svg .*?</svg>", drawn("hostile"), flags=re.DOTALL)
    words = " ".join("".join(etree.fromstring(piece).itertext()) for piece in pieces)
    assert "<script>alert(1" in words and "\u202e" not in drawn("hostile") and "<script" not in drawn("hostile")


SHUFFLED = (
    "values", "matches", "sessions", "postings", "series", "growth", "decomposition", "decomposition_monthly",
    "shift_check", "validation", "index_numbers", "price_volume", "time_dummies", "people", "placebo", "placebo_draws",
    "tilt_backtest", "sensitivity", "audited", "audit_precision", "audit_agreement",
)  # fmt: skip


def shuffled(tables: RunTables, seed: int) -> RunTables:
    """Every table with its rows in another order."""
    return dataclasses.replace(
        tables, **{n: getattr(tables, n).sample(frac=1, random_state=seed).reset_index(drop=True) for n in SHUFFLED}
    )


def test_all_tables_are_shuffled():
    assert set(SHUFFLED) == {f.name for f in dataclasses.fields(RunTables)} - {
        "manifest", "truth", "withdrawn", "audit",
    }  # fmt: skip


def undrawn(tables: RunTables) -> str:
    """Return all that a page says, without its figures."""
    return repr([(s.title, s.lead, [told(b) for b in s.blocks]) for s in sections_of(context_of(tables))])


def told(block: Block) -> tuple[object, ...]:
    fields = (f.name for f in dataclasses.fields(block) if f.name != "draw")
    return tuple(getattr(block, name) for name in fields)


@pytest.mark.parametrize(("kind", "seed"), [("plain", 1), ("warned", 2)])
def test_words_and_tables_do_not_depend_on_the_order_of_rows(kind, seed):
    assert undrawn(shuffled(run(kind), seed)) == undrawn(run(kind))
    assert warnings_of(order.ordered(shuffled(run(kind), seed))) == warnings_of(order.ordered(run(kind)))


@pytest.mark.slow
def test_equal_tables_give_equal_bytes_in_any_row_order():
    """Figures too; the second page of a process is the first one's equal."""
    narrow = re.sub(r'(<div class="wide">).*?(</div>)', r"\1\2", drawn("plain"), flags=re.DOTALL)
    assert narrowly(shuffled(run("plain"), 3)) == narrow


@pytest.mark.slow
def test_the_page_is_small():
    assert all(len(drawn(kind).encode()) < 3_000_000 for kind in ("plain", "hostile"))


def test_headline_and_caveat():
    text = tree("plain").text_content()
    row = (
        make_tables()
        .growth.query("group_by == '' and statistic == 'mean_log' and pricer == 'matching' and variation == 'both'")
        .iloc[0]
    )
    headline = tree("plain").xpath("//p[@class='headline']")[0].text_content()
    assert f"{100 * row['growth']:+.1f}\u00a0%" in headline
    assert f"{100 * row['lower']:+.1f} to {100 * row['upper']:+.1f}\u00a0%" in headline
    assert "Oct 2025" in headline and "Apr 2026" in headline and "280 sessions" in headline
    assert "never a wage, an invoice or a saving" in text
    assert text.index("never a wage") < text.index("From Oct 2025")


def test_truth_stands_beside_the_estimate():
    sentence = tree("truth").xpath("//p[@class='truth']")[0].text_content()
    assert "+25.0\u00a0%" in sentence and "holds the truth" in sentence
    far = dataclasses.replace(make_tables(), truth={"growth": 3.0})
    assert "misses the truth" in section_growth.truth(Context(far, {}, ()))
    assert not tree("plain").xpath("//p[@class='truth']")


def test_a_shift_that_excludes_zero_stands_next_to_the_headline():
    beside = tree("warned").xpath("//header/p[@class='beside']")
    assert len(beside) == 1 and "understates growth" in beside[0].text_content()
    assert not tree("plain").xpath("//header/p[@class='beside']")


def test_examples_follow_the_rule_and_their_arithmetic_holds():
    tables = make_tables()
    matched = tables.values[tables.values["matched"]].sort_values(["value_usd", "session_id"])["session_id"].to_list()
    expected = [matched[int((i + 0.5) / 10 * len(matched))] for i in range(10)]
    shown = [e.text for e in tree("plain").xpath("//article/h3/code")]
    assert shown == expected
    facts = facts_of(tables)
    for name in expected:
        rows = tables.matches[tables.matches["session_id"] == name]
        value = tables.values.set_index("session_id").loc[name]
        assert facts[f"example,{name},shown"] + facts[f"example,{name},others"] == pytest.approx(value["log_value_raw"])
        assert facts[f"example,{name},shown"] == pytest.approx(rows.sort_values("rank")["contribution"].iloc[:5].sum())
        assert facts[f"example,{name},n_others"] == K - 5
    ranks = [e.text for e in tree("plain").xpath("//article[1]//tr[not(@class)]/td[1]/data")]
    assert ranks == ["1", "2", "3", "4", "5"]


def test_suppressed_cells_are_left_out_and_counted():
    assert facts_of(run("truth"))["groups,kind,suppressed"] == 1
    assert facts_of(run("plain"))["groups,kind,suppressed"] == 0
    assert not re.search("8,?765,?43", page("truth"))
    assert not re.search("7,?654,?321", page("plain")), "leavers, and a frozen set of nine sessions"


def test_every_question_is_a_section_in_the_order_of_an_economist():
    titles = [title.text for title in tree("plain").iter("h2")]
    assert titles == [
        "Warnings", "How much?", "How sure?", "Why did it move?", "Compared with what?",
        "What if it were measured otherwise?", "Where does the pricer err?", "Example matches", "Manifest",
    ]  # fmt: skip


def figure_titles(kind: str) -> list[str]:
    return [title.text_content() for title in tree(kind).xpath("//figure/h3/span[@class='quoted-title']")]


def table_titles(kind: str) -> list[str]:
    return [title.text_content() for title in tree(kind).xpath("//caption/span[@class='quoted-title']")]


def test_the_evidence_is_shown():
    for title in (
        "Index numbers at a fixed mix of kind", "Mix and within by kind, month by month",
        "Price level of gigs and volume of work",
        "Backtest of growth on held-out postings", "Placebos: growth where there is none",
        "Specification curve: growth under every specification",
        "Growth with one source of postings left out", "Time dummies: months compared at equal session columns",
    ):  # fmt: skip
        assert title in figure_titles("plain"), title
        assert title not in figure_titles("truth"), title
    for title in (
        "Fixed-mix index numbers by kind", "Who is behind the sessions", "Whose growth it is", "Time-dummy regression",
        "Placebos and their verdicts", "Growth measured otherwise", "Whose prices: sources of the postings",
        "Prices and volume", "Beside the published study’s pricer, a different estimator",
    ):  # fmt: skip
        assert title in table_titles("plain"), title


def test_what_was_not_run_names_its_command():
    text = tree("truth").text_content()
    assert "No placebo has been run: the command valuation placebo" in text
    assert "No other specification has been tried: the command valuation sensitivity" in text
    assert "the command valuation placebo does it" not in tree("plain").text_content()


def test_verdicts_are_words_and_reasons_are_shown():
    rows = tree("plain").xpath("//caption[contains(., 'verdicts')]/../tbody/tr")
    said = {tuple(cell.text_content() for cell in row)[0] + " " + row[1].text_content() for row in rows}
    assert any(text.startswith("Months dealt anew among users") and text.endswith("passed") for text in said)
    assert any("not judged" in text and "no length to expect" in text for text in said)
    text = tree("warned").text_content()
    assert "failed" in text and "A placebo failed" in text and "Sign depends on the specification" in text


def test_prices_against_volume_say_why_they_cannot_be_given():
    text = tree("warned").text_content()
    assert "not given. Market-a has 12 effective postings in 2026-04; 500 are needed." in text
    assert "Price level of gigs and volume of work" not in figure_titles("warned")


def block(tables: RunTables, title: str) -> str:
    """Return the sentence of the figure or table with this title."""
    blocks = (block for section in sections_of(context_of(tables)) for block in section.blocks)
    return next(block.sentence.striptags() for block in blocks if getattr(block, "title", "") == title)


def test_steps_from_month_to_month_whose_interval_misses_zero_are_counted():
    tables = make_tables()
    title = "Mix and within by kind, month by month"
    assert "Of 6 steps, the interval of within misses zero in 0, that of mix in 0;" in block(tables, title)
    frame = tables.decomposition_monthly
    sums = (frame["group"] == "") & (frame["term"] == "mix")
    up = sums & (frame["to_month"] == "2025-12")
    down = sums & (frame["to_month"] == "2026-02")
    within = (frame["term"] == "within") & (frame["group"] == "build")
    moved = frame.assign(
        lower=frame["lower"].where(~(up | within), 0.001).where(~down, -0.2), upper=frame["upper"].where(~down, -0.001)
    )
    assert "within misses zero in 0, that of mix in 2;" in block(
        dataclasses.replace(tables, decomposition_monthly=moved), title
    )


@pytest.mark.parametrize(
    ("groups", "covered", "expected", "little", "alone"),
    [
        (4, 0.97, "4 groups are in both months", False, False),
        (4, 0.79, "4 groups are in both months", True, False),
        (1, 0.34, "1 group is in both months", True, True),
    ],
)
def test_a_fixed_mix_of_little_says_so(groups, covered, expected, little, alone):
    tables = make_tables()
    frame = tables.index_numbers.assign(n_groups=groups, covered_share=covered)
    chained = frame["comparison"] == "chained"
    frame = frame.assign(n_groups=frame["n_groups"].where(~chained, 9))
    said = block(dataclasses.replace(tables, index_numbers=frame), "Fixed-mix index numbers by kind")
    assert expected in said and f"at least {100 * covered:.1f} %" in said
    assert ("That is little" in said) == little and ("no mix to hold fixed" in said) == alone


def test_a_growth_that_may_be_none_says_so_at_once():
    tables = make_tables()
    assert "includes zero" not in tree("plain").xpath("//p[@class='headline']")[0].text_content()
    near = dataclasses.replace(tables, growth=tables.growth.assign(lower=-0.1))
    assert "which includes zero)" in section_growth.headline(context_of(near))


def test_what_rests_on_all_sessions_says_so_in_its_figure():
    """The matched share and the similarities are of all sessions, not of the matched alone."""
    tables = make_tables()
    pictures = {b.slug: b for s in sections_of(context_of(tables)) for b in s.blocks if isinstance(b, Picture)}
    for slug in ("matched-share", "similarity"):
        assert "n = 280 sessions." in pictures[slug].draw(7.0).get_supxlabel()
    assert "matched sessions of" in pictures["growth"].draw(7.0).get_supxlabel()


def test_the_shift_check_says_in_how_many_directions_it_looked():
    said = block(make_tables(), "Shift check: does the pricer’s error move with the sessions?")
    assert "In the end months they resemble them in 20 of 20 main directions of the texts." in said
    unknown = with_manifest(make_tables(), shift_check={})
    assert "main directions" not in block(unknown, "Shift check: does the pricer’s error move with the sessions?")


@pytest.mark.slow
def test_every_figure_carries_the_caveat_and_its_n():
    for figure in html.document_fromstring(drawn("plain")).iter("figure"):
        for svg in figure.iter("svg"):
            words = " ".join("".join(text.itertext()) for text in svg.iter("text"))
            assert "never a wage, an invoice or a saving" in words and re.search(r"\bn = [\d,]+ ", words), words


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ("growth", "postings", "validation"),
        ("matches", "decomposition", "decomposition_monthly"),
        ("series", "growth", "decomposition", "shift_check"),
        ("values", "matches", "series", "growth", "decomposition", "shift_check", "validation", "sessions", "postings"),
    ],
)
def test_missing_tables_leave_a_page(names):
    document = html.document_fromstring(narrowly(without_rows(make_tables(), *names)))
    assert document.xpath("//h1")
    text = document.text_content()
    said = {
        "growth": "No growth", "validation": "The pricer card is empty", "shift_check": "This run has no shift check",
        "decomposition": "no split into mix and within", "matches": "No session is matched",
    }  # fmt: skip
    for name in set(names) & set(said) - ({"decomposition"} if "series" in names else set()):
        assert said[name] in text, name


@pytest.mark.slow
def test_no_groups_one_month_nothing_matched_and_an_empty_manifest():
    assert "No column to group sessions by" in undrawn(make_tables(group_by="", evidence=False))
    alone = make_tables(months=["2026-03"], n=30)
    narrowly(alone)
    assert "No growth is estimated" in section_growth.headline(context_of(alone))
    tables = make_tables(n=60, evidence=False)
    blank = tables.values.assign(matched=False)
    blank[[c for c in blank if c.startswith(("log_", "value_", "typical_", "single_", "effective"))]] = float("nan")
    unmatched = without_rows(dataclasses.replace(tables, values=blank), "matches", "growth", "series")
    assert "Nothing matched" in narrowly(unmatched)
    assert "left no manifest" in undrawn(dataclasses.replace(tables, manifest={}))


@pytest.mark.slow
def test_gaps_in_the_months():
    gap = make_tables(months=["2025-10", "2025-11", "2026-03", "2026-04"], n=120, evidence=False)
    assert "Months missing" in narrowly(gap)


@pytest.mark.slow
def test_a_long_series_is_small():
    """Half of the drawings, of a run without evidence: forty months of 200 sessions."""
    many = [f"{2020 + i // 12}-{i % 12 + 1:02d}" for i in range(40)]
    assert len(narrowly(make_tables(months=many, n=200, group_by="", evidence=False))) < 1_000_000


def test_levels_say_which_dollars_they_are_in():
    tables = make_tables(evidence=False)
    deflated = with_manifest(tables, constant_dollars={"month": "2026-04"})
    said = [str(section_growth._levels(Context(t, facts_of(t), warnings_of(t))).sentence) for t in (tables, deflated)]
    assert "in nominal US dollars." in said[0]
    assert "in constant US dollars of" in said[1] and "nominal" not in said[1] and "2026-04" in said[1]
