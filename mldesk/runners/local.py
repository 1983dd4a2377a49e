"""The runner of this machine: an agent on a private socket, started when it is needed."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mldesk
from mldesk.core.clock import Clock, SystemClock
from mldesk.core.errors import NotFound, RunnerUnreachable
from mldesk.core.paths import Home, socket_directory
from mldesk.runners import answers
from mldesk.runners.calls import Calls
from mldesk.runners.ssh.lifeline import LinkState
from mldesk.wire.objects import ObjectStore
from mldesk.wire.protocol import METHODS, PROTOCOL, shared_version

if TYPE_CHECKING:
    from mldesk.wire.link_client import Link

SOCKET = "agent.sock"
_PERSISTENCE = 20.0        # seconds over which a call is repeated while the agent cannot be reached
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_START_SECONDS = 30.0
_END_SECONDS = 10.0        # an older agent may take to go, once it was told to
_LOG_BYTES = 5_000_000     # agent.log is put aside above this
log = logging.getLogger("mldesk.runners")


class LocalRunner(Calls):
    """The RunnerClient of this machine. Its agent uses the library's own object store, so nothing is copied.

    An agent that was killed is started again by the next call, which goes on as if nothing had happened.
    """

    name = "local"

    def __init__(self, home: Home, clock: Clock | None = None, agent_options: Sequence[str] = ()) -> None:
        """``agent_options`` go to an agent that is started from here; see ``python -m runner_agent serve --help``."""
        self._home = home
        self._agent_options = agent_options
        self._clock = clock or SystemClock()
        self._socket = socket_directory(home.runner) / SOCKET
        self._store = ObjectStore(home.objects)
        self._link: Link | None = None
        self._state = LinkState(True, 0.0)
        self._renewed = False    # whether an older agent was replaced already
        self._connecting = threading.Lock()  # one thread connects, the others wait for what it gets
        self._closed = False

    @property
    def link(self) -> LinkState:
        """Connected, as the agent is started when it is needed; else since when and why not. Asks nobody."""
        return self._state

    def fetch(self, digest: str, store: ObjectStore) -> None:
        """Nothing travels: the runner shares the library's store. Raises NotFound if the object is in neither."""
        if store.root == self._store.root:
            store.path(digest)
            return
        raise NotFound("The runner of this machine keeps its objects in its own library only.",
                       hint=f"That library is {self._home.root}.")

    def close(self) -> None:
        with self._connecting:
            self._closed = True
            self._drop(self._link)

    # --- for "doctor", tests, and to uninstall

    def describe(self) -> str:
        """Say in a sentence whether the agent runs, without starting it. Raises RunnerUnreachable if it is deaf."""
        from mldesk.wire.link_client import connect
        if self._lock_is_free():
            return "No agent runs on this machine; one is started when it is needed."
        link = connect(self._socket)
        try:
            seconds = link.ping()
            build = answers.plain(link.call("hello", {"protocol": list(PROTOCOL), "build": mldesk.__version__},
                                            METHODS["hello"].seconds).get("agent"))
        finally:
            link.close()
        return f"The agent of this machine (build {build}) answers in {seconds * 1000:.1f} ms."

    def stop_agent(self, kill_jobs: bool = False) -> None:
        """End the agent, if one runs; its jobs go on unless ``kill_jobs``. Returns when it is gone."""
        from mldesk.wire.link_client import LinkLost, connect
        try:
            link = connect(self._socket)
        except RunnerUnreachable:
            return
        try:
            link.call("shutdown", {"kill_jobs": kill_jobs}, METHODS["shutdown"].seconds)
        except LinkLost as error:
            log.info("the agent ended before it answered: %s", error)
        finally:
            link.close()
        deadline = self._clock.monotonic() + _START_SECONDS
        while self._socket.exists() or not self._lock_is_free():
            if self._clock.monotonic() > deadline:
                raise RunnerUnreachable("The runner on this machine does not end.", hint="Its log is agent.log.")
            time.sleep(0.02)

    # --- calling

    def _bring(self, manifest: str) -> None:
        """Nothing travels: the runner shares our store, and says itself what is not in it."""

    def _exchange(self, method: str, payload: dict[str, Any], wait: float = 0.0) -> tuple[dict[str, Any], bytes]:
        """Call, and call again while the agent is away: every method may be repeated."""
        # Imported here: rpyc takes longer than all the rest of a short command.
        from mldesk.wire.link_client import LinkLost

        deadline: float | None = None  # counts from the first failure, since a long poll may have waited before it
        pause = _FIRST_PAUSE
        while True:
            link = None
            try:
                link = self._reach()
                return link.exchange(method, payload, timeout=METHODS[method].seconds + wait)
            except (LinkLost, _NotYet) as error:
                self._forget(link)
                deadline = deadline or self._clock.monotonic() + _PERSISTENCE
                if self._closed or self._clock.monotonic() > deadline:
                    self._state = LinkState(False, self._state.since if not self._state.connected
                                            else self._clock.now(), str(error))
                    raise RunnerUnreachable("The runner on this machine does not answer.",
                                            hint=f"Its log is {self._home.logs / 'agent.log'}.") from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads callers out, guards nothing
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _reach(self) -> Link:
        """Return a live link, connecting and starting the agent if need be. Raises _NotYet, RunnerUnreachable."""
        from mldesk.wire.link_client import connect
        with self._connecting:
            if self._closed:
                raise RunnerUnreachable("This connection to the runner was closed.")
            if self._link is not None and not self._link.closed:
                return self._link
            try:
                link = connect(self._socket)
            except RunnerUnreachable:
                self._start_agent()
                try:
                    link = connect(self._socket)
                except RunnerUnreachable as error:
                    raise _NotYet(str(error)) from error
            try:
                answer = link.call("hello", {"protocol": list(self._protocol), "build": mldesk.__version__},
                                   METHODS["hello"].seconds)
                self._shared = shared_version(answer.get("protocol"), self._protocol)
            except BaseException:
                link.close()
                raise
            if self._shared < self._protocol[1] and not self._renewed:
                self._replace(link)
            self._link, self._state = link, LinkState(True, self._clock.now())
            return link

    def _replace(self, link: Link) -> None:
        """End an agent that an older MLDesk started; the next one is ours, and adopts its jobs. Raises _NotYet."""
        self._renewed = True
        log.info("the agent is of an older MLDesk and is replaced; its jobs go on")
        listening = self._listening()
        try:
            link.call("shutdown", {}, METHODS["shutdown"].seconds)
        finally:
            link.close()
        deadline = self._clock.monotonic() + _END_SECONDS
        while self._listening() == listening and self._clock.monotonic() < deadline:
            time.sleep(_FIRST_PAUSE)
        raise _NotYet("the agent is being replaced by a newer one")

    def _listening(self) -> int:
        """Return which socket there is; 0 for none."""
        try:
            return self._socket.stat().st_ino
        except FileNotFoundError:
            return 0

    def _forget(self, link: Link | None) -> None:
        with self._connecting:
            if link is not None and link is self._link:
                self._drop(link)

    def _drop(self, link: Link | None) -> None:
        if link is not None:
            link.close()
        self._link = None

    # --- starting the agent

    def _start_agent(self) -> None:
        """Start it, detached from us in every way; returns when it listens, or another one has the runner's lock."""
        self._home.make()
        path = self._home.logs / "agent.log"
        _put_aside(path)
        command = [sys.executable, "-m", "runner_agent", "serve", "--root", str(self._home.runner),
                   "--objects", str(self._home.objects), "--log", str(path), *self._agent_options]
        with open(path, "ab") as output:
            if os.name == "nt":  # untried; no fork there, so the agent cannot tell when it listens
                flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
                subprocess.Popen(command, cwd=self._home.root, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                 creationflags=flags)
                return
            try:
                code = subprocess.run([*command, "--daemon"], cwd=self._home.root, stdin=subprocess.DEVNULL,
                                      stdout=output, stderr=output, timeout=_START_SECONDS, start_new_session=True,
                                      check=False).returncode
            except subprocess.TimeoutExpired as error:
                raise _NotYet("the agent takes long to start") from error
        if code < 0 or code > _BY_SIGNAL:
            raise _NotYet("the agent was killed while it started")
        if code not in (0, _HAS_ONE):
            raise RunnerUnreachable(f"The runner on this machine cannot be started (code {code}).",
                                    hint=f"Its log says why: {path}.")

    def _lock_is_free(self) -> bool:
        from mldesk.core import filelock
        try:
            handle = os.open(self._home.runner / "agent.lock", os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            return filelock.acquire(handle, wait=False)
        finally:
            os.close(handle)


class _NotYet(RunnerUnreachable):
    """It is on its way up or down; worth another try."""


_BY_SIGNAL = 128
_HAS_ONE = 3               # exit code of an agent that found another one in its place


def _put_aside(path: Path) -> None:
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
