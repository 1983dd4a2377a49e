"""What can be done with one row of a list, as a menu: at the right mouse button, the menu key, or a More button."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.states.run_reasons import (
    why_not_cancel,
    why_not_extend,
    why_not_finish,
    why_not_move,
    why_not_pause,
    why_not_resume,
)
from mldesk.desktop.tasks import in_remote, in_thread, start
from mldesk.desktop.widgets.buttons import set_icon

if TYPE_CHECKING:
    from mldesk.desktop.pages.record_table import RecordTable
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import Dataset, Model, Run

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to do. An empty title is a line between two groups; ``why_not`` switches it off and is its tip."""

    icon: str
    title: str
    act: Callable[[], object] = lambda: None
    why_not: str = ""


LINE = Entry("", "")


def popup(host: QWidget, entries: Sequence[Entry], at: QPoint) -> QMenu:
    """Show a menu at ``at`` on the screen."""
    menu = QMenu(host)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    for entry in entries:
        if not entry.title:
            menu.addSeparator()
            continue
        action = menu.addAction(entry.title, entry.act)
        set_icon(action, entry.icon, "muted")
        action.setEnabled(not entry.why_not)
        action.setToolTip(entry.why_not or entry.title)
    menu.popup(at)
    return menu


def give_menu(table: RecordTable[R], entries: Callable[[R], Sequence[Entry]]) -> None:
    """Give every row of a list a menu."""
    def show(at: QPoint) -> None:
        index = table.indexAt(at)
        if not index.isValid():  # the menu key: at the row that is chosen
            index = table.currentIndex()
            at = table.visualRect(index).center()
        if not index.isValid() or index.row() >= len(table.records.records):
            return
        record = table.records.records[index.row()]
        if record not in table.selected():
            table.selectRow(index.row())
        popup(table, entries(record), table.viewport().mapToGlobal(at))

    table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    table.customContextMenuRequested.connect(show)


def copy(text: str) -> None:
    """Put text on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def dataset_entries(shell: Shell, item: Dataset) -> list[Entry]:
    """Return what can be done with a dataset."""
    tr = words.tr
    return [Entry("arrow-right", tr("Open"), partial(shell.open_dataset, item.name)),
            Entry("train", tr("Train a model…"), partial(shell.train, item.name)),
            LINE,
            Entry("versions", tr("Show its versions"), partial(shell.open_dataset, item.name, "versions")),
            Entry("copy", tr("Copy the name"), partial(copy, item.head.label)),
            LINE,
            Entry("trash", tr("Move to the bin"), lambda: start(_bin(shell, item.name), f"look who uses {item.name}"))]


def model_entries(shell: Shell, item: Model) -> list[Entry]:
    """Return what can be done with a model."""
    tr = words.tr
    return [Entry("arrow-right", tr("Open"), partial(shell.open_model, item.name)),
            Entry("predict", tr("Predict a file…"), partial(shell.predict, item.name)),
            Entry("run", tr("Open the run that made it"), partial(shell.open_run, item.head.run or ""),
                  "" if item.head.run else tr("It came as a bundle from somebody else.")),
            LINE,
            Entry("copy", tr("Copy the name"), partial(copy, item.head.label))]


def run_entries(shell: Shell, run: Run, cancel: Callable[[], object] | None = None,
                chosen: Sequence[Run] = ()) -> list[Entry]:
    """Return what can be done with a run; its own page gives how it cancels it, and needs no Open.

    Group and tags are those of all that are ``chosen``.
    """
    from mldesk.desktop.pages.runners.move_dialog import open_move_dialog
    from mldesk.desktop.pages.runs.extend_dialog import ExtendDialog
    from mldesk.desktop.pages.runs.report_place import ask_report, ask_script, why_no_report
    from mldesk.desktop.pages.runs.run_labels import open_labels
    from mldesk.desktop.pages.runs.script_dialog import run_again
    from mldesk.desktop.pages.runs.train_dialog import train_again
    from mldesk.workbench.run_script import why_no_script

    tr, service = words.tr, shell.desk.workbench.runs
    name, _, number = (run.model or "").rpartition("@")
    first = [] if cancel is not None else [Entry("arrow-right", tr("Open"), partial(shell.open_run, run.id))]
    more = [Entry("clock", tr("Extend the search…"), lambda: ExtendDialog(shell, run).open(),
                  why_not_extend(run))] if run.kind == "search" else []
    return [*first,
            Entry("model", tr("Open the model"), lambda: shell.open_model(name, int(number)),
                  "" if run.model else tr("The run has made no model.")),
            Entry("dataset", tr("Open the dataset"), partial(shell.open_dataset, run.dataset.rpartition("@")[0]),
                  "" if run.dataset else tr("The run has no dataset.")),
            Entry("refresh", tr("Run again…"), partial(run_again, shell, run)) if run.kind == "script" else
            Entry("refresh", tr("Train again…"), partial(train_again, shell, run), "" if run.kind in ("train", "search")
                  else tr("The run has trained nothing.")),
            Entry("tag", tr("Group and tags of {count} runs…").format(count=len(chosen)) if len(chosen) > 1
                  else tr("Name, tags and note…"), partial(open_labels, shell, list(chosen) or [run])),
            Entry("log", tr("Write a report…"), partial(ask_report, shell, [run]), why_no_report(run)),
            Entry("export", tr("Write as a script…"), partial(ask_script, shell, run), why_no_script(run)),
            LINE,
            Entry("finish", tr("Finish now and keep the model"), _steers(shell, run, service.finish),
                  why_not_finish(run)),
            Entry("pause", tr("Pause"), _steers(shell, run, service.pause), why_not_pause(run)),
            Entry("play", tr("Resume"), _steers(shell, run, service.resume), why_not_resume(run)),
            *more,
            Entry("runner", tr("Move to…"), partial(open_move_dialog, shell, run), why_not_move(run)),
            Entry("cancel", tr("Cancel"), cancel or _steers(shell, run, service.cancel),
                  why_not_cancel(run)),
            LINE,
            Entry("copy", tr("Copy the id"), partial(copy, run.id))]


def _steers(shell: Shell, run: Run, command: Callable[[str], object]) -> Callable[[], object]:
    return lambda: start(_steer(shell, run.id, command), f"steer {run.id}")


async def _steer(shell: Shell, run_id: str, command: Callable[[str], object]) -> None:
    try:
        await in_remote(command, run_id)
    except MldeskError as error:
        shell.say(sentence(error), "danger")
    shell.desk.nudge()


async def _bin(shell: Shell, name: str) -> None:
    from mldesk.desktop.pages.data.dataset_remove import ask_to_remove

    models = await in_thread(shell.desk.workbench.datasets.used_by, name)
    ask_to_remove(shell, name, models, lambda: start(_to_bin(shell, name), f"bin {name}"))


async def _to_bin(shell: Shell, name: str) -> None:
    service = shell.desk.workbench.datasets
    await in_thread(service.remove, name)
    shell.desk.nudge()
    shell.say(words.tr("{name} is in the bin.").format(name=name), "neutral",
              (words.tr("Undo"), lambda: start(_restore(shell, name), f"restore {name}")))


async def _restore(shell: Shell, name: str) -> None:
    await in_thread(shell.desk.workbench.datasets.restore, name)
    shell.desk.nudge()
