"""Runs side by side, and when they may not be ranked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mldesk.core.errors import BadInput
from mldesk.library.records import Run
from mldesk.training.metric_words import direction, lower_is_better
from mldesk.workbench.comparison import clear_best, compare, verdicts
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.summaries import run_details, run_result
from tests.workbench.stand_ins import Desk


def _run(desk: Desk, seed: int = 0, estimator: str = "lightgbm", **metrics: float) -> str:
    run = desk.runs.start(TrainOrder("shop", "grade", seed=seed, estimator=estimator))
    desk.finish_job(run.id, estimator, **metrics)
    list(desk.runs.follow(run.id))
    return run.id


def test_the_best_of_each_metric_is_named_and_only_differences_are_listed(desk: Desk) -> None:
    one, two = _run(desk, accuracy=0.8, log_loss=0.4), _run(desk, estimator="mlp", accuracy=0.9, log_loss=0.5)
    found = desk.judging.compare([one, two])
    assert found["best"] == {"accuracy": two, "log_loss": one}
    assert found["metrics"] == {"accuracy": [0.8, 0.9], "log_loss": [0.4, 0.5]}
    assert found["differs"] == {"estimator": ["lightgbm", "mlp"]}
    assert (found["comparable"], found["warnings"]) == (True, [])


def test_how_rows_were_dealt_is_a_difference(desk: Desk) -> None:
    runs = [desk.runs.start(order).id for order in (
        TrainOrder("shop", "price"), TrainOrder("shop", "price", test_size=0.3))]
    assert desk.judging.compare(runs)["differs"] == {"split": ["at random, 20 % to test", "at random, 30 % to test"]}


def test_rows_that_were_dealt_alike_are_no_difference(desk: Desk) -> None:
    first, second = (desk.runs.get(_run(desk, accuracy=0.8)) for _ in range(2))
    first = replace(first, result={**(first.result or {}), "split": "e" * 64})
    payload = {**second.spec["payload"], "split": {"method": "given", "membership": "e" * 64}}
    second = replace(second, spec={**second.spec, "payload": payload}, result=first.result)
    assert compare([first, second], lambda _run, _other: True)["differs"] == {}
    other = replace(second, result={**(second.result or {}), "split": "f" * 64})
    said = compare([first, other], lambda _run, _other: False)["differs"]
    assert said == {"split": ["at random, 20 % to test", "as in an earlier run"]}


def test_a_tie_has_no_best(desk: Desk) -> None:
    runs = [_run(desk, accuracy=0.8, f1_macro=score) for score in (0.7, 0.7, 0.6)]
    assert desk.judging.compare(runs)["best"] == {}


def test_chosen_parameters_are_listed_against_defaults_and_other_estimators(desk: Desk) -> None:
    orders = (TrainOrder("shop", "price", estimator="lightgbm", parameters={"rounds": 150}),
              TrainOrder("shop", "price", estimator="lightgbm"), TrainOrder("shop", "price", estimator="linear"))
    chosen, default, linear = (desk.runs.start(order).id for order in orders)
    rounds = desk.runs.get(default).parameters["rounds"]
    assert desk.judging.compare([chosen, default])["differs"] == {"parameter rounds": [150, rounds]}
    assert desk.judging.compare([linear, chosen])["differs"] == {
        "estimator": ["linear", "lightgbm"], "parameter rounds": [None, 150]}


def test_runs_without_scores_or_of_one_are_not_ranked(desk: Desk) -> None:
    one = _run(desk, accuracy=0.8)
    other = desk.runs.start(TrainOrder("shop", "price")).id
    found = desk.judging.compare([one, other])
    assert found["best"] == {}
    assert len(found["warnings"]) == 2
    assert found["warnings"][0] == f"Without scores: {desk.runs.get(other).name} ({desk.runs.get(other).state.value})."
    runs = [desk.runs.get(one)] * 2   # one that explains a model succeeded, and has none
    runs[1] = replace(runs[1], id="other", name="why", kind="explain", result={"explained": "shop-grade@1"})
    assert compare(runs, lambda _run, _other: False)["warnings"] == ["Without scores: why (kept none)."]
    many = [replace(runs[1], id=f"other{number}") for number in range(30)]
    named = ", ".join(["why (kept none)"] * 5)
    assert compare([runs[0], *many])["warnings"] == [f"Without scores: {named} and 25 more."]
    with pytest.raises(BadInput, match="at least two"):
        desk.judging.compare([one])
    with pytest.raises(BadInput, match="is named twice"):
        desk.judging.compare([one, other, one])


def test_folds_are_named_where_they_are_why_test_rows_differ(desk: Desk) -> None:
    plain, other = (desk.runs.get(_run(desk, seed, accuracy=0.8)) for seed in (0, 1))
    folded = desk.runs.get(desk.runs.start(TrainOrder("shop", "grade", folds=5)).id)
    result = {**(plain.result or {}), "split": "e" * 64}

    def differ(_run: Run, _other: Run) -> bool:
        return False

    (said,) = compare([plain, replace(folded, result=result)], differ)["warnings"]
    assert "different rows: a better score may be luck. One with folds" in said
    (said,) = compare([plain, replace(other, result=result)], differ)["warnings"]
    assert said == "The runs were tested on different rows: a better score may be luck."


def test_losses_and_errors_count_downwards() -> None:
    assert [lower_is_better(name) for name in ("log_loss", "root_mean_squared_error", "r2", "roc_auc")] == [
        True, True, False, False]


def test_metrics_of_a_scripts_own_have_no_best() -> None:
    assert [direction(name) for name in ("val_loss", "loss", "best_roc_auc", "f1_macro", "learning_rate", "epoch_sum")
            ] == [-1, -1, 1, 1, 0, 0]


def test_the_best_is_clear_only_where_its_difference_to_the_next_is_more_than_luck() -> None:
    found = {"runs": [{"run": "a"}, {"run": "b"}, {"run": "c"}], "best": {"accuracy": "b", "log_loss": "a", "r2": "c"},
             "metrics": {"accuracy": [0.8, 0.9, 0.7], "log_loss": [0.1, 0.2, 0.3], "r2": [0.1, 0.2, 0.3]}}
    asked = []

    def pair(one: str, other: str) -> dict[str, object] | None:
        asked.append((one, other))
        return None if one == "c" else {"differences": {"accuracy": {"sure": True}, "log_loss": {"sure": False}}}

    told = verdicts(found, pair)
    assert told == {"accuracy": "clear", "log_loss": "unclear"}
    assert clear_best({**found, "verdicts": told}) == {"accuracy": found["best"]["accuracy"]}
    assert asked == [("b", "a"), ("a", "b"), ("c", "b")]


def test_a_runs_json_has_the_keys_that_scripts_rely_on(desk: Desk) -> None:
    run = desk.runs.get(_run(desk, accuracy=0.8))
    short, long = run_result(run), run_details(run)
    assert {key: short[key] for key in ("run", "status", "cause", "model", "task", "metrics", "rows", "seconds")} == {
        "run": run.id, "status": "succeeded", "cause": None, "model": "shop-grade@1", "task": "tabular_classification",
        "metrics": {"accuracy": 0.8}, "rows": {"train": 120, "validation": 40, "test": 40}, "seconds": 1.5}
    assert {"last_seq", "runner", "parameters", "dataset", "created", "finished"} | set(short) <= set(long)
    assert (long["last_seq"], long["runner"], long["dataset"]) == (5, "local", "shop@1")


def test_a_seed_of_a_search_is_no_difference_to_a_training_with_the_same(desk: Desk) -> None:
    run = desk.runs.get(desk.runs.start(TrainOrder("shop", "price", seed=3)).id)
    search = replace(run, id="01SEARCH", kind="search", spec={"payload": {"train": dict(run.spec["payload"])}})
    assert "seed" not in compare([run, search])["differs"]
