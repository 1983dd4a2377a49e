"""Charts of a report as SVG, drawn by Matplotlib without a display. Text and axes take the colour of the page."""

from __future__ import annotations

import io
import re
import textwrap
import threading
import unicodedata
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mldesk.reports.document import Bars, Chart, Histogram, Lines, Matrix, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which people who see fewer colours tell apart too (2008, "Color Universal Design").
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31")
_INK = "#010203"      # stands for the page's own colour: replaced in the SVG
QUIET = "#8a8f98"
_GRID = "#a3abb6"     # quiet on white and on black
_WIDTH = 4.6          # inches; two charts stand side by side
_HEIGHT = 3.1
_MOST_LABELS = 24     # letters of a label
_MOST_NAME = 46       # letters of a line's name
_MOST_TITLE = 70      # letters of a title, in lines ...
_TITLE_LINE = 34      # ... that are no wider than a plot beside long labels; half as many of wide letters
_MOST_WRITTEN = 15    # classes up to which every count of a matrix is written
_INSIDE = 3           # lines up to which their names stand within the plot
_MOST_NAMED = 30      # classes up to which they are named
DRAWING = threading.Lock()   # Matplotlib keeps its style for the whole process


def draw(chart: Chart, name: str) -> str:
    """Return an ``<svg>`` element. ``name`` goes before every id in it, so that several can stand on one page."""
    import matplotlib as mpl  # half a second, and only reports need it
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif", "font.size": 9,
        "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
        "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7, "axes.titlesize": 10,
        "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.unicode_minus": True, "text.parse_math": False}
    with DRAWING, mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the reader's fonts are what counts
        figure = Figure(figsize=(_WIDTH, _height(chart)), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(_titled(chart.title))
        _draw(chart, axes, figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_a_page(out.getvalue(), name)


def _height(chart: Chart) -> float:
    if isinstance(chart, Bars):
        return max(1.2, 0.75 + 0.24 * len(chart.labels))
    square = isinstance(chart, Matrix) or (isinstance(chart, Lines) and chart.square)
    named = [series for series in chart.series if series.name] if isinstance(chart, Lines) else []
    below = 0 if len(named) < 2 or _inside(named) else len(named) if _long(named) else (len(named) + 1) / 2
    return (3.9 if square else _HEIGHT) + 0.19 * below   # inches of a line of names


def _draw(chart: Chart, axes: Axes, figure: Figure) -> None:
    if isinstance(chart, Lines):
        _lines(chart, axes, figure)
    elif isinstance(chart, Bars):
        _bars(chart, axes)
    elif isinstance(chart, Histogram):
        axes.stairs(chart.counts, chart.edges, fill=True, color=COLOURS[0], alpha=0.85)
        axes.set(xlabel=chart.x, ylabel="Rows")
    else:
        _matrix(chart, axes)


def _lines(chart: Lines, axes: Axes, figure: Figure) -> None:
    from matplotlib.ticker import MaxNLocator  # as slow as the rest of it

    colours = iter(COLOURS * (1 + len(chart.series) // len(COLOURS)))
    for series in chart.series:
        colour = QUIET if series.quiet else next(colours) if series.slot is None else COLOURS[
            series.slot % len(COLOURS)]
        if chart.points and not series.quiet:
            axes.plot(series.x, series.y, "o", color=colour, alpha=0.5, markeredgewidth=0,
                      markersize=5 if len(series.x) < 200 else 2.5)
        else:
            axes.plot(series.x, series.y, color=colour, linewidth=1.0 if series.quiet else 1.6,
                      linestyle="--" if series.dashed or series.quiet else "-",
                      marker="" if len(series.x) > 1 else ".", label=_middle(series.name))
    axes.set(xlabel=chart.x, ylabel=chart.y)
    axes.grid(visible=True, linewidth=0.3, color=_GRID, alpha=0.5)
    if all(float(x).is_integer() for series in chart.series for x in series.x):
        axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
    if chart.square:
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    named = [series for series in chart.series if series.name and not chart.points]
    if len(named) > 1 or any(series.quiet for series in named):
        if _inside(named):
            axes.legend(frameon=False, fontsize=8)
        else:   # they would lie over the lines
            figure.legend(loc="outside lower left", frameon=False, fontsize=8, ncols=1 if _long(named) else 2)


def _long(named: Sequence[Series]) -> bool:
    """Some name is too long for two in a line."""
    return any(len(_middle(series.name)) > _MOST_LABELS for series in named)


def _inside(named: Sequence[Series]) -> bool:
    return len(named) <= _INSIDE and not _long(named)


def _bars(chart: Bars, axes: Axes) -> None:
    places = list(range(len(chart.labels)))
    axes.barh(places, chart.values, height=0.66, color=COLOURS[0], xerr=chart.spread,
              error_kw={"ecolor": QUIET, "elinewidth": 1.0})
    axes.set_yticks(places, [short(label) for label in chart.labels])
    axes.invert_yaxis()
    axes.set(xlabel=chart.x)
    axes.axvline(0, color=_INK, linewidth=0.7)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _matrix(chart: Matrix, axes: Axes) -> None:
    """Colour by share of the row, so that rare classes are seen; write the counts."""
    shares = [[count / max(1, sum(row)) for count in row] for row in chart.counts]
    few = len(chart.labels)
    edges = [place - 0.5 for place in range(few + 1)]
    axes.pcolormesh(edges, edges, shares, cmap="Blues", vmin=0, vmax=1, linewidth=0)  # paths, where imshow is a bitmap
    axes.invert_yaxis()
    axes.set_aspect("equal")
    if few <= _MOST_NAMED:
        labels = [short(label, 16) for label in chart.labels]
        axes.set_xticks(range(few), labels, rotation=0 if max(map(len, labels)) * few < 40 else 90)
        axes.set_yticks(range(few), labels)
    if few <= _MOST_WRITTEN:
        for row, (counts, parts) in enumerate(zip(chart.counts, shares, strict=True)):
            for column, (count, share) in enumerate(zip(counts, parts, strict=True)):
                axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=9 if few <= 8 else 7,
                          color="#ffffff" if share > 0.55 else "#14181f")
    axes.set(xlabel="Predicted", ylabel="Actual")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def short(text: str, most: int = _MOST_LABELS) -> str:
    """Return a label of one line, cut to ``most`` letters."""
    line = " ".join("".join(letter for letter in str(text) if letter.isprintable() or letter.isspace()).split())
    return line if len(line) <= most else line[:most - 1] + "…"


def _titled(text: str) -> str:
    """Return a title in as many lines as it takes for nothing of it to lie beyond the edge."""
    wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return "\n".join(textwrap.wrap(short(text, _MOST_TITLE), _TITLE_LINE // 2 if wide else _TITLE_LINE))


def _middle(text: str) -> str:
    """Return a name that is told from others by its end as well, cut in its middle."""
    line = short(text, 1000)
    return line if len(line) <= _MOST_NAME else f"{line[:_MOST_NAME - 21]}…{line[-20:]}"


def _for_a_page(svg: str, name: str) -> str:
    """Take the SVG out of its file: no XML head, no metadata, ids of its own, the page's colour for ink."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id=")([^"]+")', rf"\1{name}-\2", svg)
    svg = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\1{name}-", svg)
    return svg.replace(_INK, "currentColor").strip()
