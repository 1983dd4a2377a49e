"""The Contract tab of a dataset: what files must be like, edited in place, and the way to check some."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.drop_overlay import local_files
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.bring_in import table_filters
from mldesk.desktop.pages.data.contract_file import FileForm
from mldesk.desktop.pages.data.contract_rule import Rule, RuleForm, rule_words
from mldesk.desktop.pages.file_choice import choose_files, choose_place
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.contract import ContractState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, EmptyState, SplitView, disable, enable, make_button, make_label, row

_FILE = ""  # the line of what is asked of the file as a whole; no column is named so
_SEVERITIES = {"error": "", "row": "leaves the row out", "warning": "only warns"}


class ContractView(QStackedWidget, TaskOwner):
    """Shows the newest contract. Edits are collected until they are kept as the next one."""

    def __init__(self, shell: Shell, state: ContractState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell, self.state = shell, state
        self._draft: dict[str, Any] = {}
        self.setAcceptDrops(True)
        self.empty = EmptyState("lock", self.tr("No contract yet"), self.tr(
            "A contract says what files must be like to join this dataset: types, ranges, allowed values, names. Make "
            "one from what this version holds, then change what you like."), self.tr("Make one from this version"))
        self.empty.acted.connect(lambda: self._do(self.state.infer))
        self.addWidget(QWidget())
        self.addWidget(self.empty)
        self.addWidget(self._make_editor())
        self._undo = state.history.subscribe(lambda _: self._show())

    def _make_editor(self) -> QWidget:
        tr = self.tr
        fields: list[Field[Rule]] = [
            Field(tr("Column"), lambda rule: str(rule["name"]) or tr("The file"), 150, strong=True),
            Field(tr("Type"), lambda rule: str(rule["type"]), 80, muted=True, spare=1),
            Field(tr("Rules"), self._words, tip=self._words)]
        self.table: RecordTable[Rule] = RecordTable(fields, lambda rule: str(rule["name"]), tr("Rules"), dense=True,
                                               least=170)
        self.table.chosen.connect(self._on_chosen)
        self.rule, self.file = RuleForm(), FileForm()
        self.rule.edited.connect(self._on_rule)
        self.file.edited.connect(self._on_file)
        self._forms = QStackedWidget()
        for form in (self.file, self.rule):
            self._forms.addWidget(form)
        self._forms.setMinimumWidth(theme.px(300))
        split = SplitView(self.table, self._forms)
        split.set_shares(6, 4)
        card = Card(padding=0)
        card.add(split, 1)
        self._facts = make_label("", "caption", "muted", wrap=True)
        self.keep = make_button(tr("Keep changes"), "secondary", "check")
        self.keep.clicked.connect(lambda: self._do(lambda: self.state.edit(self._draft)))
        self.discard = make_button(tr("Discard"), "ghost")
        self.discard.clicked.connect(self._show)
        self.check = make_button(tr("Check files…"), "secondary", "search")
        self.check.clicked.connect(self.choose)
        self._earlier = QMenu(self)
        self.versions = make_button(tr("Earlier"), "secondary", menu=self._earlier)
        more = make_button(tr("More"), "secondary", menu=self._make_menu())
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.M)
        line = row(self._facts, self.discard, self.keep, self.versions, more, self.check)
        line.setStretch(0, 1)
        layout.addLayout(line)
        layout.addWidget(card, 1)
        return page

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        for title, slot in (
                (self.tr("Import from JSON…"), self._import), (self.tr("Export as JSON…"), self._export),
                (self.tr("Export as pandera schema…"), self._export_pandera),
                (self.tr("Make anew from this version"), lambda: self._do(self.state.infer))):
            menu.addAction(title).triggered.connect(lambda _checked=False, slot=slot: slot())
        return menu

    # Showing

    def load(self) -> None:
        """Read the contracts, unless somebody is in the middle of an edit."""
        if self.state.kept is None or self._draft == self.state.kept.document:
            self._do(self.state.load)

    def _show(self) -> None:
        """Show the newest contract as it is kept."""
        history, kept = self.state.history.value, self.state.kept
        if history is None:
            return
        self.setCurrentIndex(1 if kept is None else 2)
        if kept is None:
            return
        self._draft = dict(kept.document)
        self._earlier.clear()
        for older in history[1:21]:
            text = self.tr("Contract {number}, {when}: keep it again").format(
                number=older.number, when=words.when(older.created))
            self._earlier.addAction(text).triggered.connect(
                lambda _checked=False, older=older: self._do(lambda: self.state.edit(older.document)))
        self.versions.setVisible(len(history) > 1)
        self._facts.setText(self.tr("Contract {number} · {columns} · {when}").format(
            number=kept.number, when=words.when(kept.created), columns=words.counted(
                len(self._draft["columns"]), self.tr("column"), self.tr("columns"))))
        self._fill()
        if not self.table.selected():
            self.table.select([_FILE])
        self._on_chosen()

    def _fill(self) -> None:
        self.table.set_records([{"name": _FILE, "type": ""}, *self._draft["columns"]])
        kept = self.state.kept
        changed = kept is not None and self._draft != kept.document
        self.discard.setVisible(changed)
        self.keep.setVisible(changed)
        if changed:
            disable(self.check, self.tr("Keep or discard your changes first."))
        else:
            enable(self.check)

    def _words(self, rule: Rule) -> str:
        if rule["name"] != _FILE:
            text, severity = rule_words(rule), _SEVERITIES.get(rule.get("severity", "error"), "")
            return f"{text} ({words.tr(severity)})" if severity else text
        rows, name = self._draft.get("rows") or {}, self._draft.get("file_name") or {}
        said = [self.tr("at least {count} rows").format(count=words.number(rows["low"]))] if "low" in rows else []
        said += [self.tr("at most {count} rows").format(count=words.number(rows["high"]))] if "high" in rows else []
        said += [self.tr("named {pattern}").format(pattern=name["pattern"])] if name else []
        return ", ".join(said) or self.tr("any name, any number of rows")

    def _on_chosen(self) -> None:
        chosen = self.table.selected()
        if not chosen or chosen[0]["name"] == _FILE:
            self._forms.setCurrentWidget(self.file)
            version = self.state.dataset.version.value
            source = Path(version.source.split(",")[0]).name if version is not None else ""
            self.file.show_contract(self._draft, [source] if "." in source else [])
        else:
            self._forms.setCurrentWidget(self.rule)
            self.rule.show_rule(chosen[0])

    def _on_rule(self, rule: Rule) -> None:
        columns = [rule if item["name"] == rule["name"] else item for item in self._draft["columns"]]
        self._draft = {**self._draft, "columns": columns}
        self._fill()

    def _on_file(self, parts: dict[str, Any]) -> None:
        self._draft = {**self._draft, **parts}
        self._fill()

    # Doing

    @async_slot
    async def _do(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        try:
            await work()
        except (MldeskError, OSError) as error:
            self.shell.say(sentence(error), "danger")

    def _import(self) -> None:
        choose_files(self, self.tr("Import a contract"), ["JSON (*.json)"],
                     lambda paths: self._do(lambda: self.state.read(paths[0])))

    def _export(self) -> None:
        choose_place(self, self.tr("Export the contract"), ["JSON (*.json)"],
                     f"{self.state.dataset.name}-contract.json", self._write)

    def _export_pandera(self) -> None:
        choose_place(self, self.tr("Export a pandera schema"), ["Python (*.py)"],
                     f"{self.state.dataset.name}_schema.py", self._write)

    def _write(self, path: Path) -> None:
        self._do(lambda: self.state.write(path))

    def choose(self) -> None:
        """Ask for files, then check them."""
        choose_files(self, self.tr("Check files"), table_filters(), self.check_files, many=True)

    def check_files(self, paths: list[Path]) -> None:
        """Check files and show the verdicts."""
        from mldesk.desktop.pages.data.contract_check import CheckDialog

        CheckDialog(self.shell, self.state, paths).open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.state.kept is not None and self.check.isEnabled() and local_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if paths := local_files(event):
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.check_files(paths))

    def dispose(self) -> None:
        """Let go of everything."""
        self._undo()
        self.cancel_tasks()
