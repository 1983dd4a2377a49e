"""Bringing a manifest and its files to a runner: the runner says what it lacks, and that goes over one or more lanes.

A lane is a bulk channel with a ``receive`` program at its end. The window of one channel is what the host's sshd
grants, about 2 MiB, so a long line needs several to be filled.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.runners import answers
from mldesk.runners.ssh.programs import Opened, Reader
from mldesk.runners.ssh.stream import StreamEnded
from mldesk.runners.ssh.transfer import Cut, Damaged, Progress, raise_failure
from mldesk.wire.bulk import Frame, Received, Torn, Unreadable, frame, header, read_frame, read_lack
from mldesk.wire.manifest import CHUNK, Piece, pieces_of
from mldesk.wire.objects import ObjectStore

Have = Callable[[list[str]], set[str]]             # of these digests, the ones that the runner lacks
More = Callable[[int], Sequence[Opened]]           # further ``receive`` programs that so many bytes are worth
_HEAD = len(header(Frame.END, b""))
_SMALL = 64 * 1024         # bytes of a body that travels together with its neighbours
_TOGETHER = 128 * 1024     # bytes that go out at once
_STEP = 1024 * 1024        # bytes between two words of progress
_BROKE = "The connection to the runner broke while data went there."
_names = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One piece, and in which kind of frame it goes."""

    kind: Frame
    piece: Piece
    there: int = 0             # bytes of it that are there, from its beginning

    @property
    def size(self) -> int:
        """Bytes that have to go."""
        return self.piece.size - self.there


class Lane:
    """Sends frames; a thread of its own hears the answers."""

    def __init__(self, opened: Opened) -> None:
        self._stream = opened.stream
        self._read = Reader(opened)
        told = opened.facts.get("bulk_newest")
        newest = told if type(told) is int else 1
        self.plans = newest >= 2
        self._begun = {"begun": True} if newest >= 3 else {}
        self._waiting = bytearray()
        self._error: MldeskError | None = None
        self._sent = self._done = 0
        self._ended = False
        self._hearing: threading.Thread | None = None

    def plan(self, manifest: str, lead: bool) -> bytes:
        """Tell what is to come; return what the runner says of it, see ``read_lack``.

        For before the first ``send`` and after one of the manifest. Raises Cut, what the runner answered.
        """
        self._put(frame(Frame.PLAN, {"manifest": manifest, "lead": lead, **self._begun}))
        self._flush()
        while (answer := self._answer()) is not None:
            raise_failure(answer)
            if answer.kind is Frame.LACK and answer.body:
                return bytes(answer.body)
            if answer.kind is not Frame.DONE:
                raise answers.BadAnswer
            self._done += 1
        raise Cut("The runner ended the transfer.")

    def send(self, kind: Frame, body: bytes | memoryview, digest: str = "",
             moved: Callable[[int], None] = lambda _bytes: None) -> None:
        """Send one frame; ``moved`` hears of its bytes as they go. Raises Cut, or what the runner answered."""
        self._sent += 1
        self._put(header(kind, body, digest))
        if len(body) <= _SMALL:
            self._put(body)
            moved(len(body))
            return
        self._flush()
        for at in range(0, len(body), _STEP):
            self._write(part := body[at:at + _STEP])
            moved(len(part))

    def listen(self) -> None:
        """Begin to hear the answers to what is sent."""
        self._hearing = threading.Thread(target=self._hear, name=f"mldesk-upload-{next(_names)}", daemon=True)
        self._hearing.start()

    def finish(self) -> None:
        """Wait until everything is answered. Raises Cut, or what the runner answered."""
        self._ended = True
        self._put(frame(Frame.END))
        self._flush()
        try:
            self._stream.finish()
        except StreamEnded as error:
            raise self._error or Cut(_BROKE) from error
        assert self._hearing is not None  # noqa: S101 - for mypy
        self._hearing.join()
        if self._error is not None:
            raise self._error
        if self._done != self._sent:
            raise Cut(_BROKE)

    def close(self) -> None:
        """End the channel, whatever is still on its way."""
        self._stream.close()
        if self._hearing is not None:
            self._hearing.join(5.0)
        self._stream.release()

    # --- inside

    def _put(self, data: bytes | memoryview) -> None:
        self._waiting += data
        if len(self._waiting) >= _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, bytearray()
        if waiting:
            self._write(memoryview(waiting))

    def _write(self, data: bytes | memoryview) -> None:
        if self._error is not None:
            raise self._error
        try:
            self._stream.write(data)
        except StreamEnded as error:
            if self._hearing is not None:
                self._hearing.join(1.0)  # it may know better why
            raise self._error or Cut(_BROKE) from error

    def _answer(self) -> Received | None:
        try:
            return read_frame(self._read)
        except Torn as error:
            raise Cut(str(error)) from error

    def _hear(self) -> None:
        try:
            while (answer := self._answer()) is not None:
                raise_failure(answer)
                self._done += 1
            if not self._ended:
                raise Cut("The runner ended the transfer.")
        except MldeskError as error:
            self._error = error


