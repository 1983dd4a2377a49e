"""Predicting from a bundle, or from a model in the library: numpy and onnxruntime, nothing of what trained it."""

from __future__ import annotations

import difflib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mldesk.bundles.documents import parse, parse_object
from mldesk.bundles.names import (
    CONTRACT,
    CUT,
    EXPECTED,
    GRAPH,
    IGNORED,
    MODEL,
    PREPROCESSING,
    READING,
    SAMPLE,
    THRESHOLD,
    NotInIt,
)
from mldesk.bundles.session import GraphSession
from mldesk.bundles.threshold import Threshold
from mldesk.core.errors import BadBundle, BadInput, MldeskError
from mldesk.training.conformal import LEVELS, Margins
from mldesk.training.export.parity import TOLERANCE, deviation
from mldesk.training.joined import read_encoder
from mldesk.training.reach import beyond, missing, read_reach, read_whole
from mldesk.training.roles import IDENTIFIER
from mldesk.training.values import ColumnData, TextColumn
from mldesk.wire.schema import Column, ColumnType

if TYPE_CHECKING:
    from mldesk.wire.objects import ObjectStore

FORMAT = 1
BATCH = 50_000  # rows encoded at once; some ten thousand features of each are held meanwhile
_TASKS = ("tabular_classification", "tabular_regression")
# What data of the wrong shape makes Python raise where files of ours would not.
_MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)


