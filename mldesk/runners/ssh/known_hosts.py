"""Which hosts are who they were: MLDesk's own pinned keys, and the user's known_hosts as further, read-only truth.

Every file is in OpenSSH's format, so that the system's ssh reads the pins too. Nothing is ever pinned but by ``pin``.
A key is right if any file holds it for that host; a revoked one is refused whatever else holds it; a host that is
known by other keys only is a changed host, even when the new key is of another type.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mldesk.core import durable
from mldesk.core.filelock import locked
from mldesk.core.paths import Home
from mldesk.runners.ssh.errors import HostKeyChanged, HostKeyRevoked, UnknownHost
from mldesk.runners.ssh.host_keys import HostKey

REVOKED, AUTHORITY = "@revoked", "@cert-authority"
_MAX_BYTES = 16 * 1024 * 1024  # of a known_hosts file that is looked at


@dataclass(frozen=True, slots=True)
class _Line:
    marker: str              # "", REVOKED or AUTHORITY
    patterns: str
    key: HostKey
    path: Path


class KnownHosts:
    """The hosts that are trusted. Stateless: every question reads the files as they are now."""

    def __init__(self, own: Path, also: Sequence[Path] = ()) -> None:
        """``own`` is MLDesk's file, made by the first pin; ``also`` are read and never written."""
        self._own = own
        self._also = tuple(also)

    @classmethod
    def of(cls, home: Home, user: Path | None = None) -> KnownHosts:
        """Return the pins of a library, with those of the user's and the system's ssh as trusted input."""
        folder = user or Path.home() / ".ssh"
        system = () if os.name == "nt" else (Path("/etc/ssh/ssh_known_hosts"),)
        return cls(home.root / "known_hosts", (folder / "known_hosts", folder / "known_hosts2", *system))

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read, MLDesk's own first."""
        return (self._own, *self._also)

    def check(self, host: str, port: int, key: HostKey) -> None:
        """Return if the host may be trusted with this key. Raises UnknownHost, HostKeyChanged, HostKeyRevoked."""
        others: list[_Line] = []
        trusted = False
        for line in self._lines_for(host, port):
            if line.marker == REVOKED and line.key == key:
                raise HostKeyRevoked(host, port, key, line.path)
            if not line.marker:
                trusted = trusted or line.key == key
                others.append(line)
        if trusted:
            return
        if others:
            raise HostKeyChanged(host, port, key, tuple(dict.fromkeys(line.key for line in others)), others[0].path)
        raise UnknownHost(host, port, key)

    def key_types(self, host: str, port: int) -> tuple[str, ...]:
        """Return the types of key this host is known by: ask it for those, or it may show one we cannot compare."""
        return tuple(dict.fromkeys(line.key.type for line in self._lines_for(host, port) if not line.marker))

    def certified(self, host: str, port: int) -> bool:
        """Say whether a certificate authority vouches for this host, which only the system's ssh can check."""
        return any(line.marker == AUTHORITY for line in self._lines_for(host, port))

    def pin(self, host: str, port: int, key: HostKey) -> None:
        """Trust this key of this host from now on; a second time does nothing. Raises OSError, DiskFull.

        The name is written hashed: who reads the file does not learn which machines there are.
        """
        salt = secrets.token_bytes(20)
        name = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(_hash(salt, _name(host, port))).decode()}"
        with self._writing():
            if any(not line.marker and line.key == key and line.path == self._own
                   for line in self._lines_for(host, port)):
                return
            self._write(self._text() + f"{name} {key.type} {key.base64}\n")

    def forget(self, host: str, port: int) -> int:
        """Remove this host's pins from MLDesk's own file; return how many. Revocations stay."""
        with self._writing():
            kept, gone = [], 0
            for text in self._text().splitlines(keepends=True):
                line = _parse(text, self._own)
                if line is not None and not line.marker and _matches(line.patterns, _name(host, port)):
                    gone += 1
                else:
                    kept.append(text)
            if gone:
                self._write("".join(kept))
            return gone

    # --- inside

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        self._own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return locked(self._own.with_name(self._own.name + ".lock"))

    def _text(self) -> str:
        text = self._own.read_text("utf-8", "surrogateescape") if self._own.exists() else ""
        return text if not text or text.endswith("\n") else text + "\n"

    def _write(self, text: str) -> None:
        with durable.disk_errors("remembering a host's key"):
            durable.write_atomic(self._own, text.encode("utf-8", "surrogateescape"))

    def _lines_for(self, host: str, port: int) -> Iterator[_Line]:
        name = _name(host, port)
        for path in self.files:
            for line in _lines(path):
                if _matches(line.patterns, name):
                    yield line


def _lines(path: Path) -> Iterator[_Line]:
    try:
        with open(path, "rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", "surrogateescape")
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return
    for item in text.splitlines():
        line = _parse(item, path)
        if line is not None:
            yield line


def _parse(text: str, path: Path) -> _Line | None:
    """Read one line; None for comments and for what OpenSSH would not read either."""
    words = text.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#") or marker not in ("", REVOKED, AUTHORITY):
        return None
    try:
        return _Line(marker, words[0], HostKey.from_base64(words[1], words[2]), path)
    except ValueError:
        return None


def _name(host: str, port: int) -> str:
    host = host.lower()
    return host if port == 22 else f"[{host}]:{port}"


def _matches(patterns: str, name: str) -> bool:
    found = False
    for pattern in patterns.split(","):
        negated = pattern.startswith("!")
        if _one_matches(pattern[negated:], name):
            if negated:
                return False
            found = True
    return found


def _one_matches(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        try:
            salt, digest = (base64.b64decode(part, validate=True) for part in pattern[3:].split("|"))
        except ValueError:
            return False
        return hmac.compare_digest(_hash(salt, name), digest)
    wild = {"*": ".*", "?": "."}  # all that is special in OpenSSH; the brackets of [host]:port stand for themselves
    return re.fullmatch("".join(wild.get(sign, re.escape(sign)) for sign in pattern.lower()), name) is not None


def _hash(salt: bytes, name: str) -> bytes:
    return hmac.new(salt, name.encode(), hashlib.sha1).digest()  # the format's own choice; it hides, it proves nothing
