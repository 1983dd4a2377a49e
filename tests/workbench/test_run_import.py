"""Runs of other programs: what they kept comes over whole and once; what is damaged is refused in words."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, NotFound
from mldesk.training.event_files import crc32c
from mldesk.wire.manifest import check_path
from mldesk.wire.states import JobState
from mldesk.workbench.foreign import mlflow, records
from mldesk.workbench.foreign.records import Readings
from mldesk.workbench.foreign.tensorboard import read_log
from mldesk.workbench.run_import import RunImport
from tests.event_logs import log, record, seen_log
from tests.workbench.stand_ins import Desk

_START = 1_700_000_000_000   # milliseconds


def _mlruns(folder: Path) -> Path:
    """Write what MLflow 3's file store writes for three runs of one experiment, one of them in its bin."""
    experiment = folder / "mlruns" / "42"
    for key, status, stage in (("a" * 32, 3, "active"), ("b" * 32, 4, "active"), ("c" * 32, 3, "deleted")):
        run = experiment / key
        for part in ("metrics/validation", "params", "tags"):
            (run / part).mkdir(parents=True)
        (run / "meta.yaml").write_text(
            f"artifact_uri: file:///x\nend_time: {_START + 9000}\nentry_point_name: ''\nexperiment_id: '42'\n"
            f"lifecycle_stage: {stage}\nrun_id: {key}\nrun_name: run-{key[0]}\n"
            f"start_time: {_START}\nstatus: {status}\n")
        (run / "metrics/loss").write_text(f"{_START + 1000} 0.5 1\n{_START + 2000} 0.25 2\n{_START + 3000} nan 3\n")
        (run / "metrics/validation/f1").write_text(f"{_START + 2000} 0.75 2\n")
        (run / "params/depth").write_text("6")
        (run / "tags/mlflow.user").write_text("me")
        (run / "tags/team").write_text("blue")
    (experiment / "meta.yaml").write_text("experiment_id: '42'\nname: churn\nlifecycle_stage: active\n")
    return folder


def test_runs_of_an_mlruns_folder_come_over_once(desk: Desk, tmp_path: Path) -> None:
    service = RunImport(desk.library)
    found = service.take(_mlruns(tmp_path))
    assert [(run.name, run.state, run.group, run.tags) for run in found.runs] == [
        ("run-a", JobState.SUCCEEDED, "churn", ("mlflow", "team=blue")),
        ("run-b", JobState.FAILED, "churn", ("mlflow", "team=blue"))]
    run = found.runs[0]
    assert (run.parameters, run.started, run.seconds) == ({"depth": "6"}, _START / 1000, 9.0)
    points = [(point.metric, point.step, point.seconds, point.value) for point in desk.library.runs.metrics(run.id)]
    assert sorted(points[:3]) == [("loss", 1, 1.0, 0.5), ("loss", 2, 2.0, 0.25), ("validation/f1", 2, 2.0, 0.75)]
    assert (points[3][:3], math.isnan(points[3][3])) == (("loss", 3, 3.0), True)
    again = service.take(tmp_path / "mlruns")
    assert (again.runs, again.known) == ((), 2)


def test_a_run_that_cannot_be_read_is_named_and_holds_up_no_other(desk: Desk, tmp_path: Path) -> None:
    _mlruns(tmp_path)
    _spoil(tmp_path, "a")
    found = RunImport(desk.library).take(tmp_path)
    assert [run.name for run in found.runs] == ["run-b"]
    assert [(run.name, "line 1 of 'loss'" in str(run.why)) for run in found.unreadable] == [("run-a", True)]
    assert [run.name for run in desk.library.runs.list()] == ["run-b"]


def test_where_no_run_can_be_read_the_first_is_why(desk: Desk, tmp_path: Path) -> None:
    _mlruns(tmp_path)
    _spoil(tmp_path, "a")
    _spoil(tmp_path, "b")
    with pytest.raises(BadInput, match="line 1 of 'loss'"):
        RunImport(desk.library).take(tmp_path)


def test_a_damaged_log_holds_up_no_other(desk: Desk, tmp_path: Path) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        data = bytearray(log())
        data[20] ^= name == "bad"
        (tmp_path / name / "events.out.tfevents.1").write_bytes(data)
    found = RunImport(desk.library).take(tmp_path)
    assert ([run.name for run in found.runs], [run.name for run in found.unreadable]) == (["good"], ["bad"])
    assert f"'{tmp_path.name}/bad/events.out.tfevents.1' is damaged" in str(found.unreadable[0].why)


def _spoil(folder: Path, run: str, line: str = "yesterday 0.5\n") -> None:
    (folder / "mlruns/42" / (run * 32) / "metrics/loss").write_text(line)


