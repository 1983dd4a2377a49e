"""What one column of a file must be like, in a form; and the same in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.desktop import words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, ScrollPage, Switch, make_label
from mldesk.wire.schema import ColumnType

Rule = Mapping[str, Any]  # a column of a contract, as its JSON has it


class RuleForm(ScrollPage):
    """Edits a rule. Signals: ``edited`` (the rule as it is now) after each change that can be read."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=Space.L, spacing=Space.M)
        self._rule: dict[str, Any] = {}
        self._title = make_label("", "subtitle", wrap=True)
        self.type = ComboBox([(kind.value, kind.value) for kind in ColumnType])
        self.severity = ComboBox([("error", self.tr("refuse the file")), ("row", self.tr("leave the row out")),
                                  ("warning", self.tr("only say so"))])
        self.required, self.nullable = Switch(self.tr("Files must have it")), Switch(self.tr("Cells may be empty"))
        self.unique = Switch(self.tr("Every value only once"))
        self.missing, self.low, self.high = QLineEdit(), QLineEdit(), QLineEdit()
        self.values, self.pattern = QLineEdit(), QLineEdit()
        self._rows: dict[str, FormRow] = {}
        self.body.addWidget(self._title)
        self._add("type", self.tr("Type"), self.type)
        self._add("severity", self.tr("When a cell breaks a rule"), self.severity)
        for key in ("required", "nullable", "unique"):
            self.body.addWidget(getattr(self, key))
            getattr(self, key).toggled.connect(lambda on, key=key: self._set(key, on))
        self._add("missing", self.tr("Most missing"), self.missing, unit="%")
        self._add("low", self.tr("Least value"), self.low)
        self._add("high", self.tr("Greatest value"), self.high)
        self._add("values", self.tr("Allowed values"), self.values, self.tr("With commas between; empty allows all."))
        self._add("pattern", self.tr("Pattern"), self.pattern,
                  self.tr("A regular expression that the whole text must match."))
        self.body.addStretch(1)
        self.type.currentIndexChanged.connect(lambda _: self._set("type", self.type.value()))
        self.severity.currentIndexChanged.connect(lambda _: self._set("severity", self.severity.value()))
        readers: dict[str, Callable[[str], Any]] = {
            "missing": _share, "low": self._end, "high": self._end, "values": _listed, "pattern": str}
        for key, read in readers.items():
            getattr(self, key).editingFinished.connect(lambda key=key, read=read: self._read(key, read))

    def show_rule(self, rule: Rule) -> None:
        """Show another rule."""
        self._rule = {}
        share = rule.get("missing")
        self._title.setText(str(rule["name"]))
        self.type.set_value(rule["type"])
        self.severity.set_value(rule.get("severity", "error"))
        for key, usual in (("required", True), ("nullable", True), ("unique", False)):
            getattr(self, key).setChecked(bool(rule.get(key, usual)))
        self.missing.setText("" if share is None else f"{100 * share:g}")
        for key in ("low", "high", "pattern"):
            value = rule.get(key)
            getattr(self, key).setText("" if value is None else f"{value:.12g}" if isinstance(value, float)
                                       else str(value))
        self.values.setText(", ".join(map(str, rule.get("values") or ())))
        for form in self._rows.values():
            form.set_error("")
        self._rule = dict(rule)

    def _add(self, key: str, title: str, editor: QWidget, tip: str = "", unit: str = "") -> None:
        self._rows[key] = FormRow(title, editor, tip, unit)
        editor.setAccessibleName(title)
        self.body.addWidget(self._rows[key])

    def _read(self, key: str, read: Callable[[str], Any]) -> None:
        """Take what was written; what was not touched stays as it was, however exact."""
        field = getattr(self, key)
        if not self._rule or not field.isModified():
            return
        text = field.text().strip()
        try:
            value = read(text) if text else None
        except ValueError:
            self._rows[key].set_error(self.tr("Write a number.") if key != "missing" else
                                      self.tr("Write a share from 0 to 100."))
            return
        self._rows[key].set_error("")
        field.setModified(False)
        self._set(key, value)

    def _end(self, text: str) -> Any:
        kind = self._rule.get("type")
        return int(text) if kind == "integer" else float(text) if kind == "number" else text

    def _set(self, key: str, value: Any) -> None:
        if self._rule and self._rule.get(key) != value:
            self._rule[key] = value
            self.edited.emit(dict(self._rule))


def _share(text: str) -> float:
    share = float(text.rstrip("% ")) / 100
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def _listed(text: str) -> list[str] | None:
    return [item.strip() for item in text.split(",") if item.strip()] or None


def rule_words(rule: Rule) -> str:
    """Say what a rule asks of cells."""
    tr, said = words.tr, []
    if not rule.get("required", True):
        said.append(tr("may be left out"))
    if not rule.get("nullable", True):
        said.append(tr("never empty"))
    elif rule.get("missing") is not None:
        said.append(tr("at most {share} empty").format(share=words.share(rule["missing"])))
    if rule.get("unique"):
        said.append(tr("every value once"))
    low, high = (_shown(rule.get(key)) for key in ("low", "high"))
    if low and high:
        said.append(tr("{low} to {high}").format(low=low, high=high))
    elif low or high:
        said.append(tr("from {low}").format(low=low) if low else tr("up to {high}").format(high=high))
    if rule.get("values"):
        said.append(tr("one of {values}").format(values=", ".join(map(str, rule["values"][:6])) + (
            " …" if len(rule["values"]) > 6 else "")))
    if rule.get("pattern"):
        said.append(tr("like {pattern}").format(pattern=rule["pattern"]))
    return ", ".join(said)


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)
