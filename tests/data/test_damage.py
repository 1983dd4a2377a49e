"""Tables whose files changed on disk or are gone: a sentence that names the dataset, and a re-import that mends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldesk.app import open_workbench
from mldesk.core.errors import BadInput, LibraryDamaged
from mldesk.data import Table, TableView
from mldesk.wire.objects import ObjectMissing, ObjectStore
from mldesk.workbench.bench import Workbench
from tests.data.conftest import Import

ROWS = "n,word\n" + "".join(f"{number},w{number % 7}\n" for number in range(3000))
READERS: dict[str, Callable[[Workbench, Path], Any]] = {
    "preview": lambda bench, _: bench.datasets.preview("t"),
    "filter": lambda bench, _: bench.datasets.preview("t", where="n > 2"),
    "query": lambda bench, _: bench.datasets.query("t", "SELECT sum(n), max(word) FROM data"),
    "profile": lambda bench, _: bench.datasets.profile("t"),
    "clean": lambda bench, _: bench.cleaning.clean("t", [{"step": "filter", "where": "n > 2"}]),
    "preview a recipe": lambda bench, _: bench.cleaning.preview_recipe("t", [{"step": "filter", "where": "n > 2"}]),
    "export": lambda bench, folder: bench.datasets.export("t", folder / "out.csv"),
    "diff": lambda bench, _: bench.datasets.diff("t", 1, 2),
}


def part(store: ObjectStore, manifest: str) -> Path:
    return store.path(store.manifest(manifest).entries[0].sha256)


def spoil(path: Path) -> None:
    """Change much of it, as a bad disk would; of Parquet all but what it knows about its columns, at the end."""
    data = path.read_bytes()
    size = len(data) - 12 - int.from_bytes(data[-8:-4], "little") if data.startswith(b"PAR1") else len(data) // 2
    path.chmod(0o644)
    path.write_bytes(data[:4] + bytes(size) + data[4 + size:])


@pytest.mark.parametrize("gone", [False, True], ids=["changed", "gone"])
def test_every_reader_names_the_dataset_whose_file_cannot_be_read_and_a_new_import_mends_it(
    tmp_path: Path, gone: bool
) -> None:
    file = tmp_path / "t.csv"
    file.write_text(ROWS)
    with open_workbench(tmp_path / "home") as bench:
        version = bench.datasets.import_files([file], "t").head
        bench.cleaning.clean("t", [{"step": "drop", "columns": ["word"]}])
        bench.datasets.rollback("t", 1)
        path = part(bench.library.objects, version.manifest)
        if gone:
            path.unlink()
        else:
            spoil(path)
        for name, read in READERS.items():
            with pytest.raises(ObjectMissing if gone else LibraryDamaged) as caught:
                read(bench, tmp_path)
            assert "the dataset t@1" in str(caught.value), name
            assert "Import the file again" in caught.value.hint
            assert not (tmp_path / "out.csv").exists()
        bench.datasets.import_files([file], "t")
        assert len(bench.datasets.preview("t@1", rows=5000).rows) == 3000
        assert list((tmp_path / "home" / "scratch").iterdir()) == []


def test_a_query_that_is_wrong_is_not_blamed_on_the_files(take: Import, store: ObjectStore) -> None:
    table: Table = take(ROWS)
    with TableView(store, table.manifest, table.columns) as view:
        spoil(part(store, table.manifest))
        with pytest.raises(BadInput, match="nothing"):
            view.query("SELECT nothing FROM data")
        with pytest.raises(LibraryDamaged, match="this table has changed on disk"):
            view.query("SELECT sum(n) FROM data")
        with pytest.raises(LibraryDamaged, match="this table has changed on disk"):
            list(view.batches())


def test_a_damaged_profile_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(ROWS)
    with open_workbench(tmp_path / "home") as bench:
        bench.datasets.import_files([tmp_path / "t.csv"], "t")
        made = bench.datasets.profile("t")
        digest = bench.datasets.show("t").profile
        assert digest is not None
        spoil(bench.library.objects.path(digest))
        assert bench.datasets.profile("t") == made
        bench.library.objects.verify(digest)
        assert list((tmp_path / "home" / "scratch").iterdir()) == []
