"""How an import is read, as a form: each row shows what was found out, and what the user may say instead."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QBoxLayout, QLineEdit, QVBoxLayout, QWidget

from mldesk.data.options import MOST_HEADER_ROWS, WRITTEN_OUT
from mldesk.desktop.pages.tick_list import Tickable, TickList
from mldesk.desktop.states.import_draft import ImportDraft
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    ComboBox,
    FormRow,
    SpinBox,
    Switch,
    TypedBox,
    column,
    make_button,
    make_label,
    row,
)

if TYPE_CHECKING:
    from mldesk.data import ImportPreview

_PAUSE = 350  # milliseconds after the last letter until the preview follows
_DELIMITERS = ((",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar"), (" ", "space"), (":", "colon"))
_ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16", "cp1250", "cp1251", "gb18030", "shift_jis", "euc-kr", "big5",
              "iso8859-15", "koi8-r", "mac-roman", "cp437")
_DATES = ("%d.%m.%Y", "%d/%m/%y", "%m/%d/%Y", "%Y%m%d", "%d %b %Y", "%d.%m.%Y %H:%M")
_TOGETHER = "*"
_FORMATS = (("csv", "CSV"), ("tsv", "TSV"), ("fixed", "fixed width"), ("json", "JSON"), ("jsonl", "JSON lines"),
            ("html", "HTML"), ("xlsx", "workbook"), ("parquet", "Parquet"), ("arrow", "Arrow"), ("sqlite", "SQLite"),
            ("duckdb", "DuckDB"))
_TEXTS = ("csv", "tsv", "fixed", "html", "json", "jsonl")
_ROWS_OF: dict[str, tuple[str, ...]] = {   # which kinds of file a row is asked about
    "encoding": _TEXTS, "delimiter": ("csv", "tsv"), "quote": ("csv", "tsv"), "comment": ("csv", "tsv", "fixed"),
    "widths": ("fixed",), "sheet": ("xlsx",), "range": ("xlsx",),
    "header_row": ("csv", "tsv", "fixed", "html", "xlsx"), "header_rows": ("csv", "tsv", "xlsx"),
    "flatten": ("json", "jsonl"),
    "table": ("sqlite", "duckdb", "html", "postgresql"), "query": ("sqlite", "duckdb", "postgresql"),
    "decimal": ("csv", "tsv", "fixed", "html", "xlsx"), "thousands": ("csv", "tsv", "fixed", "html", "xlsx"),
    "percent": ("csv", "tsv", "fixed", "html", "xlsx", "json", "jsonl"),
    "dates": ("csv", "tsv", "fixed", "html", "xlsx", "json", "jsonl", "sqlite"),
    "missing": ("csv", "tsv", "fixed", "html", "xlsx", "json", "jsonl"),
}


class ImportOptionsForm(QWidget):
    """Edits the changes of an ``ImportDraft``; rows that make no sense for a kind of file are not there."""

    def __init__(self, draft: ImportDraft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._filling = False
        self._rows: dict[str, FormRow] = {}
        self._choices: dict[str, tuple[ComboBox, Sequence[tuple[Any, str]]]] = {}
        self._lines: dict[str, QLineEdit] = {}
        self._pairs: list[QBoxLayout] = []
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE)
        self._timer.timeout.connect(self._say_lines)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(Space.M)
        self._make_rows()
        self._make_switches()
        draft.changes.subscribe(lambda _: self._fill())
        draft.preview.changed.subscribe(lambda _: self._fill())

    def _make_rows(self) -> None:
        """Make the rows in the order in which they matter; short ones stand side by side."""
        self._choice("format", self.tr("Kind of file"), _FORMATS, "")
        self._line("member", self.tr("Files of the archive"), "data/*.csv", "")
        self._choice("sheet", self.tr("Sheet"), (), "")
        self.sheets = TickList(self.tr("Find a sheet"), self.tr("Sheets that make one table"))
        self.sheets.changed.connect(self._on_sheets)
        self._add("sheets", FormRow(self.tr("Sheets that make one table"), self.sheets))
        self._line("range", self.tr("Cells"), "B3:H200", self.tr("Of the sheet, the names among them."))
        self._choice("table", self.tr("Table"), (), "")
        self._line("query", self.tr("Query"), "SELECT …", self.tr("One SELECT over the database, instead of a table."))
        self._choice("delimiter", self.tr("Delimiter"), _DELIMITERS, "",
                     typed=self.tr("Choose it or type it, like ~ or ::."))
        self._choice("encoding", self.tr("Encoding"), [(name, name) for name in _ENCODINGS], "",
                     typed=self.tr("Choose one when letters come out wrong, or type any that Python knows."))
        self._beside("delimiter", "encoding")
        self._choice("quote", self.tr("Quote"), (('"', '"'), ("'", "'"), ("none", self.tr("none"))), "",
                     typed=self.tr("What stands around cells: choose it or type it."))
        self._line("comment", self.tr("Comments begin with"), "#", "")
        self._beside("quote", "comment")
        self._line("widths", self.tr("Widths"), "10, 4, 8", self.tr("Of the columns, in characters."))
        self._make_header()
        self._choice("decimal", self.tr("Decimal mark"), ((".", self.tr("point")), (",", self.tr("comma"))), "")
        self._choice("thousands", self.tr("Between thousands"), (
            (",", self.tr("comma")), (".", self.tr("point")), ("'", self.tr("apostrophe")),
            (" ", self.tr("space"))), "", typed=self.tr("Choose it or type it, like _."))
        self._beside("decimal", "thousands")
        self._choice("dates", self.tr("Dates"), (
            ("dmy", self.tr("day, month, year")), ("mdy", self.tr("month, day, year")),
            ("ymd", self.tr("year, month, day")), *((form, form) for form in _DATES)), "",
            typed=self.tr("Choose it or type it, like %d.%m.%Y or dd.mm.yyyy."))
        self._choice("percent", self.tr("Percent"), (
            ("number", self.tr("10% is 10")), ("share", self.tr("10% is 0.1"))), "")
        self._beside("dates", "percent")
        self._line("missing", self.tr("Missing values"), "n/a, -999",
                   self.tr("Further texts that stand for no value, with commas."))

    def _beside(self, *names: str) -> None:
        """Put rows that are there already side by side."""
        line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        line.setSpacing(Space.M)
        for name in names:
            self._box.removeWidget(self._rows[name])
            line.addWidget(self._rows[name], 1)
        self._box.addLayout(line)
        self._pairs.append(line)

    def set_narrow(self, narrow: bool) -> None:
        """Put what stands side by side below one another, or back."""
        for line in self._pairs:
            line.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def _choice(self, name: str, label: str, options: Sequence[tuple[Any, str]], text: str, *,
                typed: str = "") -> None:
        """Add a choice; with ``typed``, which says how, something else can be written."""
        if typed:
            free = TypedBox([("", self.tr("Automatic"))])
            free.setToolTip(typed)
            free.said.connect(lambda: self._on_choice(name, free.value()))
            box: ComboBox = free
        else:
            box = ComboBox([("", self.tr("Automatic"))])
            box.currentIndexChanged.connect(lambda _=0: self._on_choice(name, box.value()))
        self._choices[name] = (box, tuple(options))
        self._add(name, FormRow(label, box, text))

    def _line(self, name: str, label: str, example: str, text: str) -> None:
        line = QLineEdit()
        line.setPlaceholderText(example)
        line.setClearButtonEnabled(True)
        line.textEdited.connect(lambda _: self._timer.start())
        line.editingFinished.connect(self._say_lines)
        self._lines[name] = line
        self._add(name, FormRow(label, line, text))

    def _make_header(self) -> None:
        self.header_found = Switch(self.tr("Automatic"), checked=True)
        self.header = SpinBox(0, 1_000_000, 1)
        self.header.setEnabled(False)
        self.header_found.toggled.connect(self._on_header)
        self.header.valueChanged.connect(self._on_header)
        editor = QWidget()
        editor.setLayout(row(self.header, self.header_found, None, spacing=Space.M))
        self.header_rows = SpinBox(0, MOST_HEADER_ROWS, 0)
        self.header_rows.setSpecialValueText(self.tr("Automatic"))
        self.header_rows.valueChanged.connect(lambda value: self._say(header_rows=value or None))
        self._add("header_row", FormRow(self.tr("Row with the column names"), editor,
                                        self.tr("Counted from 1; 0 says that there is none.")))
        self._add("header_rows", FormRow(self.tr("Rows of names"), self.header_rows,
                                         self.tr("2023 over Q1 makes the name 2023 Q1.")))
        self.flatten = SpinBox(0, 20, 1)
        self.flatten.valueChanged.connect(lambda value: None if self._filling else self._say(flatten=value))
        self._add("flatten", FormRow(self.tr("Levels that become columns"), self.flatten,
                                     self.tr("Of nested records; 0 keeps them as text.")))

    def _make_switches(self) -> None:
        self.provenance = Switch(self.tr("Add columns with file and row"))
        self.provenance.toggled.connect(lambda on: self._say(provenance=on))
        self.union = Switch(self.tr("Files may have different columns"))
        self.union.toggled.connect(lambda on: self._say(union=on))
        self.partitions = Switch(self.tr("Columns from folders' names"))
        self.partitions.setToolTip(self.tr("A folder named year=2024 gives its files' rows a column: year, 2024."))
        self.partitions.toggled.connect(lambda on: self._say(partitions=on))
        self.fill_short = Switch(self.tr("Fill rows that are too short"))
        self.fill_short.setToolTip(self.tr("They end in missing values, and are left out else."))
        self.fill_short.toggled.connect(lambda on: self._say(fill_short=on))
        self.keep_footers = Switch(self.tr("Keep totals and notes as rows"))
        self.keep_footers.toggled.connect(lambda on: self._say(keep_footers=on))
        self._box.addWidget(self.fill_short)
        self._box.addWidget(self.keep_footers)
        self._left_out = make_label("", wrap=True)
        self._take_in = make_button(self.tr("Take them in again"), "secondary", "undo", small=True)
        self._take_in.clicked.connect(lambda: self._say(without=[]))
        editor = QWidget()
        editor.setLayout(column(self._left_out, row(self._take_in, None)))
        self._add("without", FormRow(self.tr("Columns left out"), editor))
        self._box.addWidget(self.provenance)
        self._box.addWidget(self.partitions)
        self._box.addWidget(self.union)

    def _add(self, name: str, item: FormRow) -> None:
        self._rows[name] = item
        self._box.addWidget(item)

    # What the user says

    def _say(self, **options: Any) -> None:
        if not self._filling:
            self._draft.say(**options)

    def _on_choice(self, name: str, value: Any) -> None:
        if name == "sheet":
            together = value == _TOGETHER
            self._say(sheet=None if together else value or None, sheets=[_TOGETHER] if together else [])
        elif name in ("delimiter", "thousands"):
            self._say(**{name: WRITTEN_OUT.get(value, value) or None})
        else:
            self._say(**{name: value or None})

    def _on_sheets(self) -> None:
        chosen = self.sheets.values()
        self._say(sheets=[_TOGETHER] if len(chosen) == self.sheets.count() else chosen)

    def _on_header(self, _value: object = None) -> None:
        self.header.setEnabled(not self.header_found.isChecked())
        self._say(header_row=None if self.header_found.isChecked() else self.header.value())

    def _say_lines(self) -> None:
        self._timer.stop()
        texts = {name: line.text().strip() for name, line in self._lines.items()}
        self._say(**{name: texts[name] or None for name in ("range", "query", "member", "comment")},
                  missing=[item.strip() for item in texts["missing"].split(",") if item.strip()],
                  widths=[int(item) for item in texts["widths"].replace(",", " ").split() if item.isdecimal()])

    # What is shown

    def _fill(self) -> None:
        self._filling = True
        changes, preview = self._draft.changes.value, self._draft.preview.value
        found = {} if preview is None else _found(preview)
        kind = str(changes.get("format") or found.get("format", ""))
        for name, (box, options) in self._choices.items():
            said = _TOGETHER if name == "sheet" and changes.get("sheets") else changes.get(name)
            self._fill_choice(box, self._options_of(name, options, preview), found.get(name), said)
        for name, line in self._lines.items():
            value = changes.get(name)
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
            if not line.hasFocus():
                line.setText(text)
        self._fill_sheets(preview, changes.get("sheets") or [])
        self.header_rows.setValue(int(changes.get("header_rows") or 0))
        header = changes.get("header_row")
        self.header_found.setChecked(header is None)
        self.header.setEnabled(header is not None)
        self.header.setValue(int(found.get("header_row", 1) if header is None else header))
        self.flatten.setValue(int(changes.get("flatten", 1)))
        self.provenance.setChecked(bool(changes.get("provenance")))
        self.union.setChecked(bool(changes.get("union")))
        self.partitions.setChecked(changes.get("partitions") is not False)
        self.partitions.setVisible(has_partitions(preview) or changes.get("partitions") is False)
        for name, switch in (("fill_short", self.fill_short), ("keep_footers", self.keep_footers)):
            switch.setChecked(bool(changes.get(name)))
            switch.setVisible(_offers(preview, name) or bool(changes.get(name)))
        self._left_out.setText(", ".join(changes.get("without", [])))
        many = preview is not None and preview.file_count > 1
        self.union.setVisible(many or bool(changes.get("union")))
        for name, item in self._rows.items():
            item.setVisible(self._concerns(name, kind, changes))
        self._filling = False

    def _concerns(self, name: str, kind: str, changes: dict[str, Any]) -> bool:
        if name == "member":
            return any(str(source).lower().endswith(".zip") for source in self._draft.sources)
        if name == "table" and len(self._choices["table"][0]._values) < 2 and name not in changes:  # noqa: SLF001
            return False
        if name in ("sheets", "without"):
            return name in changes
        return name not in _ROWS_OF or kind in _ROWS_OF[name] or name in changes

    @staticmethod
    def _options_of(name: str, options: Sequence[tuple[Any, str]],
                    preview: ImportPreview | None) -> Sequence[tuple[Any, str]]:
        if name in ("sheet", "table"):
            found = [(choice, choice) for choice in (preview.choices if preview is not None else ())]
            together = QCoreApplication.translate("ImportOptionsForm", "Several together")
            return [*found, (_TOGETHER, together)] if name == "sheet" and len(found) > 1 else found
        return options

    def _fill_sheets(self, preview: ImportPreview | None, said: Sequence[str]) -> None:
        if preview is None or not said:
            return
        if self.sheets.count() != len(preview.choices):
            self.sheets.offer([Tickable(name, name) for name in preview.choices])
        ticked = [name for name in preview.choices if any(fnmatchcase(name, one) or name == one for one in said)]
        if ticked != self.sheets.values():
            self.sheets.set_values(ticked)

    def _fill_choice(self, box: ComboBox, options: Sequence[tuple[Any, str]], found: Any,
                     said: Any) -> None:
        words = dict(options)
        auto = self.tr("Auto: {what}").format(what=words.get(found, found)) if found else self.tr("Automatic")
        if isinstance(box, TypedBox) and box.is_typing():
            return
        values = [("", auto), *options]
        if said and said not in words:
            values.append((said, str(said)))
        if [box.itemText(index) for index in range(box.count())] != [text for _, text in values] \
                or box.value() != (said or ""):
            blocked = box.blockSignals(True)
            box.set_options(values, said or "")
            box.blockSignals(blocked)


def has_partitions(preview: ImportPreview | None) -> bool:
    """Say whether the names of folders make columns."""
    return _offers(preview, "partitions")


def _offers(preview: ImportPreview | None, name: str) -> bool:
    """Say whether some problem might be put right by an option."""
    return preview is not None and any(problem.fix is not None and name in problem.fix.changes
                                       for problem in preview.problems)


def _found(preview: ImportPreview) -> dict[str, Any]:
    """Return what was found out about the first file, by the names of the options."""
    reading = preview.reading
    return {"format": reading.get("format"), "encoding": reading.get("encoding"),
            "delimiter": reading.get("delimiter"), "sheet": reading.get("sheet"), "table": reading.get("table"),
            "header_row": reading.get("header_line", 1), "decimal": preview.decimal, "thousands": preview.thousands,
            "dates": preview.dates[0] if len(preview.dates) == 1 else ", ".join(preview.dates)}
