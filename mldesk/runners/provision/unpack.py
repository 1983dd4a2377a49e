"""Fill a training environment on a box from wheels, by the box's own Python: ``python -I - ROOT ENVIRONMENT LIST``.

Sent to the box as text, so it uses the standard library alone and imports nothing of ours. Knows no pip: a wheel is a
zip. A wheel whose digest an older environment has is not needed again: its files are linked from there.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

_TESTS = {"tests", "test"}
_SOURCES = (".pyi", ".a", ".h", ".hpp", ".cuh", ".cmake", ".pyc")
_TORCH = ("torch/include/", "torch/share/", "torch/test/")
_TORCH_TESTS = ("libbackend_with_compiler", "libjitbackend_test", "libtorchbind_test", "libaoti_custom_ops")
_SHM = "torch/bin/torch_shm_manager"


def needless(name: str) -> bool:
    """Say whether training does without a file of a wheel: tests, stubs, headers and static libraries."""
    parts = name.split("/")
    if _TESTS & set(parts[:-1]) or name.endswith(_SOURCES) or name.startswith(_TORCH):
        return True
    return ((name.startswith("torch/bin/") and name != _SHM)
            or (name.startswith("torch/lib/") and parts[-1].startswith(_TORCH_TESTS)))


def destination(name: str) -> str:
    """Return where a wheel's file goes below site-packages; "" for what is not needed. Raises ValueError for a trap."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in path.parts[0]:
        raise ValueError(f"a wheel names a file outside of it: {name!r}")
    if path.parts[0].endswith(".data"):
        if len(path.parts) < 3 or path.parts[1] not in ("purelib", "platlib"):
            return ""  # programs, headers
        path = PurePosixPath(*path.parts[2:])
    return "" if needless(str(path)) else str(path)


def unpack(wheel: Path, site: Path) -> list[str]:
    """Unpack one wheel below ``site``; return its files. Raises ValueError, zipfile.BadZipFile, OSError."""
    done = []
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if entry.is_dir() or not (name := destination(entry.filename)):
                continue
            target = site / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            if entry.external_attr >> 16 & 0o111:
                target.chmod(0o700)
            done.append(name)
    return done


def link(old: Path, site: Path, names: Sequence[str]) -> None:
    """Give the files of a wheel that lie below ``old`` a second name below ``site``, or copy them. Raises OSError."""
    for name in names:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(old / name, site / name)
        except OSError:  # no links on this file system, or too many
            shutil.copy2(old / name, site / name)


def held(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the wheels that whole environments hold: digest, and the list of their files."""
    for facts in sorted((root / "environments").glob("*/facts")):
        for part in sorted((facts.parent / "parts").glob("*.json")):
            yield part.stem, part


def native(environment: Path, site: Path) -> None:
    """Give LightGBM the OpenMP library that another package brings along, where the machine has none."""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        found = [*site.glob("torch/lib/libgomp*.so*"), *site.glob("*.libs/libgomp*.so*")]
        if found:
            (environment / "native").mkdir()
            shutil.copy2(found[0], environment / "native" / "libgomp.so.1")


def main(given: Sequence[str]) -> int:
    """Do it; return the exit code, with the reason on stderr."""
    root, environment, wanted = Path(given[0]), Path(given[1]), json.loads(Path(given[2]).read_text("utf-8"))
    site = next(environment.glob("env/lib/python3.*/site-packages"))
    parts, there = environment / "parts", dict(held(root))
    parts.mkdir()
    for wheel in wanted["wheels"]:
        try:
            if listing := there.get(wheel["digest"]):
                old = next(listing.parents[1].glob("env/lib/python3.*/site-packages"))
                names = json.loads(listing.read_text("utf-8"))
                link(old, site, names)
            else:
                names = unpack(root / "incoming" / wheel["digest"], site)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            sys.stderr.write(f"{wheel['name']} cannot be unpacked: {error}\n")
            return 1
        (parts / f"{wheel['digest']}.json").write_text(json.dumps(names), "utf-8")
    native(environment, site)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
