"""The learning rate of what learns step by step: its schedule, and another rate while it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldesk.training import steering
from mldesk.training.estimators.schedules import scheduled
from mldesk.training.steering import Steering, rate_after
from mldesk.wire.report import Report
from tests.training.jobs import Died, events, make_job, of, put_table, result, run_here
from tests.training.tables import mixed

ORDERS = {
    "lightgbm": {"rounds": 24, "patience": None, "learning_rate": 0.1},
    "xgboost": {"rounds": 24, "patience": None, "learning_rate": 0.1},
    "hist_gradient_boosting": {"rounds": 24, "patience": None, "learning_rate": 0.1},
    "mlp": {"epochs": 4, "width": 16, "blocks": 1, "schedule": "cosine"},
}


def test_schedules_begin_and_end_where_they_should() -> None:
    ends = {name: [round(scheduled(name, at), 3) for at in (0, 0.3, 0.5, 0.75, 1)]
            for name in ("plateau", "constant", "cosine", "one_cycle", "step")}
    assert ends["plateau"] == ends["constant"] == [1, 1, 1, 1, 1]
    assert ends["cosine"] == [1, 0.794, 0.5, 0.146, 0]
    assert ends["one_cycle"] == [0.04, 1, 0.812, 0.283, 0]
    assert ends["step"] == [1, 1, 0.1, 0.01, 0.01]


def test_a_message_counts_once_and_nonsense_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "_EVERY", 0.0)
    told = Steering(tmp_path)
    assert told.rate([], 0) is None
    for name, message in {"1": '{"learning_rate": 0.5}', "2": '{"learning_rate": true}', "3": "[", "4": '{}',
                          "5": '{"learning_rate": 0.25}', "6": '{"learning_rate": NaN}'}.items():
        (tmp_path / f"{name}.json").write_text(message)
    assert told.rate([], 0) == (["1.json", "5.json"], 0.25)
    assert told.rate(["1.json", "5.json"], 0) is None
    assert Steering(None).rate([], 0) is None
    assert [rate_after([[3, 0.5], [7, 0.1]], at, 1.0) for at in (2, 3, 6, 7)] == [1.0, 0.5, 0.5, 0.1]


@pytest.mark.parametrize("estimator", ORDERS)
def test_a_changed_rate_is_drawn_and_a_resumed_run_repeats_it(
        tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch, estimator: str) -> None:
    monkeypatch.setattr(steering, "_EVERY", 0.0)
    table = put_table(tmp_path, mixed(150))
    order = {"estimator": estimator, "parameters": ORDERS[estimator]}
    plain = run_here(make_job(tmp_path, table, "y", **order), table)
    whole = _changed(folder := make_job(tmp_path, table, "y", **order), monkeypatch, lambda: run_here(folder, table))
    assert result(whole)["validation_metrics"] != result(plain)["validation_metrics"]
    assert any("as asked for" in event["text"] for event in of("log", whole))
    drawn = [point["values"]["learning_rate"] for point in of("metrics", whole) if "learning_rate" in point["values"]]
    assert len(set(drawn)) > 1
    killed = make_job(tmp_path, table, "y", **order)
    write, left = Report.event, len(of("checkpoint", whole)) // 2

    def dying(self: Report, kind: str, **payload: Any) -> None:
        nonlocal left
        write(self, kind, **payload)
        left -= kind == "checkpoint"
        if kind == "checkpoint" and not left:
            raise Died

    def to_its_death() -> None:
        with pytest.raises(Died):
            run_here(killed, table)

    monkeypatch.setattr(Report, "event", dying)
    _changed(killed, monkeypatch, to_its_death)
    monkeypatch.setattr(Report, "event", write)
    after = run_here(killed, table, attempt=2)
    assert of("checkpoint", events(killed)) and after[0]["resumed_from"]
    for name in ("metrics", "validation_metrics"):
        assert result(after)[name] == result(whole)[name]


def _changed(folder: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any]) -> Any:
    """Run, and have another rate asked for once the fit has said that it took three steps."""
    draw = Report.metrics

    def asking(self: Report, step: int, values: Any, epoch: float | None = None) -> None:
        draw(self, step, values, epoch)
        if step >= 3 and "validation_loss" in values and not (folder / "mail").exists():
            (folder / "mail").mkdir()
            (folder / "mail" / "01.json").write_text(json.dumps({"learning_rate": 0.013}))

    with monkeypatch.context() as patch:
        patch.setattr(Report, "metrics", asking)
        return run()
