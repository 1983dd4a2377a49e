"""Make truly bare machines runners over SSH, train there, upgrade under a running job, and take everything away.

    python -m tests.chaos.bare_box [--box FOLDER] [--with-python FOLDER] [--keep]

Needs root, Linux, iproute2 and debootstrap (which fetches about 45 MB) unless FOLDER holds a minimal Debian with
openssh-server already. Each box is a chroot with a user of its own, in a network namespace that reaches this machine by
a pair of veth devices and nothing else: it has no route out. First a box without Python, then one with its own Python
3. Everything goes the way the window and the command line go: the workbench, the user's ssh, the box's sshd.
Prints what was sent, how long it took and what is left.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mldesk
from mldesk.app import open_workbench
from mldesk.runners.ssh.errors import UnknownHost
from mldesk.wire.states import JobState
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runners import Preparation
from tests.runners.ssh.box import make_key

USER = 4321
SAMPLE = Path(__file__).parents[2] / "resources/samples/telco_churn.csv"


@dataclass(frozen=True)
class Figures:
    """What one box came to."""

    name: str
    seconds: float            # to make it a runner, packages and all
    sent: float               # MB
    disk: float               # MB there
    first_metric: float       # seconds from submit to the first value of the first run
    upgrade: float            # seconds, with a job running
    left: list[str]

    def __str__(self) -> str:
        return (f"{self.name}: a runner that trains in {self.seconds:.1f} s, {self.sent:.1f} MB sent, "
                f"{self.disk:.0f} MB there; first value of the first run after {self.first_metric:.1f} s; upgraded in "
                f"{self.upgrade:.1f} s while a job ran; left after its removal: {self.left}")


def main() -> int:
    """Try it; return 0 when all went as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--box", type=Path, help="a folder with a minimal Debian and openssh-server, without Python")
    parser.add_argument("--with-python", type=Path, help="the same with Python 3 and venv")
    given = parser.parse_args()
    if os.getuid() or not shutil.which("ip") or not (given.box or shutil.which("debootstrap")):
        print("not tried: this needs root, iproute2, and debootstrap or --box")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mldesk-bare-") as name:
        scratch = Path(name)
        for kind, folder, packages in (("bare box", given.box, "openssh-server"),
                                       ("box with Python", given.with_python, "openssh-server,python3,python3-venv")):
            root = folder or _bootstrap(scratch / kind.replace(" ", "-"), packages)
            with _box(root, scratch) as address, open_workbench(scratch / f"{kind} desk",
                                                                 ssh_folder=scratch / "ssh") as bench:
                figures = _try(kind, root, address, bench)
            print(figures, flush=True)
            failed += bool(figures.left)
    return int(failed > 0)


def _try(kind: str, root: Path, address: str, bench: Workbench) -> Figures:
    before = _listing(root)
    bench.datasets.import_files([SAMPLE], "telco")
    preparation = _prepare(bench, address)
    print(f"\n{kind}: {preparation.facts.distribution}, Pythons {len(preparation.facts.pythons)}, "
          f"internet {preparation.facts.internet}", *preparation.words, sep="\n  ")
    assert bool(preparation.facts.pythons) is (kind != "bare box") and preparation.facts.internet is not True
    began = time.monotonic()
    record = bench.runners.add("box", address, preparation=preparation, report=_Told())
    seconds = time.monotonic() - began
    assert record.options["trains"], record.options
    disk = sum(path.lstat().st_blocks for path in (root / "home/user/.mldesk").rglob("*")) * 512 / 1e6
    first = _train(bench, "lightgbm", {})
    _train(bench, "mlp", {"epochs": 3})
    upgrade = _upgrade_under_a_job(bench)
    bench.runners.remove("box")
    after = _listing(root)
    return Figures(kind, seconds, preparation.plan.upload / 1e6 + preparation.plan.training.upload / 1e6, disk, first,
                   upgrade, sorted(before ^ after))


def _prepare(bench: Workbench, address: str) -> Preparation:
    try:
        return bench.runners.prepare(address)
    except UnknownHost as error:
        bench.runners.accept(error)
        return bench.runners.prepare(address)


def _train(bench: Workbench, estimator: str, parameters: dict[str, object]) -> float:
    """Train the demo there; return the seconds from the submit to the first value of a curve."""
    began = time.monotonic()
    run = bench.runs.start(TrainOrder("telco", "Churn", estimator=estimator, parameters=parameters, runner="box"))
    first, values, events = 0.0, 0, []
    for event in bench.runs.follow(run.id):
        events.append(event.seq)
        if event.kind == "metrics":
            first, values = first or time.monotonic() - began, values + 1
    done = bench.runs.get(run.id)
    assert done.state is JobState.SUCCEEDED, (done.state, done.message)
    assert events == list(range(1, len(events) + 1)) and values >= 3, (estimator, values)
    assert bench.judging.evaluation(run.id)
    print(f"  {estimator}: {values} values of its curves came back, the first after {first:.2f} s; "
          f"{time.monotonic() - began:.1f} s in all", flush=True)
    return first


