"""``mldesk data import --on`` and ``data fetch``: the other machine is a real agent with a store of its own."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mldesk.cli.main import run
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.workbench.access import Access
from tests.cli.conftest import Command
from tests.workbench.test_far_data import CSV, FarRunner

Said = tuple[int, str, str]


@pytest.fixture
def say(tmp_path: Path, mldesk: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Said]]:
    """A command in this process, beside which there is a machine called box; gives exit code, stdout and stderr."""
    library = Library.open(Home(mldesk.home))
    library.runners.add("box", "ssh", "me@box")
    library.close()
    monkeypatch.setattr(Access, "runner", lambda _self, _record, store: FarRunner(tmp_path / "box", store))

    def say(*words: str | Path) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*map(str, words), "--home", str(mldesk.home)], open_window=lambda home, gallery: 1)
        assert "Traceback" not in err.getvalue()
        return code, out.getvalue(), err.getvalue()

    yield say
    runner = FarRunner(tmp_path / "box", library.objects)
    runner.stop_agent(kill_jobs=True)
    runner.close()


def document(said: Said) -> Any:
    return json.loads(said[1])


def test_a_table_is_imported_on_a_runner_and_fetched(say: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(CSV)
    made = document(say("data", "import", tmp_path / "sales.csv", "--on", "box", "--json"))
    assert (made["dataset"], made["version"], made["rows"], made["runner"], made["kept"]) == (
        "sales", 1, 500, "box", "converted")
    listed = say("runs", "list", "--json")
    assert listed[0] == 0, listed
    runs = document(listed)["runs"]
    assert [(run["name"], run["status"], run["runner"]) for run in runs] == [("import-sales-1", "succeeded", "box")]
    assert "import-sales" in say("runs", "list")[1] and "succeeded" in say("runs", "show", "import-sales-1")[1]
    code, out, _ = say("data", "preview", "sales", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "data_elsewhere")
    assert "500" in say("data", "show", "sales")[1]
    assert document(say("data", "fetch", "sales", "--json")) == {
        "dataset": "sales", "version": 1, "from": "box", "size": made_size(say)}
    assert say("data", "preview", "sales", "--json")[0] == 0
    assert "is here already" in say("data", "fetch", "sales")[1]
    (tmp_path / "sales.csv").write_text(CSV + "2024-02-01,5,w1\n")
    code, out, _ = say("data", "import", tmp_path / "sales.csv", "--on", "box", "--name", "sales")
    assert code == 0 and "sales@2: 501 rows, 3 columns" in out and "on box" in out


def made_size(say: Callable[..., Said]) -> int:
    return int(document(say("data", "show", "sales", "--json"))["size"])


@pytest.mark.parametrize(("words", "code", "said"), [
    (("/nowhere/x.csv", "--on", "box"), 1, "There is no file x.csv"),
    (("/x.csv", "/y.csv", "--on", "box"), 2, "one file or one folder"),
    (("/x.csv", "--on", "local"), 2, "this machine itself"),
    (("/x.csv", "--on", "box", "--preview"), 2, "--preview does not work with --on"),
    (("/x.csv", "--on", "box", "--rejects", "r.csv"), 2, "--rejects does not work with --on"),
    (("/x.csv", "--on", "nobody"), 3, "There is no runner"),
])
def test_what_cannot_be_imported_there_is_said(say: Callable[..., Said], words: Any, code: int, said: str) -> None:
    got, _, err = say("data", "import", *words)
    assert said in err
    assert got == code
