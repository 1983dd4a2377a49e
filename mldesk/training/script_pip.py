"""pip at work for a script: what it does is said while it does it, and why it failed in a sentence."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from mldesk.core.errors import WorkFailed
from mldesk.wire.report import Report

WHEELS = "wheels"    # a script's own folder of packages, taken before any that an index has
_LIST = ".mldesk-requirements.txt"
_SAID = 600          # letters of pip's own words
_EVERY = 1.0         # seconds between two words on how far it is
_DOES = re.compile(r"(Collecting|Downloading|Building|Preparing|Installing|Using cached|Processing) (.+)")
_NO_WAY = re.compile(r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|name resolution|"
                     r"Network is unreachable|Connection refused|No route to host|ProxyError|SSLError|"
                     r"Cannot connect to proxy")
_NONE = re.compile(r"No matching distribution found for (.+)")
_OFFLINE = ("Put its wheels into a folder `wheels` beside the program (`pip download -d wheels PACKAGE` on a machine "
            "like the runner), or name an index that the runner can reach (MLDESK_PACKAGE_INDEX).")


class EnvironmentFailed(WorkFailed):
    """What a script requires cannot be had on this runner."""

    code = "env_failed"


def install(pip: Sequence[str], requirements: Sequence[str], folder: Path, report: Report,
            check: Callable[[], None]) -> None:
    """Install requirements, written as in a ``requirements.txt`` in ``folder``. Raises EnvironmentFailed."""
    listed = folder / _LIST
    listed.write_text("".join(f"{line}\n" for line in requirements), "utf-8")
    command = [*pip, "install", "--disable-pip-version-check", "--no-input", "--retries", "2", "-r", str(listed)]
    first, *others = os.environ.get("MLDESK_PACKAGE_INDEX", "").split() or [""]
    index = {"PIP_INDEX_URL": first, "PIP_EXTRA_INDEX_URL": " ".join(others)} if first else {}
    teller = _Teller(report)
    try:
        if (folder / WHEELS).is_dir():
            command += ["--find-links", WHEELS]
            code, _ = _ran([*command, "--no-index"], check, teller.hear, index, folder)
            if not code:
                return
        code, said = _ran(command, check, teller.hear, index, folder)
        if code:
            raise _failure(said, requirements)
    finally:
        listed.unlink(missing_ok=True)


def ran(command: Sequence[str], check: Callable[[], None]) -> None:
    """Run another step of the making. Raises EnvironmentFailed with its last words."""
    code, said = _ran(command, check, lambda _: None)
    if code:
        raise EnvironmentFailed(f"The environment of the script could not be made: {_last(said)}.")


class _Teller:
    """Says what pip does, not more than once a second."""

    def __init__(self, report: Report) -> None:
        self._report, self._next = report, 0.0

    def hear(self, line: str) -> None:
        if (found := _DOES.fullmatch(line.strip())) and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            what = found[2].partition(" (from ")[0]
            what = what if ": " in what else what.rsplit("/", 1)[-1]   # of a file its name
            self._report.stage(f"Preparing the environment: {found[1]} {what if len(what) < 80 else what[:79] + '…'}")


def _ran(command: Sequence[str], check: Callable[[], None], hear: Callable[[str], None],
         more: Mapping[str, str] | None = None, folder: Path | None = None) -> tuple[int, str]:
    """Run a command; each line goes to the job's log as it comes. Returns the exit code and all that it said."""
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          cwd=folder, env={**os.environ, "PYTHONUNBUFFERED": "1", **(more or {})}) as child:
        try:
            for line in _lines(child, check):
                said.append(line)
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
                hear(line)
        except BaseException:
            child.kill()
            raise
    return child.returncode, "\n".join(said)


def _lines(child: subprocess.Popen[bytes], check: Callable[[], None]) -> Iterator[str]:
    """Yield what a child says line by line until it ends, looking all the while whether the job has to go."""
    assert child.stdout is not None  # noqa: S101 - for the type checker: it was asked for
    os.set_blocking(child.stdout.fileno(), False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            ended = child.poll() is not None   # first this: what was said before the end is there then
            check()
            if not ended:
                selector.select(0.2)
            piece = child.stdout.read() or b""
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
            if ended:
                break
            if not piece:
                time.sleep(0.01)   # it closed its output, and the selector is ready for ever
    if rest:
        yield rest.decode("utf-8", "replace")


def _failure(said: str, requirements: Sequence[str]) -> EnvironmentFailed:
    wanted = ", ".join(requirements)[:200]
    if _NO_WAY.search(said):
        return EnvironmentFailed(f"The environment of the script could not be made: the runner reaches no package "
                                 f"index from which to take {wanted}.", hint=_OFFLINE)
    if missing := _NONE.search(said):
        return EnvironmentFailed(f"The environment of the script could not be made: there is no package "
                                 f"{missing[1].strip()!r:.120} for this Python.",
                                 hint="Look at its name and version among the requirements of the script.")
    return EnvironmentFailed(f"The environment of the script could not be made: {_last(said)}.",
                             hint="Look at the requirements in mldesk.toml; the run's log has all that pip said.")


def _last(said: str) -> str:
    """Return the errors that pip names, or else its last words."""
    errors = " ".join(line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.startswith("ERROR:"))
    return (errors[:_SAID] or " ".join(said.split())[-_SAID:] or "no reason was given").rstrip(".")
