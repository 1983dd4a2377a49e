"""What a file of predictions shows."""

from __future__ import annotations

from pathlib import Path

from mldesk.desktop.states.model import first_rows


def test_the_files_own_cells_are_shown_as_they_are_there_and_predictions_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("zip,balance,prediction,probability_yes\n00501,21222.47,yes,0.25\n,n/a,no,1\n", "utf-8")
    page = first_rows(path, 10)
    assert page.columns == ("zip", "balance", "prediction", "probability_yes")
    assert page.rows == [["00501", "21222.47", "yes", 0.25], [None, "n/a", "no", 1.0]]
