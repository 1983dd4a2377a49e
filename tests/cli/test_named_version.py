"""A name and a version's number, as two words or as one."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command, make_table


@pytest.mark.parametrize("arguments", [
    ("promote", "m@3"), ("promote", "--note", "a@1", "m@3"), ("rollback", "m@3"), ("stage", "m@3", "candidate"),
    ("stage", "m", "3", "candidate")])
def test_both_forms_are_read_alike(mldesk: Command, arguments: tuple[str, ...]) -> None:
    code, document = mldesk.here("models", *arguments)
    assert code == 3 and document["error"]["code"] == "not_found"   # it was read: there is no such model


def test_a_name_without_a_number_lacks_one_still(mldesk: Command) -> None:
    for name in ("m", "m@", "@3", "m@x"):
        code, document = mldesk.here("models", "promote", name)
        assert code == 2 and "'V'" in document["error"]["message"]


def test_datasets_take_it_too(mldesk: Command) -> None:
    mldesk.good("data", "import", make_table(mldesk.folder / "t.csv", 20), "--name", "t")
    assert mldesk.good("data", "rollback", "t@1")["version"] == 1
    assert mldesk.good("data", "diff", "t@1", "1")["columns"]["removed"] == []
