"""Draws with matplotlib what stands inside a page: SVG that takes the page's colours, and the same bytes every time.

Colours are drawn as marks (`INK`, `FAINT`, `LINE`, `SERIES`) and leave as the variables of the page's style sheet, so
that one drawing suits light and dark.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from training.html_page import Html

INK, FAINT, LINE = "#010101", "#010102", "#010103"
SERIES = ("#010111", "#010112", "#010113", "#010114")
"""Marks that become the page's colours of text, lesser text, lines, and series."""

_VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    LINE: "var(--line)",
    **{mark: f"var(--series-{number})" for number, mark in enumerate(SERIES, 1)},
}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, sharp, and read aloud
    "text.parse_math": False,  # a dollar in a column's name begins no formula
    "axes.edgecolor": LINE,
    "axes.labelcolor": FAINT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11.0,
    "axes.labelsize": 9.0,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # it comes with matplotlib, so that every machine measures the same
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
}


@contextmanager
def drawing(title: str, *, height: float = 3.4) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure of 4.8 by `height` inches and its axes, in the page's style; draw and `inline_svg` within."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(4.8, height), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title)
        yield figure, axes


def inline_svg(figure: Figure, name: str) -> Html:
    """Return the figure as one <svg> element with `name` as its label for who cannot see it.

    Names are one of a kind within a page: the drawing's ids are made from them. Equal figures give equal bytes.
    """
    FigureCanvasSVG(figure)
    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = written.getvalue()
    drawn = drawn[drawn.index("<svg") :].strip()
    # The groups' ids, such as axes_1, are those of every figure, and nothing refers to them.
    drawn = re.sub(r'<g id="[^"]*"', "<g", drawn)
    for mark, variable in _VARIABLES.items():
        drawn = drawn.replace(mark, variable)
    return Html(drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(name)}" ', 1))
