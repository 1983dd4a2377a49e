"""The form of one step of a recipe, generated from its declaration in ``mldesk.data``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from mldesk.core.errors import BadInput
from mldesk.data.recipes.steps_used import is_used
from mldesk.desktop import theme
from mldesk.desktop.pages.column_choice import ColumnBox, ColumnList
from mldesk.desktop.pages.data.sql_field import EXPRESSION_WORDS, SqlField
from mldesk.desktop.pages.data.step_editors import CellsEditor, PairEditor, Ticks
from mldesk.desktop.step_choices import FILLED_IN, choice_words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, Segmented
from mldesk.desktop.widgets.table_model import number
from mldesk.desktop.words import tr
from mldesk.wire.schema import Column, ColumnType

if TYPE_CHECKING:
    from mldesk.data.recipes.steps import Field, StepKind

_EXAMPLE = "def step(frame):\n    return frame\n"  # what code begins with
_SEGMENTS, _LETTERS = 3, 34  # choices, and letters in all, up to which they stand side by side


class StepForm(QWidget):
    """One row per field of a step. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, kind: StepKind, columns: Sequence[Column], step: Mapping[str, Any] | None = None,
                 datasets: Mapping[str, Sequence[Column]] | None = None, parent: QWidget | None = None) -> None:
        """``datasets`` are the other datasets there are, with their columns, for steps that bring one in."""
        super().__init__(parent)
        self.kind = kind
        self._types = {column.name: column.type for column in columns}
        self._columns, self._datasets = columns, datasets or {}
        self._read: dict[str, Callable[[], Any]] = {}
        self._rows: dict[str, FormRow] = {}
        self._of_other: list[Callable[[Sequence[Column]], None]] = []   # told which columns the other dataset has
        self._started_with = (step or {}).get("dataset")   # its version is pinned
        self._kept = {name: value for name, value in (step or {}).items() if name in FILLED_IN}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        for field in kind.fields:
            if field.name in FILLED_IN:
                continue
            given = (step or {}).get(field.name, field.default)
            row = FormRow(field.title, self._editor(field, given), f"{field.help} {_range(field)}".strip())
            self._rows[field.name] = row
            layout.addWidget(row)
        self.changed.connect(self._show_rows)
        self._show_rows()

    def step(self) -> dict[str, Any]:
        """Return the step as filled in. Raises BadInput that says what is missing."""
        from mldesk.data.recipes.steps import check_steps

        made: dict[str, Any] = {"step": self.kind.name}
        for field in self.kind.fields:
            if field.name not in self._rows or self._rows[field.name].isHidden():
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
        self._refuse_half_done(made)
        if made.get("dataset") == self._started_with:
            made |= self._kept
        return dict(check_steps([made], written=True)[0])

    def _refuse_half_done(self, made: Mapping[str, Any]) -> None:
        """Say in the form's words what is missing besides the fields that are always needed."""
        if self.kind.name == "join" and not made.get("on") and not made.get("keys"):
            raise BadInput(self.tr("Choose the columns by which rows find their partners."))
        if self.kind.name == "edit" and not made.get("cells") and not made.get("remove"):
            raise BadInput(self.tr("Add a cell, or numbers of rows to take out."))
        if made.get("with") == "constant" and made.get("value") == "" and not any(
                self._types.get(name) is ColumnType.TEXT for name in made["columns"]):
            raise BadInput(self.tr("Write the value."))

    def _lacks(self, field: Field) -> str:
        if field.kind in ("columns", "column"):
            return self.tr("Choose at least one column.") if field.kind == "columns" else \
                self.tr("{field}: choose a column.").format(field=field.title)
        return self.tr("{field}: fill this in.").format(field=field.title)

    def _show_rows(self) -> None:
        """Ask only for what counts with the choices that are made."""
        for name, row in self._rows.items():
            row.setVisible(is_used(self.kind.name, name, self._read))

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
        if field.name == "dataset" and self._datasets:
            return self._dataset_editor(field, given)
        if field.kind == "texts" and (field.choices or (field.name == "take" and self._datasets)):
            return self._ticks(field, given)
        makers: dict[str, Callable[[Field, Any], QWidget]] = {
            "columns": self._columns_editor, "column": self._column_editor, "choice": self._choice_editor,
            "names": self._pairs_editor, "values": self._pairs_editor, "code": self._code_editor,
            "cells": self._cells_editor, "expression": self._expression_editor}
        return makers.get(field.kind, self._text_editor)(field, given)

    def _dataset_editor(self, field: Field, given: Any) -> QWidget:
        editor = QComboBox()
        editor.setEditable(True)
        editor.addItems(list(self._datasets))
        editor.setCurrentText(str(given or ""))
        line = editor.lineEdit()
        if line is not None:
            line.setPlaceholderText(self.tr("choose one, or write NAME@VERSION"))
        editor.currentTextChanged.connect(lambda _: self._on_dataset())
        self._read[field.name] = lambda: editor.currentText().strip()
        QTimer.singleShot(0, self, self._on_dataset)   # once the other editors are there
        return editor

    def _on_dataset(self) -> None:
        columns = self._datasets.get(self._read["dataset"]().rpartition("@")[0] or self._read["dataset"](), ())
        for tell in self._of_other:
            tell(columns)
        self.changed.emit()

    def _ticks(self, field: Field, given: Any) -> QWidget:
        editor: Ticks | ColumnList
        if field.choices:
            editor = Ticks(field.name, field.choices, given or ())
        else:
            editor = ColumnList(())
            self._of_other.append(lambda columns: _offer(editor, columns, given or ()))
        editor.changed.connect(self.changed)
        self._read[field.name] = editor.values
        return editor

    def _cells_editor(self, field: Field, given: Any) -> QWidget:
        editor = CellsEditor(self._columns, given or ())
        editor.changed.connect(self.changed)
        self._read[field.name] = editor.values
        return editor

    def _expression_editor(self, field: Field, given: Any) -> QWidget:
        editor = SqlField(EXPRESSION_WORDS)
        editor.setPlainText(str(given or ""))
        editor.setFont(theme.font("mono"))
        editor.setFixedHeight(theme.px(64))
        editor.setPlaceholderText(self.tr("Ctrl+Space offers columns and functions"))
        editor.set_columns([column.name for column in self._columns])
        editor.textChanged.connect(self.changed)
        self._read[field.name] = lambda: editor.toPlainText().strip()
        return editor

    def _columns_editor(self, field: Field, given: Any) -> QWidget:
        editor = ColumnList(self._columns)
        if given:
            editor.set_values(given)
        if self.kind.name == "join" and self._datasets:   # only what both have can be the same
            self._of_other.append(lambda columns: _offer(editor, [
                column for column in self._columns if column.name in {one.name for one in columns}], given or ()))
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
        options = [(choice, choice_words(field.name, choice)) for choice in field.choices]
        given = field.chosen(given)
        editor: Segmented | ComboBox
        if len(options) <= _SEGMENTS and sum(len(words) for _, words in options) <= _LETTERS:
            editor = Segmented(options, given)
            editor.changed.connect(lambda _: self.changed.emit())
        else:
            editor = ComboBox(options, given)
            editor.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._read[field.name] = editor.value
        return editor

    def _pairs_editor(self, field: Field, given: Any) -> QWidget:
        names = field.kind == "names"
        hints = (self.tr("old value"), self.tr("missing"))
        if names:
            hints = (self.tr("column"), {"keys": self.tr("the other's column"),
                                         "policies": self.tr("fail, missing or drop")}.get(
                                             field.name, self.tr("new name")))
        editor = PairEditor(self._columns if names else None, hints=hints)
        if field.name == "keys" and self._datasets:
            self._of_other.append(lambda columns: editor.set_others(columns) if columns else None)
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
        if field.kind == "texts":
            editor.setPlaceholderText(self.tr("one, two, three"))
        elif field.kind == "rows":
            editor.setPlaceholderText("3, 17, 20")
        editor.textChanged.connect(lambda _: self.changed.emit())
        # Spaces may be all that a text is made of: the separator of a split.
        self._read[field.name] = editor.text if field.kind == "text" else lambda: editor.text().strip()
        return editor


def runs_code(kind: StepKind) -> bool:
    """Say whether a step runs code of the user's own."""
    return any(field.kind == "code" for field in kind.fields)


def _offer(editor: ColumnList, columns: Sequence[Column], given: Sequence[str]) -> None:
    """Offer other columns; what is ticked stays so."""
    ticked = editor.values() or given
    editor.set_columns(columns)
    editor.set_values(ticked)


def _range(field: Field) -> str:
    """Say between which numbers a field lies."""
    low, high = field.low, field.high
    if field.kind != "number" or (low is None and high is None):
        return ""
    if low is not None and high is not None and high < 1e6:
        return tr("From {low} to {high}.").format(low=number(low), high=number(high))
    return tr("At least {low}.").format(low=number(low)) if low is not None else ""


def _as_text(given: Any) -> str:
    """Write a field's value as its line takes it: lists of texts with commas, cells as JSON."""
    if isinstance(given, list):
        plain = all(isinstance(item, (str, int)) for item in given)
        return ", ".join(map(str, given)) if plain else json.dumps(given, ensure_ascii=False)
    return "" if given is None else str(given)
