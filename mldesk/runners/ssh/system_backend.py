"""SSH by the system's own ``ssh``, one process per program at the far end, over pipes.

For what paramiko cannot do: Include and Match, ProxyCommand, Kerberos, security keys, certificates of hosts and users.
The same keys are trusted as in the other backend, since ssh is given the same files; it never asks anybody anything.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.ssh.config import Target
from mldesk.runners.ssh.errors import LoginRefused, NoRoute, Refused, SshMissing
from mldesk.runners.ssh.host_keys import HostKey
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.stream import ByteStream, StreamEnded, Tail
from mldesk.runners.ssh.system_jumps import jumps_of, through

DIAL_SECONDS = 10
_FAILED = 255              # exit code of ssh itself
_NO_ROUTE = re.compile(r"Connection refused|Connection timed out|No route to host|Network is unreachable|"
                       r"Could not resolve hostname|Operation timed out|Host is down|Connection reset", re.IGNORECASE)
_BAD_KEY = re.compile(r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|host key is known",
                      re.IGNORECASE)


class SystemConnection:
    """One host, reached by an ssh process per stream. Nothing is opened before the first."""

    channels_are_cheap = False
    round_trip = 0.0  # of no use here: ssh has its own window

    def __init__(self, target: Target, known: KnownHosts, config: Path | None = None) -> None:
        """``config`` stands in for ~/.ssh/config. Raises SshMissing."""
        self._program = shutil.which("ssh")
        if self._program is None:
            raise SshMissing("The settings of this host need the program ssh, which is not on this machine.",
                             hint="Install OpenSSH's client.")
        self._target, self._known = target, known
        self._config = ["-F", str(config)] if config is not None else []
        self._jumps: tuple[Target, ...] | None = None
        self._streams: set[ProcessStream] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def alive(self) -> bool:
        return not self._closed

    def open_exec(self, command: str, timeout: float = 20.0) -> ProcessStream:  # noqa: ARG002 - ssh has its own limit
        """Start a command at the far end. That ssh cannot get there shows as the stream's end; see ``explain``."""
        jumps = self._way()
        with self._lock:
            if self._closed:
                raise RunnerUnreachable("This connection was closed.")
            stream = ProcessStream([*self._line(self._target, jumps), command], self._gone)
            self._streams.add(stream)
        return stream

    def explain(self, stream: ByteStream) -> RunnerUnreachable | None:
        """Say why ssh itself failed; None if it did not, and the far program is what ended."""
        if stream.wait(2.0) != _FAILED:
            return None
        said = stream.complaint
        last = said.splitlines()[-1] if said else "it said nothing"
        if _BAD_KEY.search(said):
            return self._about_the_key() or RunnerUnreachable(
                f"ssh does not trust {self._target}: {last}", hint=f"Look at `ssh {self._target}` in a terminal.")
        if "ermission denied" in said or "Too many authentication failures" in said:
            return LoginRefused(f"{self._target} did not let us in: {last}",
                                hint=f"Make `ssh {self._target}` work in a terminal without questions, with an agent.")
        if _NO_ROUTE.search(said):
            return NoRoute(f"{self._target} cannot be reached: {last}", hint="Is the machine on, and the network?")
        return RunnerUnreachable(f"ssh could not reach {self._target}: {last}")

    def address(self, target: Target | None = None) -> tuple[str, int]:
        """Return the host and port that ssh makes of the target, or of a jump. Raises RunnerUnreachable."""
        facts = self._facts(target := target or self._target)
        name = facts.get("hostkeyalias") or facts.get("hostname", target.host)
        port = 22 if facts.get("hostkeyalias") else int(facts.get("port", "22"))
        return name, port

    def close(self) -> None:
        """End every ssh process. A second call does nothing."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    # --- inside

    def _gone(self, stream: ProcessStream) -> None:
        with self._lock:
            self._streams.discard(stream)

    def _facts(self, target: Target) -> dict[str, str]:
        done = self._ask([*self._first(), "-G", *_place(target)])
        return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)

    def _way(self) -> tuple[Target, ...]:
        """Return the jump hosts, looked up once. Raises BadInput, RunnerUnreachable."""
        if self._jumps is None:
            self._jumps = jumps_of(self._target, self._facts) if os.name != "nt" else ()  # no shell of POSIX there
        return self._jumps

    def _line(self, target: Target, jumps: Sequence[Target] = ()) -> list[str]:
        """Return what reaches a host, but for the command there."""
        files = " ".join(f'"{path}"' for path in self._known.files).replace("%", "%%")
        settings = _settings(StrictHostKeyChecking="yes", UserKnownHostsFile=files, ServerAliveInterval="5",
                             ServerAliveCountMax="3", ControlMaster="no", ClearAllForwardings="yes",
                             PermitLocalCommand="no", LogLevel="ERROR", RemoteCommand="none")
        return [*self._first(), *through(jumps, self._line), "-T", "-x", "-a", *settings, *_place(target)]

    def _first(self) -> list[str]:
        return [str(self._program), *self._config, *_settings(BatchMode="yes", ConnectTimeout=str(DIAL_SECONDS))]

    def _about_the_key(self) -> RunnerUnreachable | None:
        """Say of the first host on the way whose key is not trusted why it is not; None if that cannot be found out."""
        hops = [*self._way(), self._target]
        judged = (self._judge(hop, hops[:number]) for number, hop in enumerate(hops))
        return next((error for error in judged if error is not None), None)

    def _judge(self, target: Target, jumps: Sequence[Target]) -> RunnerUnreachable | None:
        """Fetch the key that the host shows, saying nothing to it but our name, and judge it as the other backend."""
        host, port = self.address(target)
        with tempfile.TemporaryDirectory(prefix="mldesk-ssh-") as folder:
            seen = Path(folder) / "seen"
            settings = _settings(StrictHostKeyChecking="accept-new", UserKnownHostsFile=f'"{seen}"',
                                 GlobalKnownHostsFile="/dev/null", HashKnownHosts="no", ControlPath="none",
                                 PreferredAuthentications="none", UpdateHostKeys="no", RemoteCommand="none")
            self._ask([*self._first(), *through(jumps, self._line), "-T", *settings, *_place(target), "true"])
            words = seen.read_text("utf-8", "replace").split() if seen.exists() else []
        if len(words) < 3:
            return None
        try:
            self._known.check(host, port, HostKey.from_base64(words[1], words[2]))
        except Refused as error:
            return error
        except ValueError:
            return None
        return None

    def _ask(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  timeout=3 * DIAL_SECONDS, check=False, env=_environment(), start_new_session=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise RunnerUnreachable(f"ssh on this machine does not work: {error}") from error


class ProcessStream:
    """The ByteStream of one ssh process. ssh gives up by itself when the host is silent for 15 seconds."""

    def __init__(self, command: list[str], gone: Callable[[ProcessStream], None]) -> None:
        """``gone`` is called with this once it is released. Raises RunnerUnreachable."""
        self._gone = gone
        try:
            # A session of its own: no terminal it could ask on, and no Ctrl+C meant for us.
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                             stderr=subprocess.PIPE, start_new_session=True, env=_environment())
        except OSError as error:
            raise RunnerUnreachable(f"ssh on this machine cannot be started: {error}") from error
        assert self._process.stdin and self._process.stdout and self._process.stderr  # noqa: S101 - for mypy
        self._in, self._out, self._err = self._process.stdin, self._process.stdout, self._process.stderr
        self._writing = threading.Lock()
        self._tail = Tail()
        self._drain = threading.Thread(target=self._drain_errors, name="mldesk-ssh-stderr", daemon=True)
        self._drain.start()

    def read(self, most: int) -> bytes:
        return os.read(self._out.fileno(), most)

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        try:
            with self._writing:
                while view:
                    view = view[os.write(self._in.fileno(), view):]
        except (OSError, ValueError) as error:  # ValueError: finished already
            raise StreamEnded(self.complaint or "ssh has ended") from error

    def finish(self) -> None:
        with self._writing, contextlib.suppress(OSError):
            self._in.close()

    def close(self) -> None:
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)

    def release(self) -> None:
        self.close()
        if self.wait(5.0) is None:
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            self._process.wait()
        self._drain.join(5.0)
        self.finish()
        self._out.close()
        self._err.close()
        self._gone(self)

    @property
    def complaint(self) -> str:
        if self._process.poll() is not None:
            self._drain.join(2.0)  # its last words may still be on their way
        return str(self._tail)

    def wait(self, seconds: float) -> int | None:
        """Return ssh's exit code, waiting for it; None if it still runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _signal(self, number: int) -> None:
        """Send it to ssh and to what it started: a ProxyCommand ends with it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:  # Windows, where this backend is untried
                self._process.terminate()

    def _drain_errors(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(self._err.fileno(), 4096):
                self._tail.add(data)


def _place(target: Target) -> list[str]:
    return [*(["-l", target.user] if target.user else []), *(["-p", str(target.port)] if target.port else []),
            "--", target.host]


def _settings(**values: str) -> list[str]:
    return [word for name, value in values.items() for word in ("-o", f"{name}={value}")]


def _environment() -> dict[str, str]:
    """Return our environment without the ways in which ssh asks a person something."""
    return {**{name: value for name, value in os.environ.items() if name != "SSH_ASKPASS"},
            "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
