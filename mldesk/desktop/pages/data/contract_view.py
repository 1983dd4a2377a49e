"""The Contract tab of a dataset: what files must be like, edited in place, and the way to check some."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.drop_overlay import local_files
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.contract_file import FileForm
from mldesk.desktop.pages.data.contract_rule import Rule, RuleForm, rule_words
from mldesk.desktop.pages.file_choice import choose_files, choose_folder, choose_place, table_filters
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.contract import ContractState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, EmptyState, SplitView, disable, enable, make_button, make_label, row

if TYPE_CHECKING:
    from mldesk.library.contracts import KeptContract
    from mldesk.workbench.standing import Standing

_FILE = ""  # the line of what is asked of the file as a whole; no column is named so
_NAMED = 6   # of what a contract has no place for
_SEVERITIES = {"error": "", "row": "leaves the row out", "warning": "only warns"}


class ContractView(QStackedWidget, TaskOwner):
    """Shows the contract that holds for the version. Edits are collected until they are kept as the next one."""

    def __init__(self, shell: Shell, state: ContractState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell, self.state = shell, state
        self._draft: dict[str, Any] = {}
        self.setAcceptDrops(True)
        self.empty = EmptyState("lock", *self._nothing(), self.tr("Make one from this version"))
        self.empty.acted.connect(lambda: self._do(self.state.infer))
        self.addWidget(QWidget())
        self.addWidget(self.empty)
        self._undo = [state.found.subscribe(lambda _: self._show()),
                      state.dataset.version.subscribe(lambda _: self.load() if self.isVisible() else None)]

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
        self.changed = Notice()
        self.changed.acted.connect(lambda: self._do(lambda: self.state.infer(only_changed=True)))
        layout.addLayout(line)
        layout.addWidget(self.changed)
        layout.addWidget(card, 1)
        return page

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self.check_folder = menu.addAction(self.tr("Check a folder…"))
        self.check_folder.triggered.connect(lambda: choose_folder(
            self, self.tr("Check the files of a folder"), lambda path: self.check_files([path])))
        for title, slot in (
                (self.tr("Files checked before…"), self.show_checked),
                (self.tr("What the file must be like"), lambda: self.table.select([_FILE])),   # the last line
                (self.tr("Import from a file…"), self._import), (self.tr("Export as JSON…"), self._export),
                (self.tr("Export as pandera schema…"), self._export_pandera),
                (self.tr("Make anew from this version"), lambda: self._do(self.state.infer))):
            menu.addAction(title).triggered.connect(lambda _checked=False, slot=slot: slot())
        return menu

    # Showing

    def load(self) -> None:
        """Read the contracts, unless somebody is in the middle of an edit."""
        if self.state.standing is None or self._draft == self.state.standing.document:
            self._do(self.state.load)

    def _show(self) -> None:
        """Show the contract as it stands for the version."""
        found = self.state.found.value
        if found is None:
            return
        if found.standing is not None and self.count() < 3:   # not before: it takes long, and most look at rows only
            self.addWidget(self._make_editor())
        self.setCurrentIndex(1 if found.standing is None else 2)
        if found.standing is None:
            self._show_none(found.all)
            return
        kept = found.standing.kept
        self._draft = dict(found.standing.document)
        self._fill_earlier([older for older in found.all if older.number != kept.number])
        made_for = "" if kept.version == found.standing.version.number else \
            self.tr(" · made for version {number}").format(number=kept.version)
        self._facts.setText(self.tr("Contract {number}{made_for} · {columns} · {when}").format(
            number=kept.number, made_for=made_for, when=words.when(kept.created), columns=words.counted(
                len(self._draft["columns"]), self.tr("column"), self.tr("columns"))))
        self._say_changed(found.standing)
        self._fill()
        if not self.table.selected():
            columns = self._draft["columns"]
            self.table.select([str(columns[0]["name"]) if columns else _FILE])
        self._on_chosen()

    def _show_none(self, others: Sequence[KeptContract]) -> None:
        if not others:
            self.empty.set_texts(*self._nothing())
            return
        self.empty.set_texts(self.tr("No contract for this version"), self.tr(
            "The newest contract was made for version {number}: it holds for that one and what is made of it. Make one "
            "from what this version holds, then change what you like.").format(number=others[0].version))

    def _nothing(self) -> tuple[str, str]:
        return self.tr("No contract yet"), self.tr(
            "A contract says what files must be like to join this dataset: types, ranges, allowed values, names. Make "
            "one from what this version holds, then change what you like.")

    def _fill_earlier(self, others: Sequence[KeptContract]) -> None:
        self._earlier.clear()
        for older in others[:20]:
            text = self.tr("Contract {number}, for version {version}, {when}: keep it again").format(
                number=older.number, version=older.version, when=words.when(older.created))
            self._earlier.addAction(text).triggered.connect(
                lambda _checked=False, older=older: self._do(lambda: self.state.edit(older.document)))
        self.versions.setVisible(bool(others))

    def _say_changed(self, standing: Standing) -> None:
        """Say which columns recipes changed since the contract was made, and offer the way on."""
        names = standing.changed
        self.changed.setVisible(bool(names))
        if names:
            self.changed.say("warning", self.tr("{columns} changed since version {number}").format(
                columns=words.counted(len(names), self.tr("column"), self.tr("columns")), number=standing.kept.version),
                self.tr("{names}: asked for the type only.").format(
                    names=", ".join(names[:6]) + (" …" if len(names) > 6 else "")), self.tr("Infer their rules anew"))

    def _fill(self) -> None:
        self.table.set_records([*self._draft["columns"], {"name": _FILE, "type": ""}])
        standing = self.state.standing
        changed = standing is not None and self._draft != standing.document
        self.discard.setVisible(changed)
        self.keep.setVisible(changed)
        for button in (self.check, self.changed.button):
            if changed:
                disable(button, self.tr("Keep or discard your changes first."))
            else:
                enable(button)
        self.check_folder.setEnabled(not changed)
        self.check_folder.setToolTip(self.tr("Keep or discard your changes first.") if changed else "")

    def _words(self, rule: Rule) -> str:
        if rule["name"] != _FILE:
            text, severity = rule_words(rule), _SEVERITIES.get(rule.get("severity", "error"), "")
            if not text and self.state.standing is not None and rule["name"] in self.state.standing.changed:
                text = self.tr("its type only: a recipe changed it")
            return f"{text} ({words.tr(severity)})" if severity else text
        rows, name = self._draft.get("rows") or {}, self._draft.get("file_name") or {}
        counts = {key: words.counted(rows[key], self.tr("row"), self.tr("rows")) for key in ("low", "high")
                  if key in rows}
        said = [self.tr("at least {rows}").format(rows=counts["low"])] if "low" in counts else []
        said += [self.tr("at most {rows}").format(rows=counts["high"])] if "high" in counts else []
        said += [self.tr("other counts are only said")] if rows.get("severity") == "warning" else []
        said += [self.tr("named {pattern}").format(pattern=name["pattern"])] if name else []
        order = self._draft.get("order", False)
        said += [self.tr("another order is only said") if order == "warn" else
                 self.tr("columns in this order")] if order else []
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
        choose_files(self, self.tr("Import a contract, or a pandera schema"), [
            self.tr("Contracts and pandera schemas") + " (*.json *.yaml *.yml)"], lambda paths: self.read(paths[0]))

    def read(self, path: Path) -> None:
        """Keep the contract in a file, and name what there is no place for."""
        self._do(lambda: self._read(path))

    async def _read(self, path: Path) -> None:
        left_out = await self.state.read(path)
        said = self.tr("Kept the contract of {name}.").format(name=path.name)
        if left_out:
            said += " " + self.tr("A contract has no place for {what}.").format(
                what=", ".join(left_out[:_NAMED]) + (" …" if left_out[_NAMED:] else ""))
        self.shell.say(said, "warning" if left_out else "success")

    def _export(self) -> None:
        choose_place(self, self.tr("Export the contract"), ["JSON (*.json)"],
                     f"{self.state.dataset.name}-contract.json", self._write)

    def _export_pandera(self) -> None:
        choose_place(self, self.tr("Export a pandera schema"), ["Python (*.py)"],
                     f"{self.state.dataset.name}_schema.py", self._write)

    def _write(self, path: Path) -> None:
        self._do(lambda: self._written(path))

    async def _written(self, path: Path) -> None:
        unsaid = await self.state.write(path)
        if unsaid:
            self.shell.say(self.tr("Wrote {name}. A pandera schema cannot say {what}.").format(
                name=path.name, what=", ".join(unsaid[:_NAMED]) + (" …" if unsaid[_NAMED:] else "")), "warning")
        else:
            self.shell.say(self.tr("Wrote {name}.").format(name=path.name), "success")

    def choose(self) -> None:
        """Ask for files, then check them."""
        choose_files(self, self.tr("Check files"), table_filters(), self.check_files, many=True)

    def check_files(self, paths: list[Path]) -> None:
        """Check files and show the verdicts."""
        from mldesk.desktop.pages.data.contract_check import CheckDialog

        CheckDialog(self.shell, self.state, paths).open()

    def show_checked(self) -> None:
        """Show what checks said of files before."""
        from mldesk.desktop.pages.data.checked_files import CheckedFilesDialog

        CheckedFilesDialog(self.shell, self.state.dataset.name).open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.state.kept is not None and self.check.isEnabled() and local_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if paths := local_files(event):
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.check_files(paths))

    def dispose(self) -> None:
        """Let go of everything."""
        for undo in self._undo:
            undo()
        self.cancel_tasks()
