"""Making a machine a runner, keeping its agent up to date, and taking everything away again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldesk.core import filelock
from mldesk.core.errors import Conflict
from mldesk.core.ids import new_id
from mldesk.library import Library
from mldesk.workbench.access import Access

if TYPE_CHECKING:  # paramiko and rpyc load with them
    from mldesk.runners.provision.boot import AtBoot
    from mldesk.runners.provision.execution import Exec
    from mldesk.runners.provision.install import Removed
    from mldesk.runners.provision.plan import Plan
    from mldesk.runners.provision.probe import HostFacts
    from mldesk.runners.provision.provisioning import Prepared, Provisioned

Report = Callable[[str, float], None]  # what is being done, and how much of it, 0 to 1; called in the working thread
_INSTALLER = "runners.installer"       # setting: the name under which this library installs


@dataclass(frozen=True, slots=True)
class Preparation:
    """A machine that was looked at, and what would be done there. Nothing has been changed yet."""

    address: str
    prepared: Prepared

    @property
    def facts(self) -> HostFacts:
        return self.prepared.facts

    @property
    def plan(self) -> Plan:
        return self.prepared.plan

    @property
    def words(self) -> list[str]:
        """The plan as people read it, a sentence or two each."""
        return list(self.prepared.words)

    @property
    def at_boot(self) -> AtBoot:
        return self.prepared.at_boot

    @property
    def new(self) -> bool:
        """Whether nothing of MLDesk is there yet."""
        return self.prepared.new


class RunnerSetup:
    """Works on machines over SSH; what the library remembers of them is its caller's business."""

    def __init__(self, library: Library, access: Access) -> None:
        self._library, self._access = library, access

    def prepare(self, address: str, *, processor_only: bool = False, upgrade: bool = False) -> Preparation:
        """Log in, look and plan. Raises what ``RunnerService.prepare`` names."""
        from mldesk.runners.provision import provisioning

        with self._box(address) as box:
            return Preparation(address, provisioning.prepare(
                box, self._library.home, processor_only=processor_only, upgrade=upgrade))

    def carry_out(self, preparation: Preparation, *, at_boot: bool, report: Report | None = None) -> Provisioned:
        """Do what was agreed to. Raises InstallBusy, InstallFailed, RunnerUnreachable, DiskFull."""
        from mldesk.runners.provision import provisioning

        with self._alone(preparation.address), self._box(preparation.address) as box:
            return provisioning.carry_out(box, self._library.home, preparation.prepared, at_boot=at_boot,
                                          token=self._token(), report=report)

    def take_away(self, address: str, *, kill_jobs: bool, keep_data: bool) -> Removed:
        """Remove what was installed. Raises InstallBusy while jobs run there, InstallFailed, RunnerUnreachable."""
        from mldesk.runners.provision import provisioning

        with self._alone(address), self._box(address) as box:
            return provisioning.take_away(box, kill_jobs=kill_jobs, keep_data=keep_data, token=self._token())

    def _box(self, address: str) -> AbstractContextManager[Exec]:
        return self._access.box(address)

    @contextmanager
    def _alone(self, address: str) -> Iterator[None]:
        """Be the only program of this library that works on a machine: all of them would hold the same lock there."""
        from mldesk.runners.provision.install import InstallBusy

        name = hashlib.sha256(address.encode()).hexdigest()[:16]
        with open(self._library.home.scratch / f"installing-{name}", "ab") as file:
            if not filelock.acquire(file.fileno(), wait=False):
                raise InstallBusy(f"Another MLDesk program is at work on {address} just now.",
                                  hint="Wait until it is done, then try again.")
            yield

    def _token(self) -> str:
        """Return the name under which this library installs: with the same one, a cut installation goes on at once."""
        token = self._library.settings.get(_INSTALLER)
        if not isinstance(token, str):
            token = new_id()
            self._library.settings.set(_INSTALLER, token)
        return token


def no_access() -> Conflict:
    """Say that this workbench was built without a way to other machines."""
    return Conflict("This workbench reaches this machine only.")
