"""Tables on narrow terminals: nothing goes without a word, and no word is broken."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from mldesk.cli.arguments import Globals
from mldesk.cli.face import Face
from mldesk.cli.run_compare import _side_by_side
from mldesk.cli.run_trial import trial


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
    assert said.err == "The terminal is too narrow for 1 more column (when): widen it, or use --json.\n"


def test_long_texts_are_cut_before_a_column_goes(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    Face(Globals()).table(("sample", "what it is", "rows"), [("sample:penguins", "Penguins " * 20, "344")],
                          right=("rows",), spare=("what it is",))
    said = capsys.readouterr()
    assert "what it is" in said.out
    assert "Penguins Penguins" in said.out
    assert "344" in said.out
    assert said.err == ""
    assert all(len(line) <= 60 for line in said.out.splitlines())


def test_rows_with_no_room_on_a_line_are_written_below_one_another(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    Face(Globals()).table(("column", "rows", "mean"), [("a-name-of-20-letters", "1,234,567", "0.5"), ("b", "7", "")],
                          right=("rows", "mean"))
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()] == [
        ["a-name-of-20-letters"], ["rows", "1,234,567"], ["mean", "0.5"], [], ["b"], ["rows", "7"]]
    assert said.err == ""


@pytest.mark.parametrize(("columns", "tables"), [("300", 1), ("90", 2), ("60", 3)])
def test_runs_that_do_not_fit_side_by_side_go_below_and_no_name_is_broken(
        columns: str, tables: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    _side_by_side(Face(Globals()), _found(3))
    said = capsys.readouterr().out
    assert said.count("Accuracy") == tables
    assert all(said.count(f"telco-gradient-boosting-{number}") == 1 for number in range(3))
    assert all(len(line) <= int(columns) for line in said.splitlines())


def test_into_a_file_or_another_program_all_columns_go_whole(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    row = [str(number) * 60 for number in range(5)]
    Face(Globals()).table("abcde", [row], spare="edcb")
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].split() == row
    assert said.err == ""


def test_all_trials_are_listed_once_the_run_is_up_to_date(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[dict[str, Any]] = []   # what the library knows

    def refresh(reference: str) -> list[str]:
        tried.extend({"number": number, "estimator": "linear", "metric": "accuracy", "score": 0.5}
                     for number in range(1, 21))
        return [f"The runner of {reference} is slow."]

    runs = SimpleNamespace(refresh=refresh, get=lambda reference: SimpleNamespace(id=reference))
    bench = SimpleNamespace(runs=runs, searches=SimpleNamespace(leaderboard=lambda reference: tried))
    monkeypatch.setattr(Face, "workbench", lambda self: nullcontext(bench))
    trial(cast(typer.Context, SimpleNamespace(obj=Face(Globals()))), "searched")
    said = capsys.readouterr()
    assert said.out.count("linear") == 20
    assert said.err == "! The runner of searched is slow.\n"
