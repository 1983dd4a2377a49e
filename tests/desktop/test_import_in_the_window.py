"""Each kind of source comes in through the import dialog with the right rows; what cannot be read says why."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.data.dataset import DatasetPage
from mldesk.desktop.tasks import in_thread
from tests.data import postgres_server
from tests.desktop import import_user
from tests.desktop.scripted_user import User, play
from tests.kinds_of_files import BAD, KINDS, ROWS, Kind, read_back, serving, text

Told = tuple[int, list[tuple[Any, ...]]]   # how many columns, and the rows
GROUPS = (KINDS[:4], KINDS[4:10], KINDS[10:15], KINDS[15:])


async def told(user: User, page: DatasetPage) -> Told:
    """Return what the library holds of the dataset that is seen."""
    found = await in_thread(
        user.window.desk.workbench.datasets.query, page.state.name, "SELECT * FROM data ORDER BY 1")
    return len(found.columns), read_back(found.rows)


def played(home: Path, doing: Callable[[User], Coroutine[Any, Any, DatasetPage]]) -> Told:
    """Import one table in a window over a new library."""
    async def script(user: User) -> Told:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        return await told(user, await doing(user))

    found: Told = play(home, script, patience=100, meet_machine=False)
    return found


@pytest.mark.parametrize("kinds", GROUPS, ids=lambda kinds: "+".join(map(str, kinds)))
def test_each_kind_of_dropped_source_becomes_a_dataset(kinds: tuple[Kind, ...], tmp_path: Path, qtbot: QtBot) -> None:
    async def script(user: User) -> dict[str, Told]:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        return {kind.name: await told(user, await import_user.import_kind(user, kind, tmp_path)) for kind in kinds}

    assert play(tmp_path / "home", script, patience=100, meet_machine=False) == {
        kind.name: (4 + kind.extra, ROWS) for kind in kinds}


def test_a_table_at_an_address_becomes_a_dataset(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "shop.csv").write_text(text(), "utf-8")
    with serving(tmp_path) as address:
        assert played(tmp_path / "home", lambda user: import_user.import_address(
            user, f"{address}/shop.csv")) == (4, ROWS)


@pytest.mark.parametrize("html", [False, True], ids=["text", "html"])
def test_a_table_on_the_clipboard_becomes_a_dataset(html: bool, tmp_path: Path, qtbot: QtBot) -> None:
    try:
        assert played(tmp_path / "home", lambda user: import_user.import_pasted(user, html=html)) == (4, ROWS)
    finally:
        QGuiApplication.clipboard().clear()


def test_files_dropped_together_become_one_dataset(tmp_path: Path, qtbot: QtBot) -> None:
    files = [tmp_path / "early.csv", tmp_path / "late.tsv"]
    for file, delimiter, rows in zip(files, ",\t", (ROWS[:25], ROWS[25:]), strict=True):
        file.write_text(text(delimiter, rows), "utf-8")
    assert played(tmp_path / "home", lambda user: import_user.import_many(user, files)) == (4, ROWS)


@pytest.mark.skipif(not postgres_server.INSTALLED, reason="PostgreSQL is not installed")
def test_a_table_of_a_server_becomes_a_dataset(tmp_path: Path, qtbot: QtBot) -> None:
    fill = "".join(f"({a}, '{b}', '{c}', {d})," for a, b, c, d in ROWS).rstrip(",")
    with postgres_server.running("CREATE TABLE shop (id int, day date, city text, price float8); "
                                 f"INSERT INTO shop VALUES {fill}; CREATE TABLE other (a int)") as address:
        assert played(tmp_path / "home", lambda user: import_user.import_address(
            user, address, {"table": "shop"})) == (4, ROWS)


def test_what_cannot_be_read_says_why_on_the_screen_and_leaves_nothing(tmp_path: Path, qtbot: QtBot) -> None:
    home = tmp_path / "home"

    async def script(user: User) -> dict[str, str]:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        said = {}
        for name, content, _ in BAD:
            (tmp_path / name).write_bytes(content)
            said[name] = await import_user.refused(user, tmp_path / name)
        assert user.window.desk.workbench.datasets.list() == []
        return said

    said = play(home, script, patience=100, meet_machine=False)
    for name, _, word in BAD:
        assert name in said[name]
        assert word in said[name]
    assert not [path for path in (home / "objects").rglob("*") if path.is_file()]
    assert not [path for path in (home / "scratch").rglob("*") if path.is_file()]


def test_what_no_list_offers_is_typed_and_the_preview_follows(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes("!made by hand\nday~n~p\n03.04.2024~1_234~10%\n05.06.2024~'5_000'~7%\n".encode("cp500"))

    async def script(user: User) -> tuple[str, list[list[Any]]]:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.drop(path, look=True)
        dialog = await import_user.opened(user, "odd")
        await user.until(lambda: dialog.draft.problem.value or dialog.draft.preview.value, "the first look")
        form = dialog.options
        if dialog.draft.problem.value is not None:   # it looks like no text at all
            form._choices["format"][0].set_value("csv")
        refusal = ""
        for name, typed in (("encoding", "klingon"), ("encoding", "cp500"), ("delimiter", "~"), ("quote", "'"),
                            ("thousands", "_"), ("dates", "dd.mm.yyyy"), ("comment", "!")):
            box = form._lines[name] if name in form._lines else form._choices[name][0]
            await user.until(box.isVisible, f"the choice of {name}")
            box.setFocus()
            line = box if name in form._lines else box.lineEdit()
            line.selectAll()
            QTest.keyClicks(line, typed)
            QTest.keyClick(line, Qt.Key.Key_Tab)
            await user.until(lambda name=name: name in dialog.draft.changes.value and not dialog.draft.busy.value,
                             f"{name} to be followed")
            if typed == "klingon":
                await user.until(lambda: "klingon" in str(dialog.draft.problem.value), "that it is unknown")
                refusal = str(dialog.draft.problem.value)
        form._choices["percent"][0].set_value("share")
        await user.until(lambda: not dialog.draft.busy.value and dialog.draft.preview.value
                         and dialog.draft.preview.value.options.percent, "all of it")
        return refusal, dialog.draft.preview.value.rows

    refusal, rows = play(tmp_path / "home", script, patience=100, meet_machine=False)
    assert "no encoding 'klingon'" in refusal
    assert rows == [["2024-04-03", 1234, 0.1], ["2024-06-05", 5000, 0.07]]


def test_a_click_on_a_fix_mends_what_the_preview_remarks_on(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "p.csv").write_text("p,q\n10%,1\n20%,2\n\n30%,3\n40%\n")

    async def script(user: User) -> tuple[set[str], list[list[Any]]]:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.drop(tmp_path / "p.csv", look=True)
        dialog = await import_user.opened(user, "p.csv")
        await user.until(lambda: not dialog.draft.busy.value and dialog.draft.preview.value, "the first look")
        dialog.view.tabs.set_value("problems")
        said = {label.text() for label in dialog.view.problems.findChildren(QLabel)}
        await user.shot("fixes")
        for words, option in (("Read 10% as 0.1 instead", "percent"), ("Fill rows that are too short", "fill_short")):
            button = await user.until(lambda words=words: next(
                (one for one in dialog.view.problems.findChildren(QPushButton) if one.text().startswith(words)
                 and one.isVisible()), None), words)
            button.click()
            await user.until(lambda option=option: not dialog.draft.busy.value and dialog.draft.preview.value
                             and option in dialog.draft.preview.value.options.to_json(), f"{option} to be followed")
        return said, dialog.draft.preview.value.rows

    said, rows = play(tmp_path / "home", script, patience=100, meet_machine=False)
    assert rows == [[0.1, 1], [0.2, 2], [0.3, 3], [0.4, None]]
    assert "Nothing is lost: an empty line holds no values." in said


def test_sheets_are_chosen_that_make_one_table(tmp_path: Path, qtbot: QtBot) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, name in enumerate(("north", "south", "notes")):
        sheet = book.create_sheet(name)
        for line in (["k", "v"], [number, 1.5]):
            sheet.append(line)
    book.save(tmp_path / "b.xlsx")

    async def script(user: User) -> Told:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.drop(tmp_path / "b.xlsx", look=True)
        dialog = await import_user.opened(user, "b.xlsx")
        await user.until(lambda: not dialog.draft.busy.value and dialog.draft.preview.value, "the first look")
        dialog.options._choices["sheet"][0].set_value("*")
        await user.until(lambda: dialog.options.sheets.isVisible() and dialog.draft.preview.value
                         and dialog.draft.preview.value.rows_seen == 3, "all sheets")
        dialog.options.sheets.set_values(["north", "south"])
        await user.until(lambda: dialog.draft.preview.value and dialog.draft.preview.value.rows_seen == 2
                         and not dialog.draft.busy.value, "two of them")
        page = await import_user.take(user, dialog, "together")
        found = await in_thread(user.window.desk.workbench.datasets.query, page.state.name, "SELECT * FROM data")
        return len(found.columns), [tuple(row) for row in found.rows]

    assert play(tmp_path / "home", script, patience=100, meet_machine=False) == (2, [(0, 1.5), (1, 1.5)])


def test_folders_that_are_partitions_make_columns_unless_they_are_switched_off(tmp_path: Path, qtbot: QtBot) -> None:
    for year in (2024, 2025):
        path = tmp_path / "hive" / f"year={year}" / "x.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"a": [year, 1], "b": ["x", "y"]}), path)

    async def script(user: User) -> list[list[str]]:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.drop(tmp_path / "hive", look=True)
        dialog = await import_user.opened(user, "hive")
        shown = []
        for on in (True, False):
            await user.until(lambda on=on: not dialog.draft.busy.value and dialog.draft.preview.value
                             and len(dialog.draft.preview.value.columns) == 2 + on, "the columns")
            await user.until(lambda on=on: dialog.register.isVisible() and dialog.register.isEnabled() is not on,
                             "whether the files may stay")
            assert dialog.options.partitions.isVisible()
            shown.append([column.name for column in dialog.draft.preview.value.columns])
            if on:
                dialog.options.partitions.click()
        dialog.options.partitions.click()
        page = await import_user.take(user, dialog, "whole")
        return [*shown, [column.name for column in page.state.version.value.columns]]

    assert play(tmp_path / "home", script, patience=100, meet_machine=False) == [
        ["a", "b", "year"], ["a", "b"], ["a", "b", "year"]]
