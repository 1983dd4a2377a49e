"""A search over pipelines: what is offered, what each is, and that it leaves like any other model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.bundles.predictor import Predictor
from mldesk.training import means
from mldesk.training.bent import KINDS, Bent
from mldesk.training.estimators.base import Part
from mldesk.training.estimators.lightgbm import LightGbm
from mldesk.training.estimators.linear import Linear
from mldesk.training.features import FeatureEncoder
from mldesk.training.means import fit_transform
from mldesk.training.search import crew as crew_module
from mldesk.training.search.measures import find_aim
from mldesk.training.search.pace import Pace
from mldesk.training.search.pipeline import Offer, offer
from mldesk.training.search.plan import Plan
from mldesk.training.search.portfolio import Configuration, otherwise, portfolio
from mldesk.training.search.rows import Rows
from mldesk.training.search.space import Space
from mldesk.training.search.trial import Bounds, Pruned, run_trial
from mldesk.training.search.variants import Variants
from mldesk.training.values import TextColumn
from mldesk.wire.control import Control
from mldesk.wire.jobs import SearchRequest, TrainRequest
from mldesk.wire.report import Report
from mldesk.wire.schema import Column, ColumnType
from tests.training.jobs import Table, of, put_table, result, run_here
from tests.training.test_search import order

ROWS = 240
WORDS = ("red", "green", "blue", "black", "white", "round", "square", "long", "short", "heavy", "light", "old", "new",
         "warm", "cold", "fast", "slow", "high", "low", "near", "far")


def messy(classes: int = 0, rows: int = ROWS) -> pa.Table:
    """A skewed number, a category of 30 values that says most, texts, and a target that is skewed or rare."""
    draw = np.random.default_rng(3)
    town = draw.integers(0, 30, rows)
    skewed = np.exp(draw.normal(size=rows) * 2)
    says = np.array([" ".join(draw.choice(WORDS, 6)) + f" {number}" for number in range(rows)])
    effect = np.sin(town) + 0.3 * np.log(skewed) + np.array(["red" in text for text in says])
    y: Any = np.exp(effect + 0.2 * draw.normal(size=rows)) * 1000
    if classes:
        y = np.array(["rare", "common"])[(effect < np.quantile(effect, 0.88)).astype(int)]
    return pa.table({"skewed": skewed, "town": [f"town {number}" for number in town], "says": says, "y": y})


CASES: list[tuple[int, str, dict[str, Any]]] = [
    (0, "lightgbm", {"target": "log", "categories": "means", "text": "topics"}),
    (0, "linear", {"target": "root", "scaling": "ranks", "text": "words", "categories": "means"}),
    (2, "linear", {"balance": "smote", "categories": "means", "scaling": "ranks"}),
    (2, "lightgbm", {"balance": "weights", "categories": "means"})]


@pytest.mark.parametrize(("classes", "estimator", "pipeline"), CASES)
def test_a_trial_with_a_pipeline_leaves_as_a_model_that_predicts_alike_elsewhere(
        tmp_path: Path, classes: int, estimator: str, pipeline: dict[str, Any]) -> None:
    table = put_table(tmp_path, messy(classes))
    parameters = {"rounds": 40} if estimator == "lightgbm" else {}
    said = run_here(order(tmp_path, table, estimators=(), trials=2, metric="f1_macro" if classes else None,
                          configurations=({"estimator": estimator, "parameters": parameters, "pipeline": pipeline},
                                          {"estimator": estimator, "parameters": parameters})), table)
    done = result(said)
    trials = of("trial", said)
    assert [trial.get("pipeline") for trial in trials] == [pipeline, None]
    assert {member["trial"]: member.get("pipeline") for member in done["members"]}[done["best_trial"]] == (
        trials[done["best_trial"] - 1].get("pipeline"))
    checked(table, done)


def checked(table: Table, done: Any) -> None:
    manifest = table.store.manifest(done["model"])
    model = json.loads(table.store.read(manifest.entry("model.json").sha256))
    assert model["onnx"]["verified"], model["onnx"]
    rows = json.loads(table.store.read(manifest.entry("sample_input.json").sha256))
    expected = json.loads(table.store.read(manifest.entry("expected.json").sha256))["prediction"]
    got = Predictor.from_manifest(done["model"], table.store).predict({name: [row[name] for row in rows]
                                                                       for name in rows[0]})["prediction"]
    assert list(got) == (expected if isinstance(expected[0], str) else pytest.approx(expected, rel=1e-4))


def test_what_matters_for_the_data_is_offered_and_nothing_else() -> None:
    table = messy()
    columns = {"skewed": table["skewed"].to_numpy(), "town": TextColumn.of(table["town"].to_pylist()),
               "says": TextColumn.of(table["says"].to_pylist())}
    schema = [Column("skewed", ColumnType.NUMBER, 0, ROWS), Column("town", ColumnType.TEXT, 0, 30),
              Column("says", ColumnType.TEXT, 0, ROWS)]
    encoder = FeatureEncoder.fit(columns, schema, "dense")
    y = table["y"].to_numpy()
    found = offer(encoder, columns, y, 0, find_aim(None, 0), 10)
    assert found == Offer(target=("log", "root"), categories=("means",), text=("words", "topics"), scaling=("ranks",))
    assert (found.ranked, found.meant) == (("skewed",), ("town",))
    assert not offer(encoder, columns, np.log(y) + 10, 0, find_aim(None, 0), 10).target
    rare = np.arange(ROWS) % 10 == 0
    assert offer(encoder, columns, rare.astype(int), 2, find_aim("f1_macro", 2), 10).balance
    assert not offer(encoder, columns, rare.astype(int), 2, find_aim("log_loss", 2), 10).balance
    assert not offer(encoder, columns, np.arange(ROWS) % 2, 2, find_aim("f1_macro", 2), 10).balance
    assert offer(encoder, columns, y, 0, find_aim(None, 0), 80).of("linear")["components"] == (10, 26)
    assert "scaling" not in found.of("lightgbm")


def test_the_portfolio_stays_first_and_pipelines_come_after_it() -> None:
    offered = Offer(target=("log", "root"), categories=("means",))
    usual = portfolio("tabular_regression", (), 5_000, 10)
    found = otherwise(usual, offered)
    assert [(item.estimator, item.pipeline) for item in found] == [
        ("lightgbm", {"target": "log"}), ("lightgbm", {"categories": "means"}), ("mlp", {"target": "log"})]
    assert found[0].parameters == usual[0].parameters     # the first of its kind
    assert not otherwise(usual, Offer())
    y = np.exp(np.random.default_rng(0).normal(size=500))
    part = Part(np.zeros((500, 3), np.float32), y)
    rows = Rows({"dense": part}, {}, 0, [(np.arange(400), np.arange(400, 500))],
                variants=Variants({}, {"dense": part}, {}, offered))
    request = SearchRequest(TrainRequest("0" * 64, "", (), "y"), trials=50)
    plan = Plan(request, "tabular_regression", rows, find_aim(None, 0), float("inf"))
    begun = [plan.following() for _ in range(len(portfolio("tabular_regression", (), 400, 3)) + 3)]
    assert [item is not None and bool(item[1].pipeline) for item in begun] == [False] * (len(begun) - 3) + [True] * 3


def test_the_space_proposes_pipelines_where_they_are_offered() -> None:
    space = Space(("lightgbm",), 0, Offer(target=("log", "root")))
    seen = set()
    for number in range(1, 25):
        proposed = space.propose(number)
        seen.add(proposed.pipeline.get("target"))
        space.tell(number, proposed, 0.0 if proposed.pipeline.get("target") == "log" else 1.0)
    assert seen == {None, "log", "root"}
    last = [space.propose(number).pipeline.get("target") for number in range(30, 40)]
    assert last.count("log") >= 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_bent_target_comes_back_with_its_mean(kind: str) -> None:
    y = np.exp(np.random.default_rng(0).normal(size=2_000)) * 7
    bent = Bent.of(kind, y)
    assert bent.back(bent.bend(y)) == pytest.approx(y)
    alike = np.full(len(y), bent.bend(y).mean())           # the mean of what is bent is not the bent mean
    assert bent.back(alike).mean() < 0.95 * y.mean()
    assert bent.corrected(alike, y).back(alike).mean() == pytest.approx(y.mean())
    assert np.isfinite(bent.back(np.array([-1e9, 1e9]))).all()
    assert Bent.from_json(json.loads(json.dumps(bent.to_json()))) == bent


def test_no_row_is_told_its_own_target() -> None:
    text = TextColumn.of([f"only {number}" for number in range(100)] + ["often"] * 100)
    y = np.where(np.arange(200) == 7, 1e6, 0.0)
    learnt, told = fit_transform(text, y, 0, 0)
    assert len(set(told[:100, 0].round(3))) <= means._PARTS     # a value of its own says what all the others do
    assert learnt.transform(TextColumn.of(["only 7"]), None) > learnt.transform(TextColumn.of(["only 8"]), None)
    assert means.Means.from_json(learnt.to_json()).transform(text, None) == pytest.approx(
        learnt.transform(text, None), abs=1e-5)


@pytest.mark.parametrize(("kind", "estimator"), [(LightGbm, "lightgbm"), (Linear, "linear")])
def test_no_fit_of_a_pipeline_learns_from_a_row_it_is_judged_by(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, estimator: str) -> None:
    """One row's target is planted as a marker: its category, of no other row, must not tell of it."""
    told: list[float] = []
    fit = kind.fit

    def spied(self: Any, context: Any) -> Any:
        told.append(float(max(context.validation.x[:, -1].max(), context.train.x[:, -1].max())))
        return fit(self, context)

    monkeypatch.setattr(kind, "fit", spied)
    rows = messy()
    y = rows["y"].to_numpy().copy()
    town = rows["town"].to_pylist()
    y[5], town[5] = 1e9, "alone"
    table = put_table(tmp_path, rows.set_column(1, "town", pa.array(town)).set_column(3, "y", pa.array(y)))
    said = run_here(order(tmp_path, table, estimators=(), trials=1, configurations=({
        "trial": 5, "estimator": estimator, "parameters": {}, "pipeline": {"categories": "means"}},)), table)
    assert [member["trial"] for member in result(said)["members"]] == [5], "its number in the search that tried it"
    assert told
    assert max(told) < 5     # its own mean would stand many deviations away from all others


