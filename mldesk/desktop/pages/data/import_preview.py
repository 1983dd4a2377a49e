"""What an import would be, drawn: the first rows, every column with its type, and each problem with what might help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.pages.answer_table import show_page
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.states.import_draft import ImportDraft
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    ComboBox,
    DataTable,
    ElidedLabel,
    FlowBox,
    ScrollPage,
    Spinner,
    Tabs,
    make_button,
    make_label,
    row,
)
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.pages import Page

if TYPE_CHECKING:
    from mldesk.data import Fix, ImportPreview, Problem
    from mldesk.data.imports.preview import ColumnPreview

_LINES = 4   # of one kind of problem that are shown


def _sure(column: ColumnPreview) -> str:
    """Return how sure a column's type is; of text, which anything may be, that says nothing."""
    return words.MISSING if column.type is ColumnType.TEXT or not column.confidence else words.share(column.confidence)


class ImportPreviewView(QWidget):
    """Draws the preview of an ``ImportDraft``."""

    def __init__(self, draft: ImportDraft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._said = ElidedLabel("", "body", "muted")
        self._spinner = Spinner(16)
        self.table = DataTable(flush=True)
        self.columns = ColumnTypes(draft)
        self.problems = ProblemCards()
        self.problems.fixed.connect(draft.apply)
        rows = Card(padding=0)
        rows.add(self.table, 1)
        self.tabs = Tabs()
        self.tabs.add("rows", self.tr("Rows"), rows, "dataset")
        self.tabs.add("columns", self.tr("Columns"), self.columns, "columns")
        self.tabs.add("problems", self.tr("Things to know"), self.problems, "info")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        top = row(make_label(self.tr("Preview"), "subtitle"), self._said, self._spinner, spacing=Space.M)
        top.setStretch(1, 1)
        layout.addLayout(top)
        layout.addWidget(self.tabs, 1)
        draft.busy.subscribe(self._spinner.setVisible)
        draft.preview.subscribe(lambda _: self._show())
        draft.problem.changed.subscribe(lambda _: self._show())

    def _show(self) -> None:
        preview, problem = self._draft.preview.value, self._draft.problem.value
        if problem is not None:
            self.problems.show_refusal(problem, self._draft.fixes)
            self.tabs.bar.button("problems").setText(self.tr("Problem"))
            self.tabs.set_value("problems")
            self._said.setText("")
        for key in ("rows", "columns"):
            self.tabs.set_enabled(key, self.tr("The file cannot be read like this.") if problem is not None else "")
        if preview is None or problem is not None:
            return
        columns = [Column(item.name, item.type, item.missing) for item in preview.columns]
        self.table.header.rows = preview.rows_seen
        show_page(self.table, Page(tuple(item.name for item in preview.columns), preview.rows, 0, len(preview.rows)),
                  columns)
        self.columns.show_columns(preview)
        refused = self.tabs.bar.button("problems").text() == self.tr("Problem")
        self.problems.show_problems(preview)
        count = sum(preview.counts.values())
        self.tabs.bar.button("problems").setText(
            self.tr("Things to know ({count})").format(count=words.number(count)) if count else
            self.tr("No problems"))
        if refused:
            self.tabs.set_value("rows")
        self._said.setText(self._shape(preview))

    def _shape(self, preview: ImportPreview) -> str:
        shape = words.shape(preview.rows_seen, len(preview.columns))
        if preview.file_count > 1:
            files = words.counted(preview.file_count, self.tr("file"), self.tr("files")) if not preview.options.sheets \
                else words.counted(preview.file_count, self.tr("sheet"), self.tr("sheets"))
            shape = f"{files} · {shape}"
        if preview.whole:
            return shape
        return self.tr("{shape} · the first {rows} looked at").format(
            shape=words.counted(len(preview.columns), self.tr("column"), self.tr("columns")),
            rows=words.counted(preview.rows_seen, self.tr("row"), self.tr("rows")))


class ColumnTypes(QWidget):
    """Every column as it would be read; the chosen ones may be read as another type."""

    def __init__(self, draft: ImportDraft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        fields: list[Field[ColumnPreview]] = [
            Field(self.tr("Column"), lambda item: item.name, strong=True),
            Field(self.tr("Type"), lambda item: item.type.value, 110),
            Field(self.tr("Sure"), _sure, 70,
                  lambda item: item.confidence, right=True, muted=True),
            Field(self.tr("Missing"), lambda item: words.number(item.missing), 90, lambda item: item.missing,
                  right=True, muted=True),
            Field(self.tr("How it is read"), lambda item: item.reading, 210, muted=True, spare=1),
        ]
        self.table: RecordTable[ColumnPreview] = RecordTable(fields, lambda item: item.name, self.tr("Columns"),
                                                             many=True, dense=True)
        self.table.chosen.connect(self._on_chosen)
        self.kind = ComboBox([("", self.tr("Automatic")), *((kind.value, kind.value) for kind in ColumnType)])
        self.kind.setAccessibleName(self.tr("Type of the chosen columns"))
        self.kind.activated.connect(lambda _: self._on_kind())
        self._what = ElidedLabel("", "body", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        top = row(self._what, self.kind, spacing=Space.M)
        top.setStretch(0, 1)
        layout.addLayout(top)
        card = Card(padding=0)
        card.add(self.table, 1)
        layout.addWidget(card, 1)
        self._on_chosen()

    def show_columns(self, preview: ImportPreview) -> None:
        """Show the columns of a preview."""
        self.table.set_records(preview.columns)
        self._on_chosen()

    def _on_chosen(self) -> None:
        chosen = self.table.selected()
        self.kind.setEnabled(bool(chosen))
        self._what.setText(
            self.tr("Choose columns to read them as another type.") if not chosen else
            self.tr("Read {name} as").format(name=chosen[0].name) if len(chosen) == 1 else
            self.tr("Read {count} columns as").format(count=words.number(len(chosen))))
        said = dict(self._draft.changes.value.get("types", []))
        self.kind.set_value(said.get(chosen[0].name, "") if chosen else "")

    def _on_kind(self) -> None:
        self._draft.set_types([item.name for item in self.table.selected()], str(self.kind.value() or ""))


class ProblemCards(ScrollPage):
    """One card per kind of problem: how many, the first with file and line, and what might help.

    Signals: ``fixed`` (the Fix that was pressed).
    """

    fixed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=0, spacing=Space.M)
        self.setAccessibleName(self.tr("Things to know"))

    def show_problems(self, preview: ImportPreview) -> None:
        """Show what reading noticed."""
        self._clear()
        kinds = dict.fromkeys(problem.kind for problem in preview.problems)
        for kind in kinds:
            of_kind = [problem for problem in preview.problems if problem.kind == kind]
            self.body.addWidget(self._card(kind, preview.counts.get(kind, len(of_kind)), of_kind))
        if not kinds:
            self.body.addWidget(make_label(self.tr("Every line was read without doubt."), tone="muted"))
        self.body.addStretch(1)

    def show_refusal(self, problem: MldeskError, fixes: tuple[Fix, ...]) -> None:
        """Show why nothing can be read, and what might help."""
        self._clear()
        card = Card(self.tr("The file cannot be read like this"))
        card.add(make_label(problem.message, wrap=True, selectable=True))
        if problem.advice:
            card.add(make_label(problem.advice, tone="muted", wrap=True, selectable=True))
        self._add_fixes(card, fixes)
        self.body.addWidget(card)
        self.body.addStretch(1)

    def _card(self, kind: str, count: int, problems: list[Problem]) -> Card:
        card = Card(f"{kind[:1].upper()}{kind[1:]}: {words.number(count)}", padding=Space.M)
        for problem in problems[:_LINES]:
            where = [problem.file, *([self.tr("line {line}").format(line=words.number(problem.line))]
                                     if problem.line else []), *([problem.column] if problem.column else [])]
            card.add(make_label(f"{' · '.join(where)}\n{problem.message}", wrap=True, selectable=True))
        if count > _LINES:
            card.add(make_label(self.tr("and {count} more").format(count=words.number(count - _LINES)), "caption",
                                "muted"))
        fixes = {problem.fix.words: problem.fix for problem in problems if problem.fix is not None}
        self._add_fixes(card, tuple(fixes.values())[:6])
        for why in dict.fromkeys(problem.unfixed for problem in problems[:_LINES] if problem.unfixed):
            card.add(make_label(why, "caption", "muted", wrap=True))
        return card

    def _add_fixes(self, card: Card, fixes: tuple[Fix, ...]) -> None:
        if not fixes:
            return
        box = FlowBox()
        for fix in fixes:
            button = make_button(fix.words, "secondary", "check", small=True)
            button.clicked.connect(lambda _checked=False, fix=fix: self.fixed.emit(fix))
            box.add(button)
        card.add(box)

    def _clear(self) -> None:
        while self.body.count():
            item = self.body.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
