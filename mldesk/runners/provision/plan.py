"""What has to be done to make a box a runner, said in words and sizes before anything is done. No I/O here.

The ladder (design/link.md, D11): an agent that is there and understands us; uv with a way out to the internet; a Python
that the desktop uploads; the box's own Python; else a refusal that says why each was not possible.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from mldesk.core.errors import WorkFailed
from mldesk.core.sizes import size
from mldesk.runners.provision.probe import HostFacts, Python
from mldesk.runners.provision.torch_builds import CPU, MB, TorchBuild, torch_build
from mldesk.runners.provision.training_plan import Training, TrainingOffer, plan_training
from mldesk.wire.protocol import PROTOCOL

OLDEST_PYTHON, TOO_NEW_PYTHON = (3, 11), (3, 14)
_ARCHES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_SPARE = 500 * MB          # bytes left free beside what is installed
_PYTHON_DOWNLOAD, _PYTHON_INSTALLED = 35 * MB, 120 * MB


class CannotProvision(WorkFailed):
    """The box cannot become a runner as it is. ``reasons`` has one line per way that was tried."""

    code = "cannot_provision"

    def __init__(self, message: str, hint: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.reasons = reasons


class Way(Enum):
    """How the box gets the Python that the agent runs on."""

    EXISTING = "existing"     # an installed agent is used as it is
    UV = "uv"                 # uv fetches one from the internet
    UPLOAD = "upload"         # the desktop sends one
    SYSTEM = "system"         # the box has one


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Python that the desktop can upload."""

    digest: str               # SHA-256 of the archive
    version: str              # "3.12.11"
    size: int                 # bytes of the archive
    installed: int            # bytes on disk
    glibc: tuple[int, ...]    # lowest it runs on; () when it brings its own