def test_a_time_that_no_calendar_has_is_none() -> None:
    readings = Readings()
    readings.add([(float("nan"), 1, "a", 0.5), (1e14, 2, "a", 0.5), (5.0, 3, "a", 0.5)])
    assert [point[0] for point in readings.in_order()] == [0.0, 0.0, 5.0]
    assert not readings.left_out


def test_no_more_readings_are_held_or_read_than_a_run_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_POINTS", 10)
    monkeypatch.setattr(records, "MOST_METRICS", 2)
    monkeypatch.setattr(mlflow, "MOST_POINTS", 10)
    readings, held = Readings(), 0
    for number in range(1000):
        readings.add([(2000.0 - number, number, "ab"[number % 2], 0.5)])
        held = max(held, len(readings._kept))
    readings.add([(1.0, 1, "c", 0.5)])
    assert held == 19
    assert [point[1] for point in readings.in_order()] == list(range(999, 989, -1))
    assert readings.left_out == ("It has more than 2 metrics; the first ones came along.",
                                 "It has more than 10 readings; the earliest came along.")
    run = _mlruns(tmp_path) / "mlruns/42" / ("a" * 32)
    (run / "metrics/loss").write_text("".join(f"{_START + step} 0.5 {step}\n" for step in range(11)) + "no reading\n")
    found = next(run for run in mlflow.read_folder(tmp_path / "mlruns") if isinstance(run, records.ForeignRun))
    assert [point[1] for point in found.points] == list(range(10))
    assert found.left_out[-1].startswith("It has more than 10 readings")


def test_a_line_without_an_end_is_no_reading(tmp_path: Path) -> None:
    run = _mlruns(tmp_path) / "mlruns/42" / ("a" * 32)
    (run / "metrics/loss").write_text(" " * 5000 + "1 2 3")
    found = next(mlflow.read_folder(tmp_path / "mlruns"))
    assert isinstance(found, records.Unreadable)
    assert "line 1 of 'loss'" in str(found.why)


@pytest.mark.parametrize("line", ["nan 0.5 1", "1e999 0.5 1", f"{_START} 0.5 {10 ** 30}"])
def test_a_reading_of_no_time_or_step_is_named(desk: Desk, tmp_path: Path, line: str) -> None:
    _spoil(_mlruns(tmp_path), "a", line)
    assert "line 1 of 'loss'" in str(RunImport(desk.library).take(tmp_path).unreadable[0].why)


@pytest.mark.parametrize("time", ["nan", "1e999", "-5", "99999999999999999999"])
def test_a_run_that_lies_about_its_time_comes_over_all_the_same(desk: Desk, tmp_path: Path, time: str) -> None:
    path = _mlruns(tmp_path) / "mlruns/42" / ("a" * 32) / "meta.yaml"
    path.write_text(path.read_text().replace(f"time: {_START}\n", f"time: {time}\n"))
    run = next(run for run in RunImport(desk.library).take(tmp_path).runs if run.name == "run-a")
    assert run.started == (_START + 1000) / 1000   # that of its first reading


@pytest.mark.parametrize(("written", "name"), [
    ("'It''s: new'", "It's: new"),
    ("plain words that go on\n  in the next line", "plain words that go on in the next line"),   # beyond 80 letters
    ('"a\\tb \\u00e4\\\n  \\ c"', "a-b ä c"),
    ("'first\n\n  second'", "first-second"), ("'null'", "null")])
def test_a_name_is_read_as_mlflow_writes_it(desk: Desk, tmp_path: Path, written: str, name: str) -> None:
    (_mlruns(tmp_path) / "mlruns/42/meta.yaml").write_text(f"experiment_id: '42'\nname: {written}\nlast: 1\n", "utf-8")
    assert {run.group for run in RunImport(desk.library).take(tmp_path).runs} == {name}


def test_experiments_and_tags_may_hold_what_no_name_here_does(desk: Desk, tmp_path: Path) -> None:
    experiment = _mlruns(tmp_path) / "mlruns/42"
    (experiment / "meta.yaml").write_text("experiment_id: '42'\nname: /Shared/me@home/churn\n", "utf-8")
    (experiment / ("a" * 32) / "tags/data").write_text("s3://mine/rows@2")
    (experiment / ("a" * 32) / "tags/odd").write_text("two\nlines")
    found = RunImport(desk.library).take(tmp_path).runs
    assert {run.group for run in found} == {"-Shared-me-home-churn"}
    assert found[0].tags == ("mlflow", "data=s3:--mine-rows-2", "odd=two-lines", "team=blue")


