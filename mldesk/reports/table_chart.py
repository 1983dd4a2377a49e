"""A chart of a table as a picture, drawn by Matplotlib without a display, of what ``statistics.charting`` counts.

It knows no table: figures, the names of the axes, and which of them are moments.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.reports.charts import COLOURS, DRAWING, QUIET, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg")
_SIZE, _DPI = (7.0, 4.4), 150   # inches, pixels in each
_DAY = 86_400.0
_TIMES = {"date", "datetime"}


@dataclass(frozen=True, slots=True)
class Axis:
    """A column that is an axis."""

    name: str
    type: str    # as wire.schema names it


def check_ending(name: str) -> None:
    """Raise BadInput for a file whose ending names no kind of picture."""
    if not name.lower().endswith(ENDINGS):
        raise BadInput(f"{name[-60:]!r} ends in no kind of picture.",
                       hint=f"Write a name ending in {' or '.join(ENDINGS)}.")


def draw_table_chart(found: Mapping[str, Any], axes: Mapping[str, Axis], title: str, ending: str) -> bytes:
    """Return the file. ``axes`` are by x, y and by. Raises BadInput for an ending that names no kind of picture."""
    check_ending(ending)
    import matplotlib as mpl  # half a second, and few commands need it
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {"font.family": "sans-serif", "font.size": 9, "axes.spines.top": False,
                             "axes.spines.right": False, "axes.linewidth": 0.7, "axes.titlesize": 10,
                             "axes.titlelocation": "left", "text.parse_math": False, "svg.hashsalt": "mldesk"}
    with DRAWING, mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(_SIZE[0], _height(found)), layout="constrained")
        plot = figure.add_subplot()
        plot.set_title(short(title, 90))
        _DRAW[found["kind"]](plot, figure, found, axes)
        for way, axis in zip("xy", _shown(found, axes), strict=True):
            _label(plot, way, axis)
        out = io.BytesIO()
        kind = ending.lower().rpartition(".")[2]
        figure.savefig(out, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return out.getvalue()


def _height(found: Mapping[str, Any]) -> float:
    """Bars, boxes and the lines of a map lie below one another."""
    lines = len(found.get("values") or found.get("groups" if found["kind"] == "box" else "lines") or ())
    return max(_SIZE[1] if "edges" in found else 1.8, 1.0 + 0.26 * lines) if lines else _SIZE[1]


def _shown(found: Mapping[str, Any], axes: Mapping[str, Axis]) -> tuple[Axis | None, Axis | None]:
    """Return what lies across and up."""
    x, y, by = axes.get("x"), axes.get("y"), axes.get("by")
    rows = Axis("rows", "")
    if found["kind"] == "box":
        return y, by
    if found["kind"] == "bar":
        return (rows if y is None else Axis(f"mean of {y.name}", y.type)), x
    if found["kind"] == "histogram":
        return (rows, x) if "values" in found else (x, rows)
    return x, (Axis(f"mean of {y.name}", y.type) if y is not None and found["kind"] == "line" else y)


def _label(plot: Axes, way: str, axis: Axis | None) -> None:
    if axis is None:
        return
    (plot.set_xlabel if way == "x" else plot.set_ylabel)(short(axis.name, 60))
    side = plot.xaxis if way == "x" else plot.yaxis
    if side.get_major_locator().__class__.__name__ == "FixedLocator":
        return   # categories
    if axis.type in _TIMES:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        side.set_major_locator(locator)
        side.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    elif axis.type == "time":
        side.set_major_formatter(lambda value, _: f"{int(value) // 3600:02}:{int(value) // 60 % 60:02}")


def _on(axis: Axis | None, values: Any) -> Any:
    """Return values as they are drawn: moments, seconds since 1970, as Matplotlib's days."""
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    return numbers / _DAY if axis is not None and axis.type in _TIMES else numbers


def _named(plot: Axes, names: Sequence[Any]) -> None:
    plot.set_yticks(range(len(names)), [short(str(name)) for name in names])
    plot.invert_yaxis()
    plot.tick_params(axis="y", length=0)


def _legend(figure: Figure, axes: Mapping[str, Axis], many: int) -> None:
    if many > 1 and "by" in axes:
        figure.legend(loc="outside right upper", frameon=False, fontsize=8, markerscale=2,
                      title=short(axes["by"].name, 24))


def _histogram(plot: Axes, figure: Figure, found: Mapping[str, Any], axes: Mapping[str, Axis]) -> None:
    series = found["series"]
    below = np.zeros(len(found.get("values") or found["edges"][1:]))
    for number, one in enumerate(series):
        colour = QUIET if one["name"] in ("(others)", "(missing)") else COLOURS[number % len(COLOURS)]
        counts = np.array(one["counts"], float)
        if "values" in found:
            plot.barh(range(len(counts)), counts, left=below, height=0.66, color=colour, label=short(str(one["name"])))
        else:
            plot.stairs(below + counts, _on(axes["x"], found["edges"]), baseline=below, fill=True, color=colour,
                        label=short(str(one["name"])))
        below = below + counts
    if "values" in found:
        _named(plot, found["values"])
    _legend(figure, axes, len(series))


