"""Models of every kind in an object store, as the trainer leaves them there, on real tables."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.bundles import SigningKey, write_bundle
from mldesk.training.features import FeatureEncoder
from mldesk.training.model_facts import ModelFacts
from mldesk.training.model_files import outputs, write_model
from mldesk.training.values import as_column, take
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType
from tests.data_folder import SHARED
from tests.training.export.cases import Case, fit, native_prediction

ROWS = 300
TABLES = {  # name: (file, target, columns to leave out because they are all different or constant)
    "binary": ("adult.csv", "income"),
    "multiclass": ("penguins_raw.csv", "Species"),
    "regression": ("california_housing.csv", "median_house_value"),
}
_STYLES = {"linear": "dense", "mlp": "embed"}
_MISSING = {"", "?", "NA"}
KEY = SigningKey(bytes(range(32)))  # the same every time, so that bundles come out the same


@dataclass(frozen=True)
class StoredModel:
    """A model version, rows it has not seen as plain columns, and what its native form predicts for them."""

    digest: str
    store: ObjectStore
    rows: dict[str, list[Any]]
    expected: dict[str, list[Any]]
    task: str

    def bundle(self, path: Path, key: SigningKey | None = KEY, **facts: Any) -> Path:
        write_bundle(path, self.digest, self.store, {
            "name": "a model", "version": 3, "metrics": {"accuracy": 0.9}, "notes": "for a test",
            "provenance": {"dataset": "some table@2", "run": None}, **facts}, key, signer="A. Tester")
        return path


def read_table(name: str, rows: int = ROWS) -> tuple[list[Column], dict[str, list[Any]], str]:
    """Return the schema, the columns as plain values (None for missing) and the target's name."""
    file, target = TABLES[name]
    with open(SHARED / "tabular" / file, encoding="utf-8", newline="") as source:
        table = list(csv.DictReader(source))
    table = [table[index] for index in np.linspace(0, len(table) - 1, rows).astype(int)]  # spread over the classes
    schema, values = [], {}
    for column in table[0]:
        cells = [None if row[column] in _MISSING else row[column] for row in table]
        kind = ColumnType.DATE if "Date" in column else _kind(cells)
        if kind is ColumnType.NUMBER:
            cells = [None if cell is None else float(cell) for cell in cells]
        schema.append(Column(column, kind))
        values[column] = cells
    return schema, values, target


def _kind(cells: list[str | None]) -> ColumnType:
    try:
        for cell in cells:
            if cell is not None:
                float(cell)
    except ValueError:
        return ColumnType.TEXT
    return ColumnType.NUMBER


def stored_model(kind: str, name: str, folder: Path, change: Callable[[Path], None] | None = None) -> StoredModel:
    """Fit a model of a kind on two thirds of a table and store its files; ``change`` may meddle with them before."""
    schema, values, target = read_table(name)
    columns = {column.name: as_column(values[column.name], column) for column in schema}
    features = [column for column in schema if column.name != target]
    known = np.arange(ROWS) % 3 > 0
    encoder = FeatureEncoder.fit(take(columns, known), features, _STYLES.get(kind, "trees"))
    x = encoder.transform(columns)
    labels = sorted(set(values[target])) if name != "regression" else []
    answers = np.array([labels.index(value) if labels else value for value in values[target]])
    case = Case(x[known], answers[known], x[~known], len(labels) or None, tuple(encoder.categorical))
    native = fit(kind, case)
    expected = np.asarray(native_prediction(kind, native, case.fresh, case.classes), np.float64)
    expected = expected if labels else expected.reshape(-1)
    unseen = take({item.name: columns[item.name] for item in encoder.columns}, ~known)
    task = "tabular_classification" if labels else "tabular_regression"
    facts = ModelFacts(
        task=task, target=next(column for column in schema if column.name == target), classes=tuple(labels),
        estimator=kind, estimator_title=kind, parameters={}, fit_facts={}, encoder=encoder, dataset_name="some table@2",
        dataset="0" * 64, rows={"train": 200, "validation": 0, "test": 100}, seed=0, created="2026-11-21T00:00:00.000Z",
        metrics={"accuracy": 0.9}, validation_metrics={}, evaluation={}, finished_early=False)
    files, warning = write_model(folder / "model", facts, native, take(unseen, np.arange(5)), case.fresh, expected)
    assert not warning
    if change is not None:
        change(folder / "model")
    store = ObjectStore(folder / "objects")
    rows = {column: [values[column][row] for row in np.flatnonzero(~known)] for column in values if column != target}
    return StoredModel(store.put_manifest({path: file for path, file in files.items() if file.exists()}), store, rows,
                       outputs(expected, tuple(labels)), task)


def parts_of(bundle: Path) -> dict[str, bytes]:
    """Return a bundle's files."""
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, parts: Mapping[str, bytes]) -> Path:
    """Write files as our own packer does, with no regard to what they are."""
    from mldesk.bundles.packing import Packer

    with open(path, "wb") as file:
        pack = Packer(file)
        for name, data in parts.items():
            pack.add(name, lambda data=data: [data])
        pack.finish()
    return path
