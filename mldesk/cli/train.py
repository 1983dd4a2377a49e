"""``mldesk train``: one run from order to result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.data_clean import read_prepare
from mldesk.cli.face import Face, facts, make_table
from mldesk.cli.failures import Failed
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.model_shown import say_in_use
from mldesk.cli.presets import Save, Start, chosen, given
from mldesk.cli.when import At, Detach, Every, Repeat, begin, see
from mldesk.cli.when import wanted as timed
from mldesk.core.errors import BadInput
from mldesk.training.metric_words import better, left_out, ordered, title
from mldesk.workbench.split_words import rows_words, searched

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.workbench.bench import Workbench
    from mldesk.workbench.orders import TrainOrder
    from mldesk.workbench.presets import Preset

SPLIT_HELP = ("How rows are dealt: random (classes in equal shares), stratified (numbers, too), shuffle (blindly), "
              "group, time, column (it says train, validation or test), or run:RUN (each row's part as there).")

ORDER_HELP = ("The classes from low to high, commas between, if they have an order; sorted takes them as they sort. "
              "Scores then say how far off a miss is.")
OPTIONS = {"target": "target", "task": "task", "model": "estimator", "order": "order", "feature": "features",   # fields
           "without": "without", "seed": "seed", "test_size": "test_size", "split": "split",
           "split_column": "split_column", "prepare": "prepare", "folds": "folds"}
PREPARE_HELP = ("Steps that the model does by itself: a recipe of steps that learn (fill_missing, scale, clip, bin, "
                "encode, encode_target, segment, reduce, rebalance), or from:N@V, what `clean --leave-to-model` left. "
                "They are learnt from its training rows only, and done whenever it predicts.")


def train(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="N[@V]", help="The dataset to learn from.")],
    target: Annotated[str, typer.Option(metavar="COL", help="The column to predict.")],
    task: Annotated[str | None, typer.Option(metavar="T", help="tabular_classification or tabular_regression; guessed "
                                             "from the target without it.")] = None,
    model: Annotated[str, typer.Option(metavar="M", help="As `mldesk models kinds` lists them; auto takes the "
                                       "task's default.")] = "auto",
    param: Annotated[list[str] | None, typer.Option(metavar="k=v", help="A parameter; may be repeated. "
                                            "`mldesk models kinds` lists them.")] = None,
    order: Annotated[str, typer.Option(metavar="A,B,C", help=ORDER_HELP)] = "",
    feature: Annotated[list[str] | None, typer.Option(metavar="COL", help="A column to learn from, instead of all of "
                                                      "them; may be repeated.")] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="COL", help="A column not to learn from; may be "
                                                      "repeated.")] = None,
    runner: Annotated[str, typer.Option(metavar="R", help="The machine that does the work: a runner's name, any, or "
                                        "any:24GB for one with such a graphics card.")] = "local",
    priority: Annotated[int, typer.Option(metavar="N", min=-10, max=10, help="In that runner's queue; higher is "
                                          "earlier.")] = 0,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="Of the split and of everything random.")] = 0,
    test_size: Annotated[float, typer.Option("--test-size", metavar="F", help="Share of rows for the test.")] = 0.2,
    split: Annotated[str, typer.Option(metavar="HOW", help=SPLIT_HELP)] = "random",
    split_column: Annotated[str | None, typer.Option("--split-column", metavar="COL", help="The column that group, "
                                                     "time and column go by.")] = None,
    prepare: Annotated[str | None, typer.Option(metavar="FILE", help=PREPARE_HELP)] = None,
    folds: Annotated[int, typer.Option(metavar="K", min=0, help="Cross-validate: score on each of K folds, too; 0 "
                                       "does not. Where the test share is 1/K, as 0.2 with 5, the test rows stay those "
                                       "of a run without. With --split time they always do, and each fold is judged "
                                       "by a model of the rows before it.")] = 0,
    name: Annotated[str, typer.Option(metavar="RUN", help="The run's name.")] = "",
    save_as: Annotated[str, typer.Option("--save-as", metavar="M", help="The model's name in the library.")] = "",
    preset: Start = "",
    save_preset: Save = "",
    at: At = "",
    repeat: Repeat = 1,
    every: Every = "",
    detach: Detach = None,
) -> None:
    """Train a model and follow it to its end.

    Ctrl-C asks nothing and detaches: the run goes on, and its id is printed with how to follow or cancel it.
    """
    from mldesk.workbench.orders import TrainOrder

    face, when = Face.of(context), timed(at, repeat, every)
    wanted = TrainOrder(dataset=reference, target=target, task=task, estimator=model, order=in_order(order),
                        parameters=_parameters(param or []), features=tuple(feature) if feature else None,
                        without=tuple(without or ()), test_size=test_size, split=split,
                        split_column=split_column, folds=folds, seed=seed, name=name,
                        runner=runner, priority=priority, model=save_as)
    with Interrupts() as interrupts, face.workbench() as bench:
        wanted = replace(wanted, prepare=read_prepare(bench, prepare))
        if preset:
            wanted = _from_preset(context, chosen(bench, preset, search=False), wanted)
        found = bench.runs.check(wanted)
        if save_preset and found.why_not is None:
            bench.presets.save(save_preset, wanted)
        for advice in found.advice:
            face.note(f"{'!' if advice.level == 'warning' else '·'} {advice.text}")
        begun = begin(face, bench, wanted, when, name, wanted.runner)
        see(face, bench, begun, when.later if detach is None else detach, interrupts,
            lambda run: finish(face, bench, run))


def _from_preset(context: typer.Context, preset: Preset, wanted: TrainOrder) -> TrainOrder:
    """Return the preset's order with what was given on the command line; another model has other parameters."""
    said = given(context, OPTIONS, wanted)
    kept = preset.train.get("parameters", {}) if said.get("estimator", "") in (
        "", preset.train.get("estimator", "auto")) else {}
    return replace(preset.train_order(wanted.dataset, **said), parameters={**kept, **wanted.parameters},
                   name=wanted.name, runner=wanted.runner, priority=wanted.priority, model=wanted.model)