def test_links_in_an_mlruns_folder_lead_nowhere(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "key").write_text("mine")
    run = _mlruns(tmp_path) / "mlruns/42" / ("a" * 32)
    (run / "artifacts").symlink_to(secret)
    (run / "params/depth").unlink()
    (run / "params").rmdir()
    (run / "params").symlink_to(secret)
    model = run.parent / "models/m-1"
    model.mkdir(parents=True)
    (model / "meta.yaml").write_text(f"name: m\nsource_run_id: {'a' * 32}\n")
    (model / "artifacts").symlink_to(secret)
    found = next(run for run in RunImport(desk.library).take(tmp_path).runs if run.name == "run-a")
    kept = [event.payload["name"] for event in desk.library.runs.events(found.id) if event.kind == "artifact"]
    assert (found.parameters, kept) == ({}, [])


@pytest.mark.parametrize("text", ["status: [3\n", ""])
def test_a_run_whose_meta_names_none_is_named(desk: Desk, tmp_path: Path, text: str) -> None:
    experiment = _mlruns(tmp_path) / "mlruns/42"
    (experiment / ("a" * 32) / "meta.yaml").write_text(text)
    (experiment / "tags").mkdir()   # the experiment's own
    found = RunImport(desk.library).take(tmp_path)
    assert [run.name for run in found.runs] == ["run-b"]
    assert [(run.name, "names no run" in str(run.why)) for run in found.unreadable] == [("a" * 32, True)]


