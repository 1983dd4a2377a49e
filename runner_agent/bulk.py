"""``python -m runner_agent receive`` and ``send``: objects in bulk over stdin and stdout; see mldesk.wire.bulk.

Beside the agent and not through it: they share only the object store, which any number of processes may use at once.
A caller that is cut off loses at most the piece that was on its way.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import queue
import select
import threading
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from mldesk.core.errors import BadInput, MldeskError
from mldesk.wire.bulk import HEADER, NO_DIGEST, Buffer, Frame, Received, Torn, frame, header, read_frame
from mldesk.wire.intake import Intake
from mldesk.wire.manifest import CHUNK, Entry, check_digest
from mldesk.wire.objects import ObjectMissing, ObjectStore
from runner_agent.ballast import require_room
from runner_agent.bridge import arguments_of, refuse, say
from runner_agent.place import Place

SILENCE = 300.0            # seconds without a byte from the caller, who may be reading its own slow disk
_PIPE = 1024 * 1024        # bytes a pipe to sshd may hold: fewer turns between it and us
_SET_PIPE_SIZE = 1031      # F_SETPIPE_SZ of Linux; Python's fcntl has a name for it since 3.10, not everywhere
_UNSAID = 64               # answers that wait to go out together while more is coming in
_AHEAD = 2                 # frames that are read before it is their turn


def main(given: Sequence[str]) -> int:
    """Take in or give out objects until the caller ends; return the exit code."""
    arguments = arguments_of(given)
    try:
        store = ObjectStore(Place(arguments.place).make().objects)
    except OSError as error:
        return refuse(arguments.word, error)
    _widen()
    say(arguments.word)
    talk: Taking | Giving = Taking(store) if arguments.command == "receive" else Giving(store)
    with contextlib.closing(talk):
        return _serve(talk.answer)


def _serve(answer: Callable[[Received], Sequence[Buffer]]) -> int:
    asked, unsaid = Ahead(), bytearray()
    while True:
        try:
            if unsaid and (len(unsaid) > _UNSAID * HEADER.size or asked.idle):
                _write(unsaid)
                unsaid = bytearray()
            given = asked.next()
            if given is None or given.kind is Frame.END:
                _write(unsaid)
                return 0
            said = answer(given)
            if sum(map(len, said)) == HEADER.size:
                unsaid += said[0]
            else:
                _write(unsaid, *said)
                unsaid = bytearray()
        except (MldeskError, OSError) as error:
            _write(unsaid, _failure(error))
            return 1


class Ahead:
    """Reads frames in a thread of its own, so that the line does not stand still while the disk is written to."""

    def __init__(self) -> None:
        self._frames: queue.Queue[Received | Exception | None] = queue.Queue(_AHEAD)
        # One buffer for each frame that waits, one that is worked on, and one that is read into.
        self._readers = itertools.cycle([Stdin() for _ in range(_AHEAD + 2)])
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be answered."""
        return self._frames.empty()

    def next(self) -> Received | None:
        """Return the next frame, whose body is good until the next call; None at the end. Raises Torn, OSError."""
        given = self._frames.get()
        if isinstance(given, Exception):
            raise given
        return given

    def _read(self) -> None:
        given: Received | Exception | None = None
        while not isinstance(given, Exception):
            try:
                given = read_frame(next(self._readers))
            except (MldeskError, OSError) as error:
                given = error
            self._frames.put(given)
            if given is None or (isinstance(given, Received) and given.kind is Frame.END):
                return


