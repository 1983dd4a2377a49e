"""Bytes to and from a program at the far end, however SSH is done, and the rpyc stream over them."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from rpyc.core.stream import Stream

from mldesk.core.errors import RunnerUnreachable
from mldesk.wire.link_channel import LinkBroken

_names = itertools.count(1)
COMPLAINT = 4000           # bytes of the far end's stderr that are kept, the last ones


class StreamEnded(OSError):
    """The stream is gone: the network, the far program, or somebody here ended it."""


class ByteStream(Protocol):
    """A program at the far end: its stdin and stdout. One thread may read while another writes."""

    def read(self, most: int) -> bytes:
        """Return at least one and at most ``most`` bytes of its stdout, waiting for them; none at its end."""
        ...

    def write(self, data: bytes | memoryview) -> None:
        """Hand over all of ``data`` to its stdin. Raises StreamEnded, also when nothing moves for long."""
        ...

    def finish(self) -> None:
        """Say that nothing more will be written; what the program says is still to be read."""
        ...

    def close(self) -> None:
        """End it at once, from any thread; a read that waits returns. A second call does nothing."""
        ...

    def release(self) -> None:
        """Close, and free what it holds. For the reader to call last."""
        ...

    def wait(self, seconds: float) -> int | None:
        """Return the exit code of the far program, waiting for it; None if it runs still or nobody knows."""
        ...

    @property
    def complaint(self) -> str:
        """The last of what it said on stderr, as plain text."""
        ...


class Connection(Protocol):
    """A host that lets us in. Any thread may start programs there."""

    round_trip: float  # seconds, as somebody measured it last; how much should be on its way here depends on it

    @property
    def channels_are_cheap(self) -> bool:
        """Say whether a further program costs no further login."""
        ...

    @property
    def alive(self) -> bool:
        """Say whether it is worth asking; only an answer proves it."""
        ...

    def open_exec(self, command: str, timeout: float = 20.0) -> ByteStream:
        """Start a command there, without a terminal. Raises RunnerUnreachable."""
        ...

    def explain(self, stream: ByteStream) -> RunnerUnreachable | None:
        """Say what SSH itself has to say about a stream that ended early; None if it has nothing to say."""
        ...

    def close(self) -> None:
        """Hang up at once; what waits on a stream ends. A second call does nothing."""
        ...


class Tail:
    """The last bytes of a text that may go on for ever."""

    def __init__(self) -> None:
        self._bytes = b""
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        with self._lock:
            self._bytes = (self._bytes + data)[-COMPLAINT:]

    def __str__(self) -> str:
        with self._lock:
            text = self._bytes.decode("utf-8", "replace").replace("\r", "")
        return "".join(letter for letter in text if letter == "\n" or letter.isprintable()).strip()


class LinkStream(Stream):  # type: ignore[misc]  # rpyc has no types
    """What rpyc's Channel needs of a stream (see mldesk.wire.link_channel), over a ByteStream."""

    MAX_IO_CHUNK = 64000  # rpyc's Channel asks for it

    def __init__(self, stream: ByteStream, first: bytes = b"") -> None:
        """``first``: bytes that were read from the stream already."""
        self._stream = stream
        self._first = first
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def fileno(self) -> int:
        raise OSError("a stream over SSH has no file number")

    def poll(self, _timeout: Any) -> bool:
        """Never asked here: one thread reads, and waits for what comes."""
        return True

    def read(self, count: int) -> bytes:
        """Return exactly ``count`` bytes. Raises LinkBroken."""
        pieces, have = [], 0
        try:
            while have < count:
                data = self._next(count - have)
                if not data:
                    raise LinkBroken(self._stream.complaint or "closed by the far end")
                pieces.append(data)
                have += len(data)
        except OSError as error:
            raise LinkBroken(str(error)) from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, data: bytes) -> None:
        """Send all of ``data``. Raises LinkBroken."""
        try:
            self._stream.write(data)
        except OSError as error:
            self.close()  # a frame may have gone out in part
            raise LinkBroken(str(error)) from error

    def close(self) -> None:
        self._closed = True
        self._stream.close()

    def release(self) -> None:
        """Free the stream. Nothing may be read from it after this."""
        self.close()
        self._stream.release()

    def _next(self, most: int) -> bytes:
        if self._first:
            data, self._first = self._first[:most], self._first[most:]
            return data
        return self._stream.read(most)


@contextlib.contextmanager
def closing_after(stream: ByteStream, seconds: float) -> Iterator[None]:
    """Close the stream if the block takes longer, which ends any read in it."""
    timer = threading.Timer(seconds, stream.close)
    timer.name = f"mldesk-ssh-limit-{next(_names)}"
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join(5.0)
