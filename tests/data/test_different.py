"""How many different values there are is what a set of them says, however they come."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mldesk.data import import_table
from mldesk.data.columns.different import Different, different
from mldesk.wire.objects import ObjectStore

_NAN = float("nan")
_VALUES: dict[str, tuple[pa.DataType, Any]] = {
    "numbers": (pa.float64(), lambda chance: chance.choice([0.0, -0.0, _NAN, float("inf"), 1.5, chance.random()])),
    "whole numbers": (pa.int64(), lambda chance: chance.choice([-1, 0, 2**62, chance.randint(-50, 50)])),
    "truth": (pa.bool_(), lambda chance: chance.random() < 0.5),
    "days": (pa.date32(), lambda chance: chance.randint(-9, 9)),
    "moments": (pa.timestamp("us"), lambda chance: chance.randint(-9, 9)),
    "texts": (pa.string(), lambda chance: "".join(chance.choice("ab\0é") for _ in range(chance.choice([0, 1, 2, 20])))),
    "words of eight": (pa.string(), lambda chance: "x" * 8 * chance.randint(0, 3) + chance.choice("ab")),
    "long texts": (pa.string(), lambda chance: "long " * 200 + str(chance.randint(0, 9))),
}


def _expected(values: list[Any]) -> int:
    return len({"nan" if value != value else value for value in values if value is not None})


@pytest.mark.parametrize("kind", _VALUES)
@pytest.mark.parametrize("size", [1, 7, 600])
def test_values_are_counted_as_a_set_counts_them(kind: str, size: int) -> None:
    chance = random.Random(size)
    of, make = _VALUES[kind]
    values = [None if chance.random() < 0.1 else make(chance) for _ in range(size + 3)]
    array = pa.array(values, of).slice(3)  # buffers that begin before the values
    assert different(array) == _expected(values[3:])
    assert different(pa.chunked_array([array.slice(0, 2), array.slice(2)])) == _expected(values[3:])
    coming = Different()
    for first in range(0, size, 50):
        coming.add(array.slice(first, 50))
    assert coming.count() == (None if kind == "long texts" and array.null_count < size else _expected(values[3:]))


def test_a_column_with_more_values_than_are_held_is_counted_all_the_same(
    store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("n,few,text\n" + "".join(f"{row},{row % 7},{'long ' * 40}{row % 300}\n" for row in range(2000)))
    monkeypatch.setattr("mldesk.data.part_facts._HELD", 1000)
    table = import_table([path], store, scratch)
    assert [column.distinct for column in table.columns] == [2000, 7, 300]
    store.verify_manifest(table.manifest)  # the digests taken while it was written are those of what was written
