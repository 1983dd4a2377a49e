"""One large file on its way here: chunks are written where they belong, and it is named once it is whole.

    ‹digest›.data    as long as the file will be, chunks in their places
    ‹digest›.marks   the boot in which it was written; one byte per chunk: 1 once that chunk is in its place;
                     four bytes per chunk (little-endian): how much is there of one that is not whole

What a process wrote outlives its death but not a power cut, so marks from another boot are checked against the chunks'
digests before they count, and chunks that had only begun are begun anew. Every byte is written at most once between two
looks at its mark, under a lock on the marks: several processes may bring the same file, and one that is late cannot
spoil what another has just named.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from mldesk.core.errors import BadInput, LibraryDamaged, NotFound
from mldesk.core.filelock import acquire
from mldesk.wire.batch import Naming
from mldesk.wire.boot import boot_id
from mldesk.wire.manifest import CHUNK, check_digest

_HEAD = 64                 # bytes before the first mark
_FAR = 4                   # bytes in which stands how far a chunk has come
_SYNC_EVERY = 64 * 1024 * 1024  # bytes after which what has come is sent to the disk, so that the end has little to do
_LOOK = 0.05               # seconds between looks for chunks that another process brings
_PAST = 64 * 1024 * 1024   # bytes from which on a file that nobody reads soon goes past the system's memory
_DIRECT = getattr(os, "O_DIRECT", 0)  # Linux
Buffer = bytes | bytearray | memoryview


class ChunksDamaged(BadInput):
    """Some chunks are not what they were announced as. They are forgotten, so the next try brings them again."""

    code = "chunks_damaged"


class ChunkAbsent(NotFound):
    """A chunk that was never brought is needed."""

    code = "object_missing"


class Coming:
    """A file of ``size`` bytes with this SHA-256. ``chunks``: the digests of its chunks, () where nobody knows them.

    ``read_soon``: whether somebody is about to read it. If not, and it is large, it goes to the disk at once and not by
    way of the system's memory for files: that is others' to use, and filling it costs more than all the rest.
    """

    def __init__(self, folder: Path, digest: str, size: int, chunks: tuple[str, ...] = (), *,
                 read_soon: bool = True) -> None:
        """Begin, or go on with what is there. Raises OSError."""
        self.digest, self.size, self.chunks = check_digest(digest), size, chunks
        self._data, self._marks = folder / f"{digest}.data", _marks_of(folder, digest)
        self._count = max(1, -(-size // CHUNK))
        self._known = bytearray(self._count)
        self._begun: dict[int, int] = {}
        with self._marking(make=True) as marks:
            self._go_on(marks)
        self._direct = bool(_DIRECT) and not read_soon and size >= _PAST
        # What is written past the memory is hashed as it comes: while it comes in order, and only where each chunk has
        # a digest, so that no other process takes a right one back and writes something else there.
        self._hashing = self._direct and bool(chunks) and not any(self._known)
        self._whole, self._hashed = hashlib.sha256(), 0

    def lacking(self) -> list[int]:
        """Return the numbers of the chunks that have not come, as this object knows."""
        return [index for index, mark in enumerate(self._known) if not mark]

    def begun(self, index: int) -> int:
        """Return how many bytes of a chunk are here, from its beginning, as this object knows."""
        return self.length(index) if self._known[index] else self._begun.get(index, 0)

    def hand_over(self, path: Path) -> None:
        """Move it there, whatever has come. Raises FileNotFoundError where it is no longer here."""
        with self._marking():
            os.replace(self._data, path)
            self._marks.unlink()

    def length(self, index: int) -> int:
        """Return the bytes of a chunk."""
        return min(CHUNK, self.size - index * CHUNK)

    def put(self, index: int, data: Buffer) -> None:
        """Write a chunk into its place, unless it is there. Its digest is looked at when the file is whole.

        Raises BadInput for a wrong length; FileNotFoundError once the file was named, or swept away.
        """
        if len(data) != self.length(index):
            raise BadInput("A piece came in with a wrong length.")
        ours = self._put(index, data, 0)
        if self._hashing and ours and index == self._hashed:
            self._whole.update(data)
            self._hashed += 1
        else:
            self._hashing = False  # the rest is read when it is named

    def put_part(self, index: int, data: Buffer, offset: int) -> bool:
        """Write a part of a chunk, which begins ``offset`` bytes into it; say whether the chunk is whole now.

        Raises as ``put``; ChunkAbsent where what goes before it is not here.
        """
        if not 0 <= offset <= offset + len(data) <= self.length(index):
            raise BadInput("A piece came in with a wrong length.")
        self._hashing = False
        self._put(index, data, offset)
        return bool(self._known[index])

    def name(self, store: Naming, wait: Callable[[float], bool] = lambda _seconds: False) -> None:
        """Hash the file while it comes, then give it its name.

        ``wait`` sleeps while a chunk is awaited and says whether more may come. Raises ChunkAbsent when it says no,
        ChunksDamaged, LibraryDamaged where the chunks are right and the file is not, OSError.
        """
        with open(self._data, "rb", buffering=0) as file:
            if self._hash(file, wait) != self.digest:
                raise self._forget_bad(file)
        with self._marking():
            store.name_all([(self.digest, self._data)])
            self._marks.unlink(missing_ok=True)

    # --- inside

    def _put(self, index: int, data: Buffer, offset: int) -> bool:
        """Write what is not there yet; say whether that was all of ``data``."""
        end, length = offset + len(data), self.length(index)
        with self._marking() as marks:
            there = self._there(marks, index)
            if there < offset:
                raise ChunkAbsent(f"The beginning of a piece of the file {self.digest[:12]}… has not come.",
                                  hint="Send it again.")
            if there < end or not length:
                self._write(index * CHUNK + there, memoryview(data)[there - offset:])
                marks.seek(_HEAD + index if end == length else self._far(index))
                marks.write(b"\1" if end == length else end.to_bytes(_FAR, "little"))
        self._begun[index] = max(there, end)
        self._known[index] = self._begun[index] == length
        return there == offset

    def _there(self, marks: BinaryIO, index: int) -> int:
        marks.seek(_HEAD + index)
        if marks.read(1) == b"\1":
            return self.length(index)
        marks.seek(self._far(index))
        return int.from_bytes(marks.read(_FAR), "little")

    def _far(self, index: int) -> int:
        return _HEAD + self._count + _FAR * index

    def _write(self, offset: int, data: Buffer) -> None:
        done = self._write_past(offset, data) if self._direct and len(data) == CHUNK else 0
        if done < len(data):
            with open(self._data, "r+b", buffering=0) as file:
                file.seek(offset + done)
                _write_all(file, memoryview(data)[done:])

    def _write_past(self, offset: int, data: Buffer) -> int:
        """Write past the system's memory; return the bytes that went, none where the disk or the buffer forbid it."""
        handle = -1
        try:
            handle = os.open(self._data, os.O_WRONLY | _DIRECT)
            return os.pwrite(handle, data, offset)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
            self._direct = False
            return 0
        finally:
            if handle >= 0:
                os.close(handle)

    @contextlib.contextmanager
    def _marking(self, make: bool = False) -> Iterator[BinaryIO]:
        """Open the marks and hold their lock. Raises FileNotFoundError where there are none to open."""
        while True:
            if make:
                with contextlib.suppress(FileExistsError), open(self._marks, "xb"):
                    pass
            with open(self._marks, "r+b", buffering=0) as marks:
                acquire(marks.fileno())
                if os.name != "nt" and not _same(marks, self._marks):  # removed while we waited for the lock
                    continue
                yield marks
                return

    def _go_on(self, marks: BinaryIO) -> None:
        """Take in the marks that count, writing down that they do in this boot."""
        boot, seen = boot_id().encode()[:_HEAD].ljust(_HEAD), marks.read()
        whole = len(seen) in (self._far(0), self._far(self._count)) and _size(self._data) == self.size
        kept = bytearray(seen[_HEAD:self._far(0)]) if whole else bytearray(self._count)
        begun = seen[self._far(0):] if whole and seen[:_HEAD] == boot else b""
        if whole and seen[:_HEAD] != boot:
            with open(self._data, "rb", buffering=0) as file:
                self._doubt(file, kept)
        if not whole:
            with open(self._data, "ab") as data:
                data.truncate(self.size)
        if not begun:  # it is new, of another boot, or of a version that knew whole chunks only
            marks.seek(0)
            marks.truncate()
            _write_all(marks, boot + kept + bytes(_FAR * self._count))
        os.utime(self._data)  # no sweep takes it while it is being brought
        self._known[:] = kept
        for index in self.lacking() if any(begun) else ():
            self._begun[index] = int.from_bytes(begun[_FAR * index:_FAR * (index + 1)], "little")

    def _doubt(self, file: BinaryIO, marks: bytearray) -> None:
        """Take back the marks of chunks that are not what they should be."""
        for index in range(self._count):
            if marks[index] and not (self.chunks and self._right(file, index)):
                marks[index] = 0

    def _right(self, file: BinaryIO, index: int) -> bool:
        file.seek(index * CHUNK)
        return hashlib.sha256(file.read(self.length(index))).hexdigest() == self.chunks[index]

    def _hash(self, file: BinaryIO, wait: Callable[[float], bool]) -> str:
        while self._hashing and self._hashed < self._count and wait(_LOOK):
            pass
        whole, buffer, unsynced = self._whole.copy(), memoryview(bytearray(CHUNK)), 0
        file.seek(self._hashed * CHUNK)
        for index in range(self._hashed, self._count):
            self._await(index, wait)
            length = self.length(index)
            if file.readinto(buffer[:length]) != length:  # type: ignore[attr-defined]  # a raw file has it
                raise OSError(f"the file of {self.size} bytes became shorter while it came")
            whole.update(buffer[:length])
            unsynced += length
            if unsynced >= _SYNC_EVERY and hasattr(os, "fdatasync"):
                os.fdatasync(file.fileno())
                unsynced = 0
        return whole.hexdigest()

    def _await(self, index: int, wait: Callable[[float], bool]) -> None:
        more = True
        while not self._known[index]:
            if not more:
                raise ChunkAbsent(f"A piece of the file {self.digest[:12]}… has not come.", hint="Send it again.")
            more = wait(_LOOK)
            with contextlib.suppress(FileNotFoundError), open(self._marks, "rb", buffering=0) as marks:
                self._known[:] = marks.read()[_HEAD:self._far(0)].ljust(self._count, b"\0")

    def _forget_bad(self, file: BinaryIO) -> Exception:
        """Take back the marks of chunks that are wrong; return what is to be raised."""
        with self._marking() as marks:
            marks.seek(_HEAD)
            kept = bytearray(marks.read(self._count))
            self._doubt(file, kept)
            marks.seek(_HEAD)
            _write_all(marks, kept + bytes(_FAR * self._count))
        self._known[:] = kept
        self._begun.clear()
        if all(kept):
            for path in (self._data, self._marks):
                path.unlink(missing_ok=True)
            return LibraryDamaged("The chunks of a file do not make the file they were sent for.",
                                  hint="The manifest itself is wrong; make it anew where it comes from.")
        return ChunksDamaged("A piece came in damaged.", hint="Send it again.")


def is_begun(folder: Path, digest: str) -> bool:
    """Say whether something of a file has come and is not named yet."""
    return _marks_of(folder, digest).exists()


def sweep(folder: Path, older_than: float) -> None:
    """Remove what nobody has brought on for ``older_than`` seconds."""
    for path in list(folder.iterdir()):
        with contextlib.suppress(FileNotFoundError):
            pair = path.with_suffix(".data") if path.suffix == ".marks" else path
            newest = max(_changed(path), _changed(pair))
            if time.time() - newest >= older_than:
                path.unlink()


def _marks_of(folder: Path, digest: str) -> Path:
    return folder / f"{check_digest(digest)}.marks"


def _changed(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0


def _same(file: BinaryIO, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return -1


def _write_all(file: BinaryIO, data: Buffer) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view):]
