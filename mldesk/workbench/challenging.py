"""Two versions of a model on the same test rows, before one is promoted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mldesk.core.errors import BadInput, NotFound
from mldesk.library import Library
from mldesk.library.records import ModelVersion, Run
from mldesk.training.estimators.base import quick_scores
from mldesk.training.intervals import measured
from mldesk.training.metric_words import fitted_metric, lower_is_better, of_class
from mldesk.training.one_class import class_score, code_of
from mldesk.training.split import TRAIN, VALIDATION
from mldesk.training.values import ColumnData, take
from mldesk.wire.objects import ObjectMissing
from mldesk.wire.schema import Column, columns_from_json
from mldesk.workbench.aims import aim_of, is_ordered, quantile_of
from mldesk.workbench.orders import order_of
from mldesk.workbench.paired import RowsTested, paired, read_tested
from mldesk.workbench.references import listed
from mldesk.workbench.seen_rows import seen

ENOUGH = 30   # rows that two versions can be compared on
_ROUNDING = 1e-5   # a model's answers as it was trained and as its bundle gives them, in float32, differ by less
_NAMED = 5         # classes that a refusal names
_SAME = 1e-9       # relative; scores nearer than this are the same


@dataclass(frozen=True, slots=True)
class Challenge:
    """Two versions on the test rows of the newer one, without those that the older one learned from if enough are left.
    """

    new: str
    old: str
    rows: int
    learned: int | None                    # of these rows the older one was fitted or tuned on; None: not known
    left_out: int                          # test rows that it was fitted or tuned on, which are not compared
    scores: Mapping[str, tuple[float, float]]   # by name: the newer one's, the older one's
    paired: Mapping[str, Any]              # as ``paired.paired``, new minus old
    loss: str                              # the score that "loss" in ``scores`` is, or is the square of
    aim: str                               # the score that decides: that loss, or what a search strove for
    alike: bool = False                    # both answer every row the same but for rounding

    @property
    def decides(self) -> str:
        """The name in ``scores`` of what decides; the loss where these rows leave the aim undefined."""
        return self.aim if self.aim in self.scores else "loss"

    @property
    def equal(self) -> bool:
        """Neither is better: their answers are the same, or the scores that decide are, but for rounding."""
        return self.alike or math.isclose(*self.scores[self.decides], rel_tol=_SAME)

    @property
    def better(self) -> bool:
        """The newer one is better on these rows by the score that decides, and by more than rounding."""
        if self.equal:
            return False
        new, old = self.scores[self.decides]
        return new < old if self.decides == "loss" or lower_is_better(self.decides) else new > old

    @property
    def sure(self) -> bool:
        """The scores that decide differ by more than luck."""
        name = self.loss if self.decides == "loss" else self.decides
        return bool(self.paired["differences"].get(name, {}).get("sure"))

    def to_json(self) -> dict[str, Any]:
        return {"new": self.new, "old": self.old, "rows": self.rows, "learned_by_old": self.learned,
                "left_out": self.left_out, "better": self.better, "equal": self.equal,
                "decided_by": self.loss if self.decides == "loss" else self.decides,
                "scores": {name: {"new": one, "old": other} for name, (one, other) in self.scores.items()},
                **{key: value for key, value in self.paired.items() if key != "rows"}}


def challenge(library: Library, ours: ModelVersion, theirs: ModelVersion, run: Run) -> Challenge:
    """Set two versions side by side on the rows that ``ours``, which came of ``run``, was tested on.

    Rows that ``theirs`` was fitted or tuned on, also in another version of the data, are left out where at least
    ``ENOUGH`` others remain. Both are judged by what the newer one was made for. Raises NotFound, BadInput.
    """
    artifact = library.runs.artifacts(run.id).get("predictions")
    if artifact is None:
        raise NotFound(f"{ours.label} kept no predictions of its test rows.", hint="Train it again.")
    tested = replace(read_tested(library.objects.path(str(artifact["digest"]))), quantile=quantile_of(run),
                     ordered=is_ordered(run))
    other = replace(tested, prediction=_answers(library, theirs, run, tested))
    known = _learned(library, theirs, run, tested)
    learned, left_out = None if known is None else int(known.sum()), 0
    if known is not None and learned and len(known) - learned >= ENOUGH:
        tested, other, left_out, learned = _only(tested, ~known), _only(other, ~known), learned, 0
    return Challenge(ours.label, theirs.label, len(tested.y), learned, left_out,
                     _scores(tested, other, aim_of(run)), paired(tested, other),
                     fitted_metric(len(tested.classes), tested.quantile), aim_of(run),
                     _alike(tested, other))


def _answers(library: Library, version: ModelVersion, run: Run, tested: RowsTested) -> Any:
    from mldesk.bundles import Predictor  # onnxruntime loads with it
    from mldesk.training.model_files import name
    from mldesk.training.table import read_columns  # pyarrow

    predictor = Predictor.from_manifest(version.manifest, library.objects)
    if (known := tuple(name(label) for label in predictor.classes)) != tested.classes:
        raise BadInput(f"{version.label} knows other classes ({_some(known)}) than the rows have "
                       f"({_some(tested.classes)}), so the two cannot be compared.",
                       hint="If the classes are to be the same, mend the target's values in the data and retrain.")
    payload = order_of(run)
    have = {column.name: column for column in columns_from_json(payload["columns"])}
    absent = [column.name for column in predictor.schema if column.name not in have]
    if absent:
        raise BadInput(f"The rows lack the column {absent[0][:60]!r}, which {version.label} needs.",
                       hint="Compare versions that learned from tables of the same columns.")
    other = next((column for column in predictor.schema if have[column.name].type.family != column.type.family), None)
    if other is not None:
        raise BadInput(f"The column {other.name[:60]!r} holds {have[other.name].type.value}s in the rows, and "
                       f"{version.label} learned from {other.type.value}s in it.",
                       hint="Compare versions that learned from tables whose columns are of the same types.")
    wanted: list[Column] = [have[column.name] for column in predictor.schema]
    rows = take(read_columns(library.objects, str(payload["dataset"]), wanted), tested.rows)
    found = predictor.outputs_of(predictor.encode(rows)).astype(np.float64)
    return found if tested.classes else found[:, 0]


def _some(classes: tuple[str, ...]) -> str:
    return listed((f"{label:.30}" for label in classes), _NAMED)


def _learned(library: Library, version: ModelVersion, run: Run, tested: RowsTested) -> npt.NDArray[np.bool_] | None:
    """Say of each row whether an older version has seen it in training; None where that is not known."""
    if version.run is None:
        return None
    before = library.runs.get(version.run)
    split = (before.result or {}).get("split")
    if not isinstance(split, str):
        return None
    try:
        membership = np.isin(np.frombuffer(library.objects.read(split), np.uint8), (TRAIN, VALIDATION))
        if order_of(before)["dataset"] == order_of(run)["dataset"]:
            found: npt.NDArray[np.bool_] = membership[tested.rows]
            return found
        return seen(_rows_of(library, run, tested.rows), _rows_of(library, before, np.flatnonzero(membership)))
    except ObjectMissing:   # the older data were purged
        return None


def _rows_of(library: Library, run: Run, rows: npt.NDArray[np.int64]) -> dict[str, ColumnData]:
    from mldesk.training.table import read_columns  # pyarrow

    payload = order_of(run)
    return take(read_columns(library.objects, str(payload["dataset"]),
                             columns_from_json(payload["columns"])), rows)


def _only(tested: RowsTested, rows: npt.NDArray[np.bool_]) -> RowsTested:
    return replace(tested, rows=tested.rows[rows], y=tested.y[rows], prediction=tested.prediction[rows])


def _alike(ours: RowsTested, theirs: RowsTested) -> bool:
    """Say whether two versions answer alike, as one that was trained again on the same rows does."""
    scale = 1.0 if ours.classes else float(np.abs(theirs.prediction).max(initial=0.0))
    return np.allclose(ours.prediction, theirs.prediction, rtol=_ROUNDING, atol=_ROUNDING * scale)


def _scores(ours: RowsTested, theirs: RowsTested, aim: str) -> dict[str, tuple[float, float]]:
    """Return the loss that is fitted for, accuracy or R², and the score ``aim`` where it is none of them, of both."""
    found = [quick_scores(one.prediction, one.y, len(one.classes), one.quantile) for one in (ours, theirs)]
    if aim not in (*found[0], fitted_metric(len(ours.classes), ours.quantile)):
        for scores, one in zip(found, (ours, theirs), strict=True):
            told = measured(one.prediction, one.y, len(one.classes), quantile=one.quantile, ordered=one.ordered)
            if (of := of_class(aim)) is not None and one.classes:
                told[aim] = class_score(of[0], code_of(aim, one.classes), one.prediction, one.y)
            scores.update({aim: told[aim]} if aim in told else {})
    return {name: (found[0][name], found[1][name]) for name in found[0] if name in found[1]}
