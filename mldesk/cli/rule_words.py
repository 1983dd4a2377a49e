"""The rules of a contract as people say them: "never empty, 0 to 9, else the row is left out"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.cli import words

_SHOWN = 6   # allowed values
_ELSE = {"row": "else the row is left out", "warning": "else it is only said"}
_ONLY_SAID = ", else it is only said"
_EXTRA = {"refuse": "other columns are refused", "warn": "other columns are said", "allow": ""}


def rule_words(rule: Mapping[str, Any]) -> str:
    """Say what a column's rule asks of cells, and what becomes of those that break it unless the file is refused."""
    said = []
    if not rule.get("nullable", True):
        said.append("never empty")
    elif rule.get("missing") is not None:
        said.append(f"at most {100 * rule['missing']:.6g} % empty")
    if rule.get("unique"):
        said.append("every value once")
    said += filter(None, [_range(rule.get("low"), rule.get("high"))])
    if rule.get("values"):
        more = len(rule["values"]) - _SHOWN
        said.append(f"one of {', '.join(map(str, rule['values'][:_SHOWN]))}" + (f" and {more:,} more" * (more > 0)))
    if rule.get("pattern"):
        said.append(f"like {rule['pattern']}")
    if said and rule.get("severity") in _ELSE:
        said.append(_ELSE[rule["severity"]])
    if not rule.get("required", True):
        said.append("may be left out")
    return ", ".join(said)


def file_words(contract: Mapping[str, Any]) -> str:
    """Say what a contract asks of a file as a whole, "" for nothing."""
    rows, name = contract.get("rows") or {}, contract.get("file_name") or {}
    said = [_EXTRA.get(contract.get("extra", "refuse"), "")]
    if contract.get("order"):
        said.append("columns come in this order" + (_ONLY_SAID if contract["order"] == "warn" else ""))
    if rows.get("low") is not None or rows.get("high") is not None:
        low, high = (None if rows.get(end) is None else words.count(rows[end]) for end in ("low", "high"))
        said.append(f"{_range(low, high)} rows" + (_ONLY_SAID if rows.get("severity") == "warning" else ""))
    if name.get("pattern"):
        said.append(f"its name is like {name['pattern']}")
    return "; ".join(filter(None, said))


def _range(low: Any, high: Any) -> str:
    least, most = (words.cell(f"{end:.12g}" if isinstance(end, float) else end) for end in (low, high))
    if low is None and high is None:
        return ""
    return f"at most {most}" if low is None else f"at least {least}" if high is None else f"{least} to {most}"
