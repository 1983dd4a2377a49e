"""Sections of a report that say why a model predicts what it predicts: what an explain run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.reports.document import Bars, Block, Lines, Section, Series, Table, Text
from mldesk.workbench.explained import pushes
from mldesk.workbench.report_evaluation import importance
from mldesk.workbench.report_words import number, plain

_MOST_COLUMNS = 20
_MOST_OUTPUTS = 4       # classes whose columns are drawn
_MOST_FOLLOWED = 12     # columns whose values are followed

Found = Mapping[str, Any]


def sections(found: Found) -> list[Section]:
    """``found`` is what ``ExplainService.explanation`` returns; {} gives none."""
    if not found:
        return []
    return [importance(found), Section("What each column adds", _added(found)),
            Section("How predictions follow a column", _followed(found))]


def _about(found: Found, output: int) -> str:
    outputs = found.get("outputs") or []
    return f"chance of {plain(outputs[output])}" if outputs else str(found.get("target", "prediction"))


def _title(found: Found, output: int) -> str:
    """Return whose columns a chart is about, short enough for one beside its labels."""
    outputs = found.get("outputs") or []
    return plain(outputs[output] if outputs else found.get("target", "prediction"), 34)


def _added(found: Found) -> list[Block]:
    """Draw the mean size of what each column adds, an output each; Shapley values tell of single rows."""
    shap = found.get("shap") or {}
    count = len(shap.get("values") or [])
    blocks: list[Block] = []
    for output in range(min(count, _MOST_OUTPUTS)):
        told = pushes(found, output)[:_MOST_COLUMNS]
        blocks += [Bars(_title(found, output), "Mean size of what it adds", [plain(push.feature) for push in told],
                        [push.size for push in told]),
                   Table(("column", "adds", "takes away"), [
                       (plain(push.feature), number(push.up), number(push.down)) for push in told],
                       frozenset({"adds", "takes away"}))]
    if not blocks:
        return []
    which = f"{number(len(shap.get('rows') or []))} {found.get('part') or ''}".strip()
    blocks.insert(0, Text(f"Shapley values of {which} rows (KernelSHAP): how far each column moves a prediction from "
                          "the mean one, on average over the rows."))
    if count > _MOST_OUTPUTS:
        blocks.append(Text(f"{count - _MOST_OUTPUTS} more classes are not drawn.", "muted"))
    return blocks


def _followed(found: Found) -> list[Block]:
    """Draw the mean prediction along the values of each column (partial dependence); texts as bars."""
    blocks: list[Block] = []
    for curve in (found.get("dependence") or [])[:_MOST_FOLLOWED]:
        means: Sequence[Sequence[float]] = curve["mean"]
        grid = curve["grid"]
        if len(grid) < 2 or not means:
            continue
        name = plain(curve["feature"])
        if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in grid):
            blocks.append(Lines(name, name, "Mean prediction", [
                Series(_about(found, output), grid, mean) for output, mean in enumerate(means[:_MOST_OUTPUTS])]))
        else:
            last = len(means) - 1
            blocks.append(Bars(name, f"Mean {_about(found, last)}", [plain(value) for value in grid], means[last]))
    if blocks:
        blocks.insert(0, Text("The mean prediction over rows when a column is set to each of its values (partial "
                              "dependence)."))
    return blocks
