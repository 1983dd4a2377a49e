"""What a run's model was made for: a mean or a quantile, classes with an order, the score that a search strove for."""

from __future__ import annotations

from mldesk.library.records import Run
from mldesk.training.metric_words import fitted_metric


def quantile_of(run: Run) -> float | None:
    """Return which quantile of a number a run's model predicts; None: its mean, or a class."""
    value = (run.result or {}).get("parameters", run.parameters).get("quantile")
    number = isinstance(value, (int, float)) and run.task == "tabular_regression"
    return float(value) if number else None


def is_ordered(run: Run) -> bool:
    """Say whether the classes that a run's model tells apart have an order."""
    return "rank_error" in (run.result or {}).get("metrics", {})


def aim_of(run: Run) -> str:
    """Return the score by which a run's model is better than another: what its search strove for, else its loss."""
    strove = (run.result or {}).get("metric") if run.kind == "search" else None
    return str(strove) if strove else fitted_metric(run.task == "tabular_classification", quantile_of(run))
