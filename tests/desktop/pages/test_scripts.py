"""A script in the window: its parameters as a form, what it is started with, what it kept and what changed in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from mldesk.core.errors import BadInput
from mldesk.desktop.pages.runs.run_facts import data_facts, learns, settings
from mldesk.desktop.pages.runs.script_dialog import ScriptDialog
from mldesk.desktop.pages.runs.script_view import ScriptView
from mldesk.desktop.widgets import FormRow, Switch
from mldesk.workbench.scripts import ScriptOrder, read_settings
from tests.desktop.fake_workbench import make_run
from tests.desktop.loops import run, until


class Scripts:
    """The service, as far as the dialog and the view ask it."""

    def __init__(self, kept: Mapping[str, Any] | None = None, picture: Path | None = None) -> None:
        self.orders: list[ScriptOrder] = []
        self._kept, self._picture = dict(kept or {}), picture or Path()

    def settings(self, path: Path, entry: str = "") -> dict[str, Any]:
        return read_settings(path, entry)[1]

    def start(self, order: ScriptOrder) -> Any:
        self.orders.append(order)
        if order.parameters["rate"] == "quick":
            raise BadInput("The parameter 'rate' is a number, not 'quick'.")
        return make_run("01SCRIPT")

    def kept(self, _: str) -> dict[str, Any]:
        return self._kept

    def artifact_path(self, *_: str) -> Path:
        return self._picture

    def changes(self, _: str) -> tuple[str, str]:
        return "wave 123456", "-rate = 1\n+rate = 2\n"


class Shell:
    """The little of a window that they ask for."""

    def __init__(self, host: QWidget, scripts: Scripts) -> None:
        self.host = host
        self.opened: list[str] = []
        named = [SimpleNamespace(name="shop"), SimpleNamespace(name="other")]
        self.desk = SimpleNamespace(workbench=SimpleNamespace(
            scripts=scripts, datasets=SimpleNamespace(list=lambda: named),
            runners=SimpleNamespace(list=lambda: [SimpleNamespace(name="local")])), nudge=lambda: None)

    def open_run(self, run: str) -> None:
        self.opened.append(run)

    def allow_questions(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("")
    (tmp_path / "mldesk.toml").write_text('[parameters]\nrate = 0.5\nfast = true\n[inputs]\ntable = "shop"\n')
    return tmp_path


def test_parameters_are_a_form_and_go_into_the_order(qtbot: QtBot, folder: Path) -> None:
    async def work() -> None:
        host, scripts = QWidget(), Scripts()
        qtbot.addWidget(host)
        shell = Shell(host, scripts)
        dialog = ScriptDialog(shell, folder)   # type: ignore[arg-type]
        dialog.open()
        await until(lambda: "rate" in dialog._fields and dialog._tables)
        rows = {line._label.text(): line.editor for line in dialog.findChildren(FormRow)}
        rate, fast = rows["rate"], rows["fast"]
        assert isinstance(rate, QLineEdit) and isinstance(fast, Switch) and fast.isChecked()
        rate.setText("quick")
        fast.setChecked(False)
        dialog._tables["table"].set_value("other")
        dialog.primary.click()
        await until(lambda: dialog._error_text.text())
        assert "is a number" in dialog._error_text.text() and dialog.isVisible()
        rate.setText("0.25")
        dialog.primary.click()
        await until(lambda: shell.opened)
        order = scripts.orders[-1]
        assert (order.parameters, order.inputs, order.runner) == ({"rate": "0.25", "fast": "false"}, {"table": "other"},
                                                                  "local")
        assert shell.opened == ["01SCRIPT"] and not dialog.isVisible()

    assert not run(work())


def test_a_folder_that_cannot_be_run_says_why(qtbot: QtBot, tmp_path: Path) -> None:
    async def work() -> None:
        host = QWidget()
        qtbot.addWidget(host)
        dialog = ScriptDialog(Shell(host, Scripts()), tmp_path)   # type: ignore[arg-type]
        dialog.open()
        await until(lambda: dialog._error_text.text())
        assert "Which program" in dialog._error_text.text() and not dialog.primary.isEnabled()
        dialog.close()

    assert not run(work())


def test_pictures_are_shown_files_can_be_saved_and_changes_are_told(qtbot: QtBot, tmp_path: Path) -> None:
    async def work() -> None:
        host = QWidget()
        qtbot.addWidget(host)
        host.resize(20, 20)
        host.grab().save(str(tmp_path / "plot.png"))
        kept = {name: {"digest": "0" * 64, "size": 100, "kind": "bytes"} for name in ("plot.png", "table")}
        view = ScriptView(Shell(host, Scripts(kept, tmp_path / "plot.png")), "01SCRIPT")   # type: ignore[arg-type]
        qtbot.addWidget(view)
        view.show()
        view.refresh()
        await until(lambda: "+rate = 2" in view.diff.toPlainText())
        assert view._gallery.flow.count() == 1 and view.pictures.isVisible()
        assert "Since wave 123456" in view._before.text()
        view.cancel_tasks()

    assert not run(work())


def test_facts_of_a_script_name_its_program_and_its_tables() -> None:
    script = make_run(kind="script", result=None, spec={"payload": {
        "entry": "train.py", "parameters": {"rate": 0.5}, "datasets": {"table": "shop@1"}, "requirements": ["numpy"],
        "script": "a" * 64}})
    assert learns(script) == "Script train.py, reads shop@1"
    assert ("rate", "0.5") in settings(script) and ("Environment", "numpy") in settings(script)
    assert data_facts(script) == [("table", "shop@1")]
