"""``mldesk search``: many models, the best of them blended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from mldesk.cli import search_options as option
from mldesk.cli import words
from mldesk.cli.data_clean import read_prepare
from mldesk.cli.face import Face, make_table
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.presets import Save, Start, chosen, given
from mldesk.cli.train import OPTIONS, finish, in_order
from mldesk.cli.when import At, Detach, Every, Repeat, begin, see
from mldesk.cli.when import wanted as timed
from mldesk.core.errors import BadInput
from mldesk.training.metric_words import title
from mldesk.training.pipeline_words import pipeline_words

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.training.search.budget import Estimate
    from mldesk.workbench.bench import Workbench

SHOWN = 15      # trials of a leaderboard, where not all were asked for
_TRAIN = {option: field for option, field in OPTIONS.items() if option not in ("model", "folds")}
_SEARCH = {"minutes": "seconds", "trials": "trials", "metric": "metric", "quantile": "quantile",
           "target_score": "target_score", "model": "estimators", "single": "ensemble", "parallel": "parallel",
           "stack": "stack", "stack_columns": "stack_columns", "refit": "refit"}
_TOLD = ("number", "estimator", "parameters", "pipeline", "metric", "score", "seconds", "state")   # in --json


def search(
    context: typer.Context, reference: option.Reference, target: option.Target, minutes: option.Minutes = 0.0,
    trials: option.Trials = 0, metric: option.Metric = None, quantile: option.Quantile = None,
    target_score: option.TargetScore = None, model: option.Models = None, single: option.Single = False,
    stack: option.Stack = False, stack_columns: option.StackColumns = False, refit: option.Refit = False,
    task: option.Task = None, order: option.Order = "", feature: option.Features = None,
    without: option.Without = None, parallel: option.Parallel = 1, runner: option.Runners = None,
    priority: option.Priority = 0, seed: option.Seed = 0, test_size: option.TestSize = 0.2,
    split: option.Split = "random", split_column: option.SplitColumn = None, prepare: option.Prepare = None,
    name: option.RunName = "", save_as: option.SaveAs = "", preset: Start = "", save_preset: Save = "",
    at: At = "", repeat: Repeat = 1, every: Every = "", detach: Detach = None,
) -> None:
    """Try many models and keep a blend of the best.

    Trials are judged on rows they were not fitted on; the test rows are looked at once, at the end. `mldesk runs
    finish` ends a search early with what there is, and one that was interrupted goes on with `mldesk runs resume`.
    """
    from mldesk.workbench.orders import TrainOrder
    from mldesk.workbench.searching import SearchOrder

    face, when = Face.of(context), timed(at, repeat, every)
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
        checked = bench.runs.check(train)
        if save_preset and checked.why_not is None:
            bench.presets.save(save_preset, wanted)
        for advice in checked.advice:
            face.note(f"{'!' if advice.level == 'warning' else '·'} {advice.text}")
        face.note(f"· {in_words(bench.searches.estimate(wanted))}")
        begun = begin(face, bench, wanted, when, name, first)
        see(face, bench, begun, when.later if detach is None else detach, interrupts,
            lambda run: _finish(face, bench, run))


def _finish(face: Face, bench: Workbench, run: Run) -> None:
    tried = bench.searches.leaderboard(run.id)
    if not face.json and tried:
        show_leaderboard(face, tried, SHOWN)
    finish(face, bench, run, {"leaderboard": told(tried)})


def told(tried: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a leaderboard as --json has it."""
    return [{key: trial.get(key) for key in _TOLD} for trial in tried]


def in_words(found: Estimate) -> str:
    """Say what a search will come to."""
    parts = {"time": f"the last {found.folds} parts, each by a model of the rows before it",
             "group": f"{found.folds} folds of whole groups"}.get(found.split, f"{found.folds} folds")
    judged = f"each judged by {parts}" if found.folds > 1 else "each judged by one validation part"
    count = words.plural(found.trials, "trial")
    if found.least and found.least < found.trials:
        count = f"{found.least} to {count}"
    return f"About {count} in {words.duration(found.seconds)}, {judged}."


def show_leaderboard(face: Face, tried: Sequence[Mapping[str, Any]], most: int) -> None:
    """Print the ``most`` best trials of a search."""
    metric = title(str(tried[0].get("metric", "score")))
    face.show(make_table(("trial", "model", metric, "time", "preparation", "parameters"), [
        (str(trial.get("number")), str(trial.get("estimator")),
         words.score(trial["score"]) if isinstance(trial.get("score"), (int, float)) else no_score(trial),
         words.duration(float(trial.get("seconds") or 0)), pipeline_words(trial.get("pipeline")) or "standard",
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
