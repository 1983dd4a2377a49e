"""The content-addressed store: whole files under the SHA-256 of their content, read-only, written once.

    root/3f/9a61…      objects, mode 0444
    root/.drafts/      files in the making; root/.coming/  files on their way here (see mldesk.wire.intake)
    root/.chunks/      verified pieces that came over a link without a plan
    root/.lock         held shared to find an object there, exclusive to remove one

A digest is handed out only once its object is on disk whole. Any number of processes may write and read at once; what
a process is still writing, and what was put or asked for again within the grace time, no sweep takes away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mldesk.core import durable
from mldesk.core.errors import BadInput, LibraryDamaged
from mldesk.core.filelock import locked
from mldesk.wire import coming, referenced
from mldesk.wire.batch import Batch, staged_name
from mldesk.wire.chunk_shelf import ChunkShelf
from mldesk.wire.manifest import (
    CHUNK,
    MARK,
    Entry,
    Manifest,
    Missing,
    check_digest,
    check_path,
    is_digest,
    read_entry,
    refuse_collisions,
)
from mldesk.wire.object_files import ObjectMissing, age_of, damaged, is_whole, moved_in, size_of, touched
from mldesk.wire.settling import settle, sync_directories

__all__ = ["CHUNK", "DAY", "Entry", "Manifest", "Missing", "ObjectMissing", "ObjectStore", "check_digest", "check_path",
           "is_digest"]

DAY = 86_400.0  # seconds
_DOING = "saving a file to the library"


class ObjectStore:
    """Files by digest below ``root``. Stateless: make as many as you like, in any thread or process.

    Every ``put`` raises DiskFull with nothing half-written under a digest, and may be repeated.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts = root / ".drafts"
        self._coming = root / ".coming"
        self._lock = root / ".lock"
        for folder in (self._drafts, self._coming, root / ".chunks"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._shelf = ChunkShelf(root / ".chunks", self._drafts)

    @property
    def root(self) -> Path:
        return self._root

    @property
    def coming(self) -> Path:  # files on their way here, until they are whole
        return self._coming

    # --- putting

    def put_bytes(self, data: bytes) -> str:
        """Store ``data``; return its digest once it is on disk."""
        digest = hashlib.sha256(data).hexdigest()
        with durable.disk_errors(_DOING):
            if not self._there(digest, len(data), whole=True):
                with durable.draft(self._drafts) as new:
                    new.file.write(data)
                    self._name(new, digest)
        return digest

    def put_stream(self, pieces: Iterable[bytes]) -> str:
        """Store the pieces as one file, whatever its size; return its digest. Keeps nothing if the iterator raises."""
        whole, size = hashlib.sha256(), 0
        with durable.disk_errors(_DOING), durable.draft(self._drafts) as new:
            for piece in pieces:
                whole.update(piece)
                size += new.file.write(piece)
            if not self._there(whole.hexdigest(), size, whole=True):
                self._name(new, whole.hexdigest())
        return whole.hexdigest()

    def put_file(self, path: Path, *, move: bool = False, known: Entry | None = None) -> str:
        """Store the file at ``path``; return its digest once it is on disk.

        ``move`` gives the file itself away (a rename where both are on one disk); ``known`` is then what the caller
        read while it wrote the file, which nobody changed since. Raises OSError if it cannot be read.
        """
        return self._put_file(path, "file", move, known).sha256

    def put_manifest(self, files: Mapping[str, Path | str], *, move: bool = False) -> str:
        """Store the files (given as a path, or as the digest of an object that is here) and their manifest.

        Returns the manifest's digest. Raises BadInput for an unsafe name before anything is stored, ObjectMissing.
        """
        for name in files:
            check_path(name)
        refuse_collisions(files)
        with durable.disk_errors(_DOING), Batch(self) as batch:
            entries = [self._add_file(item, name, move, batch) if isinstance(item, Path)
                       else self._entry_of(item, name) for name, item in sorted(files.items())]
        return self.put_bytes(Manifest(tuple(entries)).to_bytes())

    def stage(self, digest: str, data: bytes | bytearray | memoryview) -> Path:
        """Write the content of a small object where it waits for ``name_all``; return the path. Not synced."""
        path = staged_name(self._coming, digest)
        with durable.draft(self._drafts) as new:
            new.file.write(data)
            new.keep_as(path, sync=False)
        return path

    def name_all(self, files: Sequence[tuple[str, Path]]) -> None:
        """Make objects of whole files, given with their digests, which nobody checks here. They are moved in, durably.

        Many are hardly slower than one. Raises DiskFull; repeat it for what is not here then.
        """
        with durable.disk_errors(_DOING):
            pairs = [(staged, self._where(digest)) for digest, staged in files]
            for staged, _ in pairs:
                with contextlib.suppress(FileNotFoundError):
                    os.utime(staged)  # its grace time begins
            if [self._make_shard(shard, sync=False) for shard in {path.parent for _, path in pairs}].count(True):
                durable.sync_directory(self._root)
            settle(pairs)

    # --- reading

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest stored as ``digest``. Raises ObjectMissing; LibraryDamaged if it is not a manifest."""
        data = self.read(digest)
        try:
            return Manifest.from_bytes(data)
        except BadInput as error:
            raise LibraryDamaged(f"The object {digest[:12]}… is no manifest: {error}") from error

    def path(self, digest: str) -> Path:
        """Return the file of an object; open it for reading only. Raises ObjectMissing, SourceGone, SourceChanged."""
        path = self._where(digest)
        if path.is_symlink():
            referenced.check(self._root, digest, path)
        elif not path.is_file():
            raise ObjectMissing(digest)
        return path

    def refers(self, digest: str) -> bool:
        """Say whether an object is a file of the user's where it lies, see ``mldesk.wire.referenced``."""
        return self._where(digest).is_symlink()

    def refer(self, source: Path, digest: str, facts: dict[str, int]) -> None:
        """Make a file an object where it lies. Raises BadInput, DiskFull."""
        with durable.disk_errors(_DOING), locked(self._lock, shared=True):
            referenced.refer(self._root, source, digest, facts)

    def read(self, digest: str) -> bytes:
        """Return the content, checked against the digest. Raises ObjectMissing, LibraryDamaged."""
        try:
            data = self._where(digest).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissing(digest) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise damaged(digest)
        return data

    def read_chunk(self, entry: Entry, index: int) -> bytes:
        """Return chunk ``index`` of a file that is here. Raises ObjectMissing, LibraryDamaged."""
        with open(self.path(entry.sha256), "rb") as file:
            file.seek(index * CHUNK)
            data = file.read(CHUNK)
        if hashlib.sha256(data).hexdigest() != entry.chunks[index]:
            raise damaged(entry.sha256)
        return data

    def has(self, digest: str) -> bool:
        return self._where(digest).is_file()

    def size(self, digest: str) -> int:
        """Return the bytes of an object. Raises ObjectMissing."""
        return self.path(digest).stat().st_size

    def verify(self, digest: str) -> None:
        """Read the object and compare. Raises ObjectMissing; LibraryDamaged when its content has changed."""
        with open(self.path(digest), "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise damaged(digest)

    def verify_manifest(self, digest: str) -> None:
        """Verify a manifest and every file it names. Raises ObjectMissing, LibraryDamaged."""
        for entry in self.manifest(digest).entries:
            self.verify(entry.sha256)

    def digests(self) -> Iterator[str]:
        """Give every object's digest, in no order."""
        for shard in self._root.iterdir():
            if len(shard.name) == 2 and shard.is_dir():
                yield from (shard.name + item.name for item in shard.iterdir() if len(item.name) == 62)

    # --- bringing objects here, chunk by chunk

    def missing(self, manifest_digest: str) -> Missing:
        """Say what has to be brought before every file of a manifest is here. Raises ObjectMissing for the manifest."""
        chunks: dict[str, None] = {}
        entries = self.absent(self.manifest(manifest_digest).entries)
        for entry in entries:
            for index, chunk in enumerate(entry.chunks):
                if not self._shelf.holds(chunk, entry.chunk_size(index)):
                    chunks[chunk] = None
        return Missing(tuple(entries), tuple(chunks))

    def absent(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the files that are not here, each once; the grace time of the others begins anew."""
        files: dict[tuple[str, int], Entry] = {}
        for entry in entries:
            files.setdefault((entry.sha256, entry.size), entry)
        places = {key: self._where(key[0]) for key in files}
        there = {key for key, path in places.items() if size_of(path) == key[1]}
        if there:
            with locked(self._lock, shared=True):
                there = {key for key in there if touched(places[key])}
        with durable.disk_errors(_DOING):
            # Another process may have renamed them and not got to its own syncs yet.
            sync_directories(places[key].parent for key in there)
        return [entry for key, entry in files.items() if key not in there]

    def put_chunk(self, digest: str, data: bytes | bytearray | memoryview) -> None:
        """Stage one chunk a peer sent. Raises BadInput when it is not what ``digest`` says.

        Not synced: a chunk that a power cut tears is found by ``assemble`` and asked for again.
        """
        with durable.disk_errors("bringing a file here"):
            self._shelf.put(digest, data)

    def assemble(self, entry: Entry) -> None:
        """Make the object of ``entry`` from its staged chunks, which stay staged (``complete`` lets them go).

        Raises ObjectMissing naming a chunk that is absent or was torn; LibraryDamaged if the chunks give another file.
        """
        with durable.disk_errors("bringing a file here"):
            if self._there(entry.sha256, entry.size):
                return
            whole = hashlib.sha256()
            with durable.draft(self._drafts) as new:
                for chunk in entry.chunks:
                    data = self._shelf.read(chunk)
                    if data is None:
                        raise ObjectMissing(chunk)
                    whole.update(data)
                    new.file.write(data)
                if whole.hexdigest() != entry.sha256:
                    raise LibraryDamaged(f"The chunks of {entry.path!r:.120} do not make the file they were sent for.",
                                         hint="The manifest itself is wrong; make it anew where it comes from.")
                self._name(new, entry.sha256)

    def complete(self, manifest_digest: str) -> None:
        """Assemble every file of a manifest whose chunks have come, dropping chunks as their last use is past.

        Raises as ``assemble``; ask ``missing`` again then.
        """
        entries = self.missing(manifest_digest).entries
        uses: dict[str, int] = {}
        for entry in entries:
            for chunk in entry.chunks:
                uses[chunk] = uses.get(chunk, 0) + 1
        for entry in entries:
            self.assemble(entry)
            for chunk in entry.chunks:
                uses[chunk] -= 1
                if not uses[chunk]:
                    self._shelf.drop(chunk)

    # --- removing

    def delete(self, digest: str) -> None:
        """Remove an object that nothing names any more. Removing one that is not here does nothing."""
        with locked(self._lock):
            self._remove(self._where(digest))

    def sweep(self, keep: Collection[str], older_than_seconds: float = DAY) -> list[str]:
        """Remove the objects that ``keep`` does not reach; return their digests.

        ``keep`` names objects; a manifest among them keeps its files. What was put (or put again, or found by
        ``missing``) within ``older_than_seconds`` stays: that is the time a writer has from its put to naming the
        digest in the library. Raises LibraryDamaged, with nothing removed, when a manifest to keep cannot be read.
        """
        kept = self.reached(keep)
        gone = self.free([digest for digest in self.digests() if digest not in kept], older_than_seconds)
        self.sweep_staging(older_than_seconds)
        return gone

    def free(self, digests: Iterable[str], older_than_seconds: float) -> list[str]:
        """Remove those of some objects that nobody put or asked for lately, as ``sweep`` does; return them."""
        gone: list[str] = []
        for digest in digests:
            path = self._where(digest)
            with locked(self._lock):  # a writer that finds the object there does so under the same lock
                if (path.is_symlink() or path.is_file()) and age_of(path) >= older_than_seconds:
                    self._remove(path)
                    gone.append(digest)
        return gone

    def sweep_staging(self, older_than_seconds: float = DAY) -> None:
        """Remove drafts of dead processes, and staged chunks that nobody asked for lately."""
        durable.sweep_drafts(self._drafts, older_than=min(older_than_seconds, durable.ABANDONED))
        self._shelf.sweep(older_than_seconds)
        coming.sweep(self._coming, older_than_seconds)

    # --- inside

    def _where(self, digest: str) -> Path:
        check_digest(digest)
        return self._root / digest[:2] / digest[2:]

    def _there(self, digest: str, size: int, *, whole: bool = False) -> bool:
        """Say whether an object of the right size is there, and if so begin its grace time anew.

        ``whole`` also reads it, for who has its bytes at hand: a damaged object is not there then, and is rewritten.
        """
        path = self._where(digest)
        if path.is_symlink():
            return False  # it is a user's file; who has the bytes at hand makes an object of our own
        if size_of(path) != size or (whole and not is_whole(path, digest)):
            return False
        with locked(self._lock, shared=True):
            if not touched(path):
                return False
        with durable.disk_errors(_DOING):
            durable.sync_directory(path.parent)  # another process may have renamed it and not got to its own sync yet
        return True

    def _name(self, new: durable.Draft, digest: str) -> None:
        path = self._where(digest)
        self._make_shard(path.parent)
        try:
            new.keep_as(path, mode=0o444)
        except PermissionError:
            if os.name != "nt" or not path.is_file():
                raise
            # Windows does not replace a read-only or open file: another writer of the same content was first.

    def _make_shard(self, shard: Path, *, sync: bool = True) -> bool:
        try:
            shard.mkdir(mode=0o700)
        except FileExistsError:
            return False
        if sync:
            durable.sync_directory(self._root)
        return True

    def _add_file(self, path: Path, name: str, move: bool, batch: Batch) -> Entry:
        """Put a file, a small one with the others of its batch."""
        if move or path.stat().st_size > CHUNK:
            return self._put_file(path, name, move)
        data = path.read_bytes()
        if len(data) > CHUNK:  # it grew meanwhile
            return self._put_file(path, name, move)
        digest = hashlib.sha256(data).hexdigest()
        if not batch.holds(digest) and not self._there(digest, len(data), whole=True):
            batch.add(digest, self.stage(digest, data))
        return Entry(name, len(data), digest, (digest,))

    def _put_file(self, path: Path, name: str, move: bool, known: Entry | None = None) -> Entry:
        with durable.disk_errors(_DOING):
            if move:
                return self._move_file(path, name, known)
            with open(path, "rb") as source, durable.draft(self._drafts) as new:
                entry = read_entry(source, name, new.file)
                if not self._there(entry.sha256, entry.size, whole=True):
                    self._name(new, entry.sha256)
            return entry

    def _move_file(self, path: Path, name: str, known: Entry | None) -> Entry:
        with open(path, "rb+" if os.name == "nt" else "rb") as source:  # only Windows wants that for a sync
            entry = read_entry(source, name) if known is None else known
            there = self._there(entry.sha256, entry.size, whole=True)
            if not there:
                os.fsync(source.fileno())
        if not there:
            target = self._where(entry.sha256)
            self._make_shard(target.parent)
            if not moved_in(path, target):
                entry = self._put_file(path, name, move=False)
        path.unlink(missing_ok=True)
        return entry

    def _entry_of(self, digest: str, name: str) -> Entry:
        size = self.size(digest)
        if not self._there(digest, size):
            raise ObjectMissing(digest)
        if size <= CHUNK:
            return Entry(name, size, digest, (digest,))
        with open(self.path(digest), "rb") as file:
            entry = read_entry(file, name)
        if entry.sha256 != digest:
            raise damaged(digest)
        return entry

    def reached(self, keep: Collection[str]) -> set[str]:
        """Return the digests and those of the files of manifests among them. Raises LibraryDamaged."""
        reached = {check_digest(digest) for digest in keep}
        for digest in tuple(reached):
            with contextlib.suppress(FileNotFoundError), open(self._where(digest), "rb") as file:
                if file.read(len(MARK)) == MARK:
                    reached.update(entry.sha256 for entry in self.manifest(digest).entries)
        return reached

    def _remove(self, path: Path) -> None:
        if os.name == "nt" and path.exists() and not path.is_symlink():
            path.chmod(0o600)  # Windows does not remove read-only files
        path.unlink(missing_ok=True)
        referenced.forget(self._root, path.parent.name + path.name)
