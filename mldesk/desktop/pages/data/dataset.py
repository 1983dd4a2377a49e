"""One dataset: its rows, its columns, questions in SQL, its history, and what the import noticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError, NotFound
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.arrangement import Arrangement
from mldesk.desktop.pages.data.contract_view import ContractView
from mldesk.desktop.pages.data.dataset_columns import ColumnsView
from mldesk.desktop.pages.data.dataset_query import QueryView
from mldesk.desktop.pages.data.dataset_remove import ask_to_purge, ask_to_remove, say_it_is_in_the_bin
from mldesk.desktop.pages.data.dataset_rename import RenameDialog
from mldesk.desktop.pages.data.dataset_table_menu import TableMenu
from mldesk.desktop.pages.data.dataset_versions import VersionsView
from mldesk.desktop.pages.data.diff_dialog import DiffDialog
from mldesk.desktop.pages.data.explore_rows import PickedBar
from mldesk.desktop.pages.data.explore_view import ExploreView
from mldesk.desktop.pages.data.hand_editing import HandEditing
from mldesk.desktop.pages.data.problems import ProblemsView
from mldesk.desktop.pages.data.read_again import read_again
from mldesk.desktop.pages.data.version_words import VersionWordsDialog
from mldesk.desktop.pages.file_choice import choose_place, open_folder
from mldesk.desktop.pages.page import Page
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.contract import ContractState
from mldesk.desktop.states.dataset import DatasetState, Picked
from mldesk.desktop.step_words import came_from
from mldesk.desktop.tasks import async_slot, start
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Badge,
    Card,
    DataTable,
    ElidedLabel,
    PagedTableModel,
    PageHeader,
    SearchField,
    Tabs,
    make_button,
    row,
)

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion
    from mldesk.wire.schema import Order

EXPORTS = ("Parquet (*.parquet)", "CSV (*.csv)", "TSV (*.tsv)", "JSON lines (*.jsonl)", "Excel (*.xlsx)",
           "Arrow, Feather (*.feather *.arrow)")


class DatasetPage(Page):
    """Shows one version of a dataset; the newest unless another was chosen in its history."""

    def __init__(self, shell: Shell, name: str) -> None:
        super().__init__(shell)
        self.state = DatasetState(shell.desk, name)
        self._shown: str | None = None  # manifest whose rows the table shows
        self._wanted_row: int | None = None  # to be gone to once the table is there
        self.header = PageHeader(name, " ", with_back=True)
        self.header.back.connect(self._on_back)
        self._old = Badge("", "warning", icon="versions")
        self._old.hide()
        self.header.add_badge(self._old)
        self._add_actions()
        self.table = DataTable(flush=True)
        self.table.renewed.connect(self._on_marked)   # what was selected is not any more
        self._search = SearchField(self.tr("Search in every column"))
        self._search.setFixedWidth(280)
        self._search.searched.connect(self._on_searched)
        self._hint = self.tr("Double-click a cell to change it. Right-click cells and headers for more.")
        self._found = ElidedLabel(self._hint, "caption", "muted", whole=True)
        self.columns = ColumnsView()
        self.query = QueryView(self.state)
        self.versions = VersionsView()
        self.contract = ContractView(shell, ContractState(shell.desk, self.state))
        self.keep(self.contract.dispose)
        self.keep(self.state.close)
        self.problems = ProblemsView()
        self.tabs = Tabs()
        self.tabs.add("table", self.tr("Table"), self._make_table_tab(), "dataset")
        self.tabs.add("columns", self.tr("Columns"), self.columns, "columns")
        self.tabs.add("explore", self.tr("Explore"), ExploreView(shell.desk, self.state), "chart")
        self.tabs.add("query", self.tr("SQL"), self.query, "search")
        self.tabs.add("versions", self.tr("Versions"), self.versions, "versions")
        self.tabs.add("contract", self.tr("Contract"), self.contract, "lock")
        self.tabs.add("problems", self.tr("Things to know"), self.problems, "info")
        self.tabs.changed.connect(self._on_tab)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(self.header)
        layout.addWidget(self.tabs, 1)
        self.keys_to = self.table
        self._connect()

    def _connect(self) -> None:
        self.keep(self.state.picked.subscribe(self._on_picked))
        self.columns.chosen.connect(self._on_column)
        self.versions.shown.connect(self._on_show_version)
        self.versions.rolled_back.connect(self._roll_back)
        self.versions.diffed.connect(self._show_diff)
        self.versions.annotated.connect(
            lambda number: VersionWordsDialog(self.state, number, self.shell.host).open())
        self.versions.purged.connect(self._ask_to_purge)
        self.keep(self.state.about.subscribe(self.versions.show_about))
        self.query.kept.connect(self._on_kept)
        self.keep(self.state.version.subscribe(self._show_version))
        self.keep(self.state.lineage.subscribe(self.versions.show_lineage))
        self.keep(self.state.versions.subscribe(lambda _: self._show_history()))
        self.keep(self.state.profile.subscribe(self.columns.show_profile))

    def _add_actions(self) -> None:
        clean = make_button(self.tr("Clean…"), "secondary", "edit")
        clean.clicked.connect(lambda _checked=False: self.clean())
        train = make_button(self.tr("Train…"), "primary", "train")
        train.clicked.connect(lambda: self.shell.train(self.state.reference))
        menu = QMenu(self)
        for title, slot in ((self.tr("Export the table…"), self.export),
                            (self.tr("Export into a database…"), self.export_to_database),
                            (self.tr("Read the files again"), lambda: read_again(self.shell, self.state.name)),
                            (self.tr("Tags and note…"), self.annotate),
                            (self.tr("Rename…"), self.rename),
                            (self.tr("Move to the bin"), self.remove)):
            menu.addAction(title).triggered.connect(lambda _checked=False, slot=slot: slot())
        more = make_button(self.tr("More"), "secondary", menu=menu)
        for button in (more, clean, train):
            self.header.add_action(button)

    def _make_table_tab(self) -> QWidget:
        tab = QWidget()
        layout = QVBoxLayout(tab)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.M)
        columns = Arrangement(self.table, self.state)
        self.keep(columns.let_go)
        self.filter = make_button(self.tr("Filter…"), "secondary", "filter")
        tools = row(self._search, self._found, columns.note, self.filter, columns.choose, spacing=Space.M)
        tools.setStretch(1, 1)
        layout.addLayout(tools)
        layout.addWidget(PickedBar(self.state))
        self.editing = HandEditing(self.table, self.state, tab)
        self.editing.wanted_recipe.connect(self.clean)
        self.editing.made.connect(self._on_made)
        self.editing.said.connect(self.shell.say)
        self.keep(self.editing.let_go)
        layout.addWidget(self.editing.bar)
        self.tools = TableMenu(self.table, self.state, columns, self.editing)
        self.filter.clicked.connect(lambda _checked=False: self.tools.ask_filter())
        card = Card(padding=0)
        card.add(self.table, 1)
        layout.addWidget(card, 1)
        return tab

    # Showing

    async def refresh(self) -> None:
        try:
            await self.state.refresh()
        except NotFound:  # removed or renamed elsewhere
            self.shell.say(self.tr("{name} is not in the library any more.").format(name=self.state.name), "neutral")
            self._on_back()

    def grow_older(self) -> None:
        self._show_version(self.state.version.value)

    def show_tab(self, key: str) -> None:
        """Show one of "table", "columns", "query", "versions", "contract", "problems"."""
        self.tabs.set_value(key)

    def go_to_row(self, row: int | None, version: int | None = None) -> None:
        """Show row ``row`` (from 0) of a version, now or once it is there; no version means the newest."""
        self._wanted_row = row
        self.show_tab("table")
        self.state.show(version)
        if self._shown is not None:
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        model, row = self.table.paged(), self._wanted_row
        if model is not None and row is not None and row < model.rowCount():
            self._wanted_row = None
            self.table.go_to_row(row)

    def show_query(self) -> None:
        """Go to the SQL tab."""
        self.show_tab("query")
        self.query.field.setFocus()

    def _show_version(self, version: DatasetVersion | None) -> None:
        if version is None:
            return
        self.header.set_title(self.state.name)
        facts = [words.shape(version.rows, len(version.columns)), words.size(version.size), came_from(version),
                 words.when(version.created)]
        if models := self.state.used_by.value:
            facts.append(self.tr("used by {models}").format(
                models=words.counted(len(models), self.tr("model"), self.tr("models"))))
        self.header.set_subtitle(" · ".join(facts))
        self.problems.show_problems(version.problems)
        button = self.tabs.bar.button("problems")
        button.setText(self.tr("Things to know ({count})").format(count=len(version.problems)))
        button.setVisible(bool(version.problems))
        self.query.suggest("SELECT *\nFROM data\nLIMIT 100")
        if version.manifest != self._shown:
            self._shown = version.manifest
            self._show_rows(version)
            self._go_to_wanted()
            self._on_tab(self.tabs.value())
        self._show_history()

    def _show_rows(self, version: DatasetVersion) -> None:
        self.table.header.rows = version.rows
        search = self._search.text().strip()
        total = None if search or self.state.picked.value else version.rows
        model = self.table.paged()
        fetch = partial(self._fetch, search)
        if model is None:
            model = PagedTableModel(version.columns, fetch, total, self)
            model.failed.connect(lambda why: self.shell.say(why, "danger"))
            model.loaded.connect(self._on_loaded)
            self.table.set_model(model)
            self.table.selectionModel().selectionChanged.connect(lambda *_: self._on_marked())
        else:
            model.reset(version.columns, fetch, total)
        self.table.set_numbers_up_to(version.rows)
        self.editing.follow()

    def _fetch(self, search: str, offset: int, limit: int, order: Order | None) -> Any:
        return self.own(start(self.state.page(offset, limit, order, search), "read rows", quiet=True))

    def _show_history(self) -> None:
        head, seen, versions = self.state.head.value, self.state.version.value, self.state.versions.value
        self.versions.show_versions(versions, head, seen)
        older = head is not None and seen is not None and head.number != seen.number
        self._old.setVisible(older)
        if older and seen is not None:
            self._old.set(self.tr("version {number}, not the current one").format(number=seen.number))
        self.tabs.bar.button("versions").setText(self.tr("Versions ({count})").format(count=len(versions)))

    def _on_picked(self, picked: object) -> None:
        version = self.state.version.value
        if version is not None and version.manifest == self._shown:
            self._show_rows(version)
            if picked is not None:
                self.show_tab("table")

    def _on_marked(self) -> None:
        self.state.marked.value = self.table.chosen_places()

    def _on_searched(self, text: str) -> None:
        version = self.state.version.value
        if version is not None:
            self._found.setText(self.tr("Searching…") if text else self._hint)
            self._show_rows(version)

    def _on_loaded(self, total: int) -> None:
        version = self.state.version.value
        if version is not None and self._search.text().strip():
            self._found.setText(self.tr("{found} of {rows} rows").format(
                found=words.number(total), rows=words.number(version.rows)))

    def _on_tab(self, key: str) -> None:
        if key == "versions":
            self.begin(self.state.load_lineage(), "read the lineage")
        if key == "contract":
            self.contract.load()
        if key == "columns" and self.state.profile.value is None and self.state.version.value is not None:
            self.begin(self.state.load_profile(), "profile the columns")

    def _on_column(self, name: str) -> None:
        quoted = name.replace('"', '""')
        self.query.field.setPlainText(
            f'SELECT "{quoted}", count(*) AS rows\nFROM data\nGROUP BY 1\nORDER BY rows DESC')
        self.show_query()
        self.query.run_query()

    def _on_show_version(self, number: int) -> None:
        if any(item.number == number and item.purged is not None for item in self.state.versions.value):
            self.shell.say(self.tr("The rows of version {number} were purged.").format(number=number), "neutral")
            return
        self.state.show(number)
        self.show_tab("table")

    def _on_back(self) -> None:
        self.shell.go("datasets")

    # Doing

    def clean(self, steps: Sequence[Mapping[str, Any]] = ()) -> None:
        """Open the recipe editor over what is shown, with what was changed by hand and these steps to begin with."""
        version, changes = self.state.version.value, self.state.edits.changes.value
        if version is not None:
            from mldesk.desktop.pages.data.clean_dialog import CleanDialog

            dialog = CleanDialog(self.shell, version, [changes.step(), *steps] if changes else steps)
            if changes:
                dialog.made.connect(self.state.edits.forget)
            dialog.open()

    def _on_made(self, version: DatasetVersion, before: int) -> None:
        self.shell.say(self.tr("Made version {number} of {name}.").format(number=version.number, name=version.dataset),
                       "success", (self.tr("Undo"), lambda: self._roll_back(before)))
        self.begin(self.refresh(), "show the new version")

    def export(self) -> None:
        """Ask where to, then write the table."""
        choose_place(self, self.tr("Export the table"), EXPORTS, f"{self.state.name}.parquet", self._export)

    def export_to_database(self) -> None:
        """Ask for a SQLite or DuckDB file and the table's name in there, then write it."""
        from mldesk.desktop.pages.data.export_database import export_to_database

        export_to_database(self.shell, self.state)

    @async_slot
    async def _export(self, path: Path) -> None:
        try:
            await self.state.export(path)
        except (MldeskError, OSError) as error:
            self.shell.say(sentence(error), "danger")
            return
        self.shell.say(self.tr("Wrote {name}.").format(name=path.name), "success",
                       (self.tr("Open its folder"), lambda: open_folder(path)))

    def rename(self) -> None:
        """Ask for another name."""
        RenameDialog(self.shell, self.state, self.header.set_title).open()

    @async_slot
    async def annotate(self) -> None:
        """Ask what is said of the dataset as a whole."""
        await self.state.load_lineage()
        VersionWordsDialog(self.state, 0, self.shell.host).open()

    def _ask_to_purge(self, number: int) -> None:
        ask_to_purge(self.shell, self.state, number)

    def remove(self) -> None:
        """Move the dataset to the bin; a toast takes it back. Asks first where models learned from it."""
        ask_to_remove(self.shell, self.state.name, self.state.used_by.value,
                      lambda: start(self._remove(), "move a dataset to the bin"))  # the page ends before it does

    async def _remove(self) -> None:
        await self.state.remove()
        self.shell.go("datasets")
        say_it_is_in_the_bin(self.shell, self.state.name, back_to_its_page=True)

    @async_slot
    async def _on_kept(self, version: DatasetVersion, before: int) -> None:
        """A query's answer became a version: it can be taken back where it is one of this dataset."""
        own = version.dataset == self.state.name
        self.shell.say(self.tr("The answer is {version} now.").format(version=version.label), "success",
                       (self.tr("Undo"), lambda: self._roll_back(before)) if own else None)
        if own:
            self.state.show(None)
            await self.state.refresh()
            self.show_tab("table")
        else:
            self.shell.open_dataset(version.dataset)

    @async_slot
    async def _roll_back(self, number: int) -> None:
        before = await self.state.roll_back(number)
        self.shell.say(self.tr("{name} now means version {number}.").format(name=self.state.name, number=number),
                       "success", (self.tr("Undo"), lambda: self._roll_back(before)))

    @async_slot
    async def _show_diff(self, first: int, second: int) -> None:
        DiffDialog(self.state, await self.state.diff(first, second), self.shell.host).open()


def page_at(shell: Shell, reference: str, row: int | None = None, picked: Picked | None = None) -> DatasetPage:
    """Return a page of ``name@version`` that shows row ``row`` (from 0), or only the rows of ``picked``."""
    name, _, version = reference.rpartition("@")
    page = DatasetPage(shell, name or reference)
    page.go_to_row(row, int(version) if name else None)
    page.state.picked.value = picked
    return page
