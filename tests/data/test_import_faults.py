"""Refused, cancelled, out of disk: nothing half-imported stays, and what was there before is whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import DiskFull, MldeskError
from mldesk.core.ids import new_id
from mldesk.data import ImportCancelled, ImportRefused, apply_recipe, import_table
from mldesk.data.imports.register import run_job
from mldesk.data.parts import PartWriter, group_rows
from mldesk.wire.imports import ImportRequest
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import ColumnType
from mldesk.wire.spool import SpoolReader
from mldesk.workbench.sources import absent
from tests.core.disk_faults import every_fault, small_files
from tests.data.conftest import Import
from tests.data_folder import SHARED

FILES = [
    "tabular/penguins_raw.csv",
    "broken/04_utf16.csv",
    "tabular/penguins_raw.jsonl",
    "tabular/telco_churn.xlsx",
    "tabular/pnw_flights_2014.csv.gz",
    "tabular/pnw_flights_2014.parquet",
    "broken/02_ragged_rows.csv",
]


def _objects(store: ObjectStore) -> set[str]:
    return set(store.digests())


@pytest.mark.parametrize("name", FILES)
def test_cancelling_at_any_moment_leaves_nothing(
    name: str, store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldesk.data.stopping._POLL", 60)  # so that the same number of questions is asked each time
    asked = 0

    def count() -> bool:
        nonlocal asked
        asked += 1
        return False

    whole = import_table([SHARED / name], ObjectStore(scratch / "other"), scratch, cancelled=count)
    shutil.rmtree(scratch / "other")
    assert asked >= 3
    for moment in sorted({1, 2, asked // 3, asked // 2, asked - 1, asked}):
        left = moment

        def stop() -> bool:
            nonlocal left
            left -= 1
            return left <= 0

        with pytest.raises(ImportCancelled):
            import_table([SHARED / name], store, scratch, cancelled=stop)
        assert not _objects(store)
        assert not list(scratch.iterdir())
    assert import_table([SHARED / name], store, scratch).manifest == whole.manifest


def test_progress_never_goes_back_and_ends_at_the_whole(store: ObjectStore, scratch: Path) -> None:
    heard: list[tuple[float, float]] = []
    paths = [SHARED / "federated/heart_disease/cleveland.csv", SHARED / "federated/heart_disease/switzerland.csv"]
    import_table(paths, store, scratch, progress=lambda done, total: heard.append((done, total)))
    size = sum(path.stat().st_size for path in paths)
    assert {total for _, total in heard} == {size}
    assert heard[-1][0] == size


@pytest.mark.parametrize("name", ["broken/04_utf16.csv", "tabular/pnw_flights_2014.csv.gz"])
@pytest.mark.parametrize("lasting", [True, False])
def test_a_disk_that_fills_up_at_any_write_leaves_nothing_and_says_so(
    name: str, lasting: bool, tmp_path: Path, scratch: Path
) -> None:
    store = ObjectStore(tmp_path / "objects")
    before = _objects(store)
    outcomes = 0

    def work() -> None:
        import_table([SHARED / name], store, scratch)

    for outcome in every_fault(tmp_path, work, lasting=lasting):
        assert not list(scratch.iterdir())
        if outcome.error is None:
            shutil.rmtree(store.root)
            store = ObjectStore(tmp_path / "objects")
            continue
        outcomes += 1
        assert isinstance(outcome.error, DiskFull), outcome
        assert "disk is full" in outcome.error.message
        assert _objects(store) == before
    assert outcomes >= 5


@pytest.mark.parametrize("size", [100, 20_000, 1_000_000])
def test_a_disk_that_fills_up_under_arrow_is_a_sentence_too(size: int, store: ObjectStore, scratch: Path) -> None:
    with small_files(size), pytest.raises(DiskFull):
        import_table([SHARED / "tabular/pnw_flights_2014.csv.gz"], store, scratch)
    with small_files(size), pytest.raises(DiskFull):
        import_table([SHARED / "tabular/pnw_flights_2014.parquet"], store, scratch)
    assert not _objects(store)
    assert not list(scratch.iterdir())


def test_a_spool_that_does_not_fit_is_a_sentence_too(
    store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldesk.data.readers.spool._IN_MEMORY", 1_000_000)
    twice = [SHARED / "tabular/california_housing.csv"] * 2  # a single regular file needs no spool
    with small_files(900_000), pytest.raises(DiskFull):
        import_table(twice, store, scratch)
    assert not list(scratch.iterdir())
    in_files = import_table(twice, store, scratch)
    monkeypatch.undo()
    assert import_table(twice, store, scratch).manifest == in_files.manifest


def test_an_import_that_fails_spares_what_an_earlier_one_put(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    kept = import_table([SHARED / "tabular/penguins_raw.csv"], store, scratch)
    for _ in every_fault(tmp_path, lambda: import_table([SHARED / "tabular/penguins_raw.csv"], store, scratch)):
        store.verify_manifest(kept.manifest)


def test_other_errors_of_the_system_are_not_called_a_full_disk(scratch: Path, tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "objects")
    for outcome in every_fault(
        tmp_path, lambda: import_table([SHARED / "broken/04_utf16.csv"], store, scratch), lasting=False, error=errno.EIO
    ):
        assert not isinstance(outcome.error, DiskFull)
        assert outcome.error is None or isinstance(outcome.error, (OSError, MldeskError))
        assert not list(scratch.iterdir())


def test_a_recipe_that_fails_or_is_stopped_leaves_nothing(store: ObjectStore, scratch: Path, take: Import) -> None:
    table = take("a,b\n" + "1,x\n2,y\n" * 5000)
    before = _objects(store)
    steps = [{"step": "filter", "where": "a > 1"}]
    with small_files(200), pytest.raises(DiskFull):
        apply_recipe(store, scratch, table.manifest, table.columns, steps)
    with pytest.raises(ImportCancelled):
        apply_recipe(store, scratch, table.manifest, table.columns, steps, cancelled=lambda: True)
    assert _objects(store) == before
    assert not list(scratch.iterdir())


def test_a_file_that_may_not_be_read_is_refused(
    store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("mldesk.data.sources.files.open", forbidden, raising=False)
    with pytest.raises(ImportRefused, match=r"adult\.csv may not be read by this user"):
        import_table([SHARED / "tabular/adult.csv"], store, scratch)


def test_a_file_in_a_folder_that_may_not_be_entered_is_refused(
    store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, stat = tmp_path / "closed" / "table.csv", os.stat  # root may enter any folder, so the system is played

    def closed(asked: Any, *rest: Any, **named: Any) -> os.stat_result:
        if str(asked) == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(asked, *rest, **named)

    monkeypatch.setattr(os, "stat", closed)
    assert absent([path]) is None
    with pytest.raises(ImportRefused, match=r"table\.csv may not be read by this user"):
        import_table([path], store, scratch)
    spec = JobSpec(new_id(), "import", "an import", (), ImportRequest(str(path), "table").to_json(), Resources("cpu"))
    (tmp_path / "spec.json").write_text(json.dumps(spec.to_json()))
    assert run_job(tmp_path, store.root, 1) == 0
    last = SpoolReader(tmp_path / "spool.1").read()[-1]
    assert (last.kind, last.payload["cause"]) == ("failed", "user_error")


def test_long_tables_have_many_parts_and_wide_ones_small_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr("mldesk.data.parts.PART_ROWS", 300_000)
    sizes: list[list[bytes]] = []
    for cut in (10_000, 77_777):
        folder = tmp_path / str(cut)
        folder.mkdir()
        writer = PartWriter(folder, ["n"], [ColumnType.INTEGER])
        for first in range(0, 600_000, cut):
            writer.write([pa.array(range(first, min(600_000, first + cut)))])
        paths = writer.close()
        assert [pq.read_metadata(path).num_rows for path in paths] == [276_480, 276_480, 47_040]
        sizes.append([path.read_bytes() for path in paths])
    assert sizes[0] == sizes[1]
    assert (group_rows(1), group_rows(119), group_rows(10_000)) == (30_720, 30_720, 1_600)
