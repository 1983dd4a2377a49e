"""What every test is held to: no leftover threads, no leftover child processes, a home of its own."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

# Before Qt or torch are imported by any test module.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the trainer does; spinning starves on a busy machine
# A trainer that waits ready costs more than it saves where each test has a runner of its own. Tests of it ask for one.
os.environ.setdefault("MLDESK_NO_WARM", "1")

import psutil
import pytest
from hypothesis import settings

# The same cases every time: a test that fails does so for everybody. The fuzzers of tests/chaos draw new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

# Threads that libraries keep for the life of a process, by the start of their names.
_LIBRARY_THREADS = ("pytest_timeout", "ThreadPoolExecutor-joblib", "pymp-", "tqdm_monitor", "execnet", "fsspecIO",
                    "asyncio_")


def pytest_collection_finish() -> None:
    """Set aside what is loaded now, as a trainer does, so that Python's collector need not look through it any more."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Give it back: libraries count at the end what was never freed, and say so on standard error."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may touch the library of the person who runs it."""
    monkeypatch.setenv("MLDESK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture
def trains_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner of this machine trains in this process: where a test needs a model and not the way there."""
    from tests.runner_here import RunnerHere

    monkeypatch.setattr("mldesk.runners.local.LocalRunner", RunnerHere)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process running."""
    threads_before = set(threading.enumerate())
    children_before = set(psutil.Process().children(recursive=True))
    yield
    left: list[str] = []
    deadline = time.monotonic() + 5  # what was told to end may need a moment
    while True:
        threads = [t for t in threading.enumerate() if t not in threads_before and t.is_alive()
                   and not t.name.startswith(_LIBRARY_THREADS)]
        children = [p for p in psutil.Process().children(recursive=True) if p not in children_before and _alive(p)]
        left = [f"thread {t.name}" for t in threads] + [f"process {p.pid} {_command(p)}" for p in children]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    for child in children:
        child.kill()
    assert not left, f"left behind: {left}"


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:120]
    except psutil.NoSuchProcess:
        return "(gone)"
