"""One model as its page shows it: versions, the evaluation of one of them, and the ways out of the library."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import NotFound
from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_thread

if TYPE_CHECKING:
    from mldesk.bundles import BundleReport
    from mldesk.library.records import Model, ModelVersion
    from mldesk.workbench.cleaning_rows import Chain
    from mldesk.workbench.model_changes import Change
    from mldesk.workbench.pages import Page
    from mldesk.workbench.predictions import PredictionReport


@dataclass(frozen=True, slots=True)
class Standing:
    """How a newer version stands beside the one in use, on the same test rows."""

    newer: int
    used: int
    promoted: bool               # the one in use is promoted; else another could be
    metric: str = ""             # the score that speaks for both; "": the same, or nobody knows
    scores: tuple[float, float] = (0.0, 0.0)   # of the newer one, of the other
    better: bool = False         # the newer one is

    @property
    def worse(self) -> bool:
        return bool(self.metric) and not self.better


class ModelState:
    """Shows one model and one of its versions."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk, self.name = desk, name
        self.model: Observable[Model | None] = Observable(None)
        self.versions: Observable[tuple[ModelVersion, ...]] = Observable(())
        self.version: Observable[ModelVersion | None] = Observable(None)
        self.evaluation: Observable[Mapping[str, Any] | None] = Observable(None)
        self.changes: Observable[Mapping[int, Change]] = Observable({})   # since the version before, by number
        self.standing: Observable[Standing | None] = Observable(None)   # of a newer version than that in use
        self._told: list[str] = []        # the versions that ``changes`` speaks of
        self.before: int | None = None    # the version that ``roll_back`` goes back to

    async def refresh(self, wanted: int | None = None) -> None:
        """Read the versions again; version ``wanted`` is shown, else what was shown stays shown. Raises NotFound."""
        service = self._desk.workbench.models
        self.before = await in_thread(service.promoted_before, self.name)
        self.model.value = await in_thread(service.get, self.name)
        self.versions.value = tuple(await in_thread(service.versions, self.name))
        shown, numbers = self.version.value, {version.number for version in self.versions.value}
        if wanted in numbers:
            await self.show(int(wanted or 0))
        elif shown is None or shown.number not in numbers:
            await self.show((await in_thread(service.show, self.name)).number)

    async def look_at_changes(self) -> None:
        """Read what changed from version to version, where there are others than before. Raises NotFound."""
        labels = [version.label for version in self.versions.value]
        if labels != self._told:   # a version stays as it was made
            self._told = labels
            self.changes.value = await in_thread(self._desk.workbench.about.changes, self.name)

    async def look_at_newest(self) -> None:
        """Read how the newest version stands beside that in use: the promoted one, else whichever scored best."""
        model, versions = self.model.value, self.versions.value
        if model is None or len(versions) < 2:
            self.standing.value = None
            return
        self.standing.value = await in_thread(self._stands, model, versions)

    def _stands(self, model: Model, versions: Sequence[ModelVersion]) -> Standing | None:
        newest, better = versions[-1], self._desk.workbench.judging.better
        used = next((item for item in versions if item.number == model.promoted), None)
        if used is newest:
            return None
        if found := better(newest, versions[:-1] if used is None else [used]):
            other, metric = found
            return Standing(newest.number, other.number, used is not None, metric,
                            (newest.metrics[metric], other.metrics[metric]))
        if used is None:
            return None
        if found := better(used, [newest]):
            metric = found[1]
            return Standing(newest.number, used.number, True, metric, (newest.metrics[metric], used.metrics[metric]),
                            better=True)
        return Standing(newest.number, used.number, True)

    async def show(self, number: int) -> None:
        """Show version ``number`` with its evaluation."""
        chosen = next((version for version in self.versions.value if version.number == number), None)
        if chosen is None:
            return
        self.version.value = chosen
        try:
            evaluation = await in_thread(self._desk.workbench.models.evaluation, chosen.label)
        except NotFound:
            evaluation = {}
        if self.version.value == chosen:
            self.evaluation.value = evaluation

    def rival(self) -> int | None:
        """Return the version that the shown one may replace: the promoted one, else one that scored better, else the
        one before; None where the shown one came as a bundle or is the oldest.
        """
        version, model, standing = self.version.value, self.model.value, self.standing.value
        if version is None or model is None or version.run is None:
            return None
        if standing is not None and standing.newer == version.number:
            return standing.used
        if model.promoted is not None and model.promoted != version.number:
            return model.promoted
        return max((item.number for item in self.versions.value if item.number < version.number), default=None)

    async def promote(self, number: int) -> int | None:
        """Make ``number`` what the bare name means; return the number promoted before. Raises NotFound."""
        before = self.model.value.promoted if self.model.value is not None else None
        await in_thread(self._desk.workbench.models.promote, self.name, number)
        self._desk.nudge()
        await self.refresh()
        return before

    async def roll_back(self) -> int:
        """Make what was promoted before the last promotion what the bare name means, and show it; return its number.

        Raises NotFound, Conflict.
        """
        version = await in_thread(self._desk.workbench.models.rollback, self.name)
        self._desk.nudge()
        await self.refresh()
        await self.show(version.number)
        return version.number

    async def export(self, number: int, path: Path) -> tuple[BundleReport, str]:
        """Write a version as a bundle; return what is in it, and why it is not signed. Raises BadInput, DiskFull."""
        service = self._desk.workbench.models
        report = await in_thread(service.export, f"{self.name}@{number}", path)
        return report, service.signing_problem


