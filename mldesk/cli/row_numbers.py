"""Rows as people and scripts count them, from 1 in the version's own order. Inside MLDesk places count from 0."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core.errors import BadInput

_MOST = 100_000
_SPAN = re.compile(r"(\d+)(?:-(\d+))?")


def read_rows(text: str) -> list[int]:
    """Return the places of ``3,17,20-25``, in that order. Raises BadInput."""
    places: list[int] = []
    for piece in filter(None, (part.strip() for part in text.split(","))):
        found = _SPAN.fullmatch(piece)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last:
            raise BadInput(f"{piece[:40]!r} is no row.", hint="Rows are counted from 1; write them like 3,17,20-25.")
        if len(places) + last - first >= _MOST:
            raise BadInput(f"At most {_MOST:,} rows can be asked for at once.")
        places += range(first - 1, last)
    if not places:
        raise BadInput("No row was named.", hint="Write rows like 3,17,20-25.")
    return list(dict.fromkeys(places))


def guarded(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the leak guard found with rows counted from 1."""
    return {**found, "concerns": [
        {**concern, "rows": [row + 1 for row in concern["rows"]],
         "groups": [[{**one, "row": one["row"] + 1} for one in group] for group in concern["groups"]]}
        for concern in found["concerns"]]}


def explored(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return statistics of a table with rows counted from 1."""
    repeats, far = made["repeats"], made["outliers"]
    return {**made,
            "outliers": {**far, "columns": [{**item, "extremes": [[row + 1, value] for row, value in item["extremes"]]}
                                            for item in far["columns"]]},
            "repeats": {**repeats, "same": _alike(repeats["same"]), "near": _alike(repeats["near"]),
                        "apart": {**repeats["apart"], "columns": [_alike(item) for item in
                                                                  repeats["apart"]["columns"]]}}}


def evaluated(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part's evaluation with its worst rows counted from 1."""
    return {**facts, **({"worst": [{**item, "row": item["row"] + 1} for item in facts["worst"]]}
                        if "worst" in facts else {})}


def explained(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return an explanation of a model with the rows that it explains counted from 1."""
    return {**found, **{part: {**found[part], "rows": [row + 1 for row in found[part]["rows"]]}
                        for part in ("shap", "tree") if "rows" in found.get(part, {})}}


def _alike(facts: Mapping[str, Any]) -> dict[str, Any]:
    examples: Sequence[Sequence[int]] = facts["examples"]
    return {**facts, "examples": [[row + 1 for row in group] for group in examples]}
