"""A contract goes into files and comes from them in the window: ours, and pandera's."""

from __future__ import annotations

import json
from pathlib import Path

from pytestqt.qtbot import QtBot

from mldesk.desktop.tasks import in_thread
from tests.desktop.scripted_user import User, play

TABLE = "id,city\n" + "".join(f"{n},{'Lyon' if n % 2 else 'Oslo'}\n" for n in range(1, 41))
PANDERA = {"schema_type": "dataframe", "columns": {
    "id": {"dtype": "int64", "nullable": False, "checks": {"greater_than_or_equal_to": 1, "in_a_circle": True}},
    "city": {"dtype": "str", "nullable": True}}}


def test_a_contract_is_written_and_read(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(PANDERA), "utf-8")

    async def script(user: User) -> None:
        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        await in_thread(window.desk.workbench.datasets.import_text, TABLE, "t")
        await in_thread(window.desk.workbench.contracts.infer, "t")
        window.open_dataset("t")
        page = await user.until(window.dataset_page, "the dataset")
        await user.until(lambda: page.state.version.value, "its version")
        page.show_tab("contract")
        view = page.contract
        await user.until(lambda: view.state.kept is not None, "the contract")
        document = view.state.standing.document
        view._export()
        await user.answer_file_dialog(tmp_path / "out.json")
        await user.until(lambda: (tmp_path / "out.json").exists(), "the contract's file")
        view._export_pandera()
        await user.answer_file_dialog(tmp_path / "out.py")
        await user.until(lambda: (tmp_path / "out.py").exists(), "the schema")
        view._import()
        await user.answer_file_dialog(tmp_path / "schema.json")
        await user.until(lambda: view.state.kept.number == 2, "what the schema says")
        rules = {rule["name"]: rule for rule in view.state.standing.document["columns"]}
        assert (rules["id"]["low"], rules["id"]["nullable"]) == (1, False)
        view._import()
        await user.answer_file_dialog(tmp_path / "out.json")
        await user.until(lambda: view.state.kept.number == 3, "our own again")
        assert view.state.standing.document == document

    play(tmp_path / "home", script, patience=60, meet_machine=False)
    assert "DataFrameSchema" in (tmp_path / "out.py").read_text("utf-8")
