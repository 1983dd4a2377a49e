"""Training a model again on new data, and two versions on the same test rows before one is promoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mldesk.core.errors import BadInput, NotFound
from mldesk.library import Library
from mldesk.library.records import ModelVersion, Run
from mldesk.training.split import TRAIN, VALIDATION
from mldesk.training.values import ColumnData, take
from mldesk.wire.objects import ObjectMissing
from mldesk.wire.schema import Column, columns_from_json
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.models import ModelService
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.paired import RowsTested, paired, read_tested
from mldesk.workbench.runs import RunService
from mldesk.workbench.searching import SearchOrder
from mldesk.workbench.seen_rows import seen
from mldesk.workbench.warm_start import WarmStart

ENOUGH = 30   # rows that two versions can be compared on


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

    @property
    def better(self) -> bool:
        """The newer one has the smaller loss on these rows."""
        return self.scores["loss"][0] < self.scores["loss"][1]

    @property
    def sure(self) -> bool:
        """The losses differ by more than luck."""
        name = "log_loss" if "accuracy" in self.scores else "root_mean_squared_error"
        return bool(self.paired["differences"].get(name, {}).get("sure"))

    def to_json(self) -> dict[str, Any]:
        return {"new": self.new, "old": self.old, "rows": self.rows, "learned_by_old": self.learned,
                "left_out": self.left_out, "better": self.better,
                "scores": {name: {"new": one, "old": other} for name, (one, other) in self.scores.items()},
                **{key: value for key, value in self.paired.items() if key != "rows"}}


class RetrainService:
    """Trains versions again as they were trained, on other rows."""

    def __init__(self, library: Library, models: ModelService, runs: RunService, datasets: DatasetService,
                 warm: WarmStart) -> None:
        self._library, self._models, self._runs, self._datasets, self._warm = library, models, runs, datasets, warm

    def start(self, model: str, dataset: str, runner: str = "local", *, warm: bool = False,
              search: bool = False) -> Run:
        """Start the run that trains ``M[@V]`` anew on ``dataset``; it becomes the next version of the same model.

        Args:
            model: of a search: what it blended is fitted and blended anew
            warm: go on from the model's weights instead; its encoder stays, and rows it has learned from judge nothing
            search: search again as then, for a model of a search

        Raises NotFound; BadInput for a model of a bundle, or one that cannot be trained so; as ``RunService.start``.
        """
        version = self._models.show(model)
        run = self._run(version)
        order = _again(version, run, dataset, runner)
        if run.kind == "search":
            if warm:
                raise BadInput(f"{version.label} came out of a search: a blend has no weights to go on from.",
                               hint="Retrain what it blended (without --warm), or search again (--search).")
            return self._runs.search(_search_again(self._searched(version) if search else run, order, search))
        if search:
            raise BadInput(f"{version.label} was trained, not searched for.", hint="Leave --search out.")
        if not warm:
            return self._runs.start(order)
        data = self._datasets.show(dataset)
        return self._runs.start(replace(order, folds=0), self._warm.begin(version, run, data, order))

    def _searched(self, version: ModelVersion) -> Run:
        """Return the search that a version goes back to: its own run may only have fitted what that one blended."""
        for item in sorted(self._models.versions(version.model), key=lambda item: -item.number):
            if item.number > version.number or item.run is None:
                continue
            run = self._library.runs.get(item.run)
            if run.kind == "search" and not run.spec["payload"].get("configurations"):
                return run
        raise BadInput(f"The search that {version.label} goes back to is not here.", hint="Search anew: mldesk search.")

    def challenge(self, new: str, old: str) -> Challenge:
        """Set two versions side by side on the rows that ``new`` was tested on. Raises NotFound, BadInput.

        Rows that ``old`` was fitted or tuned on, also in another version of the data, are left out where at least
        ``ENOUGH`` others remain.
        """
        ours, theirs = self._models.show(new), self._models.show(old)
        run = self._run(ours)
        artifact = self._library.runs.artifacts(run.id).get("predictions")
        if artifact is None:
            raise NotFound(f"{ours.label} kept no predictions of its test rows.", hint="Train it again.")
        tested = read_tested(self._library.objects.path(str(artifact["digest"])))
        other = RowsTested(tested.rows, tested.y, self._answers(theirs, run, tested), tested.classes)
        known = self._learned(theirs, run, tested)
        learned, left_out = None if known is None else int(known.sum()), 0
        if known is not None and learned and len(known) - learned >= ENOUGH:
            tested, other, left_out, learned = _only(tested, ~known), _only(other, ~known), learned, 0
        return Challenge(ours.label, theirs.label, len(tested.y), learned, left_out, _scores(tested, other),
                         paired(tested, other))

    def _answers(self, version: ModelVersion, run: Run, tested: RowsTested) -> Any:
        from mldesk.bundles import Predictor  # onnxruntime loads with it
        from mldesk.training.model_files import name
        from mldesk.training.table import read_columns  # pyarrow

        predictor = Predictor.from_manifest(version.manifest, self._library.objects)
        if tuple(name(label) for label in predictor.classes) != tested.classes:
            raise BadInput(f"{version.label} knows other classes, so the two cannot be compared.",
                           hint="Compare versions of one target whose classes are the same.")
        payload = _payload(run)
        have = {column.name: column for column in columns_from_json(payload["columns"])}
        absent = [column.name for column in predictor.schema if column.name not in have]
        if absent:
            raise BadInput(f"The rows lack the column {absent[0][:60]!r}, which {version.label} needs.",
                           hint="Compare versions that learned from tables of the same columns.")
        wanted: list[Column] = [have[column.name] for column in predictor.schema]
        rows = take(read_columns(self._library.objects, str(payload["dataset"]), wanted), tested.rows)
        found = predictor.outputs_of(predictor.encode(rows)).astype(np.float64)
        return found if tested.classes else found[:, 0]

    def _learned(self, version: ModelVersion, run: Run, tested: RowsTested) -> npt.NDArray[np.bool_] | None:
        """Say of each row whether an older version has seen it in training; None where that is not known."""
        if version.run is None:
            return None
        before = self._library.runs.get(version.run)
        split = (before.result or {}).get("split")
        if not isinstance(split, str):
            return None
        try:
            membership = np.isin(np.frombuffer(self._library.objects.read(split), np.uint8), (TRAIN, VALIDATION))
            if _payload(before)["dataset"] == _payload(run)["dataset"]:
                found: npt.NDArray[np.bool_] = membership[tested.rows]
                return found
            return seen(self._rows_of(run, tested.rows), self._rows_of(before, np.flatnonzero(membership)))
        except ObjectMissing:   # the older data were purged
            return None

    def _rows_of(self, run: Run, rows: npt.NDArray[np.int64]) -> dict[str, ColumnData]:
        from mldesk.training.table import read_columns  # pyarrow

        payload = _payload(run)
        return take(read_columns(self._library.objects, str(payload["dataset"]),
                                 columns_from_json(payload["columns"])), rows)

    def _run(self, version: ModelVersion) -> Run:
        if version.run is None:
            raise BadInput(f"{version.label} came as a bundle: how it was trained is not known here.",
                           hint="Train a model here, and compare with that.")
        return self._library.runs.get(version.run)


def _again(version: ModelVersion, run: Run, dataset: str, runner: str) -> TrainOrder:
    """Return the order that the version came of, for another dataset."""
    asked = _payload(run)
    features, split = asked.get("features"), asked["split"]
    return TrainOrder(
        dataset, version.target, task=version.task, estimator="auto" if run.kind == "search" else version.estimator,
        parameters=asked["parameters"], order=tuple(asked.get("order", ())),
        features=None if features is None else tuple(features), test_size=split["test_size"],
        validation_size=split["validation_size"], split="random" if split["method"] == "given" else split["method"],
        split_column=split.get("column"), folds=split.get("folds", 0), prepare=tuple(asked.get("prepare", ())),
        seed=asked["seed"], runner=runner, model=version.model)


def _search_again(run: Run, order: TrainOrder, whole: bool) -> SearchOrder:
    """Return the search: all of it again, or only of the configurations that it blended."""
    asked, members = run.spec["payload"], (run.result or {}).get("members") or ()
    wanted = SearchOrder(order, asked.get("metric"), ensemble=bool(asked.get("ensemble", True)),
                         parallel=int(asked.get("parallel", 1)), stack=bool(asked.get("stack")),
                         stack_columns=bool(asked.get("stack_columns")), refit=bool(asked.get("refit")))
    if not whole:
        return replace(wanted, configurations=tuple(
            {"estimator": item["estimator"], "parameters": dict(item["parameters"])} for item in members))
    return replace(wanted, seconds=float(asked.get("seconds") or 0), trials=int(asked.get("trials") or 0),
                   target_score=asked.get("target_score"), estimators=tuple(asked.get("estimators") or ()))


def _only(tested: RowsTested, rows: npt.NDArray[np.bool_]) -> RowsTested:
    return RowsTested(tested.rows[rows], tested.y[rows], tested.prediction[rows], tested.classes)


def _payload(run: Run) -> Mapping[str, Any]:
    payload: Mapping[str, Any] = run.spec["payload"]
    train: Mapping[str, Any] = payload.get("train", payload)   # a search's order holds one for training
    return train


def _scores(ours: RowsTested, theirs: RowsTested) -> dict[str, tuple[float, float]]:
    """Return loss (log loss in nats, or mean squared error) and accuracy or R² of both."""
    found = [_quick(one) for one in (ours, theirs)]
    return {name: (found[0][name], found[1][name]) for name in found[0]}


def _quick(tested: RowsTested) -> dict[str, float]:
    y, prediction = tested.y, tested.prediction
    if tested.classes:
        loss = float(-np.log(np.clip(prediction[np.arange(len(y)), y], 1e-15, None)).mean())
        return {"loss": loss, "accuracy": float((prediction.argmax(1) == y).mean())}
    squares = float(np.mean((y - prediction) ** 2))
    return {"loss": squares, "r2": 1 - squares / (float(np.var(y)) or 1.0)}
