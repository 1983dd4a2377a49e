"""What a file as a whole must be like: how many rows, which columns, what its name says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from mldesk.desktop.states.contract import tried
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import ComboBox, FormRow, ScrollPage, Switch, make_label, row, set_tone

_SHOWN = 6


class FileForm(ScrollPage):
    """Edits what is asked of the file. Signals: ``edited`` (the changed parts of the contract) after each change."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=Space.L, spacing=Space.M)
        self._document: dict[str, Any] = {}
        self.least, self.most, self.pattern, self.dates = QLineEdit(), QLineEdit(), QLineEdit(), QLineEdit()
        self.names = QLineEdit()
        self.extra = ComboBox([("refuse", self.tr("refuse the file")), ("warn", self.tr("only say so")),
                               ("allow", self.tr("allow them"))])
        self.order = ComboBox([(False, self.tr("allow it")), ("warn", self.tr("only say so")),
                               (True, self.tr("refuse the file"))])
        self.counts = ComboBox([("error", self.tr("refuse the file")), ("warning", self.tr("only say so"))])
        self.ignore_case = Switch(self.tr("Capital letters do not matter"))
        self._problem = FormRow(self.tr("Name of the file"), self.pattern, self.tr(
            r"A regular expression for the whole name, such as sales_(?P<day>\d{8})\.csv. Empty: any name."))
        self._dates = FormRow(self.tr("Dates in the name"), self.dates,
                              self.tr("Group and form, such as day=%d%m%Y; with commas between."))
        self._tried = make_label("", "caption", "muted", wrap=True, selectable=True)
        self._rows = FormRow(self.tr("Fewest rows"), self.least)
        self._most = FormRow(self.tr("Most rows"), self.most)
        self._build()
        for field in (self.least, self.most, self.pattern, self.dates):
            field.editingFinished.connect(self._take)
        for field in (self.pattern, self.names):
            field.textChanged.connect(lambda _: self._try())
        for choice in (self.extra, self.order, self.counts):
            choice.currentIndexChanged.connect(lambda _: self._take())
        self.ignore_case.toggled.connect(lambda _: self._take())
        self.ignore_case.toggled.connect(lambda _: self._try())

    def _build(self) -> None:
        for field, name in ((self.least, self.tr("Fewest rows")), (self.most, self.tr("Most rows")),
                            (self.pattern, self.tr("Pattern of the file's name")), (self.dates, self.tr("Dates")),
                            (self.names, self.tr("Names to try")), (self.extra, self.tr("Other columns")),
                            (self.order, self.tr("Another order of columns")),
                            (self.counts, self.tr("Other counts of rows"))):
            field.setAccessibleName(name)
        self.body.addWidget(make_label(self.tr("The file"), "subtitle"))
        self.body.addLayout(row(self._rows, self._most, spacing=Space.M))
        self.body.addWidget(FormRow(self.tr("Fewer or more rows"), self.counts))
        self.body.addWidget(FormRow(self.tr("Columns beyond these"), self.extra))
        self.body.addWidget(FormRow(self.tr("Columns in another order"), self.order))
        self.body.addWidget(self._problem)
        self.body.addWidget(self.ignore_case)
        self.body.addWidget(self._dates)
        self.names.setPlaceholderText("sales_01022024.csv, sales_02022024.csv")
        self.body.addWidget(FormRow(self.tr("Try it on names"), self.names))
        self.body.addWidget(self._tried)
        self.body.addStretch(1)

    def show_contract(self, document: Mapping[str, Any], names: Sequence[str]) -> None:
        """Show another contract; ``names`` of files are tried until others are written."""
        self._document = {}
        rows, name = document.get("rows") or {}, document.get("file_name") or {}
        for field, value in ((self.least, rows.get("low")), (self.most, rows.get("high"))):
            field.setText("" if value is None else str(value))
        self.extra.set_value(document.get("extra", "refuse"))
        self.order.set_value(document.get("order", False))
        self.counts.set_value(rows.get("severity", "error"))
        self.pattern.setText(name.get("pattern", ""))
        self.ignore_case.setChecked(bool(name.get("ignore_case")))
        self.dates.setText(", ".join(f"{key}={form}" for key, form in (name.get("dates") or {}).items()))
        if not self.names.isModified():
            self.names.setText(", ".join(names))
        self._document = dict(document)
        self._try()

    def _take(self) -> None:
        """Say what changed, where everything can be read."""
        if not self._document:
            return
        rows: dict[str, Any] = {}
        for key, field, form in (("low", self.least, self._rows), ("high", self.most, self._most)):
            text = field.text().strip().replace(",", "")
            form.set_error("" if not text or text.isdecimal() else self.tr("Write a whole number."))
            if form.error():
                return
            if text:
                rows[key] = int(text)
        if rows and self.counts.value() == "warning":
            rows["severity"] = "warning"
        pairs = [item.partition("=") for item in self.dates.text().split(",") if item.strip()]
        pattern = self.pattern.text().strip()
        name = None if not pattern else {"pattern": pattern, "ignore_case": self.ignore_case.isChecked(),
                                         "dates": {key.strip(): form.strip() for key, _, form in pairs}}
        made = {"rows": rows, "extra": self.extra.value(), "order": self.order.value(), "file_name": name}
        if any(self._document.get(key) != value for key, value in made.items()):
            self._document |= made
            self.edited.emit(made)

    def _try(self) -> None:
        pattern = self.pattern.text().strip()
        names = [name.strip() for name in self.names.text().split(",") if name.strip()]
        problem, found = tried(pattern, self.ignore_case.isChecked(), names[:_SHOWN]) if pattern else ("", [])
        self._problem.set_error(problem)
        self._tried.setText("\n".join(f"{name}: {groups or self.tr('does not match')}"
                                      for name, groups in found))
        self._tried.setVisible(bool(found))
        set_tone(self._tried, "muted" if all(groups for _, groups in found) else "warning")
