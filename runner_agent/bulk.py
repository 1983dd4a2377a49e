"""``python -m runner_agent receive`` and ``send``: objects in bulk over stdin and stdout; see mldesk.wire.bulk.

Beside the agent and not through it: they share only the object store, which any number of processes may use at once.
What has come of a chunk when its caller is cut off is kept, and told to the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from mldesk.core.errors import BadInput, MldeskError
from mldesk.core.filelock import acquire, release
from mldesk.wire.bulk import HEADER, NO_DIGEST, Buffer, Frame, Received, Torn, frame, header, lack, read_parts
from mldesk.wire.intake import Intake
from mldesk.wire.manifest import CHUNK, PART, Entry, check_digest
from mldesk.wire.objects import ObjectMissing, ObjectStore
from runner_agent.ballast import require_room
from runner_agent.bridge import arguments_of, refuse, say
from runner_agent.place import Place

SILENCE = 300.0            # seconds without a byte from the caller, who may be reading its own slow disk
_PIPE = 1024 * 1024        # bytes a pipe to sshd may hold: fewer turns between it and us
_SET_PIPE_SIZE = 1031      # F_SETPIPE_SZ of Linux; Python's fcntl has a name for it since 3.10, not everywhere
_SMALL = 4096              # bytes that are read into memory of their own
_UNSAID = 64               # answers that wait to go out together while more is coming in
_AHEAD = 4                 # frames, or parts of one, that are read before it is their turn
_PATIENCE = 5.0            # seconds that a plan waits for busy receivers of the same, whose callers may be gone
_IDLE = 0.3                # seconds without a byte after which a receiver is not busy
_LOOK = 0.01               # seconds between looks whether they have ended


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
        return _serve(talk.answer, talk.rest)


def _serve(answer: Callable[[Received], Sequence[Buffer]], rest: Callable[[], None]) -> int:
    asked, unsaid = Ahead(), bytearray()
    while True:
        try:
            if unsaid and (len(unsaid) > _UNSAID * HEADER.size or asked.idle):
                _write(unsaid)
                unsaid = bytearray()
            given = asked.next(rest)
            if given is None or given.kind is Frame.END:
                _write(unsaid)
                return 0
            said = answer(given)
            if not said:
                continue
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
        self._stdin = Stdin(_AHEAD + 2)  # those that wait, the one that is worked on, the one that is read into
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be answered."""
        return self._frames.empty()

    def next(self, rest: Callable[[], None]) -> Received | None:
        """Return the next frame, whose body is good until the next call; None at the end. Raises Torn, OSError.

        Calls ``rest`` now and then while nothing comes.
        """
        while True:
            with contextlib.suppress(queue.Empty):
                given = self._frames.get(timeout=_IDLE)
                break
            if self._stdin.silent > _IDLE:
                rest()
        if isinstance(given, Exception):
            raise given
        return given

    def _read(self) -> None:
        given: Received | None = None
        try:
            while given is None or given.kind is not Frame.END:
                given = None
                for given in read_parts(self._stdin, PART):
                    self._frames.put(given)
                if given is None:
                    self._frames.put(None)
                    return
        except (MldeskError, OSError) as error:
            self._frames.put(error)


