"""Wheels made again from what is installed here, so that a box without internet gets the very packages that we use.

A wheel is a zip of files and their RECORD; an installation keeps both. The same installation gives the same bytes.
What training does without (``unpack.needless``) stays out, and the RECORD says what is in.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from mldesk.core.durable import replacing
from mldesk.runners.provision.package import NotWhole
from mldesk.runners.provision.unpack import needless

_SMALLER = 0.33            # bytes of a wheel per byte in it, as measured; for plans, before it is made
_NOT_THE_WHEELS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CUDA = re.compile(r"^cuda\b.*?=\s*['\"]?(\d+)\.(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OwnWheel:
    """A distribution of this installation, as the wheel that it came from."""

    filename: str             # name-version-tags.whl
    record: Path              # its RECORD here; newer than a wheel that was made: that wheel is stale
    about: str                # its .dist-info folder
    files: tuple[tuple[str, Path], ...]  # name in the wheel, where it lies here
    installed: int            # bytes of the files

    @property
    def size(self) -> int:
        """Bytes of the wheel, about."""
        return int(self.installed * _SMALLER)

    def made(self, folder: Path) -> Path | None:
        """Return the wheel that was made before, if it is there and still right."""
        path = folder / self.filename
        try:
            return path if path.stat().st_mtime > self.record.stat().st_mtime else None
        except FileNotFoundError:
            return None


def own_platform() -> str:
    """Return "x86_64-glibc" and the like for this machine."""
    return f"{platform.machine()}-{'glibc' if platform.libc_ver()[0] == 'glibc' else 'unknown'}"


def own_python() -> str:
    """Return "3.12" and the like for this Python."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def own_torch_build() -> str:
    """Return the build of torch that is installed here: "cpu", "cu130", or "" for none."""
    try:
        found = metadata.distribution("torch")
    except metadata.PackageNotFoundError:
        return ""
    local = found.version.partition("+")[2]
    if local:
        return local
    try:
        cuda = _CUDA.search(Path(str(found.locate_file("torch/version.py"))).read_text("utf-8"))
    except OSError:
        return ""
    return f"cu{cuda[1]}{cuda[2]}" if cuda else "cpu"


def find_own(name: str) -> OwnWheel | None:
    """Return an installed distribution as a wheel; None when it did not come from one, or is not whole."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    record = next((item for item in found.files or () if item.name == "RECORD"), None)
    tags = _tags(found.read_text("WHEEL") or "")
    if record is None or not tags:
        return None
    about = record.parts[0]
    files = sorted((str(item), Path(str(item.locate()))) for item in found.files or ()
                   if ".." not in item.parts and not item.is_absolute() and not needless(str(item))
                   and not (item.parts[0] == about and item.name in _NOT_THE_WHEELS))
    try:
        size = sum(path.stat().st_size for _, path in files)
    except OSError:
        return None
    stem = about.removesuffix(".dist-info")
    return OwnWheel(f"{stem}-{tags}.whl", Path(str(record.locate())), about, tuple(files), size)


def make(wheel: OwnWheel, folder: Path) -> Path:
    """Write the wheel into ``folder`` unless it is there; return it. Raises NotWhole, OSError."""
    if there := wheel.made(folder):
        return there
    expected = dict(_expected(wheel.record))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = []
    with replacing(folder / wheel.filename) as file, zipfile.ZipFile(file, "w") as archive:
        for name, path in wheel.files:
            digest, size = _add(archive, name, path)
            if expected.get(name, digest) != digest:
                raise NotWhole(f"{path} was changed since it was installed, so it cannot be given to a runner.",
                               hint="Install MLDesk again.")
            lines.append(f"{_quoted(name)},sha256={digest},{size}\n")
        lines.append(f"{_quoted(wheel.about)}/RECORD,,\n")
        archive.writestr(_entry(f"{wheel.about}/RECORD", 0o644), "".join(lines).encode(), compresslevel=1)
    return folder / wheel.filename


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> tuple[str, int]:
    """Put one file in; return its SHA-256 as a RECORD has it, and its size."""
    digest = hashlib.sha256()
    entry = _entry(name, 0o755 if os.access(path, os.X_OK) else 0o644)
    entry.file_size = path.stat().st_size  # so that the zip knows whether it needs large numbers
    entry._compresslevel = 1  # type: ignore[attr-defined]  # noqa: SLF001 - open() has no way to say it before 3.13
    with open(path, "rb") as source, archive.open(entry, "w") as target:
        while piece := source.read(1 << 20):
            digest.update(piece)
            target.write(piece)
    return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("="), entry.file_size


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100000 | mode) << 16
    return entry


def _expected(record: Path) -> Iterator[tuple[str, str]]:
    """Yield what the installation's RECORD says: name and SHA-256."""
    import csv  # needed here only

    with open(record, encoding="utf-8", newline="") as file:
        for line in csv.reader(file):
            if len(line) == 3 and line[1].startswith("sha256="):
                yield line[0], line[1].removeprefix("sha256=").rstrip("=")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(letter in name for letter in ',"\n') else name


def _tags(text: str) -> str:
    """Return the tags of a WHEEL file as a file name has them: "cp312-cp312-manylinux_2_28_x86_64"."""
    triples = [line.split("-") for line in HeaderParser().parsestr(text).get_all("Tag", [])]
    if not triples or any(len(triple) != 3 for triple in triples):
        return ""
    return "-".join(".".join(sorted({triple[part] for triple in triples})) for part in range(3))


def forget_others(folder: Path, keep: set[str]) -> None:
    """Remove wheels that were made for packages which are not wanted any more."""
    for path in folder.glob("*.whl"):
        if path.name not in keep:
            path.unlink(missing_ok=True)

