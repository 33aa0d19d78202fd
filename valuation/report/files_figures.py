"""Figures as files: SVG and PDF with their text as text, PNG for slides; equal figures give equal bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valuation.report.drawing import WIDE, sober
from valuation.tables.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from valuation.report.blocks import Picture

FIGURE_FORMATS = ("svg", "pdf", "png")
DOTS_PER_INCH = 200
# No clock and no version of a library in a file: what changes with the day cannot be compared.
QUIET: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


def save_figure(picture: Picture, path: Path) -> None:
    """Write one figure as the suffix of `path` says, one of `FIGURE_FORMATS`, atomically."""
    kind = path.suffix.lower().lstrip(".")
    with sober(picture.name):
        figure = picture.draw(WIDE)
        write_atomic(path, lambda to: _print(figure, kind, to))


def _print(figure: Figure, kind: str, to: Path) -> None:
    """Let the format's own canvas draw: savefig would draw everything twice, once only to lay it out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    if kind == "svg":
        FigureCanvasSVG(figure).print_svg(to, metadata=QUIET[kind])
    elif kind == "pdf":
        FigureCanvasPdf(figure).print_pdf(to, metadata=QUIET[kind])
    else:
        figure.set_dpi(DOTS_PER_INCH)
        FigureCanvasAgg(figure).print_png(to, metadata=QUIET[kind])


def save_figures(pictures: Sequence[Picture], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write every figure in every format, named by its place in the report and what it shows: ``01-growth.svg``."""
    written = []
    for position, picture in enumerate(pictures, start=1):
        for kind in formats:
            path = folder / f"{position:02d}-{picture.slug}.{kind}"
            save_figure(picture, path)
            written.append(path)
    return written
