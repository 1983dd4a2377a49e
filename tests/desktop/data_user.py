"""A user at the Data page: imports, looks, narrows, edits, cleans with undo, versions, compares, asks, checks, purges.

    python -m tests.desktop.data_user --out DIR [--mode dark] [--size 900x600]

leaves a screenshot of each step in DIR.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLineEdit

from mldesk.desktop.pages.data.clean_dialog import CleanDialog
from mldesk.desktop.pages.data.contract_check import CheckDialog
from mldesk.desktop.pages.data.dataset_query import KeepDialog
from mldesk.desktop.pages.data.dataset_table_menu import TableMenu, days
from mldesk.desktop.pages.data.diff_dialog import DiffDialog
from mldesk.desktop.pages.data.version_words import VersionWordsDialog
from mldesk.desktop.states.dataset import EDITS, Picked
from mldesk.desktop.tasks import in_thread
from mldesk.desktop.widgets import Sheet
from mldesk.desktop.widgets.table_model import ValueRole
from tests.desktop.pictures import picture_arguments
from tests.desktop.scripted_user import User, dialogs, play, stop_agent

ROWS = [{"id": number, "day": f"2024-{number % 12 + 1:02}-15", "city": ("Lyon", "Porto", "Graz")[number % 3],
         "price": round(3 + number * 1.37 % 90, 2)} for number in range(1, 241)]


def make_files(folder: Path) -> list[Path]:
    """Write the same table as each kind of file that can be written here without further libraries."""
    import duckdb
    import openpyxl

    names = list(ROWS[0])
    with (folder / "shop.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(ROWS)
    (folder / "shop.tsv").write_text((folder / "shop.csv").read_text("utf-8").replace(",", "\t"), "utf-8")
    (folder / "shop.json").write_text(json.dumps(ROWS), "utf-8")
    (folder / "shop.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    (folder / "shop.csv.gz").write_bytes(gzip.compress((folder / "shop.csv").read_bytes(), mtime=0))
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(names)
    for row in ROWS:
        book.active.append(list(row.values()))
    book.save(folder / "shop.xlsx")
    with sqlite3.connect(folder / "shop.sqlite") as database:
        database.execute("CREATE TABLE shop (id INTEGER, day TEXT, city TEXT, price REAL)")
        database.executemany("INSERT INTO shop VALUES (:id, :day, :city, :price)", ROWS)
    database.close()
    with duckdb.connect() as connection:
        connection.execute("COPY (FROM read_csv($1)) TO '" + str(folder / "shop.parquet").replace("'", "''")
                           + "' (FORMAT parquet)", [str(folder / "shop.csv")])
    return [folder / f"shop.{kind}" for kind in ("csv", "tsv", "json", "jsonl", "csv.gz", "xlsx", "sqlite", "parquet")]


async def dialog(user: User, kind: type[QDialog], what: str) -> Any:
    """Wait for a dialog of a kind."""
    return await user.until(lambda: next((one for one in dialogs() if isinstance(one, kind)), None), what)


async def import_each(user: User, files: list[Path]) -> None:
    """Import each kind of file; all say the same 240 rows."""
    for number, file in enumerate(files):
        user.drop(file, look=True)
        sheet = await user.until(lambda: next(iter(dialogs()), None), f"the preview of {file.name}")
        await user.until(lambda sheet=sheet: sheet.primary.isEnabled(), f"{file.name} to be read")
        if number in (0, 5):
            await user.shot(f"import-{file.suffix.lstrip('.')}")
        sheet.name.setText(f"shop{number}")
        sheet.primary.click()
        page = await user.until(
            lambda number=number: (seen := user.window.dataset_page()) and seen.state.name == f"shop{number}" and
            seen.state.version.value and seen, f"{file.name} in the library")
        assert page.state.version.value.rows == len(ROWS), file.name
        user.window.toasts.clear()


async def narrow(user: User, page: Any) -> None:
    """Filter by dates and by a range."""
    model = await user.until(lambda: page.table.paged(), "the table")
    await user.until(lambda: model.rowCount() and model.is_loaded(0), "rows")
    tools, columns = page.table.findChild(TableMenu), {column.name: column for column in model.columns}
    assert columns["day"].type.value == "date"
    tools.narrow(days(columns["day"], "2024-06-15")[1])
    await user.until(lambda: model.rowCount() == 140, "seven months")
    page.state.picked.value = None
    sheet = tools.ask_range(columns["day"])
    sheet.low.setText("2024-13-01")
    assert not sheet.primary.isEnabled()
    sheet.low.setText("2024-03-01")
    sheet.high.setText("2024-04-30")
    await user.shot("range")
    sheet.primary.click()
    await user.until(lambda: model.rowCount() == 40, "two months")
    assert page.table.header.rows == len(ROWS), "what columns lack is said of all rows"
    await user.shot("narrowed")
    page.state.picked.value = None
    await user.until(lambda: model.rowCount() == len(ROWS), "all rows")


async def type_into(table: Any, row: int, name: str, text: str) -> None:
    """Go to a cell (from 0), press F2, type, press Enter."""
    model = table.paged()
    column = [one.name for one in model.columns].index(name)
    table.setCurrentIndex(model.index(row, column))
    QTest.keyClick(table, Qt.Key.Key_F2)
    editor = next(one for one in table.viewport().findChildren(QLineEdit) if one.isVisible())
    editor.setText(text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    await asyncio.sleep(0)


async def edit(user: User, page: Any) -> None:
    """Change cells and take out rows by hand, undo and redo it, go on in the recipe."""
    table, edits = page.table, page.state.edits
    await user.until(lambda: table.paged().is_loaded(0), "rows")
    page.state.picked.value = Picked("city is Porto", "city = 'Porto'")
    await user.until(lambda: table.paged().rowCount() == 80 and table.paged().place(1) == 3, "the rows of Porto")
    await type_into(table, 1, "city", "Vienna")   # the second of them is row 4
    await type_into(table, 0, "price", "cheap")
    assert edits.changes.value.step() == {"step": "edit", "cells": [{"row": 4, "column": "city", "value": "Vienna"}]}
    assert any("cheap" in text for text in user.window.toasts.texts())
    page.state.picked.value = None
    await user.until(lambda: table.paged().rowCount() == len(ROWS) and table.paged().is_loaded(0), "all rows")
    await type_into(table, 1, "price", "12.5")
    table.selectRow(2)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert edits.changes.value.gone == {2}
    await user.shot("by-hand")
    edits.changes.undo()
    edits.changes.undo()
    assert not edits.changes.value.gone and (1, "price") not in edits.changes.value.cells
    edits.changes.redo()
    page.editing.bar.recipe.click()
    recipe = await dialog(user, CleanDialog, "the recipe")
    await user.until(lambda: recipe.state.preview.value and recipe.state.preview.value.rows[3][2] == "Vienna", "it")
    assert recipe.state.preview.value.rows[1][3] == 12.5
    recipe.state.steps.undo()
    assert recipe.state.steps.value == ()
    recipe.state.steps.redo()
    await user.until(lambda: not recipe.state.busy.value and recipe.primary.isEnabled(), "the edit again")
    await user.shot("edit")
    recipe.reject()
    await user.until(lambda: not dialogs(), "the recipe to close")
    assert page.state.edits.changes.value   # not lost with the dialog
    edits.clear()
    user.window.toasts.clear()


async def edit_again(user: User) -> None:
    """Change a cell of another table, leave, come back, make a version of it, take that back."""
    window = user.window
    for place in ("shop3", "shop0", "shop3"):
        window.open_dataset(place)
        page = await user.until(lambda place=place: (seen := window.dataset_page()) and seen.state.name == place and
                                seen.table.paged() and seen.table.paged().place(0) == 0 and seen, place)
        if place == "shop3" and not page.state.edits.changes.value:
            await type_into(page.table, 5, "city", "")
            settings, key = window.desk.workbench.settings, EDITS.format(manifest=page.state.version.value.manifest)
            await user.until(lambda settings=settings, key=key: settings.get(key), "the change to be kept")
    assert page.state.edits.changes.value.step()["cells"] == [{"row": 6, "column": "city", "value": None}]
    page.editing.bar.version.click()
    await user.until(lambda: page.state.version.value.number == 2 and page.table.paged().is_loaded(0), "version 2")
    assert page.table.paged().index(5, 2).data(ValueRole) is None and not page.editing.bar.isVisible()
    assert settings.get(key) is None
    window.toasts.clear()


async def ask(user: User, page: Any) -> None:
    """Make a version, then a dataset, of a query's answer."""
    page.show_query()
    page.query.field.setPlainText("SELECT * FROM data WHERE city <> 'Graz'")
    page.query.run_query()
    await user.until(lambda: page.query.keep.isEnabled(), "the answer")
    asked = page.query.field.toPlainText()
    page.query.field.setPlainText("SELECT nothing FROM data")
    page.query.run_query()
    await user.until(lambda: not page.query.keep.isEnabled(), "the error")
    assert not page.query.answer.isVisible()   # it is no answer to what stands above
    page.query.field.setPlainText(asked)
    page.query.run_query()
    await user.until(lambda: page.query.keep.isEnabled() and page.query.answer.isVisible(), "the answer again")
    page.query.keep.click()
    sheet = await dialog(user, KeepDialog, "the question what to make of it")
    sheet.kind.set_value("new")
    sheet.name.setText("a/b")
    sheet.primary.click()
    await user.until(lambda: not sheet._error.isHidden() and sheet.primary.isEnabled(), "the refusal of the name")
    assert sheet.isVisible()
    sheet.kind.set_value("version")
    page.query._fill_menu()
    assert page.query._menu.actions()[0].toolTip().startswith("SELECT * FROM data WHERE")
    await user.shot("sql-version")
    sheet.primary.click()
    await user.until(lambda: not dialogs() and page.state.version.value.number == 2, "version 2")
    assert page.state.version.value.rows == 160 and page.state.version.value.source.startswith("SQL over")


