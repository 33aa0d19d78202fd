"""Where the pricer errs: its card by price tier, predicted value, similarity, band cell, source and month."""

from __future__ import annotations

from markupsafe import Markup

from valuation.report.blocks import Context, Grid, Note, Section
from valuation.report.facts import card_cells, card_rows
from valuation.report.inputs import PRICER_WORDS
from valuation.report.provenance import cell, constant, key_of, month, quoted
from valuation.report.section_card import estimated
from valuation.report.words import in_words
from valuation.report.words_card import CELL_HEADERS, CELL_NOTES, CELL_WORDS, SAMPLE_WORDS, ranked

LEAD = Markup(
    "The pricer card again, by what postings cost, by what can be known of them beforehand, and by where they come "
    "from. Differences between rows are of postings, not of sessions."
)
HOW_TO_READ = Markup(
    "Mean error: actual minus predicted, log points. Slope: of actual on predicted log price, one where they move "
    "together. Both before and after the linear correction, which is fitted on other postings. Inside: the share of "
    "single held-out prices. The single-posting band should hold {level} of them; the typical band is about the mean "
    "price of such work and is not made to hold single prices. Widths are medians, in log points. Below an estimate "
    "stands its {ends} interval."
)


def section(context: Context) -> Section:
    """Build the section."""
    known = context.tables.validation
    known = known[known["estimate"].notna()]
    names = [name for name in CELL_WORDS if (known["cell_by"] == name).any()]
    tables = tuple(_by_cell(context, name) for name in names)
    none = Note(Markup("This run’s pricer card is not split: the command valuation validate does it."))
    legend = Note(HOW_TO_READ.format(level=context.level("bands"), ends=constant("series_level", "level")))
    return Section("Where does the pricer err?", LEAD, (legend, *tables) if tables else (none,))


def _by_cell(context: Context, cell_by: str) -> Grid:
    """Lay the cells of one kind against the measures, for the headline's pricer."""
    rows = card_rows(context.tables, cell_by)
    kinds = sorted(set(rows["measure"]), key=lambda name: ranked(CELL_HEADERS, name))
    body = []
    for name in card_cells(rows):
        found = {row["measure"]: row for _, row in rows[rows["cell"] == name].iterrows()}
        first = found[min(found, key=lambda measure: ranked(CELL_HEADERS, measure))]
        body.append(
            (
                _named(cell_by, name),
                cell("validation", first, "n", "count"),
                *(estimated(found.get(kind)) for kind in kinds),
            )
        )
    header = (CELL_WORDS[cell_by].capitalize(), "n", *(_header(kind) for kind in kinds))
    sentence = Markup("{pricer}, {sample}; n counts held-out postings. {note}{cut}").format(
        pricer=PRICER_WORDS[min(rows["pricer"])].capitalize(),
        sample=in_words(SAMPLE_WORDS, min(rows["sample"])),
        note=CELL_NOTES[cell_by],
        cut=_cut(context, cell_by) if len(body) < rows["cell"].nunique() else "",
    )
    title = f"Pricer card by {CELL_WORDS[cell_by]}"
    return Grid(title, header, tuple(body), sentence, context.concerning("card"), compact=True)


def _header(kind: str) -> Markup:
    return CELL_HEADERS[kind] if kind in CELL_HEADERS else quoted(kind.replace("_", " "))


def _named(cell_by: str, name: str) -> Markup:
    return month(name) if cell_by == "month" else quoted(name)


def _cut(context: Context, cell_by: str) -> Markup:
    return Markup(" Of {all} cells, the {shown} with the most postings are shown.").format(
        all=context.fact(key_of("card", cell_by, "all"), "count"),
        shown=context.fact(key_of("card", cell_by, "shown"), "count"),
    )
