"""A store, a scratch folder, and a short way to import what a test writes down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mldesk.data import ImportOptions, Table, TableView, import_table
from mldesk.wire.objects import ObjectStore

Import = Callable[..., Table]
Rows = Callable[[Table], list[list[object]]]


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def take(tmp_path: Path, store: ObjectStore, scratch: Path) -> Import:
    """Import text or bytes as a file of the given name."""

    def take(content: str | bytes, name: str = "table.csv", **options: object) -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_table([path], store, scratch, ImportOptions(**options))  # type: ignore[arg-type]

    return take


@pytest.fixture
def rows(store: ObjectStore) -> Rows:
    """Return all rows of a small table as plain values."""

    def rows(table: Table) -> list[list[object]]:
        with TableView(store, table.manifest, table.columns) as view:
            return view.rows(0, 10_000)

    return rows


def kinds(table: Table) -> dict[str, str]:
    """Return each column's type by its name."""
    return {column.name: column.type.value for column in table.columns}


def said(table: Table) -> str:
    """Return every problem in one text, with its line and column."""
    return "\n".join(f"{problem.line}|{problem.column}|{problem.message}" for problem in table.problems)
