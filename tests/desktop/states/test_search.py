"""A search as it is ordered and as it goes, without a window."""

from __future__ import annotations

from mldesk.desktop.states.curves import CurveFeed, family
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.lists import SearchList, Standing
from mldesk.desktop.states.search import SearchWish, asked, in_words, members_of, trials_of
from mldesk.desktop.states.train import TrainState
from mldesk.wire.events import Event
from mldesk.wire.states import JobState
from mldesk.workbench.orders import TrainOrder
from tests.desktop.fake_workbench import FakeWorkbench, make_run, make_version
from tests.desktop.loops import run


def trial(seq: int, number: int, score: float | None, **fields: object) -> Event:
    return Event(seq, 0.0, "trial", {"number": number, "estimator": "lightgbm", "parameters": {}, "seconds": 1.5,
                                     "metric": "roc_auc", "score": score, **fields})


def test_trials_stand_by_their_score_and_those_that_failed_last_with_the_reason() -> None:
    found = trials_of([trial(1, 1, 0.7), trial(2, 2, None, message="Out of memory."), trial(3, 3, 0.9)])
    assert [(item.rank, item.number) for item in found] == [(1, 3), (2, 1), (0, 2)]
    assert found[-1].message == "Out of memory." and found[-1].score is None


def test_parameters_are_written_with_their_titles() -> None:
    assert in_words("lightgbm", {"learning_rate": 0.05678, "rounds": 300}) == "Learning rate 0.0568 · Rounds 300"
    assert in_words("of_tomorrow", {"some_flag": True, "layers": [64, 32]}) == "some flag on · layers 64 × 32"
    assert in_words("lightgbm", {}) == ""


def test_the_members_of_a_blend_come_by_their_weight() -> None:
    made = make_run(kind="search", result={"members": [
        {"trial": 1, "estimator": "linear", "weight": 0.2, "score": 0.7, "parameters": {}},
        {"trial": 4, "estimator": "lightgbm", "weight": 0.8, "score": 0.8, "parameters": {}}]})
    assert [(item.trial, item.weight) for item in members_of(made)] == [(4, 0.8), (1, 0.2)]
    assert members_of(make_run(kind="search")) == []


def test_a_search_without_a_model_yet_stands_by_its_best_trial() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        desk = Desk(lambda: bench)  # type: ignore[arg-type,return-value]
        desk._workbench = bench  # type: ignore[assignment]
        for number, state in enumerate((JobState.RUNNING, JobState.INTERRUPTED, JobState.SUCCEEDED)):
            bench.runs.add(make_run(f"0{number}", state, kind="search", result={} if number == 2 else None))
            bench.runs.stored[f"0{number}"] = [Event(seq, 0.0, "metrics", {"step": seq, "seconds": 1.0, "values": {
                "best_roc_auc": 0.5 + seq / 10, "trial_roc_auc": 0.1}}) for seq in (1, 2)]
        searches = SearchList(desk)
        await searches.refresh()
        assert searches.standing.value == {run: Standing("roc_auc", 0.7, 2) for run in ("00", "01")}
        bench.runs.runs["00"] = make_run("00", JobState.SUCCEEDED, kind="search", result={})
        await searches.refresh()
        assert set(searches.standing.value) == {"01"}

    assert run(main()) == []


def test_a_wish_survives_its_way_through_a_run() -> None:
    for wish in (SearchWish(minutes=2.0, metric="accuracy", estimators=("linear",), blend=False),
                 SearchWish("trials", trials=7), SearchWish(stack=True), SearchWish("either", 3.0, 9),
                 SearchWish(stack=True, stack_columns=True), SearchWish(refit=True, good_enough=0.9)):
        order = wish.order(TrainOrder("table", "y"))
        payload = {"train": {"target": "y", "seed": 4}, "metric": order.metric, "seconds": order.seconds,
                   "trials": order.trials, "estimators": list(order.estimators), "ensemble": order.ensemble,
                   "stack": order.stack, "stack_columns": order.stack_columns, "refit": order.refit,
                   "target_score": order.target_score}
        made = make_run(kind="search", spec={"payload": payload})
        assert SearchWish.of(made) == wish
        assert asked(made)["seed"] == 4


def test_a_search_is_checked_and_started_without_the_model_that_was_chosen() -> None:
    bench = FakeWorkbench()
    bench.runs.first_check_waits.set()

    async def main() -> None:
        desk = Desk(lambda: bench)  # type: ignore[arg-type,return-value]
        desk._workbench = bench  # type: ignore[assignment]
        state = TrainState(desk, make_version(), TrainOrder("table@1", "y", estimator="knn", parameters={"k": 3}))
        state.search = SearchWish(minutes=1.0)
        await state.refresh()
        assert (bench.runs.checked[-1].estimator, bench.runs.checked[-1].parameters) == ("auto", {})
        state.start()
        order = bench.searches.started[-1]
        assert (order.seconds, order.train.estimator, order.train.target) == (60.0, "auto", "y")
        state.search = None
        await state.refresh()
        assert bench.runs.checked[-1].estimator == "knn"

    assert run(main()) == []


def test_the_best_score_and_that_of_each_trial_are_one_picture() -> None:
    feed = CurveFeed()
    for step, best, last in ((1, 0.7, 0.7), (2, 0.7, 0.6), (3, 0.9, 0.9)):
        feed.extend({"step": step, "values": {"best_roc_auc": best, "trial_roc_auc": last}})
    assert feed.families() == ["roc_auc"] and family("best_roc_auc") == "roc_auc"
    assert list(feed.of_family("roc_auc")) == ["best_roc_auc", "trial_roc_auc"]
    assert feed.is_background("trial_roc_auc") and not feed.is_background("best_roc_auc")


def test_a_trial_keeps_its_curve() -> None:
    (kept,) = trials_of([trial(1, 1, 0.9, curve=[[1, 0.7], [2, 0.5]])])
    assert kept.curve == ((1.0, 0.7), (2.0, 0.5))
    assert trials_of([trial(1, 1, 0.9, curve="none")])[0].curve == ()


def test_a_quantile_is_asked_for_with_its_score_alone() -> None:
    wish = SearchWish(metric="mean_pinball_loss", quantile=0.75)
    assert wish.order(TrainOrder("t", "y")).quantile == 0.75
    assert SearchWish(metric="r2", quantile=0.75).order(TrainOrder("t", "y")).quantile is None
    run = make_run(kind="search", spec={"payload": {"seconds": 60.0, "metric": "mean_pinball_loss", "quantile": 0.75}})
    assert SearchWish.of(run).quantile == 0.75
