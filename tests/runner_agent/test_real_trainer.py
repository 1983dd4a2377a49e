"""A real training that moves from one runner to another, and says where it ran."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mldesk.core.ids import new_id
from mldesk.wire.jobs import JobSpec, Resources, TrainRequest
from mldesk.wire.objects import ObjectStore
from tests.runner_agent.bench import Bench, dense, kinds, last
from tests.training.jobs import put_table
from tests.training.tables import mixed

REAL = ["--no-warm", "--trainer", json.dumps([sys.executable, "-m", "mldesk.training.run"]), "--patience", "[3, 3, 3]"]
PARAMETERS = {"lightgbm": {"rounds": 5000, "patience": 5000, "learning_rate": 0.001}, "mlp": {"epochs": 5000}}


@pytest.mark.parametrize("estimator", ["lightgbm"])  # the network as well, but that takes as long as torch to load
def test_a_real_training_goes_on_elsewhere_from_the_step_it_was_released_at(tmp_path: Path, estimator: str) -> None:
    here, there = Bench(tmp_path / "a", *REAL), Bench(tmp_path / "b", *REAL)
    try:
        for bench in (here, there):
            table = put_table(bench.home.root, mixed(2000))
        request = TrainRequest(table.manifest, "t@1", tuple(column.to_json() for column in table.columns), "y",
                               estimator=estimator, parameters=PARAMETERS[estimator])
        spec = JobSpec(new_id(), "train", "real", (table.manifest,), request.to_json(), Resources("cpu", 1))
        here.runner.submit(spec)
        here.follow(spec.id, until=lambda event: event.kind == "metrics")
        here.runner.release(spec.id)
        before = here.follow(spec.id)
        assert last(before)["cause"] == "moved"
        reached = [event.payload["step"] for event in before if event.kind == "checkpoint"][-1]
        checkpoint = here.runner.checkpoint(spec.id)
        assert checkpoint is not None
        source, target = ObjectStore(here.home.objects), ObjectStore(there.home.objects)
        for digest in (checkpoint, *(entry.sha256 for entry in source.manifest(checkpoint).entries)):
            target.put_file(source.path(digest))
        there.runner.take_over(spec, here.runner.history(spec.id, limit=10_000), checkpoint)
        started = there.follow(spec.id, after=len(before), until=lambda event: event.kind == "started")[-1]
        assert started.payload["resumed_from"] == reached
        there.follow(spec.id, after=started.seq, until=lambda event: event.kind == "metrics")
        there.runner.finish(spec.id)
        after = there.follow(spec.id, after=started.seq)
        assert after[-1].kind == "succeeded"
        events = there.runner.events(spec.id, 0, limit=10_000)
        assert dense(events)
        assert kinds(events).count("started") == 2
        assert min(event.payload["step"] for event in after if event.kind == "metrics") > reached
    finally:
        here.close()
        there.close()
