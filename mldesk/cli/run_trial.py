"""``mldesk runs trial``: what a search tried, one of its trials with its curve, and that one as a run of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.search import no_score, show_leaderboard
from mldesk.cli.train import finish
from mldesk.cli.watching import detached, say_name, watched
from mldesk.core.errors import BadInput
from mldesk.training.metric_words import title
from mldesk.training.pipeline_words import pipeline_words, usual_words

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def trial(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A search.")],
    number: Annotated[int | None, typer.Argument(metavar="N", min=1, help="One of its trials; without it all are "
                                                 "listed.")] = None,
    train: Annotated[bool, typer.Option("--train", help="Train its configuration as a run of its own.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Make a model of the trial itself, with its pipeline and on the "
                                       "search's own folds; scored on the test rows, which counts as a use of "
                                       "them.")] = False,
    promote: Annotated[bool, typer.Option("--promote", help="Keep it, and promote the model.")] = False,
    name: Annotated[str, typer.Option(metavar="RUN", help="With --train or --keep: that run's name.")] = "",
    save_as: Annotated[str, typer.Option("--save-as", metavar="M", help="With --train or --keep: the model's "
                                         "name.")] = "",
    runner: Annotated[str, typer.Option(metavar="R", show_default=False, help="With --train or --keep: the machine "
                                        "that does the work; local, or the search's own, without it.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Return once the runner has accepted the job.")] = False,
) -> None:
    """Show a trial of a search with its pipeline and learning curve, or make a model of it, on the same rows."""
    from mldesk.workbench.trials import find_trial, trial_order

    face = Face.of(context)
    keep = keep or promote
    if (train or keep) and number is None:
        raise BadInput("Which trial is to be trained is not said.", hint="Name its number: mldesk runs trial RUN N.")
    if not (train or keep) and (name or save_as or runner or detach):
        raise BadInput("Whether the trial is to be kept or trained anew is not said.",
                       hint="Say --keep (as it was tried) or --train (its configuration as a run of its own).")
    if train and keep:
        raise BadInput("A trial is trained anew (--train) or kept as it was tried (--keep), not both.",
                       hint="Leave one of the two out.")
    if promote and detach:
        raise BadInput("A model is promoted once it is there, and --detach does not wait for it.",
                       hint="Leave --detach out, or promote it later: mldesk models promote.")
    with Interrupts() as interrupts, face.workbench() as bench:
        for trouble in bench.runs.refresh(reference):
            face.note(f"! {trouble}")
        run = bench.runs.get(reference)
        tried = bench.searches.leaderboard(run.id)
        if number is None:
            _list(face, tried)
            return
        found = find_trial(run, tried, number)
        if not (train or keep):
            face.document({"run": run.id, **found}) if face.json else _show(face, found, run.name)
            return
        made = bench.searches.keep_trial(run.id, number, name=name, runner=runner, model=save_as) if keep else (
            bench.runs.start(trial_order(run, found, name=name, runner=runner or "local", model=save_as)))
        say_name(face, name, made)
        if detach:
            detached(face, made)
            return
        made = watched(face, bench, made, interrupts)
        if promote and made.model:
            model, _, version = made.model.rpartition("@")
            bench.models.promote(model, int(version), f"Trial {number} of {run.name}")
            face.note(f"{made.model} is promoted: the bare name means it.")
        finish(face, bench, made)


def _list(face: Face, tried: Sequence[Mapping[str, Any]]) -> None:
    if face.json:
        face.document({"trials": list(tried)})
    elif tried:
        show_leaderboard(face, tried, len(tried))
    else:
        face.say("No trial has ended yet.")


def _show(face: Face, found: Mapping[str, Any], search: str) -> None:
    score = found.get("score")
    told = words.score(score) if isinstance(score, (int, float)) else no_score(found)
    face.say(f"Trial {found['number']} of {search}: {found['estimator']}")
    face.say(f"{title(str(found.get('metric', 'score')))}  {told}   took {words.duration(found.get('seconds') or 0)}")
    face.say(f"Preparation: {usual_words(str(found['estimator']))}")
    if said := pipeline_words(found.get("pipeline")):
        face.say(f"  besides: {said}")
    for key, value in dict(found.get("parameters") or {}).items():
        face.say(f"  {key} = {value}")
    if message := found.get("message"):
        face.say(str(message))
    for line in curve_lines(found.get("curve") or ()):
        face.say(line)
    face.note(f"\nNext: mldesk runs trial {search} {found['number']} --keep")


def curve_lines(curve: Sequence[Sequence[float]]) -> list[str]:
    """Return the validation loss of a trial's first fold over its steps, as a line of bars and one of words."""
    if len(curve) < 2:
        return ["It has no curve: its model is fitted in one step."]
    losses = [float(loss) for _, loss in curve]
    shown = [losses[round(place * (len(losses) - 1) / (min(_WIDTH, len(losses)) - 1))]
             for place in range(min(_WIDTH, len(losses)))]
    low, high = min(losses), max(losses)
    bars = "".join(_BARS[round((loss - low) / ((high - low) or 1) * (len(_BARS) - 1))] for loss in shown)
    least = min(curve, key=lambda point: point[1])
    said = (f"Validation loss of its first fold: {losses[0]:.4g} at step {int(curve[0][0])}, least {least[1]:.4g} at "
            f"{int(least[0])}, {losses[-1]:.4g} at {int(curve[-1][0])}.")
    return [bars, said]
