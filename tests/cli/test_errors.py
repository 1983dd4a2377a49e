"""However a command ends: one sentence, the right exit code, the error's shape with --json, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mldesk.cli.arguments import Globals
from mldesk.cli.face import Face
from mldesk.cli.failures import describe
from mldesk.cli.interrupts import sigterm_interrupts
from mldesk.core.errors import BadInput, DiskFull, MldeskError, NotFound
from tests.cli.conftest import Command


def _error(mldesk: Command, *arguments: str, code: int) -> dict[str, str]:
    answer = mldesk(*arguments, "--json")
    assert answer.code == code, answer
    assert set(answer.json) == {"error"}
    error: dict[str, str] = answer.json["error"]
    assert set(error) == {"code", "message", "hint"}
    assert error["message"].endswith((".", "?"))
    return error


@pytest.mark.parametrize("arguments", [
    ("train", "n"), ("trian",), ("data", "preview", "n", "--rows", "many"), ("data",), ("--home",), ("runs", "show"),
    ("data", "list", "--nonsense")])
def test_wrong_usage_is_exit_2_in_the_errors_shape(mldesk: Command, arguments: tuple[str, ...]) -> None:
    error = _error(mldesk, *arguments, code=2)
    assert error["code"] in ("usage", "bad_input")


@pytest.mark.parametrize(("arguments", "said"), [
    (("runs", "show", "\udcff"), "no letter"), (("data", "export", "n", "x" * 300 + ".csv"), "too long for the disk")])
def test_names_that_no_disk_or_library_has_are_bad_input(mldesk: Command, arguments: tuple[str, ...],
                                                         said: str) -> None:
    answer = mldesk(*arguments)
    assert (answer.code, said in answer.err) == (2, True)


def test_wrong_usage_says_where_help_is(mldesk: Command) -> None:
    answer = mldesk("train", "n")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines() == ["mldesk: Missing option '--target'.", "  See `mldesk train --help`."]


def test_a_column_is_set_once(mldesk: Command) -> None:
    said = _error(mldesk, "explain", "some", "--set", "size=1", "--set", "colour=red", "--set", " size =2", code=2)
    assert said["message"] == "'size' is set twice."


def test_json_without_a_command_is_refused(mldesk: Command) -> None:
    assert "command" in _error(mldesk, code=2)["message"]


def test_a_window_without_a_display_is_refused_in_words(mldesk: Command) -> None:
    answer = mldesk(DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert answer.code == 2
    assert "display" in answer.err


@pytest.mark.parametrize("arguments", [
    ("data", "show", "nothing"), ("data", "preview", "nothing@3"), ("runs", "show", "nothing"),
    ("models", "show", "nothing"), ("runners", "show", "nothing"), ("models", "inspect", "nothing.mlbundle"),
    ("data", "import", "nothing.csv", "--name", "n"), ("predict", "nothing.mlbundle", "x.csv", "-o", "y.csv"),
    ("train", "nothing", "--target", "x")])
def test_what_is_not_there_is_exit_3(mldesk: Command, arguments: tuple[str, ...]) -> None:
    assert _error(mldesk, *arguments, code=3)["code"] in ("not_found", "object_missing")


def test_a_fault_of_ours_leaves_its_traceback_in_a_file(tmp_path: Path) -> None:
    face = Face(Globals(home=tmp_path))
    try:
        raise ZeroDivisionError("by design")
    except ZeroDivisionError as error:
        shape, code = describe(error, face)
    assert (shape["code"], code) == ("internal", 1)
    log = tmp_path / "logs" / "errors.log"
    assert str(log) in shape["hint"]
    assert "ZeroDivisionError: by design" in log.read_text("utf-8")


@pytest.mark.parametrize(("error", "code"), [
    (BadInput("Bad."), 2), (NotFound("No."), 3), (DiskFull("Full."), 1), (MldeskError("Failed."), 1),
    (KeyboardInterrupt(), 130), (PermissionError(13, "Permission denied", "x"), 1),
    (FileNotFoundError(2, "No such file or directory", "x"), 3), (OSError(28, "No space left on device"), 1)])
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int, tmp_path: Path) -> None:
    assert describe(error, Face(Globals(home=tmp_path)))[1] == code


def test_a_closed_pipe_is_silent(mldesk: Command) -> None:
    line = f"{sys.executable} -m mldesk data --help; {sys.executable} -m mldesk doctor | head -n 0"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=mldesk.environment(), check=False,
                          cwd=mldesk.folder)
    assert done.stderr == ""


@pytest.mark.parametrize("words", ["runners list", "runners list --json", "data --json", "runners show x --json"])
def test_a_full_disk_behind_stdout_is_one_sentence(mldesk: Command, words: str) -> None:
    done = subprocess.run(["sh", "-c", f"{sys.executable} -m mldesk {words} > /dev/full"], capture_output=True,
                          text=True, env=mldesk.environment(), check=False, cwd=mldesk.folder)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1, "mldesk: The disk is full; nothing that was saved before is lost.")
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_ctrl_c_ends_an_import_with_nothing_kept(mldesk: Command) -> None:
    table = mldesk.folder / "long.csv"
    table.write_text("a,b,c,d\n" + "1,2.5,three,2024-01-01\n" * 2_000_000, "utf-8")
    process = subprocess.Popen([sys.executable, "-m", "mldesk", "data", "import", str(table), "--name", "n", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=mldesk.environment())
    while not any((mldesk.home / "scratch").glob("import~*")):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, json.loads(out)["error"]["code"], "Traceback" in err) == (130, "cancelled", False)
    assert list((mldesk.home / "scratch").iterdir()) == []
    assert mldesk.good("data", "list")["datasets"] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_query_that_would_take_forever(mldesk: Command, number: signal.Signals) -> None:
    table = mldesk.folder / "t.csv"
    table.write_text("a,b\n" + "1,2\n" * 50_000, "utf-8")
    mldesk.good("data", "import", table, "--name", "n")
    sql = "SELECT sum(x.a + y.b + z.a) FROM data x, data y, data z WHERE x.a + y.b + z.a > 0"
    process = subprocess.Popen([sys.executable, "-m", "mldesk", "data", "query", "n", sql, "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=mldesk.environment())
    while not any((mldesk.home / "scratch").glob("mldesk-query~*/mldesk-view~*")):   # it is being answered
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, json.loads(out)["error"]["code"], "Traceback" in err) == (130, "cancelled", False)
    assert list((mldesk.home / "scratch").iterdir()) == []


def test_a_query_says_whether_its_answer_was_cut(mldesk: Command) -> None:
    table = mldesk.folder / "t.csv"
    table.write_text("a,b\n1,2\n3,4\n5,6\n", "utf-8")
    mldesk.good("data", "import", table, "--name", "n")
    cut, whole = (mldesk.good("data", "query", "n", "SELECT a FROM data", "--limit", limit) for limit in ("2", "3"))
    assert (cut["truncated"], cut["total"], len(cut["rows"])) == (True, 2, 2)
    assert (whole["truncated"], whole["total"], len(whole["rows"])) == (False, 3, 3)


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_a_dataset_needs_a_name_that_is_one(mldesk: Command, name: str) -> None:
    (mldesk.folder / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    done = mldesk("data", "import", mldesk.folder / "t.csv", "--name", name, "--json")
    assert (done.code, done.json["error"]["code"]) == (2, "bad_input")


def test_a_table_is_not_written_over_a_folder(mldesk: Command) -> None:
    (mldesk.folder / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    (mldesk.folder / "out.csv").mkdir()
    mldesk.good("data", "import", mldesk.folder / "t.csv", "--name", "n")
    done = mldesk("data", "export", "n", mldesk.folder / "out.csv")
    assert (done.code, "out.csv' is a folder" in done.err) == (2, True)
    assert list((mldesk.folder / "out.csv").iterdir()) == []


@pytest.mark.parametrize("encoding", ["ascii:strict", "ascii:surrogateescape"])
def test_what_a_terminal_cannot_show_is_written_out_and_no_error(mldesk: Command, encoding: str) -> None:
    (mldesk.folder / "t.csv").write_text("größe,날짜\n1,2\n", "utf-8")
    mldesk.good("data", "import", mldesk.folder / "t.csv", "--name", "n")
    done = mldesk("data", "preview", "n", PYTHONIOENCODING=encoding)
    assert (done.code, "gr\\xf6\\xdfe" in done.out) == (0, True)


@pytest.mark.parametrize(("words", "closed"), [("data list", ">&-"), ("data show nothing --json", ">&- 2>&- <&-")])
def test_streams_that_are_closed_are_no_error_of_ours(mldesk: Command, words: str, closed: str) -> None:
    done = subprocess.run(["sh", "-c", f"{sys.executable} -m mldesk {words} {closed}"], capture_output=True, text=True,
                          env=mldesk.environment(), check=False, cwd=mldesk.folder)
    assert (done.returncode, "Traceback" in done.stderr) == (3 if "show" in words else 0, False)


def test_a_home_that_nobody_has_or_that_has_no_name_is_a_sentence(mldesk: Command) -> None:
    odd = os.fsdecode(os.fsencode(mldesk.folder) + b"/odd\xff")
    answer = mldesk("data", "list", MLDESK_HOME=odd)
    assert (answer.code, "odd\\xff has a name that is no UTF-8" in answer.err) == (2, True)
    assert mldesk("data", "list", MLDESK_HOME="~nobody-of-this-name/x").code == 0  # a folder of that name


def test_sigterm_ends_a_command_as_ctrl_c_does() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_file_that_is_there_is_replaced_only_where_that_is_said(mldesk: Command) -> None:
    table, out = mldesk.folder / "t.csv", mldesk.folder / "out.csv"
    table.write_text("a,b\n1,2\n", "utf-8")
    out.write_text("mine\n", "utf-8")
    mldesk.good("data", "import", table, "--name", "n")
    for words in (["data", "export", "n", out], ["data", "query", "n", "SELECT a FROM data", "-o", out],
                  ["data", "contract", "n", "--infer", "--export", out],
                  ["data", "import", table, "--name", "other", "--rejects", out]):
        code, told = mldesk.here(*words)
        assert (code, told["error"]["code"], "--force" in told["error"]["hint"]) == (2, "conflict", True)
        assert out.read_text("utf-8") == "mine\n"
    assert mldesk.good("data", "query", "n", "SELECT a FROM data", "-o", out, "--force")["rows"] == 1
    assert out.read_text("utf-8").split() == ["a", "1"]


def test_nothing_is_written_into_the_library(mldesk: Command) -> None:
    (mldesk.folder / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    mldesk.good("data", "import", mldesk.folder / "t.csv", "--name", "n")
    (mldesk.folder / "link").symlink_to(mldesk.home, target_is_directory=True)
    before = (mldesk.home / "library.db").read_bytes()
    for place in (mldesk.home / "out.csv", mldesk.folder / "link" / "objects" / "out.csv", mldesk.home / "library.db"):
        code, told = mldesk.here("data", "contract", "n", "--export", place, "--force")
        assert (code, "library's own folder" in told["error"]["message"]) == (2, True)
        assert mldesk.here("data", "export", "n", place, "--force")[0] == 2
    assert (mldesk.home / "library.db").read_bytes()[:16] == before[:16]
    assert not (mldesk.home / "out.csv").exists()
