"""A contract is made, edited and kept in the window; files are checked, and the good ones merged."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.data.checked_files import CheckedFilesDialog
from mldesk.desktop.pages.data.contract_check import CheckDialog
from mldesk.desktop.pages.data.take_file import TakeSheet
from mldesk.desktop.states.contract import tried
from tests.desktop.scripted_user import User, dialogs, play

HEAD = "id,city,score\n"


def lines(first: int, city: str = "Lyon") -> str:
    return "".join(f"{number},{city if number % 2 else 'Oslo'},{number % 50}\n" for number in range(first, first + 60))


def test_a_contract_guards_what_joins_a_dataset(tmp_path: Path, qtbot: QtBot) -> None:
    files = {"t.csv": HEAD + lines(1), "good_02012024.csv": HEAD + lines(100), "wrong.csv": HEAD + lines(200, "Rome"),
             "good_03012024.csv": HEAD.replace("score", "Score ") + lines(300), "good_99992024.csv": HEAD + lines(400),
             "good_01012024.csv": HEAD + lines(1)}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        user.drop(tmp_path / "t.csv")
        page = await user.until(window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value, "its version")
        page.show_tab("contract")
        view = page.contract
        await user.until(lambda: view.currentIndex() == 1, "that there is none")
        await user.press("Make one from this version")
        await user.until(lambda: view.state.kept is not None, "a contract")
        assert view.table.selected()[0]["name"]   # a column's rules come first
        view.table.select([""])
        view.file.pattern.setText(r"good_(?P<day>\d{8})\.csv")
        view.file.dates.setText("day=%d%m%Y")
        view.file.dates.editingFinished.emit()
        assert view.file.counts.value() == "warning"
        view.file.counts.set_value("error")
        view.file.order.set_value("warn")
        view.table.select(["score"])
        view.rule.high.setText("many")
        view.rule.high.setModified(True)
        view.rule.high.editingFinished.emit()
        assert view.rule._rows["high"].error() == "Write a number."
        view.rule.high.setText("90")
        view.rule.high.setModified(True)
        view.rule.high.editingFinished.emit()
        assert not view.check.isEnabled()
        assert not view.check_folder.isEnabled()
        await user.press("Keep changes")
        await user.until(lambda: view.state.kept.number == 2 and view.check.isEnabled(), "contract 2")
        assert view.check_folder.isEnabled()
        document = view.state.kept.document
        assert document["file_name"]["dates"] == {"day": "%d%m%Y"}
        assert (document["order"], document["rows"]) == ("warn", {"low": 1, "high": 10_000})
        assert next(rule for rule in document["columns"] if rule["name"] == "score")["high"] == 90
        view.check_files([tmp_path / name for name in files if name != "t.csv"])
        dialog = await user.until(lambda: next(iter(dialogs()), None), "the verdicts")
        assert isinstance(dialog, CheckDialog)
        await user.until(lambda: dialog.primary.isEnabled(), "the check to end")
        assert {Path(item.file).name: item.status for item in dialog.state.verdicts.value} == {
            "good_02012024.csv": "accepted", "wrong.csv": "rejected", "good_03012024.csv": "rejected",
            "good_99992024.csv": "rejected", "good_01012024.csv": "accepted"}
        held = next(item for item in dialog.state.verdicts.value if Path(item.file).name == "good_01012024.csv")
        assert (held.held, dialog._badge(held)[0], len(dialog.state.good())) == ("t@1", "in it already", 1)
        dialog.table.select([str(tmp_path / "good_03012024.csv")])
        await user.press("Accept the names")
        await user.until(lambda: len(dialog.state.good()) == 2 and dialog.primary.isEnabled(), "it to be good")
        dialog.table.select([str(tmp_path / "good_99992024.csv")])
        await user.press("Accept by hand…")
        ask = await user.until(lambda: next((one for one in dialogs() if isinstance(one, TakeSheet)), None), "why")
        assert not ask.primary.isEnabled()
        ask.why.setText("the day was mistyped")
        ask.primary.click()
        await user.until(lambda: len(dialog.state.good()) == 3 and dialog.primary.isEnabled(), "it to be taken")
        dialog.table.select([str(tmp_path / "good_02012024.csv")])
        await user.press("Leave out")
        dialog._write(tmp_path / "report.html")
        await user.until(lambda: (tmp_path / "report.html").exists() and dialog.primary.isEnabled(), "the report")
        dialog._write(tmp_path / "cells.csv")
        await user.until(lambda: (tmp_path / "cells.csv").exists() and dialog.primary.isEnabled(), "a line per cell")
        assert (tmp_path / "cells.csv").read_text().count(",Rome,") == 30
        await user.press("Merge the good ones into a new version")
        await user.until(lambda: page.state.version.value.number == 2, "version 2")
        assert page.state.version.value.rows == 180
        assert window.desk.workbench.datasets.query("t", "SELECT count(score) FROM data").rows[0][0] == 180
        await user.until(lambda: not dialogs(), "the dialog to close")
        view.show_checked()
        past = await user.until(lambda: next(iter(dialogs()), None), "the files checked before")
        assert isinstance(past, CheckedFilesDialog)
        await user.until(lambda: past.state.records.value, "them to be read")
        taken = next(item for item in past.state.records.value if item.decided is not None)
        assert (Path(taken.path).name, taken.why, taken.version) == ("good_99992024.csv", "the day was mistyped", 2)
        wrong = next(item for item in past.state.records.value if Path(item.path).name == "wrong.csv")
        past.table.select([wrong.number])
        await user.until(lambda: past.primary.isEnabled(), "that it is still there")
        await user.press("Accept by hand…")
        ask = await user.until(lambda: next((one for one in dialogs() if isinstance(one, TakeSheet)), None), "why")
        ask.why.setText("Rome is new")
        ask.primary.click()
        await user.until(lambda: page.state.version.value.number == 3, "version 3")
        assert page.state.version.value.rows == 240
        await user.until(lambda: not past.primary.isEnabled(), "that it is taken")
        past.reject()
        await user.until(lambda: not dialogs(), "it to close")
        page.state.used_by.value = ("one@1", "two@1")
        page.remove()  # asks, since models learned from it
        sheet = await user.until(lambda: next(iter(dialogs()), None), "the question")
        assert window.desk.workbench.datasets.show("t").number == 3
        sheet.reject()
        await user.until(lambda: not dialogs(), "it to close")
        page.state.used_by.value = ()
        page.remove()
        await user.until(lambda: not window.desk.workbench.datasets.list(), "it to be in the bin")

    play(tmp_path / "home", script, patience=60, meet_machine=False)


def test_rules_of_columns_that_a_recipe_changed_are_inferred_anew(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "t.csv").write_text(HEAD + lines(1))

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        user.drop(tmp_path / "t.csv")
        page = await user.until(window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value, "its version")
        service = window.desk.workbench
        service.contracts.infer("t")
        service.cleaning.clean("t", [{"step": "clip", "columns": ["score"], "high": 10}])
        page.show_tab("contract")
        view = page.contract
        await user.until(lambda: view.state.kept is not None, "a contract")
        page.state.show(2)
        await user.until(lambda: view.state.standing.version.number == 2, "that of version 2")
        await user.until(lambda: view.changed.isVisible(), "what changed")
        assert view.state.standing.changed == ("score",)
        rule = next(rule for rule in view.state.standing.document["columns"] if rule["name"] == "score")
        assert view._words(rule) == "its type only: a recipe changed it"
        await user.press("Infer their rules anew")
        await user.until(lambda: view.state.kept.number == 2 and not view.changed.isVisible(), "contract 2")
        assert next(rule for rule in view.state.standing.document["columns"] if rule["name"] == "score")["high"] == 11
        page.state.show(1)
        await user.until(lambda: view.state.kept.number == 1, "that of version 1")

    play(tmp_path / "home", script, patience=60, meet_machine=False)


def test_a_pattern_is_tried_on_names_while_it_is_written() -> None:
    assert tried(r"a_(?P<day>\d+)\.csv", True, ["A_12.csv", "b.csv"]) == ("", [("A_12.csv", "day 12"), ("b.csv", "")])
    problem, found = tried("(", False, ["a"])
    assert problem
    assert not found
