"""Moving a run from one runner to another, from its last checkpoint. It never runs at two, whatever is killed when.

1. The old runner releases the job: it stops, keeps its checkpoint, and its journal ends "interrupted", cause "moved".
2. The library takes in the whole journal, and the checkpoint's files.
3. One transaction names the new runner, and that it has yet to take the run over. From here on the old one is not
   asked any more.
4. The new runner takes over: history, checkpoint, inputs. Whoever follows the run does this as well, if it is undone.

Every step may be repeated; ``move`` begins at the first, and those that are done change nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from mldesk.core.clock import Clock
from mldesk.core.errors import Conflict, MldeskError, RunnerUnreachable
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.states import Cause, JobState
from mldesk.workbench.following import Follower, RunnerForgotten, bring, take_over
from mldesk.workbench.runner_asking import AskedRunners

RELEASE_SECONDS = 60.0  # a released job takes to stop, at most: asking, SIGTERM, SIGKILL, and a busy machine
Report = Callable[[str, float], None]  # what is being done, and how much of it, 0 to 1


class Mover:
    """Moves runs. Holds nothing between calls."""

    def __init__(self, library: Library, runners: AskedRunners, follower: Follower, clock: Clock) -> None:
        self._library, self._runners, self._follower, self._clock = library, runners, follower, clock

    def move(self, run: Run, target: str, report: Report) -> Run:
        """Return the run once ``target`` has it, or as it ended before it could be released.

        Raises Conflict for one that has ended for good or whose old runner is silent, RunnerUnreachable for a silent
        new one (then the run is with the old one still, or is taken over when the new one answers), RunnerForgotten.
        """
        if run.handover is not None:
            report(f"{run.runner} takes it over", 0.0)
            run = self._hand_over(run)
        if run.runner == target:
            return run
        if run.state.final:
            raise Conflict(f"Run {run.name} has ended ({run.state.value}): there is nothing left to move.")
        with self._runners.asking(target) as client:  # before anything is stopped: will it be able to?
            client.queue()
        if run.state is JobState.CREATED:
            run = self._submitted(run)
        message = f"It moved from {run.runner} to {target}."
        try:
            checkpoint = self._release(run, report)
        except (RunnerUnreachable, RunnerForgotten) as error:
            self._may_leave(run, error)
            checkpoint, message = None, message[:-1] + ", and begins anew: its checkpoints stayed there."
        run = self._library.runs.get(run.id)
        if run.state.final:
            return run
        self._library.runs.move(run.id, target, checkpoint=checkpoint, message=message)
        report(f"{target} takes it over", 0.8)
        return self._hand_over(self._library.runs.get(run.id))

    def _release(self, run: Run, report: Report) -> str | None:
        """Have the old runner stop the job; bring everything here; return its checkpoint's manifest, if it has one."""
        with self._follower.at(run) as client:
            report(f"{run.runner} stops it", 0.1)
            try:
                client.release(run.id)
            except Conflict:  # it has ended for good just now, which its last events will say
                self._follower.drain(run.id)
                if not self._library.runs.get(run.id).state.final:
                    raise
            self._await_end(run)
            if self._library.runs.get(run.id).state.final:
                return None
            report("Its checkpoint comes here", 0.4)
            checkpoint = client.checkpoint(run.id)
            if checkpoint is not None:
                client.fetch(checkpoint, self._library.objects)
            return checkpoint

    def _may_leave(self, began: Run, error: MldeskError) -> None:
        """Raise Conflict unless nothing will go on with a run at its old runner, which cannot be asked.

        A run that was interrupted before may leave, without its checkpoints. One that was released already has them
        waiting for whoever moves it again, unless its runner is forgotten for good.
        """
        run = self._library.runs.get(began.id)
        last = self._library.runs.events(run.id, max(0, run.last_seq - 1))
        stopped = began.state is JobState.INTERRUPTED and run.state is JobState.INTERRUPTED
        by_itself = run.cause is Cause.NODE_REBOOT or (bool(last) and last[-1].payload.get("resumes") is True)
        waits = run.cause is Cause.MOVED and not isinstance(error, RunnerForgotten)
        if not stopped or by_itself or waits:
            why = ("its last checkpoint is still there." if stopped and waits and not by_itself else
                   "it may be at work there, and a run never runs twice.")
            raise Conflict(f"Run {run.name} cannot leave {run.runner}, which cannot be asked: {why}",
                           hint=f"Move it when {run.runner} answers again. ({error.message})") from error

    def _hand_over(self, run: Run) -> Run:
        with self._follower.at(run) as client:
            take_over(self._library, client, run)
            bring(self._library, client, self._library.runs.get(run.id))
        return self._library.runs.get(run.id)

    def _submitted(self, run: Run) -> Run:
        """A run that its runner may never have heard of: have it there, so that there is something to release."""
        self._follower.pump(run.id)
        return self._library.runs.get(run.id)

    def _await_end(self, run: Run) -> None:
        deadline = self._clock.monotonic() + RELEASE_SECONDS
        self._follower.drain(run.id)
        while not self._library.runs.get(run.id).state.ended:
            if self._clock.monotonic() > deadline:
                raise Conflict(f"Run {run.name} was asked to stop at {run.runner}, and does not.", hint="Try again.")
            self._follower.pump(run.id, 1.0)
        self._follower.drain(run.id)