@dataclass(frozen=True, slots=True)
class Offer:
    """What this desktop can give to a box."""

    build: str                # of the agent
    payload: int              # bytes to upload
    installed: int            # bytes on disk
    runtimes: Mapping[str, Runtime] = field(default_factory=dict)  # by "x86_64-glibc" and the like
    uv: Mapping[str, int] = field(default_factory=dict)            # bytes of the uv it can upload, likewise
    training: TrainingOffer = field(default_factory=TrainingOffer)
    python: str = "3.12"      # the version that uv is to fetch: the desktop's own, whose packages are known to exist


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done once the user agrees. Sizes are bytes."""

    way: Way
    build: str                # the agent that will answer
    python: str               # its interpreter: a path on the box, or a version that comes along
    upload: int               # from the desktop to the box, for the agent
    download: int             # by the box from the internet, for the agent
    disk: int                 # the agent's, once installed
    training: Training        # what it would train with, or why it cannot
    notes: tuple[str, ...]    # what the user should know
    skipped: tuple[str, ...]  # why the ways above were not taken

    @property
    def words(self) -> str:
        """The plan as the user reads it."""
        lines = [_DOING[self.way].format(build=self.build, python=self.python)]
        if self.way is not Way.EXISTING:
            sizes = [f"upload {size(self.upload)}"]
            if self.download:
                sizes.append(f"let the machine download {size(self.download)}")
            lines.append(f"This will {', '.join(sizes)}, and take {size(self.disk)} of its disk in ~/.mldesk.")
        return "\n".join([*lines, self.training.words, *self.notes])


_DOING = {
    Way.EXISTING: "MLDesk {build} is installed there and is used as it is.",
    Way.UV: "Install MLDesk {build} with Python {python}, which the machine fetches from the internet with uv.",
    Way.UPLOAD: "Install MLDesk {build} with Python {python}, both sent from here; the machine needs no internet.",
    Way.SYSTEM: "Install MLDesk {build} on the machine's own Python ({python}).",
}


def make_plan(facts: HostFacts, offer: Offer, *, processor_only: bool = False, upgrade: bool = False,
              without: Collection[Way] = ()) -> Plan:
    """Decide how to make the box a runner. ``processor_only``: the user gave up on its graphics cards. ``upgrade``:
    an agent that is there is used only if it is the very one on offer. ``without``: ways that were tried in vain.

    Raises CannotProvision, and UnknownDriver for a driver that says nothing.
    """
    _require_linux(facts)
    if facts.gpu_problem and not processor_only:
        raise CannotProvision(f"The machine's graphics card cannot be used: {facts.gpu_problem}.",
                              "Mend its driver, or add the machine for the processor only.")
    torch = CPU if processor_only else torch_build(facts.gpus)
    skipped: list[str] = []
    for way, rung in ((Way.EXISTING, _existing), (Way.UV, _with_uv), (Way.UPLOAD, _upload), (Way.SYSTEM, _system)):
        found = f"MLDesk {facts.current} is to be replaced." if way is Way.EXISTING and upgrade and (
            facts.current != offer.build) else rung(facts, offer)
        if way in without:
            found = f"The way over {way.value} was tried and did not work."
        if isinstance(found, str):
            skipped.append(found)
            continue
        _require_home(facts, found.disk + found.upload)
        return Plan(way, found.build, found.python, found.upload, found.download, found.disk,
                    _training(facts, offer, torch, way, found, renew=upgrade),
                    _notes(facts, offer, found, processor_only), tuple(skipped))
    raise CannotProvision(f"No Python for the agent can be had on this machine: {skipped[-1]}",
                          f"Install Python {_dotted(OLDEST_PYTHON)} or newer there, or let it reach the internet.",
                          tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Rung:
    """One way that is possible."""

    build: str
    python: str
    python_version: tuple[int, ...]
    upload: int = 0
    download: int = 0
    disk: int = 0


def usable(python: Python) -> bool:
    """Say whether the agent runs on it."""
    return (OLDEST_PYTHON <= python.version[:2] < TOO_NEW_PYTHON and python.venv and python.bits == 64
            and python.implementation == "cpython")


def platform_of(facts: HostFacts) -> str:
    """Return "x86_64-glibc" and the like."""
    return f"{_ARCHES.get(facts.arch, facts.arch)}-{facts.libc}"


# --- the rungs: each returns what it would take, or why it is not possible

def _existing(facts: HostFacts, _offer: Offer) -> _Rung | str:
    by_build = {install.build: install for install in facts.installs}
    if not by_build:
        return "MLDesk is not installed there."
    install = by_build.get(facts.current)
    if install is None:
        return "What is installed of MLDesk there is not in use."
    if install.protocol[0] > PROTOCOL[1] or install.protocol[1] < PROTOCOL[0]:
        return f"MLDesk {install.build} is installed there, but it speaks another version of the protocol."
    return _Rung(install.build, install.python, _parts(install.python))


def _with_uv(facts: HostFacts, offer: Offer) -> _Rung | str:
    if facts.internet is not True:
        return ("It cannot reach the internet." if facts.internet is False else
                "Whether it reaches the internet is unknown.")
    uv = 0 if "uv" in facts.tools else offer.uv.get(platform_of(facts))
    if uv is None:
        return f"It has no uv, and this desktop has none for {platform_of(facts)}."
    return _Rung(offer.build, offer.python, _parts(offer.python), offer.payload + uv, _PYTHON_DOWNLOAD,
                 offer.installed + uv + _PYTHON_INSTALLED)


def _upload(facts: HostFacts, offer: Offer) -> _Rung | str:
    runtime = offer.runtimes.get(platform_of(facts))
    if runtime is None:
        return f"This desktop has no Python for {platform_of(facts)} to send."
    if runtime.glibc and facts.libc == "glibc" and facts.libc_version < runtime.glibc:
        return (f"The machine's glibc {_dotted(facts.libc_version) or '(unknown)'} is older than the "
                f"{_dotted(runtime.glibc)} that the Python to send needs.")
    missing = sorted({"tar", "gzip"} - facts.tools)
    if missing:
        return f"It lacks {' and '.join(missing)} to unpack a Python with."
    there = runtime.digest[:16] in facts.runtimes
    upload, disk = (0, 0) if there else (runtime.size, runtime.installed)
    return _Rung(offer.build, runtime.version, _parts(runtime.version), offer.payload + upload,
                 disk=offer.installed + disk)


def _system(facts: HostFacts, offer: Offer) -> _Rung | str:
    for python in facts.pythons:
        if usable(python):
            return _Rung(offer.build, python.path, python.version, offer.payload, 0, offer.installed)
    if not facts.pythons:
        return "It has no Python of its own."
    best = facts.pythons[0]
    return (f"Its own Python is {_dotted(best.version)}{'' if best.venv else ' without venv'}; "
            f"{_dotted(OLDEST_PYTHON)} to 3.13 with venv is needed.")


# --- what holds for every rung

def _require_linux(facts: HostFacts) -> None:
    if facts.os != "Linux":
        raise CannotProvision(f"The machine runs {facts.os or 'an unknown system'}; runners over SSH need Linux.",
                              "Use a Linux machine, or train on this one.")
    if facts.arch not in _ARCHES:
        raise CannotProvision(f"The machine's processor ({facts.arch or 'unknown'}) is none that MLDesk is built for.",
                              "Use a machine with an x86_64 or aarch64 processor.")


def _require_home(facts: HostFacts, disk: int) -> None:
    home = facts.home
    if home.state == "noexec":
        raise CannotProvision(f"Programs in {home.path} may not be run: its file system is mounted noexec.",
                              "Ask the machine's owner for a home on a file system without noexec.")
    if home.state != "ok":
        raise CannotProvision(f"The home folder {home.path or '(unset)'} is {home.state}.",
                              "Ask the machine's owner for a home that you can write to.")
    if disk and home.free < disk + _SPARE:
        raise CannotProvision(f"There is too little space in {home.path}: {size(home.free)} are free, "
                              f"{size(disk + _SPARE)} are needed.", "Free some space there, then try again.")


def _training(facts: HostFacts, offer: Offer, torch: TorchBuild, way: Way, rung: _Rung, *, renew: bool) -> Training:
    """Plan the training packages for the disk that the agent leaves, on the Python that it gets."""
    left = replace(facts, home=replace(facts.home, free=max(0, facts.home.free - rung.disk - rung.upload - _SPARE)))
    own_libc = way is Way.UPLOAD or (way is Way.EXISTING and bool(facts.runtimes))
    platform = platform_of(replace(facts, libc="glibc") if own_libc else facts)
    return plan_training(left, offer.training, torch, rung.python_version, platform, own_libc=own_libc,
                         uv="uv" in facts.tools or platform_of(facts) in offer.uv, renew=renew)


def _notes(facts: HostFacts, offer: Offer, rung: _Rung, processor_only: bool) -> tuple[str, ...]:
    notes = []
    if facts.home.network:
        notes.append(f"Its home is on a network file system ({facts.home.filesystem}); jobs and their data should lie "
                     "on a local disk.")
    if processor_only and (facts.gpus or facts.gpu_problem):
        notes.append("Its graphics cards are left alone, as you asked.")
    if rung.build != offer.build:
        notes.append(f"This desktop has {offer.build}; upgrade when it suits you.")
    if facts.logout_kills and not facts.linger:
        notes.append("It ends what its users run when they log out, so jobs would end with the connection. Let "
                     f"somebody with the right to it run `loginctl enable-linger {facts.user}` there.")
    if facts.proxies:
        notes.append(f"It reaches the internet by a proxy: {facts.proxies[0].partition(' ')[2]}.")
    return tuple(notes)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
