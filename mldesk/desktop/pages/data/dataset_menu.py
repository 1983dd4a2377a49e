"""What can be done with a dataset of a list, as a menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mldesk.desktop import words
from mldesk.desktop.pages.data.dataset_remove import ask_to_remove, say_it_is_in_the_bin
from mldesk.desktop.pages.row_menu import LINE, Entry, copy
from mldesk.desktop.tasks import in_thread, start

if TYPE_CHECKING:
    from mldesk.desktop.shell import Shell
    from mldesk.library.records import Dataset


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


async def _bin(shell: Shell, name: str) -> None:
    models = await in_thread(shell.desk.workbench.datasets.used_by, name)
    ask_to_remove(shell, name, models, lambda: start(_to_bin(shell, name), f"bin {name}"))


async def _to_bin(shell: Shell, name: str) -> None:
    await in_thread(shell.desk.workbench.datasets.remove, name)
    say_it_is_in_the_bin(shell, name, back_to_its_page=False)
