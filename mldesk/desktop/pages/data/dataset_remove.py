"""The question before a dataset goes to the bin that models learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt

from mldesk.desktop import words
from mldesk.desktop.shell import Shell
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
