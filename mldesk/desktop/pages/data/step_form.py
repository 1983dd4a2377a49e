"""The form of one step of a recipe, generated from its declaration in ``mldesk.data``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from mldesk.core.errors import BadInput
from mldesk.desktop import theme
from mldesk.desktop.pages.column_choice import ColumnBox, ColumnList
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, Segmented, make_button, make_icon_button, make_label
from mldesk.wire.schema import Column, ColumnType

if TYPE_CHECKING:
    from mldesk.data.recipes.steps import Field, StepKind

_EXAMPLE = "def step(frame):\n    return frame\n"  # what code begins with
_SEGMENTS = 3  # choices up to which they stand side by side


class PairEditor(QWidget):
    """Old and new, pair by pair. ``names``: the old one is a column. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, columns: Sequence[Column], *, names: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns, self._names = columns, names
        self._pairs: list[tuple[Any, QLineEdit, QWidget]] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(Space.XS)
        more = make_button(self.tr("One more"), "ghost", "plus", small=True)
        more.clicked.connect(lambda _checked=False: self._add())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addLayout(self._rows)
        foot = QHBoxLayout()
        foot.addWidget(more)
        foot.addStretch(1)
        layout.addLayout(foot)
        self._add()

    def values(self) -> dict[str, Any]:
        """Return {old: new}; an empty new value of a replacement means missing."""
        found: dict[str, Any] = {}
        for old, new, _ in self._pairs:
            key = old.value() if isinstance(old, ColumnBox) else old.text()
            if key:
                found[key] = new.text() if self._names or new.text() else None
        return found

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these pairs."""
        for pair in tuple(self._pairs):
            self._remove(pair)
        for old, new in values.items():
            self._add(str(old), "" if new is None else str(new))
        if not values:
            self._add()

    def _add(self, old: str = "", new: str = "") -> None:
        left: ColumnBox | QLineEdit
        if self._names:
            left = ColumnBox(self._columns)
            left.set_value(old)
            left.changed.connect(lambda _: self.changed.emit())
        else:
            left = QLineEdit(old)
            left.setPlaceholderText(self.tr("old value"))
            left.textChanged.connect(lambda _: self.changed.emit())
        left.setAccessibleName(self.tr("Old name") if self._names else self.tr("Old value"))
        right = QLineEdit(new)
        right.setPlaceholderText(self.tr("new name") if self._names else self.tr("missing"))
        right.setAccessibleName(self.tr("New name") if self._names else self.tr("New value"))
        right.textChanged.connect(lambda _: self.changed.emit())
        away = make_icon_button("close", self.tr("Remove"), size=13)
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addWidget(left, 1)
        layout.addWidget(make_label("→", tone="muted"))
        layout.addWidget(right, 1)
        layout.addWidget(away)
        pair = (left, right, line)
        away.clicked.connect(lambda: self._remove(pair))
        self._pairs.append(pair)
        self._rows.addWidget(line)
        self.changed.emit()

    def _remove(self, pair: tuple[Any, QLineEdit, QWidget]) -> None:
        self._pairs.remove(pair)
        self._rows.removeWidget(pair[2])
        pair[2].hide()
        pair[2].deleteLater()
        self.changed.emit()


class StepForm(QWidget):
    """One row per field of a step. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, kind: StepKind, columns: Sequence[Column], step: Mapping[str, Any] | None = None,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self._types = {column.name: column.type for column in columns}
        self._columns = columns
        self._read: dict[str, Callable[[], Any]] = {}
        self._rows: dict[str, FormRow] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        for field in kind.fields:
            given = (step or {}).get(field.name, field.default)
            row = FormRow(field.title, self._editor(field, given), field.help)
            self._rows[field.name] = row
            layout.addWidget(row)
        self.changed.connect(self._show_rows)
        self._show_rows()

    def step(self) -> dict[str, Any]:
        """Return the step as filled in. Raises BadInput that says what is missing."""
        from mldesk.data.recipes.steps import check_steps

        made: dict[str, Any] = {"step": self.kind.name}
        for field in self.kind.fields:
            if self._rows[field.name].isHidden():
                continue
            value = self._read[field.name]()
            if field.required and value in (None, "", [], {}):
                raise BadInput(self._lacks(field))
            if value not in (None, "", [], {}) or field.required or field.kind in ("value", "text"):
                made[field.name] = value
        if "value" in made:
            # whose cells it is compared with
            of = [made["target"]] if made.get("target") else made.get("columns") or ()
            made["value"] = self._typed(str(made["value"]), of)
            if made["value"] == "" and "target" in made:  # nobody gave one
                del made["value"]
        return dict(check_steps([made])[0])

    def _lacks(self, field: Field) -> str:
        if field.kind in ("columns", "column"):
            return self.tr("Choose at least one column.") if field.kind == "columns" else \
                self.tr("{field}: choose a column.").format(field=field.title)
        return self.tr("{field}: fill this in.").format(field=field.title)

    def _show_rows(self) -> None:
        """A value of one's own is asked for only where it is used."""
        if "value" in self._rows and "with" in self._read:
            self._rows["value"].setVisible(self._read["with"]() == "constant")

    def _typed(self, text: str, columns: Sequence[str]) -> Any:
        kinds = {self._types.get(name) for name in columns}
        if kinds == {ColumnType.BOOLEAN} and text.casefold() in ("true", "false"):
            return text.casefold() == "true"
        if kinds <= {ColumnType.INTEGER, ColumnType.NUMBER}:
            for read in (int, float):
                try:
                    return read(text)
                except ValueError:
                    continue
        return text

    def _editor(self, field: Field, given: Any) -> QWidget:
        makers: dict[str, Callable[[Field, Any], QWidget]] = {
            "columns": self._columns_editor, "column": self._column_editor, "choice": self._choice_editor,
            "names": self._pairs_editor, "values": self._pairs_editor, "code": self._code_editor}
        return makers.get(field.kind, self._text_editor)(field, given)

    def _columns_editor(self, field: Field, given: Any) -> QWidget:
        editor = ColumnList(self._columns)
        if given:
            editor.set_values(given)
        editor.changed.connect(self.changed)
        self._read[field.name] = editor.values
        return editor

    def _column_editor(self, field: Field, given: Any) -> QWidget:
        editor = ColumnBox(self._columns)
        editor.set_value(str(given or ""))
        editor.changed.connect(lambda _: self.changed.emit())
        self._read[field.name] = editor.value
        return editor

    def _choice_editor(self, field: Field, given: Any) -> QWidget:
        options = [(choice, choice.replace("_", " ")) for choice in field.choices]
        given = field.chosen(given)
        editor: Segmented | ComboBox
        if len(options) <= _SEGMENTS:
            editor = Segmented(options, given)
            editor.changed.connect(lambda _: self.changed.emit())
        else:
            editor = ComboBox(options, given)
            editor.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._read[field.name] = editor.value
        return editor

    def _pairs_editor(self, field: Field, given: Any) -> QWidget:
        editor = PairEditor(self._columns, names=field.kind == "names")
        if given:
            editor.set_values(given)
        editor.changed.connect(self.changed)
        self._read[field.name] = editor.values
        return editor

    def _code_editor(self, field: Field, given: Any) -> QWidget:
        editor = QPlainTextEdit(str(given or _EXAMPLE))
        editor.setFont(theme.font("mono"))
        editor.setTabChangesFocus(True)  # code is indented by spaces; Tab leaves, as everywhere
        editor.setMinimumHeight(theme.px(190))
        editor.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        editor.textChanged.connect(self.changed)
        self._read[field.name] = editor.toPlainText
        return editor

    def _text_editor(self, field: Field, given: Any) -> QWidget:
        editor = QLineEdit(_as_text(given))
        if field.kind == "expression":
            editor.setFont(theme.font("mono"))
        editor.textChanged.connect(lambda _: self.changed.emit())
        # Spaces may be all that a text is made of: the separator of a split.
        self._read[field.name] = editor.text if field.kind == "text" else lambda: editor.text().strip()
        return editor


def _as_text(given: Any) -> str:
    """Write a field's value as its line takes it: lists of texts with commas, cells as JSON."""
    if isinstance(given, list):
        plain = all(isinstance(item, (str, int)) for item in given)
        return ", ".join(map(str, given)) if plain else json.dumps(given, ensure_ascii=False)
    return "" if given is None else str(given)
