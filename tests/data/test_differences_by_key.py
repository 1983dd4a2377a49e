"""Two tables whose rows are told apart by keys: what was added, removed and changed, against plain Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.core.errors import BadInput
from mldesk.data.statistics.differences import diff
from mldesk.data.statistics.differences_by_key import EXAMPLES, by_keys
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import

Row = dict[str, Any]


def compared(one: list[Row], two: list[Row], keys: list[str], folder: Path) -> dict[str, Any]:
    for name, rows in (("one", one), ("two", two)):
        pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return by_keys([folder / "one"], [folder / "two"], list(one[0]), keys, folder)


@pytest.mark.parametrize("width", [3, 130])
@pytest.mark.parametrize("keys", [["k"], ["k", "t"]])
def test_added_removed_and_changed_cells_are_those_that_are(width: int, keys: list[str], tmp_path: Path) -> None:
    def row(place: int) -> Row:
        return {"k": place or None, "t": f"x{place % 3}",
                **{f"c{column}": place * column if column != 1 else None for column in range(width)}}

    one, two = [row(place) for place in range(40)], [row(place) for place in reversed(range(5, 45))]
    two += [row(0)]                        # the one without a key, as it was
    two[2][f"c{width - 1}"] = -1           # row 42 is new
    two[10][f"c{width - 1}"] = None        # row 34
    two[12]["c1"] = 7                      # row 32
    two[12]["c0"] = 8
    found = compared(one, two, keys, tmp_path)
    assert {name: found[name] for name in ("added", "removed", "changed", "keys", "changed_by")} == {
        "added": 5, "removed": 4, "changed": 2, "keys": keys, "changed_by": {"c0": 1, "c1": 1, f"c{width - 1}": 1}}
    at = {34: [34, "x1"], 32: [32, "x2"]}
    assert found["examples"] == [
        {"keys": at[32][:len(keys)], "column": "c0", "from": 0, "to": 8},
        {"keys": at[32][:len(keys)], "column": "c1", "from": None, "to": 7},
        {"keys": at[34][:len(keys)], "column": f"c{width - 1}", "from": 34 * (width - 1), "to": None}]


def test_the_first_changed_cells_are_shown_by_the_order_of_the_keys(tmp_path: Path) -> None:
    one = [{"k": place or None, "a": place, "b": "x"} for place in range(300)]
    two = [{**row, "a": -1, "b": "y" if row["k"] == 200 else "x"} for row in reversed(one)]
    found = compared(one, two, ["k"], tmp_path)
    assert found["changed_by"] == {"a": 300, "b": 1}
    shown = [item["keys"][0] for item in found["examples"] if item["column"] == "a"]
    assert shown == list(range(1, EXAMPLES // 2 + 1))   # what is missing comes last
    assert found["examples"][-1] == {"keys": [200], "column": "b", "from": "x", "to": "y"}


def test_keys_that_tell_nothing_apart_are_refused_and_keys_alone_compare(tmp_path: Path) -> None:
    twice = [{"k": 1}, {"k": 1}, {"k": 2}]
    with pytest.raises(BadInput, match="'1' is there 2 times"):
        compared(twice, [{"k": 1}], ["k"], tmp_path)
    found = compared([{"k": 1}, {"k": 2}], [{"k": 2}, {"k": 3}], ["k"], tmp_path)
    assert (found["added"], found["removed"], found["changed"], found["examples"]) == (1, 1, 0, [])


def test_what_an_import_counted_says_whether_keys_tell_rows_apart(take: Import, store: ObjectStore) -> None:
    one, two = take("k,a\n1,x\n2,y\n,z\n", "one.csv"), take("k,a\n2,y\n,q\n4,z\n", "two.csv")
    found = diff(store, one.manifest, one.columns, two.manifest, two.columns, keys=["k"])["rows"]
    assert (found["added"], found["removed"], found["changed"]) == (1, 1, 1)
    for text in ("k,a\n2,y\n2,q\n4,z\n", "k,a\n2,y\n,q\n,z\n"):
        twice = take(text, "twice.csv")
        with pytest.raises(BadInput, match="does not tell rows apart"):
            diff(store, one.manifest, one.columns, twice.manifest, twice.columns, keys=["k"])
