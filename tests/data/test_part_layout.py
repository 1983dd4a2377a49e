"""Parts are encoded by what their columns hold, and the same rows are the same bytes however they come."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.data.part_layout import layout_of
from mldesk.data.parts import GROUP_ROWS, PartWriter
from mldesk.data.types import ARROW
from mldesk.wire.schema import ColumnType

_ROWS = GROUP_ROWS + 5000
_CHANCE = random.Random(3)
_HOURS = [datetime.fromisoformat("2020-01-01") + timedelta(hours=hour) for hour in range(24)]
_COLUMNS: dict[str, tuple[ColumnType, list[Any]]] = {
    "id": (ColumnType.INTEGER, list(range(_ROWS))),
    "few far apart": (ColumnType.INTEGER, [_CHANCE.choice([-(2**63), 0, 2**63 - 1, None]) for _ in range(_ROWS)]),
    "age": (ColumnType.INTEGER, [_CHANCE.randint(0, 100) for _ in range(_ROWS)]),
    "day": (ColumnType.DATE, [date(2020, 1, _CHANCE.randint(1, 31)) for _ in range(_ROWS)]),
    "moment": (ColumnType.DATETIME, [_CHANCE.choice(_HOURS) for _ in range(_ROWS)]),
    "measured": (ColumnType.NUMBER, [_CHANCE.random() for _ in range(_ROWS)]),
    "rounded": (ColumnType.NUMBER, [_CHANCE.choice([0.5, -0.0, 0.0, None, float("inf")]) for _ in range(_ROWS)]),
    "truth": (ColumnType.BOOLEAN, [_CHANCE.random() < 0.5 for _ in range(_ROWS)]),
    "a.word": (ColumnType.TEXT, [_CHANCE.choice(["", "red", "grün", None]) for _ in range(_ROWS)]),
    "first few, then many": (ColumnType.TEXT, [str(row if row > 9000 else row % 5) for row in range(_ROWS)]),
    "own": (ColumnType.TEXT, [f"{row:x}" * 3 for row in range(_ROWS)]),
    "nothing": (ColumnType.TEXT, [None] * _ROWS),
}


@pytest.fixture(scope="module")
def columns() -> list[pa.Array]:
    return [pa.array(values, ARROW[kind]) for kind, values in _COLUMNS.values()]


def _written(folder: Path, columns: list[pa.Array], cut: int, counted: set[str] | None = None) -> tuple[bytes, Any]:
    folder.mkdir()
    writer = PartWriter(folder, list(_COLUMNS), [kind for kind, _ in _COLUMNS.values()], counted)
    try:
        for first in range(0, _ROWS, cut):
            writer.write([values.slice(first, cut) for values in columns])
        (path,) = writer.close()
        return path.read_bytes(), writer.distinct(folder)
    finally:
        writer.abandon()


def test_rows_are_read_as_they_were_written(tmp_path: Path, columns: list[pa.Array]) -> None:
    _, distinct = _written(tmp_path / "out", columns, 10_000)
    read = pq.read_table(tmp_path / "out/00000.parquet")
    assert read.schema.types == [ARROW[kind] for kind, _ in _COLUMNS.values()]
    for (name, (_, values)), count in zip(_COLUMNS.items(), distinct, strict=True):
        assert read.column(name).to_pylist() == values
        assert count == len(set(values) - {None})


def test_the_same_rows_are_the_same_bytes_however_they_come_and_are_counted(
        tmp_path: Path, columns: list[pa.Array]) -> None:
    whole, _ = _written(tmp_path / "whole", columns, _ROWS)
    for number, (cut, counted) in enumerate(((999, None), (_ROWS, set()), (20_000, {"a.word"}))):
        assert _written(tmp_path / f"{number}", columns, cut, counted)[0] == whole


def test_values_that_repeat_get_a_dictionary_and_numbers_are_packed(columns: list[pa.Array]) -> None:
    layout = layout_of(pa.table(columns, list(_COLUMNS)).slice(0, GROUP_ROWS))
    assert set(layout.repeating) == {"few far apart", "moment", "rounded", "a.word", "nothing"}
    assert dict(layout.encodings) == {"id": "DELTA_BINARY_PACKED", "age": "DELTA_BINARY_PACKED",
                                      "day": "DELTA_BINARY_PACKED", "measured": "BYTE_STREAM_SPLIT"}
