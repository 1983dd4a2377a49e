"""Another machine for the commands: a real sshd on loopback with a user of its own, and a desk that reaches it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from mldesk.cli.main import run
from tests.runners.ssh.box import REPOSITORY, Account, Sshd, make_key

PATIENCE = 60.0
# The fake trainer of the agent's tests, told by a file beside it how many steps to take: a table's job cannot say so.
TRAINER = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, {str(REPOSITORY / "tests/runner_agent")!r})
import fake_trainer
work = fake_trainer.work
fake_trainer.work = lambda folder, attempt, _: work(
    folder, attempt, json.loads(Path(__file__).with_name("steps.json").read_text()))
fake_trainer.main()
"""


class FarBox:
    """The other machine: bare but for the trainer that stands in for the real one."""

    def __init__(self) -> None:
        self.account = Account()
        self.sshd = Sshd(self.account.folder / "sshd", self.account, "PasswordAuthentication yes")
        self.address = f"{self.account.name}@127.0.0.1:{self.sshd.port}"
        self.trainer = self.account.folder / "trainer.py"
        self.trainer.write_text(TRAINER)
        self.steps(3)

    @property
    def command(self) -> str:
        """How the stand-in is run, as the box's ``~/.mldesk/trainer`` and MLDESK_TRAINER say it."""
        return json.dumps(["/usr/bin/python3", str(self.trainer)])

    @property
    def fingerprints(self) -> set[str]:
        return {key.fingerprint for key in self.sshd.keys.values()}

    def steps(self, count: int, delay: float = 0.0) -> None:
        """Let every job that starts from now on take so many steps, with a checkpoint after each."""
        path = self.trainer.with_name("steps.json")
        path.write_text(json.dumps({"steps": count, "delay": delay, "checkpoints": True}))

    def can_train(self) -> None:
        """What the training part of an installation leaves there; the agent begins again, and finds it."""
        path = self.account.home / ".mldesk" / "trainer"
        path.write_text(self.command)
        self.account.give(path)
        self.run("$HOME/.mldesk/current/bin/mldesk-agent stop")

    def run(self, line: str) -> None:
        """Run a line of shell there, as that user."""
        subprocess.run(["runuser", "-u", self.account.name, "--", "sh", "-c", line], check=True, capture_output=True,
                       env={"HOME": str(self.account.home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, cwd="/")

    def left(self) -> list[str]:
        """What there is in the home of the box's user."""
        return sorted(str(path.relative_to(self.account.home)) for path in self.account.home.rglob("*"))

    def processes(self) -> list[psutil.Process]:
        """Everything that was started from what was installed there."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                words = " ".join(process.cmdline())
                if str(self.account.home) in words or (str(self.trainer) in words and process.username() ==
                                                       self.account.name):
                    found.append(process)
        return found

    def close(self) -> None:
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.sshd.stop()
        until(lambda: not self.processes())
        self.account.close()


class Desk:
    """One library and one ``~/.ssh``; commands run in this process, which is much faster."""

    def __init__(self, folder: Path, box: FarBox) -> None:
        self.home, self.user = folder / "library", folder / "user"
        (self.user / ".ssh").mkdir(mode=0o700, parents=True)
        make_key(self.user / ".ssh" / "id_ed25519", "ed25519")
        box.sshd.allow(self.user / ".ssh" / "id_ed25519.pub")

    def __call__(self, *words: str | Path) -> Any:
        """Return the JSON document of a command that must succeed."""
        code, out = self.tries(*words)
        assert code == 0, (words, out)
        return json.loads(out)

    def tries(self, *words: str | Path) -> tuple[int, str]:
        """Return the exit code of a command with --json, and what it printed."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*map(str, words), "--json", "--home", str(self.home)], open_window=lambda home, gallery: 1)
        assert "Traceback" not in err.getvalue()
        return code, out.getvalue()

    def refuses(self, *words: str | Path) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the one document of a command that must fail."""
        code, out = self.tries(*words)
        assert code != 0, out
        document = json.loads(out)
        assert {"code", "message", "hint"} <= set(document["error"])
        return code, document

    def events(self, run: str) -> list[dict[str, Any]]:
        """Return every event that the library holds of a run."""
        return [json.loads(line) for line in self.tries("runs", "events", run)[1].splitlines()]


def until(true: Callable[[], bool]) -> None:
    """Wait for something that will come."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def usable() -> bool:
    """Say whether this machine can play the box: root, sshd, and a system's Python the agent runs on."""
    python = "/usr/bin/python3"
    good = "import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))"
    return os.getuid() == 0 and Path("/usr/sbin/sshd").exists() and Path(python).exists() and not subprocess.run(
        [python, "-c", good], check=False, capture_output=True).returncode
