"""A real PostgreSQL server on this machine for as long as a test needs it, where one is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
INSTALLED = bool(_BINARIES) and (os.geteuid() != 0 or shutil.which("runuser") is not None)


@contextmanager
def running(statements: str) -> Iterator[str]:
    """Start a server, run SQL in it, give its address; it is gone in the end."""
    folder = Path(subprocess.run(["mktemp", "-d", "/tmp/mldesk-pg-XXXXXX"], capture_output=True, text=True,
                                 check=True).stdout.strip())  # pytest's own folders are closed to the server's user
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    binaries, data = _BINARIES[-1].parent, folder / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*words: object) -> None:
        subprocess.run([*user, *map(str, words)], check=True, capture_output=True, cwd=folder)

    try:
        run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync")
        run(binaries / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o",
            f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start")
        try:
            run(binaries / "psql", "-h", "127.0.0.1", "-p", port, "-U", "tester", "postgres", "-c", statements)
            yield f"postgresql://tester:sec%20ret@127.0.0.1:{port}/postgres"
        finally:
            run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
