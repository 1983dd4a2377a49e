"""A user who brings in each kind of source through the import dialog: drops it, looks, says what must be said, imports.

    python -m tests.desktop.import_user --out DIR [--mode dark] [--size 900x600]

leaves a screenshot of each dialog in DIR.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from mldesk.desktop.pages.data.dataset import DatasetPage
from mldesk.desktop.pages.data.import_address import AddressDialog
from mldesk.desktop.pages.data.import_dialog import ImportDialog
from mldesk.desktop.widgets import ComboBox
from tests.desktop.pictures import picture_arguments
from tests.desktop.scripted_user import User, dialogs, play
from tests.kinds_of_files import BAD, KINDS, Kind, page, serving, text


async def opened(user: User, what: str) -> ImportDialog:
    """Wait for the import dialog."""
    found: ImportDialog = await user.until(
        lambda: next((one for one in dialogs() if isinstance(one, ImportDialog)), None), f"the preview of {what}")
    return found


def _offers(box: ComboBox, value: object) -> bool:
    return box.isVisible() and value in box._values


async def say(user: User, dialog: ImportDialog, options: dict[str, Any]) -> None:
    """Say how it is read, with the widgets that are there for it."""
    form = dialog.options
    for name, value in options.items():
        if name in form._choices:
            box = form._choices[name][0]
            await user.until(partial(_offers, box, value), f"the choice {value!r} of {name}")
            box.set_value(value)
        elif name in form._lines:
            line = form._lines[name]
            await user.until(line.isVisible, f"the line for {name}")
            line.setFocus()
            QTest.keyClicks(line, str(value))
        elif name == "header_row":
            form.header_found.click()
            form.header.setValue(value)
        elif name == "flatten":
            form.flatten.setValue(value)
        else:
            getattr(form, name).click()
    await user.until(lambda: dialog.draft.changes.value == options, f"{options} to be heard")
    await user.pause(0.05)


async def take(user: User, dialog: ImportDialog, name: str, shot: str = "") -> DatasetPage:
    """Name it, press Import, and return its page."""
    await user.until(dialog.primary.isEnabled, f"{name} to be read")
    dialog.name.setText(name)
    if shot:
        await user.shot(shot)
    await user.press("Import")
    window = user.window
    found: DatasetPage = await user.until(
        lambda: (seen := window.dataset_page()) and seen.state.name == name and seen.state.version.value
        and seen.table.model() and seen.table.model().rowCount() and seen, f"{name} in the library")
    return found


async def import_kind(user: User, kind: Kind, folder: Path) -> DatasetPage:
    """Drop a source of a kind on the window and import it."""
    user.drop(await asyncio.to_thread(kind.write, folder), look=True)
    dialog = await opened(user, kind.name)
    await user.until(lambda: not dialog.draft.busy.value and dialog.draft.preview.value, "the first look")
    await say(user, dialog, kind.options)
    return await take(user, dialog, kind.name, f"import-{kind.name}")


async def import_address(user: User, address: str, options: dict[str, Any] | None = None) -> DatasetPage:
    """Write an address, look at it, say what must be said, import it."""
    user.window.choose_address()
    asked = await user.until(lambda: next((one for one in dialogs() if isinstance(one, AddressDialog)), None),
                             "the question where it lies")
    QTest.keyClicks(asked.address, address)
    await user.shot("address")
    await user.press("Preview")
    dialog = await opened(user, address)
    await user.until(lambda: not dialog.draft.busy.value and dialog.draft.preview.value, "the first look")
    await say(user, dialog, options or {})
    return await take(user, dialog, "from-afar", "import-address")


async def import_pasted(user: User, *, html: bool) -> DatasetPage:
    """Paste cells that a spreadsheet program copied."""
    copied = QMimeData()
    copied.setText(text("\t"))
    if html:
        copied.setHtml(page())
    QGuiApplication.clipboard().setMimeData(copied)
    await user.keys("Ctrl+V")
    dialog = await opened(user, "the clipboard")
    if html:
        await user.until(lambda: dialog.draft.preview.value, "the first look")
        await say(user, dialog, {"table": "2"})
    return await take(user, dialog, "pasted", "import-clipboard")


async def import_many(user: User, files: list[Path]) -> DatasetPage:
    """Drop files together and make one table of them."""
    user.drop(*files, look=True)
    dialog = await opened(user, "the files")
    dialog.many.set_value("one")
    dialog._on_many()
    return await take(user, dialog, "together", "import-many")


async def refused(user: User, path: Path) -> str:
    """Drop what cannot be read; return all that the dialog says of it, and close it."""
    user.drop(path, look=True)
    dialog = await opened(user, path.name)
    await user.until(lambda: dialog.draft.problem.value is not None, f"why {path.name} cannot be read")
    await user.until(lambda: not dialog.primary.isEnabled() and dialog.view.problems.isVisible(), "the sentence")
    await user.shot(f"refused-{path.suffix[1:]}")
    said = " ".join(label.text() for label in dialog.view.problems.findChildren(QLabel)
                    if label.isVisible())
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    await user.until(lambda: not dialogs(), "the dialog to close")
    return said


async def each(user: User, folder: Path) -> None:
    """Import all kinds there are, then what cannot be read."""
    await user.until(lambda: user.window.desk.ready.value, "the library")
    for kind in KINDS:
        (folder / kind.name).mkdir()
        await import_kind(user, kind, folder / kind.name)
        user.window.toasts.clear()
    with serving(folder / "csv") as address:
        await import_address(user, f"{address}/shop.csv")
    await import_pasted(user, html=False)
    await import_many(user, [folder / "csv" / "shop.csv", folder / "gz" / "shop.csv.gz"])
    for name, content, _ in BAD:
        (folder / name).write_bytes(content)
        await refused(user, folder / name)


def run(arguments: list[str] | None = None) -> None:
    """Play it, leaving screenshots."""
    given, how = picture_arguments(argparse.ArgumentParser("import_user"), arguments)
    with tempfile.TemporaryDirectory() as scratch:
        play(Path(scratch, "home"), lambda user: each(user, Path(scratch)), meet_machine=False, **how)
    QGuiApplication.clipboard().clear()   # what lies on it may not outlive Python
    print(f"The screenshots are in {given.out}.")


if __name__ == "__main__":
    run()
