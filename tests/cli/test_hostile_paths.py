"""Paths and files that mean no good: each is one sentence, and soon."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _wide(path: Path) -> None:
    line = ",".join(f"c{number}" for number in range(200_000))
    path.write_text(f"{line}\n{line}\n", "utf-8")


def _deep(path: Path) -> None:
    path.write_text('[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]", "utf-8")


@pytest.mark.parametrize(("make", "name", "said"), [
    (_fifo, "t.csv", "is not a regular file"), (_socket, "t.csv", "is not a regular file"),
    (_loop, "t.csv", "There is no file"), (_wide, "t.csv", "more than 50,000 columns"), (_deep, "t.json", "too deep")])
def test_what_is_no_table_is_refused(mldesk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     make: object, name: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    assert callable(make)
    make(Path(name))
    for more in ((), ("--preview",)):
        answer = mldesk("data", "import", name, "--name", "t", "--json", *more)
        assert answer.code in (2, 3)
        assert said in answer.json["error"]["message"]


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb", "a\x1b[31mb", "a\x07b"])
def test_names_that_a_terminal_would_obey_are_refused(mldesk: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    answer = mldesk("data", "import", "t.csv", "--name", name, "--json")
    assert (answer.code, "cannot be printed" in answer.json["error"]["message"]) == (2, True)


@pytest.mark.parametrize("home", ["/proc/mldesk", "/dev/null", "/dev/null/below"])
def test_a_home_where_none_can_be_is_refused(mldesk: Command, home: str) -> None:
    answer = mldesk("data", "list", "--json", "--home", home)
    assert answer.code in (1, 2)
    assert answer.json["error"]["message"].startswith(f"The library's folder {home}")
