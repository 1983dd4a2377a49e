"""What a program prints without end: the log keeps its beginning and its end, and never holds the program up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mldesk.training.script_log import PrintedLog


def _printed(code: str, log: Path, *, head: int, tail: int, mode: str = "ab") -> PrintedLog:
    with open(log, mode) as file:
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert child.stdout is not None
        printed = PrintedLog(child.stdout, file.fileno(), head=head, tail=tail, patience=100)
        assert child.wait(120) == 0
        printed.close()
    return printed


def test_a_short_log_is_kept_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "output.log"
    code = "import sys; print('one', flush=True); print('two', file=sys.stderr)"
    assert _printed(code, log, head=5, tail=50).left_out == 0
    assert log.read_text("utf-8").split() == ["one", "two"]


def test_a_long_log_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    log = tmp_path / "output.log"
    printed = _printed("for number in range(200_000): print(f'line {number:06}')", log, head=1200, tail=600)
    lines = log.read_bytes().replace(b"\r\n", b"\n").decode().splitlines()
    assert lines[:2] == ["line 000000", "line 000001"]
    assert lines[-1] == "line 199999"
    assert printed.left_out > 2_000_000
    assert f"--- {printed.left_out:,} bytes are left out here ---" in lines
    assert log.stat().st_size < 2000


def test_what_earlier_attempts_printed_counts(tmp_path: Path) -> None:
    log = tmp_path / "output.log"
    log.write_bytes(b"x" * 1000)
    printed = _printed("print('y' * 500)", log, head=1000, tail=100)
    assert printed.left_out > 0
    assert log.read_bytes().startswith(b"x" * 1000 + b"\n---")


def test_a_log_that_takes_nothing_does_not_hold_the_program_up(tmp_path: Path) -> None:
    log = tmp_path / "output.log"
    log.touch()
    assert _printed("print('z' * 1_000_000)", log, head=10_000_000, tail=10, mode="rb").left_out == 0
    assert log.read_bytes() == b""
