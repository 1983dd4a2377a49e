"""What can be done with a run of a list or on its own page, as a menu."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.row_menu import LINE, Entry, copy
from mldesk.desktop.states.run_reasons import (
    why_not_cancel,
    why_not_extend,
    why_not_finish,
    why_not_move,
    why_not_pause,
    why_not_rate,
    why_not_resume,
    why_not_schedule,
)
from mldesk.desktop.tasks import in_remote, start

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import Run


def run_entries(shell: Shell, run: Run, cancel: Callable[[], object] | None = None,
                chosen: Sequence[Run] = ()) -> list[Entry]:
    """Return what can be done with a run; its own page gives how it cancels it, and needs no Open.

    Group and tags are those of all that are ``chosen``.
    """
    from mldesk.desktop.pages.runners.move_dialog import open_move_dialog
    from mldesk.desktop.pages.runs.extend_dialog import ExtendDialog
    from mldesk.desktop.pages.runs.rate_dialog import RateDialog
    from mldesk.desktop.pages.runs.report_place import ask_report, ask_script, ask_split, why_no_report, why_no_split
    from mldesk.desktop.pages.runs.run_labels import open_labels
    from mldesk.desktop.pages.runs.script_dialog import run_again
    from mldesk.desktop.pages.runs.start_dialog import StartDialog, start_now
    from mldesk.desktop.pages.runs.train_opening import train_again, train_on_same_rows
    from mldesk.workbench.run_script import why_no_script

    tr, service = words.tr, shell.desk.workbench.runs
    name, _, number = (run.model or "").rpartition("@")
    first = [] if cancel is not None else [Entry("arrow-right", tr("Open"), partial(shell.open_run, run.id))]
    more = [Entry("clock", tr("Extend the search…"), lambda: ExtendDialog(shell, run).open(),
                  why_not_extend(run))] if run.kind == "search" else [
        Entry("chart", tr("Change the learning rate…"), lambda: RateDialog(shell, run).open(), why_not_rate(run))]
    starts = [] if why_not_schedule(run) else [
        *([] if run.due(time.time()) is None else [Entry("play", tr("Start now"), partial(start_now, shell, run))]),
        Entry("clock", tr("Start at…"), lambda: StartDialog(shell, run).open())]
    return [*first, *starts,
            Entry("model", tr("Open the model"), lambda: shell.open_model(name, int(number)),
                  "" if run.model else tr("The run has made no model.")),
            Entry("dataset", tr("Open the dataset"), partial(shell.open_dataset, run.dataset.rpartition("@")[0]),
                  "" if run.dataset else tr("The run has no dataset.")),
            Entry("refresh", tr("Run again…"), partial(run_again, shell, run)) if run.kind == "script" else
            Entry("refresh", tr("Train again…"), partial(train_again, shell, run), "" if run.kind in ("train", "search")
                  else tr("The run has trained nothing.")),
            Entry("train", tr("Train on the same split…"), partial(train_on_same_rows, shell, run), why_no_split(run)),
            Entry("tag", tr("Group and tags of {count} runs…").format(count=len(chosen)) if len(chosen) > 1
                  else tr("Name, tags and note…"), partial(open_labels, shell, list(chosen) or [run])),
            Entry("file", tr("Write a report…"), partial(ask_report, shell, [run]), why_no_report(run)),
            Entry("columns", tr("Write the split…"), partial(ask_split, shell, run), why_no_split(run)),
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
