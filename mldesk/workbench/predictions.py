"""Predictions for a file of new rows, from a model of the library or a bundle, in the input's row order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput, NotFound
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.workbench.guard import guard, keep_rejects
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
    warnings: tuple[str, ...]  # columns that were not needed, categories never seen, rules of the contract broken, …
    left_out: int = 0          # rows that break the contract, which are in the rejects file


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

    def predict(self, model: str, source: Path, output: Path, *, level: float | None = None, strict: bool = False,
                rejects: Path | None = None, progress: Callable[[int], None] | None = None) -> PredictionReport:
        """Predict every row of ``source`` into ``output`` (.csv, .parquet, .jsonl or .xlsx), whole or not at all.

        ``level``: also what holds the truth in at least that share of rows, see ``Predictor.predict``. ``progress``
        hears the rows done so far. What breaks the contract of the dataset that a model of the library learned from is
        among the warnings; ``strict`` refuses it, ``rejects`` (.csv) takes the rows that break it.
        Raises NotFound, BadInput (wrong columns, unreadable file), DiskFull.
        """
        from mldesk.workbench.table_output import TableOutput

        if output.suffix.lower() not in OUTPUTS:
            raise BadInput(f"Predictions cannot be written to {output.name[-60:]!r}: its extension says no format.",
                           hint=f"Name the output with one of {', '.join(OUTPUTS)}.")
        check_target(output)
        existing(source)
        _refuse_overwriting(output, {source: "the file of rows", **({Path(model): "the model"} if is_bundle(model)
                                                                    else {})})
        if rejects is not None:
            _check_rejects(rejects, source, output)
        label, predictor = self.open(model)
        if level is not None:
            predictor.margins_for(level)
        from mldesk.data import read_like  # duckdb and pyarrow load with it

        rows, columns = 0, ()  # type: int, tuple[str, ...]
        with tempfile.TemporaryDirectory(prefix="mldesk-rows-") as folder:
            left_out = Path(folder, "left_out.csv") if rejects is not None else None
            source, said, lost = self._guarded(model, predictor, source, left_out, Path(folder), strict)
            with read_like([source], predictor.schema) as batches, TableOutput(output) as table:
                for batch in batches:
                    given = {name: batch.column(name) for name in batch.schema.names}
                    answer = predictor.predict(given, level)
                    columns = tuple(answer)
                    table.write(answer)
                    rows += batch.num_rows
                    if progress is not None:
                        progress(rows)
                noticed = dict.fromkeys([*said, *(problem.message for problem in batches.problems),
                                         *predictor.warnings])
            if rejects is not None and left_out is not None and lost:
                keep_rejects(left_out, rejects)
        return PredictionReport(label, rows, columns, output, tuple(noticed), lost)

    def _guarded(self, model: str, predictor: Predictor, source: Path, left_out: Path | None, folder: Path,
                 strict: bool) -> tuple[Path, tuple[str, ...], int]:
        """Hold the rows against the contract: which file is read, what is said, how many rows are left out."""
        if is_bundle(model):
            return source, (), 0
        good = folder / f"{source.stem}.csv"
        names = {column.name for column in predictor.schema}
        found = guard(self._library, self._models.show(model).dataset, names, source, folder,
                      good=None if left_out is None else good, left_out=left_out)
        if found is None:
            return source, (), 0
        if strict or found.all_left_out:
            found.refuse()
        said = tuple(f"By {found.contract}: {message}" for message in found.messages)
        return (good if found.left_out else source), said, found.left_out


def _check_rejects(rejects: Path, source: Path, output: Path) -> None:
    """Raise where rows that are left out could not be written to ``rejects``, before anything is done."""
    if rejects.is_dir() or not rejects.parent.is_dir():
        raise NotFound(f"{str(rejects)!r:.300} is no place for a file of rejects.", hint="Name a file in a folder.")
    if rejects.resolve() in (source.resolve(), output.resolve()) or (rejects.exists() and rejects.samefile(source)):
        raise BadInput(f"The rejects file {rejects.name} is the input or the output itself.",
                       hint="Name another file with --rejects.")


def _refuse_overwriting(output: Path, inputs: Mapping[Path, str]) -> None:
    """Raise BadInput where writing ``output`` would replace one of ``inputs``, whatever its name is."""
    for path, what in inputs.items():  # links of both kinds lead to the same file
        if output.exists() and path.exists() and output.samefile(path):
            raise BadInput(f"The output {output.name} is {what} itself, which would be lost.",
                           hint="Name another file with -o.")


def is_bundle(model: str) -> bool:
    """Say whether ``model`` means a file rather than a name in the library."""
    return model.endswith(SUFFIX) or "/" in model or "\\" in model