class Predictor:
    """A model, ready to predict. ``predict`` may be called from several threads."""

    def __init__(self, read: Callable[[str], bytes], threads: int = 0) -> None:
        """``read`` gives a file of the model by its name. Raises BadBundle for files that do not make a model."""
        self._read = read
        model = parse_object(read(MODEL), MODEL)
        try:
            self._describe(model)
            self._encoder = read_encoder(parse_object(read(PREPROCESSING), PREPROCESSING))
        except BadInput as error:
            raise BadBundle(f"This bundle's {PREPROCESSING} cannot be used: {error}") from error
        except _MALFORMED as error:
            raise BadBundle(f"This bundle's {MODEL} does not describe a model: {error!r:.120}.") from error
        self.schema = tuple(Column(item.name, item.type) for item in self._encoder.columns)
        output = "probabilities" if self.classes else "prediction"
        self._session = GraphSession(read(GRAPH), output, self._encoder.width, threads, self._rows_at_once)
        given = self._given(THRESHOLD)
        self.threshold = None if given is None else Threshold.from_bytes(given, self.classes)
        self._noticed: Counter[str] = Counter()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, threads: int = 0) -> Predictor:
        """Open a bundle after checking all of it. Raises NotFound; BadBundle with the reason."""
        from mldesk.bundles.reading import verified_reader

        return cls(verified_reader(path), threads)

    @classmethod
    def from_manifest(cls, digest: str, store: ObjectStore, threads: int = 0) -> Predictor:
        """Open a model of the library by the digest of its manifest. Raises NotFound, BadBundle, LibraryDamaged."""
        files = {entry.path: entry.sha256 for entry in store.manifest(digest).entries}

        def read(name: str) -> bytes:
            if name not in files:
                raise NotInIt(f"This model has no {name}.", hint="The log of its run says why; train it again.")
            return store.read(files[name])

        return cls(read, threads)

    def _describe(self, model: Mapping[str, Any]) -> None:
        if model["format"] != FORMAT or model["task"] not in _TASKS:
            raise BadBundle(f"This bundle's model does {str(model['task'])[:60]!r} (format {model['format']!r:.20}), "
                            "which this MLDesk does not know.", hint="Upgrade MLDesk to use it.")
        self.task: str = model["task"]
        self.target = str(model["target"])
        self.estimator = str(model["estimator"])
        self.classes: tuple[str | int | float | bool, ...] = tuple(model["classes"] or ())
        self.outputs: tuple[str, ...] = tuple(str(item["name"]) for item in model["outputs"])
        self._rows_at_once = min(BATCH, max(1, int(model.get("rows_at_once", BATCH))))
        self.margins = Margins.from_json(model["margins"]) if "margins" in model else None
        self.reach = read_reach(model.get("reach", {}))   # of the numbers that it learned from
        self.whole = read_whole(model.get("whole", []))   # columns that missed no value there
        if self.margins is not None and self.margins.classes != len(self.classes):
            raise ValueError("its margins are of another task")
        if not all(isinstance(label, (str, int, float)) for label in self.classes):
            raise ValueError("a class that is neither text nor number")
        if (self.task == "tabular_classification") != bool(self.classes) or (
                len(set(self.outputs)) != 1 + len(self.classes)):
            raise ValueError("its classes do not fit its task or its outputs")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd about the rows so far, each said once."""
        with self._lock:
            noticed = dict(self._noticed)
        return worded(noticed)

    def predict(self, columns: Mapping[str, Any], level: float | None = None) -> dict[str, npt.NDArray[Any]]:
        """Predict rows given as columns of plain values: sequences, numpy or Arrow arrays, all of one length.

        Returns ``prediction`` (N,), for classifiers a label (of the most probable class, or by ``threshold``), then
        ``probability_<class>`` (N,) in the order of ``classes``. With a ``level`` (a share, 0.5 to 0.99) also what
        holds the truth in at least that share of rows: ``prediction_low`` and ``prediction_high``, or for classifiers
        ``prediction_set`` (a JSON list as text), see training.conformal. Raises BadInput naming missing columns, the
        columns and rows that cannot be read, or a level that the model cannot say.
        """
        answer, noticed = self.answer(columns, level)
        with self._lock:
            self._noticed.update(noticed)
        return answer

    def answer(self, columns: Mapping[str, Any],
               level: float | None = None) -> tuple[dict[str, npt.NDArray[Any]], Counter[str]]:
        """As ``predict``; also return what was odd, for ``worded``."""
        self._refuse_missing(columns)
        margins = None if level is None else self.margins_for(level)
        noticed: Counter[str] = Counter()
        expected = {*(column.name for column in self.schema), *self._encoder.left_out, self.target}
        extra = [name for name in columns if name not in expected]
        if extra:
            noticed[_braced(f"{IGNORED}: {_listed(extra)}.")] = 1
        data = self._columns(columns)
        self._count_unseen(data, noticed)
        self._count_beyond(data, noticed)
        raw = self._raw(data)
        if level is None or margins is None:
            return self._outputs(raw, self.threshold), noticed
        spread = self._spread(raw, margins, level)
        if margins.floor is not None and (cut := int((spread["prediction_low"] == margins.floor).sum())):
            noticed[f"{CUT} {margins.floor:g}, as no target that the model learned from was below it, "
                    "in {rows}."] = cut
        return self._outputs(raw, self.threshold) | spread, noticed

    def margins_for(self, level: float) -> Margins:
        """Return how far off predictions may be. Raises BadInput for a level that the model cannot say."""
        if not LEVELS[0] <= level <= LEVELS[-1]:
            raise BadInput(f"An interval cannot hold {level:g} of the rows: it is a share from {LEVELS[0]:g} to "
                           f"{LEVELS[-1]:g}.", hint="0.9 is nine rows out of ten.")
        if self.margins is None:
            raise BadInput("This model does not know how far off it may be: an older MLDesk made it.",
                           hint="Train it again, or predict without intervals.")
        if not np.isfinite(self.margins.at(level)):
            raise BadInput(f"This model was checked on too few rows to say an interval for {level:g} of them.",
                           hint="Take a lower level, or train it on more rows.")
        return self.margins

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that told training rows apart, and so were nothing to learn from."""
        return tuple(name for name, why in self._encoder.left_out.items() if why.startswith(IDENTIFIER))

    def self_test(self) -> float:
        """Predict the model's own sample; return the deviation from what it was exported with.

        Raises BadBundle if that is more than the tolerance, or if there is no proper sample.
        """
        rows, expected = parse(self._read(SAMPLE), SAMPLE), parse_object(self._read(EXPECTED), EXPECTED)
        try:
            data = self._columns({name: [row[name] for row in rows] for name in rows[0]})
            got = self._outputs(self._raw(data), None)   # the threshold came later
            worst = max([0.0, *(_deviation(got[name], expected[name]) for name in got if got[name].dtype.kind == "f")])
            if self.classes and not self._same_labels(got, list(expected[self.outputs[0]])):
                worst = float("inf")
        except BadBundle:
            raise
        except (*_MALFORMED, MldeskError) as error:
            raise BadBundle(f"This bundle cannot predict its own sample: {error!s:.200}") from error
        if not worst <= TOLERANCE:
            raise BadBundle("This bundle does not give the predictions for its own sample that it was exported with.",
                            hint="Its files do not belong together; ask for another export.")
        return worst

    def _same_labels(self, got: Mapping[str, npt.NDArray[Any]], expected: list[Any]) -> bool:
        """Say whether the labels are those expected, where the probabilities leave no tie."""
        shares = np.column_stack([got[name] for name in self.outputs[1:]])
        wanted = [self.classes.index(label) for label in expected]
        behind = shares.max(axis=1) - shares[np.arange(len(shares)), wanted]
        return bool((behind <= TOLERANCE).all())

    def describe(self) -> dict[str, Any]:
        """Return what a program needs to know to use the model, as plain JSON."""
        return {
            "task": self.task, "target": self.target, "estimator": self.estimator, "classes": list(self.classes),
            "input": [{"name": column.name, "type": column.type.value, "role": column.role.value}
                      for column in self._encoder.columns],
            "output": list(self.outputs),
            **({} if self.threshold is None else {"threshold": self.threshold.to_json()}),
        }

    def sample(self) -> list[dict[str, Any]]:
        """Return the example rows that travel with the model; none if it has none that can be read."""
        try:
            rows = parse(self._read(SAMPLE), SAMPLE)
            return [dict(row) for row in rows]
        except (BadBundle, TypeError, ValueError):
            return []

    def contract_file(self) -> bytes | None:
        """Return what travels with the model of its dataset's contract, for ``RowContract.from_bytes``, or None."""
        return self._given(CONTRACT)

    def reading_file(self) -> bytes | None:
        """Return what travels with the model of how cells were read, for ``as_imported.from_bytes``, or None."""
        return self._given(READING)

    def _given(self, name: str) -> bytes | None:
        try:
            return self._read(name)
        except NotInIt:
            return None

    @property
    def groups(self) -> tuple[npt.NDArray[np.int64], ...]:
        """For each column of ``schema`` which of the encoded numbers are its own."""
        places = np.arange(self._encoder.width)
        return tuple(places[self._encoder.outputs(index)] for index in range(len(self.schema)))

    def encode(self, columns: Mapping[str, Any]) -> npt.NDArray[np.float32]:
        """Return rows given as for ``predict`` as the numbers the graph takes, (N, F). Raises BadInput."""
        self._refuse_missing(columns)
        matrix: npt.NDArray[np.float32] = np.ascontiguousarray(
            self._encoder.transform(self._columns(columns)), np.float32)
        return matrix

    def outputs_of(self, encoded: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return what the graph gives for encoded rows: (N, C) probabilities, or (N, 1) numbers."""
        return self._session.run(np.ascontiguousarray(encoded, np.float32))

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Return the values that training knows, commonest first, by column of text."""
        return {column.name: tuple(known) for column in self._encoder.columns
                if (known := getattr(column.block, "values", None)) is not None and isinstance(known, tuple)}

    def _refuse_missing(self, columns: Mapping[str, Any]) -> None:
        absent = [column.name for column in self.schema if column.name not in columns]
        if not absent:
            return
        free = [name for name in columns if name not in {column.name for column in self.schema}]
        near = [(name, found[0]) for name in absent if (found := _nearest(name, free))]
        hint = "Add the missing columns; their values may be empty."
        if near:
            hint = "Rename " + ", ".join(f"{have!r:.60} to {want!r:.60}" for want, have in near[:5]) + "?"
        word = "column" if len(absent) == 1 else "columns"
        raise BadInput(f"The input has no {word} {_listed(absent)}, which the model needs.", hint=hint)

    def _columns(self, columns: Mapping[str, Any]) -> dict[str, ColumnData]:
        """Read every column; one error names all that cannot be read."""
        data: dict[str, ColumnData] = {}
        faults: list[str] = []
        for column in self.schema:
            try:
                data.update(self._encoder.read({column.name: _plain(columns[column.name], column.type)}))
            except BadInput as error:
                faults.append(error.message)
        if faults:
            more = f" And {len(faults) - 3} more columns." if len(faults) > 3 else ""
            raise BadInput(" ".join(faults[:3]) + more, hint="Mend those values, or leave them empty.")
        lengths = {name: len(values) for name, values in data.items()}
        if len(set(lengths.values())) > 1:
            short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
            raise BadInput(f"The columns are not of one length: {short!r:.60} has {lengths[short]} rows, "
                           f"{long!r:.60} has {lengths[long]}.")
        return data

    def _count_unseen(self, data: Mapping[str, ColumnData], noticed: Counter[str]) -> None:
        for column in self._encoder.columns:
            values, known = data[column.name], getattr(column.block, "values", None)
            if not isinstance(values, TextColumn) or known is None:
                continue
            unseen = values.map(dict.fromkeys(known, 0.0), 1.0, 0.0).sum()
            if unseen:
                text = _braced(f"{column.name[:60]!r} holds values that training never saw, or hardly ever, in ")
                noticed[text + "{rows}."] = int(unseen)

    def _count_beyond(self, data: Mapping[str, ColumnData], noticed: Counter[str]) -> None:
        """Count rows whose numbers lie far outside what training saw, or that lack what was never missing there."""
        for name, count in beyond(data, self.reach).items():
            low, high = self.reach[name]
            noticed[_braced(f"{name[:60]!r} lies far outside what training saw ({low:.6g} to {high:.6g}), where the "
                            "model was taught nothing, in ") + "{rows}."] = count
        for name in self.whole:
            if name in data and (gone := int(missing(data[name]).sum())):
                noticed[_braced(f"{name[:60]!r} is missing in ") + "{rows}; in training it never was."] = gone

    def _raw(self, data: Mapping[str, ColumnData]) -> npt.NDArray[np.float32]:
        """Return what the graph gives, (N, outputs)."""
        rows = len(next(iter(data.values())))
        parts = [np.empty((0, max(1, len(self.classes))), np.float32)]
        for start in range(0, rows, BATCH):
            some = slice(start, start + BATCH)
            piece = {name: values.take(np.arange(rows)[some]) if isinstance(values, TextColumn) else values[some]
                     for name, values in data.items()}
            raw = self._session.run(np.ascontiguousarray(self._encoder.transform(piece), np.float32))
            if raw.shape[1] != parts[0].shape[1]:
                raise BadBundle(f"This bundle's {GRAPH} gives {raw.shape[1]} outputs for {len(self.classes)} classes.")
            parts.append(raw)
        return np.concatenate(parts)

    def _spread(self, raw: npt.NDArray[np.float32], margins: Margins, level: float) -> dict[str, npt.NDArray[Any]]:
        """Return the ends of the intervals, or the sets of classes as JSON text."""
        if not self.classes:
            low, high = margins.around(raw[:, 0].astype(np.float64), level)
            return {"prediction_low": low, "prediction_high": high}
        texts = np.empty(len(raw), object)
        texts[:] = [json.dumps([label for label, kept in zip(self.classes, row, strict=True) if kept],
                               ensure_ascii=False) for row in margins.sets(raw.astype(np.float64), level)]
        return {"prediction_set": texts}

    def called(self, raw: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the number of the class each row is called, of its (N, C) probabilities."""
        most: npt.NDArray[np.int64] = raw.argmax(axis=1)
        return most if self.threshold is None else self.threshold.codes(self.classes, raw)

    def _outputs(self, raw: npt.NDArray[np.float32], threshold: Threshold | None) -> dict[str, npt.NDArray[Any]]:
        if not self.classes:
            return {self.outputs[0]: raw[:, 0]}
        called = raw.argmax(axis=1) if threshold is None else threshold.codes(self.classes, raw)
        labels = _labels(self.classes)[called]
        return {self.outputs[0]: labels,
                **{name: raw[:, code] for code, name in enumerate(self.outputs[1:])}}


def worded(noticed: Mapping[str, int]) -> tuple[str, ...]:
    """Return what ``answer`` noticed as sentences."""
    return tuple(text.format(rows=f"{count} row{'s' * (count != 1)}") for text, count in noticed.items())


def _labels(classes: Sequence[str | int | float | bool]) -> npt.NDArray[Any]:
    """Return the labels as an array of their own type, or as text where types are mixed."""
    kinds = {type(label) for label in classes}
    if len(kinds) == 1 and kinds <= {bool, int, float}:
        return np.array(classes)
    if kinds == {int, float}:
        return np.array(classes, np.float64)
    labels = np.empty(len(classes), object)  # not numpy's own text, which would cut trailing null characters
    labels[:] = [str(label) for label in classes]
    return labels


def _plain(values: Any, wanted: ColumnType) -> Any:
    """Return values that the encoder reads. Arrow arrays are known by their methods: Arrow itself is not needed."""
    if not hasattr(values, "to_pylist"):
        return values
    kind = str(values.type)
    if wanted is ColumnType.TEXT and kind in ("string", "large_string"):   # each different text is read once
        whole = values.combine_chunks() if hasattr(values, "combine_chunks") else values
        coded = whole.dictionary_encode()
        return TextColumn(coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32),
                          tuple(coded.dictionary.to_pylist()))
    if kind == "double" or (kind.startswith(("int", "uint", "float")) and not values.null_count):
        return values.to_numpy(zero_copy_only=False)
    if kind.startswith(("timestamp[us", "timestamp[ms", "timestamp[s")) and "tz=" not in kind:
        return values.to_numpy(zero_copy_only=False)
    return values.to_pylist()


def _deviation(got: npt.NDArray[Any], expected: Sequence[Any]) -> float:
    return deviation(got, [float(value) for value in expected])


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    folded = {other.casefold().strip(): other for other in names}
    return [folded[item] for item in difflib.get_close_matches(name.casefold().strip(), folded, n=1, cutoff=0.7)]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(f"{name!r:.60}" for name in names[:5]) + more


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
