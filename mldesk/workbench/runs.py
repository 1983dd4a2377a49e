"""Runs: start them, follow them, steer them, look at what they gave."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldesk.core.clock import Clock
from mldesk.core.errors import Conflict, MldeskError, NotFound
from mldesk.core.ids import new_id
from mldesk.core.run_filter import RunFilter
from mldesk.library import Library
from mldesk.library.names import check_name
from mldesk.library.points import Readings
from mldesk.library.records import MetricPoint, Run
from mldesk.library.run_names import check_run_name
from mldesk.training.catalogue import ESTIMATORS, EstimatorEntry, estimators_for
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec, Resources, TrainRequest
from mldesk.wire.protocol import STEERED
from mldesk.wire.states import JobState
from mldesk.workbench.checks import check_order, refuse
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.far_data import FarData
from mldesk.workbench.following import Follower, Stop, Trouble, bring
from mldesk.workbench.moving import Mover, Report
from mldesk.workbench.orders import Advice, Beginning, TrainCheck, TrainOrder, check_seed
from mldesk.workbench.references import did_you_mean, model_name, slug
from mldesk.workbench.refreshing import Refresher
from mldesk.workbench.runner_choice import ON_GPU, card_memory, gpu_memory_of, gpus
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.same_split import split_of
from mldesk.workbench.sending import send
from mldesk.workbench.spreading import beside, helpers_of
from mldesk.workbench.steered import message_of

if TYPE_CHECKING:
    from mldesk.data import ImportOptions

RESUME_PATIENCE = 10.0  # seconds until a resumed job must have said something new
_ENDED_AS = {
    JobState.SUCCEEDED: "succeeded", JobState.FAILED: "failed", JobState.CANCELLED: "was cancelled",
    JobState.INTERRUPTED: "was interrupted", JobState.LOST: "was lost",
}


class RunService:
    """What can be done with runs. Following never depends on who started a run."""

    def __init__(self, library: Library, datasets: DatasetService, runners: RunnerService, clock: Clock) -> None:
        self._library, self._datasets, self._runners, self._clock = library, datasets, runners, clock
        self._follower = Follower(library, runners)
        self._refresher = Refresher(self._follower, runners)
        self._mover = Mover(library, runners, self._follower, clock)
        self._far = FarData(library, runners, clock)

    # Before a run

    def estimators(self, task: str | None = None) -> list[EstimatorEntry]:
        """Return the catalogue; with a task, what can do it, its default first."""
        return list(ESTIMATORS.values()) if task is None else list(estimators_for(task))

    def check(self, order: TrainOrder) -> TrainCheck:
        """Say whether an order may run, why not, and what is worth knowing. Raises NotFound for the dataset only."""
        version = self._datasets.show(order.dataset)
        check = check_order(order, version)
        if check.why_not is not None:
            return check
        used = {order.target, *check.features}
        with contextlib.suppress(MldeskError, OSError):   # rows elsewhere, or damaged: whoever reads them says so
            found = self._datasets.nearly_numbers(version)
            return replace(check, advice=(*check.advice, *(
                Advice("warning", near.text) for near in found if near.column in used)))
        return check

    def start(self, order: TrainOrder, beginning: Beginning | None = None) -> Run:
        """Write the run down, then hand it to its runner. Raises NotFound, BadInput, RunnerUnreachable, and Conflict
        where "any" runner was asked for and none will do.

        The row comes first and the runner knows a repeated submit, so a crash in between loses nothing: whoever
        follows the run next submits it again. ``beginning``: the model it goes on from, and how rows are dealt then.
        """
        check, request = self.asked(order)
        earlier = self.given(request)
        if beginning is not None:
            split = replace(request.split, method="given", membership=beginning.membership, column=None, folds=0)
            request = replace(request, split=split, warm=beginning.model)
            earlier = (beginning.model, self._library.objects.put_manifest({"split": beginning.membership}))
        return self.hand_over(order, "train", check.estimator, request, request.to_json(), earlier=earlier)

    def given(self, request: TrainRequest) -> tuple[str, ...]:
        """Return the manifest of the parts that rows are given, which travels with the job; none where none are."""
        given = request.split.membership
        return () if given is None else (self._library.objects.put_manifest({"split": given}),)

    def asked(self, order: TrainOrder) -> tuple[TrainCheck, TrainRequest]:
        """Return the order checked, and what its job is to do. Raises NotFound, BadInput."""
        version = self._datasets.show(order.dataset)
        check = check_order(order, version)
        refuse(check)
        model = check_name(order.model, "model") if order.model else model_name(version.dataset, order.target)
        return check, TrainRequest(
            dataset=version.manifest, dataset_name=version.label,
            columns=tuple(column.to_json() for column in version.columns), target=order.target, task=check.task,
            features=None if order.features is None and not order.without else check.features,
            estimator=check.estimator, parameters=dict(check.parameters),
            split=split_of(self._library, self._datasets, order, version),
            seed=check_seed(order.seed), model=model, order=order.order, prepare=tuple(order.prepare),
            scores_only=order.scores_only)

    def hand_over(self, order: TrainOrder, kind: str, estimator: str, train: TrainRequest,
                  payload: Mapping[str, Any], *, earlier: Sequence[str] = (), job: str = "") -> Run:
        """Write a run down and hand it to its runner. ``earlier``: manifests it needs besides its table."""
        runner = self.prepare([train.dataset, *earlier], order.runner)
        name = check_run_name(order.name) if order.name else f"{slug(train.model) or 'run'}-{estimator}"
        spec = JobSpec(job or new_id(), kind, name, (train.dataset, *earlier), payload,
                       self._resources(order, runner, "mlp" if kind == "search" else estimator), order.limits,
                       order.not_before)
        return self.begin(spec, runner, train.dataset_name, order.priority, numbered=not order.name)

    def begin(self, spec: JobSpec, runner: str, dataset: str, priority: int = 0, *, numbered: bool = False) -> Run:
        """Write a job down, then hand it to its runner; ``numbered`` as for ``RunStore.add``, and a name that is
        taken gets a number as well. Raises as ``start``.
        """
        run = self._library.runs.add(spec, runner, dataset, self._clock.now(), priority=priority, numbered=numbered,
                                     apart=not numbered)
        return send(self._library, self._runners, run)

    def prepare(self, manifests: Sequence[str], runner: str) -> str:
        """Return the runner that ``runner`` means, once it can have these tables. Raises as ``start``."""
        chosen = self._runners.choose(runner)
        self._far.ready_for(manifests, chosen)
        return chosen

    # Data that lie on runners

    def import_on(self, runner: str, path: str, name: str, options: ImportOptions | None = None) -> Run:
        """Have a runner make a table of a file that lies there, without its rows coming here; return the run.

        Follow it: once it has succeeded, the dataset ``name`` has a new version. Raises NotFound, BadInput, Conflict,
        RunnerUnreachable.
        """
        return self._far.import_on(runner, path, name, options)

    def fetch_data(self, reference: str) -> str | None:
        """Bring the rows of a dataset here that lie on a runner only; return that runner, None if they were here.

        Raises NotFound, RunnerUnreachable, DiskFull.
        """
        version = self._datasets.show(reference)
        runner = self._far.where(version)
        if runner is not None:
            self._far.fetch(version.manifest, runner)
        return runner

    # Looking

    def get(self, reference: str) -> Run:
        """Return a run by id, name, or the start of either. Raises NotFound with the nearest names, BadInput with the
        candidates where several are meant.
        """
        try:
            return self._library.runs.get(reference)
        except NotFound as error:
            names = {run.name for run in self._library.runs.list(limit=200)}
            raise NotFound(error.message, hint=did_you_mean(reference, names) or error.hint) from error

    def events(self, reference: str, after: int = 0, *, limit: int = 1000) -> list[Event]:
        """Return stored events with a sequence number above ``after``."""
        return self._library.runs.events(self.get(reference).id, after, limit=limit)

    def metrics(self, reference: str, after: int = 0) -> list[MetricPoint]:
        """Return the points that came in events above ``after``, those that a later attempt superseded left out."""
        return self._library.runs.metrics(self.get(reference).id, after)

    def curves(self, reference: str) -> dict[str, Readings]:
        """Return every metric of a run column by column, for those who draw many."""
        return self._library.runs.curves(self.get(reference).id)

    def log(self, reference: str, offset: int = 0, *, limit: int = 65536) -> tuple[bytes, int]:
        """Return output of the trainer from byte ``offset``, and the next offset. Raises RunnerUnreachable."""
        run = self.get(reference)
        with self._follower.at(run) as client:
            return client.log(run.id, offset, limit)

    # Following

    def pump(self, reference: str, wait: float = 0.0) -> bool:
        """Do one step of following; False once there is nothing more to come. Raises RunnerUnreachable."""
        return self._follower.pump(self.get(reference).id, wait)

    def follow(self, reference: str, after: int = 0, *, wait: float = 1.0, trouble: Trouble | None = None,
               stop: Stop | None = None) -> Iterator[Event]:
        """Yield events after ``after`` as they come, until the run ends (see ``Follower.follow``)."""
        run = self.get(reference)
        with beside(lambda helper, over: self._follower.follow(helper, wait=wait, stop=over), helpers_of(run)):
            yield from self._follower.follow(run.id, after, wait=wait, trouble=trouble, stop=stop)

    def refresh(self, reference: str | None = None) -> list[str]:
        """Bring one run, or every run that has not ended, up to date; return why any could not be, in sentences."""
        return self._refresher.bring([self.get(reference)] if reference else self.active())

    def active(self) -> list[Run]:
        """Return the runs that have not ended, newest first."""
        states = [state for state in JobState if not state.ended]
        runs = [run for state in states for run in self._library.runs.list(limit=1000, state=state)]
        return sorted(runs, key=lambda run: run.id, reverse=True)

    def close(self) -> None:
        """Wait a little for what is still being brought in; call it once the runners are closed."""
        self._refresher.close()

    # Steering

    def cancel(self, reference: str) -> Run:
        """Stop a run and keep nothing of it. Raises Conflict when it has ended, RunnerUnreachable."""
        run = self.fresh(reference)
        self._going(run)
        with self._follower.at(run) as client:
            client.cancel(run.id)
        return self._after_command(run)

    def finish(self, reference: str) -> Run:
        """Stop fitting now, evaluate and keep the model. Raises Conflict when it has ended, RunnerUnreachable."""
        run = self.fresh(reference)
        self._going(run)
        with self._follower.at(run) as client:
            client.finish(run.id)
        return self._after_command(run)

    def set_learning_rate(self, reference: str, rate: float) -> Run:
        """Let a training take another rate from its next step on.

        Raises BadInput, Conflict (also of a runner too old to hear of it), RunnerUnreachable.
        """
        run = self.fresh(reference)
        message = message_of(run, rate)
        self._going(run)
        return self.tell(run, message, since=STEERED)

    def start_at(self, reference: str, moment: float) -> Run:
        """Let a run that waits begin at another moment of its runner's clock; 0: at once. Raises Conflict for one that
        does not wait, RunnerUnreachable, RunnerTooOld.
        """
        run = self.fresh(reference)
        self._going(run)
        with self._follower.at(run) as client:
            client.start_at(run.id, moment)
        for helper in helpers_of(run):
            with contextlib.suppress(MldeskError):   # the search goes on without one that cannot be told
                one = self._library.runs.get(helper)
                with self._follower.at(one) as client:
                    client.start_at(helper, moment)
        return self._after_command(run)

    def pause(self, reference: str) -> Run:
        """Stop a run and keep all it has, to go on with ``resume``. Raises Conflict when it has ended for good,
        RunnerUnreachable.
        """
        run = self.fresh(reference)
        self._going(run)
        for job in (*helpers_of(run), run.id):
            one = self._library.runs.get(job)
            if not one.state.ended:
                with self._follower.at(one) as client:
                    client.pause(job)
        return self._after_command(run)

    def resume(self, reference: str) -> Run:
        """Go on from the last checkpoint. Raises Conflict when the run is not interrupted, RunnerUnreachable."""
        run = self.fresh(reference)
        for helper in helpers_of(run):
            with contextlib.suppress(MldeskError):   # it goes on without one that cannot
                self.resume(helper)
        if not run.state.resumable:
            raise Conflict(f"Run {run.name} is {run.state.value}: only an interrupted run can be resumed.",
                           hint="Start it again with `mldesk train`." if run.state.final else "It is still at work.")
        with self._follower.at(run) as client:
            client.resume(run.id)
            bring(self._library, client, run, RESUME_PATIENCE)
        return self._library.runs.get(run.id)

    def move(self, reference: str, runner: str, *, report: Report | None = None) -> Run:
        """Let a run go on at another runner, from its last checkpoint. One that was cut goes on when repeated.

        Returns the run as it is then, which has ended for good if it was quicker. Raises NotFound, Conflict (it has
        ended, or its runner is silent and may be at work on it), RunnerUnreachable.
        """
        run, target, report = self.get(reference), self._runners.choose(runner), report or (lambda _what, _part: None)
        self._far.ready_for([str(manifest) for manifest in run.spec.get("inputs", ())], target, report)
        return self._mover.move(run, target, report)

    def _resources(self, order: TrainOrder, runner: str, estimator: str) -> Resources:
        """Say what the job takes: a card of the size that was asked for, or one if there is one and it can use it."""
        memory = max(order.resources.gpu_memory, card_memory(gpu_memory_of(order.runner) or 0))
        facts = self._runners.show(runner).facts
        protocol = facts.get("protocol")
        speaks = isinstance(protocol, (list, tuple)) and len(protocol) == 2 and protocol[1] >= 2
        prefers = order.resources.prefers_gpu or (
            order.resources.device == "auto" and estimator in ON_GPU and speaks and bool(gpus(facts)))
        return replace(order.resources, gpu_memory=memory, prefers_gpu=prefers)

    def fresh(self, reference: str) -> Run:
        """Return a run with all that its runner has said by now. Raises NotFound, RunnerUnreachable."""
        run = self.get(reference)
        self._follower.drain(run.id)
        return self._library.runs.get(run.id)

    def tell(self, run: Run, message: Mapping[str, Any], helpers: Sequence[str] = (), since: int = 3) -> Run:
        """Put a message into the mailbox of a run and of the jobs that help it; return the run.

        ``since``: the version of the protocol whose jobs know such a message. Raises Conflict of an older runner,
        RunnerUnreachable.
        """
        for job in (run.id, *helpers):
            with self._follower.at(self._library.runs.get(job)) as client:
                client.tell(job, new_id(), message, since=since)
        return self._after_command(run)

    def _after_command(self, run: Run) -> Run:
        self._follower.drain(run.id)
        return self._library.runs.get(run.id)

    @staticmethod
    def _going(run: Run) -> None:
        if run.state.ended:
            raise Conflict(f"Run {run.name} has ended: it {_ENDED_AS[run.state]}.")

    # last, because below it ``list`` is this method
    def list(self, *, limit: int = 100, offset: int = 0, state: JobState | None = None,
             wanted: RunFilter | None = None) -> list[Run]:
        """Return runs, newest first, as the library knows them (``refresh`` asks the runners)."""
        return self._library.runs.list(limit=limit, offset=offset, state=state, wanted=wanted)
