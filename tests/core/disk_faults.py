"""A disk that fills up, and a process that dies, at the n-th thing it does to its files, for every n.

    for outcome in every_fault(folder, lambda: store.put_bytes(b"...")):
        ...look at the folder: what was named before is whole, nothing half is named...

Counted below ``folder``: opening a file to write, each write (as it reaches the system), fsync, rename, link, mkdir.
What native code (SQLite, DuckDB, Arrow) writes by itself is not seen; ``small_files`` fails that.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core.errors import MldeskError

LASTING = frozenset({"open", "write", "mkdir", "link"})  # what a disk that is full goes on refusing


@dataclass(frozen=True)
class Outcome:
    """One run of the work with its ``number``-th operation spoiled."""

    number: int
    kind: str                      # of the operation, "" when the work needed fewer and so ran through
    error: BaseException | None    # what the work raised; None if it ended well, or died

    @property
    def spoiled(self) -> bool:
        return bool(self.kind)


class Faults:
    """Counts operations on files below ``root`` and spoils the ``number``-th."""

    def __init__(self, root: Path, number: int, *, error: int = errno.ENOSPC, lasting: bool = False,
                 die: bool = False) -> None:
        self._root = os.path.join(os.path.realpath(root), "")
        self._number, self._error, self._lasting, self._die = number, error, lasting, die
        self.count, self.kind = 0, ""

    def concerns(self, file: Any) -> bool:
        """Say whether a path or a file descriptor lies below the root."""
        if isinstance(file, int):
            try:
                path = os.readlink(f"/proc/self/fd/{file}")
            except OSError:
                return False
        else:
            path = os.path.abspath(os.fsdecode(file))
        return os.path.join(path, "").startswith(self._root) or os.path.realpath(path).startswith(self._root)

    def pass_or_fail(self, kind: str, half: Callable[[], object] | None = None) -> None:
        """Count one operation; when it is its turn, do ``half`` of it and fail or die."""
        self.count += 1
        due = self.count == self._number
        if not due and not (self.kind and self._lasting and kind in LASTING):
            return
        self.kind = self.kind or kind
        if half is not None and due:
            half()
        if self._die:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(self._error, os.strerror(self._error))


def _opener(faults: Faults, real_open: Callable[..., Any],
            real_write: Callable[[int, bytes], int]) -> Callable[..., Any]:
    class Raw(io.FileIO):
        def write(self, data: Any) -> int:
            faults.pass_or_fail("write", lambda: real_write(self.fileno(), bytes(data)[:len(bytes(data)) // 2]))
            return super().write(data)

    def fake_open(file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None,
                  errors: str | None = None, newline: str | None = None, closefd: bool = True,
                  opener: Any = None) -> Any:
        if not set(mode) & set("wax+") or isinstance(file, int) or not faults.concerns(file):
            return real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        faults.pass_or_fail("open")
        raw = Raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

    return fake_open


@contextlib.contextmanager
def spoiling(faults: Faults) -> Iterator[Faults]:
    """Let ``faults`` see and spoil what Python code does to files within the block."""
    real: dict[str, Any] = {name: getattr(os, name) for name in
                            ("write", "fsync", "replace", "rename", "link", "mkdir", "sendfile")}
    real_open = io.open

    def by_descriptor(name: str) -> Callable[..., Any]:
        def call(handle: int, *rest: Any, **named: Any) -> Any:
            if faults.concerns(handle):
                kind = "write" if name == "sendfile" else name
                half = (lambda: real["write"](handle, rest[0][:len(rest[0]) // 2])) if name == "write" else None
                faults.pass_or_fail(kind, half)
            return real[name](handle, *rest, **named)
        return call

    def by_path(name: str) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **named: Any) -> Any:
            if faults.concerns(rest[0] if name in ("replace", "rename", "link") else path):
                faults.pass_or_fail(name)
            return real[name](path, *rest, **named)
        return call

    try:
        for name in ("write", "fsync", "sendfile"):
            setattr(os, name, by_descriptor(name))
        for name in ("replace", "rename", "link", "mkdir"):
            setattr(os, name, by_path(name))
        builtins.open = io.open = _opener(faults, real_open, real["write"])
        yield faults
    finally:
        for name, function in real.items():
            setattr(os, name, function)
        builtins.open = io.open = real_open


def every_fault(root: Path, work: Callable[[], object], *, lasting: bool = True, error: int = errno.ENOSPC,
                first: int = 1) -> Iterator[Outcome]:
    """Run ``work`` with its 1st, 2nd, 3rd … operation failing, until it needs no more of them; give each outcome.

    ``lasting``: from then on the disk stays full (renames and syncs still work), else the one call fails. The last
    outcome is that of the run through. ``work`` may raise OSError or MldeskError; anything else is a failure here.
    """
    number, spoiled = first, True
    while spoiled:
        raised: BaseException | None = None
        with spoiling(Faults(root, number, error=error, lasting=lasting)) as faults:
            try:
                work()
            except (OSError, MldeskError) as caught:
                raised = caught
        spoiled = bool(faults.kind)
        yield Outcome(number, faults.kind, raised)
        number += 1


def every_death(root: Path, work: Callable[[], object]) -> Iterator[Outcome]:
    """Run ``work`` in forked processes that are killed (SIGKILL) at their 1st, 2nd, 3rd … operation, half done.

    The last outcome is that of the process that ran through.
    """
    number, killed = 1, True
    while killed:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads: ours hold no locks of the work
            child = os.fork()
        if child == 0:
            status = 1
            try:
                with spoiling(Faults(root, number, die=True)):
                    work()
                status = 0
            finally:
                os._exit(status)
        _, code = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(code)
        assert killed or code == 0, f"the work itself failed in a process of its own, with status {code}"
        yield Outcome(number, "death" if killed else "", None)
        number += 1


@contextlib.contextmanager
def small_files(size: int) -> Iterator[None]:
    """Let no file of this process grow above ``size`` bytes; native code sees EFBIG where Python would see it, too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def litter(folder: Path) -> list[Path]:
    """Return the temporary files below ``folder``."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name.endswith((".tmp", ".part"))]
