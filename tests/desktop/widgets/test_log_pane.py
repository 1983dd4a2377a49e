"""A log narrowed to warnings or errors, searched, and gone through from error to error."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from mldesk.core.log_levels import Level, level_of
from mldesk.desktop.widgets import LogPane, LogView, why_disabled

TEXT = """12:00:01  accepted by the runner
12:00:02  warning: The disk is nearly full.
12:00:03  epoch 1, loss 0.5, 0 errors
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    step()
ValueError: epoch must be positive
12:00:04  epoch 2
12:00:05  failed: The program ended with code 1.
"""


def shown(log: LogView) -> list[str]:
    block, found = log.document().begin(), []
    while block.isValid():
        if block.isVisible() and block.text():
            found.append(block.text())
        block = block.next()
    return found


@pytest.fixture
def pane(qtbot: QtBot) -> LogPane:
    made = LogPane(LogView(lines=50))
    qtbot.addWidget(made)
    made.resize(640, 300)
    made.show()
    return made


@pytest.mark.parametrize(("line", "level"), [
    ("loss 0.5", Level.INFO), ("0 errors, no warnings", Level.INFO), ("UserWarning: x", Level.WARNING),
    ("WARN disk", Level.WARNING), ("KeyError: 'x'", Level.ERROR), ("[ERROR] x", Level.ERROR), ("terror", Level.INFO),
    ("validation_error_rate 0.2", Level.INFO), ("  indented", Level.INFO)])
def test_the_level_of_a_line_is_in_its_words(line: str, level: Level) -> None:
    assert level_of(line) is level


def test_a_log_is_narrowed_to_its_warnings_and_errors_as_it_grows(pane: LogPane) -> None:
    log = pane.log
    assert "No line says an error" in why_disabled(pane.error)
    for start in range(0, len(TEXT), 7):   # in pieces, as a runner gives them
        log.append_text(TEXT[start:start + 7])
    lines = TEXT.splitlines()
    assert shown(log) == lines and pane.error.isEnabled()
    pane.level.set_value(Level.WARNING)
    assert shown(log) == [lines[1], *lines[3:7], lines[8]]   # a traceback with all its lines
    pane.level.set_value(Level.ERROR)
    log.append_text("calm\nRuntimeError: again\n")
    assert shown(log) == [*lines[3:7], lines[8], "RuntimeError: again"]
    pane.level.set_value(Level.INFO)
    assert shown(log) == [*lines, "calm", "RuntimeError: again"] and log.toPlainText().startswith(TEXT)
    log.append_text("x\n" * 200)   # the oldest lines go
    pane.level.set_value(Level.ERROR)
    assert shown(log) == [] and not log.to_next_error()


def test_errors_are_gone_through_and_words_are_found(pane: LogPane, qtbot: QtBot) -> None:
    log = pane.log
    log.append_text(TEXT)
    at = []
    for _ in range(3):
        pane.error.click()
        at.append(log.textCursor().selectedText()[:9])
    assert at == ["Traceback", "12:00:05 ", "Traceback"]   # past the end to the first
    pane.search.setText("EPOCH")
    qtbot.keyClick(pane.search, Qt.Key.Key_Return)
    assert pane.said.text() == "3 lines" and log.textCursor().selectedText() == "epoch"
    places = [log.textCursor().blockNumber()]
    for _ in range(3):
        qtbot.keyClick(pane.search, Qt.Key.Key_Return)
        places.append(log.textCursor().blockNumber())
    assert sorted(places[:3]) == [2, 6, 7] and places[3] == places[0]
    pane.level.set_value(Level.ERROR)
    assert pane.said.text() == "1 line" and log.textCursor().blockNumber() == 6
    pane.search.setText("nowhere")
    qtbot.keyClick(pane.search, Qt.Key.Key_Return)
    assert pane.said.text() == "Nothing found"
