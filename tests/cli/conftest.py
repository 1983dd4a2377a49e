"""The command as a script sees it: a process, its two streams and its exit code."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mldesk.cli.main import run


@dataclass(frozen=True)
class Answer:
    """What one command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout; fails where there is none or more than one."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Command:
    """Runs commands on one library."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "MLDESK_HOME": str(self.home), "COLUMNS": "120", "PYTHONWARNINGS": "", **more}

    def __call__(self, *arguments: str | Path, **more: str) -> Answer:
        """Run a command as a script does, in this process, which is ten times as quick as in one of its own.

        With ``more`` in its environment it gets that, see ``process``.
        """
        if more:
            return self.process(*arguments, **more)
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n", write_through=True) for _ in range(2))
        with (contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(self.folder),
              open(os.devnull, encoding="utf-8") as nothing, pytest.MonkeyPatch.context() as patch):
            patch.setattr("sys.stdin", nothing)
            for name in ("MLDESK_HOME", "COLUMNS"):
                patch.setenv(name, self.environment()[name])
            code = run([*map(str, arguments)], open_window=lambda home, gallery: 1)
        return _answer(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))

    def process(self, *arguments: str | Path, **more: str) -> Answer:
        """Run a command as ``python -m mldesk``; ``more`` stands in its environment."""
        done = subprocess.run([sys.executable, "-m", "mldesk", *map(str, arguments)], capture_output=True, text=True,
                              encoding="utf-8", timeout=900, check=False, cwd=self.folder,
                              env=self.environment(**more), stdin=subprocess.DEVNULL)
        return _answer(done.returncode, done.stdout, done.stderr)

    def good(self, *arguments: str | Path) -> Any:
        """Return the JSON document of a command that must succeed."""
        code, document = self.here(*arguments)
        assert code == 0, (arguments, document)
        return document

    def here(self, *arguments: str | Path) -> tuple[int, Any]:
        """Run a command in this process; return its exit code and its JSON document."""
        out, err = io.StringIO(), io.StringIO()
        words = ["--json", *map(str, arguments)]
        if "--home" not in words:
            words += ["--home", str(self.home)]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words, open_window=lambda home, gallery: 1)
        assert out.getvalue(), (words, code, err.getvalue())
        return code, json.loads(out.getvalue())

    def told(self, *arguments: str | Path) -> Answer:
        """Run a command in this process as a person would; return what it says and how it ends."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.setenv("COLUMNS", self.environment()["COLUMNS"])   # pytest's workers have 80
            code = run([*map(str, arguments), "--home", str(self.home)], open_window=lambda home, gallery: 1)
        return Answer(code, out.getvalue(), err.getvalue())

    def stop(self) -> None:
        """End the agent that the commands started."""
        if (self.home / "runner").exists():
            from mldesk.app import open_workbench

            with open_workbench(self.home) as bench:
                bench.runners.stop("local")


def _answer(code: int, out: str, err: str) -> Answer:
    assert "Traceback" not in err, err
    return Answer(code, out, err)


@pytest.fixture
def mldesk(tmp_path: Path) -> Iterator[Command]:
    """A command on a library of its own; its agent is ended afterwards."""
    command = Command(tmp_path / "home", tmp_path)
    yield command
    command.stop()


def make_table(path: Path, rows: int = 240) -> Path:
    """Write a small table in which `grade` follows from `size` and `colour`, with some cells missing."""
    colours = ("red", "green", "blue")
    lines = ["id,size,colour,weight,grade"]
    for index in range(rows):
        size, colour = (index * 37 % 100) / 10, colours[index * 7 % 3]
        weight = "" if index % 19 == 0 else f"{size * 2 + index % 5:.1f}"
        grade = "good" if size + (2 if colour == "red" else 0) > 5.5 else "poor"
        lines.append(f"r{index},{size},{colour},{weight},{grade}")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