def _box(plot: Axes, _figure: Figure, found: Mapping[str, Any], axes: Mapping[str, Axis]) -> None:
    boxes = []
    for group in found["groups"]:
        _, low, first, middle, third, high, _ = _on(axes["y"], group["quantiles"])
        boxes.append({"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high, "fliers": []})
    plot.bxp(boxes, positions=range(len(boxes)), orientation="horizontal", showfliers=False, patch_artist=True,
             widths=0.6, boxprops={"facecolor": "#cfe3f2", "edgecolor": COLOURS[0]},
             medianprops={"color": COLOURS[1]}, whiskerprops={"color": QUIET}, capprops={"color": QUIET})
    _named(plot, [f"{group['name'] or axes['y'].name} ({group['n']:,})" for group in found["groups"]])


def _scatter(plot: Axes, figure: Figure, found: Mapping[str, Any], axes: Mapping[str, Axis]) -> None:
    x, y, group = _on(axes["x"], found["x"]), _on(axes["y"], found["y"]), np.array(found["group"], int)
    size = 14 if len(x) < 500 else 5
    if (rest := group < 0).any():
        plot.scatter(x[rest], y[rest], s=size, linewidth=0, alpha=0.5, color=QUIET if found["groups"] else COLOURS[0],
                     label="(others)")
    for number, name in enumerate(found["groups"]):
        plot.scatter(x[group == number], y[group == number], s=size, linewidth=0, alpha=0.6, label=short(str(name)),
                     color=COLOURS[number % len(COLOURS)])
    _legend(figure, axes, len(found["groups"]))


def _density(plot: Axes, figure: Figure, found: Mapping[str, Any], axes: Mapping[str, Axis]) -> None:
    from matplotlib.colors import LogNorm

    counts = np.ma.masked_equal(np.array(found["counts"], float), 0)
    top = float(counts.max()) if counts.count() else 1.0
    mesh = plot.pcolormesh(_on(axes["x"], found["x_edges"]), _on(axes["y"], found["y_edges"]), counts, cmap="Blues",
                           norm=LogNorm(1, max(2.0, top)), linewidth=0)
    figure.colorbar(mesh, ax=plot, label="rows", format=lambda value, _: f"{value:,.0f}")


def _bar(plot: Axes, _figure: Figure, found: Mapping[str, Any], axes: Mapping[str, Axis]) -> None:
    heights = _on(axes.get("y"), found["heights"])
    plot.barh(range(len(heights)), np.nan_to_num(heights), height=0.66, color=COLOURS[0])
    if axes.get("y") is not None and axes["y"].type in _TIMES and np.isfinite(heights).any():
        low, high = float(np.nanmin(heights)), float(np.nanmax(heights))   # days do not begin at 1970
        plot.set_xlim(low - 0.1 * (high - low or 1.0), high + 0.02 * (high - low or 1.0))
    _named(plot, found["values"])


def _line(plot: Axes, _figure: Figure, found: Mapping[str, Any], axes: Mapping[str, Axis]) -> None:
    x, mean, low, high = (_on(axes[axis], found[name]) for axis, name in (
        ("x", "x"), ("y", "mean"), ("y", "low"), ("y", "high")))
    plot.fill_between(x, low, high, color=COLOURS[0], alpha=0.18, linewidth=0, label="middle half")
    plot.plot(x, mean, color=COLOURS[0], linewidth=1.6, marker="" if len(x) > 1 else ".", label="mean")
    plot.legend(frameon=False, fontsize=8)


def _heat(plot: Axes, figure: Figure, found: Mapping[str, Any], _axes: Mapping[str, Axis]) -> None:
    counts = np.array(found["counts"], float).reshape(len(found["lines"]), len(found["columns"]))
    if not counts.size:
        return
    mesh = plot.pcolormesh(np.arange(counts.shape[1] + 1) - 0.5, np.arange(counts.shape[0] + 1) - 0.5, counts,
                           cmap="Blues", linewidth=0)
    labels = [short(str(name), 16) for name in found["columns"]]
    plot.set_xticks(range(len(labels)), labels, rotation=0 if max(map(len, labels)) * len(labels) < 70 else 90)
    _named(plot, found["lines"])
    figure.colorbar(mesh, ax=plot, label="rows")


_DRAW = {"histogram": _histogram, "box": _box, "scatter": _scatter, "density": _density, "bar": _bar, "line": _line,
         "heat": _heat}
