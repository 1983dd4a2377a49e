"""Predictions for a file of new rows, from a model of the library or a bundle, in the input's row order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput, NotFound
from mldesk.library import Library
from mldesk.workbench.models import SUFFIX, ModelService, existing

if TYPE_CHECKING:
    from mldesk.bundles import Predictor

OUTPUTS = (".csv", ".parquet", ".jsonl", ".xlsx")


@dataclass(frozen=True, slots=True)
class PredictionReport:
    """What was predicted."""

    model: str                 # name@version, or the bundle's file name
    rows: int
    columns: tuple[str, ...]   # of the output
    output: Path
    warnings: tuple[str, ...]  # columns that were not needed, categories never seen, …


class PredictionService:
    """Applies models to files."""

    def __init__(self, library: Library, models: ModelService) -> None:
        self._library, self._models = library, models

    def open(self, model: str) -> tuple[str, Predictor]:
        """Return a label and a predictor for ``M``, ``M@V`` or a bundle's path. Raises NotFound, BadBundle."""
        from mldesk.bundles import Predictor  # onnxruntime loads with it

        if is_bundle(model):
            path = existing(Path(model))
            return path.name, Predictor.open(path)
        version = self._models.show(model)
        return version.label, Predictor.from_manifest(version.manifest, self._library.objects)

    def predict(self, model: str, source: Path, output: Path, *, level: float | None = None,
                progress: Callable[[int], None] | None = None) -> PredictionReport:
        """Predict every row of ``source`` into ``output`` (.csv, .parquet, .jsonl or .xlsx), whole or not at all.

        ``level``: also what holds the truth in at least that share of rows, see ``Predictor.predict``. ``progress``
        hears the rows done so far. Raises NotFound, BadInput (wrong columns, unreadable file), DiskFull.
        """
        from mldesk.workbench.table_output import TableOutput

        if output.suffix.lower() not in OUTPUTS:
            raise BadInput(f"Predictions cannot be written to {output.name[-60:]!r}: its extension says no format.",
                           hint=f"Name the output with one of {', '.join(OUTPUTS)}.")
        if not output.parent.is_dir():
            raise NotFound(f"There is no folder {str(output.parent)!r} to write {output.name} into.")
        existing(source)
        _refuse_overwriting(output, {source: "the file of rows", **({Path(model): "the model"} if is_bundle(model)
                                                                    else {})})
        label, predictor = self.open(model)
        if level is not None:
            predictor.margins_for(level)
        from mldesk.data import read_like  # duckdb and pyarrow load with it

        rows, columns = 0, ()  # type: int, tuple[str, ...]
        with read_like([source], predictor.schema) as batches, TableOutput(output) as table:
            for batch in batches:
                given = {name: batch.column(name) for name in batch.schema.names}
                answer = predictor.predict(given, level)
                columns = tuple(answer)
                table.write(answer)
                rows += batch.num_rows
                if progress is not None:
                    progress(rows)
            noticed = dict.fromkeys([*(problem.message for problem in batches.problems), *predictor.warnings])
        return PredictionReport(label, rows, columns, output, tuple(noticed))


def _refuse_overwriting(output: Path, inputs: Mapping[Path, str]) -> None:
    """Raise BadInput where writing ``output`` would replace a folder or one of ``inputs``, whatever its name is."""
    if output.is_dir():
        raise BadInput(f"{str(output)!r} is a folder, and predictions go into one file.",
                       hint=f"Name a file in it: {output / 'predictions.csv'}")
    for path, what in inputs.items():  # links of both kinds lead to the same file
        if output.exists() and path.exists() and output.samefile(path):
            raise BadInput(f"The output {output.name} is {what} itself, which would be lost.",
                           hint="Name another file with -o.")


def is_bundle(model: str) -> bool:
    """Say whether ``model`` means a file rather than a name in the library."""
    return model.endswith(SUFFIX) or "/" in model or "\\" in model
