"""``mldesk models retrain|challenge``: a model on new data, and two versions on the same test rows."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.model_shown import Reference, up_to_date
from mldesk.cli.train import finish
from mldesk.cli.watching import watched
from mldesk.core.errors import BadInput
from mldesk.training.metric_words import lower_is_better, title, within

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.workbench.challenging import Challenge

Old = Annotated[str, typer.Argument(metavar="OLD", help="The version it is to replace.")]


def challenge(context: typer.Context,
              new: Annotated[str, typer.Argument(metavar="NEW", help="A version, M@V; its test rows are looked at.")],
              old: Old) -> None:
    """Set two versions side by side on the same test rows."""
    face = Face.of(context)
    with face.workbench() as bench:
        up_to_date(face, bench)
        found = bench.retraining.challenge(new, old)
    face.document(found.to_json()) if face.json else _show(face, found)


def retrain(
    context: typer.Context, reference: Reference,
    dataset: Annotated[str, typer.Argument(metavar="N[@V]", help="What it learns from now.")],
    promote: Annotated[bool, typer.Option("--promote", help="Promote the new version if it is better on the same rows "
                                          "than the one in use by the loss it was fitted for, or by what its "
                                          "search strove for, even where that may be luck (which is said); one that "
                                          "is as good is not promoted.")] = False,
    warm: Annotated[bool, typer.Option("--warm", help="Go on from its weights (a network, lightgbm, xgboost) instead "
                                       "of beginning anew; rows it has learned from judge nothing.")] = False,
    search: Annotated[bool, typer.Option("--search", help="Search again as then; without it what a search blended is "
                                         "fitted and blended anew.")] = False,
    runner: Annotated[str, typer.Option(metavar="R", help="The machine that does the work.")] = "local",
) -> None:
    """Train a model again as it was trained, on new data, and compare both. The version in use stays in use (and is
    promoted if none is) unless a better one is promoted.
    """
    face = Face.of(context)
    with Interrupts() as interrupts, face.workbench() as bench:
        up_to_date(face, bench)
        old = bench.models.show(reference).label
        run = bench.retraining.start(reference, dataset, runner, warm=warm, search=search)
        run = watched(face, bench, run, interrupts)
        if run.model is None:
            finish(face, bench, run)   # says why
            return
        if promote and (used := bench.retraining.used(run.model)) != old:
            face.note(f"· Compared with {used}, the version in use, whose place it would take, not with {old}.")
            old = used
        try:
            found = bench.retraining.challenge(run.model, old)
        except BadInput as error:   # other columns, types or classes: the new version is there all the same
            _not_compared(face, run, old, bench.retraining.used(old), error)
            return
        promoted = promote and found.better
        if promoted:
            name, _, number = run.model.rpartition("@")
            bench.models.promote(name, int(number), f"Better than {old} on {found.rows} test rows.")
        used = bench.retraining.used(old)
    if face.json:
        face.document({"run": run.id, "model": run.model, "promoted": promoted, "in_use": used, **found.to_json()})
        return
    _show(face, found)
    face.say(promotion(found) if promote else f"{run.model} is not promoted.")
    _say_used(face, run, used)


def _say_used(face: Face, run: Run, used: str) -> None:
    name, _, number = str(run.model).rpartition("@")
    other = "" if used == run.model else f" To use the new one: mldesk models promote {shlex.quote(name)} {number}"
    face.note(f"· In use: {used}.{other}")


def _not_compared(face: Face, run: Run, old: str, used: str, error: BadInput) -> None:
    """Say that a version was made, and why nobody can say whether it is better."""
    if face.json:
        face.document({"run": run.id, "model": run.model, "promoted": False, "old": old,
                       "in_use": used, "why_not": error.message})
        return
    face.say(f"{run.model} is made, and not promoted: it cannot be compared with {old}.")
    face.note(f"! {error.message} {error.hint}".rstrip())
    _say_used(face, run, used)


def promotion(found: Challenge) -> str:
    """Say whether the newer version was promoted, over which one, and by which scores."""
    new, old = map(words.score, found.scores[found.decides])
    name = within(title(found.decides))
    how = "lower" if lower_is_better(found.decides) else "higher"
    scores = f"{new} against {old} of {found.old}"
    if found.equal:
        return f"{found.new} is not promoted: its {name} on the same rows is as good ({scores}), not better."
    if not found.better:
        return f"{found.new} is not promoted: its {name} on the same rows is not {how} ({scores})."
    luck = "" if found.sure else ", though that may be luck"
    return f"{found.new} is promoted: its {name} on the same rows is {how} ({scores}){luck}."


def _show(face: Face, found: Challenge) -> None:
    face.table(("score", found.new, found.old), [(title(name), words.score(one), words.score(other))
                                                 for name, (one, other) in found.scores.items()],
               right=(found.new, found.old))
    face.table(("difference", "from", "to", ""), [
        (title(name), words.score(item["low"]), words.score(item["high"]), "" if item["sure"] else "may be luck")
        for name, item in found.paired["differences"].items()], right=("from", "to"))
    if found.left_out:
        face.note(f"· Left out: {words.plural(found.left_out, 'test row')} that {found.old} learned from.")
    if found.learned:
        face.note(f"! {found.old} learned from {found.learned} of these {found.rows} rows, which flatters it.")
    elif found.learned is None:
        face.note(f"! Whether {found.old} learned from some of these {found.rows} rows is not known.")
