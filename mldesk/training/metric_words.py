"""What scores are called, which way they count and what they say: one table for the window, reports, model cards and
commands. ``--json`` and options keep the names by which a run's result has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """One score."""

    name: str             # as scripts know it
    title: str            # for people
    better: int           # 1: more is better; -1: less is
    meaning: str          # in a sentence
    also: str = ""        # other names people give it, spaces between; any case


_TABLE: Final = (   # the most telling first; one order for classes and numbers, since no evaluation holds both
    Metric("roc_auc", "ROC AUC", 1,
           "How often a row of a class is ranked above one that is not of it; 0.5 is chance, 1 perfect.", "auc auroc"),
    Metric("accuracy", "Accuracy", 1, "Share of the rows that were predicted right.", "acc"),
    Metric("balanced_accuracy", "Balanced accuracy", 1,
           "Share predicted right, averaged over the classes, so that rare classes count as much."),
    Metric("f1_macro", "F1 (macro)", 1, "Balance of precision and recall, averaged over the classes.", "f1"),
    Metric("log_loss", "Log loss", -1, "Surprise at the truth, in nats: how wrong the probabilities are.",
           "logloss cross-entropy"),
    Metric("mcc", "Matthews correlation", 1, "Agreement of predictions and truth from -1 to 1; 0 is chance.",
           "matthews"),
    Metric("root_mean_squared_error", "RMSE", -1,
           "Typical error in the target's unit, large ones weighing more.", "rmse"),
    Metric("r2", "R²", 1, "Share of the target's variance that is explained; 1 is perfect, 0 is the mean.", "r^2"),
    Metric("mean_absolute_error", "MAE", -1, "Mean error in the target's unit.", "mae"),
    Metric("median_absolute_error", "Median abs. error", -1,
           "Half of the errors are smaller than this, in the target's unit."),
    Metric("mean_absolute_percentage_error", "MAPE", -1, "Mean error as a share of the truth.", "mape"),
    Metric("mean_pinball_loss", "Pinball loss", -1,
           "Mean error of a quantile in the target's unit, the side it should not err on weighing more.", "pinball"),
    Metric("mean_squared_error", "MSE", -1, "Mean of the squared errors.", "mse"),
    Metric("max_error", "Largest error", -1, "The largest error of any row, in the target's unit."),
    Metric("average_precision", "Average precision", 1,
           "Precision averaged over every share that can be found, the area under its curve; chance is the share of "
           "the class.", "ap pr_auc"),
    Metric("brier_score", "Brier score", -1, "Mean squared error of the probabilities.", "brier"),
    Metric("calibration_error", "Calibration error", -1,
           "How far promised probabilities lie from what came true, on average (ECE).", "ece"),
    Metric("quadratic_kappa", "Quadratic kappa", 1,
           "Agreement beyond chance, far misses weighing more; 0 is chance, 1 is perfect.", "qwk"),
    Metric("rank_error", "Classes off", -1, "By how many classes the prediction is off, on average."),
    Metric("f1_weighted", "F1 (weighted)", 1,
           "Balance of precision and recall, averaged over the classes by how many rows each has."),
    Metric("precision_macro", "Precision (macro)", 1,
           "Of the rows given a class, the share that has it, averaged over the classes."),
    Metric("recall_macro", "Recall (macro)", 1,
           "Of the rows that have a class, the share that was found, averaged over the classes."),
    Metric("precision_weighted", "Precision (weighted)", 1,
           "Of the rows given a class, the share that has it, averaged by rows."),
    Metric("recall_weighted", "Recall (weighted)", 1,
           "Of the rows that have a class, the share that was found, averaged by rows."),
    Metric("cohen_kappa", "Cohen’s kappa", 1, "Agreement beyond what chance would give; 0 is chance, 1 is perfect.",
           "kappa"),
    Metric("top_3_accuracy", "Top-3 accuracy", 1, "Share of the rows whose class is among the three most probable."),
    Metric("top_5_accuracy", "Top-5 accuracy", 1, "Share of the rows whose class is among the five most probable."),
    Metric("precision", "Precision", 1, "Of the rows given the class, the share that has it."),
    Metric("recall", "Recall", 1, "Of the rows that have the class, the share that was found."),
    Metric("specificity", "Specificity", 1, "Of the rows that do not have the class, the share that was passed over."),
    Metric("f1", "F1", 1, "Balance of precision and recall."),
    Metric("loss", "Loss", -1, "What the model makes small: log loss of classes, mean squared error of numbers."),
)
METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _TABLE}
ONE_CLASS: Final = ("precision", "recall", "f1")   # that a search may strive for in one class, ``f1:yes``
SMALL_TEST: Final = 30   # rows of a test part: scores of fewer are little more than luck
# The first of them that there is speaks for a model where one must; only a quantile has the first.
LEADING: Final = ("mean_pinball_loss", "roc_auc", "accuracy", "r2")

_PARTS: Final = {"train": "Training", "validation": "Validation", "val": "Validation", "test": "Test",
                 "eval": "Evaluation", "best": "Best", "trial": "Each trial’s", "refit": "Second fit’s"}
_PART: Final = re.compile(rf"({'|'.join(_PARTS)})[_/]")
# Of scripts' own metrics.
_LOWER: Final = frozenset({"perplexity", "mae", "mse", "rmse", "error"})
_HIGHER: Final = frozenset({"pr_auc", "auc", "score"})


def title(name: str, tr: Callable[[str], str] = str) -> str:
    """Return what people call a score, also one on some rows: ``validation_roc_auc`` is "Validation ROC AUC".

    One that is not in the table, as of a script, keeps its words. ``tr`` translates.
    """
    if name in METRICS:
        return tr(METRICS[name].title)
    if (one := of_class(name)) is not None:
        return tr("{score} of {name}").format(score=tr(METRICS[one[0]].title), name=one[1])
    part, rest = part_of(name)
    if part:
        known = rest in METRICS or of_class(rest) or part_of(rest)[0]
        return f"{tr(_PARTS[part])} {within(title(rest, tr)) if known else rest.replace('_', ' ')}"
    told = name.replace("_", " ")
    return told[:1].upper() + told[1:]


def of_class(name: str) -> tuple[str, str] | None:
    """Return the score and the class of one that is of a single class: ("f1", "yes") of ``f1:yes``; None for others."""
    score, _, label = name.partition(":")
    return (score, label) if score in ONE_CLASS and label else None


def part_of(name: str) -> tuple[str, str]:
    """Return which rows or runs a reading is of, and of what: ("val", "loss") of ``val_loss`` and ``val/loss``.

    ("", name) where it does not say.
    """
    found = _PART.match(name)
    return (found[1], name[found.end():]) if found and found.end() < len(name) else ("", name)


def within(text: str) -> str:
    """Return a title as it stands within a sentence: "log loss", but "ROC AUC" and "F1 (macro)"."""
    return text if len(text) < 2 or not text[1].islower() or text.startswith(("Cohen", "Brier", "Matthews")) else (
        text[0].lower() + text[1:])


def direction(name: str) -> int:
    """Return 1 where more of a score is better, -1 where less is, 0 where nobody knows, as of a script's own."""
    while (part := part_of(name))[0]:
        name = part[1]
    if (one := of_class(name)) is not None:
        name = one[0]
    if name in METRICS:
        return METRICS[name].better
    if name in _LOWER or name.endswith(("_loss", "_error")):
        return -1
    return 1 if name in _HIGHER or name.startswith(("f1_", "precision_", "recall_", "top_")) or name.endswith(
        ("_accuracy", "_auc", "_f1")) else 0


