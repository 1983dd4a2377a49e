"""Models on new data: begun anew, gone on with, or what a search blended; judged by rows that are new to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from mldesk.app import open_workbench
from mldesk.core.errors import BadInput
from mldesk.library.records import Run
from mldesk.library.secrets import SecretStore
from mldesk.training.split import TEST, TRAIN, VALIDATION
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.searching import SearchOrder
from tests.training.tables import mixed

# A machine under load; nothing here is about speed.
pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("trains_here")]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    secrets = SecretStore(tmp_path / "vault.json", passphrase=lambda new: "a long passphrase",
                          find_keyring=lambda: None)
    whole = mixed(400, "two")
    pq.write_table(whole.slice(0, 180), tmp_path / "few.parquet")
    pq.write_table(whole.slice(60), tmp_path / "more.parquet")    # 120 rows of the few, then new ones
    with open_workbench(tmp_path / "home", secrets=secrets) as opened:
        for name in ("few", "more"):
            opened.datasets.import_files([tmp_path / f"{name}.parquet"], name)
        try:
            yield opened
        finally:
            opened.runners.stop("local")


def _done(bench: Workbench, run: Run) -> Run:
    assert [event.kind for event in bench.runs.follow(run.id)][-1] == "succeeded", bench.runs.get(run.id)
    return bench.runs.get(run.id)


def _parts(bench: Workbench, run: Run) -> Any:
    return np.frombuffer(bench.library.objects.read(str((run.result or {})["split"])), np.uint8)


def test_a_model_learns_on_and_is_judged_by_rows_that_are_new_to_it(bench: Workbench,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    old = _done(bench, bench.runs.start(TrainOrder("few", "y", estimator="lightgbm", parameters={
        "rounds": 5, "learning_rate": 0.1}, model="m")))
    before = _parts(bench, old)
    run = _done(bench, bench.retraining.start("m", "more", warm=True))
    assert (run.model, bench.models.show("m").label) == ("m@2", "m@1")   # the one in use stays in use
    learned = np.isin(before, (TRAIN, VALIDATION))[60:]
    parts = _parts(bench, run)
    assert (parts[:120][learned] == TRAIN).all()
    assert (parts == TEST).sum() >= 30
    assert (parts == VALIDATION).sum() > 10
    found = bench.retraining.challenge("m@2", "m@1")
    assert (found.learned, found.left_out) == (0, 0)

    monkeypatch.setattr("mldesk.workbench.warm_start.ENOUGH", 10)
    again = _done(bench, bench.retraining.start("m@2", "few", warm=True))   # both ancestors' rows are known
    learned_since = np.isin(parts, (TRAIN, VALIDATION))[:120]
    assert bench.retraining.used("m@3") == "m@1"
    bench.models.promote("m", 3)
    assert bench.retraining.used("m@2") == "m@3"
    assert (_parts(bench, again)[60:][learned_since | learned] == TRAIN).all()
    assert (_parts(bench, again)[:60][np.isin(before[:60], (TRAIN, VALIDATION))] == TRAIN).all()


def test_a_model_that_cannot_learn_on_says_why(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _done(bench, bench.runs.start(TrainOrder("few", "y", estimator="decision_tree", model="tree")))
    with pytest.raises(BadInput, match="is not trained step by step"):
        bench.retraining.start("tree", "more", warm=True)
    with pytest.raises(BadInput, match="was trained, not searched for"):
        bench.retraining.start("tree", "more", search=True)
    assert run.model == "tree@1"
    _done(bench, bench.runs.start(TrainOrder("more", "y", estimator="lightgbm", parameters={"rounds": 2}, model="b")))
    monkeypatch.setattr("mldesk.workbench.warm_start.ENOUGH", 200)
    with pytest.raises(BadInput, match="rows that would be tested are new to b@1; at least 200 have to be"):
        bench.retraining.start("b", "few", warm=True)


def test_what_a_search_blended_is_made_anew(bench: Workbench) -> None:
    first = _done(bench, bench.searches.start(SearchOrder(
        TrainOrder("few", "y", model="s"), trials=3, estimators=("linear", "decision_tree"), refit=True)))
    with pytest.raises(BadInput, match="a blend has no weights to go on from"):
        bench.retraining.start("s", "more", warm=True)
    again = _done(bench, bench.retraining.start("s", "more"))
    blended = [{"estimator": item["estimator"], "parameters": item["parameters"]}
               for item in (first.result or {})["members"]]
    tried = [{"estimator": item["estimator"], "parameters": item["parameters"]}
             for item in bench.searches.leaderboard(again.id)]
    assert again.model == "s@2"
    assert sorted(map(json.dumps, tried)) == sorted(map(json.dumps, blended))
    manifest = bench.library.objects.manifest(str((again.result or {})["model"]))
    kept = json.loads(bench.library.objects.read(manifest.entry("native/blend.json").sha256))["members"]
    assert len(kept) == len((again.result or {})["members"])    # refit: one model each, none per fold
    whole = bench.retraining.start("s", "more", search=True)
    assert whole.spec["payload"]["trials"] == 3
    assert "configurations" not in whole.spec["payload"]
    _done(bench, whole)
