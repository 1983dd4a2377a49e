"""Where the two ends of a local link meet, and how each makes sure of the other.

A Unix socket in a folder that only this user may enter; both ends ask the kernel for the other's user id. Where there
are no Unix sockets (Windows): a loopback port, named together with a secret in a file that only this user may read.
That second way is exercised by the tests on Linux; on Windows itself it is untried.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import secrets
import socket
import stat
import struct
import sys
import time
from pathlib import Path
from typing import Any

from mldesk.core.durable import write_atomic
from mldesk.core.errors import RunnerUnreachable

UNIX = hasattr(socket, "AF_UNIX") and sys.platform != "win32"
HANDSHAKE_SECONDS = 5.0
SWEPT_AFTER = 60.0  # seconds; an empty folder this old has no server that is just about to listen in it
_FOLDER = re.compile(r"[0-9a-f]{16}")  # as core.paths.socket_directory names them
_TOKEN_BYTES = 65  # 64 hex digits and a newline


def private_directory(folder: Path, *, make: bool = True) -> Path:
    """Make ``folder`` and its parent, and make sure that they are this user's alone. Raises RunnerUnreachable.

    The parent may lie in a folder that everybody writes to (/tmp), where somebody else could have made it first.
    Without ``make`` both must be there already: FileNotFoundError else.
    """
    for path in (folder.parent, folder):
        if make:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not UNIX:
            continue
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
            raise RunnerUnreachable(f"The folder {path} belongs to somebody else, so no runner is safe to reach there.",
                                    hint="Remove that folder, or set XDG_RUNTIME_DIR to a folder of your own.")
        if path == folder and stat.S_IMODE(facts.st_mode) != 0o700:
            path.chmod(0o700)
        elif stat.S_IMODE(facts.st_mode) & 0o022:
            raise RunnerUnreachable(f"Others may write to the folder {path}, so no runner is safe to reach there.",
                                    hint=f"Run: chmod go-w {path}")
        elif _ours_alone(path) and stat.S_IMODE(facts.st_mode) != 0o700:
            path.chmod(0o700)
    return folder


def remove_directory(folder: Path) -> None:
    """Take a server's folder away, unless something is left in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def sweep_directories(parent: Path) -> None:
    """Remove the empty folders in ``parent`` that servers of other libraries left behind long ago."""
    if not _ours_alone(parent):
        return
    with contextlib.suppress(OSError):  # gone meanwhile: another server was quicker
        for folder in parent.iterdir():
            if _FOLDER.fullmatch(folder.name) and time.time() - folder.lstat().st_mtime > SWEPT_AFTER:
                remove_directory(folder)


def _ours_alone(parent: Path) -> bool:
    """Whether ``parent`` is MLDesk's own: nothing is done to a folder that others use as well."""
    return parent.name == "mldesk" or parent.name.startswith("mldesk-")


def listen(path: Path, *, loopback: bool = not UNIX) -> tuple[socket.socket, str]:
    """Listen at ``path``, removing a stale socket; return it and the token peers must send ("" on a Unix socket).

    The caller holds the runner's lock, so that nobody else listens there. Raises OSError, RunnerUnreachable.
    """
    os.utime(private_directory(path.parent))  # so that nobody sweeps it before the socket is in it
    sweep_directories(path.parent.parent)
    path.unlink(missing_ok=True)
    if loopback:
        server = socket.create_server(("127.0.0.1", 0))
        token = secrets.token_hex(32)
        write_atomic(path, json.dumps({"port": server.getsockname()[1], "token": token}).encode())
        path.chmod(0o600)
        return server, token
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(str(path))
        path.chmod(0o600)
        server.listen(64)
    except BaseException:
        server.close()
        raise
    return server, ""


def welcome(peer: socket.socket, token: str) -> bool:
    """Say whether a connection that came in is this user's. Waits at most HANDSHAKE_SECONDS for its token."""
    if not token:
        return peer_is_me(peer)
    peer.settimeout(HANDSHAKE_SECONDS)
    given = b""
    with contextlib.suppress(OSError):
        while len(given) < _TOKEN_BYTES and (more := peer.recv(_TOKEN_BYTES - len(given))):
            given += more
    peer.settimeout(None)
    return hmac.compare_digest(given, token.encode() + b"\n")


def dial(path: Path, timeout: float, *, loopback: bool = not UNIX) -> socket.socket:
    """Connect to whoever listens at ``path``. Raises RunnerUnreachable when nobody does, or it is another user."""
    try:
        private_directory(path.parent, make=False)
        return _dial_loopback(path, timeout) if loopback else _dial_unix(path, timeout)
    except OSError as error:
        raise RunnerUnreachable("The runner on this machine does not answer.",
                                hint="It is started when it is needed; its log is agent.log.") from error


def peer_is_me(peer: socket.socket) -> bool:
    """Ask the kernel who is at the other end of a Unix socket."""
    linux: int | None = getattr(socket, "SO_PEERCRED", None)
    if linux is not None:
        facts = peer.getsockopt(socket.SOL_SOCKET, linux, struct.calcsize("3i"))
        return bool(struct.unpack("3i", facts)[1] == os.getuid())
    # LOCAL_PEERCRED of macOS and the BSDs: struct xucred { version, uid, ... }, level SOL_LOCAL.
    facts = peer.getsockopt(0, 1, 76)
    return bool(struct.unpack_from("2I", facts)[1] == os.getuid())


def _dial_unix(path: Path, timeout: float) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.settimeout(timeout)
        _knock(peer, str(path), time.monotonic() + timeout)
        if not peer_is_me(peer):
            raise RunnerUnreachable("The process that answers as the runner on this machine belongs to another user.")
        peer.settimeout(None)
    except BaseException:
        peer.close()
        raise
    return peer


def _knock(peer: socket.socket, path: str, deadline: float) -> None:
    """Connect, waiting while the other end has more callers than it can take in at once."""
    while True:
        try:
            peer.connect(path)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _dial_loopback(path: Path, timeout: float) -> socket.socket:
    try:
        facts: dict[str, Any] = json.loads(path.read_bytes())
        port, token = int(facts["port"]), str(facts["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(f"{path} is not a runner's address") from error
    peer = socket.create_connection(("127.0.0.1", port), timeout)
    try:
        peer.sendall(token.encode() + b"\n")
        peer.settimeout(None)
    except BaseException:
        peer.close()
        raise
    return peer
