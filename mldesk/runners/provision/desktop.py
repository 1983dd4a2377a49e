"""What this desktop has to give to a box: the agent, its own Python, uv, pip, and the packages that train here."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mldesk.core import canonical
from mldesk.core.durable import write_atomic
from mldesk.core.errors import WorkFailed
from mldesk.core.paths import Home
from mldesk.runners.provision.own_wheels import find_own, own_platform, own_python
from mldesk.runners.provision.own_wheels import make as make_wheel
from mldesk.runners.provision.package import build_payload
from mldesk.runners.provision.plan import Offer, Runtime
from mldesk.runners.provision.probe import INTERNET_URL
from mldesk.runners.provision.runtime import NoRuntime, Packed, pack_own_python
from mldesk.runners.provision.steps import Archive
from mldesk.runners.provision.torch_builds import BUILDS, CPU, DEFAULT_INDEX
from mldesk.runners.provision.training_plan import REST, REST_INSTALLED, TrainingOffer, Wheels
from mldesk.runners.provision.wheelhouse import (
    Lock,
    Packages,
    Wheelhouse,
    find_wheels,
    lock_for,
    make_wheels,
    own_packages,
)

# Environment: package indexes of the user's own, spaces between them, which take the place of the default one.
INDEX = "MLDESK_PACKAGE_INDEX"
_PYTHONS = ((3, 11), (3, 12), (3, 13))
_PLATFORMS = ("x86_64-glibc", "aarch64-glibc")
_FETCHING = 3600.0
_COMPILED = 1.1            # bytes on disk per byte unpacked: what Python compiles when it is tried


class NoWheels(WorkFailed):
    """Packages for a box could not be downloaded to this desktop."""

    code = "no_wheels"


class Desktop:
    """This installation and the folder of wheels in its library."""

    def __init__(self, home: Home, *, index: str | None = None) -> None:
        """``index``: the user's own package indexes; by default what MLDESK_PACKAGE_INDEX says."""
        self.index = os.environ.get(INDEX, "") if index is None else index
        self._folder = home.make().wheels
        self._made = self._folder / "made"

    def offer(self, *, fetches: bool = False) -> Offer:
        """Say what it can give, with ``fetches`` also what it would have to download first.

        Takes seconds the first time; kept for the next. Raises NotWhole, OSError.
        """
        payload, python, uv = build_payload(), self.python(), self.uv()
        return Offer(payload.build, len(payload.data), payload.installed, _for_each(python),
                     {own_platform(): uv.size} if uv else {}, self._training(own_packages(), fetches=fetches),
                     own_python())

    def python(self) -> Packed | None:
        """Return this desktop's Python as an archive; None where it cannot be sent. Raises OSError."""
        note = self._made / "python.json"
        try:
            held = json.loads(note.read_bytes())
            archive = Archive(self._made / held["file"], held["digest"])
            if held["stamp"] == _stamp() and archive.size == held["size"]:
                return Packed(archive, Runtime(held["digest"], held["version"], held["size"], held["installed"], ()),
                              tuple(held["platforms"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # not packed yet, or by an older MLDesk
        self._made.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            packed = pack_own_python(self._made)
        except NoRuntime:
            return None
        runtime = packed.runtime
        write_atomic(note, canonical.dumps({
            "stamp": _stamp(), "file": packed.archive.path.name, "digest": runtime.digest, "version": runtime.version,
            "size": runtime.size, "installed": runtime.installed, "platforms": list(packed.platforms)}))
        return packed

    def uv(self) -> Archive | None:
        """Return the uv on this desktop's path, by its hash; None when there is none."""
        found = shutil.which("uv")
        path = Path(os.path.realpath(found)) if found else None
        if path is None or path.read_bytes()[:4] != b"\x7fELF":  # a script that starts it is no use elsewhere
            return None
        with open(path, "rb") as file:
            return Archive(path, hashlib.file_digest(file, "sha256").hexdigest())

    def pip(self) -> Archive | None:
        """Return this desktop's pip as a wheel, which Python runs as it is. Raises NotWhole, OSError."""
        own = find_own("pip")
        if own is None:
            return None
        path = make_wheel(own, self._made / "tools")
        return Archive(path, hashlib.sha256(path.read_bytes()).hexdigest())

    def wheels(self, lock: Lock, report: Callable[[float], None]) -> Sequence[Path]:
        """Return every wheel of a lock, downloading and making what is not there. Raises NoWheels, NotWhole, OSError.
        """
        house = find_wheels(lock, self._folder)
        if house.missing:
            self._download(house)
            house = find_wheels(lock, self._folder)
        if house.missing:
            raise NoWheels(f"This desktop has no wheels of {', '.join(house.missing[:5])} for the machine.",
                           hint=f"Put them into {self._folder}, or let the machine reach the internet.")
        return make_wheels(house, self._folder, report)

    def _training(self, packages: Packages, *, fetches: bool) -> TrainingOffer:
        wheels = self._fetched(packages) if fetches and importlib.util.find_spec("pip") and self._online() else {}
        for lock in self._locks(packages):
            house = find_wheels(lock, self._folder)
            if not house.missing:
                wheels[lock.key] = Wheels(house.size, int(house.installed * _COMPILED), house.made)
        own = find_own("pip")
        return TrainingOffer(packages, wheels, own.size if own else 0, bool(self.index))

    def _fetched(self, packages: Packages) -> dict[str, Wheels]:
        """Return what could be downloaded for boxes of our kind: the default index holds one build of torch."""
        python = tuple(map(int, own_python().split(".")))
        builds = (CPU, *BUILDS) if self.index else [build for build in BUILDS if build.name == DEFAULT_INDEX]
        return {lock_for(packages, build, python, own_platform()).key: Wheels(
            build.download + REST, build.installed + REST_INSTALLED, exact=False, fetched=True) for build in builds}

    def _online(self) -> bool:
        """Say whether this desktop can download: it has an index of its own, or a way to the internet."""
        if self.index:
            return True
        try:
            urllib.request.urlopen(urllib.request.Request(INTERNET_URL, method="HEAD"), timeout=3).close()  # noqa: S310
        except OSError:
            return False
        return True

    def _locks(self, packages: Packages) -> Iterator[Lock]:
        """Yield the locks that this desktop might hold: its own Python's, and others of which wheels lie there."""
        python, others = tuple(map(int, own_python().split("."))), any(self._folder.glob("*.whl"))
        for platform in _PLATFORMS if others else (own_platform(),):
            for version in _PYTHONS if others else (python,):
                for build in (CPU, *BUILDS):
                    yield lock_for(packages, build, version, platform)

    def _download(self, house: Wheelhouse) -> None:
        """Have pip bring the wheels that are missing, for the box's Python and machine. Raises NoWheels."""
        if importlib.util.find_spec("pip") is None:
            return
        arch = house.lock.platform.partition("-")[0]
        tags = [f"manylinux_2_{minor}_{arch}" for minor in (28, 27, 17)] + [f"manylinux2014_{arch}"]
        wanted = [item if self.index or not item.startswith("torch==") else item.partition("+")[0]
                  for item in house.missing if not item.endswith("==any")]
        whole = not any(item.startswith("torch==") for item in wanted)
        line = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check",
                "--only-binary", ":all:", "--dest", str(self._folder), "--python-version", house.lock.python,
                *(word for tag in tags for word in ("--platform", tag)), *(["--no-deps"] if whole else []), *wanted]
        first, _, others = self.index.partition(" ")
        own = {"PIP_INDEX_URL": first, "PIP_EXTRA_INDEX_URL": others} if self.index else {}
        done = subprocess.run(line, capture_output=True, text=True, timeout=_FETCHING, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, **own})
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1][:300].rstrip(".")
            raise NoWheels(f"The packages for the machine cannot be downloaded: {said}.",
                           hint=f"Put their wheels into {self._folder}, or let the machine reach the internet.")


def _for_each(python: Packed | None) -> dict[str, Runtime]:
    return dict.fromkeys(python.platforms, python.runtime) if python else {}


def _stamp() -> str:
    """Return what changes when this Python does, or the way in which it is packed."""
    program, packer = Path(os.path.realpath(sys.executable)), Path(pack_own_python.__code__.co_filename)
    about = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in (program, packer)]
    return hashlib.sha256(canonical.dumps([list(map(str, item)) for item in about])).hexdigest()
