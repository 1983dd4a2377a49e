"""Read the files of a dataset again: they may have changed since; the result is its next version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import Conflict, MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.tasks import in_thread, start

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import DatasetVersion


def read_again(shell: Shell, name: str) -> None:
    """Read them in the background; the list of datasets shows how far it is."""
    if any(one.name == name for one in shell.imports.running.value):   # both would make a version of the same rows
        shell.say(words.tr("{name} is being imported already.").format(name=name), "neutral")
        return
    shell.say(words.tr("Reading the files of {name} again; Data shows how far it is.").format(name=name), "neutral")
    start(_read(shell, name), f"read the files of {name} again")


async def _read(shell: Shell, name: str, without_merged: bool = False) -> None:
    service, tr = shell.desk.workbench.datasets, words.tr
    try:
        before: DatasetVersion = await in_thread(service.show, name)
        done = await shell.imports.run_anew(name, without_merged=without_merged)
    except MldeskError as error:
        if isinstance(error, Conflict) and "--without-merged" in error.hint:
            shell.say(error.message, "warning", (tr("Read them all the same"), lambda: start(
                _read(shell, name, without_merged=True), f"read the files of {name} again")))
        else:
            shell.say(sentence(error), "danger")
        return
    if done is None:
        return
    if not done.made:
        shell.say(tr("The files have the same rows as {version}; nothing was made.").format(version=done.head.label),
                  "neutral")
    elif before.recipe:
        steps, made = before.recipe, done.head
        shell.say(tr("{made} is there. {before} was cleaned by a recipe, this one is not yet.").format(
            made=done.head.label, before=before.label), "warning",
            (tr("Clean it so"), lambda: _clean(shell, made, steps)))
    else:
        shell.say(tr("Made {version} of the files as they are now.").format(version=done.head.label), "success",
                  (tr("Undo"), lambda: start(_back(shell, before), f"roll {name} back")))


def _clean(shell: Shell, version: DatasetVersion, steps: Sequence[Any]) -> None:
    from mldesk.desktop.pages.data.clean_dialog import CleanDialog

    CleanDialog(shell, version, steps).open()


async def _back(shell: Shell, before: DatasetVersion) -> None:
    await in_thread(shell.desk.workbench.datasets.rollback, before.dataset, before.number)
    shell.desk.nudge()
