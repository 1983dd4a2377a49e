"""Bringing objects from a runner here, several pieces on their way at a time; only what was asked for is kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from mldesk.core import durable
from mldesk.core.errors import BadInput, LibraryDamaged
from mldesk.runners import answers
from mldesk.runners.ssh.programs import Opened, Reader
from mldesk.runners.ssh.stream import StreamEnded
from mldesk.runners.ssh.transfer import Cut, Progress, raise_failure
from mldesk.wire.bulk import ASKED, IN_FLIGHT, Frame, Torn, frame, read_frame
from mldesk.wire.coming import Coming
from mldesk.wire.intake import Intake
from mldesk.wire.manifest import CHUNK
from mldesk.wire.objects import ObjectStore

MAX_FETCH = 1 << 40        # bytes of one artifact that a runner may make us take
_BROKE = "The connection to the runner broke while data came from there."


class Download:
    """Asks a ``send`` program for pieces of objects."""

    def __init__(self, opened: Opened) -> None:
        self._stream = opened.stream
        self._read = Reader(opened, CHUNK)

    def pieces(self, wanted: Iterable[tuple[str, int, int]]) -> Iterator[memoryview]:
        """Give the bytes of each (digest, offset, length), in order, in a buffer that the next one uses again.

        Raises Cut, NotFound, what the runner answered.
        """
        waiting: deque[int] = deque()
        unasked, asked = bytearray(), 0
        for digest, offset, length in wanted:
            unasked += frame(Frame.WANT, {"digest": digest, "offset": offset, "length": length})
            waiting.append(length)
            asked += length
            if len(waiting) >= ASKED or asked >= IN_FLIGHT:
                unasked = self._ask(unasked)
                while len(waiting) > ASKED // 2 or asked >= IN_FLIGHT:
                    asked -= waiting[0]
                    yield self._next(waiting.popleft())
        self._ask(unasked)
        while waiting:
            yield self._next(waiting.popleft())

    def close(self) -> None:
        """End the channel."""
        self._stream.release()

    def _ask(self, questions: bytearray) -> bytearray:
        try:
            self._stream.write(memoryview(questions))
        except StreamEnded as error:
            raise Cut(_BROKE) from error
        return bytearray()

    def _next(self, length: int) -> memoryview:
        try:
            answer = read_frame(self._read)
        except Torn as error:
            raise Cut(str(error)) from error
        if answer is None:
            raise Cut(_BROKE)
        raise_failure(answer)
        if answer.kind is not Frame.DATA or len(answer.body) != length:
            raise answers.BadAnswer
        return memoryview(answer.body)


def take_object(opened: Opened, digest: str, size: int, store: ObjectStore, progress: Progress | None = None) -> None:
    """Bring one object of ``size`` bytes here. Raises as Download.pieces; BadAnswer if it is not what was named."""
    download = Download(opened)
    try:
        with durable.disk_errors("bringing a file here"):
            coming = Coming(store.coming, digest, size, read_soon=False)
            lacking = coming.lacking()
            moved, total = 0, sum(map(coming.length, lacking))
            pieces = download.pieces((digest, index * CHUNK, coming.length(index)) for index in lacking)
            for index, data in zip(lacking, pieces, strict=True):
                coming.put(index, data)
                moved += len(data)
                if progress is not None:
                    progress(moved, total)
            coming.name(store)
    except (LibraryDamaged, BadInput) as error:
        raise answers.BadAnswer from error
    finally:
        download.close()


def take_files(opened: Opened, manifest: str, store: ObjectStore, progress: Progress | None = None) -> int:
    """Bring the files of a manifest that is here; return the bytes that had to come. Raises as ``take_object``."""
    download = Download(opened)
    try:
        entries = store.manifest(manifest).entries
        if sum(entry.size for entry in entries) > MAX_FETCH:
            raise answers.BadAnswer
        with Intake(store, entries, read_soon=False) as intake:
            wanted = intake.wanted
            moved, total = 0, sum(piece.size for piece in wanted)
            pieces = download.pieces((piece.entry.sha256, piece.index * CHUNK, piece.size) for piece in wanted)
            for piece, data in zip(wanted, pieces, strict=True):
                intake.put(piece.digest, data)
                moved += len(data)
                if progress is not None:
                    progress(moved, total)
            intake.finish()
        return total
    except (LibraryDamaged, BadInput) as error:  # it is not what the manifest says
        raise answers.BadAnswer from error
    finally:
        download.close()
