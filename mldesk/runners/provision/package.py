"""What is sent to a box: the agent and what it imports, taken from this installation, the same bytes every time.

Pure Python only, so that one payload serves every processor and every Python from 3.11 on. Names no file outside
``lib/`` and its own list, which ``sha256sum -c`` reads.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import mldesk
from mldesk.core.errors import WorkFailed

LIST = "files.sha256"
_OWN = ("mldesk/__init__.py", "mldesk/track.py", "mldesk/track_callbacks.py", "mldesk/core", "mldesk/wire",
        "mldesk/data", "mldesk/training", "runner_agent")   # scripts import the second and third
_NEEDS = ("rpyc", "plumbum", "typing_extensions")  # the last for plumbum before Python 3.13
_CACHED = 1.6              # bytes on disk per byte of source, compiled files included


class NotWhole(WorkFailed):
    """This installation of MLDesk lacks a part of what it would send."""

    code = "not_whole"


@dataclass(frozen=True, slots=True)
class Payload:
    """The agent as one compressed archive."""

    build: str                # names this very content: version and the start of ``content``
    content: str              # SHA-256 of the list of files
    data: bytes               # a gzipped tar
    digest: str               # SHA-256 of ``data``
    files: Mapping[str, str]  # SHA-256 by path
    installed: int            # bytes on disk, about


def build_payload() -> Payload:
    """Pack the agent of this installation. Raises NotWhole."""
    files = dict(sorted(_files()))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    listing = "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()
    content = hashlib.sha256(listing).hexdigest()
    packed = _compressed(_tar({**files, LIST: listing}))
    return Payload(f"{mldesk.__version__}-{content[:12]}", content, packed, hashlib.sha256(packed).hexdigest(), digests,
                   int(sum(map(len, files.values())) * _CACHED))


@lru_cache(maxsize=1)   # it is offered, and then sent
def _compressed(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _files() -> Iterator[tuple[str, bytes]]:
    for part in _OWN:
        package, _, below = part.partition("/")
        top = _folder_of(package)
        path = top / below if below else top
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield f"lib/{package}/{file.relative_to(top).as_posix()}", _read(file)
    yield (f"lib/mldesk-{mldesk.__version__}.dist-info/METADATA",
           f"Metadata-Version: 2.1\nName: mldesk\nVersion: {mldesk.__version__}\n".encode())
    for name in _NEEDS:
        yield from _distribution(name)


def _distribution(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the modules of an installed distribution, and what says its version and licence."""
    try:
        listed = metadata.distribution(name).files or []
    except metadata.PackageNotFoundError as error:
        raise NotWhole(f"{name} is not installed here, and a runner needs it.", hint="Install MLDesk again.") from error
    for item in listed:
        about = item.parts[0].endswith(".dist-info") and (item.name == "METADATA" or "licen" in str(item).lower())
        if ".." not in item.parts and (item.suffix == ".py" or about):
            yield f"lib/{item.as_posix()}", _read(Path(str(item.locate())))


def _folder_of(package: str) -> Path:
    found = importlib.util.find_spec(package)  # found, not imported: the application knows the agent by its socket only
    if found is None or not found.submodule_search_locations:
        raise NotWhole(f"This installation of MLDesk lacks {package}.", hint="Install MLDesk again.")
    return Path(next(iter(found.submodule_search_locations)))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotWhole(f"A part of what a runner needs cannot be read: {error}",
                       hint="Install MLDesk again.") from error


def _tar(files: Mapping[str, bytes]) -> bytes:
    """Return a tar of files that belong to nobody and were made at no time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
