"""``mldesk runs cancel, finish, pause, resume, learning-rate, extend, move``: steer runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli.amounts import read_minutes
from mldesk.cli.face import Face
from mldesk.cli.steps_done import StepsDone

if TYPE_CHECKING:
    from mldesk.library.records import Run

Reference = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its name, or the start of either "
                                              "that no other run has.")]


def cancel(context: typer.Context, reference: Reference) -> None:
    """Stop a run and keep nothing of it."""
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.cancel(reference)
    face.document({"run": run.id, "status": run.state.value}) if face.json else face.say(
        f"Run {run.name} {'is ' + run.state.value if run.state.ended else 'was asked to stop'}.")


def finish_(context: typer.Context, reference: Reference) -> None:
    """Stop fitting now, evaluate, and keep the model."""
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.finish(reference)
    face.document({"run": run.id, "status": run.state.value}) if face.json else face.say(
        f"Run {run.name} was asked to finish: mldesk runs follow {run.id}")


def _steered(face: Face, run: Run, done: str) -> None:
    face.document({"run": run.id, "status": run.state.value}) if face.json else face.say(
        f"Run {run.name} {done}: mldesk runs follow {run.id}")


def resume(context: typer.Context, reference: Reference) -> None:
    """Let an interrupted run go on from its last checkpoint (`follow` shows it)."""
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.resume(reference)
    face.document({"run": run.id, "status": run.state.value}) if face.json else face.say(
        f"Run {run.name} goes on: mldesk runs follow {run.id}")


def pause(context: typer.Context, reference: Reference) -> None:
    """Stop a run and keep all it has; `runs resume` goes on with it."""
    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.pause(reference)
        _steered(face, run, "is being paused")
    if lost := lost_by_pausing(run):
        face.note(f"· {lost}")


def lost_by_pausing(run: Run) -> str:
    """Say what a run that is paused does once more when it is resumed; "" where it goes on from a checkpoint."""
    from mldesk.training.catalogue import ESTIMATORS  # which other commands do without

    if run.kind == "search":
        return "The trials that were under way are begun anew when it is resumed; those that ended are kept."
    entry = ESTIMATORS.get(run.estimator) if run.kind == "train" else None
    return "" if entry is None or entry.resumes else (
        f"{entry.title} has no checkpoints: resumed, it is fitted from the beginning, to the same result.")


def learning_rate(
    context: typer.Context, reference: Reference,
    rate: Annotated[float, typer.Argument(metavar="RATE", help="Above 0, at most 1, such as 0.001.")],
) -> None:
    """Give a training another learning rate from its next step on: networks and boosting, CatBoost apart.

    Its schedule goes on from there. `mldesk runs follow` says the change, and the curve learning_rate shows it; the
    second fit, with the validation rows, and a run that is resumed repeat it.
    """
    face = Face.of(context)
    with face.workbench() as bench:
        _steered(face, bench.runs.set_learning_rate(reference, rate), f"learns on at {rate:g}")


def extend(
    context: typer.Context, reference: Reference,
    minutes: Annotated[float, typer.Option("--time", metavar="MIN", parser=read_minutes, help="Minutes more, or a time "
                                           "like 20s or 1h.")] = 0.0,
    trials: Annotated[int, typer.Option(metavar="K", min=0, help="Trials more.")] = 0,
    refit: Annotated[bool, typer.Option("--refit", help="Of a search that has ended: fit what it keeps once more, on "
                                        "all rows but the test rows, where it was not yet. Without --time or "
                                        "--trials nothing else is tried.")] = False,
) -> None:
    """Give a search more time or trials. One that has ended goes on as a new run with all its trials.

    Trials given to a search that goes by time come once its time is over, and time once the trials are made.
    """
    from mldesk.workbench.searching import fitted_whole

    face = Face.of(context)
    with face.workbench() as bench:
        before = bench.runs.get(reference)
        run = bench.searches.extend(before.id, minutes * 60, trials, refit=refit)
        if refit and (why := fitted_whole(before)):
            face.note(f"· --refit changes nothing: {why}.")
        _steered(face, run, "was extended" if run.id == before.id else f"goes on with the trials of {before.name}")


def move(
    context: typer.Context, reference: Reference,
    runner: Annotated[str, typer.Argument(metavar="RUNNER", help='Where it is to go on; "any" or "any:24GB" chooses.')],
) -> None:
    """Let a run go on at another runner, from its last checkpoint. Repeat it if it was cut."""
    face = Face.of(context)
    with face.workbench() as bench, StepsDone(face) as steps:
        run = bench.runs.move(reference, runner, report=steps.report)
    if face.json:
        face.document({"run": run.id, "status": run.state.value, "runner": run.runner})
    elif run.state.final:
        face.say(f"Run {run.name} has ended ({run.state.value}) before it could move.")
    else:
        face.say(f"Run {run.name} is at {run.runner} now: mldesk runs follow {run.id}")
