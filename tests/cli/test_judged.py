"""What the command line says of runs that were judged, over runs that a test has written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mldesk.training.split import TEST
from mldesk.training.values import Array
from mldesk.workbench.orders import TrainOrder
from tests.cli.conftest import Command
from tests.workbench.judged_runs import finished
from tests.workbench.stand_ins import Desk

ROWS = 60
SPLIT = np.where(np.arange(ROWS) % 3 == 0, TEST, 0).astype(np.uint8)
TESTED = np.flatnonzero(SPLIT == TEST)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with num@1 and num@2, the same rows sorted otherwise."""
    opened = Desk(tmp_path / "home")
    draw = np.random.default_rng(2)
    lines = [f"{index},{draw.normal():.3f},{draw.normal():.3f}" for index in range(ROWS)]
    for name, rows in (("num.csv", lines), ("turned.csv", lines[::-1])):
        (tmp_path / name).write_text("\n".join(["id,size,price", *rows]) + "\n", "utf-8")
        opened.datasets.import_files([tmp_path / name], "num")
    yield opened
    opened.close()


def _prices(desk: Desk, version: int) -> Array:
    page = desk.datasets.preview(f"num@{version}", rows=ROWS)
    return np.array([row[2] for row in page.rows])[TESTED]


def test_runs_on_versions_whose_test_rows_differ_are_not_ranked(desk: Desk, mldesk: Command) -> None:
    for name, version, noise in (("a", 1, 0.1), ("b", 1, 0.5), ("c", 2, 0.5)):
        y = _prices(desk, version)
        finished(desk, TrainOrder(f"num@{version}", "price", name=name), SPLIT, y,
                 y + noise * np.random.default_rng(1).normal(size=len(y)))
    found = mldesk.good("runs", "compare", "a", "c")
    assert (found["comparable"], found["best"], found["looks_together"]) == (False, {}, None)
    assert "not tested on the same rows" in found["paired"][0]["why_not"]
    answer = mldesk.told("runs", "compare", "a", "c")
    assert answer.code == 0 and "★" not in answer.out and "looked at" not in answer.err
    assert "! The runs were tested on different rows" in answer.err and "num@1 and num@2" in answer.err
    found = mldesk.good("runs", "compare", "a", "b")
    assert (found["comparable"], found["looks"], found["looks_together"]) == (True, [2, 2], 2)
    assert "looked at by 2 runs" in mldesk.told("runs", "compare", "a", "b").err
