"""The event files that a script writes become its metrics, each reading once."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mldesk.training import script_events
from mldesk.training.script_events import EventFiles
from mldesk.wire.job_spool import Spool
from mldesk.wire.report import Report
from mldesk.wire.spool import SpoolReader
from tests.event_logs import PICTURE, event, field, log, record, seen_log


class Heard:
    """What a script's event files said."""

    def __init__(self, root: Path) -> None:
        self.folder, self.found = root / "script", list[tuple[int, Mapping[str, float]]]()
        self.kept: dict[str, bytes] = {}
        self.folder.mkdir()
        (self.folder / "events.out.tfevents.old").write_bytes(log())   # came along with the script
        self._spool = Spool(root / "spool.1")
        self.files = EventFiles((self.folder,), self._hear, self.kept.__setitem__, Report(self._spool))

    def _hear(self, step: int, values: Mapping[str, float]) -> None:
        if any("\0" in name for name in values):
            raise ValueError("no name")
        self.found.append((step, values))

    def warnings(self, root: Path) -> int:
        return sum(event.kind == "warning" for event in SpoolReader(root / "spool.1").read())


    def close(self) -> None:
        self._spool.close()


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    monkeypatch.setattr(script_events, "_PAUSE", 0.0)
    made = Heard(tmp_path)
    yield made
    made.close()


def test_a_file_that_grows_is_read_record_by_record(heard: Heard) -> None:
    whole, path = log(), heard.folder / "logs" / "events.out.tfevents.1"
    path.parent.mkdir()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        heard.files.read()
    path.write_bytes(whole)
    heard.files.read(last=True)
    assert heard.found == [(1, {"loss": 0.5, "accuracy": 0.75}), (2, {"loss": 0.5})]


def test_folders_tell_readings_of_training_and_validation_apart(heard: Heard) -> None:
    for part in ("train", "validation"):
        (heard.folder / "logs" / part).mkdir(parents=True)
        (heard.folder / "logs" / part / "events.out.tfevents.1").write_bytes(log())
    heard.files.read(last=True)
    assert [values for step, values in heard.found if step == 2] == [{"train/loss": 0.5}, {"validation/loss": 0.5}]


def test_pictures_are_kept_as_they_come_and_histograms_in_the_end(heard: Heard) -> None:
    (heard.folder / "train").mkdir()
    (heard.folder / "train" / "events.out.tfevents.1").write_bytes(seen_log())
    heard.files.read()
    assert heard.kept == dict.fromkeys(("pictures/train/a/cat/1.png", "pictures/train/cat/2.png",
                                        "pictures/train/cat/2-2.png"), PICTURE)
    heard.files.read(last=True)
    assert json.loads(heard.kept["histograms.json"]) == {"train/weights": [
        {"step": 1, "edges": [-1.0, 0.0, 1.0, 2.0], "counts": [3.0, 0.0, 1.0]},
        {"step": 2, "edges": [0.0, 1.0, 3.0], "counts": [4.0, 2.0]}]}


def test_many_records_are_all_read_at_the_end(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_events, "_AT_ONCE", 3)
    loss = field(1, b"loss") + b"\x15" + struct.pack("<f", 0.5)
    (heard.folder / "a.tfevents").write_bytes(b"".join(record(event(1.0, step, loss)) for step in range(100)))
    heard.files.read()
    assert len(heard.found) == 3
    heard.files.read(last=True)
    assert [step for step, _ in heard.found] == list(range(100))


def test_what_is_no_event_file_is_said_once_and_left(heard: Heard, tmp_path: Path) -> None:
    (heard.folder / "a.tfevents").write_bytes(b"x" * 5_000)
    (heard.folder / "b.tfevents").write_bytes(log()[:-1] + b"y" + b"z" * 100)
    (heard.folder / "c.tfevents").mkdir()
    (heard.folder / "d.tfevents").symlink_to("/dev/zero")
    name = field(1, b"a\0b") + b"\x15" + struct.pack("<f", 0.5)
    (heard.folder / "e.tfevents").write_bytes(record(event(1.0, 1, name)))
    for _ in range(3):
        heard.files.read(last=True)
    assert heard.found == [(1, {"loss": 0.5, "accuracy": 0.75}), (2, {"loss": 0.5})]
    assert heard.warnings(tmp_path) == 2
