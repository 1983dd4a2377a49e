"""Handing a run that is written down to its runner: the one way, whatever kind of job it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import JobState
from mldesk.workbench.runner_asking import AskedRunners

if TYPE_CHECKING:  # rpyc loads with it
    from mldesk.runners import RunnerClient


def submit(client: RunnerClient, run: Run) -> None:
    """Hand a run over with the priority it was begun with; one without needs no runner that knows of such things."""
    spec = JobSpec.from_json(run.spec)
    if run.priority:
        client.submit(spec, run.priority)
    else:
        client.submit(spec)


def send(library: Library, runners: AskedRunners, run: Run) -> Run:
    """Submit a job and return its run as it is then. A repeated submit is the same job.

    Raises RunnerUnreachable, where whoever follows the run sends it again; what else the runner refuses it for, which
    is then written down as the run's end.
    """
    try:
        with runners.asking(run.runner) as client:
            submit(client, run)
    except RunnerUnreachable as error:
        later = f"Run {run.id} is kept and is sent when the runner answers again."
        raise RunnerUnreachable(error.message, hint=f"{error.hint} {later}".strip()) from error
    except MldeskError as error:
        library.runs.set_state(run.id, JobState.FAILED, message=error.message, hint=error.hint)
        raise
    library.runs.mark_submitted(run.id)
    return library.runs.get(run.id)
