"""The rows behind a cell of a confusion matrix, from a file that the trainer writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.training.predictions import write
from mldesk.training.split import TEST
from mldesk.workbench.predicted_rows import rows_where


@pytest.mark.parametrize("classes", [("No", "Yes"), (False, True), (3, 7)])
def test_a_cell_gives_its_rows_the_surest_first(tmp_path: Path, classes: tuple[object, object]) -> None:
    membership = np.full(10, 0 if TEST else 1, np.uint8)
    membership[[1, 4, 6, 9]] = TEST
    chance = np.array([0.6, 0.9, 0.2, 0.7])
    path = tmp_path / "predictions.parquet"
    write(path, membership, np.array([0, 0, 0, 1]), np.stack([1 - chance, chance], 1), classes)  # type: ignore[arg-type]
    found = rows_where(path, classes[0], classes[1], 10)
    assert [(item.row, item.probability) for item in found.rows] == [(4, 0.9), (1, 0.6)]
    assert found.total == 2 and found.rows[0].actual == classes[0] and found.rows[0].predicted == classes[1]
    assert [item.row for item in rows_where(path, classes[0], classes[1], 1).rows] == [4]
    assert rows_where(path, classes[1], classes[0], 10).total == 0


def test_a_class_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write(path, np.full(2, TEST, np.uint8), np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]), (3, 7))
    with pytest.raises(BadInput, match="no class 'many'"):
        rows_where(path, "many", 3, 10)
