"""FormRow: a label, an editor, its unit, a line of help, and the reason why a value is refused."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import IconLabel, make_icon_button
from mldesk.desktop.widgets.text import make_label

_FIELDS = (QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit, QAbstractItemView, QSlider)


class FormRow(QWidget):
    """One entry of a form. Signals: ``reset`` when the way back to the default is pressed."""

    reset = Signal()

    def __init__(self, label: str, editor: QWidget, help: str = "", unit: str = "",  # noqa: A002 - the contract's name
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = editor
        self._error = ""
        self._label = make_label(label, "strong")
        self._label.setBuddy(editor)
        self._help = make_label(help, "caption", "muted", wrap=True)
        if not help:  # shown before it has a parent, a label would be a window of its own
            self._help.hide()
        self._reset = make_icon_button("undo", self.tr("Back to the default"), size=13)
        keep = QSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        keep.setRetainSizeWhenHidden(True)
        self._reset.setProperty("tiny", True)
        self._reset.setSizePolicy(keep)
        self._reset.setVisible(False)
        self._reset.clicked.connect(self.reset)
        self._described = _name(editor, f"{label} ({unit})" if unit else label)
        self._describe(help)
        self._build(unit)

    def _describe(self, text: str) -> None:
        for field in self._described:
            field.setAccessibleDescription(text)

    def _build(self, unit: str) -> None:
        head = QHBoxLayout()
        head.setSpacing(Space.XS)
        head.addWidget(self._label)
        head.addWidget(self._reset)
        head.addStretch(1)
        line = QHBoxLayout()
        line.setSpacing(Space.S)
        stretches = self.editor.sizePolicy().horizontalPolicy() in (
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Preferred)
        line.addWidget(self.editor, 1 if stretches else 0)
        if unit:
            line.addWidget(make_label(unit, "body", "muted"))
        if not stretches:
            line.addStretch(1)
        self._problem = QWidget()
        self._problem_text = make_label("", "caption", "danger", wrap=True)
        problem = QHBoxLayout(self._problem)
        problem.setContentsMargins(0, 0, 0, 0)
        problem.setSpacing(Space.XS + 1)
        problem.addWidget(IconLabel("error", "danger", 13))
        problem.addWidget(self._problem_text, 1)
        self._problem.setVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addLayout(head)
        layout.addLayout(line)
        layout.addWidget(self._problem)
        layout.addWidget(self._help)
        layout.addStretch(1)

    def error(self) -> str:
        """Return why the value is refused, "" if it is not."""
        return self._error

    def set_error(self, text: str) -> None:
        """Say why the value is refused; an empty text takes the error away."""
        if text == self._error:
            return
        self._error = text
        self._problem_text.setText(text)
        self._problem.setVisible(bool(text))
        self.editor.setProperty("invalid", bool(text))
        self._describe(text or self._help.text())
        theme.repolish(self.editor)

    def set_help(self, text: str) -> None:
        """Give another line of help."""
        self._help.setText(text)
        self._help.setVisible(bool(text))
        if not self._error:
            self._describe(text)

    def set_resettable(self, on: bool) -> None:
        """Show the way back to the default."""
        self._reset.setVisible(on)


def _name(editor: QWidget, name: str) -> list[QWidget]:
    """Give an editor its name, and the fields in it that have none: a screen reader speaks of who has the keys."""
    fields = [field for field in editor.findChildren(QWidget) if isinstance(field, _FIELDS) and not
              field.accessibleName() and not isinstance(field.parentWidget(), (QAbstractSpinBox, QComboBox))]
    for named in (editor, *fields):
        named.setAccessibleName(name)
    return [editor, *fields]
