"""What charts of a table show, counted by the database however long the table is. Each answers plain JSON.

Every function takes the open table, the columns, and which rows: an SQL condition, or none. Numbers are numbers,
moments are seconds since 1970, all else is a category by its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mldesk.data.engine import identifier, literal
from mldesk.data.types import plain
from mldesk.data.view import TableView
from mldesk.wire.schema import Column, ColumnType

POINTS = 5_000       # of a scatter that are drawn one by one; of more, so many drawn at random
CELLS = (64, 40)     # of a density, across and up
BINS = 40
TOP = 30             # categories of an axis; the rest is one more
GROUPS = 8           # colours

Kind = Literal["histogram", "box", "scatter", "density", "bar", "line", "heat"]
KINDS: dict[Kind, tuple[str, ...]] = {  # which of x, y and by a chart takes; "?" may be left out
    "histogram": ("x", "by?"), "box": ("y", "by?"), "scatter": ("x", "y", "by?"), "density": ("x", "y"),
    "bar": ("x", "y?"), "line": ("x", "y"), "heat": ("x", "y")}
OTHER = "(others)"


def chart(view: TableView, kind: Kind, x: str | None, y: str | None, by: str | None = None, *,
          where: str | None = None) -> dict[str, Any]:
    """Return what one chart shows: {"kind", "rows": those that fit and are not missing, ...}; see each maker.

    Raises BadInput for a condition that cannot be used, NotFound for a column that is not there.
    """
    columns = {column.name: column for column in view.columns}
    chosen = {axis: columns[name] for axis, name in (("x", x), ("y", y), ("by", by)) if name}
    return {"kind": kind, **_MAKERS[kind](view, chosen, where)}


def number_sql(column: Column) -> str:
    """Return SQL for a cell as a number: NULL where it is missing or not finite."""
    name = identifier(column.name)
    if column.type is ColumnType.TIME:
        return f"epoch_us(DATE '1970-01-01' + {name})::DOUBLE / 1e6"
    if column.type.temporal:
        return f"epoch_us({name}::TIMESTAMP)::DOUBLE / 1e6"
    return f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"


def within(column: Column, low: float, high: float, *, last: bool = True) -> str:
    """Return the condition of a cell being from ``low`` to ``high``; without ``last`` not at ``high`` itself."""
    number = number_sql(column)
    return f"{number} >= {literal(float(low))} AND {number} {'<=' if last else '<'} {literal(float(high))}"


def valued(column: Column, value: str) -> str:
    """Return the condition of a cell's text being ``value``, as charts of categories name it."""
    return f"{_text(column)} = {literal(value)}"


def is_axis(column: Column) -> bool:
    """Say whether a column can be an axis of numbers."""
    return column.type.numeric or column.type.temporal


def _text(column: Column) -> str:
    return f"{identifier(column.name)}::VARCHAR"


def _top(view: TableView, column: Column, where: str | None, most: int) -> list[str]:
    rows = view.over(f"SELECT {_text(column)}, count(*) FROM chosen WHERE {_text(column)} IS NOT NULL GROUP BY 1 "
                     f"ORDER BY 2 DESC, 1 LIMIT {most}", where=where)
    return [str(value) for value, _ in rows]


def _named(column: Column, top: Sequence[str]) -> str:
    """Return SQL for a category, those that are not among ``top`` as one."""
    listed = ", ".join(literal(value) for value in top)
    return f"CASE WHEN {_text(column)} IN ({listed}) THEN {_text(column)} ELSE {literal(OTHER)} END" if top else "NULL"


def _range(view: TableView, column: Column, where: str | None) -> tuple[float, float, int]:
    low, high, rows = view.over(f"SELECT min(v), max(v), count(v) FROM (SELECT {number_sql(column)} AS v FROM chosen)",
                                where=where)[0]
    if low is None:
        return 0.0, 1.0, 0
    return float(low), float(high), int(rows)


