"""Is new data like what a model learned from? The rows come from a file or a dataset, the comparison from ``drift``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mldesk.core.errors import BadInput
from mldesk.core.scratch import working_folder
from mldesk.library import Library
from mldesk.library.records import ModelVersion
from mldesk.wire.schema import Column, columns_from_json
from mldesk.workbench.as_imported import of_dataset
from mldesk.workbench.cleaning_rows import Chain, chain_of
from mldesk.workbench.cleaning_rows import clean as clean_rows
from mldesk.workbench.given_rows import dataset_of, given_rows, is_file
from mldesk.workbench.models import ModelService
from mldesk.workbench.references import listed

if TYPE_CHECKING:  # numpy loads with them
    from mldesk.data.records import ImportOptions
    from mldesk.training.values import ColumnData
    from mldesk.workbench.drift import ColumnDrift


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What changed, the most changed column first."""

    model: str
    trained_on: str                       # what the new rows are compared with
    rows: tuple[int, int]                 # there, and in the new data
    columns: tuple[ColumnDrift, ...]
    left_out: int = 0                     # new rows that cleaning leaves out

    @property
    def shifted(self) -> tuple[ColumnDrift, ...]:
        return tuple(item for item in self.columns if item.verdict in ("shifted", "much shifted"))

    @property
    def too_few(self) -> str:
        """Say that there are too few rows to call any column stable, or some; "" where there are enough."""
        from mldesk.workbench.drift import FEWEST  # numpy loads with it

        if min(self.rows) >= FEWEST:
            few = [item.name for item in self.columns if item.verdict == "too few rows"]
            names = listed([repr(name) for name in few])
            return "" if not few else (f"{min(self.rows):,} rows are too few to say whether {names} shifted: chance "
                                       "alone may make so large a PSI.")
        return (f"{min(self.rows):,} {'row is' if min(self.rows) == 1 else 'rows are'} too few to tell a "
                f"stable column from a shifted one; it takes {FEWEST} at least.")

    @property
    def rule(self) -> str:
        """By what a column counts as shifted, in words."""
        from mldesk.workbench import drift  # numpy loads with it

        return drift.rule_words(len(self.columns))

    def to_json(self) -> dict[str, Any]:
        from mldesk.workbench import drift

        return {"rule": drift.rule(len(self.columns)), "model": self.model, "trained_on": self.trained_on,
                "rows": {"training": self.rows[0], "new": self.rows[1], "left_out": self.left_out},
                "shifted": [item.name for item in self.shifted], "columns": [item.to_json() for item in self.columns]}


