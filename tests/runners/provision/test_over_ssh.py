"""Scripts through a login shell: a real shell on pipes stands in for the channel of an SSH connection."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.provision.over_ssh import SshExec
from mldesk.runners.ssh.stream import ByteStream, StreamEnded

LOGIN_SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish", "csh") if shutil.which(shell)]


class Pipes:
    """The ByteStream of a process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        assert process.stdin and process.stdout
        self._in, self._out = process.stdin, process.stdout
        self._ended = False

    @property
    def complaint(self) -> str:
        """What it said on stderr, which is behind: it is here with the end of the rest."""
        return "a complaint" if self._ended else ""

    def read(self, most: int) -> bytes:
        data = os.read(self._out.fileno(), most)
        self._ended = not data
        return data

    def wait(self, seconds: float) -> int | None:
        return self._process.wait(seconds)

    def write(self, data: bytes | memoryview) -> None:
        try:
            self._in.write(data)
            self._in.flush()
        except OSError as error:
            raise StreamEnded("gone") from error

    def finish(self) -> None:
        try:
            self._in.close()
        except OSError as error:
            raise StreamEnded("gone") from error

    def close(self) -> None:
        if self._process.poll() is None:   # with what it started: a channel that is closed answers at once
            os.killpg(self._process.pid, signal.SIGKILL)

    def release(self) -> None:
        self.close()
        self._process.wait()
        self._out.close()
        with contextlib.suppress(OSError):
            self._in.close()


class Host:
    """A host whose login shell says something of its own first."""

    def __init__(self, home: Path, shell: str = "sh", noise: str = "") -> None:
        self.home, self.shell, self.noise = home, shell, noise

    def open_exec(self, command: str, timeout: float = 20.0) -> Pipes:
        return Pipes(subprocess.Popen(
            [shutil.which(self.shell) or self.shell, "-c", self.noise + command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
            env={"HOME": str(self.home), "PATH": "/usr/bin:/bin"}))

    def explain(self, stream: ByteStream) -> RunnerUnreachable | None:
        return None

    @property
    def alive(self) -> bool:
        return True

    def close(self) -> None:
        return None


@pytest.mark.parametrize("shell", LOGIN_SHELLS)
def test_a_script_is_run_the_same_under_every_login_shell(shell: str, tmp_path: Path) -> None:
    host = Host(tmp_path, shell, noise="echo Welcome to this machine; " if shell != "csh" else "")
    ran = SshExec(host).run("pwd\nprintf '%s' \"it's $((40 + 2)) !!\"\nexit 5", timeout=20)
    assert (ran.status, ran.stdout) == (5, f"{tmp_path}\nit's 42 !!".encode())


def test_data_arrives_whole_behind_the_script(tmp_path: Path) -> None:
    data = bytes(range(256)) * 8192
    ran = SshExec(Host(tmp_path)).run("cat >file; wc -c <file", data, 30)
    assert int(ran.stdout) == len(data) and (tmp_path / "file").read_bytes() == data


def test_a_script_that_reads_nothing_of_its_data_still_answers(tmp_path: Path) -> None:
    ran = SshExec(Host(tmp_path)).run("exit 3", b"x" * 3_000_000, 20)
    assert (ran.status, ran.stderr) == (3, "a complaint")


def test_a_link_that_ends_before_the_script_does_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(RunnerUnreachable, match="a complaint"):
        SshExec(Host(tmp_path)).run("kill -9 $$", timeout=20)


def test_a_script_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(RunnerUnreachable):
        SshExec(Host(tmp_path)).run("exec sleep 30 >/dev/null 2>&1 <&- & wait", timeout=0.5)


@pytest.mark.parametrize("noise", ["exit 0; ", "exec false; ", "exec head -c 9000000 /dev/zero; ", "exec cat >&2; "])
def test_a_login_shell_that_runs_nothing_is_named(tmp_path: Path, noise: str) -> None:
    with pytest.raises(RunnerUnreachable, match="login shell there did not run") as caught:
        SshExec(Host(tmp_path, noise=noise)).run("echo here", timeout=20)
    assert "whose shell is no shell" in caught.value.hint
