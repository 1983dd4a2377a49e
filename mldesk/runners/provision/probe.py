"""What a box is and has, as one frozen record. The box may be anything, so nothing that it says is taken on trust."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.answers import plain
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.scripts import script

INTERNET_URL = "https://www.python.org/"
_SECONDS = 90.0            # a slow box with a hung driver and many Pythons
_LINES, _LIST = 500, 64    # lines that are read, and values of one key
_MOST = 2**53              # no number of a box is larger
_MARKS = re.compile(rb"(?m)^MLDESK-PROBE-begin 1\r?$(.*?)^MLDESK-PROBE-end 1\r?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the box and the file system it is on."""

    path: str
    free: int                 # bytes; 0: unknown
    filesystem: str           # as the box calls it: "ext2/ext3", "nfs", "tmpfs"; "" unknown
    state: str                # "ok", "missing", "unwritable", "noexec"

    @property
    def network(self) -> bool:
        """Whether it is on another machine, where locks and sockets cannot be relied on."""
        return any(word in self.filesystem.lower() for word in ("nfs", "smb", "cifs", "lustre", "fuse.sshfs", "afs"))


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter on the box."""

    version: tuple[int, ...]
    path: str
    venv: bool                # whether it can make environments
    bits: int
    implementation: str       # "cpython"


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA card whose driver answers."""

    name: str
    memory: int               # bytes
    driver: str               # "580.65.06"


@dataclass(frozen=True, slots=True)
class Install:
    """A version of MLDesk's agent that lies on the box, whole."""

    build: str
    protocol: tuple[int, int]  # lowest and highest that it speaks
    python: str               # of its environment


@dataclass(frozen=True, slots=True)
class Environment:
    """A training environment that lies on the box, whole and tried."""

    key: str                  # start of its lock's key
    torch: str                # "cu130": the build that was asked for


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The answers of one probe. Texts are plain and short; an empty text or 0 is what the box did not say."""

    os: str
    kernel: str
    arch: str
    distribution: str
    libc: str                 # "glibc", "musl", "unknown"
    libc_version: tuple[int, ...]
    cores: int
    memory: int               # bytes
    user: str
    uid: int
    shell: str
    clock: int                # seconds since 1970, by the box's clock
    boot_id: str
    home: Folder
    temp: Folder
    tools: frozenset[str]
    pythons: tuple[Python, ...]
    gpus: tuple[Gpu, ...]
    gpu_problem: str          # why the cards that are there cannot be used; "" when there is none, or all is well
    systemd: int              # version; 0: not run by systemd
    systemd_user: bool        # whether the user's own systemd answers
    linger: bool
    crontab: str              # "ok", "denied", "missing"
    internet: bool | None     # None: not asked, or no way to tell
    proxies: tuple[str, ...]  # names and addresses, without passwords
    current: str              # build that ``current`` points to
    installs: tuple[Install, ...]
    runtimes: frozenset[str]  # Pythons that were uploaded before, by the start of their digests
    environments: tuple[Environment, ...] = ()
    trainer: str = ""         # key of the environment that trains; "" when none does
    logout_kills: bool = False  # whether what a user runs is ended when they log out


def probe(box: Exec, internet_url: str = INTERNET_URL) -> HostFacts:
    """Ask the box. ``internet_url`` is what it asks for to see whether there is a way out; empty: it asks nobody.

    Raises RunnerUnreachable, also when the answer makes no sense.
    """
    ran = box.run(f"internet_url={shlex.quote(internet_url)}\n{script('probe')}", timeout=_SECONDS)
    return read(ran.stdout)


def read(output: bytes) -> HostFacts:
    """Read what probe.sh printed, whatever else stands around it. Raises RunnerUnreachable if it is not there."""
    found = _MARKS.search(output)
    if found is None:
        raise RunnerUnreachable("The machine did not say what it is: it has no POSIX shell, or its output was cut.",
                                hint="See whether `sh -c 'echo hello'` works there over ssh.")
    values = _Values(found[1].splitlines()[:_LINES])
    libc, _, libc_version = values.text("libc").partition(" ")
    gpus = tuple(filter(None, map(_gpu, values.all("gpu"))))
    return HostFacts(
        os=values.text("os"), kernel=values.text("kernel"), arch=values.text("arch"),
        distribution=values.text("distribution"), libc=libc if libc in ("glibc", "musl") else "unknown",
        libc_version=_version(libc_version), cores=values.number("cores"), memory=values.number("memory_kb") * 1024,
        user=values.text("user"), uid=values.number("uid"), shell=values.text("shell"), clock=values.number("clock"),
        boot_id=values.text("boot_id"), home=_folder(values, "home"), temp=_folder(values, "temp"),
        tools=frozenset(values.all("tool")), pythons=_pythons(values.all("python")), gpus=gpus,
        gpu_problem=_gpu_problem(values, gpus), systemd=values.number("systemd"),
        systemd_user=values.text("systemd.user") == "yes", linger=values.text("linger") == "yes",
        crontab=values.text("crontab") or "missing", internet={"yes": True, "no": False}.get(values.text("internet")),
        proxies=tuple(values.all("proxy")), current=values.text("current").rpartition("/")[2],
        installs=tuple(filter(None, map(_install, values.all("install")))),
        runtimes=frozenset(values.all("runtime")),
        environments=tuple(filter(None, map(_environment, values.all("environment")))), trainer=values.text("trainer"),
        logout_kills=values.text("logout.kills") == "yes")


class _Values:
    """Lines key=value; a key may come again."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._values: dict[str, list[str]] = {}
        for line in lines:
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            held = self._values.setdefault(key, []) if equals and len(key) < 32 else []
            if len(held) < _LIST and (text := plain(value).strip()):
                held.append(text)

    def text(self, key: str) -> str:
        return next(iter(self._values.get(key, ())), "")

    def all(self, key: str) -> list[str]:
        return self._values.get(key, [])

    def number(self, key: str) -> int:
        return _number(self.text(key))


