"""One way to one host, kept alive: whoever needs it waits for the same attempt, and failures are spaced out.

A lost link says nothing about the jobs behind it, so nothing here ever says "failed": there is a session, or there is
none since a time, for a reason.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mldesk.core.clock import Clock
from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.runners.ssh.errors import NoRoute, Refused

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
DIAL_PAUSE = 1.0           # the longest pause while nothing answers at all, which costs the host nothing
UNMET = 3.0                # seconds for which somebody nobody has met yet is knocked at, for one caller
DIAL_PATIENCE = 3600.0     # seconds after which even dialling is done at LONGEST_PAUSE only
STEADY = 10.0              # seconds a session must live to count as a success
PING_EVERY = 2.0           # seconds between pings
SUSPECT = 1.5              # seconds without an answer after which another way in is looked for beside
HEDGE = 8.0                # seconds after which a second attempt is made beside one that gets nowhere
SILENCE = 15.0             # seconds without an answer after which a session is given up
WAKE_JUMP = 5.0            # seconds the wall clock runs ahead of the monotonic one: the machine slept
_LOOK = 0.2                # seconds between looks at a session that is silent
_SLOW = 4.0                # times the last round trip that the next one may take, on a line that is only slow
_NAP = 1.0                 # the longest that anybody sleeps over a machine that woke meanwhile
log = logging.getLogger("mldesk.ssh")


class Session(Protocol):
    """A live connection, however it is made."""

    @property
    def alive(self) -> bool:
        """Say whether it is worth using; only an answer proves it."""
        ...

    def ping(self, seconds: float) -> float:
        """Return the seconds a round trip took. Raises RunnerUnreachable, after ``seconds`` or later."""
        ...

    def close(self) -> None:
        """End it at once, waiting for nobody."""
        ...


@dataclass(frozen=True, slots=True)
class LinkState:
    """How things stand, for people."""

    connected: bool
    since: float              # wall clock: connected, or out of reach, since then; 0 if never tried
    reason: str = ""          # why it is out of reach
    round_trip: float = 0.0   # seconds the last ping took


S = TypeVar("S", bound=Session)


class Lifeline(Generic[S]):
    """Opens sessions when they are asked for, watches over the one there is. Any thread may ask."""

    def __init__(self, open_session: Callable[[], S], clock: Clock, name: str) -> None:
        self._open, self._clock, self._name = open_session, clock, name
        self._changed = threading.Condition()
        self._session: S | None = None
        self._attempts = 0            # under way: one, or a second one where the first gets nowhere
        self._attempted = 0.0         # monotonic; when the last one began
        self._closed = False
        self._met = False             # there was a session once
        self._began = 0.0             # when the session was made
        self._failures = 0
        self._failing_since = 0.0     # monotonic; of the failures in a row
        self._not_before = 0.0        # monotonic; of the next attempt
        self._paused = self._ahead()  # how far the wall clock was ahead of the monotonic one when a pause began
        self._error: RunnerUnreachable | None = None
        self._state = LinkState(False, 0.0)
        self._silent = False          # whether the session owes an answer for long
        self._threads: list[threading.Thread] = []  # that watch over sessions, and look for others beside them

    @property
    def state(self) -> LinkState:
        return self._state

    def session(self, patience: float) -> S:
        """Return a live session, waiting up to ``patience`` seconds for one.

        Raises the reason why there is none: at once when only a person can help (Refused), and soon where nothing has
        answered yet at all: a machine that is off is no line that was cut.
        """
        began = self._clock.monotonic()
        while True:
            with self._changed:
                soon = not self._met and isinstance(self._error, NoRoute)
                found = self._await_turn(began + (min(patience, UNMET) if soon else patience))
            if found is not None:
                return found
            self._attempt()

    def lost(self, session: S, reason: str) -> None:
        """Give a session up. The next one is tried at once, if this one had lived for a while."""
        with self._changed:
            if session is not self._session:
                return
            self._session = None
            now = self._clock.monotonic()
            if now - self._began > STEADY:
                self._failures, self._not_before = 0, now
            else:
                self._pause(LONGEST_PAUSE)
            self._state = LinkState(False, self._clock.now(), reason)
            self._changed.notify_all()
        log.info("%s: the link is gone: %s", self._name, reason)
        session.close()

    def nudge(self) -> None:
        """Try again now: the network came back, the machine woke, a person pressed the button."""
        with self._changed:
            self._not_before, self._failures, self._failing_since = 0.0, 0, self._clock.monotonic()
            self._error = None
            self._changed.notify_all()

    def close(self) -> None:
        """End the session and let everybody who waits know. A second call does nothing."""
        with self._changed:
            self._closed = True
            session, self._session = self._session, None
            self._changed.notify_all()
        if session is not None:
            session.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(10.0)

    # --- inside

    def _await_turn(self, deadline: float) -> S | None:
        """Return a live session, or None when it is this caller's turn to make one. Raises RunnerUnreachable."""
        while True:
            if self._closed:
                raise RunnerUnreachable("This connection to the runner was closed.")
            if self._session is not None and self._session.alive:
                return self._session
            now = self._clock.monotonic()
            pause = self._not_before - now
            if self._may_attempt(now):
                return None
            if not self._attempts and isinstance(self._error, Refused):
                raise _again(self._error)
            if now >= deadline or (not self._attempts and now + pause > deadline):
                raise _again(self._error)
            self._changed.wait(min(_NAP, deadline - now if self._attempts else pause))
            if self._ahead() - self._paused > WAKE_JUMP:  # the pause was one for a machine that was awake
                self._not_before, self._failures, self._paused = 0.0, 0, self._ahead()

    def _may_attempt(self, now: float) -> bool:
        """Take the turn to make a session, if it is this caller's."""
        free = self._attempts == 0 or (self._attempts == 1 and now - self._attempted > HEDGE)
        if free and now >= self._not_before:
            self._attempts, self._attempted = self._attempts + 1, now
            return True
        return False

    def _attempt(self) -> None:
        """Make a session, for everybody. Raises Refused, and what is no RunnerUnreachable at all."""
        old: S | None = None
        made: S | None = None
        try:
            with self._changed:
                if self._session is not None and not self._session.alive:  # it died unnoticed
                    old, self._session = self._session, None
            if old is not None:
                old.close()
            made = self._open()
        except RunnerUnreachable as error:
            self._failed(error)
            if isinstance(error, Refused):
                raise
        finally:
            with self._changed:
                self._attempts -= 1
                if made is not None and not self._closed and self._session is None:
                    self._begin(made)
                    made = None
                self._changed.notify_all()
            if made is not None:
                made.close()

    def _begin(self, session: S) -> None:
        self._session, self._error, self._not_before, self._silent = session, None, 0.0, False
        self._met = True
        self._began = self._clock.monotonic()
        self._state = LinkState(True, self._clock.now())
        self._start(self._watch_over, session)

    def _start(self, work: Callable[[S], None], session: S) -> None:
        thread = threading.Thread(target=work, args=(session,), name=f"mldesk-watch-{self._name}", daemon=True)
        self._threads = [item for item in self._threads if item.is_alive()] + [thread]
        thread.start()

    def _ahead(self) -> float:
        return self._clock.now() - self._clock.monotonic()

    def _failed(self, error: RunnerUnreachable) -> None:
        with self._changed:
            now = self._clock.monotonic()
            cheap = isinstance(error, NoRoute) and (not self._failures or now - self._failing_since < DIAL_PATIENCE)
            self._pause(DIAL_PAUSE if cheap else LONGEST_PAUSE)
            self._error = error
            since = self._state.since if not self._state.connected and self._state.since else self._clock.now()
            self._state = LinkState(False, since, str(error))
        log.info("%s: no link yet (%d): %s", self._name, self._failures, error)

    def _pause(self, longest: float) -> None:
        """Count one more failure in a row, and let nobody try again before a pause that doubles with each."""
        now = self._clock.monotonic()
        self._failing_since = self._failing_since if self._failures else now
        ceiling = min(longest, FIRST_PAUSE * 2.0 ** min(self._failures, 10))
        self._not_before = now + random.uniform(0.0, ceiling)  # noqa: S311 - full jitter; it guards nothing
        self._failures += 1
        self._paused = self._ahead()

    # --- watching over a session

    def _watch_over(self, session: S) -> None:
        """Ping until the session is another one. While it is silent, look for another way in; then give it up."""
        silent_since: float | None = None
        while not self._wait_for(lambda: False, session, PING_EVERY if silent_since is None else _LOOK):
            ping = _Ping(session, self._changed)
            self._wait_for(ping.over.is_set, session, max(SUSPECT, _SLOW * self._state.round_trip))
            while ping.failed:
                silent_since = self._clock.monotonic() if silent_since is None else silent_since
                if not session.alive or self._clock.monotonic() - silent_since > SILENCE:
                    self.lost(session, ping.reason)
                    return
                self._look_beside(session)
                if ping.over.is_set() or self._wait_for(ping.over.is_set, session, _LOOK):
                    break
            else:
                silent_since, self._silent = None, False
                self._state = LinkState(True, self._state.since, round_trip=ping.took)

    def _wait_for(self, what: Callable[[], bool], session: S, seconds: float) -> bool:
        """Wait for something, at most so long; say whether the session is not the one any more."""
        with self._changed:
            self._changed.wait_for(lambda: what() or self._session is not session or self._closed, seconds)
            return self._session is not session or self._closed

    def _look_beside(self, session: S) -> None:
        """Try to make another session, unless somebody does or did a moment ago: lines die without a word."""
        with self._changed:
            self._silent = True
            if self._may_attempt(self._clock.monotonic()):
                self._start(self._attempt_beside, session)

    def _attempt_beside(self, silent: S) -> None:
        """Make a session, and use it if its agent answers before the silent one does."""
        made: S | None = None
        left: S | None = None
        try:
            made = self._open()
            made.ping(SILENCE)
        except MldeskError as error:
            log.info("%s: no other way in either: %s", self._name, error)
            left, made = made, None
        finally:
            with self._changed:
                self._attempts -= 1
                if made is None:
                    self._pause(DIAL_PAUSE)
                elif self._closed or (self._session is not None and not (self._session is silent and self._silent)):
                    left, self._not_before = made, self._clock.monotonic() + STEADY
                else:
                    left = self._session
                    self._begin(made)
                self._changed.notify_all()
            if left is not None:
                left.close()


class _Ping:
    """One ping, in a thread of its own: on a line that is dead even sending it may take for ever."""

    def __init__(self, session: Session, changed: threading.Condition) -> None:
        self._session, self._changed = session, changed
        self.over = threading.Event()
        self.took = 0.0
        self.reason = "it does not answer"
        threading.Thread(target=self._run, name="mldesk-ping", daemon=True).start()

    @property
    def failed(self) -> bool:
        """Say whether there is no answer, or none yet."""
        return not (self.over.is_set() and self.took)

    def _run(self) -> None:
        try:
            self.took = max(self._session.ping(SILENCE), 1e-6)
        except RunnerUnreachable as error:
            self.reason = str(error)
        finally:
            self.over.set()
            with self._changed:
                self._changed.notify_all()


def _again(error: RunnerUnreachable | None) -> RunnerUnreachable:
    """Return an error to raise: each thread its own traceback."""
    if error is None:
        return RunnerUnreachable("The runner cannot be reached yet; connecting takes long.")
    error.__traceback__ = None
    return error
