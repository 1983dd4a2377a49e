"""rpyc, locked down: two handlers, values only, in both directions.

Stock rpyc lets either peer hold references to the other's objects, raise any exception there and unpickle; every one
of those doors is shut here, on both ends alike. What is left of rpyc: its framing, its message numbers, its matching of
answers to questions. Underscore names of rpyc are used on purpose, which is why its version is pinned (>=6.0.2,<6.1)
and tests/wire/test_link_contract.py holds them to what is relied on.

    PING value            -> value
    CALL (method, data)   -> data      data: canonical JSON, a newline, raw bytes
    anything else         -> the error "unknown_request"
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from rpyc.core import brine, consts
from rpyc.core.protocol import Connection
from rpyc.core.service import VoidService
from rpyc.core.stream import Stream

from mldesk.core import canonical
from mldesk.core.errors import MldeskError
from mldesk.wire import link_values
from mldesk.wire.link_channel import MAX_FRAME, LinkBroken, LockedChannel, SocketStream

PING = consts.HANDLE_PING
CALL = consts.HANDLE_CALL
MAX_DATA = MAX_FRAME - 4096        # bytes of one call's or answer's data
MAX_TEXT = 2000                    # characters of an error's sentence, and of its hint
BUSY = "busy"                      # code of a refusal for more than that
OUTSTANDING = 32                   # calls that one connection may have open at once

CONFIG: dict[str, Any] = {
    **dict.fromkeys((
        "allow_safe_attrs", "allow_exposed_attrs", "allow_public_attrs", "allow_all_attrs", "allow_getattr",
        "allow_setattr", "allow_delattr", "allow_pickle", "include_local_traceback", "include_local_version",
        "instantiate_custom_exceptions", "import_custom_exceptions", "instantiate_oldstyle_exceptions",
        "propagate_SystemExit_locally", "propagate_KeyboardInterrupt_locally", "log_exceptions",
        "bind_threads",  # its default comes from the environment and changes the frames
    ), False),
    "close_catchall": True, "sync_request_timeout": 10, "safe_attrs": frozenset(), "exposed_prefix": "",
}

log = logging.getLogger("mldesk.link")


class PeerFault(MldeskError):
    """What the other side answered instead of a value. Its words are the peer's: plain text, capped."""

    code = "runner_failed"

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(_plain(message) or "The runner gave no reason.", hint=_plain(hint))
        self.remote_code = _plain(code)[:64]


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Return the data of a call or an answer. Raises TypeError for a header that is not JSON."""
    return canonical.dumps(header) + b"\n" + body


def unpack(data: object) -> tuple[dict[str, Any], bytes]:
    """Read what ``pack`` made. Raises ValueError for anything else."""
    if isinstance(data, bytes) and (end := data.find(b"\n")) >= 0:
        header = canonical.loads(data[:end])
        if isinstance(header, dict):
            return header, data[end + 1:]
    raise ValueError("the data of a call begins with a JSON object and a newline")


class LockedConnection(Connection):  # type: ignore[misc]  # rpyc has no types
    """One end of a link that answers PING and nothing else. ``start`` begins to read.

    The one reader thread ends only with the link, whatever the peer sends, and ``ended`` is then called once with the
    reason. ``close`` asks the peer for nothing and returns at once.
    """

    def __init__(self, peer: socket.socket | Stream, ended: Callable[[str], None] | None = None) -> None:
        """``peer``: a connected socket, or a stream that reads, writes, closes and releases as SocketStream does."""
        self._ends = threading.Lock()
        self._over = False
        self._tell = ended
        self._reader: threading.Thread | None = None
        stream = SocketStream(peer) if isinstance(peer, socket.socket) else peer
        super().__init__(VoidService(), LockedChannel(stream), CONFIG)

    def start(self, name: str) -> None:
        """Begin to read, in a thread called ``name``."""
        self._reader = threading.Thread(target=self._read_to_the_end, name=name, daemon=True)
        self._reader.start()

    def join(self, timeout: float) -> None:
        """Wait until the reader is done (``close`` makes it), unless this is the reader."""
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout)

    @property
    def closed(self) -> bool:
        return self._over

    def close(self) -> None:
        """End the link now, without a word to the peer. Pending questions fail."""
        self._finish("closed here")
        if getattr(self, "_reader", None) is None and hasattr(self, "_channel"):
            self._channel.stream.release()

    def ask(self, handler: int, args: tuple[Any, ...], answer: Callable[[bool, Any], None]) -> int:
        """Send one question; ``answer(failed, value)`` is called once, from the reader. Returns its number.

        Raises LinkBroken when the link has ended.
        """
        seq = int(self._get_seq_id())
        self._request_callbacks[seq] = answer
        try:
            self._send(consts.MSG_REQUEST, seq, (handler, self._box(args)))
        except BaseException:
            self.forget(seq)
            raise
        if self._over and self.forget(seq):
            raise LinkBroken("the link has ended")
        return seq

    def forget(self, seq: int) -> bool:
        """Stop waiting for an answer, which may still come and is dropped then. Say whether it was waited for."""
        return self._request_callbacks.pop(seq, None) is not None

    # --- rpyc's seams

    @classmethod
    def _request_handlers(cls) -> dict[int, Callable[..., Any]]:
        return {PING: cls._on_ping}

    def _on_ping(self, *values: Any) -> Any:
        return values[0] if values else ""

    def _box(self, value: Any) -> tuple[int, Any]:
        if not brine.dumpable(value):
            raise TypeError(f"only values may cross the link, not {type(value).__name__}")
        return consts.LABEL_VALUE, value

    def _unbox(self, package: Any) -> Any:
        label, value = package
        if label != consts.LABEL_VALUE:
            raise LinkBroken("a reference where only values may cross")
        return value

    def _box_exc(self, _kind: Any, error: Any, _traceback: Any) -> tuple[str, str, str]:
        if isinstance(error, MldeskError):
            return error.code, error.message[:MAX_TEXT], error.hint[:MAX_TEXT]
        log.error("a call failed inside", exc_info=error)
        return "internal", f"Something in the runner went wrong ({type(error).__name__}).", "Its log says more."

    def _unbox_exc(self, raw: Any) -> PeerFault:
        code, message, hint = raw
        if not all(isinstance(item, str) for item in raw):
            raise LinkBroken("an error that is no text")
        return PeerFault(code, message, hint)

    def _dispatch(self, data: bytes) -> None:
        seq, args = _pair(link_values.load(data[1:]))
        if not isinstance(seq, int) or data[0] not in (consts.MSG_REQUEST, consts.MSG_REPLY, consts.MSG_EXCEPTION):
            raise LinkBroken("a message of no known type")
        if data[0] == consts.MSG_REQUEST:
            self._dispatch_request(seq, args)
            return
        failed = data[0] == consts.MSG_EXCEPTION
        value = self._unbox_exc(args) if failed else self._unbox(args)
        self._seq_request_callback(data[0], seq, failed, value)

    def _dispatch_request(self, seq: int, args: Any) -> None:
        handler, boxed = _pair(args)
        values = self._unbox(boxed)
        if not isinstance(values, tuple):
            raise LinkBroken("a request without arguments")
        method = self._HANDLERS.get(handler)
        if method is None:
            self.refuse(seq, "unknown_request", "Only PING and CALL are answered here.")
        else:
            self.answer(seq, method, values)

    # --- answering

    def answer(self, seq: int, method: Callable[..., Any], values: tuple[Any, ...]) -> None:
        """Run one request and send what it gives."""
        try:
            value = self._box(method(self, *values))
        except LinkBroken:
            raise
        except Exception as error:  # noqa: BLE001 - sent to the peer; what is not its fault is logged in _box_exc
            self._send(consts.MSG_EXCEPTION, seq, self._box_exc(type(error), error, None))
        else:
            self._send(consts.MSG_REPLY, seq, value)

    def refuse(self, seq: int, code: str, message: str) -> None:
        """Answer a request with an error."""
        self._send(consts.MSG_EXCEPTION, seq, (code, message, ""))

    # --- the end

    def _read_to_the_end(self) -> None:
        reason = "the reader stopped"
        try:
            while True:
                self._dispatch(self._channel.recv())
        except LinkBroken as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - the peer chose these bytes; whatever they do ends the link only
            reason = f"a message that cannot be read: {type(error).__name__}: {error!s:.200}"
        finally:
            self._finish(reason)
            self._channel.stream.release()

    def _finish(self, reason: str) -> None:
        with self._ends:
            if self._over:
                return
            self._over = True
        self._closed = True  # rpyc's own mark, which its destructor looks at
        if not hasattr(self, "_channel"):
            return           # the constructor failed half-way
        self._channel.close()
        while self._request_callbacks:
            _, callback = self._request_callbacks.popitem()
            callback(True, LinkBroken(reason))
        if self._tell is not None:
            self._tell(reason)


def _pair(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, tuple) or len(value) != 2:
        raise LinkBroken("a message of another shape")
    return value


def _plain(text: str) -> str:
    """Return a peer's words without control characters, so that no terminal obeys them, and capped."""
    return "".join(letter for letter in text[:MAX_TEXT] if letter == "\n" or letter.isprintable())
