"""One table on its way into the library: how it went is said, and the table is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.shell import Shell
from mldesk.desktop.tasks import in_thread, start

if TYPE_CHECKING:
    from mldesk.data import ImportOptions

Again = Callable[[], object]   # opens the dialog that asks how the files are read


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("BringIn", text)


async def import_one(shell: Shell, paths: Sequence[Path | str], name: str, options: ImportOptions | None = None, *,
                     again: Again, show: bool = True, text: str = "", rejects: Path | None = None,
                     keep: bool = False, register: bool = False) -> None:
    """Import files as one table, say how it went, and show the table; ``again`` asks how else they may be read.

    ``keep``: make a version even if one has the same rows. ``register``: leave Parquet where it lies.
    """
    shell.go("datasets")
    try:
        dataset = await shell.imports.run(paths, name, options, text=text, rejects=rejects, again=keep,
                                          register=register)
    except MldeskError as error:
        shell.say(sentence(error), "danger", (tr("Read it another way…"), again))
        return
    if dataset is None:
        shell.say(tr("The import was cancelled. Nothing of it is left."), "neutral")
        return
    head = dataset.head
    if not dataset.made:
        shell.say(tr("The same rows as {version}; nothing was made.").format(version=head.label), "neutral", (
            tr("Make a version all the same"), lambda: start(import_one(
                shell, paths, name, options, again=again, show=show, text=text, rejects=rejects, keep=True,
                register=register),
                f"import {name}")))
        if show:
            shell.open_dataset(dataset.name)
        return
    said = tr("Imported {name}: {shape}.").format(name=dataset.name, shape=words.shape(head.rows, len(head.columns)))
    if rejects is not None and await in_thread(rejects.exists):
        said += " " + tr("Rows that were left out are in {file}.").format(file=rejects.name)
    if head.problems:
        said += " " + words.counted(len(head.problems), tr("thing to know."), tr("things to know."))
        shell.say(said, "warning", (tr("Show them"), lambda: shell.open_dataset(dataset.name, "problems")))
    else:
        shell.say(said, "success")
    if show:
        shell.open_dataset(dataset.name)
