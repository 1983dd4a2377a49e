"""Frames in which objects travel in bulk, on a channel of their own beside the link.

    kind (1 byte)  length of the body (4 bytes, big-endian)  SHA-256 of the body (32 bytes)  body

The digest of a CHUNK or OBJECT is left to the store to check, which does so anyway, and DATA has none (zeros): it was
asked for by the digest of what it belongs to. Hashing costs more than sealing and sending.

To ``receive``: PLAN (JSON {"manifest", "lead"}) is answered by LACK: a byte 1, then a bit for each of the manifest's
``pieces_of``, set where that piece has to come; or a byte 0 alone, since the manifest itself is not there. After it,
each CHUNK is a piece of the plan and goes into its place; COMPLETE (JSON {"manifest"}) names all files, to the one
channel that said "lead" once the others are done. OBJECT is a whole file of at most a chunk that stands for itself.
Without a plan, as version 1 knew it and larger manifests come: CHUNK (staged), ENTRY (JSON of a bare object's size,
digest and chunks: make it of what was staged), COMPLETE. All but END are answered, in order, by DONE with no body (PLAN
by LACK), or by FAILED (JSON code, message, hint), which ends the talk.
To ``send``: WANT (JSON digest, offset, length), each answered by DATA or FAILED; END. A repeated frame does no harm,
so whatever was cut off is simply sent again.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.wire.manifest import CHUNK

VERSION = 1                    # what every end understands
NEWEST = 2                     # what this one understands besides: PLAN; said in the banner as "bulk_newest"
HEADER = struct.Struct(">BI32s")
MAX_JSON = 1024 * 1024 * 2     # bytes; the chunks of a file of about 100 GB
MAX_LACK = 1024 * 1024         # bytes; bits for 32 TB in large files
NO_DIGEST = "0" * 64
IN_FLIGHT = 8 * CHUNK          # bytes a client has asked for and not got, at most
ASKED = 256                    # pieces, likewise


Buffer = bytes | bytearray | memoryview


class Frame(IntEnum):
    """What a frame is."""

    CHUNK = 1
    OBJECT = 2
    ENTRY = 3
    COMPLETE = 4
    WANT = 5
    DATA = 6
    DONE = 7
    FAILED = 8
    END = 9
    PLAN = 10
    LACK = 11

    @property
    def most(self) -> int:
        """Bytes its body may have."""
        if self in (Frame.CHUNK, Frame.OBJECT, Frame.DATA):
            return CHUNK
        if self is Frame.LACK:
            return MAX_LACK
        return 0 if self in (Frame.DONE, Frame.END) else MAX_JSON


_CHECKED_LATER = (Frame.CHUNK, Frame.OBJECT, Frame.DATA)


class Torn(BadInput):
    """The stream of frames broke off, or is not one: whatever came last is not to be used."""

    code = "bulk_torn"


@dataclass(frozen=True, slots=True)
class Received:
    """One frame. What its digest says of the body of CHUNK, OBJECT and DATA is yet to be checked."""

    kind: Frame
    digest: str
    body: bytes | memoryview   # a memoryview is good until the next frame is read

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises Torn."""
        try:
            value = canonical.loads(bytes(self.body))
        except ValueError as error:
            raise Torn("A frame's JSON cannot be read.") from error
        if not isinstance(value, dict):
            raise Torn("A frame holds no JSON object.")
        return value


def header(kind: Frame, body: Buffer, digest: str = "") -> bytes:
    """Return what goes before ``body``; ``digest`` is its SHA-256 if that is known already."""
    return HEADER.pack(kind, len(body), bytes.fromhex(digest) if digest else hashlib.sha256(body).digest())


def frame(kind: Frame, value: Mapping[str, Any] | None = None) -> bytes:
    """Return a whole frame whose body is JSON, or nothing."""
    body = b"" if value is None else canonical.dumps(value)
    return header(kind, body) + body


def read_frame(read: Callable[[int], bytes | memoryview]) -> Received | None:
    """Read the next frame, or None at a proper end. ``read`` returns exactly so many bytes, fewer only at the end.

    Raises Torn for a frame that is cut off, too long, of no known kind, or (but for what the store checks) not what
    its digest says.
    """
    head = read(HEADER.size)
    if not len(head):
        return None
    if len(head) < HEADER.size:
        raise Torn("The transfer was cut off.")
    number, length, digest = HEADER.unpack(head)
    try:
        kind = Frame(number)
    except ValueError as error:
        raise Torn(f"The transfer holds a frame of no known kind ({number}).") from error
    if length > kind.most:
        raise Torn(f"The transfer holds a frame of {length} bytes, which is too long.")
    body = read(length) if length else b""
    if len(body) < length:
        raise Torn("The transfer was cut off.")
    if kind not in _CHECKED_LATER and hashlib.sha256(body).digest() != digest:
        raise Torn("A piece came in damaged.", hint="Send it again.")
    return Received(kind, digest.hex(), body)