class Bundles:
    """Bundles on their way in."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def inspect(self, path: Path) -> BundleReport:
        """Say what a bundle holds; loads nothing of it. Raises NotFound, BadBundle."""
        return await in_thread(self._desk.workbench.models.inspect, path)

    async def take_in(self, path: Path) -> tuple[ModelVersion, bool]:
        """Check a bundle and keep its model; say whether a version was made. Raises BadBundle, DiskFull."""
        version, made = await in_thread(self._desk.workbench.models.import_file, path)
        self._desk.nudge()
        return version, made


class Predictions:
    """Predictions for files. ``rows`` counts those done so far, for whoever looks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.rows = 0

    async def tables(self) -> tuple[str, ...]:
        """Return the newest version of each dataset, as N@V."""
        return await in_thread(lambda: tuple(item.head.label for item in self._desk.workbench.datasets.list()))

    async def predict(self, model: str, source: str | Path, output: Path, **wishes: Any) -> PredictionReport:
        """Predict every row of a file or a dataset into ``output``; ``wishes`` as the service takes them.

        Raises NotFound, BadInput, Conflict where a file would be lost, DiskFull.
        """
        self.rows = 0
        report = await in_thread(self._desk.workbench.predictions.predict_rows, model, str(source), output,
                                 progress=self._count, **wishes)
        self._desk.nudge()
        return report

    async def cleaning(self, model: str) -> Chain:
        """Return what was done to the rows that a model learned from. Raises NotFound."""
        return await in_thread(self._desk.workbench.predictions.cleaning, model)

    async def why_cleaned(self, model: str, source: Path) -> str:
        """Say why rows seem to be cleaned already as the model's were, "" where they do not. Raises BadInput."""
        return await in_thread(self._desk.workbench.predictions.why_cleaned, model, source)

    async def look(self, output: Path, rows: int = 200) -> Page:
        """Return the first ``rows`` rows of a file that was written. Raises OSError."""
        return await in_thread(first_rows, output, rows)

    def _count(self, rows: int) -> None:
        self.rows = rows


def first_rows(path: Path, rows: int) -> Page:
    """Return the first ``rows`` rows of one of our own CSV, Parquet or JSON lines files. Raises OSError."""
    from mldesk.workbench.pages import Page

    kind = path.suffix.lower()
    if kind == ".xlsx":
        from python_calamine import load_workbook  # only workbooks need it

        cells = load_workbook(path).get_sheet_by_index(0).to_python(nrows=rows + 1)
        names, found = tuple(map(str, cells[0])), [[None if cell == "" else cell for cell in row] for row in cells[1:]]
        return Page(names, found, 0, len(found))
    if kind == ".parquet":
        import pyarrow.parquet as pq  # slow to load, and other kinds do without

        with pq.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            batch = next(file.iter_batches(batch_size=rows), None)
            records = batch.to_pylist() if batch is not None else []
        return Page(names, [[record[name] for name in names] for record in records], 0, len(records))
    with path.open(encoding="utf-8", newline="") as text:
        if kind == ".jsonl":
            records = [json.loads(line) for line in itertools.islice(text, rows)]
            names = tuple(dict.fromkeys(name for record in records for name in record))
            return Page(names, [[record.get(name) for name in names] for record in records], 0, len(records))
        lines = csv.reader(text)
        names = tuple(next(lines, ()))
        kept = max((place for place, name in enumerate(names) if name == "prediction"), default=0)
        found = [[*(cell or None for cell in line[:kept]), *map(_value, line[kept:])]   # the file's own as it is there
                 for line in itertools.islice(lines, rows)]
    return Page(names, found, 0, len(found))


def _value(cell: str) -> str | float | None:
    """Read a cell of predictions in a CSV file: numbers as numbers, so that they stand at the right."""
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return cell