def bring(opened: Opened, manifest: str, store: ObjectStore, have: Have, progress: Progress | None = None,
          more: More = lambda _bytes: ()) -> int:
    """Bring a manifest and all its files to the runner; return the bytes that had to go.

    ``opened`` is a ``receive`` program, which is ended, as are those of ``more``. Raises Cut, DiskFull, ObjectMissing
    for what is not here, LibraryDamaged where a file here has changed.
    """
    lead = Lane(opened)
    with contextlib.ExitStack() as closing:
        closing.callback(lead.close)
        try:
            parcels = _lacking(lead, manifest, store, have)
            total = sum(parcel.size for parcel in parcels)
            lanes = [lead]
            for another in more(total) if lead.plans else ():
                lanes.append(Lane(another))
                closing.callback(lanes[-1].close)
            _Sending(store, parcels, lanes, progress, total).run(manifest)
            lead.send(Frame.COMPLETE, frame(Frame.COMPLETE, {"manifest": manifest})[_HEAD:])
            lead.finish()
        except Damaged as error:
            store.verify_manifest(manifest)  # it may be our own disk
            raise RunnerUnreachable("The data arrived damaged on the runner.",
                                    hint="Try again; if it happens again, check that machine's disk.") from error
        return total


def _lacking(lane: Lane, manifest: str, store: ObjectStore, have: Have) -> list[Parcel]:
    """Make the plan; return what is to go. The manifest itself has gone then."""
    if not lane.plans:
        return _by_asking(lane, manifest, store, have)
    pieces = pieces_of(store.manifest(manifest).entries)
    try:
        lacking = read_lack(lane.plan(manifest, True), pieces)
        if lacking is None:
            _send_whole(lane, manifest, store, have)
            lacking = read_lack(lane.plan(manifest, True), pieces)
    except Unreadable as error:
        raise answers.BadAnswer from error
    if lacking is None:
        raise answers.BadAnswer
    lane.listen()
    return [Parcel(Frame.CHUNK, pieces[number], there) for number, there in lacking.items()]


def _by_asking(lane: Lane, manifest: str, store: ObjectStore, have: Have) -> list[Parcel]:
    """What a runner of version 1 lacks: it takes whole small files, and chunks of large ones before they are asked."""
    lane.listen()
    entries = {entry.sha256: entry for entry in store.manifest(manifest).entries}
    lacking = have([manifest, *entries])
    if manifest in lacking:
        _send_whole(lane, manifest, store, have)
    pieces = pieces_of(entry for digest, entry in entries.items() if digest in lacking)
    chunks = [piece.digest for piece in pieces if len(piece.entry.chunks) > 1]
    absent = have(chunks) if chunks else set()
    return [Parcel(Frame.OBJECT if len(piece.entry.chunks) == 1 else Frame.CHUNK, piece) for piece in pieces
            if len(piece.entry.chunks) == 1 or piece.digest in absent]


