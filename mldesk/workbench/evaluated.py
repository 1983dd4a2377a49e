"""What an evaluation says, put in order for people: scores, classes, thresholds, weak slices, the worst rows."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldesk.training.metric_words import lower_is_better, ordered

FIRST = 6          # scores shown before the others are unfolded
_CONSPICUOUS = 2   # standard errors from which a slice is shown
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)   # of the errors

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """One metric and where it may lie."""

    metric: str
    value: object
    low: float | None = None     # of the 95 % interval; None where there is none
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is told from the others."""

    label: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True, slots=True)
class Confused:
    """Two classes, of which one was called the other."""

    actual: object
    predicted: object
    rows: int        # that were
    of: int          # rows of the class


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the rows where the model is worse."""

    column: str
    value: str
    rows: int
    metric: str      # what the score is: accuracy, mean absolute error, or the pinball loss of a quantile
    score: float
    whole: float     # that of all rows
    sigmas: float    # standard errors by which its loss is larger than elsewhere


@dataclass(frozen=True, slots=True)
class WorstRow:
    """A row that the model is most wrong about."""

    row: int                     # in the dataset version, from 0
    actual: object
    predicted: object
    probability: float | None    # that was given to the truth
    error: float | None          # of numbers: truth minus prediction


def scores(facts: Facts) -> list[Score]:
    """Return every score of one part, the most telling first."""
    metrics = facts.get("metrics") or {}
    return [Score(name, metrics[name], *_edges(facts, name)) for name in ordered(sorted(metrics))]


def intervals_of(facts: Facts) -> dict[str, list[float]]:
    """Return [low, high] by score, of the 95 % intervals there are."""
    return {score.metric: [score.low, score.high] for score in scores(facts)
            if score.low is not None and score.high is not None}


def errors_of(facts: Facts) -> dict[str, float]:
    """Return quantiles of truth minus prediction, by share; {} for classes. Of many rows those that were kept speak."""
    kept = facts.get("residuals") or {}
    errors = sorted(float(actual) - float(said) for actual, said in zip(
        kept.get("actual") or (), kept.get("predicted") or (), strict=True))
    found = {f"{share:g}": errors[round(share * (len(errors) - 1))] for share in _QUANTILES if errors}
    edges = (facts.get("residual_histogram") or {}).get("edges")
    if found and edges:   # its ends are those of all rows
        found |= {"0": float(edges[0]), "1": float(edges[-1])}
    return found


def classes_of(facts: Facts) -> list[ClassScore]:
    """Return the scores of each class; [] for payloads that lack them."""
    return [ClassScore(str(item["class"]), float(item["precision"]), float(item["recall"]), float(item["f1"]),
                       int(item["rows"])) for item in facts.get("per_class") or ()]


def worst_first(classes: Sequence[ClassScore]) -> list[ClassScore]:
    """Return classes by F1, the least first; those without rows, of which it says nothing, last."""
    return sorted(classes, key=lambda item: (not item.rows, item.f1))


def confused_of(facts: Facts) -> list[Confused]:
    """Return the pairs of classes most often taken for one another; of payloads with a matrix all there are."""
    if matrix := facts.get("confusion"):
        labels = matrix["labels"]
        found = [Confused(labels[is_], labels[called], int(rows), sum(counts))
                 for is_, counts in enumerate(matrix["counts"]) for called, rows in enumerate(counts)
                 if rows and called != is_]
        return sorted(found, key=lambda item: -item.rows)
    return [Confused(item["actual"], item["predicted"], int(item["rows"]), int(item["of"]))
            for item in facts.get("confused") or ()]


def slices_of(facts: Facts) -> list[Slice]:
    """Return where the model is worse beyond what chance does all the time, the most conspicuous first."""
    usual = "accuracy" if "accuracy" in (facts.get("metrics") or {}) else "mean_absolute_error"   # of older runs
    return [Slice(str(item["column"]), str(item["value"]), int(item["rows"]),
                  str(item.get("metric") or usual), float(item["score"]), float(item["whole"]), float(item["sigmas"]))
            for item in facts.get("slices") or () if float(item["sigmas"]) >= _CONSPICUOUS
            and is_worse(item, str(item.get("metric") or usual))]


def is_worse(item: Facts, metric: str) -> bool:
    """Say whether the score of a part of the rows is worse than that of all; older runs kept others, too."""
    there, whole = float(item["score"]), float(item["whole"])
    return there > whole if lower_is_better(metric) else there < whole


def worst_of(facts: Facts) -> list[WorstRow]:
    """Return the rows that the model is most wrong about."""
    found = []
    for item in facts.get("worst") or ():
        chance = item.get("probability")
        error = float(item["actual"]) - float(item["predicted"]) if chance is None else None
        found.append(WorstRow(int(item["row"]), item["actual"], item["predicted"], chance, error))
    return found


def _edges(facts: Facts, name: str) -> tuple[float | None, float | None]:
    interval: Any = (facts.get("intervals") or {}).get(name)
    if isinstance(interval, Mapping):  # as the first libraries kept it
        interval = (interval.get("low"), interval.get("high"))
    if not interval or len(interval) != 2 or not all(isinstance(edge, (int, float)) for edge in interval):
        return None, None
    return float(interval[0]), float(interval[1])


@dataclass(frozen=True, slots=True)
class Costs:
    """What a row costs by what it is and what it is called; less than nothing is a gain."""

    tp: float = 0.0
    fp: float = 1.0    # a false alarm
    fn: float = 1.0    # a missed case
    tn: float = 0.0


@dataclass(frozen=True, slots=True)
class Called:
    """What comes of calling every row the second class from some probability on."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def rows(self) -> int:
        return self.tp + self.fp + self.fn + self.tn

    @property
    def accuracy(self) -> float | None:
        return _share(self.tp + self.tn, self.rows)

    @property
    def precision(self) -> float | None:
        """None where no row is called the class."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return _share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def specificity(self) -> float | None:
        """Return the share of the other class that is called so."""
        return _share(self.tn, self.tn + self.fp)

    @property
    def balanced_accuracy(self) -> float | None:
        """None where one class has no row."""
        recall, specificity = self.recall, self.specificity
        return None if recall is None or specificity is None else (recall + specificity) / 2

    @property
    def mcc(self) -> float:
        """Return Matthews' correlation (1975), 0 where all rows are of one class or called one, as scikit-learn has it.
        """
        product = (self.tp + self.fp) * (self.tp + self.fn) * (self.tn + self.fp) * (self.tn + self.fn)
        return (self.tp * self.tn - self.fp * self.fn) / math.sqrt(product) if product else 0.0

    @property
    def cohen_kappa(self) -> float | None:
        """Return the agreement beyond chance (Cohen 1960); None where chance alone agrees wholly."""
        by_chance = ((self.tp + self.fp) * (self.tp + self.fn) + (self.tn + self.fp) * (self.tn + self.fn))
        return _share(self.rows * (self.tp + self.tn) - by_chance, self.rows ** 2 - by_chance)

    def cost(self, costs: Costs) -> float:
        """Return what a row costs on average."""
        whole = self.tp * costs.tp + self.fp * costs.fp + self.fn * costs.fn + self.tn * costs.tn
        return whole / self.rows if self.rows else 0.0


class Thresholds:
    """The table of a payload: what each threshold would do to the rows that were scored."""

    def __init__(self, table: Mapping[str, Sequence[float]]) -> None:
        self._steps = [float(step) for step in table["threshold"]]  # rising
        self._called = [Called(step, *(int(table[key][place]) for key in ("tp", "fp", "fn", "tn")))
                        for place, step in enumerate(self._steps)]

    def __len__(self) -> int:
        return len(self._called)

    def at(self, threshold: float) -> Called:
        """Return what comes of a threshold, as far as the table tells them apart: its next step answers."""
        place = min(bisect.bisect_left(self._steps, threshold - 1e-12), len(self._called) - 1)
        found = self._called[place]
        return Called(threshold, found.tp, found.fp, found.fn, found.tn)

    def cheapest(self, costs: Costs) -> Called:
        """Return the threshold of the table with the least cost; of equals the one nearest to a half."""
        return min(self._called, key=lambda called: (round(called.cost(costs), 12),
                                                     abs(called.threshold - 0.5)))


def thresholds_of(facts: Facts, label: object = None) -> Thresholds | None:
    """Return the table of thresholds of the second of two classes, or of ``label`` among many; None where there is
    none, as in older payloads.
    """
    table = (facts if label is None else _of_class(facts, label)).get("thresholds")
    return Thresholds(table) if table and table.get("threshold") else None


def gain_of(facts: Facts, label: object = None) -> tuple[list[float], list[float]] | None:
    """Return shares of the rows, the likeliest first, and which part of the class they hold; ``label`` as above."""
    found = (facts if label is None else _of_class(facts, label)).get("gain") or {}
    return (found["share"], found["found"]) if len(found.get("share", ())) > 1 else None


def told_apart(facts: Facts) -> list[Any]:
    """Return the classes, of more than two, that have a table of thresholds and a gain of their own."""
    return [item["class"] for item in facts.get("by_class") or ()]


def _of_class(facts: Facts, label: object) -> Facts:
    return next((item for item in facts.get("by_class") or () if str(item["class"]) == str(label)), {})


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
