"""The box's disk fills up under a job: its end is still written down there, with the reason, and reaches the library.

On a small disk of its own where the system lets one be mounted, and everywhere with writes that fail within the far
processes themselves (far_side/sitecustomize.py).
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import Cause, JobState
from mldesk.workbench.following import Follower
from mldesk.workbench.runners import RunnerService
from tests.runner_agent.bench import dense
from tests.runners.ssh.box import Account, Box, Person, Sshd

SIZE = 24 * 2**20  # bytes of the small disk
Fill = Callable[[], None]


def mounted(box: Box) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0777", "tmpfs", box.place], check=False,
                          capture_output=True)
    return done.returncode == 0


@pytest.fixture(params=["small disk", "failing writes"])
def full(request: pytest.FixtureRequest, account: Account) -> Iterator[tuple[Box, Fill]]:
    """Give a box, and what fills its disk."""
    box = Box(account, f"full-{request.param[:5]}", MLDESK_TEST_FULL="{place}/full")
    small = request.param == "small disk" and mounted(box)
    if small:
        account.give(box.place)

    def fill() -> None:
        if not small:
            (box.place / "full").touch()
            return
        for size in (65536, 1):
            with contextlib.suppress(OSError), open(box.place / "filler", "ab", buffering=0) as file:
                while file.write(b"\0" * size):
                    pass
    yield box, fill
    for name in ("full", "filler"):
        (box.place / name).unlink(missing_ok=True)
    box.close()
    if small:
        subprocess.run(["umount", "-l", box.place], check=True)   # a process that is told to end may hold it a moment


def test_a_job_whose_disk_fills_up_says_so_in_the_library(
        full: tuple[Box, Fill], person: Person, sshd: Sshd, tmp_path: Path) -> None:
    box, fill = full
    person.pin(sshd)
    runner = box.runner(person, sshd.port)
    with Library.open(Home(tmp_path / "home")) as library:
        library.runners.add("box", "ssh", "user@box")
        follower = Follower(library, RunnerService(library, lambda _: runner, SystemClock()))
        run = library.runs.add(JobSpec(new_id(), "train", "a job", (), {
            "steps": 2000, "delay": 0.02, "checkpoints": True, "print": "x" * 100}), "box").id
        try:
            while library.runs.get(run).last_seq < 8:
                follower.pump(run, 1.0)
            fill()
            while not library.runs.get(run).state.ended:
                follower.pump(run, 5.0)
            found = library.runs.get(run)
            assert (found.state, found.cause) == (JobState.INTERRUPTED, Cause.DISK_FULL)
            assert "disk" in found.message.lower()
            assert dense(library.runs.events(run))
        finally:
            runner.close()
