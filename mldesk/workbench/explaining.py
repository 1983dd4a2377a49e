"""Explanations of models: started as jobs, read back, and single predictions explained at once on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, MldeskError, NotFound
from mldesk.core.ids import new_id
from mldesk.library import Library
from mldesk.library.records import DatasetVersion, ModelVersion, Run
from mldesk.library.run_names import check_run_name
from mldesk.wire.explain import KIND, ExplainRequest
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.schema import ColumnType
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.models import ModelService
from mldesk.workbench.predictions import PredictionService, is_bundle
from mldesk.workbench.references import did_you_mean, listed, slug
from mldesk.workbench.runs import RunService

if TYPE_CHECKING:  # onnxruntime loads with it
    from mldesk.workbench.what_if import WhatIf

_RANGED = 300   # columns whose range is looked up
_KNOWN = 60   # rows that stand for "not known" where a single prediction is explained


@dataclass(frozen=True, slots=True)
class ExplainOrder:
    """One press of Explain."""

    model: str                          # M, or M@V
    dataset: str = ""                   # N@V; "": the version that the model was trained on
    part: str = "test"                  # of the split it was trained with; of another dataset every row
    features: Sequence[str] = ()        # columns to follow; (): the most important
    rows: int = 100                     # that get Shapley values, at most
    seed: int | None = None             # None: that of the run, whose importances it then repeats
    runner: str = "local"
    name: str = ""                      # of the run
    classes: Sequence[str] = ()         # of many, that are to be explained whether they are common or not


@dataclass(frozen=True, slots=True)
class Explainable:
    """What a version of a model can be explained on."""

    own: str                                   # N@V: what it learned from; "" where that is not here
    tested: bool                               # which rows of it are test rows is known
    others: tuple[DatasetVersion, ...] = ()    # the newest of other datasets that have its columns, the newest first


class ExplainService:
    """Why models predict what they predict."""

    def __init__(self, library: Library, datasets: DatasetService, models: ModelService, runs: RunService,
                 predictions: PredictionService) -> None:
        self._library, self._datasets, self._models = library, datasets, models
        self._runs, self._predictions = runs, predictions

    def start(self, order: ExplainOrder) -> Run:
        """Have a runner explain a model; follow the run as any other. Raises NotFound, BadInput, RunnerUnreachable."""
        version = self._models.show(order.model)
        spec, dataset = self._spec(order, version)
        runner = self._runs.prepare([spec.inputs[0]], order.runner)
        return self._runs.begin(spec, runner, dataset, numbered=not order.name)

    def tables(self, model: str) -> Explainable:
        """Return what a model can be explained on. Raises NotFound, LibraryDamaged."""
        from mldesk.training.joined import read_encoder  # numpy loads with it

        version = self._models.show(model)
        own = self._learned_from(version)
        manifest = self._library.objects.manifest(version.manifest)
        encoder = read_encoder(json.loads(self._library.objects.read(manifest.entry("preprocessing.json").sha256)))
        wanted = {column.name: column.type.family for column in encoder.columns}

        def fits(table: DatasetVersion) -> bool:
            families = {column.name: column.type.family for column in table.columns}
            return version.target in families and wanted.items() <= families.items()

        heads = sorted((item.head for item in self._datasets.list()), key=lambda head: -head.created)
        return Explainable(own, bool(own) and self._split(version) is not None,
                           tuple(head for head in heads if head.label != own and fits(head)))

    def _spec(self, order: ExplainOrder, version: ModelVersion) -> tuple[JobSpec, str]:
        learned_from = self._learned_from(version)
        if not (order.dataset or learned_from):
            raise BadInput(f"{version.label} came as a bundle, and what it learned from is not here.",
                           hint="Name a dataset to explain it on (--data).")
        table = self._datasets.show(order.dataset or learned_from)
        own = table.label == learned_from
        split = self._split(version) if own else None
        if order.rows < 1:
            raise BadInput("At least one row must be explained.", hint="100 are plenty.")
        if order.part not in ("test", "validation", "train"):
            raise BadInput(f"There is no part {order.part!r:.40} of the rows.", hint="test, validation, or train.")
        if split is None and order.part != "test":
            raise BadInput(f"Which rows of {table.label} are {order.part} rows of {version.label} is not known.",
                           hint="Leave the part out to explain it on all of them.")
        inputs = [table.manifest, version.manifest]
        if split is not None:   # a manifest, since only those are brought to a runner
            inputs.append(self._library.objects.put_manifest({"split": split}))
        request = ExplainRequest(
            version.label, version.manifest, table.manifest, table.label,
            tuple(column.to_json() for column in table.columns), version.target, version.task, split, order.part,
            tuple(order.features), order.rows, self._seed(version) if order.seed is None else order.seed,
            _among(order.classes, self._models.classes(version)))
        name = check_run_name(order.name) if order.name else f"explain-{slug(version.model) or 'model'}"
        return JobSpec(new_id(), KIND, name, tuple(inputs), request.to_json(), Resources(device="cpu")), table.label

    def _split(self, version: ModelVersion) -> str | None:
        if version.run is None:
            return None
        split = (self._library.runs.get(version.run).result or {}).get("split")
        return split if isinstance(split, str) and self._library.objects.has(split) else None

    def _learned_from(self, version: ModelVersion) -> str:
        """Return the dataset version that a model learned from; "" where that is not here.

        What a bundle names may be another library's, so it counts only where it has the very rows. Raises NotFound.
        """
        if version.run is not None or not version.dataset:
            return version.dataset
        told = json.loads(self._library.objects.read(self._library.objects.manifest(
            version.manifest).entry("model.json").sha256)).get("dataset")
        name, _, number = version.dataset.rpartition("@")
        try:
            here = self._library.datasets.version(name, int(number))
        except (NotFound, ValueError):
            return ""
        return here.label if isinstance(told, dict) and here.manifest == told.get("manifest") else ""

    def explanation(self, reference: str) -> Mapping[str, Any]:
        """Return what an "explain" run found. Raises NotFound while there is nothing."""
        run = self._runs.get(reference)
        artifact = self._library.runs.artifacts(run.id).get("explanation")
        if artifact is None:
            raise NotFound(f"Run {run.name} explains nothing.",
                           hint="Only a run of `mldesk explain` that succeeded does.")
        payload: Mapping[str, Any] = json.loads(self._library.objects.read(str(artifact["digest"])))
        return payload

    def of_model(self, reference: str) -> Run | None:
        """Return the newest run that explained this version of a model, if there is one. Raises NotFound."""
        from mldesk.core.run_filter import RunFilter

        label = self._models.show(reference).label
        found = self._library.runs.list(limit=200, wanted=RunFilter(kind=KIND, states=("succeeded",)))
        return next((run for run in found if (run.result or {}).get("explained") == label), None)

    def _seed(self, version: ModelVersion) -> int:
        """Return the seed of the run that made a version, 0 where none is known."""
        if version.run is None:
            return 0
        payload = self._library.runs.get(version.run).spec["payload"]
        return int(payload.get("train", payload).get("seed", 0))

    def what_if(self, model: str) -> WhatIf:
        """Return a model ready to try single rows with, for ``M``, ``M@V`` or a bundle. Raises NotFound, BadBundle."""
        from mldesk.workbench.what_if import WhatIf  # onnxruntime loads with it

        label, predictor = self._predictions.open(model)
        rows = self._known(label)
        return WhatIf(label, predictor, rows or predictor.sample(), self._ranges(label) if rows else None,
                      self._predictions.held_to(model, predictor))

    def row(self, model: str, place: int, dataset: str = "") -> dict[str, Any]:
        """Return the cells of a row by column, the target's, too.

        It is of what a model was trained on, or of another dataset; ``place`` counts from 0. Raises NotFound, BadInput.
        """
        learned_from = "" if dataset or is_bundle(model) else self._learned_from(self._models.show(model))
        if not dataset and not learned_from:
            raise BadInput(f"Which rows {model!r:.60} was trained on is not known here.",
                           hint="Name a dataset to take the row from.")
        table = self._datasets.show(dataset or learned_from)
        if not 0 <= place < table.rows:
            raise BadInput(f"{table.label} has no row {place + 1:,}.", hint=f"Its rows are 1 to {table.rows:,}.")
        page = self._datasets.preview(table.label, rows=1, only=[place])
        return dict(zip(page.columns, page.rows[0], strict=True))

    def _known(self, label: str) -> list[dict[str, Any]]:
        """Return some rows of what a model was trained on, spread over the table; [] where they are not here."""
        try:
            table = self._datasets.show(self._learned_from(self._models.show(label)))
            names = [column.name for column in table.columns]
            steps = max(1, table.rows // _KNOWN)
            with self._datasets.view(table) as view:
                rows = view.query(  # a whole number is all that is put into the text
                    f"SELECT * FROM data QUALIFY row_number() OVER () % {steps} = 0", limit=_KNOWN)[1]  # noqa: S608
            return [dict(zip(names, row, strict=False)) for row in rows]
        except MldeskError:  # imported as a bundle, in the bin, or on a runner only
            return []

    def _ranges(self, label: str) -> dict[str, tuple[float, float]]:
        """Return the least and the greatest number of each column of what a model was trained on, as far as known."""
        try:
            table = self._datasets.show(self._learned_from(self._models.show(label)))
            names = [column.name for column in table.columns
                     if column.type in (ColumnType.INTEGER, ColumnType.NUMBER)][:_RANGED]
            asked = ", ".join(f"{edge}({quoted})" for quoted in ('"' + name.replace('"', '""') + '"' for name in names)
                              for edge in ("min", "max"))
            with self._datasets.view(table) as view:
                found = view.query(f"SELECT {asked} FROM data")[1][0] if names else ()  # noqa: S608
        except MldeskError:
            return {}
        pairs = zip(names, found[::2], found[1::2], strict=True)
        return {name: (float(low), float(high)) for name, low, high in pairs if low is not None and high is not None}


def _among(asked: Sequence[str], classes: Sequence[Any]) -> tuple[str, ...]:
    """Return classes that are asked for. Raises BadInput for one that the model does not know."""
    known = [str(label) for label in classes]
    for label in asked:
        if label not in known:
            raise BadInput(f"The model knows no class {label[:60]!r}.", hint=did_you_mean(label, known) or (
                f"It knows: {listed(known)}." if known else "It predicts numbers, not classes."))
    return tuple(asked)