def finish(face: Face, bench: Workbench, run: Run, more: Mapping[str, Any] | None = None) -> None:
    """Print the result of a run that has ended, ``more`` with its JSON. Raises Failed unless it succeeded."""
    from mldesk.wire.states import JobState
    from mldesk.workbench.summaries import run_result

    result = {**run_result(run), **(more or {})}
    if run.state is JobState.SUCCEEDED:
        intervals = bench.judging.intervals(run.id)
        face.document({**result, "intervals": intervals}) if face.json else show_result(face, run, intervals)
        if run.model:
            say_in_use(face, bench, run.model.partition("@")[0], "is in use now")
        return
    message = run.message or f"Run {run.name} {'was ' if run.state is JobState.CANCELLED else 'is '}{run.state.value}."
    hint = run.hint or (f"`mldesk runs resume {run.id}` goes on from its last checkpoint." if run.state.resumable else
                        f"`mldesk runs logs {run.id}` shows the trainer's output.")
    if run.kind == "script" and run.state is JobState.FAILED and run.hint.startswith("The run's log"):
        hint = f"`mldesk runs logs {run.id}` shows all that it printed."
    if face.json:
        face.document({**result, "error": {"code": run.state.value, "message": message, "hint": hint}})
    else:
        face.note(f"mldesk: {message}\n  {hint}")
    raise Failed(1)


def show_result(face: Face, run: Run, intervals: Mapping[str, Sequence[float]]) -> None:
    """Print what a run gave: where the model is and how good it is, ``intervals`` ([low, high]) beside the scores."""
    result = run.result or {}
    rows, members = result.get("rows", {}), result.get("members", ())
    face.show(facts({
        "model": run.model, "run": f"{run.id}  {run.name}", "task": run.task, "estimator": run.estimator,
        "blend of" if len(members) > 1 else "keeps": words.members(members),
        "rows": rows_words(rows, searched(run)),
        "time": words.duration(result.get("seconds", run.seconds)) +
        (", finished early" if result.get("finished_early") else "")}))
    face.say()
    test, validation = result.get("metrics", {}), result.get("validation_metrics", {})
    if run.kind == "script":  # what its own program measured, on whatever rows
        if test:
            face.show(make_table(("metric", "last value"), [(name, f"{value:.4g}") for name, value in test.items()],
                                 right={"last value"}))
        else:
            face.say("The program logged no metrics.")
        if kept := result.get("artifacts"):
            from mldesk.workbench.references import listed

            face.say(f"Kept: {listed(kept)}. Write one to a file: mldesk script artifact {run.id} NAME -o FILE")
        return
    face.show(make_table(("score", "test", "95 %", "validation", "better"),
                         [(title(name), words.score(test[name]), words.edges(intervals.get(name)),
                           words.score(validation.get(name)), better(name))
                          for name in ordered(test)], right={"test", "95 %", "validation"}))
    if missed := left_out(test):
        face.say(missed)
    if crossed := result.get("cross_validation"):
        face.say()
        scores = crossed["metrics"]
        face.show(make_table(("score", f"mean of {crossed['folds']} folds", "±"),
                             [(title(name), words.score(scores[name]["mean"]), words.score(scores[name]["std"]))
                              for name in ordered(scores)], right={"±"}))
    for warning in result.get("warnings", ()):
        face.note(f"\n! {warning}")
    if run.model:
        face.note(f"\nNext: mldesk predict {run.model} INPUT -o OUTPUT.csv · "
                  f"mldesk models export {run.model} FILE.mlbundle" +
                  (f" · mldesk runs trial {run.id}" if run.kind == "search" else ""))


def in_order(given: str) -> tuple[str, ...]:
    """Read the classes of --order."""
    return tuple(name.strip() for name in given.split(",") if name.strip())


def _parameters(given: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"A parameter is written name=value, not {item[:60]!r}.",
                           hint="For instance: --param learning_rate=0.05")
        if name.strip() in parameters:
            raise BadInput(f"The parameter {name.strip()!r} is given twice.")
        parameters[name.strip()] = value.strip()
    return parameters