def _send_whole(lane: Lane, digest: str, store: ObjectStore, have: Have) -> None:
    """Send an object that stands for itself, in chunks if it is large."""
    data = store.read(digest)
    if len(data) <= CHUNK:
        lane.send(Frame.OBJECT, data, digest)
        return
    parts = [data[at:at + CHUNK] for at in range(0, len(data), CHUNK)]
    names = [hashlib.sha256(part).hexdigest() for part in parts]
    absent = have(names)
    for name, part in zip(names, parts, strict=True):
        if name in absent:
            lane.send(Frame.CHUNK, part, name)
    lane.send(Frame.ENTRY, frame(Frame.ENTRY, {"size": len(data), "sha256": digest, "chunks": names})[_HEAD:])


class _Sending:
    """Several lanes that take the next piece each whenever they are free. The caller's thread is the first's."""

    def __init__(self, store: ObjectStore, parcels: list[Parcel], lanes: list[Lane], progress: Progress | None,
                 total: int) -> None:
        self._store, self._next, self._lanes = store, iter(parcels), lanes
        self._progress, self._total, self._moved, self._told = progress, total, 0, 0
        self._lock = threading.Lock()
        self._error: Exception | None = None

    def run(self, manifest: str) -> None:
        """Send everything; the other lanes have ended then. Raises Cut, what a runner answered, what a disk says."""
        threads = [threading.Thread(target=self._help, args=(lane, manifest), name=f"mldesk-lane-{next(_names)}",
                                    daemon=True) for lane in self._lanes[1:]]
        for thread in threads:
            thread.start()
        try:
            self._send(self._lanes[0], self._tell)
        except Exception as error:
            self._error = self._error or error
            for lane in self._lanes[1:]:
                lane.close()
            raise
        finally:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
                    self._tell()
        if self._error is not None:
            raise self._error

    def _help(self, lane: Lane, manifest: str) -> None:
        try:
            if lane.plan(manifest, False) == b"\0":
                raise answers.BadAnswer
            lane.listen()
            self._send(lane, lambda: None)
            lane.finish()
        except Exception as error:  # noqa: BLE001 - raised by ``run``
            self._error = self._error or error

    def _send(self, lane: Lane, tell: Callable[[], None]) -> None:
        def moved(count: int) -> None:
            with self._lock:
                self._moved += count
            tell()

        with contextlib.closing(_Source(self._store)) as source:
            for parcel in self._parcels():
                lane.send(parcel.kind, source.read(parcel.piece)[parcel.there:], parcel.piece.digest, moved)

    def _parcels(self) -> Iterator[Parcel]:
        while self._error is None:
            with self._lock:
                parcel = next(self._next, None)
            if parcel is None:
                return
            yield parcel

    def _tell(self) -> None:
        if self._progress is not None and self._told != self._moved:
            self._told = self._moved
            self._progress(self._told, self._total)


class _Source:
    """Reads pieces from the store, unchecked: who takes them in looks at what they are."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._buffer = memoryview(bytearray(CHUNK))
        self._digest = ""
        self._file: BinaryIO | None = None

    def read(self, piece: Piece) -> memoryview:
        """Return the bytes, in a buffer that the next call uses again. Raises ObjectMissing, LibraryDamaged."""
        if self._file is None or self._digest != piece.entry.sha256:
            self.close()
            self._digest = piece.entry.sha256
            self._file = open(self._store.path(self._digest), "rb", buffering=0)  # noqa: SIM115 - see close
        self._file.seek(piece.index * CHUNK)
        view = self._buffer[:piece.size]
        if self._file.readinto(view) != piece.size:  # type: ignore[attr-defined]  # a raw file has it
            self._store.verify(self._digest)
        return view

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
