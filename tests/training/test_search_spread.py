"""Trials in processes of their own and from helpers; a search that is killed, extended or gone on with."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from mldesk.core.cores import free_share, usable_cores
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import load_estimator
from mldesk.training.job import Workplace, open_table
from mldesk.training.search.budget import affordable, estimate
from mldesk.training.search.dealing import deal
from mldesk.training.search.ensemble import select_calmly
from mldesk.training.search.mail import Mail
from mldesk.training.search.measures import find_aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.quiet import NoCheckpoints
from mldesk.training.search.records import Records
from mldesk.training.search.trial import Outcome, run_trial
from mldesk.training.search.workers import Workers
from mldesk.wire.control import Control
from mldesk.wire.job_spool import Spool
from mldesk.wire.jobs import JobSpec, SearchRequest
from mldesk.wire.report import Report
from tests.training.jobs import events, of, put_table, result, run_here, start
from tests.training.tables import mixed
from tests.training.test_search import order


def test_trials_in_two_processes_come_to_what_one_process_comes_to(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(150))
    alone = run_here(order(tmp_path, table, trials=3), table)
    at_once = run_here(order(tmp_path, table, trials=3, parallel=2), table)

    def scores(said: list[dict[str, Any]]) -> dict[str, float]:
        return {trial["estimator"]: round(trial["score"], 9) for trial in of("trial", said)}

    assert scores(alone) == scores(at_once)
    assert len(scores(alone)) == 3
    assert result(at_once)["score"] == result(alone)["score"]
    assert [member["weight"] for member in result(at_once)["members"]] == [
        member["weight"] for member in result(alone)["members"]]


def test_only_the_models_that_are_blended_come_back_from_the_processes(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came: dict[int, int] = {}
    models = Workers.models

    def seen(crew: Workers, outcome: Outcome) -> Sequence[Any]:
        found = models(crew, outcome)
        came[outcome.number] = len(found)
        return found

    monkeypatch.setattr(Workers, "models", seen)
    table = put_table(tmp_path, mixed(120))
    done = result(run_here(order(tmp_path, table, trials=4, parallel=2), table))
    assert came == {member["trial"]: done["folds"] for member in done["members"]}   # none was fitted again


def test_a_killed_search_of_several_processes_loses_what_ran_and_nothing_else(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(150))
    folder = order(tmp_path, table, trials=100_000, parallel=2)   # it goes on, however late it is killed
    trainer = start(folder, table)
    while len(of("trial", _whole(folder))) < 3 and trainer.poll() is None:
        time.sleep(0.02)
    workers = psutil.Process(trainer.pid).children()
    os.kill(trainer.pid, signal.SIGKILL)
    trainer.wait()
    while not all(map(_gone, workers)):   # by themselves; what one of them had just made may still be kept
        time.sleep(0.02)
    told = [trial["number"] for trial in of("trial", _whole(folder)) if trial["state"] == "complete"]
    records = Records(folder / "search")
    kept = {outcome.number for outcome in records.read(len(_prediction(folder)))}
    assert len(workers) == 2
    assert set(told) <= kept
    spec = json.loads((folder / "spec.json").read_bytes())
    spec["payload"]["trials"] = len(kept) + len(list(records.noted())) + 2
    (folder / "spec.json").write_text(json.dumps(spec))
    said = run_here(folder, table, 2)
    assert not kept & {trial["number"] for trial in of("trial", said)}
    assert len(of("trial", said)) <= 2
    again = [trial for trial in of("trial", said) if trial["state"] == "complete"]
    assert result(said)["trials"] == len(kept) + len(again)


def _gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE   # whose new parent does not care
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif(os.name == "nt", reason="signals of a group are a matter of POSIX")
def test_a_pause_fails_no_trial_of_its_processes(tmp_path: Path) -> None:
    """A supervisor tells the whole group to go: the workers as well, which must not look as if they had died."""
    table = put_table(tmp_path, mixed(150))
    folder = order(tmp_path, table, trials=500, parallel=2)
    trainer = start(folder, table, alone=True)
    while len(of("trial", _whole(folder))) < 3 and trainer.poll() is None:
        time.sleep(0.02)
    os.killpg(trainer.pid, signal.SIGTERM)
    assert trainer.wait() == 143
    assert {trial["state"] for trial in of("trial", _whole(folder))} <= {"complete", "weak"}
    assert _whole(folder)[-1]["kind"] != "failed"
    (folder / "control").write_text("finish")
    done = result(run_here(folder, table, 2))
    assert done["failed_trials"] == 0
    assert done["trials"] >= len([trial for trial in of("trial", _whole(folder)) if trial["state"] == "complete"])


def _whole(folder: Path) -> list[dict[str, Any]]:
    path = folder / "spool.1"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def _prediction(folder: Path) -> Any:
    outcome = next(item for item in map(Records(folder / "search").one, range(1, 50)) if item is not None)
    return outcome.prediction


def test_what_a_helper_found_is_taken_in_once_and_blended(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(150))
    home = order(tmp_path, table, trials=4, estimators=("linear", "decision_tree"), share=(0, 2))
    helper = order(tmp_path, table, trials=1, estimators=("linear", "decision_tree"), helps=home.name, share=(1, 2))
    said = run_here(helper, table)
    assert result(said)["helped"] == home.name
    assert not of("stage", said)[-1]["name"].startswith("Blending")
    (found,) = [event for event in of("artifact", said) if event["name"].startswith("trial-")]
    paths = [Path(entry.path) for entry in table.store.manifest(found["digest"]).entries]
    assert len({path.parts[0] for path in paths if len(path.parts) > 1}) == result(said)["folds"]   # its models
    (home / "mail").mkdir()
    for name in ("a.json", "b.json"):
        (home / "mail" / name).write_text(json.dumps({"trial": found["digest"], "source": "box"}))
    (home / "mail" / "c.json").write_text("torn")
    (home / "mail" / "d.json").write_text(json.dumps({"trial": "0" * 64, "source": "box"}))
    done = run_here(home, table)
    theirs = [trial for trial in of("trial", done) if trial.get("runner") == "box"]
    assert {trial["score"] for trial in theirs} == {of("trial", said)[0]["score"]}
    own = {trial["estimator"] for trial in of("trial", done) if not trial.get("runner")}
    assert of("trial", said)[0]["estimator"] in {trial["estimator"] for trial in theirs}
    assert own
    assert result(done)["trials"] + result(done)["weak_trials"] >= 4


@pytest.mark.parametrize("estimator", ["tabm", "mlp", "decision_tree"])
def test_models_that_another_process_made_are_read_rather_than_fitted_again(tmp_path: Path, estimator: str) -> None:
    table = put_table(tmp_path, mixed(120))
    request = SearchRequest.from_json(JobSpec.read(order(tmp_path, table, trials=1)).payload)
    control = Control(tmp_path / "control", lambda: None, lambda: None)
    work = Workplace(table.store, Report(Spool(tmp_path / "spool")), control, NoCheckpoints(), tmp_path / "scratch", 2,
                     "cpu")
    rows = deal(request, *open_table(request.train, work))
    parameters = {"epochs": 1, "width": 8, "blocks": 1} if estimator != "decision_tree" else {}
    made = run_trial(1, Configuration(estimator, parameters, "tpe"), rows, find_aim(None, 3), work.report, work.control,
                     seed=0, threads=2, device="cpu")
    records = Records(tmp_path / "search")
    records.keep(made, models=True)
    read = records.models(made, len(rows.folds))
    assert len(read) == len(rows.folds) > 1
    kind = load_estimator(ESTIMATORS[estimator])
    x = rows.parts[kind.style].x
    for one, other in zip(read, made.natives, strict=True):
        assert np.array_equal(kind.predict(one, x, 3), kind.predict(other, x, 3))


def test_a_longer_search_begins_with_the_trials_of_the_one_before(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(150))
    first = run_here(order(tmp_path, table, trials=3), table)
    kept = next(event["digest"] for event in of("artifact", first) if event["name"] == "trials")
    folds = result(first)["folds"]
    more = run_here(order(tmp_path, table, trials=5, earlier=(kept,), folds=folds), table)
    scores = {trial["score"] for trial in of("trial", first)}
    assert scores <= {trial["score"] for trial in of("trial", more)}
    assert result(more)["trials"] + result(more)["weak_trials"] == 5


def test_more_trials_and_more_time_come_by_mail(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(120))
    folder = order(tmp_path, table, trials=2)
    (folder / "mail").mkdir()
    (folder / "mail" / "more.json").write_text(json.dumps({"extend": {"trials": 2}}))
    done = result(run_here(folder, table))
    assert done["trials"] + done["weak_trials"] == 4


def test_a_message_counts_once(tmp_path: Path) -> None:
    box = tmp_path / "mail"
    box.mkdir()
    (box / "a.json").write_text("{}")
    mail = Mail(box, tmp_path / "read.txt")
    assert [name for name, _ in mail.new()] == ["a.json"]
    assert [name for name, _ in mail.new()] == ["a.json"]   # nobody said that it was acted on
    mail.done("a.json")
    assert not list(mail.new())
    assert not list(Mail(box, tmp_path / "read.txt").new())
    shutil.rmtree(box)
    assert not list(Mail(box, tmp_path / "read.txt").new())


def test_folds_are_as_many_as_the_time_allows_for() -> None:
    assert [affordable(rows, 10, 60) for rows in (500, 10_000, 20_000, 100_000)] == [5, 5, 3, 1]
    assert affordable(100_000, 10, 600) == 5
    short, long = estimate(5_000, 10, 60, 0, 2, 5), estimate(5_000, 10, 600, 0, 2, 5)
    assert short.trials < long.trials
    assert (estimate(5_000, 10, 0, 30, 2, 5).trials, estimate(5_000, 10, 600, 1, 2, 5).trials) == (30, 1)
    assert estimate(5_000, 10, 600, 1, 2, 5).seconds < 600
    assert short.least <= 13 <= short.trials     # what a minute's search of such a table came to
    assert estimate(16_500, 9, 60, 0, 1, 5).least <= 7 <= estimate(16_500, 9, 60, 0, 1, 5).trials


@pytest.mark.parametrize(("rows", "width", "seconds", "folds", "came"), [
    (275, 15, 30, 5, 3), (5_634, 19, 60, 5, 5), (16_512, 9, 60, 5, 3), (4_669, 118, 60, 3, 2), (39_074, 14, 30, 1, 3),
    (7_008, 13, 30, 5, 4)])
def test_what_a_search_came_to_on_a_busy_machine_is_what_was_reckoned_with(
        rows: int, width: int, seconds: float, folds: int, came: int) -> None:
    busy, free = (estimate(rows, width, seconds, 0, 2, folds, share=share) for share in (2 / 15, 1.0))   # load 13
    assert busy.least <= came <= busy.trials <= 3 * came
    assert busy.trials < free.trials and busy.least <= free.least


def test_how_much_of_the_cores_is_free_is_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (3.0 * usable_cores(), 0.0, 0.0))
    assert free_share() == 0.25
    monkeypatch.delattr("os.getloadavg")
    assert free_share() == 1.0


def test_on_few_rows_several_selections_are_averaged() -> None:
    draw = np.random.default_rng(1)
    y = draw.normal(size=300)
    guesses = [y + draw.normal(size=300) * spread for spread in np.linspace(0.5, 3, 12)]
    aim = find_aim(None, 0)
    calm, loss = select_calmly(guesses, y, aim, 0, lambda: False)
    assert abs(sum(calm) - 1) < 1e-9
    assert loss < aim.loss(guesses[0], y)
    assert select_calmly(guesses, y, aim, 0, lambda: False)[0] == calm


def test_the_folder_of_a_search_is_gone_once_it_has_its_model(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(120))
    folder = order(tmp_path, table, trials=2, parallel=2)
    run_here(folder, table)
    assert events(folder)[-1]["kind"] == "succeeded"
    assert not (folder / "search").exists()
