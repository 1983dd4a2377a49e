"""A dataset goes to the bin: the question before it where models learned from it, and the way back after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.tasks import in_thread, start
from mldesk.desktop.widgets import Sheet, make_label

_NAMED = 8


def ask_to_remove(shell: Shell, name: str, models: Sequence[str], remove: Callable[[], object]) -> None:
    """Call ``remove`` at once where no model learned from the dataset, else when a person says so."""
    if not models:
        remove()
        return
    tr = words.tr
    text = tr("Used by {models}. They keep working; from the bin the dataset can be restored.").format(
        models=words.counted(len(models), tr("model"), tr("models")))
    sheet = Sheet(tr("Move {name} to the bin?").format(name=name), shell.host, primary=tr("Move to the bin"),
                  danger=True, width=440, text=text)
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    lines, more = list(models[:_NAMED]), len(models) - _NAMED
    if more > 0:
        lines.append(tr("and {count} more").format(count=words.number(more)))
    sheet.add(make_label("\n".join(lines), tone="muted", selectable=True))
    sheet.confirmed.connect(sheet.accept)
    sheet.confirmed.connect(remove)
    sheet.open()


def ask_to_purge(shell: Shell, state: DatasetState, number: int) -> None:
    """Throw the rows of an old version away when a person says so, and say what that freed, or who needs them."""
    tr = words.tr
    alone = next((item.alone for item in state.lineage.value if item.version.number == number), 0)
    sheet = Sheet(tr("Purge version {number} of {name}?").format(number=number, name=state.name), shell.host,
                  primary=tr("Purge"), danger=True, width=440, text=tr(
        "Its rows are gone for good then: {size} that no other version holds. What it came of, its note and its tags "
        "stay. Versions that runs or models learned from are not purged.").format(size=words.size(alone)))
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.confirmed.connect(sheet.accept)
    sheet.confirmed.connect(lambda: start(_purge(shell, state, number), "purge a version"))
    sheet.open()


async def _purge(shell: Shell, state: DatasetState, number: int) -> None:
    tr = words.tr
    try:
        done = await state.purge_version(number)
    except MldeskError as error:
        shell.say(sentence(error), "danger")
        return
    said = tr("The rows of version {number} are gone, {size} freed.").format(number=number, size=words.size(done.freed))
    if done.later:
        said += " " + tr("{size} were used just now and are freed by a later purge.").format(
            size=words.size(done.later))
    if done.shared:
        said += " " + tr("{size} are shared with other versions.").format(size=words.size(done.shared))
    shell.say(said, "success")


def say_it_is_in_the_bin(shell: Shell, name: str, *, back_to_its_page: bool) -> None:
    """Say so, and offer to take it back; then its page is opened where it was removed from there."""
    shell.desk.nudge()
    shell.say(words.tr("{name} is in the bin.").format(name=name), "neutral",
              (words.tr("Undo"), lambda: start(_restore(shell, name, back_to_its_page), f"restore {name}")))


async def _restore(shell: Shell, name: str, back_to_its_page: bool) -> None:
    await in_thread(shell.desk.workbench.datasets.restore, name)
    shell.desk.nudge()
    if back_to_its_page:
        shell.open_dataset(name)