def lower_is_better(name: str) -> bool:
    """Say whether less of a score is known to be better."""
    return direction(name) < 0


def meaning(name: str) -> str:
    """Return what a score says, beside which ``better`` stands; "" for one that is not in the table."""
    return METRICS[name].meaning if name in METRICS else ""


def explained(name: str, tr: Callable[[str], str] = str) -> str:
    """Return what a score says, and which way it counts, in a line; "" for one that is not in the table."""
    if name not in METRICS:
        return ""
    return f"{tr(METRICS[name].meaning)} " + (tr("Higher is better.") if METRICS[name].better > 0 else
                                              tr("Lower is better."))


def better(name: str) -> str:
    """Return "higher" or "lower"; "" where nobody knows."""
    return {1: "higher", -1: "lower"}.get(direction(name), "")


def ordered(names: Iterable[str]) -> list[str]:
    """Return names of scores, the most telling first; those that are not in the table last, as they come."""
    places = {name: place for place, name in enumerate(METRICS)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


def leading(metrics: Iterable[str]) -> str | None:
    """Return the one score that speaks for a model; None where there is none of those."""
    there = set(metrics)
    return next((name for name in LEADING if name in there), None)


def find_metric(wanted: str, among: Sequence[str]) -> str | None:
    """Return the name of the score that somebody calls ``wanted``: its name, its title, or another usual one."""
    said = wanted.strip().casefold()
    score, _, label = wanted.strip().partition(":")
    if of_class(one := f"{score.strip().casefold()}:{label.strip()}") and "accuracy" in among:   # classes, not numbers
        return one
    for name in among:
        known = METRICS[name]
        if said in (name, known.title.casefold(), *known.also.split()) or said.replace(" ", "_") == name:
            return name
    return None


def left_out(metrics: Iterable[str]) -> str:
    """Say which usual score is not among these, and why; "" where none is missed."""
    there = set(metrics)
    missed = "median_absolute_error" in there and "mean_absolute_percentage_error" not in there
    return "There is no MAPE: the truth of some rows is 0, and no error is a share of 0." if missed else ""


def worsening(name: str, tr: Callable[[str], str] = str) -> str:
    """Say how a score worsens, to follow "by how much": what permutation importance counts."""
    how = {1: tr("{score} falls"), -1: tr("{score} rises")}.get(direction(name), tr("{score} worsens"))
    return how.format(score=within(title(name, tr))) + (tr(" (nats per row)") if name == "log_loss" else "")


def weighed_in_words(on: Mapping[str, int] | None, tr: Callable[[str], str] = str) -> str:
    """Say what permutation importance was computed on, as ``importance.weighed_on`` has it; "" where nobody knows."""
    if not on:
        return ""
    rows = f"{on['rows']:,}" if on["rows"] == on["of"] else tr("{rows} of {all}").format(
        rows=f"{on['rows']:,}", all=f"{on['of']:,}")
    return tr("Computed on {rows} rows, each column shuffled {repeats} times, seed {seed}.").format(
        rows=rows, repeats=on["repeats"], seed=on["seed"])


def fitted_metric(classes: int, quantile: float | None) -> str:
    """Return the score that is the mean of ``losses.row_losses``, of squared errors its root."""
    return "log_loss" if classes else "root_mean_squared_error" if quantile is None else "mean_pinball_loss"
