"""What a trial of a search does around its model, in words. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.training.catalogue import NETWORKS

TREES = frozenset({"lightgbm", "xgboost", "catboost", "hist_gradient_boosting", "random_forest", "extra_trees",
                   "decision_tree"})
_SAID: Mapping[str, Mapping[str, str]] = {
    "target": {"log": "logarithm of the target", "root": "square root of the target"},
    "categories": {"means": "categories by the target's mean, too"},
    "text": {"words": "text as 1,000 words (TF-IDF)", "topics": "text as 64 topics (LSA)"},
    "scaling": {"ranks": "skewed columns by rank"},
    "balance": {"weights": "rare classes weigh more", "over": "rows of rare classes repeated",
                "under": "rows of common classes left out", "smote": "rows of rare classes made up (SMOTE)"}}


def pipeline_words(pipeline: Mapping[str, Any] | None) -> str:
    """Say what a pipeline has that is not usual; "" for nothing."""
    said = [f"{value} principal components" if part == "components" else
            _SAID.get(part, {}).get(str(value), f"{part}: {value}") for part, value in (pipeline or {}).items()]
    return "; ".join(said)


def usual_words(estimator: str) -> str:
    """Say how the columns of an estimator are prepared where nothing else was chosen."""
    if estimator in TREES:
        return "columns as they are, categories as codes"
    return "columns standardised, categories " + ("embedded" if estimator in NETWORKS else "as columns of 0 and 1")
