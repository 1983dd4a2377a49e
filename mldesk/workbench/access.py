"""Reaching other machines over SSH: whose keys are trusted, which secrets there are, and how one connects."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput
from mldesk.core.paths import Home
from mldesk.library.records import RunnerRecord
from mldesk.wire.objects import ObjectStore
from mldesk.workbench.credentials import KeptSecrets, LoginSecrets, password_name

if TYPE_CHECKING:  # paramiko and rpyc load with them
    from mldesk.runners.provision.execution import Exec
    from mldesk.runners.ssh.client import SshRunner
    from mldesk.runners.ssh.errors import UnknownHost
    from mldesk.runners.ssh.known_hosts import KnownHosts

log = logging.getLogger("mldesk.runners")


class Access:
    """What one library knows about getting into other machines."""

    def __init__(self, home: Home, kept: KeptSecrets, ssh_folder: Path | None = None) -> None:
        """``ssh_folder`` stands in for ~/.ssh."""
        self._home, self.kept, self._ssh_folder = home, kept, ssh_folder
        self._logins: dict[str, LoginSecrets] = {}

    @property
    def known(self) -> KnownHosts:
        from mldesk.runners.ssh.known_hosts import KnownHosts  # not needed where everything is done here

        return KnownHosts.of(self._home, self._ssh_folder)

    def login(self, address: str) -> LoginSecrets:
        """Return the secrets of one machine's logins."""
        return self._logins.setdefault(address, LoginSecrets(self.kept))

    @contextmanager
    def box(self, address: str) -> Iterator[Exec]:
        """Log in and run scripts there. Raises BadInput, UnknownHost, LoginRefused, ..., RunnerUnreachable."""
        from mldesk.runners.provision.over_ssh import SshExec
        from mldesk.runners.ssh.config import Target
        from mldesk.runners.ssh.connecting import open_connection
        from mldesk.runners.ssh.errors import LoginRefused

        login = self.login(address)
        try:
            connection = open_connection(Target.parse(address), self.known, login, self._ssh_folder)
        except LoginRefused:
            login.refused()
            raise
        try:
            login.accepted()
            yield SshExec(connection)
        finally:
            connection.close()

    def runner(self, record: RunnerRecord, store: ObjectStore) -> SshRunner:
        """Return the client of a machine that is a runner; nothing is dialled yet. Raises BadInput."""
        from mldesk.runners.provision.install import AGENT
        from mldesk.runners.ssh.client import SshRunner
        from mldesk.runners.ssh.programs import Installed

        return SshRunner(record.name, record.address, store, self.known, installed=Installed(command=AGENT),
                         credentials=self.login(record.address), ssh_folder=self._ssh_folder)

    def accept(self, error: UnknownHost) -> None:
        """Trust the key that a host showed on first contact, because a person said so. Raises OSError, DiskFull."""
        self.known.pin(error.host, error.port, error.key)

    def forget(self, address: str, others: Iterable[str]) -> None:
        """Drop the pins and the password of a machine that is no runner any more, as far as no other one needs them."""
        from mldesk.runners.ssh.config import Target, resolve

        self._logins.pop(address, None)
        try:
            hop = resolve(Target.parse(address), self._ssh_folder).hops[-1]
            kept = {(item.host, item.port) for item in (
                resolve(Target.parse(other), self._ssh_folder).hops[-1] for other in others)}
        except BadInput as error:  # ~/.ssh/config became unreadable; what is kept does no harm
            log.info("the pins of %s stay: %s", address, error)
            return
        if (hop.host, hop.port) not in kept:
            self.known.forget(hop.host, hop.port)
        self.kept.forget(password_name(hop.user, hop.host, hop.port))


def same_address(one: str, other: str) -> bool:
    """Say whether two addresses name the same account of the same machine, as far as their text tells."""
    from mldesk.runners.ssh.config import Target

    return Target.parse(one) == Target.parse(other)
