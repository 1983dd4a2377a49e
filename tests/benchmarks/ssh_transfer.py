"""Moving 500 MB to a runner over SSH and back, against scp, sftp and rsync over the same sshd, in turns.

The second dispatch of the same data is counted in bytes on the line. ``--mb N`` moves another amount.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mldesk.core.ids import new_id
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectStore
from tests.benchmarks._report import median, report
from tests.chaos._far import Far, far_box

ROUNDS, FILES = 3, 5
GOAL = 0.9                 # of the fastest other one's rate


class Rivals:
    """The system's own programs, with the same key and the same sshd."""

    def __init__(self, far: Far) -> None:
        self.far = far
        self.options = ["-F", "/dev/null", "-i", str(far.person.ssh / "id_ed25519"), "-o", "StrictHostKeyChecking=no",
                        "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"]
        self.where = f"{far.account.name}@127.0.0.1"
        self.port = str(far.sshd.port)

    def scp(self, sources: list[str], target: str) -> None:
        self._run("scp", "-q", "-P", self.port, *self.options, *sources, target)

    def rsync(self, sources: list[str], target: str) -> None:
        self._run("rsync", "--whole-file", "-e", f"ssh -p {self.port} {' '.join(self.options)}", *sources, target)

    def sftp(self, sources: list[str], target: str) -> None:
        up = ":" in target
        folder = (target if up else sources[0].rpartition("/")[0]).partition(":")[2]
        lines = [f"put {source} {folder}/" if up else f"get {source.partition(':')[2]} {target}/" for source in sources]
        self._run("sftp", "-q", "-P", self.port, *self.options, "-b", "-", self.where, text="\n".join(lines) + "\n")

    def _run(self, *command: str, text: str = "") -> None:
        subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds it took."""
    os.sync()  # what the one before left to be written is not this one's
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def one_round(far: Far, folder: Path, size: int, seconds: dict[str, list[float]]) -> str:
    """Move fresh data by every way, up and down; return the manifest."""
    rivals, there = Rivals(far), far.account.home / "there"
    here = folder / "data"
    here.mkdir(exist_ok=True)
    for index in range(FILES):
        (here / f"part{index}").write_bytes(os.urandom(size // FILES))
    files = sorted(here.iterdir())
    digest = far.person.store.put_manifest({path.name: path for path in files})
    runner = far.box.runner(far.person, far.sshd.port)
    try:
        runner.connect()
        for name, move in (("scp", rivals.scp), ("sftp", rivals.sftp), ("rsync", rivals.rsync), ("MLDesk", None)):
            subprocess.run(["rm", "-rf", there], check=True)
            there.mkdir()
            far.account.give(there)
            back = folder / "back"
            back.mkdir()
            if move is None:
                up = timed(lambda: runner.bring(digest))
                down = timed(lambda back=back: runner.fetch(digest, ObjectStore(back)))
            else:
                remote = [f"{rivals.where}:{there}/{path.name}" for path in files]
                up = timed(lambda move=move: move([str(path) for path in files], f"{rivals.where}:{there}"))
                down = timed(lambda move=move, remote=remote, back=back: move(remote, str(back)))
                assert sum(path.stat().st_size for path in back.iterdir()) == size // FILES * FILES
            seconds.setdefault(f"{name} up", []).append(up)
            seconds.setdefault(f"{name} down", []).append(down)
            subprocess.run(["rm", "-rf", back], check=True)
    finally:
        runner.close()
    return digest


def second_dispatch(far: Far, digest: str) -> int:
    """Return the bytes that go over the line when a job with data that is there already is submitted."""
    far.person.pin(far.sshd, far.proxy.port)
    runner = far.box.runner(far.person, far.proxy.port)
    try:
        runner.connect()
        before = far.proxy.passed
        runner.submit(JobSpec(new_id(), "train", "again", (digest,), {"steps": 1}))
        assert runner.bring(digest) == 0
        return far.proxy.passed - before
    finally:
        runner.close()


def main() -> None:
    """Print rates and their ratios."""
    size = (int(sys.argv[sys.argv.index("--mb") + 1]) if "--mb" in sys.argv else 500) * 1_000_000
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name, far_box(Path(name)) as far:
        far.person.pin(far.sshd)
        for _ in range(ROUNDS):
            digest = one_round(far, Path(name), size, seconds)
        again = second_dispatch(far, digest)
    rows = [(what, size / 1e6 / median(times), "MB/s") for what, times in seconds.items()]
    for way in ("up", "down"):
        ratios = [min(seconds[f"{rival} {way}"][turn] for rival in ("scp", "sftp", "rsync")) / took
                  for turn, took in enumerate(seconds[f"MLDesk {way}"])]
        rows.append((f"MLDesk / the fastest other one, {way}", median(ratios), "×"))
    report("ssh_transfer", [*rows, ("second dispatch of the same data", again / size * 100, "% of its bytes")],
           {"size": f"{size / 1e6:.0f} MB in {FILES} files, {ROUNDS} rounds", "goal": f"≥ {GOAL} ×, < 0.1 %"})


if __name__ == "__main__":
    main()