def _database(path: Path) -> Path:
    """Write what MLflow's SQLite store writes, as far as it is read: two runs, and one in the bin."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(f"""
            CREATE TABLE experiments (experiment_id INTEGER, name TEXT);
            CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time INTEGER, end_time INTEGER,
                               lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
            CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, run_uuid TEXT, step INTEGER, is_nan INTEGER);
            CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
            CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
            INSERT INTO experiments VALUES (1, 'churn');
            INSERT INTO runs VALUES ('k1', 'first', 'FINISHED', {_START}, {_START + 5000}, 'active', 'file:///x', 1),
                                    ('k2', 'open', 'RUNNING', {_START}, NULL, 'active', 'file:///x', 1),
                                    ('k3', 'gone', 'FINISHED', {_START}, NULL, 'deleted', '', 1);
            INSERT INTO metrics VALUES ('loss', 0.5, {_START + 1000}, 'k1', 1, 0),
                                       ('loss', 0, {_START + 2000}, 'k1', 2, 1);
            INSERT INTO params VALUES ('depth', '6', 'k1');""")
    return path


@pytest.mark.parametrize("step", ["9e999", "1e300", "9223372036854775807.0", "'x'"])
def test_a_step_that_is_none_holds_up_no_other_run_of_a_database(desk: Desk, tmp_path: Path, step: str) -> None:
    path = _database(tmp_path / "mlflow.db")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"INSERT INTO metrics VALUES ('loss', 1, 1, 'k2', {step}, 0)")
    found = RunImport(desk.library).take(path)
    assert [run.name for run in found.runs] == ["first"]
    assert [(run.name, "metric 'loss'" in str(run.why)) for run in found.unreadable] == [("open", True)]


def test_ids_and_names_that_are_no_text_are_named_and_damaged_text_is_read(desk: Desk, tmp_path: Path) -> None:
    path = _database(tmp_path / "mlflow.db")
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript("""
            CREATE TABLE other AS SELECT * FROM runs;   -- the same columns, without a type that makes text of 5
            DROP TABLE runs;
            CREATE TABLE runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, artifact_uri,
                               experiment_id);
            INSERT INTO runs SELECT * FROM other;
            INSERT INTO runs VALUES ('k5', 5, 'FINISHED', 1, 2, 'active', '', 1),
                                    ('k6', x'ff00', 'FINISHED', 1, 2, 'active', '', 1),
                                    (x'fffe', 'odd', 'FINISHED', 1, 2, 'active', '', 1),
                                    ('k7', CAST(x'ff41' AS TEXT), 'FINISHED', 1, 2, 'active', '', 1);""")
    found = RunImport(desk.library).take(path)
    assert [run.name for run in found.runs] == ["\ufffdA", "first", "open"]
    assert [run.name for run in found.unreadable] == ["5", "b'\\xff\\x00'", "odd"]
    assert all("is no text" in str(run.why) for run in found.unreadable)


def test_files_of_a_store_have_names_that_can_be_written(desk: Desk, tmp_path: Path) -> None:
    experiment = _mlruns(tmp_path) / "mlruns/42"
    for place, name in enumerate(("../../../escaped", "/abs", "a/./b", "con", "plain", "../plain")):
        model = experiment / f"models/m-{place}"
        (model / "artifacts").mkdir(parents=True)
        (model / "meta.yaml").write_text(f"name: {name}\nsource_run_id: {'a' * 32}\n")
        (model / "artifacts/x.txt").write_text(str(place))
    (experiment / ("a" * 32) / "artifacts").mkdir()
    for odd in ("new\nline: 1.txt", "end. ", "model", "model."):
        (experiment / ("a" * 32) / "artifacts" / odd).write_text("odd")
    run = next(run for run in RunImport(desk.library).take(tmp_path).runs if run.name == "run-a")
    kept = desk.library.runs.artifacts(run.id)
    assert [check_path(name) for name in kept] == list(kept)
    assert set(kept) > {"new-line- 1.txt", "end", "model (file)", "models/escaped/x.txt", "models/abs/x.txt",
                        "models/a/b/x.txt", "models/plain/x.txt"}
    assert len(kept) == 10


def test_runs_of_a_database_come_over(desk: Desk, tmp_path: Path) -> None:
    path = _database(tmp_path / "mlflow.db")
    found = RunImport(desk.library).take(path)
    assert [(run.name, run.state, run.group) for run in found.runs] == [
        ("first", JobState.SUCCEEDED, "churn"), ("open", JobState.CANCELLED, "churn")]
    assert next((point.step, point.value) for point in desk.library.runs.metrics(found.runs[0].id)) == (1, 0.5)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO runs VALUES ('k4', 'odd', 'FINISHED', 1, 2, 'active', '', 1)")
        database.execute("INSERT INTO metrics VALUES ('loss', 'high', 1, 'k4', 1, 0)")
    again = RunImport(desk.library).take(path)
    assert (again.known, [run.name for run in again.unreadable]) == (2, ["odd"])
    with closing(sqlite3.connect(tmp_path / "other.db")) as database, database:
        database.execute("CREATE TABLE x (y)")
    with pytest.raises(BadInput, match="no database of MLflow's"):
        RunImport(desk.library).take(tmp_path / "other.db")


def test_the_checksum_is_the_one_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_scalars_of_tensorboard_come_over(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "second" / "train"
    folder.mkdir(parents=True)
    (folder / "events.out.tfevents.1.host").write_bytes(log() + b"\x10\0\0")   # cut in the midst of a record
    run, = RunImport(desk.library).take(tmp_path / "logs").runs
    assert (run.name, run.group, run.state, run.tags) == ("second/train", "logs", JobState.SUCCEEDED, ("tensorboard",))
    assert sorted((point.metric, point.step, point.value) for point in desk.library.runs.metrics(run.id)) == [
        ("accuracy", 1, 0.75), ("loss", 1, 0.5), ("loss", 2, 0.5)]


def test_pictures_and_histograms_of_tensorboard_come_over(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.host").write_bytes(seen_log())
    run, = RunImport(desk.library).take(tmp_path).runs
    assert sorted(desk.library.runs.artifacts(run.id)) == [
        "histograms.json", "pictures/a/cat/1.png", "pictures/cat/2-2.png", "pictures/cat/2.png"]


def test_files_that_an_address_leads_away_to_are_left(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (secret / "artifacts").mkdir(parents=True)
    (secret / "artifacts" / "key.txt").write_text("secret")
    _mlruns(tmp_path)
    for key, uri in (("a" * 32, f"file://{secret}/artifacts"), ("b" * 32, "s3://bucket/artifacts")):
        meta = tmp_path / "mlruns/42" / key / "meta.yaml"
        meta.write_text(meta.read_text().replace("file:///x", uri))
    first, second = RunImport(desk.library).take(tmp_path).runs
    assert not desk.library.runs.artifacts(first.id)
    warned = [event.payload["text"] for event in desk.library.runs.events(second.id) if event.kind == "warning"]
    assert warned == ["Its files stayed at s3://bucket/artifacts, where MLflow kept them."]


@pytest.mark.parametrize("place", [0, 9, 20, 60])
def test_a_changed_byte_is_noticed(tmp_path: Path, place: int) -> None:
    data = bytearray(log())
    data[place] ^= 1
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(data)
    with pytest.raises(BadInput, match="is damaged"):
        list(read_log(path))


@pytest.mark.parametrize("data", [b"\x2a\xff\xff\xff\xff\x0f", b"\x10" + b"\xff" * 10, b"\x0b", b"\x2a\x05\x0a\x09abc"])
def test_messages_that_promise_too_much_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(record(data))
    with pytest.raises(BadInput, match="is damaged"):
        list(read_log(path))


def test_what_holds_no_runs_is_said_to(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    for path, kind in ((tmp_path, BadInput), (tmp_path / "notes.txt", BadInput), (tmp_path / "none", NotFound)):
        with pytest.raises(kind):
            RunImport(desk.library).take(path)
