"""Starting the runner's own programs at the far end, whatever its login shell says first."""

from __future__ import annotations

import itertools
import mmap
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mldesk.core.errors import BadInput, RunnerUnreachable
from mldesk.runners import answers
from mldesk.runners.ssh.errors import NotInstalled, Refused
from mldesk.runners.ssh.stream import ByteStream, Connection, LinkStream, closing_after
from mldesk.wire import bulk
from mldesk.wire.banner import new_word, read_banner
from mldesk.wire.link_client import Link
from mldesk.wire.link_protocol import LockedConnection
from mldesk.wire.protocol import shared_version

BANNER_SECONDS = 60.0      # logging in to a busy machine, starting Python there, and the agent
RPYC_MAJOR = "6"           # its major versions do not understand one another
_ABSENT = (126, 127)       # exit codes of a shell that finds no such program
_names = itertools.count(1)

Program = Literal["bridge", "receive", "send"]


@dataclass(frozen=True, slots=True)
class Installed:
    """How the runner is started at the far end."""

    command: str              # shell words that run ``runner_agent``: "~/.local/…/python -m runner_agent"
    place: str = ""           # the runner's folder there; empty for its default

    def line(self, program: Program, word: str) -> str:
        """Return the command for an exec channel: any login shell hands it on to sh unread."""
        place = f" --place {shlex.quote(self.place)}" if self.place else ""
        return f"exec sh -c {shlex.quote(f'exec {self.command} {program} --word {word}{place}')}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A program that has said its banner."""

    stream: ByteStream
    facts: Mapping[str, Any]
    first: bytes              # what it said after the banner and was read with it


def open_program(connection: Connection, installed: Installed, program: Program) -> Opened:
    """Start a program and read its banner. Raises RunnerUnreachable and its kinds; NotInstalled if it is not there."""
    word = new_word()
    stream = connection.open_exec(installed.line(program, word))
    try:
        try:
            with closing_after(stream, BANNER_SECONDS):
                facts, first, _noise = read_banner(word, stream.read)
        except (BadInput, OSError) as error:
            raise _silent(connection, stream, str(error)) from error
        _check(facts)
    except BaseException:
        stream.release()
        raise
    return Opened(stream, facts, first)


def open_link(connection: Connection, installed: Installed) -> tuple[Link, Mapping[str, Any]]:
    """Reach the agent; return the link, and what its machine says of itself. Raises as ``open_program``."""
    opened = open_program(connection, installed, "bridge")
    locked = LockedConnection(LinkStream(opened.stream, opened.first))
    locked.start(f"mldesk-ssh-link-{next(_names)}")
    return Link(locked), opened.facts


def _check(facts: Mapping[str, Any]) -> None:
    """Raise what the far end gave as its reason, or Refused if the two cannot talk."""
    error = facts.get("error")
    if isinstance(error, dict):
        message = answers.plain(error.get("message")) or "The runner gives no reason."
        raise RunnerUnreachable(message, hint=answers.plain(error.get("hint")))
    theirs = answers.plain(facts.get("rpyc"))
    if theirs.split(".")[0] != RPYC_MAJOR or facts.get("bulk") != bulk.VERSION:
        raise Refused("The runner there is of another generation than this MLDesk.", hint="Upgrade the runner.")
    try:
        shared_version(facts.get("protocol"))
    except BadInput as error:
        raise Refused(str(error), hint=error.hint) from error


def _silent(connection: Connection, stream: ByteStream, noise: str) -> RunnerUnreachable:
    """Say why a program ended, or was given up, before its banner."""
    code = stream.wait(2.0)
    explained = connection.explain(stream)
    if explained is not None:
        return explained
    said = (stream.complaint or noise).strip()
    last = said.splitlines()[-1][:300] if said else "it said nothing"
    if code in _ABSENT or "No module named" in said or "No such file or directory" in said:
        return NotInstalled(f"No runner is installed there: {last}", hint="Add the runner again, which installs it.")
    if code is None:
        return RunnerUnreachable(f"The runner there did not begin to talk: {last}")
    return RunnerUnreachable(f"The runner there ended with code {code}: {last}")


class Reader:
    """Reads what comes after the banner: exactly so many bytes, fewer only at the end. A broken stream ends too."""

    def __init__(self, opened: Opened, largest: int = 4096) -> None:
        """``largest``: bytes that are usually asked for at most; it grows with more."""
        self._stream = opened.stream
        self._first = opened.first
        self._buffer = _aligned(largest)

    def __call__(self, count: int) -> memoryview:
        """Return the bytes, in a buffer that the next call uses again."""
        if count > len(self._buffer):
            self._buffer = _aligned(count)
        have = 0
        while have < count and (data := self._next(count - have)):
            self._buffer[have:have + len(data)] = data
            have += len(data)
        return self._buffer[:have]

    def _next(self, most: int) -> bytes:
        if self._first:
            data, self._first = self._first[:most], self._first[most:]
            return data
        try:
            return self._stream.read(most)
        except OSError:
            return b""


def _aligned(size: int) -> memoryview:
    """Return a buffer that begins with a page, as writing past the system's memory wants it."""
    return memoryview(mmap.mmap(-1, size))
