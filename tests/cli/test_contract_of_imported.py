"""Files as they were imported, checked by the contract of a version that a recipe made."""

from __future__ import annotations

import json

from tests.cli.conftest import Command, make_table


def test_rejected_files_are_told_of_the_contract_of_the_imported_version(mldesk: Command) -> None:
    raw = make_table(mldesk.folder / "raw.csv", 40)
    mldesk.good("data", "import", raw, "--name", "t")
    (mldesk.folder / "r.json").write_text(json.dumps({"steps": [
        {"step": "rename", "names": {"weight": "mass"}}]}), "utf-8")
    mldesk.good("data", "clean", "t", "--recipe", mldesk.folder / "r.json")
    mldesk.good("data", "contract", "t@2", "--infer")
    answer = mldesk("data", "check", raw, "--contract", "t")
    assert answer.code == 1 and "`mldesk data contract t@1 --infer` makes one" in answer.err
    mldesk.good("data", "contract", "t@1", "--infer")
    answer = mldesk("data", "check", raw, "--contract", "t")
    assert answer.code == 1 and "checked with --contract t@1." in answer.err
    assert mldesk("data", "check", raw, "--contract", "t@1").code == 0
