"""A Python to send to a box that has none: this desktop's own, with the C libraries it needs, glibc among them.

What is packed runs on any Linux of the same processor, whatever libc it has: ``bin/python3`` is a small script that
starts the interpreter by the loader that comes along, with the libraries that come along. Nothing of the box's
environment is changed by it, so programs that it starts (nvidia-smi, systemctl) find their own libraries.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mldesk.core.durable import replacing
from mldesk.core.errors import WorkFailed
from mldesk.runners.provision.install import Archive
from mldesk.runners.provision.plan import Runtime

# Not needed to run an agent or to train: tests, windows, and what installs by itself.
_LEFT_OUT = {"__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "site-packages", "ensurepip",
             "lib2to3"}
_NO_MODULES = re.compile(r"(_tkinter|_test|_ctypes_test|xx|readline|_curses|_dbm|_gdbm|nis|ossaudiodev)")
_NEEDED = re.compile(r"(\S+) => (/\S+)|^\s*(/\S*ld-linux\S*)", re.MULTILINE)
_LIBC_PARTS = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "libpthread.so.0", "libdl.so.2", "librt.so.1",
               "libutil.so.1", "libgcc_s.so.1", "libstdc++.so.6", "libgomp.so.1")  # loaded later, by name
_START = """\
#!/bin/sh
# Starts the Python that came with MLDesk by the loader and libraries that came along, wherever this folder lies.
name=$(readlink -f -- "$0") || exit 127
here=${{name%/bin/*}}
exec "$here/lib/native/{loader}" --argv0 "$0" --library-path "$here/lib/native" "$here/bin/{real}" "$@"
"""


class NoRuntime(WorkFailed):
    """This desktop's Python cannot be sent to another machine."""

    code = "no_runtime"


@dataclass(frozen=True, slots=True)
class Packed:
    """A Python that can be sent."""

    archive: Archive
    runtime: Runtime
    platforms: tuple[str, ...]  # as plan.platform_of names them


def pack_own_python(folder: Path) -> Packed:
    """Pack this interpreter into ``folder``; the same interpreter gives the same bytes. Raises NoRuntime, OSError."""
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        raise NoRuntime("Only a desktop on Linux with glibc has a Python that another Linux machine can use.",
                        hint="Install Python 3.11 or newer on the machine, or let it reach the internet.")
    files = dict(sorted(_files(), key=lambda item: item[0]))
    target = folder / f"python-{platform.python_version()}-{platform.machine()}.tar.gz"
    with replacing(target) as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6,
                                                  mtime=0) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        installed = sum(_add(archive, name, source) for name, source in files.items())
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    runtime = Runtime(digest, platform.python_version(), target.stat().st_size, int(installed * 1.15), ())
    return Packed(Archive(target, digest), runtime, (f"{platform.machine()}-glibc", f"{platform.machine()}-musl"))


def _add(archive: tarfile.TarFile, name: str, source: Path | str) -> int:
    data = source.encode() if isinstance(source, str) else source.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = 0o755 if name.startswith(("bin/", "lib/native/")) else 0o644
    archive.addfile(entry, io.BytesIO(data))
    return len(data)


def _files() -> Iterator[tuple[str, Path | str]]:
    """Yield what goes where: a file, or a text."""
    version = f"python3.{sys.version_info.minor}"
    program = Path(os.path.realpath(sys.executable))
    library = Path(sysconfig.get_path("stdlib"))
    modules = [path for path in sorted((library / "lib-dynload").glob("*.so")) if not _NO_MODULES.match(path.name)]
    native = _native([program, *modules])
    loader = next((name for name in native if name.startswith("ld-linux")), None)
    if loader is None:
        raise NoRuntime("This desktop's Python does not say which loader it needs.")
    yield "bin/python3.real", program
    yield "bin/python3", _START.format(loader=loader, real="python3.real")
    for name, path in native.items():
        yield f"lib/native/{name}", path
    for path in modules:
        yield f"lib/{version}/lib-dynload/{path.name}", path
    for path in sorted(library.rglob("*.py")):
        below = path.relative_to(library)
        if not _LEFT_OUT & set(below.parts):
            yield f"lib/{version}/{below.as_posix()}", path


def _native(binaries: list[Path]) -> dict[str, Path]:
    """Return the shared libraries that these need, by the name they are asked for."""
    done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    found: dict[str, Path] = {}
    for name, path, loader in _NEEDED.findall(done.stdout):
        found.setdefault(name or Path(loader).name, Path(os.path.realpath(path or loader)))
    libc = found.get("libc.so.6")
    if libc is None:
        raise NoRuntime("What this desktop's Python needs cannot be found: ldd does not say.")
    for name in _LIBC_PARTS:
        if (libc.parent / name).exists():
            found.setdefault(name, Path(os.path.realpath(libc.parent / name)))
    return found