async def history(user: User, page: Any) -> None:
    """Say something about a version, compare two, go back."""
    page.show_tab("versions")
    await user.until(lambda: page.state.lineage.value, "the lineage")
    page.versions.annotated.emit(2)
    sheet = await dialog(user, VersionWordsDialog, "the dialog of words")
    sheet.tags.setText("south, checked")
    sheet.note.setPlainText("Without Graz, which is counted elsewhere.")
    sheet.primary.click()
    await user.until(lambda: not dialogs() and page.state.lineage.value[-1].words.tags == ("south", "checked"), "tags")
    user.window.toasts.clear()
    await user.shot("versions")
    page.versions.diffed.emit(1, 2)
    sheet = await dialog(user, DiffDialog, "the difference")
    assert sheet.key.value() == "id"
    await user.until(lambda: sheet._columns.count(), "distributions")
    await user.shot("diff")
    sheet.key.set_value("")
    await user.until(lambda: not sheet._diff["rows"].get("keys"), "whole rows")
    assert sheet._diff["rows"]["removed"] == 80
    sheet.primary.click()
    page.versions.rolled_back.emit(1)
    await user.until(lambda: page.state.head.value.number == 1, "the way back")


async def check(user: User, page: Any, folder: Path) -> None:
    """Check good and bad files, put the bad ones aside, merge the good ones."""
    page.show_tab("contract")
    await in_thread(user.window.desk.workbench.contracts.infer, page.state.reference)
    await page.contract.state.load()
    await user.shot("contract")
    head = "id,day,city,price\n"
    files = {"good.csv": head + "500,2024-05-15,Lyon,9.5\n501,2024-06-15,Graz,12\n",
             "words.csv": head + "502,2024-05-15,Lyon,cheap\n", "short.csv": "id,day\n503,2024-05-15\n"}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    CheckDialog(page.shell, page.contract.state, [folder / name for name in files]).open()
    sheet = await dialog(user, CheckDialog, "the check")
    await user.until(lambda: len(sheet.state.verdicts.value) == 3 and sheet.aside.isEnabled(), "verdicts")
    await user.shot("check")
    aside = folder / "bad.zip"
    sheet.aside.click()
    await user.answer_file_dialog(aside)
    await user.until(aside.exists, "the zip")
    await user.until(lambda: sheet.primary.isEnabled(), "the merge")
    sheet.primary.click()
    await user.until(lambda: not dialogs(), "the merge to end")