def test_a_fit_that_cannot_catch_up_is_ended_and_one_that_is_merely_slow_is_not() -> None:
    def curve(rate: float, end: float, steps: int = 400) -> list[tuple[int, float]]:
        return [(step, end + 1 / (1 + rate * step)) for step in range(1, steps)]

    rivals = [[(0.05 * step, loss) for step, loss in curve(0.05, end)] for end in (0.0, 0.01, 0.02, 0.03)]

    def ended(rate: float, given: list[tuple[int, float]]) -> int:
        pace = Pace(rivals, rate, boosting=True)
        return next((step for step, loss in given if pace.hopeless(step, loss)), 0)

    assert 20 <= ended(0.05, curve(0.05, 0.5)) < 200     # not by its first steps, and long before its end
    assert not ended(0.05, curve(0.05, 0.0))
    assert not ended(0.01, curve(0.01, 0.0, 2_000))      # small steps, which come as far later
    assert not ended(0.05, [(step, 1.2 - 0.002 * step) for step in range(1, 400)])   # behind, but ever quicker


def test_a_hopeless_trial_ends_on_its_way_and_keeps_its_curve() -> None:
    draw = np.random.default_rng(0)
    part = Part(draw.normal(size=(200, 3)).astype(np.float32), draw.normal(size=200))
    rows = Rows({"trees": part}, {"trees": ()}, 0, [(np.arange(150), np.arange(150, 200))])
    better = [[(0.1 * step, 1e-6) for step in range(1, 100)]] * 4      # what no fit to noise comes to
    configuration = Configuration("lightgbm", {"learning_rate": 0.1, "rounds": 500, "patience": None}, "tpe")
    with pytest.raises(Pruned) as ended:
        run_trial(1, configuration, rows, find_aim(None, 0), Silent(), Steady(), seed=0, threads=1, device="cpu",
                  bounds=Bounds(rivals=better))
    assert 10 <= ended.value.curve[-1][0] < 500
    whole = run_trial(1, configuration, rows, find_aim(None, 0), Silent(), Steady(), seed=0, threads=1, device="cpu",
                      bounds=Bounds(rivals=better[:3]))                # too few to be judged by
    assert whole.curve[-1][0] == 500


