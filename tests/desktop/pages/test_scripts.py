"""A script in the window: its parameters as a form, what it is started with, what it kept and what changed in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.run_facts import data_facts, learns, settings
from mldesk.desktop.pages.runs.script_dialog import ScriptDialog
from mldesk.desktop.pages.runs.script_editor import ScriptEditor
from mldesk.desktop.pages.runs.script_view import ScriptView, newest_first, read_histograms
from mldesk.desktop.pages.runs.table_choice import TableChoice
from mldesk.desktop.widgets import FormRow, Switch, why_disabled
from mldesk.library.records import Run
from tests.desktop.fake_workbench import make_run, make_version

SETTINGS = {"entry": "train.py", "parameters": {"rate": 0.5, "fast": True}, "inputs": {"table": "shop"},
            "requirements": ["numpy"], "files": 2, "bytes": 1200}


@pytest.fixture
def host(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> QWidget:
    monkeypatch.setattr(ScriptDialog, "_read", lambda _: None)   # what it would have read is given
    monkeypatch.setattr(ScriptDialog, "_read_versions", lambda *_: None)
    found = QWidget()
    qtbot.addWidget(found)
    return found


def make_dialog(host: QWidget, again: Run | None = None) -> ScriptDialog:
    dialog = ScriptDialog(SimpleNamespace(host=host), Path("wave"), again)   # type: ignore[arg-type]
    dialog.show_settings(SETTINGS)
    return dialog


def editors(dialog: ScriptDialog) -> dict[str, Any]:
    return {line._label.text(): line.editor for line in dialog.findChildren(FormRow)}


def test_parameters_are_a_form_and_go_into_the_order(host: QWidget) -> None:
    dialog = make_dialog(host)
    rate, fast = editors(dialog)["rate"], editors(dialog)["fast"]
    assert isinstance(rate, QLineEdit) and isinstance(fast, Switch) and fast.isChecked()
    rate.setText("0.25")
    fast.setChecked(False)
    dialog.name.setText(" second ")
    order = dialog.order()
    assert (order.parameters, order.inputs) == ({"rate": "0.25", "fast": "false"}, {"table": "shop"})
    assert (order.folder, order.runner, order.name, order.entry) == (Path("wave"), "local", "second", "")


def test_what_a_script_is_stands_there_until_one_is_chosen(host: QWidget, tmp_path: Path) -> None:
    dialog = ScriptDialog(SimpleNamespace(host=host), None)   # type: ignore[arg-type]
    dialog.show()
    assert dialog._about.isVisible() and not dialog._rest.isVisible() and not dialog.alone.isVisible()
    assert "Choose a folder" in why_disabled(dialog.primary)
    dialog.place.setText(str(tmp_path / "fit.py"))
    dialog.place.editingFinished.emit()
    assert why_disabled(dialog.primary) == "Reading the script…"   # Enter runs nothing that was there before
    dialog.when.times.setValue(2)
    assert why_disabled(dialog.primary) == "Reading the script…"
    dialog._allow()                        # it was read
    assert dialog.primary.isEnabled()
    dialog.when.kind.set_value("at")
    dialog.when.moment.set_value(1000.0)
    assert "a moment to come" in why_disabled(dialog.primary)
    dialog.when.kind.set_value("now")
    assert dialog.primary.isEnabled()
    dialog._show_parts()
    assert dialog.alone.isVisible() and dialog._rest.isVisible() and not dialog._about.isVisible()
    dialog.alone.setChecked(True)
    dialog.show_settings({**SETTINGS, "files": 1})
    assert dialog.order().folder == tmp_path / "fit.py" and dialog.order().alone
    told = [label.text() for label in dialog.findChildren(QLabel)]
    assert "Runs train.py. 1 file, 1 kB, goes along." in told
    assert "In an environment of its own, with numpy." in told
    dialog.take(tmp_path)
    dialog._show_parts()
    assert not dialog.alone.isVisible() and not dialog.order().alone
    dialog.close()


def test_run_again_begins_with_what_the_run_was_given(host: QWidget) -> None:
    run = make_run(kind="script", name="wave", spec={"payload": {
        "entry": "sub/train.py", "parameters": {"rate": 3.0, "fast": False}, "datasets": {"table": "other@2"}}})
    order = make_dialog(host, run).order()
    assert (order.parameters, order.inputs) == ({"rate": "3.0", "fast": "false"}, {"table": "other@2"})
    assert (order.name, order.entry) == ("wave", "sub/train.py")


def test_a_version_of_a_dataset_can_be_chosen(qtbot: QtBot, host: QWidget) -> None:
    asked: list[str] = []
    dialog = make_dialog(host)
    table = dialog._tables["table"]
    table.wants_versions.connect(asked.append)
    assert dialog.order().inputs == {"table": "shop"}
    table.show_versions("other", [make_version(9, name="other")])   # an answer that came too late
    table.show_versions("shop", [make_version(1, name="shop"), make_version(2, name="shop"),
                                 replace(make_version(3, name="shop"), purged=2.0)])
    words = [table.version.itemText(index) for index in range(table.version.count())]
    assert words == ["the newest", "2 · 100 rows, table.csv", "1 · 100 rows, table.csv"]
    table.version.setCurrentIndex(2)
    assert dialog.order().inputs == {"table": "shop@1"}
    table.dataset.set_options([("shop", "shop"), ("b@side", "b@side")], "shop")
    table.dataset.setCurrentIndex(1)      # of another dataset the newest, until one is chosen
    assert (asked, dialog.order().inputs) == (["b@side"], {"table": "b@side"})


def test_a_version_that_was_named_stays_chosen_once_the_versions_are_known(qtbot: QtBot) -> None:
    table = TableChoice(["shop"], "shop@2")
    qtbot.addWidget(table)
    assert table.reference() == "shop@2"
    table.show_versions("shop", [make_version(1, name="shop"), make_version(2, name="shop")])
    assert table.reference() == "shop@2" and table.version.currentText() == "2 · 100 rows, table.csv"
    gone = TableChoice([], "gone@7")
    qtbot.addWidget(gone)
    assert gone.reference() == "gone@7"


def test_pictures_are_shown_and_files_can_be_saved(qtbot: QtBot, host: QWidget, tmp_path: Path) -> None:
    host.resize(20, 20)
    host.grab().save(str(tmp_path / "plot.png"))
    (tmp_path / "none.png").write_text("no picture")
    view = ScriptView(SimpleNamespace(host=host), "01SCRIPT")   # type: ignore[arg-type]
    qtbot.addWidget(view)
    names = ("plot.png", "none.png", "table")
    view.show_kept({name: {"digest": "0" * 64, "size": 100, "kind": "bytes"} for name in names},
                   {name: tmp_path / name for name in names[:2]})
    assert view._gallery.flow.count() == 1 and not view.pictures.isHidden()
    assert view.files.body.count() == 3
    view.changes.show_changes("wave 123456", "-rate = 1\n+rate = 2\n")
    assert "Since wave 123456" in view.changes.since.text() and "+rate = 2" in view.changes.diff.toPlainText()


def test_of_numbered_pictures_the_newest_of_each_name_come_first() -> None:
    names = ["plot.png", "pictures/a/1.png", "pictures/a/9.png", "pictures/a/10.png", "pictures/b/2.png"]
    assert newest_first(names) == ["plot.png", "pictures/a/10.png", "pictures/b/2.png", "pictures/a/9.png",
                                   "pictures/a/1.png"]


def test_histograms_are_drawn_by_name_and_damaged_ones_left_out(qtbot: QtBot, host: QWidget, tmp_path: Path) -> None:
    path = tmp_path / "histograms.json"
    path.write_text('{"w": [{"step": 1, "edges": [0, 1, 2], "counts": [3, 1]}, {"step": 2}], "x": 3}')
    assert read_histograms(path) == {}
    path.write_text('{"w": [{"step": 1, "edges": [0, 1, 2], "counts": [3, 1]}, {"step": 2}], "x": []}')
    view = ScriptView(SimpleNamespace(host=host), "01SCRIPT", script=False)   # type: ignore[arg-type]
    qtbot.addWidget(view)
    view.show_histograms(read_histograms(path))
    assert not view.spread.isHidden() and view.changes.isHidden() and view._tag.count() == 1
    assert view.ridges.accessibleDescription() == "1 steps; at step 1 the values lie between 0 and 2"
    assert not view.ridges.grab().isNull()


def test_facts_of_a_script_name_its_program_and_its_tables() -> None:
    script = make_run(kind="script", result=None, spec={"payload": {
        "entry": "train.py", "parameters": {"rate": 0.5}, "datasets": {"table": "shop@1"}, "requirements": ["numpy"],
        "script": "a" * 64}})
    assert learns(script) == "Script train.py, reads shop@1"
    assert ("rate", "0.5") in settings(script) and ("Environment", "numpy") in settings(script)
    assert data_facts(script) == [("table", "shop@1")]


def test_facts_of_a_search_name_its_folds_instead_of_validation_rows() -> None:
    split = {"method": "random", "validation_size": 0.15}
    found = make_run(kind="search", spec={"payload": {"train": {"split": split}}},
                     result={"rows": {"train": 5756, "validation": 1016, "test": 1693}, "folds": 5})
    said = data_facts(found)
    assert ("Training rows", "6,772 in 5 folds") in said and ("Split", "at random, the rest in 5 folds") in said
    assert "Validation rows" not in dict(said)


def test_a_file_with_changes_is_neither_left_nor_closed_unasked(qtbot: QtBot, host: QWidget, tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text("rate = 1\n")
    (tmp_path / "mldesk.toml").write_text("")
    monkeypatch.setattr(ScriptEditor, "_read", lambda _: None)   # what it would have read is given
    editor = ScriptEditor(host, tmp_path, "train.py")
    editor.show()
    editor.show_text("rate = 1\u00a0\n")
    assert why_disabled(editor.primary) == "Nothing is changed."
    editor.text.setPlainText("rate = 2\n")
    assert editor.primary.isEnabled()
    editor.files.setCurrentIndex(1)
    assert editor.files.value() == "train.py" and editor.text.toPlainText() == "rate = 2\n"
    editor.reject()
    assert editor.isVisible()
    editor.reject()
    assert not editor.isVisible()