def _bin(column: Column, low: float, high: float, bins: int) -> tuple[str, float, int]:
    """Return SQL for a cell's bin, how wide bins are, and how many; whole numbers get whole bins."""
    whole = column.type is ColumnType.INTEGER
    width = max(1.0, -(-(high - low + 1) // bins)) if whole else (high - low) / bins or 1.0
    count = min(bins, max(1, int(-(-(high - low + (1 if whole else 0)) // width))))
    return (f"least(greatest(floor(({number_sql(column)} - {literal(float(low))}) / {literal(width)}), 0), "
            f"{count - 1})::INTEGER"), width, count


def _histogram(view: TableView, columns: Mapping[str, Column], where: str | None) -> dict[str, Any]:
    """{"edges", "series": [{"name", "counts"}]} of numbers; of categories {"values", "series"}."""
    x, by = columns["x"], columns.get("by")
    groups = _top(view, by, where, GROUPS) if by is not None else []
    group = _named(by, groups) if by is not None else "''"
    if not is_axis(x) or (x.type.numeric and x.distinct == 2):   # two numbers are a yes and a no: a bar each
        values = _top(view, x, where, TOP)
        if is_axis(x):
            values.sort(key=float)
        found = view.over(f"SELECT {_named(x, values)} AS v, {group} AS g, count(*) FROM chosen "
                          f"WHERE {_text(x)} IS NOT NULL GROUP BY 1, 2", where=where)
        names = [*values, *([OTHER] if any(value == OTHER for value, _, _ in found) else [])]
        return {"values": names, **_series(found, groups, names, by is not None)}
    low, high, _ = _range(view, x, where)
    place, width, count = _bin(x, low, high, BINS)
    found = view.over(f"SELECT {place} AS v, {group} AS g, count(*) FROM chosen WHERE {number_sql(x)} IS NOT NULL "
                      "GROUP BY 1, 2", where=where)
    return {"edges": [low + width * step for step in range(count + 1)],
            **_series(found, groups, list(range(count)), by is not None)}


def _series(found: Sequence[tuple[Any, ...]], groups: Sequence[str], places: Sequence[Any],
            grouped: bool) -> dict[str, Any]:
    """Return {"series", "rows"} of (place, group, count)."""
    table: dict[Any, dict[Any, int]] = {}
    for place, group, count in found:
        table.setdefault(group, {})[place] = int(count)
    names: list[Any] = [*groups, *[name for name in (OTHER, None) if name in table]] if grouped else [""]
    series = [{"name": "(missing)" if name is None else name, "counts": [table.get(name, {}).get(place, 0)
                                                                         for place in places]} for name in names]
    return {"series": series, "rows": sum(int(count) for _, _, count in found)}


def _box(view: TableView, columns: Mapping[str, Column], where: str | None) -> dict[str, Any]:
    """{"groups": [{"name", "n", "quantiles": [min, 5 %, 25 %, 50 %, 75 %, 95 %, max]}]}, the largest groups first."""
    y, by = columns["y"], columns.get("by")
    groups = _top(view, by, where, TOP) if by is not None else []
    group = _named(by, groups) if by is not None else "''"
    found = view.over(
        f"SELECT g, count(v), quantile_cont(v, [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]) FROM "
        f"(SELECT {number_sql(y)} AS v, {group} AS g FROM chosen) WHERE v IS NOT NULL AND g IS NOT NULL GROUP BY g",
        where=where)
    order = {name: place for place, name in enumerate([*groups, OTHER])}
    found.sort(key=lambda line: order.get(line[0], 0))
    return {"groups": [{"name": name, "n": int(n), "quantiles": [float(cut) for cut in cuts]}
                       for name, n, cuts in found], "rows": sum(int(n) for _, n, _ in found)}


def _scatter(view: TableView, columns: Mapping[str, Column], where: str | None) -> dict[str, Any]:
    """{"x", "y", "row", "group", "groups", "rows"}: the points, their rows from 0, their groups' numbers (-1: none).

    More points than POINTS are a sample of them, the same every time.
    """
    x, y, by = columns["x"], columns["y"], columns.get("by")
    groups = _top(view, by, where, GROUPS) if by is not None else []
    group = _text(by) if by is not None else "NULL"
    place = identifier(view.place_name)
    inner = (f"SELECT {number_sql(x)} AS x, {number_sql(y)} AS y, {place} AS r, {group} AS g FROM chosen")
    rows = int(view.over(f"SELECT count(*) FROM ({inner}) WHERE x IS NOT NULL AND y IS NOT NULL", where=where)[0][0])
    drawn = f"ORDER BY hash(r) LIMIT {POINTS}" if rows > POINTS else "ORDER BY r"
    found = view.over(f"SELECT x, y, r, g FROM ({inner}) WHERE x IS NOT NULL AND y IS NOT NULL {drawn}", where=where)
    number = {name: index for index, name in enumerate(groups)}
    return {"x": [line[0] for line in found], "y": [line[1] for line in found], "row": [int(line[2]) for line in found],
            "group": [number.get(line[3], -1) for line in found], "groups": groups, "rows": rows}


def _density(view: TableView, columns: Mapping[str, Column], where: str | None) -> dict[str, Any]:
    """{"x_edges", "y_edges", "counts": [row from below][column], "rows"}: every row counted."""
    x, y = columns["x"], columns["y"]
    (low_x, high_x, _), (low_y, high_y, _) = _range(view, x, where), _range(view, y, where)
    (place_x, width_x, count_x), (place_y, width_y, count_y) = (
        _bin(x, low_x, high_x, CELLS[0]), _bin(y, low_y, high_y, CELLS[1]))
    counts = [[0] * count_x for _ in range(count_y)]
    rows = 0
    for across, up, n in view.over(
            f"SELECT {place_x} AS a, {place_y} AS b, count(*) FROM chosen WHERE {number_sql(x)} IS NOT NULL "
            f"AND {number_sql(y)} IS NOT NULL GROUP BY 1, 2", where=where):
        counts[up][across] = int(n)
        rows += int(n)
    return {"x_edges": [low_x + width_x * step for step in range(count_x + 1)],
            "y_edges": [low_y + width_y * step for step in range(count_y + 1)], "counts": counts, "rows": rows}


def _bar(view: TableView, columns: Mapping[str, Column], where: str | None) -> dict[str, Any]:
    """{"values", "heights", "counts", "of": "rows" or "mean"}: rows per value, or the mean of y."""
    x, y = columns["x"], columns.get("y")
    values = _top(view, x, where, TOP)
    height = f"avg({number_sql(y)})" if y is not None else "count(*)::DOUBLE"
    found = view.over(f"SELECT {_named(x, values)} AS v, {height}, count(*) FROM chosen WHERE {_text(x)} IS NOT NULL "
                      "GROUP BY 1", where=where)
    by_name = {name: (height, count) for name, height, count in found}
    names = [*values, *([OTHER] if OTHER in by_name and OTHER not in values else [])]
    return {"values": names, "heights": [plain(by_name[name][0]) if name in by_name else None for name in names],
            "counts": [int(by_name[name][1]) if name in by_name else 0 for name in names],
            "of": "rows" if y is None else "mean", "rows": sum(int(count) for _, _, count in found)}


def _line(view: TableView, columns: Mapping[str, Column], where: str | None) -> dict[str, Any]:
    """{"x", "mean", "low", "high", "edges"}: the mean of y and its middle half, over equal parts of x."""
    x, y = columns["x"], columns["y"]
    low, high, _ = _range(view, x, where)
    place, width, count = _bin(x, low, high, 200)
    found = view.over(
        "SELECT b, avg(x), avg(y), quantile_cont(y, 0.25), quantile_cont(y, 0.75), count(*) FROM "
        f"(SELECT {place} AS b, {number_sql(x)} AS x, {number_sql(y)} AS y FROM chosen) "
        "WHERE x IS NOT NULL AND y IS NOT NULL GROUP BY b ORDER BY b", where=where)
    return {"x": [line[1] for line in found], "mean": [line[2] for line in found], "low": [line[3] for line in found],
            "high": [line[4] for line in found], "counts": [int(line[5]) for line in found],
            "edges": [low + width * step for step in range(count + 1)], "rows": sum(int(line[5]) for line in found)}


def _heat(view: TableView, columns: Mapping[str, Column], where: str | None) -> dict[str, Any]:
    """{"columns", "lines", "counts": [line][column], "rows"}: how often values of x and y meet."""
    x, y = columns["x"], columns["y"]
    across, down = _top(view, x, where, TOP), _top(view, y, where, TOP)
    counts = [[0] * len(across) for _ in down]
    for a, b, n in view.over(f"SELECT {_text(x)} AS a, {_text(y)} AS b, count(*) FROM chosen GROUP BY 1, 2",
                             where=where):
        if a in across and b in down:
            counts[down.index(b)][across.index(a)] = int(n)
    return {"columns": across, "lines": down, "counts": counts, "rows": sum(map(sum, counts))}


_MAKERS = {"histogram": _histogram, "box": _box, "scatter": _scatter, "density": _density, "bar": _bar,
           "line": _line, "heat": _heat}
