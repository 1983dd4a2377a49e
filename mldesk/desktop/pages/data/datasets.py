"""The list of datasets, what is being imported, and the bin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from mldesk.desktop import words
from mldesk.desktop.pages.data.dataset_filter import DatasetFilterBar
from mldesk.desktop.pages.data.dataset_menu import dataset_entries
from mldesk.desktop.pages.page import Page
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import give_menu
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.imports import Import
from mldesk.desktop.states.lists import DatasetList
from mldesk.desktop.step_words import came_from
from mldesk.desktop.tasks import async_slot, in_thread
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    ElidedLabel,
    EmptyState,
    PageHeader,
    ProgressLine,
    SearchField,
    Sheet,
    make_button,
    make_icon_button,
    make_label,
)

if TYPE_CHECKING:
    from mldesk.library.records import Dataset


_TRAINED, _TAGS = 5, 6   # columns of the list that are there once something was trained, or is tagged


def fields(state: DatasetList) -> list[Field[Dataset]]:
    """Return the columns of the list."""
    tr = words.tr
    return [
        Field(tr("Name"), lambda item: item.name, strong=True, icon=lambda _: "dataset",
              sort=lambda item: item.name.casefold()),
        Field(tr("Rows"), lambda item: words.number(item.head.rows), 110, lambda item: item.head.rows, right=True),
        Field(tr("Columns"), lambda item: words.number(len(item.head.columns)), 96,
              lambda item: len(item.head.columns), right=True),
        Field(tr("Size"), lambda item: words.size(item.head.size), 96, lambda item: item.head.size, right=True,
              muted=True, spare=2),
        Field(tr("Version"), lambda item: tr("{number} of {all}").format(number=item.head.number, all=item.versions),
              104, lambda item: item.versions, right=True, muted=True, spare=1),
        Field(tr("Trained"), lambda item: ", ".join(map(words.task_name, state.tasks.get(item.name, ()))), 120,
              muted=True, spare=4),
        Field(tr("Tags"), lambda item: ", ".join(state.tags.get(item.name, ())), 110, muted=True, spare=5),
        Field(tr("From"), lambda item: came_from(item.head), 170, muted=True, spare=3),
        Field(tr("Changed"), lambda item: words.when(item.head.created), 120, lambda item: item.head.created,
              muted=True, tip=lambda item: words.moment(item.head.created)),
    ]


class ImportLine(QFrame):
    """One import under way: how far it is, and Cancel."""

    def __init__(self, one: Import, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.one = one
        self.setProperty("surface", "card")
        self._line = ProgressLine(None, "", self.tr("Importing {name}").format(name=one.name))
        cancel = make_button(self.tr("Cancel"), "secondary", small=True)
        cancel.clicked.connect(self._on_cancel)
        self._cancel = cancel
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        layout.setSpacing(Space.L)
        layout.addWidget(self._line, 1)
        layout.addWidget(cancel)
        self._timer = QTimer(self, interval=100)  # looks at what the worker thread has noted
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        self.one.look()
        text = self.tr("Stopping the import of {name}") if self.one.cancelled else self.tr("Importing {name}")
        share = self.one.share.value
        if share is not None and share >= 1:
            text, share = self.tr("Storing {name}"), None
        self._line.set(share, text.format(name=self.one.name), "")

    def _on_cancel(self) -> None:
        self.one.cancel()
        self._cancel.setEnabled(False)


class DatasetsPage(Page):
    """Every dataset; the sample and Import where there is none."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.state = DatasetList(shell.desk)
        self.table: RecordTable[Dataset] = RecordTable(fields(self.state), lambda item: item.name, self.tr("Datasets"))
        self.table.opened.connect(lambda item: shell.open_dataset(item.name))
        give_menu(self.table, lambda item: dataset_entries(shell, item))
        self._search = SearchField(self.tr("Find a dataset"))
        self._search.setFixedWidth(200)
        self._search.searched.connect(self.table.set_filter)
        self._bin = make_button(self.tr("Bin"), "ghost", "trash")
        self._bin.clicked.connect(self.open_bin)
        self._bin.hide()
        add = make_button(self.tr("Import…"), "primary", "import")
        add.clicked.connect(shell.choose_import)
        self.filter = DatasetFilterBar()
        self.filter.changed.connect(self._show)
        header = PageHeader(self.tr("Datasets"), "", [self._bin, self.filter.button, self._search, add])
        self._imports = QVBoxLayout()
        self._imports.setSpacing(Space.S)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_waiting())
        self._stack.addWidget(self._make_empty())
        card = Card(padding=0)
        card.add(self.table, 1)
        self._stack.addWidget(card)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.L)
        layout.addWidget(header)
        layout.addLayout(self._imports)
        layout.addWidget(self.filter)
        layout.addWidget(self._stack, 1)
        self.keys_to = self.table
        self.keep(self.state.datasets.subscribe(lambda _: self._show()))
        self.keep(self.state.removed.subscribe(lambda _: self._show_bin()))
        self.keep(shell.imports.running.subscribe(self._show_imports))

    async def refresh(self) -> None:
        await self.state.refresh()

    def _make_waiting(self) -> QWidget:
        from mldesk.desktop.widgets import Spinner

        waiting = QWidget()
        layout = QVBoxLayout(waiting)
        layout.addStretch(1)
        layout.addWidget(Spinner(24), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return waiting

    def _make_empty(self) -> QWidget:
        empty = EmptyState("dataset", self.tr("No datasets yet"),
                           self.tr("Drop a CSV, Excel, JSON or Parquet file anywhere on this window. "
                                   "Or begin with the sample: 7,043 customers of a telephone company, "
                                   "and who of them left."), self.tr("Import the sample"), action_icon="play")
        empty.acted.connect(self.shell.import_sample)
        return empty

    def _show(self) -> None:
        datasets = self.state.datasets.value
        if datasets is not None:
            tags, tasks = self.state.tags, self.state.tasks
            self.filter.tags = tuple(sorted({tag for each in tags.values() for tag in each}))
            shown = [item for item in datasets if self.filter.wanted.keeps(
                item, tags.get(item.name, ()), tasks.get(item.name, ()))]
            self.table.leave_out([number for number, there in ((_TRAINED, tasks), (_TAGS, tags)) if not there])
            self.table.set_records(shown)
            self.filter.say(len(shown), len(datasets))
        self._search.setVisible(bool(datasets))
        self.filter.button.setVisible(bool(datasets))
        self._stack.setCurrentIndex(0 if datasets is None else 2 if datasets else 1)

    def _show_bin(self) -> None:
        removed = self.state.removed.value
        self._bin.setVisible(bool(removed))
        self._bin.setText(self.tr("Bin ({count})").format(count=len(removed)))

    def _show_imports(self, running: tuple[Import, ...]) -> None:
        shown = {}
        for index in reversed(range(self._imports.count())):
            item = self._imports.itemAt(index)
            line = item.widget() if item is not None else None
            if isinstance(line, ImportLine) and line.one in running:
                shown[line.one] = line
            elif line is not None:
                self._imports.takeAt(index)
                line.hide()
                line.deleteLater()
        for one in running:
            if one not in shown:
                self._imports.addWidget(ImportLine(one))

    @async_slot
    async def purge(self, name: str | None = None) -> None:
        """Take one dataset, or everything, out of the bin for good, and say what that freed."""
        names = None if name is None else [name]
        done = await in_thread(lambda: self.shell.desk.workbench.history.purge(names))
        self.shell.desk.nudge()
        await self.state.refresh()
        said = self.tr("{count} purged, {size} freed.").format(
            count=words.counted(len(done.datasets), self.tr("dataset"), self.tr("datasets")),
            size=words.size(done.freed))
        if done.shared:
            said += " " + self.tr("{size} are shared with other datasets.").format(size=words.size(done.shared))
        if done.kept > done.shared:
            said += " " + self.tr("Models or runs need {size} of them.").format(
                size=words.size(done.kept - done.shared))
        if done.later:
            said += " " + self.tr("{size} were used just now and are freed by a later purge.").format(
                size=words.size(done.later))
        self.shell.say(said, "success")

    @async_slot
    async def open_bin(self) -> None:
        """Show what is in the bin, and what purging each would free."""
        freed = {item.name: item.size for item in await in_thread(self.shell.desk.workbench.history.bin)}
        BinDialog(self, freed).open()

    @async_slot
    async def restore(self, name: str) -> None:
        """Take a dataset out of the bin."""
        await self.state.restore(name)
        self.shell.desk.nudge()
        self.shell.say(self.tr("{name} is back.").format(name=name), "success")


class BinDialog(Sheet):
    """What is in the bin, with the space it holds and the way back."""

    def __init__(self, page: DatasetsPage, freed: Mapping[str, int]) -> None:
        removed = page.state.removed.value
        held = words.size(sum(item.head.size for item in removed))
        super().__init__(self.tr("Bin"), page.shell.host, primary=self.tr("Close"),
                         width=560, scrolls=True,
                         text=self.tr("Removed datasets hold {size} until they are restored or purged.").format(
                             size=held))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.secondary.hide()
        self.confirmed.connect(self.accept)
        self._page, self._freed = page, freed
        for item in removed:
            self.add(self._line(item))
        purge = make_button(self.tr("Purge all…"), "danger", "trash")
        purge.clicked.connect(lambda _checked=False: self._on_purge())
        self.extra.addWidget(purge)

    def _on_purge(self, name: str | None = None) -> None:
        """Ask once more: there is no way back."""
        text = self.tr("{what} gone for good then. What models and runs need of it stays.").format(
            what=self.tr("All of the bin is") if name is None else self.tr("{name} is").format(name=name))
        title = self.tr("Purge the bin?") if name is None else self.tr("Purge {name}?").format(name=name)
        sure = Sheet(title, self._page.shell.host, primary=self.tr("Purge"), danger=True, text=text)
        sure.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sure.confirmed.connect(sure.accept)
        sure.accepted.connect(lambda: self._page.purge(name))
        self.accept()
        sure.open()

    def _line(self, item: Dataset) -> QHBoxLayout:
        back = make_icon_button("restore", self.tr("Restore {name}").format(name=item.name))
        back.clicked.connect(lambda: self._on_restore(item.name))
        away = make_icon_button("trash", self.tr("Purge {name}…").format(name=item.name))
        away.clicked.connect(lambda: self._on_purge(item.name))
        line = QHBoxLayout()
        line.addWidget(ElidedLabel(item.name, "strong", mode=Qt.TextElideMode.ElideMiddle), 1)
        facts = [words.shape(item.head.rows, len(item.head.columns)), words.when(item.removed)]
        if item.name in self._freed:
            facts.append(self.tr("purging frees {size}").format(size=words.size(self._freed[item.name])))
        line.addWidget(make_label(" · ".join(facts), "caption", "muted"))
        line.addWidget(back)
        line.addWidget(away)
        return line

    def _on_restore(self, name: str) -> None:
        self._page.restore(name)
        self.accept()
