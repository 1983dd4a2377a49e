"""Files are checked against a contract: a verdict per file, what to do with those that break it, and the merge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.data.take_file import TakeSheet
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.contract import CheckState, ContractState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets import (
    Card,
    FlowBox,
    ProgressLine,
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
    from mldesk.data.contracts.verdict import Finding, Verdict

REPORTS = ("Web page (*.html)", "Text (*.txt)", "CSV, a line per cell (*.csv)")
ASIDE = ("Folder, or zip where the name says so (*)",)
_SHOWN = 20  # findings of a file


class CheckDialog(Sheet, TaskOwner):
    """Checks files in a thread; closing it stops the check. Nothing changes before the good ones are merged."""

    def __init__(self, shell: Shell, contract: ContractState, paths: list[Path]) -> None:
        name, head = contract.dataset.name, contract.dataset.head.value
        version = contract.dataset.version.value
        reference = name if version is None or head is None or head.number == version.number else version.label
        super().__init__(self.tr("Check files for {name}").format(name=reference), shell.host, width=620,
                         primary=self.tr("Merge the good ones into a new version"), secondary=self.tr("Close"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self.state = shell, CheckState(contract.desk, reference, paths)
        self.progress = ProgressLine(None, text=self.tr("Reading the files…"))
        self._summary = make_label("", wrap=True)
        fields: list[Field[Verdict]] = [
            Field(self.tr("File"), self._name, strong=True, tip=lambda item: item.file),
            Field(self.tr("Verdict"), lambda item: self._badge(item)[0], 140, badge=self._badge),
            Field(self.tr("Rows"), lambda item: words.number(item.rows) if item.rows or not item.held else "", 80,
                  lambda item: item.rows, right=True, muted=True)]
        self.table: RecordTable[Verdict] = RecordTable(fields, lambda item: item.file, self.tr("Files"), dense=True)
        self.table.chosen.connect(self._show_chosen)
        self.details = ScrollPage(margin=Space.L, spacing=Space.M)
        self.details.setAccessibleName(self.tr("What is wrong"))
        self._actions = FlowBox(spacing=Space.S, least=theme.px(96))
        self.report = make_button(self.tr("Save the report…"), "ghost", "export")
        self.report.clicked.connect(lambda: choose_place(
            self, self.tr("Save the report"), REPORTS, f"{name}-check.html", self._write))
        self.extra.addWidget(self.report)
        self.aside = make_button(self.tr("Put the rejected aside…"), "ghost", "folder")
        self.aside.setToolTip(self.tr(
            "Copies the rejected files, with a report, into a folder; a name that ends in .zip makes a zip."))
        self.aside.clicked.connect(lambda: choose_place(
            self, self.tr("Put the rejected files aside"), ASIDE, f"{name}-rejected", self._put_aside))
        self.extra.addWidget(self.aside)
        self._build()
        self._look = QTimer(self, interval=200)
        self._look.timeout.connect(self._show_progress)
        self.confirmed.connect(self._merge)
        self.finished.connect(self._on_finished)
        self.state.verdicts.subscribe(lambda _: self._show())
        self.resize(fitting(self, 940, 580))
        self.again([])

    def _build(self) -> None:
        right = QWidget()
        layout = QVBoxLayout(right)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.details, 1)
        layout.addLayout(row(self._actions, margins=(Space.M, 0, Space.M, Space.M)))
        right.setMinimumWidth(theme.px(280))
        split = SplitView(self.table, right)
        split.set_shares(5, 5)
        card = Card(padding=0)
        card.add(split, 1)
        self.add(self._summary)
        self.add(self.progress)
        self.body.addWidget(card, 1)

    def _name(self, item: Verdict) -> str:
        """Return a file's name, of one in a folder that is checked its path in there."""
        path = Path(item.file)
        folder = next((one for one in self.state.paths if one != path and path.is_relative_to(one)), path.parent)
        return path.relative_to(folder).as_posix()

    def _badge(self, item: Verdict) -> tuple[str, Tone, str]:
        if Path(item.file) in self.state.left_out:
            return self.tr("left out"), "neutral", "minus"
        if item.there and item.status != "rejected":
            return self.tr("in it already"), "neutral", "check"
        if item.accepted and item.bad_rows:
            return self.tr("{count} rows less").format(count=words.number(item.bad_rows)), "warning", "warning"
        return (self.tr("good"), "success", "check") if item.accepted else (self.tr("rejected"), "danger", "error")

    # Checking

    @async_slot
    async def again(self, only: list[Path]) -> None:
        """Check the files, or some of them again."""
        self._begun(self.tr("Checking…"))
        try:
            await self.state.check(only)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
        self._ended()
        self._show()

    def _begun(self, what: str) -> None:
        self.set_error("")
        self.progress.set(None, what)
        self.progress.show()
        self._look.start()
        self.set_busy(what)
        self._show_chosen()

    def _ended(self) -> None:
        self._look.stop()
        self.progress.hide()
        self.set_busy("")

    def _show_progress(self) -> None:
        done, total = self.state.done
        self.progress.set(done / total if done and total else None, text=self.tr("{done} of {total} files").format(
            done=words.number(done), total=words.number(total)))

    def _show(self) -> None:
        verdicts = self.state.verdicts.value
        self.table.set_records(verdicts)
        good = len(self.state.good())
        rejected = [item for item in verdicts if item.status == "rejected"]
        self._summary.setText(self.tr("{good} to merge, {rejected} rejected, of {all}.").format(
            good=words.number(good), rejected=words.number(len(rejected)), all=words.counted(
                len(verdicts), self.tr("file"), self.tr("files"))) + self._untold() if verdicts else "")
        if not self._look.isActive():
            self.set_primary_enabled("" if good else self.tr("No file is good."))
        if verdicts:
            enable(self.report)
        else:
            disable(self.report, self.tr("Nothing is checked yet."))
        if rejected:
            enable(self.aside)
        else:
            disable(self.aside, self.tr("No file is rejected."))
        if verdicts and not self.table.selected():
            self.table.select([(rejected or list(verdicts))[0].file])
        self._show_chosen()

    def _untold(self) -> str:
        if not self.state.untold:
            return ""
        return " " + self.tr("Whether a file is in it already cannot be told of what came from {sources}.").format(
            sources=", ".join(self.state.untold[:3]) + (" …" if self.state.untold[3:] else ""))

    # One file

    def _show_chosen(self) -> None:
        clear(self.details.body)
        self._actions.clear()
        for verdict in self.table.selected()[:1]:
            self._show_verdict(verdict)
            self._offer(verdict)

    def _show_verdict(self, verdict: Verdict) -> None:
        body = self.details.body
        body.addWidget(make_label(Path(verdict.file).name, "subtitle", wrap=True, selectable=True))
        if not verdict.findings:
            body.addWidget(make_label(self.tr("Its rows are in the dataset already.") if verdict.status == "unchanged"
                                      else self.tr("Keeps every rule."), tone="muted"))
        for finding in verdict.findings[:_SHOWN]:
            body.addWidget(self._finding(finding))
        if len(verdict.findings) > _SHOWN:
            body.addWidget(make_label(self.tr("{count} more are in the report.").format(
                count=words.number(len(verdict.findings) - _SHOWN)), "caption", "muted"))
        if verdict.name_parts:
            body.addWidget(make_label(self.tr("Its name says: {parts}").format(parts=", ".join(
                f"{key} {value.removesuffix('T00:00:00')}" for key, value in verdict.name_parts.items())), "caption",
                "muted", wrap=True))
        if verdict.suggestions:
            body.addWidget(make_label(self.tr("Perhaps renamed: {names}").format(names=", ".join(
                self.tr("{old} is {new}").format(old=old, new=new) for old, new in verdict.suggestions.items())),
                wrap=True))
        body.addStretch(1)

    def _finding(self, finding: Finding) -> QWidget:
        widget = QWidget()
        box = QVBoxLayout(widget)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(Space.XXS)
        tone: Tone = "danger" if finding.severity == "error" else "warning"
        box.addWidget(make_label(finding.message, tone=tone, wrap=True, selectable=True))
        from mldesk.data.contracts.verdict import SHOWN

        cells = ", ".join(self.tr("row {row}: {value}").format(
            row=words.number(number), value=value or words.MISSING)
            for number, value in finding.cells[:SHOWN] if number)
        if cells:
            box.addWidget(make_label(cells, "caption", "muted", wrap=True, selectable=True))
        return widget

    def _offer(self, verdict: Verdict) -> None:
        path, state = Path(verdict.file), self.state
        offers = []
        if verdict.suggestions:
            offers.append((self.tr("Accept the names"), lambda: self._change(path, names=True)))
        if verdict.status == "rejected" and verdict.rows and not verdict.there:
            offers.append((self.tr("Accept by hand…"), lambda: TakeSheet(
                path.name, self, lambda why: self._change(path, why=why)).open()))
        if not verdict.there:
            inside = path not in state.left_out
            offers.append((self.tr("Leave out") if inside else self.tr("Take again"), lambda: self._leave(path)))
        offers.append((self.tr("Check again"), lambda: self._change(path)))
        for text, act in offers:
            button = make_button(text, "secondary", small=True)
            button.clicked.connect(lambda _checked=False, act=act: act())
            if self._look.isActive():
                disable(button, self.tr("Wait until the check has ended."))
            self._actions.add(button)

    def _leave(self, path: Path) -> None:
        self.state.left_out ^= {path}
        self._show()

    def _change(self, path: Path, *, names: bool = False, why: str = "") -> None:
        """Check one file again, as a person now takes it; anything said before is forgotten by a plain check."""
        verdict = next(item for item in self.state.verdicts.value if Path(item.file) == path)
        if names:
            self.state.names[path] = {**self.state.names.get(path, {}), **verdict.suggestions}
        elif why:
            self.state.by_hand[path] = why
        else:
            self.state.names.pop(path, None)
            self.state.by_hand.pop(path, None)
        self.again([path])

    # The end

    @async_slot
    async def _merge(self) -> None:
        self._begun(self.tr("Merging…"))
        try:
            made = await self.state.merge()
        except (MldeskError, OSError) as error:
            self._ended()
            self.set_error(sentence(error))
            return
        self._ended()
        if made.version is not None:
            self._shell.say(self.tr("{version} has the rows of {files} now.").format(
                version=made.version.label, files=words.counted(
                    sum(item.accepted for item in made.verdicts), self.tr("file"), self.tr("files"))), "success")
        self.accept()

    @async_slot
    async def _write(self, path: Path) -> None:
        self._begun(self.tr("Writing…"))
        try:
            await self.state.write_report(path)
        except (MldeskError, OSError) as error:
            self._ended()
            self.set_error(sentence(error))
            return
        self._ended()
        self._show()
        self._shell.say(self.tr("Wrote {name}.").format(name=path.name), "success")

    @async_slot
    async def _put_aside(self, path: Path) -> None:
        try:
            count = await self.state.put_aside(path)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        self._shell.say(self.tr("{files} copied to {name}, with a report.").format(
            files=words.counted(count, self.tr("file"), self.tr("files")), name=path.name), "success")

    def _on_finished(self) -> None:
        self.state.stop.set()
        self._look.stop()
        self.cancel_tasks()
