"""Whoever wants out of work on a table gets out of it in the middle, and nothing of it is left."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldesk.data.parts import PartWriter
from mldesk.data.records import ImportCancelled
from mldesk.data.statistics import profiling
from mldesk.data.stopping import check_stopped
from tests.workbench.stand_ins import Desk

STEPS = [{"step": "fill_missing", "columns": ["n"], "with": "median"}, {"step": "deduplicate", "columns": ["key"]}]
ROWS = 70_000  # three row groups
# Threads and processes that are left fail every test, see tests/conftest.py.


@pytest.fixture
def table(tmp_path: Path) -> Path:
    chance = random.Random(4)
    path = tmp_path / "table.csv"
    path.write_text("key,n,text\n" + "".join(f"{row},{chance.random()},words {row % 900}\n" for row in range(ROWS)))
    return path


def _kept(desk: Desk) -> tuple[list[str], list[tuple[str, int]]]:
    """Return the files of a library's home that work on tables makes, drafts among them, and the datasets' versions."""
    home = desk.library.objects.root.parent
    files = [str(path) for place in ("objects", "scratch", "cache") for path in (home / place).rglob("*")
             if path.is_file() and path.name != ".lock"]
    names = [dataset.name for dataset in desk.datasets.list()]
    return sorted(files), [(name, len(desk.datasets.versions(name))) for name in names]


def _reaching(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, call: int, then: Callable[[], None]) -> None:
    """Let ``then`` be done as ``where.name`` is called for the so manieth time."""
    whole, calls = getattr(where, name), [0]

    def called(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            then()
        return whole(*given, **named)

    monkeypatch.setattr(where, name, called)


def _wanting_out(wanted: threading.Event) -> Callable[[], None]:
    """Return what wants out and goes on, as long work does, until it is to stop; its caller finds out by itself."""
    def want() -> None:
        wanted.set()
        with pytest.raises(ImportCancelled):
            while True:
                check_stopped()

    return want


@pytest.mark.parametrize(("name", "call"), [("write", 1), ("write", 3), ("close", 1), ("distinct", 1)])
def test_nothing_of_a_cancelled_import_is_left(name: str, call: int, desk: Desk, table: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.data.readers.regular.BLOCK", 256 * 1024)
    wanted = threading.Event()
    before = _kept(desk)
    with monkeypatch.context() as patch:
        _reaching(patch, PartWriter, name, call, wanted.set)
        with pytest.raises(ImportCancelled):
            desk.datasets.import_files([table], "table", cancelled=wanted.is_set)
    assert wanted.is_set()
    assert _kept(desk) == before
    desk.datasets.import_files([table], "table")
    assert desk.datasets.show("table").rows == ROWS


@pytest.mark.parametrize(("name", "call"), [("write", 1), ("write", 3), ("close", 1), ("distinct", 1)])
def test_nothing_of_a_cancelled_recipe_is_left(name: str, call: int, desk: Desk, table: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    desk.datasets.import_files([table], "table")
    wanted = threading.Event()
    before = _kept(desk)
    with monkeypatch.context() as patch:
        _reaching(patch, PartWriter, name, call, _wanting_out(wanted))
        with pytest.raises(ImportCancelled):
            desk.cleaning.clean("table", STEPS, cancelled=wanted.is_set)
    assert wanted.is_set()
    assert _kept(desk) == before
    assert desk.cleaning.clean("table", STEPS).number == 2


def test_nothing_of_a_cancelled_profile_is_left(desk: Desk, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.datasets.import_files([table], "table")
    wanted = threading.Event()
    before = _kept(desk)
    with monkeypatch.context() as patch:
        _reaching(patch, profiling, "_fill_numbers", 1, _wanting_out(wanted))
        with pytest.raises(ImportCancelled):
            desk.datasets.profile("table", cancelled=wanted.is_set)
    assert wanted.is_set()
    assert _kept(desk) == before
    assert desk.datasets.profile("table")
