"""The profile of a table: right numbers, plain JSON, also where columns are odd."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from mldesk.data import ImportCancelled, Table, TableView, import_table, profile
from mldesk.data.parts import part_paths
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import
from tests.data_folder import SHARED


def _by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    json.dumps(found, allow_nan=False)
    return {column["name"]: column for column in found["columns"]}


def test_numbers_agree_with_numpy(store: ObjectStore, scratch: Path) -> None:
    table = import_table([SHARED / "tabular/california_housing.csv"], store, scratch)
    facts = _by_name(profile(store, table.manifest, table.columns))
    read = pq.read_table(part_paths(store, table.manifest)[0])
    for name in ("median_income", "total_bedrooms"):
        values = read.column(name).drop_null().to_numpy()
        fact = facts[name]
        assert math.isclose(fact["mean"], values.mean())
        assert math.isclose(fact["std"], values.std(ddof=1))
        assert (fact["min"], fact["max"]) == (values.min(), values.max())
        for quantile, value in fact["quantiles"].items():
            assert math.isclose(value, np.quantile(values, float(quantile)))
        assert sum(fact["histogram"]["counts"]) == len(values)
        expected, _ = np.histogram(values, bins=20)
        assert np.abs(np.array(fact["histogram"]["counts"]) - expected).sum() <= 4  # values on an edge
        assert math.isclose(fact["histogram"]["edges"][-1], values.max())
    assert (facts["total_bedrooms"]["missing"], facts["total_bedrooms"]["distinct"]) == (207, 1923)
    assert facts["ocean_proximity"]["top"][0] == ["<1H OCEAN", 9136]
    assert facts["ocean_proximity"]["lengths"] == {"min": 6, "max": 10, "mean": pytest.approx(8.06, abs=0.1)}


def test_every_type_has_its_own_kind_of_values(take: Import, store: ObjectStore) -> None:
    table = take(
        "n,x,b,d,ts,clock,t,e\n1,0.5,true,2024-01-01,2024-01-01 10:00,10:00,a,\n"
        "3,inf,false,2024-01-03,2024-01-03 10:00,12:00,a,\n3,0.5,true,2024-01-03,2024-01-03 10:00,12:00,b,\n"
    )
    found = profile(store, table.manifest, table.columns)
    facts = _by_name(found)
    assert (found["rows"], found["duplicates"]) == (3, 0)
    assert (facts["n"]["min"], facts["n"]["max"], facts["n"]["top"]) == (1, 3, [[3, 2], [1, 1]])
    assert (facts["x"]["infinite"], facts["x"]["mean"], facts["x"]["max"]) == (1, 0.5, "inf")
    assert facts["b"]["top"] == [[True, 2], [False, 1]]
    assert (facts["d"]["min"], facts["d"]["max"], facts["d"]["quantiles"]["0.5"]) == (
        "2024-01-01",
        "2024-01-03",
        "2024-01-03",
    )
    assert facts["d"]["histogram"] == {
        "edges": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"],
        "counts": [1, 0, 2],
    }
    assert facts["ts"]["min"] == "2024-01-01 10:00:00"
    assert facts["clock"]["mean"].startswith("11:20:00")
    assert (facts["t"]["min"], facts["t"]["max"], facts["t"]["mean"]) == ("a", "b", None)
    assert (facts["e"]["missing"], facts["e"]["top"], facts["e"]["histogram"]) == (3, [], None)


def test_large_whole_numbers_are_exact(take: Import, store: ObjectStore) -> None:
    table = take("n,b\n9007199254740993,1\n9223372036854775807,2\n")
    fact = _by_name(profile(store, table.manifest, table.columns))["n"]
    assert (fact["min"], fact["max"]) == (9007199254740993, 9223372036854775807)
    assert sum(fact["histogram"]["counts"]) == 2


def test_duplicates_count_rows_that_repeat_an_earlier_one(take: Import, store: ObjectStore) -> None:
    table = take("a,b\n1,x\n1,x\n1,\n1,\n2,x\n1,x\n")
    assert profile(store, table.manifest, table.columns)["duplicates"] == 3


def test_ten_thousand_columns_and_names_with_dots_are_profiled(store: ObjectStore, scratch: Path, take: Import) -> None:
    wide: Table = import_table([SHARED / "broken/11_ten_thousand_columns.csv"], store, scratch)
    found = profile(store, wide.manifest, wide.columns)
    assert len(found["columns"]) == 10_000
    assert all(column["histogram"] for column in found["columns"][:-1])
    dotted = take("a,a.b,a.b.c\n1,2,3\n1,5,6\n")
    facts = _by_name(profile(store, dotted.manifest, dotted.columns))
    assert [facts[name]["max"] for name in ("a", "a.b", "a.b.c")] == [1, 5, 6]


def test_a_long_table_is_profiled_from_disk_with_the_same_result(
    store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = import_table([SHARED / "tabular/penguins_raw.csv"], store, scratch)
    in_memory = profile(store, table.manifest, table.columns)
    monkeypatch.setattr("mldesk.data.statistics.profiling._CELLS", 100)
    from_disk = profile(store, table.manifest, table.columns)
    for one, other in zip(in_memory["columns"], from_disk["columns"], strict=True):
        assert {key: value for key, value in one.items() if key not in ("mean", "std", "quantiles")} == {
            key: value for key, value in other.items() if key not in ("mean", "std", "quantiles")}
        for share, cut in one["quantiles"].items():
            assert other["quantiles"][share] == (pytest.approx(cut) if isinstance(cut, float) else cut)


def test_a_profile_can_be_stopped(take: Import, store: ObjectStore) -> None:
    table = take("a,b\n1,2\n")
    with pytest.raises(ImportCancelled, match="The profile was cancelled"):
        profile(store, table.manifest, table.columns, cancelled=lambda: True)


def test_moments_that_python_does_not_know_are_shown_all_the_same(
    take: Import, store: ObjectStore, tmp_path: Path
) -> None:
    # Told in UTC, the first lies before the year 1 and the last after 9999.
    table = take("d,e\n" + "0001-01-01 00:00:00+14:00,0001-01-01\n9999-12-31 23:59:59-12:00,9999-12-31\n" * 20)
    facts = _by_name(profile(store, table.manifest, table.columns))
    assert (facts["d"]["type"], facts["e"]["type"]) == ("datetime", "date")
    assert (facts["d"]["min"], facts["d"]["max"]) == ("0000-12-31 10:00:00", "10000-01-01 11:59:59")
    assert facts["e"]["top"] == [["0001-01-01", 20], ["9999-12-31", 20]]
    with TableView(store, table.manifest, table.columns) as view:
        assert str(view.rows(1, 1)[0][0]).startswith("10000-01-01 11:59:59")
        view.export(tmp_path / "out.csv")
    assert "10000-01-01 11:59:59" in (tmp_path / "out.csv").read_text()


def test_numbers_further_apart_than_a_double_can_say_have_a_histogram(take: Import, store: ObjectStore) -> None:
    table = take("n,m\n" + "1e308,1\n-1e308,2\n0,3\n1e-320,inf\n" * 10)
    facts = _by_name(profile(store, table.manifest, table.columns))
    counts = facts["n"]["histogram"]["counts"]
    assert (counts[0], counts[10], counts[-1], sum(counts)) == (10, 20, 10, 40)
    assert (facts["m"]["max"], facts["m"]["infinite"]) == ("inf", 10)
