"""What a script that repeats a run does, from the table's file to the scores, without the application.

Nothing here runs in the application but its tests: ``workbench.run_script`` writes it into a script of its own, with
what it needs of the other modules of training.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from mldesk.training.class_weights import weights_by_hand
from mldesk.training.estimators.base import Estimator, FitContext, Part
from mldesk.training.features import FeatureEncoder, Style
from mldesk.training.fitting import fit
from mldesk.training.metrics import score
from mldesk.training.prepared import read_one
from mldesk.training.preparing_target import Truth
from mldesk.training.resources import usable_threads
from mldesk.training.roles import missing
from mldesk.training.steering import Steering
from mldesk.training.table import convert
from mldesk.training.target import Label
from mldesk.training.topics import TextWish
from mldesk.training.values import Array, ColumnData, TextColumn, take
from mldesk.wire.schema import Column, ColumnType


class Unwatched:
    """Stands where a job reports, is steered and keeps checkpoints: stages are printed, nothing else is done."""

    terminate = due = kept = training_loss = False

    def __init__(self, cut: int = 0) -> None:
        """``cut``: the question whether to finish that is answered with yes, as in the run; 0: none is."""
        self._cut, self._asked = cut, 0

    @property
    def finish(self) -> bool:
        self._asked += 1
        return 0 < self._cut <= self._asked

    def check(self) -> None:
        """Nobody stops this fit but the keyboard."""

    def newest(self) -> None:
        """There is no checkpoint to go on from."""

    def stage(self, name: str) -> None:
        print(name, flush=True)  # noqa: T201 - a script says what it does

    def metrics(self, *_readings: Any) -> None: ...

    def progress(self, *_how_far: Any) -> None: ...

    def log(self, *_words: Any) -> None: ...

    def warning(self, *_words: Any, **_more: Any) -> None: ...

    def event(self, *_kind: Any, **_payload: Any) -> None: ...

    def save(self, *_state: Any) -> None: ...


class Repeated(Steering):
    """Asks for the learning rates that were asked for in the run, where they were: (rounds or steps done, rate)."""

    def __init__(self, changes: Sequence[Sequence[float]] = ()) -> None:
        super().__init__()
        self._changes = changes

    def rate(self, heard: Collection[str], at: int) -> tuple[list[str], float] | None:
        """Return the rate that was asked for once so many rounds or steps were done. Nothing is ever ``heard``."""
        del heard
        found = [rate for step, rate in self._changes if step == at]
        return ([], found[-1]) if found else None


class Earlier:
    """The model that a run went on from, out of the file beside the script: its own encoder, and its weights."""

    def __init__(self, path: Path, load: Callable[[Path], Any]) -> None:
        """``load`` reads the weights from a folder. Ends the program where the file is not there."""
        if not path.is_file():
            raise SystemExit(f"{path.name} is not beside this script: it holds the model that the run went on from.")
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            archive.extractall(folder)
            self.encoder = read_one(json.loads((Path(folder) / "preprocessing.json").read_bytes()))
            self.native = load(Path(folder))

    def fit_rows(self, columns: Mapping[str, ColumnData], _schema: object, _style: object, truth: Truth,
                 **_wishes: object) -> tuple[Any, Array, Array]:
        """Return what ``prepared.fit_rows`` does. Nothing is learnt: the encoder stays as it was."""
        return self.encoder, self.encoder.transform(columns), np.arange(len(truth.y))


def read_table(path: str, columns: Sequence[Column], rows: int) -> dict[str, ColumnData]:
    """Return columns of a Parquet file. Ends the program where the file is another table."""
    text = [column.name for column in columns if column.type is ColumnType.TEXT]
    try:
        names = pq.read_schema(path).names
    except (OSError, ValueError) as error:   # Arrow's own are such
        raise SystemExit(f"{path} is not the table of this run: it is no Parquet file that can be read.") from error
    absent = [column.name for column in columns if column.name not in names]
    # Only columns that there are can be read as dictionaries.
    with pq.ParquetFile(path, read_dictionary=[] if absent else text) as file:
        if absent or file.metadata.num_rows != rows:
            raise SystemExit(f"{path} is not the table of this run: " + (
                f"it has no column {absent[0]!r}." if absent else
                f"it has {file.metadata.num_rows} rows, and {rows} were dealt into parts."))
        # By place, not by name: pyarrow reads "a.b" as well when asked for "a".
        places = [names.index(column.name) for column in columns]
        table = file.reader.read_all(column_indices=sorted(places))
    return {column.name: convert(table.column(table.column_names.index(column.name)), column.type)
            for column in columns}


def truth(data: ColumnData, classes: Sequence[Label]) -> Array:
    """Return the target, (rows,) float64, or int64 class codes with -1 where there is none."""
    if isinstance(data, TextColumn):
        return data.map({str(label): code for code, label in enumerate(classes)}, -1, -1).astype(np.int64)
    if not classes:
        return np.where(missing(data), np.nan, data)
    codes = np.full(len(data), -1, np.int64)
    for code, label in enumerate(classes):
        codes[data == float(label)] = code
    return codes


def fit_plain(columns: Mapping[str, ColumnData], schema: Sequence[Column], style: Style, truth: Truth, *,
              chosen: bool, text: TextWish) -> tuple[FeatureEncoder, Array, Array]:
    """Return what ``prepared.fit_rows`` does without steps."""
    encoder = FeatureEncoder.fit(columns, schema, style, chosen=chosen, text=text)
    return encoder, encoder.transform(columns), np.arange(len(truth.y))


def repeat(path: str, settings: Mapping[str, Any], membership: Array, estimator: Estimator,
           fit_rows: Callable[..., Any], start: Any = None) -> dict[str, float]:
    """Train as the run did and return its scores on the test rows.

    Args:
        path: the table as Parquet
        settings: of the run: columns, target, classes, parameters, seed, device, threads (0: all), chosen (the
            features were named), ordered, rates (learning rates that were asked for on the way, where there are any)
        membership: (rows,) uint8: 0 training, 1 validation, 2 test, 255 left out
        estimator: the model
        fit_rows: ``fit_plain``, or ``prepared.fit_rows`` with the steps that prepare the columns first, or that of
            ``Earlier``
        start: the native model that the fit goes on from
    """
    schema = [Column(name, ColumnType(kind)) for name, kind in settings["columns"]]
    target = Column(settings["target"][0], ColumnType(settings["target"][1]))
    columns = read_table(path, [*schema, target], len(membership))
    classes: Sequence[Label] = settings["classes"]
    y = truth(columns.pop(target.name), classes)
    train, validation, test = (membership == part for part in range(3))
    # The columns are prepared as the training rows alone say.
    learned = Truth(target.name, y[train], classes)
    encoder, x, kept = fit_rows(take(columns, train), schema, estimator.style, learned, chosen=settings["chosen"],
                                text=TextWish.of(settings["parameters"]))

    def part(rows: Array) -> Part:
        return Part(encoder.transform(take(columns, rows)), y[rows])

    quiet: Any = Unwatched()
    parameters = settings["parameters"]
    fitted = fit(estimator, FitContext(
        classes=len(classes), parameters=parameters, train=Part(x, learned.y[kept]), validation=part(validation),
        report=quiet, control=quiet, checkpoints=quiet, categorical=tuple(encoder.categorical), seed=settings["seed"],
        threads=usable_threads(settings["threads"]), device=settings["device"], start=start,
        by_hand=weights_by_hand(parameters, classes), steering=Repeated(settings.get("rates", ()))))
    tested = part(test)
    prediction = estimator.predict(fitted.native, tested.x, len(classes))
    return score(prediction, tested.y, len(classes), None if classes else parameters.get("quantile"),
                 ordered=settings["ordered"])
