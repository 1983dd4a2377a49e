"""What can be done with a model of a list, as a menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mldesk.desktop import words
from mldesk.desktop.pages.row_menu import LINE, Entry, copy

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import Model


def model_entries(shell: Shell, item: Model) -> list[Entry]:
    """Return what can be done with a model."""
    tr = words.tr
    return [Entry("arrow-right", tr("Open"), partial(shell.open_model, item.name)),
            Entry("predict", tr("Predict a file…"), partial(shell.predict, item.name)),
            Entry("run", tr("Open the run that made it"), partial(shell.open_run, item.head.run or ""),
                  "" if item.head.run else tr("It came as a bundle from somebody else.")),
            LINE,
            Entry("copy", tr("Copy the name"), partial(copy, item.head.label))]