def _number(text: str) -> int:
    digits = re.match(r"[0-9]{1,16}", text)
    return min(int(digits[0]), _MOST) if digits else 0


def _version(text: str) -> tuple[int, ...]:
    found = re.match(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _folder(values: _Values, name: str) -> Folder:
    return Folder(values.text(f"{name}.path"), values.number(f"{name}.free_kb") * 1024, values.text(f"{name}.type"),
                  values.text(f"{name}.state") or "missing")


def _pythons(lines: Iterable[str]) -> tuple[Python, ...]:
    """Read interpreters, each once however many names it has, the newest first."""
    found: dict[str, Python] = {}
    for line in lines:
        words = line.split(" ")
        if len(words) < 6 or not words[4].startswith("/") or not words[-1].startswith("/"):
            continue
        found.setdefault(words[4], Python(_version(words[0]), words[4], words[1] == "venv", _number(words[2]),
                                          words[3]))
    return tuple(sorted(found.values(), key=lambda python: python.version, reverse=True))


def _gpu(line: str) -> Gpu | None:
    name, *rest = (part.strip() for part in line.split(","))
    if len(rest) != 2 or not name or not rest[1]:
        return None
    return Gpu(name, _number(rest[0]) * 2**20, rest[1])


def _gpu_problem(values: _Values, gpus: tuple[Gpu, ...]) -> str:
    """Say what keeps the cards that are there from being used."""
    tool, cards = values.text("gpu.tool"), values.number("gpu.cards")
    if tool == "broken":
        return f"its driver does not work: {values.text('gpu.message') or 'nvidia-smi fails without a word'}"
    if tool == "ok" and not gpus:
        return "nvidia-smi works but names no card" if cards else ""
    if tool == "missing" and (cards or values.text("gpu.module") or values.text("gpu.nodes") == "yes"):
        return "an NVIDIA card is there but no nvidia-smi: its driver is not installed, or not in this container"
    return ""


def _install(line: str) -> Install | None:
    """Read ``BUILD protocol=LOW-HIGH python=X.Y.Z``."""
    found = re.match(r"([0-9A-Za-z.+-]{1,100}) protocol=(\d{1,4})-(\d{1,4}) python=([0-9.]{1,20})$", line)
    return Install(found[1], (int(found[2]), int(found[3])), found[4]) if found else None


def _environment(line: str) -> Environment | None:
    """Read ``KEY torch=BUILD``."""
    found = re.match(r"([0-9a-f]{16}) torch=([0-9a-z]{1,20})( |$)", line)
    return Environment(found[1], found[2]) if found else None
