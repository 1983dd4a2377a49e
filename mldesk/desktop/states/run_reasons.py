"""Why a run cannot be cancelled, finished or resumed now. "" means that it can. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldesk.wire.states import Cause, JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run

_ENDED = {
    JobState.SUCCEEDED: "The run has succeeded.",
    JobState.FAILED: "The run has failed.",
    JobState.CANCELLED: "The run was cancelled.",
    JobState.INTERRUPTED: "The run was interrupted: no process works on it.",
    JobState.LOST: "The runner has no trace of this run any more.",
}


def _leaving(run: Run) -> str:
    """Say that a run is on its way to its end already; "" for one that is not."""
    if run.state is not JobState.STOPPING:
        return ""
    if run.cause is Cause.FINISHING:
        return "The run is finishing already, with what there is by now."
    return f"The run is {'being paused already' if run.cause is Cause.PAUSED else 'already being stopped'}."


def why_not_cancel(run: Run | None) -> str:
    """Say why Cancel is disabled."""
    if run is None:
        return "Choose a run first."
    if run.state.ended:
        return f"{_ENDED[run.state]} There is nothing left to cancel."
    return "" if run.cause is Cause.FINISHING else _leaving(run)   # who asked to finish may still think otherwise


def why_not_finish(run: Run | None) -> str:
    """Say why Finish now is disabled."""
    if run is None:
        return "Choose a run first."
    if run.state.ended:
        return f"{_ENDED[run.state]} There is nothing left to finish."
    if run.state is JobState.STOPPING:
        return _leaving(run)
    if run.state is not JobState.RUNNING:
        return "Training has not begun yet, so there is no model to keep. Wait until it has, or cancel."
    return ""


def why_not_pause(run: Run | None) -> str:
    """Say why Pause is disabled."""
    if run is None:
        return "Choose a run first."
    if run.state.ended:
        return f"{_ENDED[run.state]} There is nothing to pause."
    return _leaving(run)


def why_not_schedule(run: Run | None) -> str:
    """Say why the start of a run cannot be changed."""
    if run is None:
        return "Choose a run first."
    if run.state.ended:
        return f"{_ENDED[run.state]} There is nothing left to start."
    return "" if run.state in (JobState.CREATED, JobState.QUEUED) else "The run has begun already."


def why_not_rate(run: Run | None) -> str:
    """Say why the learning rate cannot be changed."""
    if run is None:
        return "Choose a run first."
    if run.state.ended:
        return f"{_ENDED[run.state]} There is nothing left to learn."
    from mldesk.workbench.steered import why_not_steered  # loads SQLAlchemy, which the first paint does not wait for

    why = why_not_steered(run)
    return why[:1].upper() + why[1:]


def why_not_extend(run: Run | None) -> str:
    """Say why a search cannot be given more time or trials."""
    if run is None:
        return "Choose a run first."
    if run.kind != "search" or run.spec.get("payload", {}).get("helps"):
        return "Only a search can be extended."
    if run.state is JobState.INTERRUPTED:
        return "The search stands still. Resume it first, then extend it."
    if run.state.final and run.state is not JobState.SUCCEEDED:
        return f"{_ENDED[run.state]} It left no trials to go on with."
    from mldesk.workbench.searching import limits_of  # loads SQLAlchemy, which the first paint does not wait for

    if not run.state.final and not limits_of(run):
        return "It goes on until it reaches its score, so there is nothing to extend."
    return _leaving(run)


def why_not_resume(run: Run | None) -> str:
    """Say why Resume is disabled."""
    if run is None:
        return "Choose a run first."
    if run.state.resumable:
        return ""
    if run.state.ended:
        return f"{_ENDED[run.state]} Only an interrupted run can go on; train again for a new one."
    return "The run is still at work. Only an interrupted run can be resumed."


def why_not_move(run: Run | None) -> str:
    """Say why Move is disabled."""
    if run is None:
        return "Choose a run first."
    if run.handover is not None:
        return "The run is being moved already."
    if run.state.final:
        return f"{_ENDED[run.state]} There is nothing left to move."
    return _leaving(run)


def why_not_compare(runs: list[Run]) -> str:
    """Say why Compare is disabled."""
    if len(runs) < 2:
        return "Choose two or more runs in the list (hold Ctrl or Shift) to compare them."
    return ""
