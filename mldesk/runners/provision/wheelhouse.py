"""The training environment of a box, apart from the agent's: which packages, named by one key, and the wheels at hand.

The packages are those of this installation, exactly, so that a run is trained there by what was tried here; only
torch's build follows the box's driver. Two boxes with the same key have the same environment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mldesk.core import canonical
from mldesk.runners.provision.package import NotWhole
from mldesk.runners.provision.torch_builds import TorchBuild

# What mldesk.training imports beside the "agent" extra of the project.
_ROOTS = ("numpy", "pyarrow", "onnxruntime", "psutil")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True, slots=True)
class Lock:
    """One training environment."""

    python: str               # "3.12"
    platform: str             # "x86_64-glibc"
    torch: str                # "cu130"
    packages: tuple[tuple[str, str], ...]  # name and version, sorted

    @property
    def key(self) -> str:
        """SHA-256 of all of it: the environment's folder is named by its start."""
        return hashlib.sha256(canonical.dumps({
            "python": self.python, "platform": self.platform, "packages": [list(item) for item in self.packages],
        })).hexdigest()

    @property
    def requirements(self) -> str:
        """The packages as an installer reads them."""
        return "".join(f"{name}=={version}\n" for name, version in self.packages)


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """The wheels for one lock in a folder of this desktop."""

    lock: Lock
    wheels: tuple[Path, ...]
    missing: tuple[str, ...]  # name==version for which there is none

    @property
    def size(self) -> int:
        """Bytes to upload."""
        return sum(path.stat().st_size for path in self.wheels)


def lock_training(torch: TorchBuild, python: tuple[int, ...], platform: str) -> Lock:
    """Lock the packages that train here, with torch's build for the box. Raises NotWhole."""
    found: dict[str, str] = {}
    pending = [*_ROOTS, *_required("mldesk", "agent")]
    while pending:
        name = normal(pending.pop())
        if name in found:
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
    found["torch"] = f"{found['torch'].partition('+')[0]}+{torch.name}"
    return Lock(".".join(map(str, python[:2])), platform, torch.name, tuple(sorted(found.items())))


def find_wheels(lock: Lock, folder: Path) -> Wheelhouse:
    """Pick the wheels of a lock out of a folder, where one of each is needed."""
    held: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(folder.glob("*.whl")):
        parts = path.name.removesuffix(".whl").split("-")
        if len(parts) >= 5 and _fits(parts[-3], parts[-2], parts[-1], lock):
            held.setdefault((normal(parts[0]), parts[1]), []).append(path)
    wheels = [held[package][0] for package in lock.packages if package in held]
    missing = [f"{name}=={version}" for name, version in lock.packages if (name, version) not in held]
    return Wheelhouse(lock, tuple(wheels), tuple(missing))


def normal(name: str) -> str:
    """Return the one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


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
