"""What each metric says, in one line for people: model cards, reports and help show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

METRIC_WORDS: Final[Mapping[str, str]] = {
    "accuracy": "share of rows whose class is right",
    "balanced_accuracy": "the same, every class counting alike",
    "f1_macro": "precision and recall in one, mean over the classes",
    "precision_macro": "of what is called a class, how much is; mean over the classes",
    "recall_macro": "of a class, how much is found; mean over the classes",
    "roc_auc": "chance that a row of a class is ranked above one that is not",
    "average_precision": "area under the precision-recall curve",
    "f1_weighted": "the same, classes counting by their rows",
    "precision_weighted": "precision, classes counting by their rows",
    "recall_weighted": "recall, classes counting by their rows",
    "cohen_kappa": "agreement beyond chance, 1 is perfect",
    "brier_score": "mean squared error of the chances; lower is better",
    "calibration_error": "how far chances are from what came true; lower is better",
    "top_5_accuracy": "share of rows whose class is among the five likeliest",
    "log_loss": "surprise at the truth, in nats; lower is better",
    "mcc": "correlation of prediction and truth, -1 to 1",
    "r2": "share of the target's variance that is explained",
    "root_mean_squared_error": "typical error, large ones weighing more; in the target's unit",
    "mean_absolute_percentage_error": "mean error as a share of the truth",
    "mean_pinball_loss": "mean error of a quantile, the side it should not err on weighing more; in the target's unit",
    "quadratic_kappa": "agreement beyond chance, far misses weighing more; 1 is perfect",
    "rank_error": "by how many classes the prediction is off, on average",
    "mean_absolute_error": "mean error, in the target's unit",
    "median_absolute_error": "half of the errors are smaller; in the target's unit",
}

# What permutation importance counts, by its metric: what is written after "by how much".
IMPORTANCE_WORDS: Final[Mapping[str, str]] = {
    "log_loss": "log loss rises (nats per row)",
    "r2": "R² falls",
}
