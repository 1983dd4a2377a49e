"""The asking end of a link. It exposes nothing: its peer may ping it, and that is all."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import Any

from mldesk.core.errors import (
    BadInput,
    Conflict,
    DiskFull,
    LibraryDamaged,
    MldeskError,
    NotFound,
    RunnerUnreachable,
)
from mldesk.wire.link_channel import LinkBroken
from mldesk.wire.link_protocol import (
    CALL,
    MAX_DATA,
    OUTSTANDING,
    PING,
    LockedConnection,
    PeerFault,
    pack,
    unpack,
)
from mldesk.wire.link_sockets import UNIX, dial

_KINDS: dict[str, type[MldeskError]] = {
    "not_found": NotFound, "object_missing": NotFound, "data_missing": NotFound, "conflict": Conflict,
    "bad_input": BadInput, "disk_full": DiskFull, "library_damaged": LibraryDamaged, "journal_damaged": LibraryDamaged,
}
_names = itertools.count(1)


class RemoteError(MldeskError):
    """The runner refused or failed, in a way that has no name on this side. ``remote_code`` is its own name for it."""

    code = "runner_failed"

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.remote_code = code


class LinkLost(RunnerUnreachable):
    """The link ended or gave no answer in time. Whether the call was done is unknown; every call may be repeated."""


class Link:
    """One connection. Any number of threads may call at once; answers come back in any order."""

    def __init__(self, connection: LockedConnection) -> None:
        self._connection = connection
        self._free = threading.BoundedSemaphore(OUTSTANDING)
        self._pings = itertools.count(1)

    @property
    def closed(self) -> bool:
        return self._connection.closed

    def call(self, method: str, payload: dict[str, Any], timeout: float = 10.0) -> dict[str, Any]:
        """Ask for ``method`` and return its answer; see ``exchange``."""
        return self.exchange(method, payload, timeout=timeout)[0]

    def exchange(self, method: str, payload: dict[str, Any], body: bytes = b"",
                 timeout: float = 10.0) -> tuple[dict[str, Any], bytes]:
        """Ask for ``method``, sending raw bytes along; return its answer and the raw bytes that came with it.

        Raises what the runner answered (NotFound, Conflict, BadInput, DiskFull, LibraryDamaged, else RemoteError), and
        LinkLost when nothing came within ``timeout`` seconds.
        """
        data = pack(payload, body)
        if len(data) > MAX_DATA:
            raise BadInput(f"{len(data)} bytes are too many to send to the runner at once (at most {MAX_DATA}).")
        answer = self._ask(CALL, (method, data), timeout)
        try:
            return unpack(answer)
        except (TypeError, ValueError) as error:
            self.close()
            raise LinkLost("The runner's answer cannot be read, so the link to it was closed.") from error

    def ping(self, timeout: float = 5.0) -> float:
        """Return the seconds a round trip took. Raises LinkLost."""
        started, token = time.monotonic(), next(self._pings)
        if self._ask(PING, (token,), timeout) != token:
            self.close()
            raise LinkLost("The runner does not echo what it is sent.")
        return time.monotonic() - started

    def close(self) -> None:
        """End the link at once; calls under way raise LinkLost. A second call does nothing."""
        self._connection.close()
        self._connection.join(5.0)

    def _ask(self, handler: int, args: tuple[Any, ...], timeout: float) -> Any:
        deadline = time.monotonic() + timeout
        if not self._free.acquire(timeout=timeout):
            raise LinkLost(f"The runner has {OUTSTANDING} calls open on this link and answers none of them.")
        try:
            answer = _Answer()
            try:
                seq = self._connection.ask(handler, args, answer)
            except LinkBroken as error:
                raise LinkLost("The link to the runner has ended.") from error
            if not answer.wait(max(0.0, deadline - time.monotonic())):
                self._connection.forget(seq)
                raise LinkLost(f"The runner gave no answer within {timeout:g} seconds.")
        finally:
            self._free.release()
        return answer.result()


class _Answer:
    """One answer that is waited for."""

    def __init__(self) -> None:
        self._came = threading.Event()
        self._failed, self._value = False, None

    def __call__(self, failed: bool, value: Any) -> None:
        self._failed, self._value = failed, value
        self._came.set()

    def wait(self, timeout: float) -> bool:
        return self._came.wait(timeout)

    def result(self) -> Any:
        if not self._failed:
            return self._value
        if isinstance(self._value, PeerFault):
            raise _as_ours(self._value) from self._value
        raise LinkLost("The link to the runner ended before it answered.") from self._value


def _as_ours(fault: PeerFault) -> MldeskError:
    kind = _KINDS.get(fault.remote_code)
    if kind is None:
        return RemoteError(fault.remote_code, fault.message, fault.hint)
    return kind(fault.message, hint=fault.hint)


def connect(path: Path, *, timeout: float = 5.0, loopback: bool = not UNIX) -> Link:
    """Connect to the server at ``path``. Raises RunnerUnreachable."""
    connection = LockedConnection(dial(path, timeout, loopback=loopback))
    connection.start(f"mldesk-link-{next(_names)}")
    return Link(connection)