class DriftService:
    """Compares new rows with a model's training rows."""

    def __init__(self, library: Library, models: ModelService) -> None:
        self._library, self._models = library, models

    def check(self, model: str, new: str, *, clean: bool = False, stream: BinaryIO | None = None) -> DriftReport:
        """Compare ``new``, a file, a dataset's ``N[@V]`` or "-" for ``stream``, with the rows that ``M[@V]`` was fitted
        on. ``clean``: they are as before cleaning, and what the recipes of the model's table did is done to them.

        Raises NotFound; BadInput where those rows are not known or a column is missing or of another type.
        """
        from mldesk.workbench import drift

        version = self._models.show(model)
        trained_on, schema, before = self._training_rows(version)
        now, lost = self._cleaned_rows(new, schema, version, stream) if clean else \
            (self._new_rows(new, schema, version.dataset, stream), 0)
        found = [drift.compare(column.name, before[column.name], now[column.name], len(schema)) for column in schema]
        found.sort(key=lambda item: (item.verdict not in ("shifted", "much shifted"), -item.psi))
        first = schema[0].name
        return DriftReport(version.label, trained_on, (len(before[first]), len(now[first])), tuple(found),
                           lost)

    def _training_rows(self, version: ModelVersion) -> tuple[str, list[Column], dict[str, ColumnData]]:
        import numpy as np  # these, and onnxruntime, are needed here only

        from mldesk.bundles import Predictor
        from mldesk.training.split import TRAIN
        from mldesk.training.table import read_columns  # pyarrow
        from mldesk.training.values import take

        if version.run is None:
            raise BadInput(f"{version.label} came as a bundle: what it learned from is not here.",
                           hint="Compare with a model that was trained here.")
        run = self._library.runs.get(version.run)
        payload: Mapping[str, Any] = run.spec["payload"].get("train", run.spec["payload"])
        known = {column.name: column for column in columns_from_json(payload["columns"])}
        predictor = Predictor.from_manifest(version.manifest, self._library.objects)
        used = [known[column.name] for column in predictor.schema]
        rows = read_columns(self._library.objects, str(payload["dataset"]), used)
        split = (run.result or {}).get("split")
        if isinstance(split, str) and self._library.objects.has(split):
            rows = take(rows, np.frombuffer(self._library.objects.read(split), np.uint8) == TRAIN)
        return f"the training rows of {version.dataset}", used, rows

    def cleaning(self, model: str) -> Chain:
        """Return what was done to the rows that a model learned from. Raises NotFound, BadBundle."""
        return chain_of(self._library, self._models.show(model))

    def _cleaned_rows(self, new: str, schema: Sequence[Column], version: ModelVersion,
                      stream: BinaryIO | None) -> tuple[dict[str, ColumnData], int]:
        """Return the rows after cleaning, and how many it leaves out, as it did of those that were learned from."""
        from mldesk.bundles import Predictor

        options = of_dataset(self._library, version.dataset).options()
        predictor = Predictor.from_manifest(version.manifest, self._library.objects)
        with _no_rejects(), given_rows(self._library, new, stream) as (path, _), \
                working_folder(self._library.home.scratch, "mldesk-rows") as folder:
            made = clean_rows(self._library, chain_of(self._library, version), predictor, path, folder,
                              leaves_out=True, options=options)
            return _of_file(made.rows, schema, self._library.home.scratch, options), made.left_out

    def _new_rows(self, new: str, schema: Sequence[Column], trained: str,
                  stream: BinaryIO | None) -> dict[str, ColumnData]:
        if stream is not None or is_file(new):
            with _no_rejects(), given_rows(self._library, new, stream) as (path, _):
                return _of_file(path, schema, self._library.home.scratch,
                                of_dataset(self._library, trained).options())
        from mldesk.training.table import read_columns

        version = dataset_of(self._library, new)
        have = {column.name: column for column in version.columns}
        for column in schema:
            if column.name not in have or have[column.name].type.family != column.type.family:
                raise BadInput(f"{version.label} has no column {column.name[:60]!r} of {column.type.value}s, which the "
                               "model needs.", hint="Compare with a table like the one it learned from.")
        return read_columns(self._library.objects, version.manifest, [have[column.name] for column in schema])


@contextmanager
def _no_rejects() -> Iterator[None]:
    """Offer what can be done here about rows that cannot be read: a prediction would leave them out, drift does not."""
    try:
        yield
    except BadInput as error:
        if "--rejects" not in error.hint:
            raise
        raise BadInput(error.message, hint="Mend it, or import the file as a dataset, which leaves out lines that "
                       "are no rows and can be cleaned, and compare with that.") from error


def _of_file(path: Path, schema: Sequence[Column], scratch: Path,
             options: ImportOptions) -> dict[str, ColumnData]:
    import pyarrow as pa

    from mldesk.data import read_like
    from mldesk.training.table import convert

    with read_like([path], schema, options, scratch=scratch) as rows:
        if rows.missing:
            raise BadInput(f"{path.name} has no column {rows.missing[0][:60]!r}, which the model needs.",
                           hint="Compare with a table like the one it learned from.")
        batches = list(rows)
    if not batches:
        raise BadInput(f"{path.name} has no rows.")
    return {column.name: convert(pa.chunked_array([batch.column(column.name) for batch in batches]), column.type)
            for column in schema}
