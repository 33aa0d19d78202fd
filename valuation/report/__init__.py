"""The report: a run's tables in, one self-contained HTML file out.

`render` makes the page, `save_main_figure` the picture for a README, `RunTables` is what both take.
Nothing here reads a clock, a path or the network: equal tables give equal bytes.
"""

from valuation.report.inputs import RunTables
from valuation.report.render import has_main_figure, render, save_main_figure

__all__ = ["RunTables", "has_main_figure", "render", "save_main_figure"]
