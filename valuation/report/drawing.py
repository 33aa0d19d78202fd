"""How figures are drawn: one sober style, text kept as text, the same bytes every time, and axes by month and by log.

Every figure exists twice, for a page and for a phone: scaling one drawing down would make its text unreadable.
"""

from __future__ import annotations

import contextlib
import gc
import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from valuation.report.constants import CAVEAT
from valuation.report.inputs import month_range
from valuation.report.text import clean, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 7.0, 3.5  # inches
INK, GREY, PALE, ACCENT = "#14202e", "#6b7785", "#d5dee8", "#1d4f86"
SECOND, THIRD = "#b4552d", "#5b7f4b"
FONTS = "'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.family": ["DejaVu Sans"], "font.size": 8.0,
    "pdf.fonttype": 42,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "axes.edgecolor": INK,
    "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK, "axes.titlesize": 8.0,
    "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titley": 1.0,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "ytick.minor.size": 0.0, "xtick.minor.size": 0.0,
    "axes.unicode_minus": True, "legend.frameon": False,
    "legend.fontsize": 7.5, "axes.grid.axis": "y", "grid.color": "#e4e8ec", "grid.linewidth": 0.6,
    "axes.axisbelow": True, "figure.facecolor": "white", "savefig.facecolor": "white", "figure.dpi": 100.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MonthAxis:
    """Every month from first to last, those without data included, at positions 0, 1, 2 and so on."""

    months: tuple[str, ...]

    @classmethod
    def over(cls, months: Sequence[str]) -> MonthAxis:
        """Span the given months."""
        return cls(tuple(month_range(list(months))))

    def spread(self, frame: pd.DataFrame, column: str) -> list[float]:
        """Values of `column` at every month; NaN, and so a gap, where `frame` has no row."""
        known = dict(zip(frame["month"], frame[column].astype(float), strict=True))
        return [known.get(month, math.nan) for month in self.months]

    def dress(self, axes: Axes, width: float, counts: Sequence[float] | None = None) -> None:
        """Label the months, as many as fit, with the number of sessions under each."""
        names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
        step = math.ceil(max(1, len(self.months)) / max(1, int(width * 2)))
        shown = range(0, len(self.months), step)
        labels = []
        for position in shown:
            year, number = self.months[position].split("-")
            label = names[int(number) - 1]
            label += f"\n{year}" if position == 0 or int(number) <= step else "\n"
            if counts is not None:
                count = counts[position]
                label += ("\nn " if position == 0 else "\n") + (f"{count:,.0f}" if math.isfinite(count) else "–")
            labels.append(label)
        axes.set_xticks(list(shown), labels)
        axes.set_xlim(-0.5, max(1, len(self.months)) - 0.5)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Leave the search for cyclic garbage until a figure is drawn: it makes a sixth of the time, for nothing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextlib.contextmanager
def sober(salt: str) -> Iterator[None]:
    """Draw in the report's style whatever the user's own matplotlib settings are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE | {"svg.hashsalt": salt})
        yield


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, shared: bool = False
) -> tuple[Figure, Any]:
    """Return a figure and its axes: one, or a flat array of several."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=shared, sharey=shared).ravel()
    return figure, grid if len(grid) > 1 else grid[0]


def foot(figure: Figure, basis: str) -> Figure:
    """Write under a figure what it rests on and what it is not: it may leave the page without its sentence."""
    width = float(figure.get_size_inches()[0])
    text = f"{basis}. {CAVEAT}" if width > 5 else f"{basis}.\n{CAVEAT}"  # noqa: PLR2004 - inches, page or phone
    figure.supxlabel(text, x=0.01, horizontalalignment="left", fontsize=6.2, color=GREY)
    return figure


def svg(name: str, title: str, description: str, draw: Callable[[float], Figure], width: float) -> Markup:
    """Return an inline SVG of ``draw(width)`` with a title and a description for those who do not see it."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    prefix = f"{name}-{'w' if width == WIDE else 'n'}"
    with _uncollected(), sober(prefix):
        buffer = io.BytesIO()
        # savefig would draw everything twice, once only to lay it out, which drawing does as well
        FigureCanvasSVG(draw(width)).print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().decode("utf-8")
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r"url\(#", f"url(#{prefix}-", body)
    body = re.sub(r'(?:xlink:)?href="#', f'href="#{prefix}-', body)
    body = re.sub(r"(font: [^;\"]*?)'DejaVu Sans'[^;\"]*", rf"\1{FONTS}", body)
    body = re.sub(r"(\d+\.\d{3})\d+", r"\1", body)  # a thousandth of a point is enough, and a third smaller
    box = re.search(r'viewBox="[^"]+"', body)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box.group(0) if box else ""} role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc"><title id="{prefix}-title">{escape(clean(title))}</title>'
        f'<desc id="{prefix}-desc">{escape(clean(description))}</desc>'
    )
    return Markup(opening + body[body.index(">") + 1 :])  # noqa: S704 (matplotlib escapes what it writes)


def label(text: object, length: int = 22) -> str:
    """Return text that came with the data, made fit for a figure."""
    return excerpt(text, length) or "(empty)"


def log_axis(axes: Axes, which: str, low: float, high: float, write: Callable[[float], str], most: int = 7) -> None:
    """Make an axis logarithmic from `low` to `high`, with round labelled ticks."""
    low, high = (low, high) if high > low * 1.01 else (low / 1.3, high * 1.3)
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(low, high)
    axis = getattr(axes, f"{which}axis")
    axis.set_minor_locator(_no_ticks())
    ticks = round_ticks(low, high, most)
    getattr(axes, f"set_{which}ticks")(ticks, [write(tick) for tick in ticks])


def _no_ticks() -> Any:  # noqa: ANN401
    from matplotlib.ticker import NullLocator

    return NullLocator()


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` round numbers in [low, high], the densest set that fits."""
    if high < 3 * low:  # within a factor of three, even steps read better than the tables of logarithms
        least = math.floor(math.log10((high - low) / most))
        for step in (s * 10.0**e for e in range(least, least + 3) for s in (1, 2, 2.5, 5)):
            even = [round(i * step, 10) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
            if len(even) <= most:
                return even
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    families = (
        tuple(1 + i / 20 for i in range(180)), tuple(1 + i / 10 for i in range(90)),
        (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8),
        (1, 1.5, 2, 3, 4, 5, 7), (1, 2, 5), (1, 3), (1,),
    )  # fmt: skip
    found: list[float] = []
    for family in families:
        found = [round(step * 10.0**decade, 10) for decade in decades for step in family]
        found = [tick for tick in found if low <= tick <= high]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


def dollars(value: float) -> str:
    """Write a tick in USD."""
    return f"${value:,.0f}" if value >= 10 or value == int(value) else f"${value:.2f}"


def plain(value: float) -> str:
    """Write a tick without needless digits."""
    return f"{value:,.4g}"


def extent(*columns: Iterable[float]) -> tuple[float, float]:
    """Return the smallest and largest positive finite number among the columns, (1, 1) if there is none."""
    known = [float(value) for column in columns for value in column if math.isfinite(value) and value > 0]
    return (min(known), max(known)) if known else (1.0, 1.0)
