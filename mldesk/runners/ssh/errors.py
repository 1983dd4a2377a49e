"""What can stand between this machine and a runner over SSH, each with what a face needs to show.

All are RunnerUnreachable: they say nothing about the jobs there. Those of ``Refused`` do not go away by trying again.
"""

from __future__ import annotations

from pathlib import Path

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.ssh.host_keys import HostKey


class NoRoute(RunnerUnreachable):
    """Nothing answers at that address now: the machine is off, asleep, or the network is away. Try again soon."""


class Refused(RunnerUnreachable):
    """Somebody has to do something first; nothing is gained by trying again."""


class UnknownHost(Refused):
    """First contact. Show ``key.fingerprint`` and ``key.randomart``; once agreed, ``KnownHosts.pin`` and try again."""

    code = "unknown_host"

    def __init__(self, host: str, port: int, key: HostKey) -> None:
        super().__init__(f"{at(host, port)} is not known yet. Its {key.name} key is {key.fingerprint}.",
                         hint="Compare the fingerprint with what the machine's owner says, then accept it.")
        self.host, self.port, self.key = host, port, key


class HostKeyChanged(Refused):
    """The host shows another key than the one that is pinned. There is no way on but to find out why."""

    code = "host_key_changed"

    def __init__(self, host: str, port: int, key: HostKey, known: tuple[HostKey, ...], where: Path) -> None:
        super().__init__(
            f"{at(host, port)} shows another key than before: {key.fingerprint}, and not "
            f"{' or '.join(item.fingerprint for item in known)}. Somebody may be in between.",
            hint=f"Ask the machine's owner. If it was set up anew, remove its old key from {where}.")
        self.host, self.port, self.key, self.known, self.where = host, port, key, known, where


class HostKeyRevoked(Refused):
    """The host shows a key that was marked as stolen or retired."""

    code = "host_key_revoked"

    def __init__(self, host: str, port: int, key: HostKey, where: Path) -> None:
        super().__init__(f"{at(host, port)} shows a key that {where} marks as revoked: {key.fingerprint}.",
                         hint="Do not use this machine before its owner has given it a new key.")
        self.host, self.port, self.key, self.where = host, port, key, where


class LoginRefused(Refused):
    """The host does not let this user in with what was offered."""

    code = "login_refused"


class NotInstalled(Refused):
    """One can log in, but no runner of MLDesk answers there."""

    code = "runner_not_installed"


class SshMissing(Refused):
    """The SSH settings of this host need the system's own ssh program, which is not on this machine."""

    code = "ssh_missing"


def at(host: str, port: int) -> str:
    """Return the address as people write it."""
    return host if port == 22 else f"{host}:{port}" if ":" not in host else f"[{host}]:{port}"
