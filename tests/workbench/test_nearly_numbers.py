"""A column of numbers that one stray word made text is said before it is learned from as categories."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mldesk.app import open_workbench
from mldesk.workbench.orders import TrainOrder

ORDER = TrainOrder("t", "y", task="tabular_classification")


def test_training_says_which_word_makes_numbers_categories(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b,y\n" + "".join(f"{'oops' if row == 16 else row + 0.5},{row % 7},{row % 2}\n"
                                         for row in range(500)))
    with open_workbench(tmp_path / "home") as bench:
        bench.datasets.import_files([table], "t")
        told = [advice.text for advice in bench.runs.check(ORDER).advice if advice.level == "warning"]
        assert len(told) == 1 and told[0].startswith(
            "'a' is text, but 499 of 500 cells are numbers: 'oops' in row 17. Clean it (cast), or leave it out")
        for order in (replace(ORDER, without=("a",)), replace(ORDER, target="")):   # refused: nothing is looked at
            assert not any("cells" in advice.text for advice in bench.runs.check(order).advice)