class Taking:
    """What ``receive`` does with its frames."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._intake: Intake | None = None
        self._turn: BinaryIO | None = None
        self._rests = False
        self._gathered = bytearray()  # of a chunk without a plan

    def answer(self, given: Received) -> Sequence[Buffer]:
        """Do what a frame asks for; return what to say. Raises MldeskError, OSError."""
        if self._rests and self._turn is not None:
            acquire(self._turn.fileno(), shared=True)
            self._rests = False
        if given.kind is Frame.PLAN:
            return self._plan(given.json())
        if given.kind is Frame.CHUNK:
            self._chunk(given)
            if given.left:
                return ()
        elif given.kind is Frame.OBJECT:
            if hashlib.sha256(given.body).hexdigest() != given.digest:
                raise Torn("A piece came in damaged.", hint="Send it again.")
            self._store.put_bytes(bytes(given.body))
        elif given.kind is Frame.ENTRY:
            self._store.assemble(_entry(given.json()))
        elif given.kind is Frame.COMPLETE and self._intake is not None:
            self._intake.finish()
            (self._store.coming / f"{check_digest(given.json().get('manifest', ''))}.turn").unlink(missing_ok=True)
        elif given.kind is Frame.COMPLETE:
            self._store.complete(check_digest(given.json().get("manifest", "")))
        else:
            raise Torn(f"A {given.kind.name} frame has no place here.")
        return (frame(Frame.DONE),)

    def rest(self) -> None:
        """Hold up no other plan while nothing comes: the line may be gone without a word."""
        if self._turn is not None and not self._rests:
            release(self._turn.fileno())
            self._rests = True

    def close(self) -> None:
        """Let go of what did not come whole."""
        if self._intake is not None:
            self._intake.close()
        if self._turn is not None:
            self._turn.close()

    def _plan(self, given: dict[str, Any]) -> Sequence[Buffer]:
        if self._intake is not None:
            raise BadInput("There is a plan already.")
        try:
            entries = self._store.manifest(check_digest(given.get("manifest", ""))).entries
        except ObjectMissing:
            body = b"\0"
        else:
            self._take_turn(given["manifest"], given.get("lead") is True)
            self._intake = Intake(self._store, entries, lead=given.get("lead") is True)
            require_room(self._store.root, sum(piece.size for piece in self._intake.wanted))
            body = lack(self._intake.bitmap(), self._intake.begun() if given.get("begun") is True else {})
        return header(Frame.LACK, body), body

    def _take_turn(self, manifest: str, lead: bool) -> None:
        """Wait until receivers that were cut off have written down what still came to them: it is not sent again."""
        self._turn = open(self._store.coming / f"{manifest}.turn", "ab")  # noqa: SIM115 - see close
        os.utime(self._turn.fileno())
        deadline = time.monotonic() + _PATIENCE
        while lead and not acquire(self._turn.fileno(), wait=False) and time.monotonic() < deadline:
            time.sleep(_LOOK)
        acquire(self._turn.fileno(), shared=True)

    def _chunk(self, given: Received) -> None:
        if self._intake is not None:
            self._intake.put_part(given.digest, given.body, given.left)
            return
        self._gathered += given.body
        if given.left:
            return
        chunk, self._gathered = self._gathered, bytearray()
        try:
            self._store.put_chunk(given.digest, chunk)
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

    def rest(self) -> None:
        """Nothing is held that others wait for."""

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

    def __init__(self, last: int) -> None:
        """The bytes of the ``last`` large calls stay as they are."""
        self._buffers, self._number = [memoryview(b"")] * last, 0
        self._heard = time.monotonic()

    @property
    def silent(self) -> float:
        """Seconds since the last byte; none while there is one to read."""
        return 0.0 if select.select([0], [], [], 0)[0] else time.monotonic() - self._heard

    def __call__(self, count: int) -> memoryview:
        """Return the bytes."""
        view, have = self._space(count), 0
        while have < count and select.select([0], [], [], SILENCE)[0]:
            got = os.readv(0, [view[have:]])
            if not got:
                break
            have += got
            self._heard = time.monotonic()
        return view[:have]

    def _space(self, count: int) -> memoryview:
        if count <= _SMALL:
            return memoryview(bytearray(count))
        self._number = (self._number + 1) % len(self._buffers)
        if count > len(self._buffers[self._number]):
            self._buffers[self._number] = memoryview(bytearray(count))
        return self._buffers[self._number][:count]


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
    """Say something. Once nobody listens, words go nowhere: what was sent before the line broke is still taken in."""
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(1, view):]
    except (BrokenPipeError, ConnectionResetError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def _widen() -> None:
    """Let the pipes to sshd hold more, where they are pipes and the system lets us."""
    with contextlib.suppress(OSError, ImportError):
        import fcntl  # Unix only

        for handle in (0, 1):
            fcntl.fcntl(handle, _SET_PIPE_SIZE, _PIPE)
