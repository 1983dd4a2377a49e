"""Boxes that do not exist: the facts of one, and small programs that stand in for those of a machine."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from mldesk.runners.provision.plan import Offer, Runtime
from mldesk.runners.provision.probe import Folder, Gpu, HostFacts, Python

GB = 10**9
PYTHON = Python((3, 12, 3), "/usr/bin/python3.12", True, 64, "cpython")
H200 = Gpu("NVIDIA H200", 141 * GB, "580.65.06")
BOX = HostFacts(
    os="Linux", kernel="6.1.0", arch="x86_64", distribution="Debian GNU/Linux 12", libc="glibc", libc_version=(2, 36),
    cores=8, memory=32 * GB, user="user", uid=1000, shell="/bin/bash", clock=1_700_000_000, boot_id="b",
    home=Folder("/home/user", 200 * GB, "ext2/ext3", "ok"), temp=Folder("/tmp", 10 * GB, "tmpfs", "ok"),
    tools=frozenset({"tar", "gzip", "sha256sum"}), pythons=(), gpus=(), gpu_problem="", systemd=0, systemd_user=False,
    linger=False, crontab="missing", internet=False, proxies=(), current="", installs=(), runtimes=frozenset())
RUNTIME = Runtime("ab" * 32, "3.12.11", 35_000_000, 110_000_000, (2, 17))
OFFER = Offer("0.2.0-abc", 400_000, 2_000_000)
PACKAGES = (("numpy", "2.0.0"), ("torch", "2.10.0"))
_TOOLS = (
    "awk", "cat", "chmod", "cp", "cut", "date", "dd", "df", "dirname", "env", "find", "getconf", "grep", "gzip", "head",
    "hostname", "id", "ln", "ls", "mkdir", "mktemp", "mv", "nproc", "ps", "readlink", "rm", "rmdir", "sed", "sh",
    "sha256sum", "sleep", "sort", "stat", "sync", "tail", "tar", "touch", "tr", "uname", "wc", "xargs")


def box(**facts: Any) -> HostFacts:
    """A box that is bare and offline but for what is said."""
    return replace(BOX, **facts)


def program(folder: Path, name: str, script: str) -> None:
    """Put a shell script on a path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


def bare_path(folder: Path) -> str:
    """Return a PATH of small tools only: no Python, no systemd, no crontab."""
    folder.mkdir()
    for name in _TOOLS:
        if found := shutil.which(name, path="/usr/bin:/bin"):
            (folder / name).symlink_to(found)
    return str(folder)
