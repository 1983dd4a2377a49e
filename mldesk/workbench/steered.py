"""What may be changed of a run while it goes on: the learning rate of a training that goes step by step. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.library.records import Run
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.steering import HIGHEST, KEY, LOWEST


def why_not_steered(run: Run) -> str:
    """Say why the learning rate of a run cannot be changed, whatever its state; "" where it can."""
    if run.kind != "train":
        return "only that of a training can be changed."
    entry = ESTIMATORS.get(str(run.spec.get("payload", {}).get("estimator")))
    if entry is None or not entry.iterative:
        if entry is not None and entry.pack:
            return f"{entry.title} keeps the one that it began with."
        title = "its model" if entry is None else f"a {entry.title[:1].lower()}{entry.title[1:]}"
        return f"{title} does not learn step by step."
    return ""


def message_of(run: Run, rate: float) -> Mapping[str, Any]:
    """Return what tells a run's trainer of another learning rate. Raises BadInput for one that cannot be."""
    if not LOWEST <= rate <= HIGHEST:
        raise BadInput(f"The learning rate cannot be {rate:g}: it is above 0, and {HIGHEST:g} at most.",
                       hint="For example: 0.001.")
    if why := why_not_steered(run):
        raise BadInput(f"The learning rate of run {run.name} cannot be changed: {why}",
                       hint="It can be of networks, LightGBM, XGBoost and scikit-learn's boosting, while they are "
                            "trained.")
    return {KEY: rate}
