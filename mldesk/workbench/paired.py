"""Two runs on the same test rows: is one better, or lucky? McNemar's test, and the bootstrap of the difference.

What is compared row by row is far sharper than two intervals side by side: both models meet the same hard rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput
from mldesk.training.metric_words import ordered

if TYPE_CHECKING:  # numpy and pyarrow load with them
    import numpy as np
    import numpy.typing as npt

_PROBABILITY = "probability_"
NAMED = 1000   # rows of a kind that are named


@dataclass(frozen=True, slots=True, eq=False)
class RowsTested:
    """The test predictions of a run, in the order of their rows."""

    rows: npt.NDArray[np.int64]      # numbers in the dataset version
    y: npt.NDArray[Any]              # (N,) class codes, or numbers
    prediction: npt.NDArray[Any]     # (N, C) probabilities, or (N,) numbers
    classes: tuple[str, ...]         # () for numbers
    quantile: float | None = None    # which one the numbers are of; None: means
    ordered: bool = False            # the classes have an order

    def placed(self, places: npt.NDArray[np.int64] | None, rows: npt.NDArray[np.int64]) -> RowsTested:
        """Return the same under the numbers that another table has for its rows, ``places`` saying where each is here.

        Raises BadInput where there are more or fewer.
        """
        if len(rows) != len(self.rows) or (places is not None and len(places) != len(rows)):
            raise BadInput("The two runs kept predictions of different rows, so their scores cannot be paired.")
        y, prediction = (self.y, self.prediction) if places is None else (self.y[places], self.prediction[places])
        return replace(self, rows=rows, y=y, prediction=prediction)


def read_tested(path: Path) -> RowsTested:
    """Read what ``training.predictions`` wrote. Raises BadInput for a file that is none."""
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    names = [name for name in table.column_names if name.startswith(_PROBABILITY)]
    classes = tuple(name.removeprefix(_PROBABILITY) for name in names)
    rows = table.column("row").to_numpy()
    order = np.argsort(rows, kind="stable")
    if not classes:
        y, prediction = (table.column(name).to_numpy().astype(np.float64) for name in ("actual", "prediction"))
        return RowsTested(rows[order], y[order], prediction[order], ())
    codes = {label: code for code, label in enumerate(classes)}
    labels = [str(label).lower() if isinstance(label, bool) else str(label)
              for label in table.column("actual").to_pylist()]
    if not set(labels) <= set(codes):
        raise BadInput("These predictions are of classes that the model does not know.")
    y = np.array([codes[label] for label in labels])
    prediction = np.stack([table.column(name).to_numpy() for name in names], 1)
    return RowsTested(rows[order], y[order], prediction[order], classes)


class Draws:
    """The bootstrap draws of runs, each worked out once however many others it is set beside."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._kept: dict[RowsTested, dict[str, npt.NDArray[Any]]] = {}   # by identity

    def of(self, tested: RowsTested) -> dict[str, npt.NDArray[Any]]:
        """Return each metric of every draw (``training.intervals.draws``)."""
        from mldesk.training.intervals import draws

        if tested not in self._kept:
            self._kept[tested] = draws(tested.prediction, tested.y, len(tested.classes), self._seed,
                                       quantile=tested.quantile, ordered=tested.ordered)
        return self._kept[tested]


def paired(first: RowsTested, second: RowsTested, draws: Draws | None = None) -> Mapping[str, Any]:
    """Return {"rows", "mcnemar" or None, "differences": {metric: {"low", "high", "sure"}}}, first minus second.

    ``sure`` says that the 95 % interval of the difference leaves out zero. Raises BadInput where the rows or the
    classes are not the same.
    """
    import numpy as np

    from mldesk.training.intervals import spread

    first, second = _in_one_order(first, second)
    if first.classes != second.classes or not np.array_equal(first.rows, second.rows) or not np.array_equal(
            first.y, second.y):
        raise BadInput("The two runs were not tested on the same rows, so their scores cannot be paired.",
                       hint="Train both with the same split: the same seed, and the same test share.")
    count = len(first.classes)
    draws = draws or Draws()
    ours, theirs = draws.of(first), draws.of(second)
    differences = {}
    for name in ordered(ours):
        other_loss = name == "mean_pinball_loss" and first.quantile != second.quantile
        edges = spread(ours[name] - theirs[name]) if name in theirs and not other_loss else None
        if edges is not None:
            differences[name] = {"low": edges[0], "high": edges[1], "sure": not edges[0] <= 0 <= edges[1]}
    return {"rows": len(first.y), "mcnemar": mcnemar(first, second) if count else None, "differences": differences}


def _in_one_order(first: RowsTested, second: RowsTested) -> tuple[RowsTested, RowsTested]:
    """Return both with their classes in the order of the run that was told one; of two classes the second counts as
    found in some metrics, so these stay.
    """
    if len(first.classes) < 3 or first.classes == second.classes or set(first.classes) != set(second.classes) or (
            first.ordered and second.ordered):
        return first, second
    return (_reordered(first, second.classes), second) if second.ordered else (
        first, _reordered(second, first.classes))


def _reordered(tested: RowsTested, classes: tuple[str, ...]) -> RowsTested:
    import numpy as np

    places = [tested.classes.index(name) for name in classes]   # here, of each there
    codes = np.argsort(places)
    return replace(tested, y=codes[tested.y], prediction=tested.prediction[:, places], classes=classes)


def mcnemar(first: RowsTested, second: RowsTested) -> Mapping[str, Any]:
    """Return {"only_first", "only_second", "p"}: how many rows one alone has right, and the exact two-sided p.

    "rows_first" and "rows_second" are those rows, from 1, the first ``NAMED`` of each.
    If both were equally good, either would be as often right where the other is wrong (McNemar 1947; recommended for
    one test part by Dietterich 1998).
    """
    from mldesk.training.probabilities import predicted_codes

    ours, theirs = (predicted_codes(one.prediction) == one.y for one in (first, second))
    alone = {"first": first.rows[ours & ~theirs], "second": first.rows[~ours & theirs]}
    only_first, only_second = len(alone["first"]), len(alone["second"])
    return {"only_first": only_first, "only_second": only_second, "p": _binomial(only_first, only_second),
            **{f"rows_{side}": (rows[:NAMED] + 1).tolist() for side, rows in alone.items()}}


def _binomial(one: int, other: int) -> float:
    """Return the chance of a split at least as uneven as this of fair coins."""
    total, few = one + other, min(one, other)
    logs = [math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) - total * math.log(2)
            for k in range(few + 1)]
    return min(1.0, 2 * sum(map(math.exp, logs)))
