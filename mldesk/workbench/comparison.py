"""Runs side by side: only what differs, which is best in what, and whether they may be ranked at all. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.library.records import Run
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.metric_words import direction, leading, lower_is_better, ordered
from mldesk.workbench.aims import quantile_of
from mldesk.workbench.split_words import split_words
from mldesk.workbench.summaries import run_result
from mldesk.workbench.tested_rows import surely_same

_TASKS = ("tabular_classification", "tabular_regression")   # of a script's own scores none speaks for it
_NAMED = 5   # runs without scores that a warning names


def leading_metric(run: Run) -> tuple[str, float] | None:
    """Return the one number that speaks for a run, or None while it has none."""
    metrics = (run.result or {}).get("metrics", {})
    name = leading(key for key, value in metrics.items() if isinstance(value, (int, float)))
    return None if name is None or run.task not in _TASKS else (name, float(metrics[name]))


def compare(runs: Sequence[Run], same: Callable[[Run, Run], bool | None] = surely_same) -> Mapping[str, Any]:
    """Return {"runs", "differs", "metrics", "best", "comparable", "warnings"}; lists follow the order of ``runs``.

    ``same`` says whether two runs were tested on the same rows; None: it does not know yet, and nothing is said of it.
    ``best`` maps a metric to a run's id, leaves out ties and metrics of which nobody knows which way they count, and is
    empty where the runs were not scored on the same rows. Whether the best is so by more than luck ``verdicts`` says.
    Raises BadInput for fewer than two runs, and where one is there twice.
    """
    if len(runs) < 2:
        raise BadInput("Comparing takes at least two runs.", hint="Write `mldesk runs compare RUN RUN`.")
    if twice := [run for place, run in enumerate(runs) if run.id in {other.id for other in runs[:place]}]:
        raise BadInput(f"A run cannot be set beside itself: {twice[0].name} is named twice.",
                       hint="Name another; `mldesk runs list` has them.")
    results = [run_result(run) for run in runs]
    metrics = {name: [result["metrics"].get(name) for result in results]
               for name in ordered(dict.fromkeys(name for result in results for name in result["metrics"]))}
    alike = [same(run, runs[0]) for run in runs[1:]]
    warnings = _warnings(runs, other_rows=False in alike)
    comparable = not warnings and all(alike)
    return {"runs": [{**result, "name": run.name, "estimator": run.estimator, "dataset": run.dataset}
                     for run, result in zip(runs, results, strict=True)],
            "differs": _differences(runs), "metrics": metrics,
            "best": _best(runs, metrics) if comparable else {}, "comparable": comparable, "warnings": warnings}


def _differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    facts = [{"dataset": run.dataset, "target": run.target, "task": run.task, "estimator": run.estimator,
              "runner": run.runner, "seed": _asked(run).get("seed"),
              "split": _split(run)} for run in runs]
    rows = {name: [fact[name] for fact in facts] for name in facts[0]}
    if _dealt_alike(runs):
        del rows["split"]
    differs = {name: values for name, values in rows.items() if any(value != values[0] for value in values)}
    return differs | _parameters(runs)


def _asked(run: Run) -> Mapping[str, Any]:
    """Return what a run was asked to learn: a search says it one level deeper than a training."""
    payload: Mapping[str, Any] = run.spec.get("payload", {})
    found: Mapping[str, Any] = payload.get("train", payload)
    return found


def _split(run: Run) -> str:
    """Say how a run's rows were dealt, as far as it was asked to."""
    return split_words({**(_asked(run).get("split") or {}), "validation_size": None, "seed": None})


def _dealt_alike(runs: Sequence[Run]) -> bool:
    """Say whether every row was in the same part, however the runs were told to deal them."""
    digests = {(run.result or {}).get("split") for run in runs}
    folds = {(_asked(run).get("split") or {}).get("folds", 0) for run in runs}
    return len(digests) == len(folds) == 1 and None not in digests


def _parameters(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Return the parameters that differ, defaults filled in, None where an estimator has no such parameter.

    Where estimators differ in their defaults alone, nobody chose anything: no line.
    """
    defaults = [_defaults(run.estimator) for run in runs]
    resolved = [{**default, **(run.result or {}).get("parameters", run.parameters)}
                for default, run in zip(defaults, runs, strict=True)]
    differs = {}
    for name in dict.fromkeys(name for values in resolved for name in values):
        values = [given.get(name) for given in resolved]
        chosen = any(name in given and given[name] != default.get(name)
                     for given, default in zip(resolved, defaults, strict=True))
        if chosen and any(value != values[0] for value in values):
            differs[f"parameter {name}"] = values
    return differs


def _defaults(estimator: str) -> dict[str, Any]:
    entry = ESTIMATORS.get(estimator)  # a run of another release may name one that is gone
    return {} if entry is None else {item.name: item.default for item in entry.parameters}


def _warnings(runs: Sequence[Run], *, other_rows: bool) -> list[str]:
    warnings = []
    without = [f"{run.name} ({run.state.value if run.result is None else 'kept none'})" for run in runs
               if not (run.result or {}).get("metrics")]   # that failed, go on, or explain a model
    if without:
        more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
        warnings.append(f"Without scores: {', '.join(without[:_NAMED])}{more}.")
    if len({(run.target, run.task) for run in runs}) > 1:
        warnings.append("The runs predict different things.")
    elif other_rows and not without:
        warnings.append(f"The runs were tested on different rows: a better score may be luck.{_why(runs)}")
    return warnings


def _why(runs: Sequence[Run]) -> str:
    """Say what the runs' test rows differ by, to follow that they do; "" where there is nothing to add."""
    tables = list(dict.fromkeys(run.dataset for run in runs))
    if len(tables) > 1:
        return f" They learned from {', '.join(tables[:-1])} and {tables[-1]}, whose test rows are not the same."
    folds = {int((_asked(run).get("split") or {}).get("folds") or 0) for run in runs}
    return (" One with folds is tested on the first of them; those are the rows of one without where the test share is "
            "that of a fold, as 20 % with 5, or they are split by time.") if len(folds) > 1 else ""


def _best(runs: Sequence[Run], metrics: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    best = {}
    for name, values in metrics.items():
        if name == "mean_pinball_loss" and len(set(map(quantile_of, runs))) > 1:
            continue   # each is of a quantile of its own
        if direction(name) and all(isinstance(value, (int, float)) for value in values):
            top = (min if lower_is_better(name) else max)(values)
            if values.count(top) == 1:  # a tie has no best
                best[name] = runs[values.index(top)].id
    return best


def clear_best(found: Mapping[str, Any]) -> dict[str, str]:
    """Return for each metric in which the best run is so by more than luck that run's id, of ``Judging.compare``."""
    return {metric: run for metric, run in found["best"].items() if found["verdicts"].get(metric) == "clear"}


def verdicts(found: Mapping[str, Any], pair: Callable[[str, str], Mapping[str, Any] | None]) -> dict[str, str]:
    """Return "clear" or "unclear" for each metric that has a best run: is it better than the next by more than luck?

    ``pair`` sets two runs side by side row by row and returns what ``paired.paired`` does, None where it cannot; then
    the metric is left out.
    """
    told = {}
    ids = [run["run"] for run in found["runs"]]
    for metric, best in found["best"].items():
        ranked = sorted(zip(found["metrics"][metric], ids, strict=True), reverse=not lower_is_better(metric))
        tested = pair(best, next(run for _, run in ranked if run != best))
        edges = None if tested is None else tested["differences"].get(metric)
        if edges is not None:
            told[metric] = "clear" if edges["sure"] else "unclear"
    return told
