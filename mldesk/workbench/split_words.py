"""A split in words, as lineages, reports and comparisons say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldesk.library.records import Run

_METHODS = {"random": "at random", "stratified": "by strata of the target", "group": "whole groups",
            "time": "the latest last", "column": "as a column says", "given": "as in an earlier run"}


def searched(run: Run) -> Mapping[str, Any] | None:
    """Return what a search's result says of its trials' rows, {} while it has none; None for any other run."""
    return (run.result or {}) if run.kind == "search" else None


def split_words(split: Mapping[str, Any], search: Mapping[str, Any] | None = None) -> str:
    """Say how rows were dealt: "at random, 20 % to test, 15 % of the rest to validate, seed 0"; "" for no split.

    ``split`` is a ``SplitRequest`` as JSON, or less of it; whatever else is in it is not said. ``search``: a search's
    result ("folds", "forward"), which says what its trials were judged by; {} where nobody knows.
    """
    method = str(split.get("method") or "")
    if not method:
        return ""
    said = [_METHODS.get(method, method) + (f" (column {split['column']})" if split.get("column") else "")]
    if split.get("folds"):
        said.append(f"{split['folds']} folds" + (" learnt from what came before" if method == "time" else ""))
    sized = method not in ("column", "given") and (method == "time" or not split.get("folds"))
    if sized and split.get("test_size") is not None:
        said.append(f"{_percent(split['test_size'])} to test")
    if search is not None and search.get("folds") != 1:
        said += [f"the rest {parts}"] if (parts := _parts(search)) else []
    elif split.get("validation_size") is not None and method not in ("column", "given"):
        said.append(f"{_percent(split['validation_size'])} of the rest to validate")
    if split.get("seed") is not None and method in ("random", "stratified", "group"):
        said.append(f"seed {split['seed']}")
    return ", ".join(said)


def rows_words(rows: Mapping[str, Any], search: Mapping[str, Any] | None = None) -> str:
    """Say how many rows there are of each part: "5,756 train, 1,016 validation, 1,693 test"; of a search whose trials
    were judged by folds "6,772 rows in 5 folds, 1,693 test". ``rows``: of a result; ``search``: as in ``split_words``.
    """
    parts = {name: int(rows[name]) for name in ("train", "validation", "test") if name in rows}
    if judged := _parts(search or {}):
        learnt = parts.pop("train", 0) + parts.pop("validation", 0)
        said = f"{learnt:,} rows{',' if search and search.get('forward') else ''} {judged}"
        return ", ".join([said, *(f"{count:,} {name}" for name, count in parts.items())])
    return ", ".join(f"{count:,} {name}" for name, count in parts.items())


def _parts(search: Mapping[str, Any]) -> str:
    """Say what a search's trials were judged by, where that was not one validation part, or is not known."""
    folds = int(search.get("folds") or 0)
    if folds < 2:
        return ""
    return f"judged by the last {folds} parts" if search.get("forward") else f"in {folds} folds"


def _percent(part: Any) -> str:
    return f"{100 * float(part):.3g} %"
