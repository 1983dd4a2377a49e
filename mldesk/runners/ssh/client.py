"""A runner on another machine, as the library and the faces see every runner."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mldesk.core.clock import Clock, SystemClock
from mldesk.core.errors import LibraryDamaged, RunnerUnreachable
from mldesk.runners import answers
from mldesk.runners.calls import Calls
from mldesk.runners.ssh.config import Target
from mldesk.runners.ssh.connecting import open_connection
from mldesk.runners.ssh.credentials import Credentials, NoCredentials
from mldesk.runners.ssh.download import MAX_FETCH, take_files, take_object
from mldesk.runners.ssh.errors import Refused, UnknownHost
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.lifeline import Lifeline, LinkState
from mldesk.runners.ssh.programs import Installed
from mldesk.runners.ssh.session import SshSession
from mldesk.runners.ssh.transfer import Cut, Progress, Steady
from mldesk.runners.ssh.upload import bring
from mldesk.wire.link_client import LinkLost, RemoteError
from mldesk.wire.link_protocol import BUSY
from mldesk.wire.manifest import CHUNK, MARK
from mldesk.wire.objects import ObjectStore
from mldesk.wire.protocol import METHODS

PERSISTENCE = 20.0         # seconds over which a call is repeated while there is no link
CONNECTING = 150.0         # seconds a person who asked for a connection waits for it
TRANSFER_PATIENCE = 60.0   # seconds without any progress after which a transfer is given up
_HAVE = 10_000             # digests of one question
_PAUSE = 0.2
log = logging.getLogger("mldesk.ssh")
Result = TypeVar("Result")
OnTransfer = Callable[[str, int, int], None]  # "up" or "down", bytes moved, bytes in all; in the caller's thread


class SshRunner(Calls):
    """The RunnerClient of one machine over SSH. Nothing is dialled before something is asked.

    Every call is repeated over new links while the old one is gone, so a short cut is not noticed; after PERSISTENCE
    seconds without a link RunnerUnreachable says why, and the jobs go on over there.
    """

    def __init__(self, name: str, target: str, store: ObjectStore, known: KnownHosts, *, installed: Installed,
                 credentials: Credentials | None = None, ssh_folder: Path | None = None, clock: Clock | None = None,
                 on_transfer: OnTransfer | None = None) -> None:
        """``store``: where inputs come from; ``ssh_folder`` stands in for ~/.ssh. Raises BadInput for a bad target."""
        self.name = name
        self._target, self._store, self._known, self._installed = Target.parse(target), store, known, installed
        self._credentials = credentials or NoCredentials()
        self._ssh_folder, self._on_transfer = ssh_folder, on_transfer
        self._clock = clock or SystemClock()
        self._moving = threading.Lock()  # one transfer at a time: two of the same data would send it twice
        self._line: Lifeline[SshSession] = Lifeline(self._open, self._clock, name)

    # --- what every runner can do and is not in Calls

    def fetch(self, digest: str, store: ObjectStore) -> None:
        if not store.has(digest):
            self._fetch_object(digest, store)
        with open(store.path(digest), "rb") as file:
            if file.read(len(MARK)) != MARK:
                return
        try:
            if not store.missing(digest):
                return
        except LibraryDamaged:  # it only looks like a manifest
            return
        self._transfer("down", lambda session, moved: take_files(session.open("send"), digest, store, moved))

    def close(self) -> None:
        self._line.close()

    # --- for the faces

    @property
    def link(self) -> LinkState:
        """How the connection stands now: connected, or out of reach since when and why. Asks nobody."""
        return self._line.state

    def connect(self) -> Mapping[str, Any]:
        """Connect now, whatever happened before, and return ``hello``.

        Raises UnknownHost (ask, then ``accept``), HostKeyChanged, HostKeyRevoked, LoginRefused, NotInstalled,
        RunnerUnreachable.
        """
        self._line.nudge()
        self._line.session(CONNECTING)
        return self.hello()

    def accept(self, error: UnknownHost) -> None:
        """Trust the key that a host showed on first contact, because a person said so."""
        self._known.pin(error.host, error.port, error.key)
        self._line.nudge()

    def reconnect_soon(self) -> None:
        """Try again at once: the network came back, or this machine woke."""
        self._line.nudge()

    def bring(self, manifest: str, progress: Progress | None = None) -> int:
        """Bring a manifest of our store with all its files to the runner; return the bytes that had to go.

        ``progress`` hears of the bytes moved and the bytes to move, in this thread, beside ``on_transfer``. Raises
        ObjectMissing, LibraryDamaged, DiskFull, RunnerUnreachable.
        """
        def move(session: SshSession, moved: Progress) -> int:
            return bring(session.open("receive"), manifest, self._store, self._have, moved,
                         lambda size: session.open_more("receive", size))

        with self._moving:
            return self._transfer("up", move, progress)

    def stop_agent(self, kill_jobs: bool = False) -> None:
        """End the agent over there; its jobs go on unless ``kill_jobs``. It is started again by the next connection.

        Raises RunnerUnreachable when it cannot be asked.
        """
        session = self._line.session(PERSISTENCE)
        with contextlib.suppress(LinkLost):  # it may end before it has answered
            session.control.call("shutdown", {"kill_jobs": kill_jobs}, METHODS["shutdown"].seconds)
        self._line.lost(session, "the agent was ended from here")

    # --- calling

    def _bring(self, manifest: str) -> None:
        self.bring(manifest)

    def _exchange(self, method: str, payload: dict[str, Any], wait: float = 0.0) -> tuple[dict[str, Any], bytes]:
        """Call, and call again over the next link while there is none: every method may be repeated."""
        deadline: float | None = None  # counts from the first failure, since a long poll may have waited before it
        while True:
            left = PERSISTENCE if deadline is None else max(0.0, deadline - self._clock.monotonic())
            session = self._line.session(left)
            try:
                with session.link(poll=wait > 0) as link:
                    return link.exchange(method, payload, timeout=METHODS[method].seconds + wait)
            except Refused:
                raise
            except (RunnerUnreachable, RemoteError) as error:
                crowded = isinstance(error, RemoteError) and error.remote_code == BUSY  # many ask at once: wait a turn
                if not crowded and isinstance(error, (answers.BadAnswer, RemoteError)):
                    raise
                if not crowded:
                    self._doubt(session, str(error))
                deadline = deadline or self._clock.monotonic() + PERSISTENCE
                if self._clock.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE * random.random())  # noqa: S311 - spreads callers out, guards nothing

    def _doubt(self, session: SshSession, reason: str) -> None:
        """Something on this session did not work: give it up if it is dead; if it only seems so, its pings tell."""
        if not session.alive:
            self._line.lost(session, reason)

    def _transfer(self, way: str, move: Callable[[SshSession, Progress], Result],
                  progress: Progress | None = None) -> Result:
        """Move, and again over the next session if it was cut, as long as there is some progress."""
        progressed = self._clock.monotonic()

        def moved(done: int, total: int) -> None:
            nonlocal progressed
            progressed = self._clock.monotonic()
            if self._on_transfer is not None:
                self._on_transfer(way, done, total)
            if progress is not None:
                progress(done, total)

        steady = Steady(moved)
        while True:
            left = progressed + TRANSFER_PATIENCE - self._clock.monotonic()
            session = self._line.session(max(0.0, left))
            try:
                return move(session, steady)
            except Refused:
                raise
            except RunnerUnreachable as error:
                self._doubt(session, str(error))
                cut = isinstance(error, (Cut, LinkLost)) or not session.alive
                if not cut or self._clock.monotonic() > progressed + TRANSFER_PATIENCE:
                    raise
                log.info("%s: a transfer was cut (%s) and goes on", self.name, error)
            time.sleep(_PAUSE * random.random())  # noqa: S311 - spreads callers out, guards nothing

    def _have(self, digests: list[str]) -> set[str]:
        lacking: set[str] = set()
        for at in range(0, len(digests), _HAVE):
            asked = digests[at:at + _HAVE]
            missing = self._call("have", {"digests": asked}).get("missing")
            if not isinstance(missing, list):
                raise answers.BadAnswer
            lacking.update(set(asked) & {item for item in missing if isinstance(item, str)})
        return lacking

    def _fetch_object(self, digest: str, store: ObjectStore) -> None:
        answer, data = self._exchange("get", {"digest": digest, "offset": 0, "limit": CHUNK})
        size = answer.get("size")
        if type(size) is not int or not len(data) <= size <= MAX_FETCH:
            raise answers.BadAnswer
        if size > len(data):
            self._transfer("down", lambda session, moved: take_object(session.open("send"), digest, size, store,
                                                                              moved))
        elif hashlib.sha256(data).hexdigest() == digest:
            store.put_bytes(data)
        else:
            raise answers.BadAnswer

    # --- connecting

    def _open(self) -> SshSession:
        return SshSession(open_connection(self._target, self._known, self._credentials, self._ssh_folder),
                          self._installed)
