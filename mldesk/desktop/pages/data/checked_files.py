"""The files that were checked before: what was wrong, where they are now, and taking one all the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.take_file import TakeSheet
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.checked_files import CheckedFiles
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets import (
    Card,
    FlowBox,
    ScrollPage,
    Sheet,
    SplitView,
    clear,
    disable,
    enable,
    make_button,
    make_label,
    row,
)

if TYPE_CHECKING:
    from mldesk.library.checks import CheckRecord

_SHOWN = 20   # findings


class CheckedFilesDialog(Sheet, TaskOwner):
    """Lists what checks said of files. A rejected one that is still there can be taken."""

    def __init__(self, shell: Shell, name: str) -> None:
        super().__init__(self.tr("Files checked for {name}").format(name=name), shell.host, width=620,
                         primary=self.tr("Accept by hand…"), secondary=self.tr("Close"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self.state = shell, CheckedFiles(shell.desk, name)
        self._where: Path | None = None
        fields: list[Field[CheckRecord]] = [
            Field(self.tr("File"), lambda item: Path(item.path).name, strong=True, tip=lambda item: item.path),
            Field(self.tr("Verdict"), lambda item: self._badge(item)[0], 136, badge=self._badge),
            Field(self.tr("Checked"), lambda item: words.when(item.time), 120, lambda item: item.time, muted=True)]
        self.table: RecordTable[CheckRecord] = RecordTable(fields, lambda item: item.number, self.tr("Checked files"),
                                                         dense=True)
        self.table.chosen.connect(self._show_chosen)
        self.details = ScrollPage(margin=Space.L, spacing=Space.M)
        self.details.setAccessibleName(self.tr("What was said of the file"))
        self.open_folder = make_button(self.tr("Open its folder"), "secondary", "folder", small=True)
        self.open_folder.clicked.connect(self._open)
        self._build()
        self.confirmed.connect(self._ask)
        self.finished.connect(self.cancel_tasks)
        self.state.records.subscribe(lambda _: self._fill())
        self.resize(fitting(self, 940, 580))
        self._fill()
        self._load()

    def _build(self) -> None:
        right = QWidget()
        layout = QVBoxLayout(right)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.details, 1)
        actions = FlowBox(spacing=Space.S, least=theme.px(96))
        actions.add(self.open_folder)
        layout.addLayout(row(actions, margins=(Space.M, 0, Space.M, Space.M)))
        right.setMinimumWidth(theme.px(280))
        split = SplitView(self.table, right)
        split.set_shares(5, 5)
        card = Card(padding=0)
        card.add(split, 1)
        self.body.addWidget(card, 1)

    def _badge(self, item: CheckRecord) -> tuple[str, Tone, str]:
        if item.decided is not None:
            return self.tr("taken by hand"), "info", "check"
        if item.status == "unchanged":
            return self.tr("in it already"), "neutral", "check"
        if item.status == "rejected":
            return self.tr("rejected"), "danger", "error"
        return (self.tr("merged"), "success", "check") if item.version is not None else \
            (self.tr("good"), "success", "check")

    @async_slot
    async def _load(self) -> None:
        try:
            await self.state.load()
        except MldeskError as error:
            self.set_error(sentence(error))

    def _fill(self) -> None:
        records = self.state.records.value
        self.table.set_records(records)
        if records and not self.table.selected():
            self.table.select([records[0].number])
        self._show_chosen()

    @async_slot
    async def _show_chosen(self) -> None:
        clear(self.details.body)
        chosen = self.table.selected()[:1]
        self._where = None
        disable(self.open_folder, self.tr("Choose a file."))
        self.set_primary_enabled(self.tr("Choose a rejected file."))
        if not chosen:
            self.details.body.addWidget(make_label(self.tr(
                "No file was checked yet. Every check is written down here."), tone="muted", wrap=True))
            self.details.body.addStretch(1)
            return
        self._show(chosen[0])
        found = await self.state.where(chosen[0])
        if self.table.selected()[:1] != chosen:
            return
        self._where = found
        if found is None:
            disable(self.open_folder, self.tr("The file is gone, or has changed."))
        else:
            enable(self.open_folder)
        self.set_primary_enabled(self._why_not(chosen[0]))

    def _why_not(self, item: CheckRecord) -> str:
        if item.version is not None:
            return self.tr("Its rows are in version {number}.").format(number=item.version)
        if item.status == "unchanged":
            return self.tr("Its rows were in it already.")
        if not item.rows:
            return self.tr("It has no rows that could be read.")
        return "" if self._where is not None else self.tr("The file is gone, or has changed since.")

    def _show(self, item: CheckRecord) -> None:
        body = self.details.body
        body.addWidget(make_label(Path(item.path).name, "subtitle", wrap=True, selectable=True))
        body.addWidget(make_label(self.tr("{rows} · contract {number} · {when}").format(
            rows=words.counted(item.rows, self.tr("row"), self.tr("rows")), number=item.contract,
            when=words.when(item.time)), "caption", "muted", wrap=True))
        if item.decided is not None:
            body.addWidget(make_label(self.tr("Taken by {who}, {when}, into version {number}: {why}").format(
                who=item.who or self.tr("somebody"), when=words.when(item.decided), number=item.version, why=item.why),
                wrap=True, selectable=True))
        elif item.version is not None:
            body.addWidget(make_label(self.tr("Merged into version {number}.").format(number=item.version), wrap=True))
        for finding in item.findings[:_SHOWN]:
            tone: Tone = "danger" if finding["severity"] == "error" else "warning"
            body.addWidget(make_label(finding["message"], tone=tone, wrap=True, selectable=True))
            cells = ", ".join(self.tr("row {row}: {value}").format(
                row=words.number(cell["row"]), value=cell["value"] or words.MISSING)
                for cell in finding["cells"] if cell["row"])
            if cells:
                body.addWidget(make_label(cells, "caption", "muted", wrap=True, selectable=True))
        if not item.findings:
            body.addWidget(make_label(self.tr("It keeps every rule."), tone="muted"))
        if item.aside:
            body.addWidget(make_label(self.tr("Put aside: {place}").format(place=item.aside), "caption", "muted",
                                      wrap=True, selectable=True))
        body.addStretch(1)

    def _open(self) -> None:
        if self._where is not None:
            folder = next((place for place in self._where.parents if place.is_dir()), self._where.parent)
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _ask(self) -> None:
        for item in self.table.selected()[:1]:
            TakeSheet(Path(item.path).name, self, partial(self._take, item)).open()

    @async_slot
    async def _take(self, item: CheckRecord, why: str) -> None:
        self.set_error("")
        self.set_busy(self.tr("Merging…"))
        try:
            made = await self.state.take(item, why)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        finally:
            self.set_busy("")
            self._show_chosen()
        if made.version is None:
            self.set_error(self.tr("It was not taken: {why}").format(why=made.left[0][1]))
            return
        self._shell.say(self.tr("{version} has the rows of {name} now.").format(
            version=made.version.label, name=Path(item.path).name), "success")
