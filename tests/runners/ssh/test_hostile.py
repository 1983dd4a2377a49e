"""A hostile runner: whatever it says, the desk neither breaks, nor reads, writes or runs anything for it."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.desktop.states.run import log_line
from mldesk.library import Library
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.bulk import Frame, header
from mldesk.wire.events import KINDS, Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.manifest import CHUNK
from mldesk.wire.objects import ObjectStore
from mldesk.wire.runner_view import RunnerSettings
from mldesk.workbench.following import Follower
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.summaries import run_details
from tests.runners.ssh.evil import Evil, runner_of

JOB = new_id()
HELLO = {"agent": "1", "protocol": [1, 2], "boot_id": "b", "host": "h", "clock": 1.0, "cores": 2, "memory": 1,
         "devices": [], "python": "3", "versions": {}, "slots": 1}
DEEP: Any = 0
for _ in range(400):
    DEEP = [DEEP]
NASTY: list[Any] = [
    None, True, -1, 0, 1 << 70, 10 ** 400, 1e308, "NaN", "", "x" * 100_000, "../../../../etc/passwd", "/etc/passwd",
    "\x1b]0;owned\x07\u202e<img src=file:///etc/passwd>\x00", "__import__('os').abort()", [], {}, [None], [[]], [{}],
    [1 << 70], ["../x"] * 2000, {"a": {"b": []}}, {"__class__": "x", "../x": 1}, DEEP]
KEYS: dict[str, list[str]] = {
    "hello": list(HELLO), "submit": ["state", "fresh"], "events": ["count", "last_seq"],
    "state": ["state", "cause", "attempt", "last_seq", "position"], "cancel": ["state"], "finish": ["state"],
    "resume": ["state"], "log": ["next"], "jobs": ["jobs"], "have": ["missing"], "get": ["size"],
    "queue": ["waiting", "slots", "draining", "quiet"], "reorder": ["position"], "prioritize": ["position"],
    "drain": ["draining"], "settings": ["settings", "zone"], "configure": ["settings"], "telemetry": ["samples"],
    "agent_log": ["next", "size"], "release": ["state"], "checkpoint": ["digest", "step", "name", "attempt"],
    "take_over": ["state", "fresh"], "forget_job": [], "cache": ["used", "quota", "pinned", "objects", "free"],
    "collect": ["freed"]}
SPEC = JobSpec(JOB, "train", "a job", (), {})
ASK: dict[str, Callable[[SshRunner], Any]] = {
    "hello": lambda r: r.hello(), "submit": lambda r: r.submit(SPEC), "events": lambda r: r.events(JOB, 0),
    "state": lambda r: r.state(JOB), "cancel": lambda r: r.cancel(JOB), "finish": lambda r: r.finish(JOB),
    "resume": lambda r: r.resume(JOB), "log": lambda r: r.log(JOB), "jobs": lambda r: r.jobs(),
    "get": lambda r: r.fetch("a" * 64, r._store), "queue": lambda r: r.queue(), "reorder": lambda r: r.reorder(JOB, ""),
    "prioritize": lambda r: r.prioritize(JOB, 1), "drain": lambda r: r.drain(True), "settings": lambda r: r.settings(),
    "configure": lambda r: r.configure(RunnerSettings()), "telemetry": lambda r: r.telemetry(),
    "agent_log": lambda r: r.agent_log(), "release": lambda r: r.release(JOB),
    "checkpoint": lambda r: r.checkpoint(JOB),
    "forget_job": lambda r: r.forget_job(JOB), "cache": lambda r: r.cache(), "collect": lambda r: r.collect(),
    "have": lambda r: r.bring(r._store.put_manifest({"part": r._store.put_bytes(b"x")}))}


@pytest.fixture
def evil() -> Iterator[Evil]:
    evil = Evil()
    evil.answers["hello"] = (HELLO, b"")
    yield evil
    evil.close()


@pytest.fixture
def runner(evil: Evil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshRunner]:
    runner = runner_of(evil, tmp_path, monkeypatch)
    yield runner
    runner.close()


@pytest.mark.parametrize("method", sorted(ASK))
def test_no_answer_breaks_what_asked(runner: SshRunner, evil: Evil, method: str) -> None:
    runner.hello()
    for nasty in NASTY:
        for keys in (KEYS[method], *([key] for key in KEYS[method])):
            for body in (b"", b"\xff\x00{}\n" * 10):
                good = HELLO if method == "hello" else {}
                evil.answers[method] = ({**good, **dict.fromkeys(keys, nasty)}, body)
                try:
                    got = ASK[method](runner)
                except MldeskError as error:
                    assert len(str(error)) < 3000
                else:
                    assert len(repr(got)) < 1_000_000


@pytest.mark.parametrize("size", [CHUNK + 1, 1 << 41, 1 << 60, 10 ** 400, "1", None])
def test_an_object_of_any_size_that_is_not_there_is_no_burden(
        runner: SshRunner, evil: Evil, tmp_path: Path, size: Any) -> None:
    before = psutil.Process().memory_info().rss
    evil.answers["get"] = ({"size": size}, b"x")
    with pytest.raises(MldeskError):
        runner.fetch("a" * 64, ObjectStore(tmp_path / "here"))
    assert psutil.Process().memory_info().rss - before < 100 * 2**20


@pytest.mark.parametrize("path", ["../../escaped", "/tmp/escaped", "a/../../escaped", "C:\\escaped", "a\u0000b"])
def test_a_manifest_with_a_path_that_leads_out_is_only_bytes(
        runner: SshRunner, evil: Evil, tmp_path: Path, path: str) -> None:
    here, far = ObjectStore(tmp_path / "here"), ObjectStore(tmp_path / "far")
    honest = far.read(far.put_manifest({"PATH": far.put_bytes(b"payload")}))
    data = honest.replace(b'"PATH"', json.dumps(path).encode())
    digest = hashlib.sha256(data).hexdigest()
    evil.answers["get"] = ({"size": len(data)}, data)
    evil.bulk = header(Frame.DATA, b"payload") + b"payload"
    runner.fetch(digest, here)
    assert here.read(digest) == data
    with pytest.raises(MldeskError):
        here.manifest(digest)
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.mark.parametrize("facts", [{}, {"rpyc": "6.0.2"}, {"rpyc": 6, "bulk": "x"}, {"error": {"message": 5}},
                                   {"error": {"message": "\x1b[2Jgone", "hint": ["x"]}}, {"protocol": "99"}])
def test_a_banner_of_any_kind_is_a_refusal_in_words(runner: SshRunner, evil: Evil, facts: dict[str, Any]) -> None:
    evil.facts = facts
    with pytest.raises(RunnerUnreachable) as caught:
        runner.hello()
    assert str(caught.value).isprintable()


# --- events, which go into the library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(Home(tmp_path / "home")) as library:
        library.runners.add("evil", "ssh", "user@nowhere")
        library.runs.add(SPEC, "evil")
        yield library


def line(seq: Any, kind: Any, payload: Any, time: Any = 1.0) -> bytes:
    """Return a journal line as a liar writes it: its checksum is right."""
    body = json.dumps({"kind": kind, "payload": payload, "seq": seq, "time": time}, sort_keys=True).encode()
    return b"%08x " % zlib.crc32(body) + body + b"\n"


def nasty_payloads() -> list[Any]:
    keys = ["attempt", "pid", "resumed_from", "name", "done", "total", "step", "epoch", "seconds", "values", "level",
            "text", "digest", "size", "type", "asked", "result", "cause", "message", "hint"]
    whole = [dict.fromkeys(keys, nasty) for nasty in NASTY]
    return [*whole, {"step": 1, "values": {"x" * 1000: 1.0, "../x": "NaN", "loss": 10 ** 400}},
            {"values": {}, "step": -1},
            {"result": {"model": "../../etc/passwd", "task": [], "metrics": {"a": {}}, "estimator": 1}},
            {"result": {"model": "a" * 64, "metrics": NASTY}}]


def test_no_event_breaks_a_follower_or_the_library(runner: SshRunner, evil: Evil, library: Library) -> None:
    follower = Follower(library, RunnerService(library, lambda _: runner, SystemClock()))
    evil.answers["submit"] = ({"state": "queued"}, b"")
    seq = 0
    for payload in nasty_payloads():
        for kind in (*(kind for kind in KINDS if kind not in ("succeeded", "failed", "cancelled")), "unheard_of"):
            evil.answers["events"] = ({}, line(seq + 1, kind, payload))
            try:
                follower.pump(JOB)
            except MldeskError as error:
                assert len(str(error)) < 3000
            seq = library.runs.get(JOB).last_seq
    assert seq > 200
    assert [event.seq for event in library.runs.events(JOB)] == list(range(1, seq + 1))
    assert all(-1 << 63 <= point.step < 1 << 63 for point in library.runs.metrics(JOB))
    assert not library.runs.artifacts(JOB)


@pytest.mark.parametrize("kind", ["succeeded", "failed", "cancelled"])
def test_no_last_word_breaks_a_follower_or_the_library(
        runner: SshRunner, evil: Evil, library: Library, kind: str) -> None:
    follower = Follower(library, RunnerService(library, lambda _: runner, SystemClock()))
    evil.answers["submit"] = ({"state": "queued"}, b"")
    for payload in nasty_payloads():
        spec = JobSpec(new_id(), "train", "a job", (), {})
        library.runs.add(spec, "evil")
        evil.answers["events"] = ({}, line(1, "queued", {}) + line(2, kind, payload))
        try:
            follower.pump(spec.id)
        except MldeskError as error:
            assert len(str(error)) < 3000
        assert library.runs.get(spec.id).state.value in (kind, "queued", "created")


@pytest.mark.parametrize("said", [
    line(2, "queued", {}), line(1, "queued", {}) * 2, line(1, "Q" * 5000, {}), line(1, 5, {}), line(1, "log", []),
    line("1", "log", {}), line(1, "log", {}, "now"), line(1, "log", {}, 10 ** 400), line(1, "log", {}, -1e308),
    line(True, "log", {}), b"00000000 {}\n", b"\n" * 50, b"no newline", line(1, "log", {})[:-9] + b"\n",
    b"%08x " % zlib.crc32(b"[" * 100_000) + b"[" * 100_000 + b"\n"])
def test_lines_that_are_no_events_bring_nothing_into_the_library(
        runner: SshRunner, evil: Evil, library: Library, said: bytes) -> None:
    follower = Follower(library, RunnerService(library, lambda _: runner, SystemClock()))
    evil.answers["submit"] = ({"state": "queued"}, b"")
    evil.answers["events"] = ({}, said)
    try:
        follower.pump(JOB)
    except MldeskError as error:
        assert len(str(error)) < 3000
    events = library.runs.events(JOB)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert all(event.time == event.time for event in events)


@pytest.mark.parametrize("time", [1e308, -1e308, 1e15, 253402300800.0, -1.0])
def test_a_runner_whose_clock_lies_keeps_no_list_from_being_written(library: Library, time: float) -> None:
    library.runs.apply(JOB, [Event(1, time, "started", {"attempt": 1}), Event(2, time, "failed", {})])
    assert datetime.fromisoformat(run_details(library.runs.get(JOB))["started"]).year in (1970, 9999)
    for event in library.runs.events(JOB):
        assert event.to_json()["time"]
        assert log_line(event)


def test_facts_of_any_kind_can_be_kept_and_read_again(runner: SshRunner, evil: Evil, library: Library) -> None:
    service = RunnerService(library, lambda _: runner, SystemClock())
    for nasty in NASTY:
        for key in HELLO:
            evil.answers["hello"] = ({**HELLO, key: nasty}, b"")
            try:
                record = service.check("evil")
            except MldeskError:
                continue
            assert all(type(record.facts.get(name)) is not int or record.facts[name] < 1 << 63 for name in record.facts)
    assert service.show("evil").name == "evil"
