"""Frames in which objects travel in bulk, on a channel of their own beside the link.

    kind (1 byte)  length of the body (4 bytes, big-endian)  SHA-256 of the body (32 bytes)  body

The digest of a CHUNK or OBJECT is left to the store to check, which does so anyway, and DATA has none (zeros): it was
asked for by the digest of what it belongs to. Hashing costs more than sealing and sending.

To ``receive``: PLAN (JSON {"manifest", "lead"}) is answered by LACK: a byte 1, then a bit for each of the manifest's
``pieces_of``, set where that piece has to come; or a byte 0 alone, since the manifest itself is not there. After it,
each CHUNK is a piece of the plan and goes into its place. From version 3 on PLAN may say {"begun": true}: then, behind
the bits, LACK has eight bytes for each piece of which the beginning is there (number of the piece, bytes; big-endian),
and a CHUNK that is shorter than its piece is the end of it; the plan is answered once no other ``receive`` is busy
with the same manifest, or after five seconds. COMPLETE (JSON {"manifest"}) names all files, to the one
channel that said "lead" once the others are done. OBJECT is a whole file of at most a chunk that stands for itself.
Without a plan, as version 1 knew it and larger manifests come: CHUNK (staged), ENTRY (JSON of a bare object's size,
digest and chunks: make it of what was staged), COMPLETE. All but END are answered, in order, by DONE with no body (PLAN
by LACK), or by FAILED (JSON code, message, hint), which ends the talk.
To ``send``: WANT (JSON digest, offset, length), each answered by DATA or FAILED; END. A repeated frame does no harm,
so whatever was cut off is simply sent again.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.wire.manifest import CHUNK, Piece

VERSION = 1                    # what every end understands
NEWEST = 3                     # what this one understands besides: 2 PLAN, 3 "begun"; in the banner: "bulk_newest"
HEADER = struct.Struct(">BI32s")
MAX_JSON = 1024 * 1024 * 2     # bytes; the chunks of a file of about 100 GB
MAX_LACK = 1024 * 1024         # bytes; bits for 30 TB in large files, and what has begun
MAX_BEGUN = 1024               # pieces of which LACK says that they began: there are as many as lanes, in truth
_BEGUN = struct.Struct(">II")
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


class Unreadable(BadInput):
    """A frame holds something other than it should."""


@dataclass(frozen=True, slots=True)
class Received:
    """One frame. What its digest says of the body of CHUNK, OBJECT and DATA is yet to be checked."""

    kind: Frame
    digest: str
    body: bytes | memoryview   # a memoryview is good until the next frame is read
    left: int = 0              # bytes of the body that come after these, where it is read in parts

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


def lack(bitmap: bytes, begun: Mapping[int, int]) -> bytes:
    """Return the body of LACK for a manifest that is there."""
    told = itertools.islice(begun.items(), MAX_BEGUN)
    return b"\1" + bitmap + b"".join(_BEGUN.pack(number, there) for number, there in told)


def read_lack(body: bytes, pieces: Sequence[Piece]) -> dict[int, int] | None:
    """Return the numbers of the pieces that have to come, each with how much of it is there; None without a manifest.

    Raises Unreadable.
    """
    bits = -(-len(pieces) // 8)
    if body == b"\0":
        return None
    if body[:1] != b"\1" or len(body) < 1 + bits or (len(body) - 1 - bits) % _BEGUN.size:
        raise Unreadable("The answer to a plan cannot be read.")
    lacking = {number: 0 for number in range(len(pieces)) if body[1 + number // 8] >> (7 - number % 8) & 1}
    for number, there in _BEGUN.iter_unpack(body[1 + bits:]):
        if number not in lacking or not there < pieces[number].size:
            raise Unreadable("The answer to a plan makes no sense.")
        lacking[number] = there
    return lacking


def read_frame(read: Callable[[int], bytes | memoryview]) -> Received | None:
    """Read the next frame, or None at a proper end. ``read`` returns exactly so many bytes, fewer only at the end.

    Raises Torn for a frame that is cut off, too long, of no known kind, or (but for what the store checks) not what
    its digest says.
    """
    return next((given for given in read_parts(read, CHUNK) if not given.left), None)


def read_parts(read: Callable[[int], bytes | memoryview], most: int) -> Iterator[Received]:
    """Read the next frame, a CHUNK in parts of so many bytes; nothing at a proper end.

    Where a CHUNK is cut off, what came of it is given before Torn is raised. ``read`` and the rest as ``read_frame``.
    """
    head = read(HEADER.size)
    if not len(head):
        return
    if len(head) < HEADER.size:
        raise Torn("The transfer was cut off.")
    number, length, digest = HEADER.unpack(head)
    try:
        kind = Frame(number)
    except ValueError as error:
        raise Torn(f"The transfer holds a frame of no known kind ({number}).") from error
    if length > kind.most:
        raise Torn(f"The transfer holds a frame of {length} bytes, which is too long.")
    while kind is Frame.CHUNK and length > most:
        body = read(most)
        length -= len(body)
        if len(body):
            yield Received(kind, digest.hex(), body, length)
        if len(body) < most:
            raise Torn("The transfer was cut off.")
    body = read(length) if length else b""
    if len(body) < length:
        if kind is Frame.CHUNK and len(body):
            yield Received(kind, digest.hex(), body, length - len(body))
        raise Torn("The transfer was cut off.")
    if kind not in _CHECKED_LATER and hashlib.sha256(body).digest() != digest:
        raise Torn("A piece came in damaged.", hint="Send it again.")
    yield Received(kind, digest.hex(), body)
