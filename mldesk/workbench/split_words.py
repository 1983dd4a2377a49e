"""A split in words, as lineages, reports and comparisons say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_METHODS = {"random": "at random", "stratified": "by strata of the target", "group": "whole groups",
            "time": "the latest last", "column": "as a column says", "given": "as in an earlier run"}


def split_words(split: Mapping[str, Any]) -> str:
    """Say how rows were dealt: "at random, 20 % to test, 15 % of the rest to validate, seed 0"; "" for no split.

    ``split`` is a ``SplitRequest`` as JSON, or less of it; whatever else is in it is not said.
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
    if split.get("validation_size") is not None and method not in ("column", "given"):
        said.append(f"{_percent(split['validation_size'])} of the rest to validate")
    if split.get("seed") is not None and method in ("random", "stratified", "group"):
        said.append(f"seed {split['seed']}")
    return ", ".join(said)


def _percent(part: Any) -> str:
    return f"{100 * float(part):.3g} %"