class Steady(Control):
    """Nobody asks for anything."""

    finish, terminate = False, False

    def __init__(self) -> None:
        pass

    def check(self) -> None:
        pass


class Silent(Report):
    """Nobody listens."""

    def __init__(self) -> None:
        pass

    def event(self, kind: str, **payload: Any) -> None:
        pass


def test_a_trial_that_came_to_nothing_keeps_its_number_when_the_search_goes_on(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_trial_ = crew_module.run_trial

    def mortal(number: int, *given: Any, **named: Any) -> Any:
        if number == 4:
            raise MemoryError
        if number == 2:
            raise Pruned([(10, 0.5), (20, 0.4)])
        if number == 3:
            raise ValueError("not today")
        return run_trial_(number, *given, **named)

    monkeypatch.setattr(crew_module, "run_trial", mortal)
    table = put_table(tmp_path, messy(2))
    folder = order(tmp_path, table, trials=5, estimators=("linear", "decision_tree"))
    before = run_here(folder, table)
    assert before[-1]["cause"] == "host_oom"
    assert [(trial["number"], trial["state"], trial["curve"]) for trial in of("trial", before)][1:] == [
        (2, "pruned", [[10, 0.5], [20, 0.4]]), (3, "failed", [])]
    monkeypatch.setattr(crew_module, "run_trial", run_trial_)
    after = run_here(folder, table, 2)
    assert [trial["number"] for trial in of("trial", after)] == [4, 5]
    done = result(after)
    assert (done["trials"], done["weak_trials"], done["failed_trials"]) == (3, 1, 1)
