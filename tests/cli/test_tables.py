"""Tables on narrow terminals: nothing goes without a word, and no word is broken."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.cli.arguments import Globals
from mldesk.cli.face import Face
from mldesk.cli.run_compare import _side_by_side


def _found(count: int) -> dict[str, Any]:
    return {"runs": [{"name": f"telco-gradient-boosting-{number}", "run": f"{number:026}", "seconds": 2.0}
                     for number in range(count)],
            "differs": {"parameter learning_rate": [0.1] * count}, "metrics": {"accuracy": [0.5] * count}, "best": {}}


def test_columns_that_do_not_fit_are_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    Face(Globals()).table(("run", "dataset", "when"), [("a-long-name", "another-name", "yesterday")],
                          spare=("when", "dataset"))
    said = capsys.readouterr()
    assert "yesterday" not in said.out
    assert said.err == "Too narrow for when: widen the terminal, or use --json.\n"


@pytest.mark.parametrize(("columns", "tables"), [("300", 1), ("90", 2), ("60", 3)])
def test_runs_that_do_not_fit_side_by_side_go_below_and_no_name_is_broken(
        columns: str, tables: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    _side_by_side(Face(Globals()), _found(3))
    said = capsys.readouterr().out
    assert said.count("accuracy") == tables
    assert all(said.count(f"telco-gradient-boosting-{number}") == 1 for number in range(3))
    assert all(len(line) <= int(columns) for line in said.splitlines())
