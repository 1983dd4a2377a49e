"""The field for SQL: words it offers, and what was run before."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.data.sql_field import SqlField


@pytest.mark.qt_log_ignore("This plugin does not support")   # a list that pops up offscreen
def test_columns_and_keywords_are_completed(qtbot: QtBot) -> None:
    field = SqlField()
    qtbot.addWidget(field)
    field.show()
    field.set_columns(["tenure", "total charges", "order"])
    QTest.keyClicks(field, "sel")
    assert field.completer.currentCompletion() == "SELECT"
    field.completer.activated.emit("SELECT")
    assert field.toPlainText() == "SELECT"
    QTest.keyClicks(field, ' "to')
    assert field.completer.currentCompletion() == '"total charges"'
    field.completer.activated.emit('"total charges"')
    assert field.toPlainText() == 'SELECT "total charges"'
    field.list.hide()


def test_what_was_run_comes_back(qtbot: QtBot) -> None:
    field = SqlField()
    qtbot.addWidget(field)
    for sql in ("SELECT 1", "SELECT 2", "SELECT 2"):
        field.remember(sql)
    for key, sql in ((Qt.Key.Key_Up, "SELECT 2"), (Qt.Key.Key_Up, "SELECT 1"), (Qt.Key.Key_Up, "SELECT 1"),
                     (Qt.Key.Key_Down, "SELECT 2")):
        QTest.keyClick(field, key, Qt.KeyboardModifier.ControlModifier)
        assert field.toPlainText() == sql
