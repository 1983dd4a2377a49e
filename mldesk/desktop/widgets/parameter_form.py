"""ParameterForm: a form generated from declared parameters: validation, units, defaults, a folded advanced part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from mldesk.core.errors import BadInput
from mldesk.desktop import words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import make_button, set_icon
from mldesk.desktop.widgets.editors import ComboBox, SpinBox, Switch
from mldesk.desktop.widgets.form import FormRow
from mldesk.desktop.widgets.table_model import number
from mldesk.desktop.widgets.tabs import Segmented
from mldesk.desktop.widgets.text import make_label
from mldesk.training.parameters import Parameter

_SPIN_MOST = 1_000_000_000
_SEGMENTS_MOST = 3
_SEGMENTS_LETTERS = 26


class ParameterEditor(QWidget):
    """The editor of one parameter. Signals: ``changed``. ``raw()`` is what stands there, checked by ``parse()``."""

    changed = Signal()

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self._read: Callable[[], object]
        self._write: Callable[[Any], None]
        self.field = self._make_field()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.M)
        layout.addWidget(self.field)
        if parameter.unit:
            layout.addWidget(make_label(parameter.unit, "body", "muted"))
        self._none: QCheckBox | None = None
        if parameter.nullable and parameter.kind != "choice":
            self._none = QCheckBox(self.tr("None"))
            self._none.setToolTip(self.tr("No value: no limit, or chosen by the estimator"))
            self._none.setAccessibleName(self.tr("{name}: none").format(name=parameter.title))
            self._none.toggled.connect(self._on_none)
            layout.addWidget(self._none)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self.field)
        self.set_value(parameter.default)

    def raw(self) -> object:
        """Return what was typed or chosen, unchecked."""
        return None if self._none is not None and self._none.isChecked() else self._read()

    def parse(self) -> Any:
        """Return the value, typed. Raises BadInput."""
        return self.parameter.parse(self.raw())

    def set_value(self, value: Any) -> None:
        """Show ``value``."""
        if self._none is not None:
            self._none.setChecked(value is None)
            self._show_none(value is None)
        if value is not None or self._none is None:
            self._write(value)

    def _show_none(self, on: bool) -> None:
        self.field.setEnabled(not on)
        if isinstance(self.field, SpinBox):
            self.field.set_blank(on)

    def _on_none(self, on: bool) -> None:
        self._show_none(on)
        if not on:
            self.field.setFocus()
        self.changed.emit()

    def _make_field(self) -> QWidget:
        kind = self.parameter.kind
        if kind == "boolean":
            return self._make_switch()
        if kind == "choice":
            return self._make_choice()
        low, high = self.parameter.low, self.parameter.high
        if kind == "integer" and low is not None and high is not None and low >= -_SPIN_MOST and high <= _SPIN_MOST:
            return self._make_spin(int(low), int(high))
        return self._make_line()

    def _make_switch(self) -> QWidget:
        switch = Switch()
        switch.setAccessibleName(self.parameter.title)
        switch.toggled.connect(self.changed)
        self._read, self._write = switch.isChecked, lambda value: switch.setChecked(bool(value))
        return switch

    def _make_choice(self) -> QWidget:
        options = [(choice, str(choice).replace("_", " ")) for choice in self.parameter.choices]
        if self.parameter.nullable:
            options.append((None, self.tr("none")))
        if len(options) <= _SEGMENTS_MOST and sum(len(words) for _, words in options) <= _SEGMENTS_LETTERS:
            strip = Segmented(options)
            strip.setAccessibleName(self.parameter.title)
            strip.changed.connect(self.changed)
            self._read, self._write = strip.value, strip.set_value
            return strip
        box = ComboBox(options)
        box.currentIndexChanged.connect(self.changed)
        self._read, self._write = box.value, box.set_value
        return box

    def _make_spin(self, low: int, high: int) -> QWidget:
        box = SpinBox(low, high, low)
        box.setFixedWidth(132)
        box.valueChanged.connect(self.changed)
        self._read, self._write = box.value, lambda value: box.setValue(int(value))
        return box

    def _make_line(self) -> QWidget:
        line = QLineEdit()
        line.setFixedWidth(132)
        line.textChanged.connect(self.changed)
        self._read, self._write = line.text, lambda value: line.setText(_shown(value))
        return line


def allowed(parameter: Parameter) -> str:
    """Say between which numbers a parameter lies, "" where its editor shows what there is to choose."""
    low, high = (None if end is None else number(float(end)) for end in (parameter.low, parameter.high))
    if parameter.kind not in ("integer", "number") or (low is None and high is None):
        return ""
    if low is None:
        return words.tr("At most {high}.").format(high=high)
    if high is None:
        return words.tr("At least {low}.").format(low=low)
    return words.tr("From {low} to {high}.").format(low=low, high=high)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class ParameterForm(QWidget):
    """One row per parameter; advanced ones are folded away. Signals: ``changed`` after every edit, right or wrong."""

    changed = Signal()

    def __init__(self, parameters: Sequence[Parameter], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, FormRow] = {}
        self._editors: dict[str, ParameterEditor] = {}
        self._silent = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        for parameter in parameters:
            if not parameter.advanced:
                layout.addWidget(self._make_row(parameter))
        advanced = [parameter for parameter in parameters if parameter.advanced]
        self._fold = make_button("", "fold", "chevron-right")
        self._advanced = QWidget()
        if advanced:
            self._build_advanced(advanced, layout)
        layout.addStretch(1)
        self._check_all()

    def _build_advanced(self, parameters: Sequence[Parameter], layout: QVBoxLayout) -> None:
        folded = QVBoxLayout(self._advanced)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(Space.L)
        for parameter in parameters:
            folded.addWidget(self._make_row(parameter))
        self._fold.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._fold.clicked.connect(self._on_fold)
        layout.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._advanced)
        self.set_unfolded(False)

    def _make_row(self, parameter: Parameter) -> FormRow:
        editor = ParameterEditor(parameter)
        entry = FormRow(parameter.title, editor, f"{parameter.help} {allowed(parameter)}".strip())
        entry.reset.connect(lambda: editor.set_value(parameter.default))
        editor.changed.connect(self._on_changed)
        self._editors[parameter.name], self._rows[parameter.name] = editor, entry
        return entry

    def values(self) -> dict[str, Any]:
        """Return every parameter's value, typed. Raises BadInput for the first that is refused."""
        return {name: editor.parse() for name, editor in self._editors.items()}

    def changed_values(self) -> dict[str, Any]:
        """Return the values that are not the default. Raises BadInput."""
        return {name: value for name, value in self.values().items() if value != self._editors[name].parameter.default}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show ``values``; names that are not in the form are passed over, missing ones keep what they show."""
        self._silent = True
        for name, value in values.items():
            if name in self._editors:
                self._editors[name].set_value(value)
        self._silent = False
        self._on_changed()

    def reset(self) -> None:
        """Go back to the defaults."""
        self.set_values({name: editor.parameter.default for name, editor in self._editors.items()})

    def error(self) -> str:
        """Return the first refused value as a sentence, "" if all are fine."""
        for name, entry in self._rows.items():
            if entry.error():
                return f"{self._editors[name].parameter.title}: {entry.error()}"
        return ""

    def row(self, name: str) -> FormRow:
        """Return the row of a parameter. Raises KeyError."""
        return self._rows[name]

    def editor(self, name: str) -> ParameterEditor:
        """Return the editor of a parameter. Raises KeyError."""
        return self._editors[name]

    def set_unfolded(self, on: bool) -> None:
        """Show or fold the advanced parameters."""
        self._advanced.setVisible(on)
        self._say_fold()

    def _on_fold(self) -> None:
        self.set_unfolded(self._advanced.isHidden())

    def _say_fold(self) -> None:
        names = [name for name, editor in self._editors.items() if editor.parameter.advanced]
        changed = sum(1 for name in names if self._is_changed(name))
        text = self.tr("Advanced settings ({count})").format(count=len(names))
        self._fold.setText(text + (self.tr(" · {count} changed").format(count=changed) if changed else ""))
        set_icon(self._fold, "chevron-right" if self._advanced.isHidden() else "chevron-down", "muted", 14)

    def _is_changed(self, name: str) -> bool:
        editor = self._editors[name]
        try:
            return bool(editor.parse() != editor.parameter.default)
        except BadInput:
            return True

    def _on_changed(self) -> None:
        if not self._silent:
            self._check_all()
            self.changed.emit()

    def _check_all(self) -> None:
        for name, editor in self._editors.items():
            problem = ""
            try:
                editor.parse()
            except BadInput:
                problem = self.tr("Must be {allowed}.").format(allowed=editor.parameter.allowed())
            self._rows[name].set_error(problem)
            self._rows[name].set_resettable(self._is_changed(name))
        if not self._advanced.isHidden() or any(
                entry.error() for name, entry in self._rows.items() if self._editors[name].parameter.advanced):
            self._advanced.setVisible(True)
        self._say_fold()


def form_for(parameters: Sequence[Parameter], parent: QWidget | None = None) -> ParameterForm:
    """Return the form of ``parameters``."""
    return ParameterForm(parameters, parent)
