"""Runners: the machines that do the work, those elsewhere made and unmade, and the right one chosen for a job."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from mldesk.core.clock import Clock
from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.library import Library
from mldesk.library.names import check_name
from mldesk.library.records import Run, RunnerRecord
from mldesk.wire.states import JobState
from mldesk.workbench.access import Access, same_address
from mldesk.workbench.checks import check_order
from mldesk.workbench.credentials import Asker
from mldesk.workbench.far_data import is_here
from mldesk.workbench.following import bring
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.references import listed, parse_reference
from mldesk.workbench.runner_asking import AskedRunners, Connect
from mldesk.workbench.runner_choice import Seen, cannot_train, gpu_memory_of, look, pick, survey
from mldesk.workbench.runner_estimates import Job, RunnerEstimate, estimate
from mldesk.workbench.runner_setup import Preparation, Report, RunnerSetup, no_access

if TYPE_CHECKING:  # rpyc loads with them
    from mldesk.runners import RunnerClient
    from mldesk.runners.provision.install import Removed
    from mldesk.runners.ssh.errors import UnknownHost

__all__ = ["Preparation", "Report", "RunnerEstimate", "RunnerService"]

Result = TypeVar("Result")
_PATIENCE = 4.0      # seconds that runners are waited for when estimates are shown
_PAST_RUNS = 500     # the newest of those that succeeded
_END_SECONDS = 40.0  # a job that is cancelled takes to end, at most
log = logging.getLogger("mldesk.runners")


class RunnerService(AskedRunners):
    """Everything that can be done with runners."""

    def __init__(self, library: Library, connect: Connect, clock: Clock, access: Access | None = None) -> None:
        """Without ``access`` no machine but this one can be reached."""
        super().__init__(library, connect, clock, access)
        self._setup = RunnerSetup(library, access) if access is not None else None

    # --- choosing

    def choose(self, wanted: str) -> str:
        """Return the name of the runner that is to do a job: "any", "any:24GB" or a name, which passes through.

        Raises NotFound for an unknown name, Conflict that names why each runner was not taken, or that the named one
        has nothing to train with, BadInput.
        """
        if gpu_memory_of(wanted) is None:
            record = self.show(wanted)
            if why := cannot_train(record):
                raise Conflict(f"The runner {record.name} cannot train: {why}.", hint="Install what is missing with "
                               f"`mldesk runners upgrade {record.name}`, or choose another runner.")
            return record.name
        records = self.list()
        return pick(wanted, records, survey([record.name for record in records], self._see))

    def estimates(self, order: TrainOrder) -> list[RunnerEstimate]:
        """Say what an order would take on each runner, asking all of them at once. Raises NotFound for the dataset."""
        version = self._library.datasets.version(*parse_reference(order.dataset))
        check = check_order(order, version)
        job = Job(check.estimator, version.rows, tuple(column for column in version.columns
                                                       if column.name in check.features), check.parameters,
                  order.resources.device)
        records = self.list()
        seen = survey([record.name for record in records], self._see, _PATIENCE)
        return estimate(job, records, seen, self._library.runs.list(limit=_PAST_RUNS, state=JobState.SUCCEEDED))

    # --- making and unmaking runners

    def set_asker(self, asker: Asker | None) -> None:
        """Say whom to ask for passwords, passphrases and one-time codes; None: nobody."""
        if self._access is not None:
            self._access.kept.asker = asker

    @property
    def secrets_problem(self) -> str:
        """Why something that was to be remembered could not be; "" while all is well."""
        return self._access.kept.problem if self._access is not None else ""

    def accept(self, error: UnknownHost) -> None:
        """Trust the key that a host showed on first contact, because a person said so."""
        if self._access is None:
            raise no_access()
        self._access.accept(error)
        with self._lock:
            clients = list(self._clients.values())
        for client in clients:
            if (nudge := getattr(client, "reconnect_soon", None)) is not None:
                nudge()

    def check_new(self, name: str, address: str) -> str:
        """Return the name a new runner is kept under. Raises BadInput, Conflict for a name or machine that is taken."""
        name = check_name(name, "runner")
        if gpu_memory_of(name) is not None:
            raise Conflict(f"{name!r:.40} cannot name a runner: it means any of them.", hint="Choose another name.")
        for record in self.list():
            if record.name == name:
                raise Conflict(f"There is a runner named {name!r:.80} already.",
                               hint="Choose another name, or remove that one first.")
            if record.kind == "ssh" and same_address(record.address, address):
                raise Conflict(f"The machine {address} is a runner already: {record.name}.",
                               hint=f"`mldesk runners check {record.name}` asks it.")
        return name

    def prepare(self, address: str, *, processor_only: bool = False) -> Preparation:
        """Log in at ``address`` (user@host:port), look, and say what would be done. Changes nothing there.

        Raises BadInput, UnknownHost (ask, ``accept``, try again), HostKeyChanged, HostKeyRevoked, LoginRefused,
        CannotProvision, UnknownDriver, RunnerUnreachable.
        """
        return self._setter.prepare(address, processor_only=processor_only)

    def add(self, name: str, address: str, *, preparation: Preparation | None = None, processor_only: bool = False,
            at_boot: bool = True, report: Report | None = None) -> RunnerRecord:
        """Make the machine at ``address`` a runner, as its preparation says. One that was cut goes on when repeated.

        Raises what ``prepare`` does, Conflict for a name or machine that is taken, InstallBusy, InstallFailed.
        """
        name = self.check_new(name, address)
        preparation = preparation or self.prepare(address, processor_only=processor_only)
        done = self._setter.carry_out(preparation, at_boot=at_boot, report=report)
        self._library.runners.add(name, "ssh", address, added=self._clock.now(), options={
            "processor_only": processor_only, "at_boot": done.at_boot.name.lower(), "training": done.training,
            "trains": done.trains, "at_boot_problem": done.at_boot_problem})
        return self.check(name)

    def upgrade(self, name: str, *, report: Report | None = None) -> RunnerRecord:
        """Bring the agent there to this MLDesk's version; jobs go on meanwhile.

        Raises what ``add`` does, Conflict for "local".
        """
        record = self._elsewhere(name)
        processor_only = bool(record.options.get("processor_only"))
        preparation = self._noting(name, lambda: self._setter.prepare(
            record.address, processor_only=processor_only, upgrade=True))
        done = self._noting(name, lambda: self._setter.carry_out(
            preparation, at_boot=record.options.get("at_boot") != "next_connect", report=report))
        self._library.runners.set_options(name, {**record.options, "training": done.training, "trains": done.trains})
        self._drop(name)
        return self.check(name)

    def remove(self, name: str, *, kill_jobs: bool = False, keep_data: bool = False,
               report: Report | None = None) -> Removed:
        """Take everything away that was put on the machine, then forget it. Its runs stay in the library.

        Raises InstallBusy while jobs are there and ``kill_jobs`` was not asked for, Conflict for "local" and where
        a table's rows would be lost, RunnerUnreachable (``forget`` needs no answer).
        """
        record = self._elsewhere(name)
        report = report or _silent
        if not keep_data:
            self._keep_data(name)
        report("Bringing in what its runs have said", 0.0)
        going = self._settle(name, kill_jobs=kill_jobs)
        report("Removing", 0.5)
        self._drop(name)
        removed = self._noting(name, lambda: self._setter.take_away(
            record.address, kill_jobs=kill_jobs, keep_data=keep_data))
        if not keep_data:
            for run in going:
                self._library.runs.mark_lost(run.id, f"The runner {name} was removed with everything it held.", name)
        self.forget(name)
        report("Done", 1.0)
        return removed

    def forget(self, name: str) -> None:
        """Drop a runner from the library only; the machine is left as it is, and its runs stay visible.

        Raises NotFound, Conflict for "local".
        """
        record = self._elsewhere(name)
        self._drop(name)
        self._library.runners.remove(name)
        self._reach.forget(name)
        if self._access is not None:
            self._access.forget(record.address, [other.address for other in self.list() if other.kind == "ssh"])

    # --- inside

    @property
    def _setter(self) -> RunnerSetup:
        if self._setup is None:
            raise no_access()
        return self._setup

    def _see(self, name: str) -> Seen:
        return self._ask(name, look)

    def _elsewhere(self, name: str) -> RunnerRecord:
        """Return a runner that is another machine. Raises NotFound, Conflict."""
        record = self.show(name)
        if record.kind == "local":
            raise Conflict("The runner 'local' is this machine: it comes with MLDesk, and goes with it.",
                           hint="`mldesk runners list` shows the others.")
        return record

    def _noting(self, name: str, work: Callable[[], Result]) -> Result:
        """Do something with the machine of a runner other than asking its agent; note if it cannot be reached."""
        try:
            return work()
        except RunnerUnreachable as error:
            self._reach.failed(name, error)
            raise

    def _settle(self, name: str, *, kill_jobs: bool) -> list[Run]:
        """Bring in what the runs there have said, ending those that go on if that is asked for.

        Returns the runs that have not ended for good. Raises InstallBusy for those that go on.
        """
        from mldesk.runners.provision.install import InstallBusy

        runs = [run for run in self._library.runs.list() if run.runner == name and not run.state.final]
        for run in runs:
            with self.asking(name) as client:
                try:
                    if kill_jobs and not run.state.ended:
                        client.cancel(run.id)
                    self._drain_job(client, run.id, until_ended=kill_jobs)
                except (NotFound, Conflict) as error:  # it is not there, or has ended meanwhile
                    log.info("%s: %s", run.name, error)
        runs = [now for now in (self._library.runs.get(run.id) for run in runs) if not now.state.final]
        going = [run.name for run in runs if (not run.state.ended or run.handover is not None)]
        going += self._of_others(name, {run.id for run in runs})
        if going and not kill_jobs:
            raise InstallBusy(f"Nothing was changed: {listed(going, 5)} {'is' if len(going) == 1 else 'are'} not done "
                              "there yet.", hint="Wait, move what is there (`mldesk runs move RUN RUNNER`), or end it "
                              "(--kill-jobs).")
        return runs

    def _of_others(self, name: str, ours: set[str]) -> list[str]:
        """Return what another library has there, running or waiting."""
        try:
            view = self.queue(name)
        except Conflict as error:  # it is too old to say
            log.info("%s: %s", name, error)
            return []
        running = ["a job of another MLDesk" for slot in view.slots if slot.job and slot.job not in ours]
        return [*running, *(item.name for item in view.waiting if item.job not in ours)]

    def _keep_data(self, name: str) -> None:
        """Raise Conflict if a table's rows are on that runner only."""
        versions = [version for dataset in self._library.datasets.list()
                    for version in self._library.datasets.versions(dataset.name)]
        only = [version.label for version in versions if self._library.runs.importer(version.manifest) == name
                and not is_here(self._library, version.manifest)]
        if only:
            raise Conflict(f"Nothing was changed: the data of {listed(only, 5)} are on the runner {name} only.",
                           hint=f"Bring them here (mldesk data fetch {only[0]}), or leave them there with --keep-data.")

    def _drain_job(self, client: RunnerClient, run_id: str, *, until_ended: bool) -> None:
        deadline = self._clock.monotonic() + _END_SECONDS
        while True:
            run = self._library.runs.get(run_id)
            came = bring(self._library, client, run, 1.0 if until_ended and not run.state.ended else 0.0)
            ended = self._library.runs.get(run_id).state.ended
            if not came and (ended or not until_ended or self._clock.monotonic() > deadline):
                return


def _silent(_what: str, _part: float) -> None:
    return None
