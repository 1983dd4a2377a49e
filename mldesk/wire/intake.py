"""Taking in what is missing of a manifest, chunk by chunk in any order, from a peer that nobody trusts.

Only chunks that were asked for are taken, each into its place in the staging file of its object (mldesk.wire.coming);
of one that comes in parts, what has come is kept. A thread hashes the large files as they grow; small files wait in
``.coming/‹digest›.‹token›.got``. ``finish`` gives everything its name. What came before an interruption is still there
for the next intake of the same data.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from mldesk.core import durable
from mldesk.core.errors import BadInput, DiskFull
from mldesk.core.sizes import size
from mldesk.wire.batch import BATCH
from mldesk.wire.beginnings import Beginnings
from mldesk.wire.coming import Buffer, ChunkAbsent, ChunksDamaged, Coming
from mldesk.wire.manifest import Entry, Piece, pieces_of
from mldesk.wire.objects import ObjectStore

_DOING = "bringing a file here"


class Intake:
    """The missing files of some entries on their way into a store. Used as a block; one thread puts.

    ``lead``: whether this one hashes and names the files. Of several intakes of the same files at once, which share
    the work, one does. ``read_soon``: see Coming.
    """

    def __init__(self, store: ObjectStore, entries: Iterable[Entry], *, lead: bool = True,
                 read_soon: bool = True) -> None:
        """Look at what is here already. Raises DiskFull when the rest does not fit, OSError."""
        self._store, self._lead = store, lead
        self._pieces = pieces_of(entries := list(entries))
        absent = store.absent(entries)
        self._large: dict[str, Coming] = {}
        self._places: dict[str, list[tuple[Coming, int]]] = {}
        self._small = {entry.sha256: entry.size for entry in absent if len(entry.chunks) == 1}
        self._beginnings = Beginnings(store.coming)
        self._staged: dict[str, Path] = {}
        self._staged.update(self._found())
        with durable.disk_errors(_DOING):
            for entry in absent:
                if len(entry.chunks) > 1:
                    self._expect(Coming(store.coming, entry.sha256, entry.size, entry.chunks, read_soon=read_soon))
        self._room()
        self._news, self._ended, self._stopped = threading.Condition(), False, False
        self._error: Exception | None = None
        self._following: threading.Thread | None = None

    @property
    def wanted(self) -> list[Piece]:
        """What has to come, in the order of the manifest."""
        return [piece for piece, lacking in zip(self._pieces, self._lacking(), strict=True) if lacking]

    def bitmap(self) -> bytes:
        """Return one bit for each of ``pieces_of(entries)``, most significant first: 1 where the piece has to come."""
        bits = "".join("1" if lacking else "0" for lacking in self._lacking())
        return int(bits.ljust(-len(bits) // 8 * -8, "0") or "0", 2).to_bytes(-(-len(bits) // 8), "big")

    def begun(self) -> dict[int, int]:
        """Return how many bytes of a piece that has to come are here, from its beginning, by its number in ``pieces``.

        Only where there are some.
        """
        there = {number: self._begun(piece) for number, (piece, lacking)
                 in enumerate(zip(self._pieces, self._lacking(), strict=True)) if lacking}
        return {number: count for number, count in there.items() if count}

    def put(self, digest: str, data: Buffer) -> None:
        """Take in one piece. Raises BadInput for one that is no part of this, ChunksDamaged, DiskFull, OSError."""
        self._put(digest, lambda coming, index: coming.put(index, data),
                  lambda size: self._put_small(digest, size, data))

    def put_part(self, digest: str, data: Buffer, left: int) -> None:
        """Take in a part of a piece, after which ``left`` bytes of it are to come. Raises as ``put``, ChunkAbsent."""
        def to_large(coming: Coming, index: int) -> None:
            coming.put_part(index, data, coming.length(index) - left - len(data))

        self._put(digest, to_large, lambda size: self._put_small_part(digest, size, data, size - left - len(data)))

    def finish(self) -> None:
        """Name every file. Raises ChunkAbsent if a piece did not come, ChunksDamaged, LibraryDamaged, DiskFull."""
        if self._large:
            self._follow()
            assert self._following is not None  # noqa: S101 - for mypy
            self._stop(ended=True)
            self._following.join()
            if self._error is not None:
                raise self._error
        self._staged.update(self._found())  # what other intakes of the same files took in
        self._name_small()
        if self._small:
            raise ChunkAbsent("A small file has not come.", hint="Send it again.")

    def close(self) -> None:
        """Leave it, whole or not."""
        self._stop()
        if self._following is not None:
            self._following.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.close()

    # --- inside

    def _expect(self, coming: Coming) -> None:
        self._large[coming.digest] = coming
        for index, chunk in enumerate(coming.chunks):
            self._places.setdefault(chunk, []).append((coming, index))

    def _lacking(self) -> list[bool]:
        lacking = {coming.chunks[index] for coming in self._large.values() for index in coming.lacking()}
        return [piece.digest in lacking or (piece.digest in self._small and piece.digest not in self._staged)
                for piece in self._pieces]

    def _room(self) -> None:
        need = sum(piece.size for piece in self.wanted)
        if need > shutil.disk_usage(self._store.root).free:
            raise DiskFull(f"The disk has no room for the {size(need)} that are to come ({self._store.root}).",
                           hint="Free some space on that disk, then do it again.")

    def _begun(self, piece: Piece) -> int:
        counts = [coming.begun(index) for coming, index in self._places.get(piece.digest, ())]
        if piece.digest in self._small and piece.digest not in self._staged:
            counts.append(self._beginnings.begun(piece.digest, piece.size))
        return min(counts, default=0)

    def _put(self, digest: str, to_large: Callable[[Coming, int], None], to_small: Callable[[int], None]) -> None:
        places, size = self._places.get(digest, ()), self._small.get(digest)
        if not places and size is None:
            raise BadInput("A piece came in that nobody asked for.")
        with durable.disk_errors(_DOING):
            for place in places:
                self._put_large(place, to_large)
            if size is not None and digest not in self._staged:
                to_small(size)
        if places and self._lead:
            self._follow()

    def _put_small(self, digest: str, size: int, data: Buffer) -> None:
        if len(data) != size or hashlib.sha256(data).hexdigest() != digest:
            raise ChunksDamaged("A piece came in damaged.", hint="Send it again.")
        self._stage(digest, self._store.stage(digest, data))

    def _stage(self, digest: str, path: Path) -> None:
        self._staged[digest] = path
        if self._lead and len(self._staged) >= BATCH:
            self._name_small()

    def _put_small_part(self, digest: str, size: int, data: Buffer, offset: int) -> None:
        if not offset and len(data) == size:
            self._put_small(digest, size, data)
            return
        try:
            whole = self._beginnings.put(digest, size, data, offset)
        except FileNotFoundError:  # another process has the whole of it
            self._staged.update(self._found())
            if digest not in self._staged and not self._store.has(digest):
                raise
            return
        if whole is None:
            return
        if hashlib.sha256(whole.read_bytes()).hexdigest() != digest:
            whole.unlink()
            raise ChunksDamaged("A piece came in damaged.", hint="Send it again.")
        self._stage(digest, whole)

    def _put_large(self, place: tuple[Coming, int], put: Callable[[Coming, int], None]) -> None:
        coming, index = place
        try:
            put(coming, index)
        except FileNotFoundError as error:
            if not self._store.has(coming.digest):
                raise ChunkAbsent("A file on its way here was swept away.", hint="Send it again.") from error
        with self._news:
            self._news.notify_all()

    def _found(self) -> dict[str, Path]:
        """Return the small files that wait here, from before or from another process, once they are looked at."""
        found: dict[str, Path] = {}
        for path in self._store.coming.glob("*.got") if self._small else ():
            digest = path.name[:64]
            if digest in self._small and digest not in found and digest not in self._staged:
                with contextlib.suppress(FileNotFoundError):  # named meanwhile
                    if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                        found[digest] = path
                    else:
                        path.unlink()
        return found

    def _name_small(self) -> None:
        self._store.name_all(list(self._staged.items()))
        for digest in self._staged:
            self._small.pop(digest, None)
        self._staged.clear()

    # --- the thread that hashes and names the large files

    def _follow(self) -> None:
        if self._following is None:
            self._following = threading.Thread(target=self._name_large, name="mldesk-intake", daemon=True)
            self._following.start()

    def _name_large(self) -> None:
        try:
            for coming in self._large.values():
                if self._stopped:
                    return
                self._name_one(coming)
        except Exception as error:  # noqa: BLE001 - finish raises it
            self._error = error

    def _name_one(self, coming: Coming) -> None:
        try:
            with durable.disk_errors(_DOING):
                coming.name(self._store, self._wait)
        except (FileNotFoundError, ChunkAbsent):  # another process has named it, and its marks are gone with that
            if not self._store.has(coming.digest):
                raise

    def _wait(self, seconds: float) -> bool:
        """Wait for news; say whether there may be more."""
        with self._news:
            if self._ended or self._stopped:
                return False
            self._news.wait(seconds)
            return True

    def _stop(self, *, ended: bool = False) -> None:
        with self._news:
            self._ended, self._stopped = self._ended or ended, self._stopped or not ended
            self._news.notify_all()
