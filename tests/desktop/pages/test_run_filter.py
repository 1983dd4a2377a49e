"""What narrows the list of runs in the window, views of it by name, and what a person says of runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from mldesk.core.run_filter import RunFilter
from mldesk.desktop.pages.runs.run_filter import RunFilterBar
from mldesk.desktop.pages.runs.run_filter_dialog import RunFilterDialog
from mldesk.desktop.pages.runs.run_labels import LabelsDialog
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.lists import RunList
from tests.desktop.fake_workbench import FakeWorkbench, make_run
from tests.desktop.loops import run
from tests.desktop.pages.test_run_page import FakeShell


class Shell(FakeShell):
    """With a workbench, and a window to open dialogs over."""

    def __init__(self, folder: Path, host: QWidget) -> None:
        super().__init__(folder)
        self.bench = FakeWorkbench()
        self.desk = Desk(lambda: self.bench)  # type: ignore[arg-type,return-value]
        self.desk._workbench = self.bench  # type: ignore[assignment]
        self.host = host


@pytest.fixture
def shell(qtbot: QtBot, tmp_path: Path) -> Shell:
    host = QWidget()
    qtbot.addWidget(host)
    return Shell(tmp_path, host)


@pytest.fixture
def bar(qtbot: QtBot, shell: Shell) -> RunFilterBar:
    state = RunList(shell.desk)
    state.labels = ({"good": 2}, {"first": 1}, ("table",))
    made = RunFilterBar(shell, state)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    return made


def test_every_choice_narrows_the_list_and_a_second_time_widens_it(bar: RunFilterBar, qtbot: QtBot) -> None:
    assert [entry.title for entry in bar.filters()] == [
        "good (2)", "", "first", "", "table", "", "By target, model, score…"]
    with qtbot.waitSignal(bar.changed):
        bar.filters()[0].act()
    bar.filters()[4].act()
    bar.which.set_value("succeeded")
    bar.which.changed.emit("succeeded")
    assert bar._state.wanted == RunFilter(states=("succeeded",), tags=("good",), dataset="table")
    assert bar.said.text() == "Shown: tag good, dataset table" and bar.filters()[0].icon == "check"
    bar.filters()[0].act()
    assert bar._state.wanted.tags == ()
    bar.show_wanted(RunFilter())
    assert bar.which.value() == "all" and bar._line.isHidden()


def test_a_view_keeps_how_the_list_was_sorted(bar: RunFilterBar, shell: Shell) -> None:
    kept: list[RunFilter] = []
    shell.bench.book.save_view = lambda _name, wanted: kept.append(wanted)  # type: ignore[attr-defined]
    bar.sorted_by = lambda: "-Score"
    bar._want(group="first")

    async def main() -> None:
        await bar._save.__wrapped__(bar, QDialog(shell.host), "mine")  # type: ignore[attr-defined]

    run(main())
    wanted, = kept
    assert wanted == RunFilter(group="first") and RunFilter.from_json(wanted.to_json()).sort == "-Score"
    told: list[RunFilter] = []
    bar.changed.connect(told.append)
    bar.show_wanted(wanted)
    bar._want(dataset="table")   # whatever else the user sorts by meanwhile is left alone
    assert [one.sort for one in told] == ["-Score", ""]


def test_what_the_menu_has_no_room_for_is_asked_in_a_dialog(shell: Shell, qtbot: QtBot) -> None:
    facets = {"dataset": ["table"], "target": [f"column {number}" for number in range(40)], "estimator": ["linear"],
              "kind": ["train", "search"], "group": [], "tag": ["a", "b"], "metric": ["roc_auc"]}
    dialog = RunFilterDialog(RunFilter(text="pear", group="gone", tags=("b",)), facets, shell.host)
    dialog.boxes["target"].set_value("column 39")
    dialog.boxes["kind"].set_value("search")
    dialog.scores.setText("ROC AUC >= 0.9, nonsense")
    dialog.confirmed.emit()
    assert dialog.chosen.target == "" and dialog.result() == 0   # it says what is wrong, and stays
    dialog.scores.setText("ROC AUC >= 0.9, own_score<3")
    with qtbot.waitSignal(dialog.accepted):
        dialog.confirmed.emit()
    assert dialog.chosen == RunFilter(text="pear", group="gone", tags=("b",), target="column 39", kind="search",
                                      scores=("roc_auc>=0.9", "own_score<3"))


def test_a_view_is_shown_with_all_it_wants(bar: RunFilterBar) -> None:
    save, remove = bar.view_entries()
    assert "Narrow it first" in save.why_not and "not show a saved view" in remove.why_not
    wanted = RunFilter(text="pear", states=("failed",), group="first")
    bar._state.views = {"mine": wanted}
    bar.view_entries()[0].act()
    assert (bar._state.wanted, bar.search.text()) == (wanted, "pear")
    assert bar.said.text() == "Shown: group first, failed"
    assert bar.view_entries()[0].icon == "check" and not bar.view_entries()[-1].why_not


def test_an_answer_to_what_is_not_wanted_any_more_is_dropped(shell: Shell) -> None:
    shell.bench.runs.add(make_run())
    state = RunList(shell.desk)

    async def main() -> None:
        def find(wanted: RunFilter, *, limit: int) -> list[object]:
            state.wanted = replace(wanted, text="other")
            return []

        await state.refresh()
        shell.bench.book.find = find  # type: ignore[method-assign]
        await state.refresh()

    assert run(main()) == []
    assert [item.id for item in state.runs.value or ()] == ["01RUN"]
    assert state.labels[2] == ("table",)


def test_what_is_said_of_one_run_replaces_and_of_several_adds(shell: Shell, qtbot: QtBot) -> None:
    said: list[object] = []
    shell.bench.book.annotate = lambda key, **fields: said.append((key, fields))  # type: ignore[attr-defined]
    shell.bench.book.tag = lambda keys, tags: said.append((keys, tags))  # type: ignore[attr-defined]
    one = make_run(tags=("old",), group="first", note="So so.")
    dialog = LabelsDialog(shell, [one], ["first"])  # type: ignore[arg-type]
    dialog.tags.setText("old, new, ")
    dialog._write()
    assert said == [("01RUN", {"name": "a run", "note": "So so.", "group": "first", "tags": ["old", "new"]})]
    said.clear()
    many = LabelsDialog(shell, [one, make_run("02RUN")], [])  # type: ignore[arg-type]
    many.tags.setText("both")
    many._write()
    assert said == [(["01RUN", "02RUN"], ["both"])]
