"""Frames on a socket: rpyc's own format with what a hostile peer could abuse taken out.

No compression (306 kB of it can grow to 600 MB), a cap on every frame, a bound on how long a peer may refuse to read.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
import threading
from typing import Any

from rpyc.core.channel import Channel
from rpyc.core.stream import Stream

MAX_FRAME = 8 * 1024 * 1024     # bytes of one frame, header not counted
_PIECE = 256 * 1024             # bytes asked of the socket at once
SEND_SECONDS = 30               # a peer that reads nothing for so long is given up


class LinkBroken(EOFError):
    """The link is dead: the peer closed it, broke its rules, or is not reading. Never shown to a user as it is."""


class SocketStream(Stream):  # type: ignore[misc]  # rpyc has no types
    """A connected socket, read and written exactly.

    ``close`` only shuts the socket down, which wakes a reader in another thread; ``release`` frees it, and is for the
    reader to call last. So no thread ever reads from a number that the system has given to another file.
    """

    MAX_IO_CHUNK = 64000  # rpyc's Channel asks for it
    __slots__ = ("_closed", "_lock", "_socket")

    def __init__(self, peer: socket.socket) -> None:
        if sys.platform != "win32":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self._socket = peer
        self._closed = False
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        return self._closed

    def fileno(self) -> int:
        return self._socket.fileno()

    def poll(self, timeout: Any) -> bool:
        """Say whether there is something to read within ``timeout`` seconds (a number, or an rpyc Timeout)."""
        seconds = timeout.timeleft() if hasattr(timeout, "timeleft") else timeout
        return bool(select.select([self._socket], [], [], seconds)[0])

    def read(self, count: int) -> bytes:
        """Return exactly ``count`` bytes, holding no more memory than what has come. Raises LinkBroken."""
        pieces: list[bytes] = []
        try:
            while count:
                piece = self._socket.recv(min(count, _PIECE))
                if not piece:
                    raise LinkBroken("closed by the peer")
                pieces.append(piece)
                count -= len(piece)
        except OSError as error:
            raise LinkBroken(str(error)) from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, data: bytes) -> None:
        """Send all of ``data``. Raises LinkBroken."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            self.close()  # a frame may have gone out in part
            raise LinkBroken(str(error)) from error

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Free the socket. Nothing may be read from it after this."""
        self.close()
        self._socket.close()


class LockedChannel(Channel):  # type: ignore[misc]  # rpyc has no types
    """rpyc's framing, uncompressed and capped in both directions."""

    __slots__ = ()

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, compress=False)

    def recv(self) -> bytes:
        """Return the next frame. Raises LinkBroken at the end, and for a frame that breaks the rules."""
        length, compressed = self.FRAME_HEADER.unpack(self.stream.read(self.FRAME_HEADER.size))
        if compressed or length > MAX_FRAME:
            self.close()
            raise LinkBroken("a compressed frame" if compressed else f"a frame of {length} bytes")
        data: bytes = self.stream.read(length + 1)
        if not data.endswith(self.FLUSHER):
            self.close()
            raise LinkBroken("a frame without an end")
        return data[:-1]

    def send(self, data: bytes) -> None:
        """Send one frame. Raises LinkBroken; ValueError for a frame over the cap, with nothing sent."""
        if len(data) > MAX_FRAME:
            raise ValueError(f"a frame of {len(data)} bytes is over the cap")
        self.stream.write(self.FRAME_HEADER.pack(len(data), 0) + data + self.FLUSHER)
