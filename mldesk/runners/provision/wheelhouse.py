"""The training environment of a box, apart from the agent's: which packages, named by one key, and the wheels at hand.

The packages are those of this installation, exactly, so that a run is trained there by what was tried here; only
torch's build follows the box's driver. Two boxes with the same key have the same environment.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from mldesk.core import canonical
from mldesk.runners.provision import own_wheels
from mldesk.runners.provision.package import NotWhole
from mldesk.runners.provision.torch_builds import TorchBuild
from mldesk.runners.provision.unpack import needless

# What mldesk.training and, for imports there, mldesk.data import beside the "agent" extra of the project.
_ROOTS = ("numpy", "pyarrow", "onnxruntime", "psutil", "duckdb", "charset-normalizer", "python-calamine")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
# Comes along with a build of torch for CUDA and is pinned by it, so no lock names it.
_CUDA_PARTS = re.compile(r"(nvidia-(?!ml-py)|cuda-|triton)")
Packages = tuple[tuple[str, str], ...]  # names and versions, sorted


@dataclass(frozen=True, slots=True)
class Lock:
    """One training environment."""

    python: str               # "3.12"
    platform: str             # "x86_64-glibc"
    torch: str                # "cu130"
    packages: Packages        # torch with its build: "2.13.0+cu130"

    @property
    def key(self) -> str:
        """SHA-256 of all of it: the environment's folder is named by its start."""
        return hashlib.sha256(canonical.dumps({
            "python": self.python, "platform": self.platform, "packages": [list(item) for item in self.packages],
        })).hexdigest()

    def requirements(self, *, builds: bool) -> str:
        """The packages as an installer reads them; ``builds``: an index is asked that knows torch's builds apart."""
        return "".join(f"{name}=={version if builds or name != 'torch' else version.partition('+')[0]}\n"
                       for name, version in self.packages)


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel: a file, or an installed package of which one will be made."""

    path: Path | None
    own: own_wheels.OwnWheel | None
    size: int                 # bytes, about while it is not made
    installed: int            # bytes of what is unpacked from it


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """The wheels for one lock on this desktop."""

    lock: Lock
    wheels: tuple[Wheel, ...]
    missing: tuple[str, ...]  # name==version for which there is none

    @property
    def size(self) -> int:
        """Bytes to upload, about while some are not made."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def installed(self) -> int:
        """Bytes on disk."""
        return sum(wheel.installed for wheel in self.wheels)

    @property
    def made(self) -> bool:
        """Whether every wheel is a file already, so that ``size`` is exact."""
        return all(wheel.path is not None for wheel in self.wheels)


def own_packages() -> Packages:
    """Return what training needs in the versions that are installed here, torch without its build. Raises NotWhole.

    With pip, where it is installed here: it makes the environments of scripts, and a Python that was sent has none.
    """
    found: dict[str, str] = {}
    pending = [*_ROOTS, *_required("mldesk", "agent"), *(["pip"] if own_wheels.find_own("pip") else [])]
    while pending:
        name = normal(pending.pop())
        if name in found or _CUDA_PARTS.match(name):
            continue
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError as error:
            if name in _ROOTS or name == "torch":
                raise NotWhole(f"{name} is not installed here, so what a runner trains with cannot be said.",
                               hint="Install MLDesk with its agent extra.") from error
            continue  # for another system or Python than ours
        pending += _required(name, None)
    if "torch" not in found:
        raise NotWhole("This installation of MLDesk does not say what it trains with.", hint="Install MLDesk again.")
    found["torch"] = found["torch"].partition("+")[0]
    return tuple(sorted(found.items()))


def lock_for(packages: Packages, torch: TorchBuild, python: tuple[int, ...], platform: str) -> Lock:
    """Lock these packages with torch's build for the box."""
    named = tuple((name, f"{version}+{torch.name}" if name == "torch" else version) for name, version in packages)
    return Lock(".".join(map(str, python[:2])), platform, torch.name, named)


def lock_training(torch: TorchBuild, python: tuple[int, ...], platform: str) -> Lock:
    """Lock the packages that train here. Raises NotWhole."""
    return lock_for(own_packages(), torch, python, platform)


def find_wheels(lock: Lock, folder: Path, *, own: bool = True) -> Wheelhouse:
    """Find the wheels of a lock: files in ``folder``, then (``own``) what is installed here, if it fits the box."""
    held = _files(lock, folder)
    here = own and lock.python == own_wheels.own_python() and lock.platform == own_wheels.own_platform()
    build = own_wheels.own_torch_build() if here else ""
    wheels, missing = [], []
    for name, version in [*lock.packages, *_cuda_parts(lock, held, here=here and lock.torch == build)]:
        wheel = _as_file(held.get((name, version)) or _default_build(name, version, held))
        if wheel is None and here and _same(name, version, build):
            wheel = _as_own(own_wheels.find_own(name), folder / "made")
        if wheel is None:
            missing.append(f"{name}=={version}")
        else:
            wheels.append(wheel)
    return Wheelhouse(lock, tuple(wheels), tuple(missing))