class Taking:
    """What ``receive`` does with its frames."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._intake: Intake | None = None

    def answer(self, given: Received) -> Sequence[Buffer]:
        """Do what a frame asks for; return what to say. Raises MldeskError, OSError."""
        if given.kind is Frame.PLAN:
            return self._plan(given.json())
        if given.kind is Frame.CHUNK:
            self._chunk(given)
        elif given.kind is Frame.OBJECT:
            if hashlib.sha256(given.body).hexdigest() != given.digest:
                raise Torn("A piece came in damaged.", hint="Send it again.")
            self._store.put_bytes(bytes(given.body))
        elif given.kind is Frame.ENTRY:
            self._store.assemble(_entry(given.json()))
        elif given.kind is Frame.COMPLETE and self._intake is not None:
            self._intake.finish()
        elif given.kind is Frame.COMPLETE:
            self._store.complete(check_digest(given.json().get("manifest", "")))
        else:
            raise Torn(f"A {given.kind.name} frame has no place here.")
        return (frame(Frame.DONE),)

    def close(self) -> None:
        """Let go of what did not come whole."""
        if self._intake is not None:
            self._intake.close()

    def _plan(self, given: dict[str, Any]) -> Sequence[Buffer]:
        if self._intake is not None:
            raise BadInput("There is a plan already.")
        try:
            entries = self._store.manifest(check_digest(given.get("manifest", ""))).entries
        except ObjectMissing:
            lack = b"\0"
        else:
            self._intake = Intake(self._store, entries, lead=given.get("lead") is True)
            require_room(self._store.root, sum(piece.size for piece in self._intake.wanted))
            lack = b"\1" + self._intake.bitmap()
        return header(Frame.LACK, lack), lack

    def _chunk(self, given: Received) -> None:
        if self._intake is not None:
            self._intake.put(given.digest, given.body)
            return
        try:
            self._store.put_chunk(given.digest, given.body)
        except BadInput as error:
            raise Torn("A piece came in damaged.", hint="Send it again.") from error


class Giving:
    """What ``send`` does with its frames."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._digest = ""
        self._file: BinaryIO | None = None  # the object that was asked for last
        self._buffer = memoryview(bytearray(CHUNK))

    def answer(self, given: Received) -> Sequence[Buffer]:
        """Do what a frame asks for; return what to say. Raises MldeskError, OSError."""
        if given.kind is not Frame.WANT:
            raise Torn(f"A {given.kind.name} frame has no place here.")
        wanted = given.json()
        offset, length = wanted.get("offset"), wanted.get("length")
        if type(offset) is not int or type(length) is not int or offset < 0 or not 0 <= length <= CHUNK:
            raise BadInput("A piece is wanted from nowhere.")
        file = self._open(check_digest(wanted.get("digest", "")))
        file.seek(offset)
        data = self._buffer[:file.readinto(self._buffer[:length])]  # type: ignore[attr-defined]  # a raw file has it
        return header(Frame.DATA, data, NO_DIGEST), data

    def close(self) -> None:
        """Close what is open."""
        if self._file is not None:
            self._file.close()

    def _open(self, digest: str) -> BinaryIO:
        if self._file is None or self._digest != digest:
            self.close()
            self._file, self._digest = open(self._store.path(digest), "rb", buffering=0), digest  # noqa: SIM115 - close
        return self._file


class Stdin:
    """Reads exactly so many bytes of stdin, fewer at its end or when the caller has been silent too long."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(HEADER.size))

    def __call__(self, count: int) -> memoryview:
        """Return the bytes, in a buffer that the next call uses again."""
        if count > len(self._buffer):
            self._buffer = memoryview(bytearray(count))
        view, have = self._buffer[:count], 0
        while have < count and select.select([0], [], [], SILENCE)[0]:
            got = os.readv(0, [view[have:]])
            if not got:
                break
            have += got
        return view[:have]


def _entry(value: dict[str, Any]) -> Entry:
    try:
        return Entry("object", value["size"], value["sha256"], tuple(value["chunks"]))
    except (KeyError, TypeError) as error:
        raise BadInput("An entry is not what it should be.") from error


def _failure(error: Exception) -> bytes:
    if isinstance(error, MldeskError):
        return frame(Frame.FAILED, {"code": error.code, "message": error.message[:2000], "hint": error.hint[:2000]})
    return frame(Frame.FAILED, {"code": "runner_failed", "message": f"The runner's disk refused: {error}"[:2000],
                                "hint": ""})


def _write(*pieces: Buffer) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view):]


def _widen() -> None:
    """Let the pipes to sshd hold more, where they are pipes and the system lets us."""
    with contextlib.suppress(OSError, ImportError):
        import fcntl  # Unix only

        for handle in (0, 1):
            fcntl.fcntl(handle, _SET_PIPE_SIZE, _PIPE)