async def purge_one(user: User) -> None:
    """Put two datasets in the bin, purge one for good."""
    service = user.window.desk.workbench.datasets
    for name in ("shop1", "shop2"):
        await in_thread(service.remove, name)
    user.window.go("datasets")
    user.window.go("datasets")
    page = user.window.stack.currentWidget().list_page
    await page.state.refresh()
    page.open_bin()
    sheet = await user.until(lambda: next(iter(dialogs()), None), "the bin")
    await user.shot("bin")
    sheet._on_purge("shop1")
    sure = await user.until(lambda: next((one for one in dialogs() if isinstance(one, Sheet) and one is not sheet),
                                         None), "the question")
    await user.shot("purge")
    sure.primary.click()
    await user.until(lambda: [item.name for item in page.state.removed.value] == ["shop2"], "shop1 to be gone")


async def data_job(user: User, folder: Path) -> dict[str, Any]:
    """Do all of it; return the files made on the way."""
    window = user.window
    await user.until(lambda: window.desk.ready.value, "the library")
    await import_each(user, await asyncio.to_thread(make_files, folder))
    window.open_dataset("shop0")
    page = await user.until(lambda: (seen := window.dataset_page()) and seen.state.name == "shop0" and
                            seen.state.version.value and seen, "the first one")
    page.show_tab("table")
    await user.shot("table")
    await narrow(user, page)
    await edit(user, page)
    await ask(user, page)
    await history(user, page)
    await check(user, page, folder)
    await edit_again(user)
    await purge_one(user)
    return {"aside": folder / "bad.zip"}


def run(arguments: list[str] | None = None) -> None:
    """Play it, leaving screenshots."""
    _, how = picture_arguments(argparse.ArgumentParser("data_user"), arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            play(folder / "home", lambda user: data_job(user, folder), meet_machine=False, **how)
        finally:
            stop_agent(folder / "home")


if __name__ == "__main__":
    run()
