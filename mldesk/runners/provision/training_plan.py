"""Where the packages that train would come from, decided in words and sizes before anything is done. No I/O here.

In order: an environment that is there; the box's own way to the internet; wheels that the desktop sends. A box that
trains on its processor is sent wheels before it downloads, because the default index holds torch for CUDA only, which
is ten times as large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from mldesk.core.sizes import size
from mldesk.runners.provision.probe import HostFacts
from mldesk.runners.provision.torch_builds import CPU, DEFAULT_INDEX, MB, TorchBuild
from mldesk.runners.provision.wheelhouse import Lock, Packages, lock_for

REST = 350 * MB            # of the training packages beside torch, to download
REST_INSTALLED = 1_200 * MB
GLIBC = (2, 28)            # what the wheels of torch and its kin are built against


class Source(Enum):
    """Where a training environment comes from."""

    THERE = "there"           # it is on the box, whole
    DOWNLOAD = "download"     # the box fetches it
    UPLOAD = "upload"         # the desktop sends wheels
    NONE = "none"             # the box cannot train; ``Training.words`` says why


@dataclass(frozen=True, slots=True)
class Wheels:
    """A whole set of wheels that the desktop has, or can get, for one lock."""

    size: int                 # bytes to send
    installed: int            # bytes on disk
    exact: bool               # whether ``size`` is counted; else it is an estimate
    fetched: bool = False     # whether the desktop has to download some of them first


@dataclass(frozen=True, slots=True)
class TrainingOffer:
    """What a desktop can give to a box that is to train."""

    packages: Packages = ()   # what it trains with itself, torch without a build
    wheels: Mapping[str, Wheels] = field(default_factory=dict)  # by the key of their lock
    pip: int = 0              # bytes of a pip that it can send; 0: it has none
    index: bool = False       # whether the user named an index that holds every build of torch


@dataclass(frozen=True, slots=True)
class Training:
    """The training part of a plan. Sizes are bytes."""

    source: Source
    torch: TorchBuild
    lock: Lock
    words: str
    upload: int = 0
    download: int = 0
    disk: int = 0             # once installed
    needs: int = 0            # while it is installed

    key: str = ""             # start of the environment's key: its folder

    @property
    def works(self) -> bool:
        return self.source is not Source.NONE

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.lock.key[:16])


def plan_training(facts: HostFacts, offer: TrainingOffer, torch: TorchBuild, python: tuple[int, ...], platform: str, *,
                  own_libc: bool, uv: bool, renew: bool) -> Training:
    """Decide. ``python``: the agent's, which trains too; ``own_libc``: it brings its own glibc; ``uv``: there is or
    will be one on the box; ``renew``: an environment in use is no reason to keep it."""
    lock = lock_for(offer.packages, torch, python, platform)
    keys = {item.key: item for item in facts.environments}
    used = keys.get(facts.trainer)
    if lock.key[:16] in keys:
        return Training(Source.THERE, torch, lock, f"Its training packages with torch {torch.words} are there.")
    if used is not None and used.torch == torch.name and not renew:
        return Training(Source.THERE, torch, lock, f"Its training packages with torch {torch.words} are there, in "
                        "other versions than this desktop's; an upgrade brings these.", key=used.key)
    why = _impossible(facts, own_libc=own_libc)
    if why:
        return Training(Source.NONE, torch, lock, why)
    sent, fetched = _sent(offer, torch, lock), _fetched(facts, offer, torch, lock, uv=uv)
    ways = [sent, fetched] if torch == CPU and not offer.index else [fetched, sent]
    chosen = next((way for way in ways if isinstance(way, Training)), None)
    if chosen is None:
        return Training(Source.NONE, torch, lock, f"It cannot train yet: {fetched}, and {sent}.")
    if facts.home.free < chosen.needs:
        return Training(Source.NONE, torch, lock, f"It cannot train yet: the packages need {size(chosen.needs)} of "
                        f"disk, {size(facts.home.free)} are free.")
    return chosen


def _impossible(facts: HostFacts, *, own_libc: bool) -> str:
    if facts.libc == "musl":
        return "It cannot train: torch and its kin are not built for musl. Use a machine or container with glibc."
    if facts.libc == "glibc" and facts.libc_version < GLIBC and not own_libc:
        version = ".".join(map(str, facts.libc_version)) or "(unknown)"
        return (f"It cannot train: its glibc {version} is older than the {'.'.join(map(str, GLIBC))} that torch "
                "needs.")
    return ""


def _sent(offer: TrainingOffer, torch: TorchBuild, lock: Lock) -> Training | str:
    wheels = offer.wheels.get(lock.key)
    if wheels is None:
        return (f"this desktop holds no wheels of torch {torch.words} with its kin for Python {lock.python} on "
                f"{lock.platform}")
    about = "" if wheels.exact else "about "
    first = "this desktop downloads what it lacks, then " if wheels.fetched else ""
    return Training(Source.UPLOAD, torch, lock,
                    f"For training it gets torch {torch.words} and its kin from here: {first}upload {about}"
                    f"{size(wheels.size)}, {size(wheels.installed)} of its disk.",
                    upload=wheels.size, disk=wheels.installed, needs=wheels.size + wheels.installed)


def _fetched(facts: HostFacts, offer: TrainingOffer, torch: TorchBuild, lock: Lock, *, uv: bool) -> Training | str:
    if facts.internet is not True:
        return "it has no way to the internet"
    if not uv and not offer.pip:
        return "neither it nor this desktop has uv or pip to download with"
    if torch not in (CPU, _default(torch)) and not offer.index:
        return f"the default index holds no torch {torch.words}, and no other index is set"
    build = torch if offer.index or torch != CPU else None
    download, disk = (build.download + REST, build.installed + REST_INSTALLED) if build else (
        2_000 * MB + REST, 5_000 * MB + REST_INSTALLED)  # the default index: for CUDA, which computes on processors too
    return Training(Source.DOWNLOAD, torch, lock,
                    f"For training it downloads torch {torch.words} and its kin: about {size(download)}, about "
                    f"{size(disk)} of its disk.", upload=0 if uv else offer.pip, download=download, disk=disk,
                    needs=download + disk)


def _default(torch: TorchBuild) -> TorchBuild | None:
    return torch if torch.name == DEFAULT_INDEX else None
