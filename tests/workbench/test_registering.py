"""Registering on a disk that fills up: nothing is half made, and the user's files are not touched."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core.errors import DiskFull
from mldesk.data.parts import part_paths
from mldesk.wire.objects import ObjectStore
from mldesk.workbench.registering import registered_table
from tests.core.disk_faults import every_fault


def test_a_full_disk_leaves_no_half_registered_table(tmp_path: Path) -> None:
    lake, home = tmp_path / "lake", tmp_path / "home"
    lake.mkdir()
    for number in range(2):
        pq.write_table(pa.table({"n": pa.array(range(number * 10, number * 10 + 10), pa.int64())}),
                       lake / f"{number}.parquet")
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in lake.iterdir()}
    store = ObjectStore(home / "objects")

    def work() -> None:
        store.sweep((), 0)
        registered_table(lake, store, home / "scratch", None, None)

    spoiled = 0
    for outcome in every_fault(home, work):
        spoiled += outcome.spoiled
        assert outcome.error is None or isinstance(outcome.error, DiskFull)
        assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in lake.iterdir()} == before
        for digest in store.digests():
            assert store.path(digest).is_file()  # a link is there with its note, or not at all
    assert spoiled > 5
    table, _ = registered_table(lake, store, home / "scratch", None, None)
    assert [path.resolve().name for path in part_paths(store, table.manifest)] == ["0.parquet", "1.parquet"]
