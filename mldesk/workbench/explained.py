"""What an explanation says about one of its outputs: a class whose chance was explained, or the number predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.workbench.references import did_you_mean, listed


@dataclass(frozen=True, slots=True)
class Push:
    """What a column does to predictions, on average over the rows that were explained (their Shapley values)."""

    feature: str
    up: float      # 0 or more: the mean of what it adds, rows where it takes away counting as nothing
    down: float    # 0 or less: the same the other way round

    @property
    def size(self) -> float:
        """Return the mean size of what it does, up or down."""
        return self.up - self.down


KERNEL, TREE = "kernel", "tree"   # ways to Shapley values: of any model by asking it, of trees by their paths


def has_tree(found: Mapping[str, Any]) -> bool:
    """Say whether an explanation has TreeSHAP, too: of trees, and of blends of them."""
    return bool((found.get("tree") or {}).get("values"))


def why_no_tree(found: Mapping[str, Any]) -> str:
    """Say why an explanation has no TreeSHAP, in a sentence."""
    why = (found.get("tree") or {}).get("why_not")
    return f"This model has no TreeSHAP: {why}." if why else (
        "This explanation has no TreeSHAP: an older MLDesk made it. Explain the model again.")


def pushes(found: Mapping[str, Any], output: int, method: str = KERNEL) -> list[Push]:
    """Return what each column does to one output, the largest first; [] where an explanation keeps no rows of it.

    By KERNEL the unit is the probability or the target; by TREE what the trees add up to, as its "unit" says: of
    boosted classes their log-odds.
    """
    shap = (found.get("tree") or {}) if method == TREE else found["shap"]
    if not shap.get("values"):
        return []
    rows: Sequence[Sequence[float]] = shap["values"][output]
    count = max(1, len(rows))
    made = [Push(str(name), sum(max(0.0, row[place]) for row in rows) / count,
                 sum(min(0.0, row[place]) for row in rows) / count) for place, name in enumerate(shap["features"])]
    return sorted(made, key=lambda push: -push.size)


def output_of(found: Mapping[str, Any], about: str) -> int:
    """Return the place of the class ``about`` among the outputs, the last one for "". Raises BadInput for another."""
    outputs = [str(label) for label in found["outputs"]]
    if not about:
        return max(0, len(outputs) - 1)
    if about in outputs:
        return outputs.index(about)
    raise BadInput(f"The chance of {about!r:.60} was not explained.", hint=did_you_mean(about, outputs) or (
        f"Explained is: {listed(outputs)}." if outputs else "This model predicts numbers, not classes."))