def _upgrade_under_a_job(bench: Workbench) -> float:
    """Bring a newer agent there while a job runs, which must go on to its end as if nothing had been."""
    run = bench.runs.start(TrainOrder("telco", "Churn", estimator="mlp", runner="box", parameters={
        "epochs": 400, "patience": 400}))
    for event in bench.runs.follow(run.id):
        if event.kind == "metrics":
            break
    version, mldesk.__version__ = mldesk.__version__, f"{mldesk.__version__}.post1"
    try:
        began = time.monotonic()
        record = bench.runners.upgrade("box")
        seconds = time.monotonic() - began
    finally:
        mldesk.__version__ = version
    assert str(record.facts["versions"]["mldesk"]).endswith(".post1"), record.facts
    assert not bench.runs.get(run.id).state.ended, "the job ended before the upgrade did: give it more to do"
    bench.runs.finish(run.id)
    starts = [event for event in bench.runs.follow(run.id) if event.kind == "started"]
    done = bench.runs.get(run.id)
    assert done.state is JobState.SUCCEEDED and len(starts) == 1, (done.state, done.message, starts)
    return seconds


class _Told:
    """Prints each phase once."""

    def __init__(self) -> None:
        self._last, self._began = "", time.monotonic()

    def __call__(self, what: str, part: float) -> None:
        if what != self._last:
            self._last = what
            print(f"  {time.monotonic() - self._began:5.1f} s {part:4.0%} {what}", flush=True)


def _listing(root: Path) -> set[str]:
    """Return everything that could be left: the user's home, and what lies below /tmp and /run."""
    return {str(path.relative_to(root)) for place in ("home/user", "tmp", "var/spool/cron", "run/user")
            for path in (root / place).rglob("*")}


# --- boxes

def _bootstrap(folder: Path, packages: str) -> Path:
    subprocess.run(["debootstrap", "--variant=minbase", f"--include={packages}", "stable", str(folder)], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


@contextlib.contextmanager
def _box(root: Path, scratch: Path) -> Iterator[str]:
    """Run a box; give its address. Its user lets the key below ``scratch`` in."""
    folder = scratch / "ssh"
    if not folder.exists():
        folder.mkdir(mode=0o700)
        make_key(folder / "id_ed25519", "ed25519")
    _account(root, (folder / "id_ed25519.pub").read_text())
    with _mounted(root), _network() as (space, address):
        (root / "run/sshd").mkdir(parents=True, exist_ok=True)
        sshd = subprocess.Popen(["ip", "netns", "exec", space, "chroot", str(root), "/usr/sbin/sshd", "-D", "-e",
                                 "-o", "UsePAM=no", "-o", "PidFile=none"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(1.0)
            yield f"user@{address}"
        finally:
            sshd.terminate()
            sshd.wait()
            for pid in subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True,
                                      check=True).stdout.split():
                print("  still ran:", Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)


def _account(root: Path, key: str) -> None:
    if subprocess.run(["chroot", str(root), "id", "user"], capture_output=True, check=False).returncode:
        subprocess.run(["chroot", str(root), "useradd", "--uid", str(USER), "--create-home", "--shell", "/bin/bash",
                        "--password", "*", "user"], check=True)
    folder = root / "home/user/.ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "authorized_keys").write_text(key)
    for path in (folder, folder / "authorized_keys"):
        os.chown(path, USER, USER)


@contextlib.contextmanager
def _network() -> Iterator[tuple[str, str]]:
    """Make a namespace that sees this machine and nothing else; give its name and its address."""
    name, net = f"mldesk{os.getpid()}", f"10.213.{os.getpid() % 250}"
    for line in (f"netns add {name}", f"link add {name[:12]}h type veth peer name eth0 netns {name}",
                 f"addr add {net}.1/30 dev {name[:12]}h", f"link set {name[:12]}h up",
                 f"-n {name} addr add {net}.2/30 dev eth0", f"-n {name} link set eth0 up",
                 f"-n {name} link set lo up"):
        subprocess.run(["ip", *line.split()], check=True)
    try:
        yield name, f"{net}.2"
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@contextlib.contextmanager
def _mounted(root: Path) -> Iterator[None]:
    own = not (root / "proc/self").exists()
    if own:
        subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    try:
        yield
    finally:
        if own:
            subprocess.run(["umount", "--lazy", str(root / "proc")], check=True)


if __name__ == "__main__":
    sys.exit(main())
