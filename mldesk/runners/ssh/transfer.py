"""Objects over a bulk channel: what the runner lacks goes up, what we lack comes down, several frames in flight.

A transfer that is cut off raises; doing it again moves only what had not arrived.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator

from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged, MldeskError, NotFound, RunnerUnreachable
from mldesk.runners import answers
from mldesk.runners.ssh.programs import Opened, Reader
from mldesk.runners.ssh.stream import StreamEnded
from mldesk.wire.bulk import IN_FLIGHT, Frame, Received, Torn, frame, header, read_frame
from mldesk.wire.manifest import CHUNK, Entry
from mldesk.wire.objects import ObjectStore

Have = Callable[[list[str]], set[str]]       # of these digests, the ones that the runner lacks
Progress = Callable[[int, int], None]        # bytes moved, bytes to move; called in the transfer's thread
MAX_FETCH = 1 << 40        # bytes of one artifact that a runner may make us take
_KINDS: dict[str, type[MldeskError]] = {"disk_full": DiskFull, "object_missing": NotFound, "not_found": NotFound,
                                        "library_damaged": LibraryDamaged}


class Cut(RunnerUnreachable):
    """The channel ended in the middle; what arrived before is kept."""


class Upload:
    """Sends frames, at most IN_FLIGHT of them unanswered; a thread of its own hears the answers."""

    def __init__(self, opened: Opened) -> None:
        self._stream = opened.stream
        self._read = Reader(opened)
        self._room = threading.Semaphore(IN_FLIGHT)
        self._error: MldeskError | None = None
        self._sent = self._done = 0
        self._ended = False
        self._hearing = threading.Thread(target=self._hear, name="mldesk-upload-answers", daemon=True)
        self._hearing.start()

    def send(self, kind: Frame, body: bytes, digest: str = "") -> None:
        """Send one frame, waiting for room. Raises Cut, or what the runner answered."""
        self._room.acquire()
        if self._error is not None:
            raise self._error
        try:
            self._stream.write(header(kind, body, digest))
            self._stream.write(body)
        except StreamEnded as error:
            self._hearing.join(1.0)  # it may know better why
            raise self._error or Cut("The connection to the runner broke while data went there.") from error
        self._sent += 1

    def finish(self) -> None:
        """Wait until everything is answered. Raises Cut, or what the runner answered."""
        try:
            self._ended = True
            self._stream.write(frame(Frame.END))
            self._stream.finish()
        except StreamEnded as error:
            raise self._error or Cut("The connection to the runner broke while data went there.") from error
        self._hearing.join()
        if self._error is not None:
            raise self._error
        if self._done != self._sent:
            raise Cut("The connection to the runner broke while data went there.")

    def close(self) -> None:
        """End the channel, whatever is still on its way."""
        self._stream.close()
        self._hearing.join(5.0)
        self._stream.release()

    def _hear(self) -> None:
        try:
            while (answer := read_frame(self._read)) is not None:
                _raise_failure(answer)
                self._done += 1
                self._room.release()
            if not self._ended:
                raise Cut("The runner ended the transfer.")
        except MldeskError as error:
            self._error = Cut(str(error)) if isinstance(error, Torn) else error
        finally:
            self._room.release(IN_FLIGHT + 1)  # nobody waits for what no longer comes


def bring(opened: Opened, manifest: str, store: ObjectStore, have: Have, progress: Progress | None = None) -> int:
    """Bring a manifest and all its files to the runner; return the bytes that had to go.

    ``opened`` is a ``receive`` program, which is ended. Raises Cut, DiskFull, ObjectMissing for what is not here.
    """
    upload = Upload(opened)
    try:
        moved, pieces = 0, list(_pieces(manifest, store, have))
        total = sum(size for _, _, size, _ in pieces)
        for kind, digest, size, load in pieces:
            upload.send(kind, load(), digest)
            moved += size
            if progress is not None:
                progress(moved, total)
        upload.send(Frame.COMPLETE, frame(Frame.COMPLETE, {"manifest": manifest})[_HEAD:])
        upload.finish()
        return total
    finally:
        upload.close()


_HEAD = len(header(Frame.END, b""))
Piece = tuple[Frame, str, int, Callable[[], bytes]]  # kind, digest, bytes, how to read it when its turn comes


def _pieces(manifest: str, store: ObjectStore, have: Have) -> Iterator[Piece]:
    """Name what the runner lacks: the manifest first, whole small files, chunks of large ones."""
    entries = {entry.sha256: entry for entry in store.manifest(manifest).entries}
    lacking = have([manifest, *entries])
    if manifest in lacking:
        yield from _whole(manifest, store, have)
    large = [entry for digest, entry in entries.items() if digest in lacking and len(entry.chunks) > 1]
    absent = have(list(dict.fromkeys(chunk for entry in large for chunk in entry.chunks))) if large else set()
    for digest, entry in entries.items():
        if digest in lacking and len(entry.chunks) == 1:
            yield Frame.OBJECT, digest, entry.size, lambda digest=digest: store.read(digest)  # type: ignore[misc]
    for entry in large:
        for index, chunk in enumerate(entry.chunks):
            if chunk in absent:
                absent.discard(chunk)
                yield (Frame.CHUNK, chunk, entry.chunk_size(index),
                       lambda entry=entry, index=index: store.read_chunk(entry, index))  # type: ignore[misc]


def _whole(digest: str, store: ObjectStore, have: Have) -> Iterator[Piece]:
    """Bring an object that stands for itself, in chunks if it is large."""
    data = store.read(digest)
    if len(data) <= CHUNK:
        yield Frame.OBJECT, digest, len(data), lambda: data
        return
    parts = [data[at:at + CHUNK] for at in range(0, len(data), CHUNK)]
    names = [hashlib.sha256(part).hexdigest() for part in parts]
    absent = have(names)
    for name, part in zip(names, parts, strict=True):
        if name in absent:
            yield Frame.CHUNK, name, len(part), lambda part=part: part  # type: ignore[misc]
    body = frame(Frame.ENTRY, {"size": len(data), "sha256": digest, "chunks": names})[_HEAD:]
    yield Frame.ENTRY, "", len(body), lambda: body


class Download:
    """Asks a ``send`` program for pieces of objects, several at a time."""

    def __init__(self, opened: Opened) -> None:
        self._stream = opened.stream
        self._read = Reader(opened)

    def pieces(self, wanted: Iterable[tuple[str, int, int]]) -> Iterator[bytes]:
        """Give the bytes of each (digest, offset, length), in order. Raises Cut, NotFound, what the runner answered."""
        waiting: list[int] = []
        for digest, offset, length in wanted:
            self._write(frame(Frame.WANT, {"digest": digest, "offset": offset, "length": length}))
            waiting.append(length)
            if len(waiting) >= IN_FLIGHT:
                yield self._next(waiting.pop(0))
        while waiting:
            yield self._next(waiting.pop(0))

    def close(self) -> None:
        """End the channel."""
        self._stream.release()

    def _write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
        except StreamEnded as error:
            raise Cut("The connection to the runner broke while data came from there.") from error

    def _next(self, length: int) -> bytes:
        try:
            answer = read_frame(self._read)
        except Torn as error:
            raise Cut(str(error)) from error
        if answer is None:
            raise Cut("The connection to the runner broke while data came from there.")
        _raise_failure(answer)
        if answer.kind is not Frame.DATA or len(answer.body) != length:
            raise answers.BadAnswer
        return answer.body


def take_object(opened: Opened, digest: str, size: int, store: ObjectStore) -> None:
    """Bring one object of ``size`` bytes here. Raises as Download.pieces; BadAnswer if it is not what was named."""
    download = Download(opened)
    try:
        spans = [(digest, at, min(CHUNK, size - at)) for at in range(0, size, CHUNK)] or [(digest, 0, 0)]
        names: list[str] = []
        for data in download.pieces(spans):
            names.append(hashlib.sha256(data).hexdigest())
            if len(spans) > 1:
                store.put_chunk(names[-1], data)
            elif names[-1] != digest:
                raise answers.BadAnswer
            else:
                store.put_bytes(data)
        if len(spans) > 1:
            store.assemble(Entry("object", size, digest, tuple(names)))
    except LibraryDamaged as error:
        raise answers.BadAnswer from error
    finally:
        download.close()


def take_files(opened: Opened, manifest: str, store: ObjectStore, progress: Progress | None = None) -> int:
    """Bring the files of a manifest that is here; return the bytes that had to come. Raises as ``take_object``."""
    download = Download(opened)
    try:
        missing = store.missing(manifest)
        places: dict[str, tuple[Entry, int]] = {}
        for entry in missing.entries:
            for index, chunk in enumerate(entry.chunks):
                places.setdefault(chunk, (entry, index))
        plan = [(chunk, *places[chunk]) for chunk in missing.chunks]
        total = sum(entry.chunk_size(index) for _, entry, index in plan)
        if total > MAX_FETCH:
            raise answers.BadAnswer
        moved = 0
        pieces = download.pieces((entry.sha256, index * CHUNK, entry.chunk_size(index)) for _, entry, index in plan)
        for (chunk, _, _), data in zip(plan, pieces, strict=True):
            try:
                store.put_chunk(chunk, data)
            except BadInput as error:  # it is not what the manifest says
                raise answers.BadAnswer from error
            moved += len(data)
            if progress is not None:
                progress(moved, total)
        store.complete(manifest)
        return total
    finally:
        download.close()


def _raise_failure(answer: Received) -> None:
    if answer.kind is not Frame.FAILED:
        return
    facts = answer.json()
    message, hint = answers.plain(facts.get("message")), answers.plain(facts.get("hint"))
    if facts.get("code") == "bulk_torn":
        raise Cut(message)
    kind = _KINDS.get(str(facts.get("code")), RunnerUnreachable)
    raise kind(message or "The runner gives no reason.", hint=hint)
