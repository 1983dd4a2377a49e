"""Specs and events keep their shape across the wire, and refuse any other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.core.ids import is_id, new_id
from mldesk.wire.events import KINDS, TERMINAL, Event, state_after
from mldesk.wire.jobs import JobSpec, Limits, Resources, SplitRequest, TrainRequest
from mldesk.wire.schema import Column, ColumnType, columns_from_json
from mldesk.wire.states import JobState

REQUEST = TrainRequest(
    dataset="a" * 64, dataset_name="자전거@1", target="대여 수", estimator="mlp", parameters={"epochs": 3},
    columns=(Column("대여 수", ColumnType.INTEGER, 0, 100).to_json(),), split=SplitRequest(test_size=0.3, seed=7),
    features=("기온",),
)


def _spec() -> JobSpec:
    inputs, limits = ("a" * 64,), Limits(60.0, 1 << 30)
    return JobSpec(new_id(), "train", "a run", inputs, REQUEST.to_json(), Resources("cuda:1", 2), limits)


def test_a_spec_survives_json_and_keeps_its_digest() -> None:
    spec = _spec()
    again = JobSpec.from_json(json.loads(canonical.dumps(spec.to_json())))
    assert again.digest == spec.digest
    assert TrainRequest.from_json(again.payload) == REQUEST
    assert replace(spec, name="another").digest != spec.digest


@pytest.mark.parametrize("change", [
    {"format": 2}, {"id": "../../etc/passwd"}, {"id": 5}, {"inputs": [1]}, {"inputs": None}, {"payload": [1]},
    {"resources": {"gpus": 1}}, {"limits": None}, {"kind": None},
])
def test_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        JobSpec.from_json({**_spec().to_json(), **change})


def test_what_version_1_does_not_know_is_left_out_as_long_as_it_says_nothing() -> None:
    assert Resources("cuda", 2).to_json() == {"device": "cuda", "threads": 2}
    wanted = Resources(gpu_memory=24 * 10**9, prefers_gpu=True)
    assert wanted.to_json() == {"device": "auto", "threads": 0, "gpu_memory": 24 * 10**9, "prefers_gpu": True}
    assert Resources.from_json(wanted.to_json()) == wanted


@pytest.mark.parametrize("resources", [
    {"device": "tpu"}, {"device": "cuda:x"}, {"device": "cuda:-1"}, {"device": 5}, {"threads": -1}, {"threads": 1.5},
    {"gpu_memory": "24 GB"}, {"gpu_memory": True}, {"gpu_memory": 1 << 60}, {"prefers_gpu": 1},
])
def test_resources_that_no_machine_has_are_refused(resources: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        JobSpec.from_json({**_spec().to_json(), "resources": resources})


@pytest.mark.parametrize("change", [{"columns": 5}, {"split": {"x": 1}}, {"target": ..., "bogus": 1}, {"split": None}])
def test_another_training_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        TrainRequest.from_json({**REQUEST.to_json(), **change})


def test_every_kind_of_event_gives_a_state_and_the_terminal_ones_an_end() -> None:
    for kind in KINDS:
        after = state_after(kind, JobState.RUNNING)
        assert after.ended == (kind in TERMINAL)
    assert state_after("log", JobState.QUEUED) is JobState.QUEUED
    assert JobState.INTERRUPTED.resumable
    assert not JobState.INTERRUPTED.final
    assert JobState.SUCCEEDED.final


def test_an_event_prints_flat_with_an_iso_time() -> None:
    event = Event(3, 0.0, "log", {"level": "info", "text": "hello"})
    flat = {"seq": 3, "time": "1970-01-01T00:00:00.000Z", "kind": "log", "level": "info", "text": "hello"}
    assert event.to_json() == flat


def test_a_schema_survives_json() -> None:
    columns = tuple(Column(f"c{index}", kind, index, 2) for index, kind in enumerate(ColumnType))
    assert columns_from_json([column.to_json() for column in columns]) == columns


def test_ids_grow_and_are_recognised() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert all(map(is_id, ids))
    assert not any(map(is_id, ["", "..", ids[0].lower(), ids[0] + "A", ids[0][:-1] + "U"]))
