"""A connection to the machine that somebody named, by whichever backend can follow their ~/.ssh/config."""

from __future__ import annotations

import logging
from pathlib import Path

from mldesk.runners.ssh.config import Target, resolve
from mldesk.runners.ssh.credentials import Credentials
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.stream import Connection

log = logging.getLogger("mldesk.ssh")


def open_connection(target: Target, known: KnownHosts, credentials: Credentials,
                    ssh_folder: Path | None = None) -> Connection:
    """Log in by paramiko, or where it cannot do what the settings ask, leave that to the system's ssh (which logs in
    with the first program it starts). ``ssh_folder`` stands in for ~/.ssh.

    Raises UnknownHost, HostKeyChanged, HostKeyRevoked, LoginRefused, NoRoute, RunnerUnreachable, BadInput.
    """
    route = resolve(target, ssh_folder)
    why = route.why_system or next((f"a certificate authority vouches for {hop.host}" for hop in route.hops
                                    if known.certified(hop.host, hop.port)), "")
    if why:
        from mldesk.runners.ssh.system_backend import SystemConnection

        log.info("%s: the system's ssh is used, since %s", target, why)
        return SystemConnection(target, known, None if ssh_folder is None else ssh_folder / "config")
    from mldesk.runners.ssh.paramiko_backend import connect  # loads paramiko, which takes a while

    return connect(route, known, credentials)
