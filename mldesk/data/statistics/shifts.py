"""How the columns of two versions differ in what they hold, told from their profiles. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHOWN = 5   # values whose shares are named


def shifts(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Compare two profiles (see ``profiling``), column by column where the type is the same; the most moved first.

    Each: {"column", "type", "from", "to" ({"mean", "std", "median", "min", "max", "missing" as a share}), "shares"
    ([[value, share before, share after], ...]), "shift"}. ``shift`` is, for numbers, how far the mean moved, in
    deviations of the first version; for all else the total variation of the shares of the most frequent values, 0
    (alike) to 1 (nothing in common), the rest counted as one; None where neither can be told.
    """
    before = {column["name"]: column for column in old["columns"]}
    found = []
    for column in new["columns"]:
        was = before.get(column["name"])
        if was is None or was["type"] != column["type"]:
            continue
        shares = _shares(was, column, old["rows"], new["rows"])
        numbers = column["type"] in ("integer", "number")
        found.append({"column": column["name"], "type": column["type"], "from": _facts(was, old["rows"]),
                      "to": _facts(column, new["rows"]), "shares": shares[:_SHOWN],
                      "shift": _moved(was, column) if numbers else _variation(shares)})
    return sorted(found, key=lambda item: -(item["shift"] or 0.0))


def _facts(column: Mapping[str, Any], rows: int) -> dict[str, Any]:
    quantiles = column.get("quantiles") or {}
    return {"mean": column.get("mean"), "std": column.get("std"), "median": quantiles.get("0.5"),
            "min": column.get("min"), "max": column.get("max"), "missing": column["missing"] / rows if rows else 0.0}


def _moved(was: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    first, second, width = was.get("mean"), now.get("mean"), was.get("std")
    if not isinstance(first, (int, float)) or not isinstance(second, (int, float)):
        return None
    if first == second:
        return 0.0
    return abs(second - first) / width if isinstance(width, (int, float)) and width else None


def _shares(was: Mapping[str, Any], now: Mapping[str, Any], rows: int, rows_now: int) -> list[list[Any]]:
    """Return [value, share before, share after] of the most frequent values of either, those that moved most first.

    Shares are of the cells that are there. A value that is frequent in one version only may be rare in the other, not
    gone; it counts as 0 there.
    """
    one, two = ({str(value): count for value, count in column.get("top") or ()} for column in (was, now))
    filled, filled_now = max(1, rows - was["missing"]), max(1, rows_now - now["missing"])
    pairs = [[value, one.get(value, 0) / filled, two.get(value, 0) / filled_now] for value in {**one, **two}]
    return sorted(pairs, key=lambda item: (-abs(item[2] - item[1]), item[0]))


def _variation(shares: list[list[Any]]) -> float | None:
    if not shares:
        return None
    rest = sum(item[2] - item[1] for item in shares)  # what is not named gains what the named lose
    return min(1.0, float(sum(abs(item[2] - item[1]) for item in shares) + abs(rest)) / 2)
