"""A dataset's words as a whole, one old version purged, a table put into a database: in the window."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pytestqt.qtbot import QtBot

from mldesk.app import open_workbench
from mldesk.desktop.pages.data.export_database import ExportTableSheet
from mldesk.desktop.pages.data.version_words import VersionWordsDialog
from tests.desktop.scripted_user import User, dialogs, play


def test_versions_are_spoken_of_purged_and_exported(tmp_path: Path, qtbot: QtBot) -> None:
    with open_workbench(tmp_path / "home") as bench:
        for number in (1, 2):
            (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{row},{row * number}\n" for row in range(40)))
            bench.datasets.import_files([tmp_path / "t.csv"], "t")
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE T (old)")
        connection.commit()

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        window.open_dataset("t")
        page = await user.until(window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value, "its version")
        page.show_tab("versions")
        page.annotate()
        words = await user.until(lambda: next((one for one in dialogs() if isinstance(one, VersionWordsDialog)), None),
                                 "the words")
        words.tags.setText("shops, daily")
        words.note.setPlainText("A file a day.")
        words.primary.click()
        await user.until(lambda: page.state.about.value is not None and page.state.about.value.note, "the note")
        assert page.versions._about_tags.text() == "#shops   #daily"
        await user.until(lambda: not dialogs(), "it to close")
        page.versions.purged.emit(1)
        sure = await user.until(lambda: next(iter(dialogs()), None), "the question")
        sure.primary.click()
        await user.until(lambda: page.state.versions.value[0].purged is not None, "it to be purged")
        await user.until(lambda: page.state.lineage.value and page.state.lineage.value[0].version.purged is not None,
                         "the lineage")
        await user.until(lambda: not dialogs(), "it to close")
        page._on_show_version(1)   # which has no rows
        assert page.state.version.value.number == 2
        sheet = ExportTableSheet(page.shell, page.state, path)
        sheet.open()
        await user.until(lambda: sheet.there is not None, "the tables")
        assert (sheet.there, sheet.primary.isEnabled(), sheet.replace.isVisible()) == (("T",), False, True)
        sheet.name.setText("u")
        assert sheet.primary.isEnabled()
        sheet.name.setText("t")
        sheet.replace.setChecked(True)
        sheet.primary.click()
        await user.until(lambda: not dialogs(), "the table")

    play(tmp_path / "home", script, patience=60, meet_machine=False)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*), sum(b) FROM t").fetchall() == [(40, 1560)]
