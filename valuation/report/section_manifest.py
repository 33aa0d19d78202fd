"""The manifest: everything that would have to be equal for another run to give the same figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from valuation.report.blocks import Context, Grid, Note, Section
from valuation.report.provenance import key_of, quoted, traced
from valuation.report.text import excerpt

LONGEST = 400  # characters of one entry


def section(context: Context) -> Section:
    """Build the section."""
    lead = Markup("What went in and how: equal entries give equal figures.")
    rows = tuple(_rows(context.tables.manifest, "manifest", ()))
    if not rows:
        return Section("Manifest", lead, (Note(Markup("The run left no manifest.")),))
    sentence = Markup("Read from the run’s manifest; hashes are of the inputs’ content. n = {} sessions.").format(
        context.fact("sessions", "count")
    )
    blocks: list[Grid] = [Grid("Manifest of the run", ("Entry", "Value"), rows, sentence, (), compact=True)]
    if context.tables.truth:
        told = Markup("What the simulated world knows about itself; no estimate has seen it. n = {} sessions.").format(
            context.fact("sessions", "count")
        )
        truths = tuple(_rows(context.tables.truth, "truth", ()))
        blocks.append(Grid("Truth of the simulated world", ("Entry", "Value"), truths, told, (), compact=True))
    return Section("Manifest", lead, tuple(blocks))


def _rows(tree: Mapping[str, Any], origin: str, path: tuple[str, ...]) -> Iterator[tuple[Markup, ...]]:
    """One row a leaf, in the mapping's order; a list of plain entries is one leaf."""
    for name, entry in tree.items():
        here = (*path, str(name))
        if name == "path":  # where a file lay says nothing of what it is, and names the machine
            continue
        if isinstance(entry, list) and entry and isinstance(entry[0], Mapping):  # whole tables stand in the file
            continue
        if isinstance(entry, Mapping):
            yield from _rows(entry, origin, here)
        else:
            yield quoted(".".join(here)), _leaf(entry, origin, here)


def _leaf(entry: object, origin: str, path: tuple[str, ...]) -> Markup:
    if isinstance(entry, list | tuple):
        parts = [_leaf(part, origin, (*path, str(position))) for position, part in enumerate(entry)]
        return Markup(", ").join(parts) if parts else Markup("none")
    if isinstance(entry, int | float) and not isinstance(entry, bool):
        return traced(float(entry), f"{origin}:{key_of(*path)}:value", "plain")
    return Markup('<code class="quoted" data-source="{}">{}</code>').format(
        f"{origin}:{key_of(*path)}:value", excerpt(str(entry), LONGEST)
    )
