"""Make a truly bare box a runner and take it away again: a minimal Debian without Python and without a network.

    python -m tests.chaos.bare_box [--box FOLDER]

Needs root, Linux, and debootstrap (which fetches about 40 MB) unless FOLDER holds such a system already. The box is a
chroot with a user of its own and an empty network namespace. Prints what was sent, how long it took and what is left.
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
from pathlib import Path

from mldesk.runners.provision.execution import LocalExec
from mldesk.runners.provision.install import AGENT, install, uninstall
from mldesk.runners.provision.package import build_payload
from mldesk.runners.provision.plan import Offer, Way, make_plan
from mldesk.runners.provision.probe import probe
from mldesk.runners.provision.runtime import pack_own_python

USER = 4321


def main() -> int:
    """Try it; return 0 when all went as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--box", type=Path, help="a folder with a minimal Debian")
    folder = parser.parse_args().box
    if os.getuid() or not (folder or shutil.which("debootstrap")):
        print("not tried: this needs root, and debootstrap or --box")
        return 0
    with tempfile.TemporaryDirectory(prefix="mldesk-bare-") as name:
        root = folder or _bootstrap(Path(name) / "box")
        with _proc(root):
            return _try(root, Path(name))


def _try(root: Path, scratch: Path) -> int:
    home = root / "home/user"
    home.mkdir(parents=True, exist_ok=True)
    os.chown(home, USER, USER)
    before = sorted(home.rglob("*"))
    box = LocalExec("/home/user", path="/usr/sbin:/usr/bin:/bin",
                    prefix=["unshare", "--net", "chroot", f"--userspec={USER}:{USER}", str(root)])
    facts = probe(box)
    print(f"box: {facts.distribution}, {facts.libc} {facts.libc_version}, Pythons {facts.pythons}, "
          f"internet {facts.internet}")
    assert not facts.pythons and facts.internet is False
    payload, python = build_payload(), pack_own_python(scratch)
    offer = Offer(payload.build, len(payload.data), payload.installed,
                  dict.fromkeys(python.platforms, python.runtime))
    plan = make_plan(facts, offer)
    print(plan.words)
    assert plan.way is Way.UPLOAD
    began = time.monotonic()
    done = install(box, facts, plan, payload, runtime=python.archive)
    print(f"installed in {time.monotonic() - began:.1f} s, {done.uploaded / 1e6:.1f} MB sent: {done.selftest}")
    assert box.run(f"{AGENT} start").status == 0
    disk = box.run("du -sk .mldesk").stdout.split()[0]
    assert make_plan(probe(box), offer).way is Way.EXISTING
    left = uninstall(box, data=True).left
    print(f"took {int(disk) / 1e3:.1f} MB there; left after its removal: {list(left)}")
    return int(bool(left) or sorted(home.rglob("*")) != before)


def _bootstrap(folder: Path) -> Path:
    subprocess.run(["debootstrap", "--variant=minbase", "stable", str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


@contextlib.contextmanager
def _proc(root: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(root / "proc")], check=True)


if __name__ == "__main__":
    sys.exit(main())
