"""The global options may stand anywhere before ``--``."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.cli.arguments import Globals, take_globals, wants_json
from mldesk.core.errors import BadInput


@pytest.mark.parametrize("words", [
    ["--json", "--home", "/x", "runs", "list"], ["runs", "--json", "list", "--home=/x"],
    ["runs", "list", "--home", "/x", "--json"],
])
def test_they_are_found_before_and_after_the_command(words: list[str]) -> None:
    assert take_globals(words) == (Globals(json=True, home=Path("/x").absolute()), ["runs", "list"])


def test_what_follows_two_dashes_is_left_alone() -> None:
    assert take_globals(["data", "query", "n", "--", "--json"]) == (Globals(), ["data", "query", "n", "--", "--json"])
    assert not wants_json(["data", "--", "--json"])


@pytest.mark.parametrize("words", [["--home"], ["--home="], ["--home", "--", "x"]])
def test_home_without_a_folder_is_refused(words: list[str]) -> None:
    with pytest.raises(BadInput, match="--home needs a folder"):
        take_globals(words)


def test_a_relative_home_is_made_absolute() -> None:
    assert take_globals(["--home", "here"])[0].home == Path("here").absolute()
