"""Files whose names are no UTF-8, as Linux allows: read like all others, and shown with their bytes written out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldesk.data import import_table
from mldesk.data.sources.gather import Item
from mldesk.wire.objects import ObjectStore
from tests.data.damaged_files import KINDS, whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_no_text_hides_no_table(kind: str, store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    plain, odd = tmp_path / f"plain.{kind}", tmp_path / os.fsdecode(b"odd \xff." + kind.encode())
    for path in (plain, odd):
        path.write_bytes(whole(kind))
    table = import_table([odd], store, scratch)
    assert table.manifest == import_table([plain], store, scratch).manifest
    assert table.source.encode().startswith(b"odd \\xff.")
    assert not list(scratch.iterdir())
    assert odd.read_bytes() == whole(kind)


def test_a_folder_of_such_names_tells_where_each_row_is_from(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"more \xfe")
    folder.mkdir()
    for name in (b"a\xff.csv", b"b.csv"):
        (folder / os.fsdecode(name)).write_text("a,b\n1,2\n3\n")
    table = import_table([folder], store, scratch)
    assert [(problem.file, problem.line) for problem in table.problems] == [("a\\xff.csv", 3), ("b.csv", 3)]


def test_what_a_name_is_called() -> None:
    assert [Item(name, Path(), 0).shown for name in ("größe.csv", os.fsdecode(b"g\xf6"))] == ["größe.csv", "g\\xf6"]
