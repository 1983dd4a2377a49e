"""One connection to a runner: a control link, further links for long polls, and bulk channels beside them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.ssh.programs import Installed, Opened, Program, open_link, open_program
from mldesk.runners.ssh.stream import Connection
from mldesk.wire.link_client import Link, LinkLost

POLLS = 24                 # long polls of one link, which may have 32 calls open
POLL_PATIENCE = 10.0       # seconds a link for polls may take to answer a ping
POLL_LINKS = 3             # sshd allows ten sessions on a connection; bulk and control want some of them
_WORTH = 32 * 1024 * 1024  # bytes for which another bulk channel is worth its start
_LANES = ((0.005, 1), (0.02, 2), (float("inf"), 4))  # round trips up to so many seconds, and channels that fill them


@dataclass(slots=True)
class _PollLink:
    link: Link
    busy: int = 0
    pinged: bool = False       # whether a ping is under way


class SshSession:
    """A live way to one agent. Any thread may use it; when it breaks, it is thrown away whole."""

    def __init__(self, connection: Connection, installed: Installed) -> None:
        """Reach the agent. Raises RunnerUnreachable and its kinds, with the connection closed."""
        self._connection, self._installed = connection, installed
        self._lock = threading.Lock()
        self._polls: list[_PollLink] = []
        try:
            self.control, self.facts = open_link(connection, installed)
        except BaseException:
            connection.close()
            raise

    facts: Mapping[str, Any]  # what the banner said

    @property
    def alive(self) -> bool:
        return self._connection.alive and not self.control.closed

    def ping(self, seconds: float) -> float:
        """Ping the control link, and beside it the others, so that the far ends see we are there."""
        with self._lock:
            polls = [poll for poll in self._polls if not poll.pinged]
            for poll in polls:
                poll.pinged = True
        for poll in polls:
            threading.Thread(target=self._ping_poll, args=(poll,), name="mldesk-ping", daemon=True).start()
        return self.control.ping(seconds)

    def _ping_poll(self, poll: _PollLink) -> None:
        """Ping a link for polls, and let it go if it is dead: what waits on it goes on over another."""
        try:
            poll.link.ping(POLL_PATIENCE)
        except LinkLost:
            poll.link.close()
        finally:
            poll.pinged = False

    @contextlib.contextmanager
    def link(self, *, poll: bool) -> Iterator[Link]:
        """Lend a link for one call; long polls go over links of their own. Raises RunnerUnreachable."""
        if not poll:
            yield self.control
            return
        lent = self._lend()
        try:
            yield lent.link
        finally:
            with self._lock:
                lent.busy -= 1

    def open(self, program: Program) -> Opened:
        """Start a bulk program at the far end. Raises RunnerUnreachable."""
        self._connection.round_trip = self.control.ping(10.0)
        return open_program(self._connection, self._installed, program)

    def open_more(self, program: Program, size: int) -> list[Opened]:
        """Start further bulk programs beside one, as far as ``size`` bytes upwards are worth them on this line.

        What one channel has under way is what the host's sshd lets it, about 2 MiB a round trip.
        """
        if not self._connection.channels_are_cheap or size < 2 * _WORTH:
            return []
        trip = min(self.control.ping(10.0) for _ in range(3))
        lanes = min(next(count for most, count in _LANES if trip <= most), size // _WORTH)
        opened: list[Opened] = []
        with contextlib.suppress(RunnerUnreachable):  # a host that grants fewer sessions is served by fewer
            while len(opened) < lanes - 1:
                opened.append(self.open(program))
        return opened

    def close(self) -> None:
        """Hang up; calls under way raise LinkLost."""
        self._connection.close()  # first: a link's own end would wait for a host that is silent
        self.control.close()
        with self._lock:
            polls, self._polls = self._polls, []
        for poll in polls:
            poll.link.close()

    def _lend(self) -> _PollLink:
        with self._lock:
            self._polls = [poll for poll in self._polls if not poll.link.closed]
            least = min(self._polls, key=lambda poll: poll.busy, default=None)
            if least is None or (least.busy >= POLLS and len(self._polls) < POLL_LINKS):
                if not self.alive:
                    raise RunnerUnreachable("The link to the runner has ended.")
                least = _PollLink(open_link(self._connection, self._installed)[0])
                self._polls.append(least)
            least.busy += 1
            return least
