"""``mldesk search``: many models, the best of them blended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.amounts import read_minutes
from mldesk.cli.data_clean import read_prepare
from mldesk.cli.face import Face, make_table
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.presets import Save, Start, chosen, given
from mldesk.cli.train import OPTIONS, ORDER_HELP, PREPARE_HELP, SPLIT_HELP, finish, in_order
from mldesk.cli.watching import detached, say_name, watched
from mldesk.core.errors import BadInput
from mldesk.training.metric_words import title
from mldesk.training.pipeline_words import pipeline_words

if TYPE_CHECKING:
    from mldesk.training.search.budget import Estimate

_SHOWN = 15
_TRAIN = {option: field for option, field in OPTIONS.items() if option not in ("model", "folds")}
_SEARCH = {"minutes": "seconds", "trials": "trials", "metric": "metric", "quantile": "quantile",
           "target_score": "target_score", "model": "estimators", "single": "ensemble", "parallel": "parallel",
           "stack": "stack", "stack_columns": "stack_columns", "refit": "refit"}
_TOLD = ("number", "estimator", "parameters", "pipeline", "metric", "score", "seconds", "state")   # in --json


def search(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="N[@V]", help="The dataset to learn from.")],
    target: Annotated[str, typer.Option(metavar="COL", help="The column to predict.")],
    minutes: Annotated[float, typer.Option("--time", metavar="MIN", parser=read_minutes, show_default=False, help=
                                           "Minutes the whole search may take, or a time like 20s or 1h; 10 where "
                                           "nothing else ends it.")] = 0.0,
    trials: Annotated[int, typer.Option(metavar="K", min=0, show_default=False, help="Models to try at most; as many "
                                        "as the time allows without it.")] = 0,
    metric: Annotated[str | None, typer.Option(metavar="M", help="What to strive for, by the name it has in --json or "
                                               "in tables: roc_auc or ROC AUC, log_loss, accuracy, balanced_accuracy, "
                                               "f1_macro, average_precision, recall_macro, RMSE, MAE, MAPE, R2, …; "
                                               "what suits the task without it.")] = None,
    quantile: Annotated[float | None, typer.Option(metavar="Q", help="Predict the value that this share of the rows "
                                                   "stays below, 0.9 say; judged by the pinball loss.")] = None,
    target_score: Annotated[float | None, typer.Option("--target-score", metavar="F", help="A score that is good "
                                                       "enough, in --metric: the search ends there.")] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="M", help="A kind of model to try; may be repeated. All "
                                                    "that make sense without it.")] = None,
    single: Annotated[bool, typer.Option("--single", help="Keep the best model alone, and blend nothing.")] = False,
    stack: Annotated[bool, typer.Option("--stack", help="Learn from predictions out of fold: the blend's "
                                        "weights together, or a linear model over the others where that is better; "
                                        "trees over them would not agree with their ONNX graph.")] = False,
    stack_columns: Annotated[bool, typer.Option("--stack-columns", help="A stack whose linear model over the others "
                                                "may look at the columns, too.")] = False,
    refit: Annotated[bool, typer.Option("--refit", help="Fit what is kept once more, on all rows but the test rows, "
                                        "instead of keeping the models of the folds.")] = False,
    task: Annotated[str | None, typer.Option(metavar="T", help="tabular_classification or tabular_regression.")] = None,
    order: Annotated[str, typer.Option(metavar="A,B,C", help=ORDER_HELP)] = "",
    feature: Annotated[list[str] | None, typer.Option(metavar="COL", help="A column to learn from; may be "
                                                      "repeated.")] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="COL", help="A column not to learn from; may be "
                                                      "repeated.")] = None,
    parallel: Annotated[int, typer.Option(metavar="N", min=1, help="Models to try at once, each on its share of the "
                                          "cores.")] = 1,
    runner: Annotated[list[str] | None, typer.Option(metavar="R", help="The machine that does the work, or any; "
                                                     "may be repeated to spread the search over several.")] = None,
    priority: Annotated[int, typer.Option(metavar="N", min=-10, max=10, help="In that runner's queue.")] = 0,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="Of the split and of everything random.")] = 0,
    test_size: Annotated[float, typer.Option("--test-size", metavar="F", help="Share of rows for the test.")] = 0.2,
    split: Annotated[str, typer.Option(metavar="HOW", help=SPLIT_HELP)] = "random",
    split_column: Annotated[str | None, typer.Option("--split-column", metavar="COL", help="The column that group, "
                                                     "time and column go by.")] = None,
    prepare: Annotated[str | None, typer.Option(metavar="FILE", help=PREPARE_HELP)] = None,
    name: Annotated[str, typer.Option(metavar="RUN", help="The run's name.")] = "",
    save_as: Annotated[str, typer.Option("--save-as", metavar="M", help="The model's name in the library.")] = "",
    preset: Start = "",
    save_preset: Save = "",
    detach: Annotated[bool, typer.Option("--detach", help="Return once the runner has accepted the job.")] = False,
) -> None:
    """Try many models and keep a blend of the best.

    Trials are judged on rows they were not fitted on; the test rows are looked at once, at the end. `mldesk runs
    finish` ends a search early with what there is, and one that was interrupted goes on with `mldesk runs resume`.
    """
    from mldesk.workbench.orders import TrainOrder
    from mldesk.workbench.searching import SearchOrder

    face = Face.of(context)
    first, *others = runner or ["local"]
    if single and (stack or stack_columns):
        raise BadInput("A search keeps one model alone (--single) or a stack of them (--stack), not both.",
                       hint="Leave one of the two out.")
    train = TrainOrder(dataset=reference, target=target, task=task, order=in_order(order),
                       features=tuple(feature) if feature else None, without=tuple(without or ()),
                       test_size=test_size, split=split, split_column=split_column, seed=seed, name=name, runner=first,
                       priority=priority, model=save_as)
    with Interrupts() as interrupts, face.workbench() as bench:
        train = replace(train, prepare=read_prepare(bench, prepare))
        wanted = SearchOrder(train, metric, minutes * 60, trials, target_score, tuple(model or ()), not single,
                             parallel, tuple(others), stack, stack_columns, refit, quantile)
        if preset:
            found = chosen(bench, preset, search=True)
            train = replace(found.train_order(reference, **given(context, _TRAIN, train)), name=name, runner=first,
                            priority=priority, model=save_as)
            wanted = found.search_order(train, helpers=tuple(others), **given(context, _SEARCH, wanted))
        if save_preset:
            bench.presets.save(save_preset, wanted)
        for advice in bench.runs.check(train).advice:
            face.note(f"{'!' if advice.level == 'warning' else '·'} {advice.text}")
        face.note(f"· {in_words(bench.runs.search_estimate(wanted))}")
        run = bench.runs.search(wanted)
        if run.runner != first:
            face.note(f"· The runner {run.runner} was chosen.")
        say_name(face, name, run)
        if detach:
            detached(face, run)
            return
        run = watched(face, bench, run, interrupts)
        tried = bench.runs.leaderboard(run.id)
        if not face.json and tried:
            show_leaderboard(face, tried, _SHOWN)
        finish(face, bench, run, {"leaderboard": [{key: trial.get(key) for key in _TOLD} for trial in tried]})


def in_words(found: Estimate) -> str:
    """Say what a search will come to."""
    parts = {"time": f"the last {found.folds} parts, each by a model of the rows before it",
             "group": f"{found.folds} folds of whole groups"}.get(found.split, f"{found.folds} folds")
    judged = f"each judged by {parts}" if found.folds > 1 else "each judged by one validation part"
    return f"Up to {words.plural(found.trials, 'trial')} in {words.duration(found.seconds)}, {judged}."


def show_leaderboard(face: Face, tried: Sequence[Mapping[str, Any]], most: int) -> None:
    """Print the ``most`` best trials of a search."""
    metric = title(str(tried[0].get("metric", "score")))
    face.show(make_table(("trial", "model", metric, "time", "pipeline", "parameters"), [
        (str(trial.get("number")), str(trial.get("estimator")),
         words.score(trial["score"]) if isinstance(trial.get("score"), (int, float)) else no_score(trial),
         words.duration(float(trial.get("seconds") or 0)), pipeline_words(trial.get("pipeline")) or "usual",
         ", ".join(f"{key} {_short(value)}" for key, value in dict(trial.get("parameters") or {}).items()) or "default")
        for trial in tried[:most]], right={"trial", metric, "time"}))
    if len(tried) > most:
        face.note(f"… and {len(tried) - most} more")
    face.say()


def no_score(trial: Mapping[str, Any]) -> str:
    """Say why a trial has no score."""
    return {"weak": "given up", "pruned": "pruned"}.get(str(trial.get("state")), "failed")


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
