"""Manifests: which files, under which names, make one thing (a table, a model), by digest.

A manifest is itself an object: the canonical JSON of its entries. Names in it may come from a peer and become file
names later, so ``check_path`` lets through only what means the same file on every system.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from mldesk.core import canonical
from mldesk.core.errors import BadInput, NotFound

CHUNK = 4 * 1024 * 1024   # bytes; what travels and is resumed at once
PART = 1024 * 1024        # bytes; what is kept of a chunk that is cut off
FORMAT = 1
MARK = b'{"entries":['    # how the canonical JSON of every manifest begins
MAX_ENTRIES = 200_000
MAX_BYTES = 256 * 1024 * 1024  # of a manifest's own JSON
MAX_SIZE = 1 << 50             # bytes of one file
_MAX_PATH = 1024               # bytes, UTF-8
_MAX_NAME = 240                # bytes of one part; file systems allow 255

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')  # what Windows cannot write, or reads as a drive or a stream
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def is_digest(text: str) -> bool:
    """Say whether ``text`` is a SHA-256 as 64 lower-case hex digits."""
    return _DIGEST.fullmatch(text) is not None


def check_digest(digest: str) -> str:
    """Return ``digest`` if it is 64 lower-case hex digits, and so fit for a file name. Raises BadInput."""
    if not isinstance(digest, str) or not is_digest(digest):
        raise BadInput(f"This is not a SHA-256 digest: {digest!r:.80}.")
    return digest


def check_path(path: str) -> str:
    """Return ``path`` if it means the same file everywhere: relative, NFC, ``/`` between names. Raises BadInput."""
    why = _fault(path)
    if why:
        raise BadInput(f"The file name {path!r:.120} cannot be used: {why}.")
    return path


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a manifest."""

    path: str                 # relative to the manifest's root, see ``check_path``
    size: int                 # bytes
    sha256: str               # of the whole file
    chunks: tuple[str, ...]   # digests of its CHUNK-sized pieces; just ``sha256`` for one that fits in a chunk

    def __post_init__(self) -> None:
        check_path(self.path)
        check_digest(self.sha256)
        if isinstance(self.size, bool) or not isinstance(self.size, int) or not 0 <= self.size <= MAX_SIZE:
            raise BadInput(f"The file {self.path!r:.120} cannot have {self.size!r:.40} bytes.")
        if len(self.chunks) != max(1, -(-self.size // CHUNK)):
            raise BadInput(f"The file {self.path!r:.120} of {self.size} bytes cannot have {len(self.chunks)} chunks.")
        for chunk in self.chunks:
            check_digest(chunk)
        if len(self.chunks) == 1 and self.chunks[0] != self.sha256:
            raise BadInput(f"The only chunk of {self.path!r:.120} has another digest than the file.")

    def chunk_size(self, index: int) -> int:
        """Return the bytes of chunk ``index``: CHUNK for all but the last."""
        return min(CHUNK, self.size - index * CHUNK)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files by name, sorted, no two of which a file system could mistake for one another."""

    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if len(self.entries) > MAX_ENTRIES:
            raise BadInput(f"A manifest holds at most {MAX_ENTRIES} files, not {len(self.entries)}.")
        paths = [entry.path for entry in self.entries]
        if paths != sorted(paths):
            raise BadInput("The files of a manifest must be sorted by name.")
        refuse_collisions(paths)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.entries)

    def entry(self, path: str) -> Entry:
        """Return the file named ``path``. Raises NotFound."""
        for entry in self.entries:
            if entry.path == path:
                return entry
        raise NotFound(f"There is no file {path!r:.120} in this manifest.")

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "entries": [
            {"path": e.path, "size": e.size, "sha256": e.sha256, "chunks": list(e.chunks)} for e in self.entries]}

    def to_bytes(self) -> bytes:
        """Return the canonical JSON, whose SHA-256 is the manifest's digest."""
        return canonical.dumps(self.to_json())

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Manifest:
        """Read a manifest a peer sent. Raises BadInput for any other shape and for every unsafe name."""
        try:
            if value["format"] != FORMAT:
                raise BadInput(f"This manifest is written in format {value['format']!r:.20}; format {FORMAT} is known.",
                               hint="Upgrade MLDesk to read it.")
            entries = value["entries"]
            if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
                raise ValueError("entries")
            return cls(tuple(Entry(e["path"], e["size"], e["sha256"], tuple(e["chunks"])) for e in entries))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"This is not a manifest: {error!r:.200}.") from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read the JSON of a manifest. Raises BadInput."""
        if len(data) > MAX_BYTES:
            raise BadInput(f"A manifest of {len(data)} bytes is too large.")
        try:
            value = canonical.loads(data)
        except ValueError as error:
            raise BadInput(f"This is not a manifest: {error!s:.200}.") from error
        if not isinstance(value, Mapping):
            raise BadInput("This is not a manifest: it is not a JSON object.")
        return cls.from_json(value)


@dataclass(frozen=True, slots=True)
class Piece:
    """What travels at once: one chunk, and where it can be read."""

    digest: str
    size: int      # bytes
    entry: Entry   # a file that holds it
    index: int     # which of its chunks it is


def pieces_of(entries: Iterable[Entry]) -> list[Piece]:
    """Return the distinct chunks of the files, in the order in which they first come. Both ends count them alike."""
    pieces: dict[str, Piece] = {}
    for entry in entries:
        for index, chunk in enumerate(entry.chunks):
            if chunk not in pieces:
                pieces[chunk] = Piece(chunk, entry.chunk_size(index), entry, index)
    return list(pieces.values())


@dataclass(frozen=True, slots=True)
class Missing:
    """What has to travel before a manifest is whole here. False when nothing has."""

    entries: tuple[Entry, ...]   # files whose object is not here
    chunks: tuple[str, ...]      # their chunks that are not staged either, in order, each once

    def __bool__(self) -> bool:
        return bool(self.entries)


def read_entry(source: BinaryIO, name: str, copy: BinaryIO | None = None) -> Entry:
    """Read a file once, chunk by chunk, into its Entry, writing it to ``copy`` on the way."""
    whole = hashlib.sha256()
    size, chunks = 0, []
    while data := source.read(CHUNK):
        whole.update(data)
        size += len(data)
        # A file that fits in one chunk is hashed once.
        chunks.append(whole.hexdigest() if size == len(data) else hashlib.sha256(data).hexdigest())
        if copy is not None:
            copy.write(data)
    return Entry(name, size, whole.hexdigest(), tuple(chunks) or (whole.hexdigest(),))


def refuse_collisions(paths: Iterable[str]) -> None:
    """Raise BadInput if two of ``paths`` are one file, or a file and a folder, where case does not count."""
    paths = list(paths)
    files: dict[str, str] = {}
    for path in paths:
        folded = _folded(path)
        if folded in files:
            raise BadInput(f"Two files have the same name on some systems: {files[folded]!r:.120}, {path!r:.120}.")
        files[folded] = path
    folders: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            folded = _folded(folder)
            if folded in files:
                raise BadInput(f"{files[folded]!r:.120} is both a file and a folder in this manifest.")
            if folders.setdefault(folded, folder) != folder:
                raise BadInput(f"Two folders have the same name on some systems: {folder!r:.120}.")


def _fault(path: str) -> str:
    if not isinstance(path, str) or not path:
        return "it is empty"
    try:
        length = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if length > _MAX_PATH:
        return "it is too long"
    if not unicodedata.is_normalized("NFC", path):
        return "its letters are not in Unicode's composed form (NFC)"
    if _FORBIDDEN.search(path):
        return 'it holds one of < > : " | ? * \\'
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path):
        return "it holds a control character"
    return next(filter(None, map(_part_fault, path.split("/"))), "")


def _part_fault(part: str) -> str:
    if part in ("", ".", ".."):
        return "it is not a plain relative path"
    if part.endswith((" ", ".")):
        return "a part of it ends with a space or a full stop"
    if len(part.encode("utf-8")) > _MAX_NAME:
        return "a part of it is too long"
    if _DEVICES.fullmatch(part):
        return "Windows keeps that name for a device"
    return ""


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())

