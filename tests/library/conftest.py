"""A library on a real disk, and short ways to put things into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.library import DatasetVersion, Library, Run
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec, TrainRequest
from mldesk.wire.schema import Column, ColumnType

COLUMNS = (Column("Größe", ColumnType.NUMBER, 1, 2), Column("class", ColumnType.TEXT, 0, 2))


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def library(home: Home, clock: Clock) -> Iterator[Library]:
    with Library.open(home, clock=clock) as opened:
        yield opened


def add_table(library: Library, name: str = "penguins", content: bytes = b"parquet", **more: Any) -> DatasetVersion:
    part = library.objects.put_bytes(content)
    manifest = library.objects.put_manifest({"parts/000.parquet": part})
    return library.datasets.add(name, manifest=manifest, rows=3, columns=COLUMNS, size=len(content),
                                **{"source": f"{name}.csv", **more})


def make_spec(dataset: str = "penguins@1", *, name: str = "first", model: str = "") -> JobSpec:
    request = TrainRequest("0" * 64, dataset, tuple(column.to_json() for column in COLUMNS), "class",
                           estimator="linear", parameters={"c": 1.0}, model=model)
    return JobSpec(new_id(), "train", name, ("0" * 64,), request.to_json())


def add_run(library: Library, dataset: str = "penguins@1", *, numbered: bool = False, apart: bool = False,
            **more: Any) -> Run:
    return library.runs.add(make_spec(dataset, **more), "local", dataset, numbered=numbered, apart=apart)


def event(seq: int, kind: str, /, **payload: Any) -> Event:
    return Event(seq, 1_000.0 + seq, kind, payload)


def journal(*kinds: tuple[str, dict[str, Any]], first: int = 1) -> list[Event]:
    return [event(seq, kind, **payload) for seq, (kind, payload) in enumerate(kinds, first)]


def loss(step: int, value: object = 0.5, **more: object) -> tuple[str, dict[str, Any]]:
    return "metrics", {"step": step, "epoch": None, "seconds": step / 10, "values": {"train_loss": value, **more}}


STARTED = ("started", {"attempt": 1, "pid": 1, "host": "h", "device": "cpu", "resumed_from": None})


def succeeded(manifest: str) -> Sequence[tuple[str, dict[str, Any]]]:
    return [("artifact", {"name": "model", "digest": manifest, "size": 7, "type": "manifest"}),
            ("succeeded", {"result": {"task": "tabular_classification", "metrics": {"accuracy": 0.9}, "seconds": 2.0,
                                      "model": manifest, "estimator": "linear", "parameters": {"c": 2.0}}})]