def make_wheels(house: Wheelhouse, folder: Path, report: Callable[[float], None]) -> list[Path]:
    """Make the wheels that are not files yet; return all, the largest first. Raises NotWhole, OSError."""
    own = sorted((wheel.own for wheel in house.wheels if wheel.own is not None), key=lambda item: -item.installed)
    total, done = sum(item.installed for item in own) or 1, 0
    own_wheels.forget_others(folder / "made", {item.filename for item in own})
    made = []
    with ThreadPoolExecutor(2, "mldesk-wheels") as pool:  # compressing lets other threads run
        for item, path in zip(own, pool.map(lambda item: own_wheels.make(item, folder / "made"), own), strict=True):
            made.append(path)
            done += item.installed
            report(done / total)
    files = [wheel.path for wheel in house.wheels if wheel.path is not None and wheel.own is None]
    return sorted([*made, *files], key=lambda path: -path.stat().st_size)


def normal(name: str) -> str:
    """Return the one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


Held = Mapping[tuple[str, str], Path]


def _files(lock: Lock, folder: Path) -> Held:
    held: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.glob("*.whl")):
        parts = path.name.removesuffix(".whl").split("-")
        if len(parts) >= 5 and _fits(parts[-3], parts[-2], parts[-1], lock):
            held.setdefault((normal(parts[0]), parts[1]), path)
    return held


def _default_build(name: str, version: str, held: Held) -> Path | None:
    """The default index names its build of torch, which is for CUDA, without saying so."""
    public, _, build = version.partition("+")
    return held.get((name, public)) if name == "torch" and build.startswith("cu") else None


def _cuda_parts(lock: Lock, held: Held, *, here: bool) -> Iterator[tuple[str, str]]:
    """Yield the libraries that a build of torch for CUDA brings along, of its folder or of this installation."""
    if lock.torch == "cpu":
        return
    newest = {name: version for name, version in held if _CUDA_PARTS.match(name)}
    if here:
        for item in metadata.distributions():
            if _CUDA_PARTS.match(name := normal(item.name)):
                newest.setdefault(name, item.version)
    torch = next((_default_build(name, version, held) or held.get((name, version))
                  for name, version in lock.packages if name == "torch"), None)
    for name in _wanted_parts(torch) if torch is not None else ():
        newest.setdefault(name, "any")  # named, so that it is missed
    yield from sorted(newest.items())


def _wanted_parts(torch: Path) -> Iterator[str]:
    """Yield the names of the libraries that a wheel of torch asks for on Linux."""
    try:
        with zipfile.ZipFile(torch) as archive:
            about = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            text = archive.read(about).decode("utf-8", "replace")
    except (OSError, zipfile.BadZipFile, StopIteration):
        return
    for line in HeaderParser().parsestr(text).get_all("Requires-Dist", []):
        found = _REQUIREMENT.match(line)
        if found and _CUDA_PARTS.match(name := normal(found[1])) and not _EXTRA.search(line):
            yield name


def _same(name: str, version: str, build: str) -> bool:
    """Say whether this installation has the very package."""
    try:
        own = metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return f"{own.partition('+')[0]}+{build}" == version if name == "torch" else own == version


def _as_file(path: Path | None) -> Wheel | None:
    if path is None:
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            installed = sum(entry.file_size for entry in archive.infolist() if not needless(entry.filename))
    except (OSError, zipfile.BadZipFile):
        return None  # a download that was cut
    return Wheel(path, None, path.stat().st_size, installed)


def _as_own(own: own_wheels.OwnWheel | None, folder: Path) -> Wheel | None:
    if own is None:
        return None
    made = own.made(folder)
    return Wheel(made, own, made.stat().st_size if made else own.size, own.installed)


def _required(name: str, extra: str | None) -> Iterator[str]:
    """Yield what an installed package requires; with ``extra``, what that extra adds."""
    for line in metadata.requires(name) or []:
        wanted = _EXTRA.search(line)
        if (wanted[1] if wanted else None) == extra and (found := _REQUIREMENT.match(line)):
            yield found[1]


def _fits(python: str, abi: str, platform: str, lock: Lock) -> bool:
    """Say whether a wheel's tags are for the lock's Python and machine."""
    own = "cp" + lock.python.replace(".", "")
    minor = int(lock.python.split(".")[1])
    pure = any(tag in ("py3", "py2", own.replace("cp", "py")) for tag in python.split("."))
    stable = abi == "abi3" and any(tag.startswith("cp3") and tag[3:].isdigit() and int(tag[3:]) <= minor
                                   for tag in python.split("."))
    if not (own in python.split(".") or pure or stable):
        return False
    arch, _, libc = lock.platform.partition("-")
    kind = "musllinux" if libc == "musl" else "manylinux"
    return platform == "any" or any(tag.endswith(arch) and tag.startswith((kind, "linux"))
                                    for tag in platform.split("."))

