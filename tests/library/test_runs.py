"""Runs: every event once, whoever brings it, and everything it means in the same transaction."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.core.paths import Home
from mldesk.library import EventGap, Library, run_facts
from mldesk.wire.events import Event
from mldesk.wire.states import Cause, JobState
from tests.library.conftest import STARTED, add_run, add_table, event, journal, loss, make_spec, succeeded


@pytest.fixture
def run(library: Library) -> str:
    add_table(library)
    return add_run(library).id


class TestAdding:
    def test_a_run_begins_with_what_was_asked(self, library: Library) -> None:
        add_table(library)
        spec = make_spec()
        run = library.runs.add(spec, "local", "penguins@1", 5.0)
        assert (run.state, run.last_seq, run.created, run.dataset) == (JobState.CREATED, 0, 5.0, "penguins@1")
        assert (run.target, run.estimator, run.parameters, run.model) == ("class", "linear", {"c": 1.0}, None)
        assert run.spec == spec.to_json()
        assert library.runs.get(spec.id) == run

    def test_the_same_job_again_is_the_same_run(self, library: Library) -> None:
        spec = make_spec()
        run = library.runs.add(spec, "local", "penguins@1")
        assert library.runs.add(spec, "local", "penguins@1") == run
        with pytest.raises(Conflict):
            library.runs.add(dataclasses.replace(spec, name="other"), "local", "penguins@1")
        assert len(library.runs.list()) == 1

    def test_a_run_is_found_by_id_by_name_and_by_the_start_of_its_id(self, library: Library) -> None:
        old, new = add_run(library, name="Täglich"), add_run(library, name="nächtlich")
        assert library.runs.get(old.id).id == old.id
        assert library.runs.get(old.id.lower()).id == old.id
        assert library.runs.get("NÄCHTLICH").id == new.id
        shared = next(n for n in range(27) if old.id[:n + 1] != new.id[:n + 1])
        assert library.runs.get(new.id[:shared + 1]).id == new.id
        with pytest.raises(BadInput) as several:
            library.runs.get(new.id[:shared])
        assert old.id in several.value.hint and new.id in several.value.hint
        for reference in ("nobody", new.id[:3], "", "x' OR 1=1", "ZZZZ", "~~~~"):
            with pytest.raises(NotFound) as caught:
                library.runs.get(reference)
            assert caught.value.hint

    def test_runs_are_listed_newest_first(self, library: Library) -> None:
        runs = [add_run(library, name=str(number)) for number in range(5)]
        assert [run.name for run in library.runs.list()] == ["4", "3", "2", "1", "0"]
        assert [run.name for run in library.runs.list(limit=2, offset=1)] == ["3", "2"]
        library.runs.mark_submitted(runs[2].id)
        assert [run.name for run in library.runs.list(state=JobState.QUEUED)] == ["2"]


class TestStates:
    def test_submitted_says_nothing_new_once_the_journal_speaks(self, library: Library, run: str) -> None:
        library.runs.mark_submitted(run)
        assert library.runs.get(run).state is JobState.QUEUED
        library.runs.apply(run, journal(("queued", {}), STARTED))
        library.runs.mark_submitted(run)
        assert library.runs.get(run).state is JobState.RUNNING

    def test_a_lost_run_is_believed_again_when_its_journal_turns_up(self, library: Library, run: str) -> None:
        library.runs.mark_lost(run, "no trace")
        lost = library.runs.get(run)
        assert (lost.state, lost.message) == (JobState.LOST, "no trace")
        library.runs.apply(run, journal(STARTED))
        assert library.runs.get(run).state is JobState.RUNNING
        assert library.runs.get(run).message == ""

    def test_a_run_that_is_leaving_says_what_was_asked_of_it(self, library: Library, run: str) -> None:
        library.runs.apply(run, journal(STARTED, ("stopping", {"asked": "finish"})))
        assert (library.runs.get(run).state, library.runs.get(run).cause) == (JobState.STOPPING, Cause.FINISHING)
        library.runs.apply(run, journal(STARTED, ("stopping", {"asked": "finish"}), ("stopping", {"asked": "cancel"})))
        assert library.runs.get(run).cause is Cause.CANCELLED
        library.runs.apply(run, journal(STARTED, ("stopping", {"asked": "finish"}), ("stopping", {"asked": "cancel"}),
                                        ("succeeded", {"result": {}})))
        assert library.runs.get(run).cause is None

    def test_a_finished_run_never_changes_again(self, library: Library, run: str) -> None:
        library.runs.apply(run, journal(STARTED, ("cancelled", {"cause": "cancelled", "message": "as asked"})))
        before = library.runs.get(run)
        library.runs.mark_lost(run, "no trace")
        with pytest.raises(Conflict):
            library.runs.set_state(run, JobState.FAILED)
        assert library.runs.get(run) == before

    def test_a_job_that_was_never_taken_can_be_said_to_have_failed(self, library: Library, run: str) -> None:
        library.runs.set_state(run, JobState.FAILED, cause=Cause.ENV_FAILED, message="m", hint="h")
        failed = library.runs.get(run)
        assert (failed.state, failed.cause, failed.message, failed.hint) == (
            JobState.FAILED, Cause.ENV_FAILED, "m", "h")


class TestApplying:
    def test_a_whole_run(self, library: Library, run: str) -> None:
        manifest = library.datasets.version("penguins").manifest
        events = journal(("queued", {}), ("staged", {}), STARTED, ("stage", {"name": "Fitting"}),
                         ("progress", {"done": 1.0, "total": 2.0}), loss(1), loss(2, 0.25, validation_loss="NaN"),
                         *succeeded(manifest))
        assert library.runs.apply(run, events[:4]) == 4
        assert library.runs.apply(run, events) == 9
        now = library.runs.get(run)
        assert (now.state, now.cause, now.last_seq) == (JobState.SUCCEEDED, None, 9)
        assert (now.started, now.finished, now.seconds) == (1003.0, 1009.0, 6.0)
        assert (now.stage, now.progress, now.model) == ("Fitting", {"done": 1.0, "total": 2.0}, "penguins-class@1")
        assert (now.task, now.parameters) == ("tabular_classification", {"c": 2.0})
        assert now.result is not None
        assert now.result["model"] == manifest
        assert library.runs.events(run) == events
        assert library.runs.events(run, 3, limit=2) == events[3:5]
        points = library.runs.metrics(run)
        assert [(point.metric, point.step, point.seconds, point.seq) for point in points] == [
            ("train_loss", 1, 0.1, 6), ("train_loss", 2, 0.2, 7), ("validation_loss", 2, 0.2, 7)]
        assert points[:2] == library.runs.metrics(run)[:2]
        assert math.isnan(points[2].value)
        assert [point.seq for point in library.runs.metrics(run, 6)] == [7, 7]
        assert library.runs.artifacts(run) == {"model": {"digest": manifest, "size": 7, "kind": "manifest"}}
        model = library.models.version("penguins-class")
        assert (model.run, model.manifest, model.dataset, model.size) == (run, manifest, "penguins@1", 7)
        assert (model.metrics, model.estimator, model.created) == ({"accuracy": 0.9}, "linear", 1009.0)

    def test_a_gap_is_refused_and_nothing_of_the_batch_is_kept(self, library: Library, run: str) -> None:
        events = journal(("queued", {}), STARTED, loss(1), loss(2))
        library.runs.apply(run, events[:1])
        before = library.runs.get(run)
        for batch in (events[2:], [events[1], events[3]]):
            with pytest.raises(EventGap) as caught:
                library.runs.apply(run, batch)
            assert caught.value.got == batch[-1].seq - (0 if len(batch) == 2 and batch[0].seq == 2 else 1)
        assert library.runs.get(run) == before
        assert library.runs.events(run) == events[:1]

    def test_what_has_come_before_is_skipped(self, library: Library, run: str) -> None:
        events = journal(STARTED, loss(1), loss(2))
        assert library.runs.apply(run, []) == 0
        assert library.runs.apply(run, [events[0], events[0], events[1], events[0], events[1]]) == 2
        assert library.runs.apply(run, events) == 3
        assert library.runs.apply(run, events[:1]) == 3
        assert library.runs.events(run) == events
        with pytest.raises(NotFound):
            library.runs.apply("0" * 26, events)

    def test_a_second_attempt_supersedes_what_the_first_had_past_its_checkpoint(
            self, library: Library, run: str) -> None:
        events = journal(STARTED, loss(1, 1), loss(2, 2), loss(3, 3),
                         ("interrupted", {"cause": "killed_external", "message": "killed", "hint": "resume"}))
        library.runs.apply(run, events)
        stopped = library.runs.get(run)
        assert (stopped.state, stopped.cause, stopped.hint) == (
            JobState.INTERRUPTED, Cause.KILLED_EXTERNAL, "resume")
        again = journal(loss(99), ("started", {"attempt": 2, "resumed_from": 2}), loss(3, 30), first=6)
        library.runs.apply(run, again)
        assert [(point.step, point.value) for point in library.runs.metrics(run)] == [(1, 1), (2, 2), (3, 30)]
        now = library.runs.get(run)
        assert (now.state, now.cause, now.message, now.finished, now.started) == (
            JobState.RUNNING, None, "", None, 1001.0)
        library.runs.apply(run, journal(("started", {"attempt": 3, "resumed_from": None}), loss(-1, 5), first=9))
        assert [(point.step, point.value) for point in library.runs.metrics(run)] == [(-1, 5)]
        assert len(library.runs.events(run)) == 10

    def test_a_run_makes_one_model_version_under_the_name_it_was_given(self, library: Library, run: str) -> None:
        manifest = library.datasets.version("penguins").manifest
        for number, more in enumerate([{"model": "Modèle"}, {"model": "MODÈLE"}], 1):
            asked = add_run(library, **more)
            library.runs.apply(asked.id, journal(*succeeded(manifest)))
            library.runs.apply(asked.id, journal(*succeeded(manifest)))
            assert library.runs.get(asked.id).model == f"Modèle@{number}"
        other = library.runs.add(make_spec(model="x"), "local", "penguins@1", model_name="wanted")
        library.runs.apply(other.id, journal(*succeeded(manifest)))
        assert library.runs.get(other.id).model == "wanted@1"
        nameless = library.runs.add(make_spec(model="//"), "local")
        library.runs.apply(nameless.id, journal(*succeeded(manifest)))
        assert library.runs.get(nameless.id).model == "model@1"

    @pytest.mark.parametrize("payload", [
        {}, {"step": 1}, {"step": "1", "values": {"a": 1}}, {"step": 1, "values": [1]},
        {"step": 1 << 70, "values": {"a": 1}},
        {"step": True, "values": {"a": 1}}, {"step": 1, "values": {"a": "x", "b": None, "c": [1], "d": 10 ** 400}},
        {"step": 1, "values": {"\ud800": 1.0, "?": 2.0}}, {"step": 1, "values": {"m" * 300 + "a": 1, "m" * 300: 2}},
        {"step": math.nan, "values": {"a": math.inf}, "epoch": "x", "seconds": None},
    ])
    def test_a_runner_that_talks_nonsense_cannot_jam_a_run(self, library: Library, run: str,
                                                          payload: dict[str, Any]) -> None:
        events = journal(("metrics", payload), ("stage", {"name": "\ud800"}), ("artifact", payload),
                         ("started", {"resumed_from": "x"}), ("progress", payload), ("\ud800new kind", payload),
                         ("succeeded", {"result": {"model": "../x", "metrics": [1], "task": 7}}),
                         ("failed", {"cause": "bewitched", "message": 7}))
        assert library.runs.apply(run, [*events[:7], dataclasses.replace(events[7], time=math.nan)]) == 8
        assert library.runs.get(run).cause is Cause.INTERNAL
        assert len(library.runs.events(run)) == 8
        library.runs.metrics(run)
        assert library.runs.artifacts(run) == {}
        assert library.models.list() == []


KINDS = st.sampled_from(["metrics", "log", "stage"])
PIECES = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 8)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(kinds=st.lists(st.integers(-2, 9), min_size=1, max_size=14), pieces=PIECES)
def test_however_the_events_arrive_the_library_holds_each_once(
        shared_library: Library, kinds: list[int], pieces: list[tuple[int, int]]) -> None:
    """-2 is an attempt that starts anew, -1 one that goes on from step 3, anything else a point at that step."""
    events = [event(seq, *(("started",) if kind < 0 else ("metrics",)),
                    **({"resumed_from": None if kind == -2 else 3} if kind < 0 else loss(kind)[1]))
              for seq, kind in enumerate(kinds, 1)]
    run = add_run(shared_library).id
    for start, length in [*pieces, (0, len(events))]:
        batch = events[start:start + length]
        try:
            shared_library.runs.apply(run, batch)
        except EventGap as gap:
            assert gap.expected == shared_library.runs.get(run).last_seq + 1 < batch[0].seq
        held = shared_library.runs.events(run)
        assert held == events[:len(held)]
        assert shared_library.runs.get(run).last_seq == len(held)
    steps: list[int] = []
    for kind in kinds:
        steps = [step for step in steps if kind == -1 and step <= 3] if kind < 0 else [*steps, kind]
    assert [point.step for point in shared_library.runs.metrics(run)] == steps


@pytest.fixture(scope="module")
def shared_library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Library.open(Home(tmp_path_factory.mktemp("shared"))) as library:
        yield library


FOLLOWER = """
import json, sys
from pathlib import Path
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.wire.events import Event
home, run, file = sys.argv[1:]
events = [Event(**line) for line in json.loads(Path(file).read_text())]
with Library.open(Home(Path(home))) as library:
    print("ready", flush=True); sys.stdin.readline()
    while (cursor := library.runs.get(run).last_seq) < len(events):
        library.runs.apply(run, events[cursor:cursor + 7])
"""


def test_followers_in_two_processes_and_two_threads_keep_each_event_once(
        library: Library, home: Home, run: str, tmp_path: Path) -> None:
    manifest = library.datasets.version("penguins").manifest
    events = journal(STARTED, *[loss(step) for step in range(1, 400)], *succeeded(manifest))
    file = tmp_path / "events.json"
    file.write_text(json.dumps([dataclasses.asdict(item) for item in events]))
    others = [subprocess.Popen([sys.executable, "-c", FOLLOWER, str(home.root), run, str(file)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    def follow() -> None:
        while (cursor := library.runs.get(run).last_seq) < len(events):
            library.runs.apply(run, events[cursor:cursor + 5])

    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    threads = [threading.Thread(target=follow) for _ in range(2)]
    for other in others:
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.communicate()
    assert [other.returncode for other in others] == [0, 0]
    assert library.runs.events(run) == events
    assert [point.step for point in library.runs.metrics(run)] == list(range(1, 400))
    assert [version.number for version in library.models.versions("penguins-class")] == [1]


def test_working_out_what_events_mean_needs_no_library() -> None:
    changes = run_facts.fold(journal(STARTED, loss(1)), JobState.QUEUED, None)
    assert changes.fields["state"] == "running"
    assert [row[2] for row in changes.events] == ["started", "metrics"]
    assert isinstance(run_facts.new_events("r", 1, journal(STARTED, loss(1)))[0], Event)


@pytest.mark.parametrize("bad", [{"seconds": "x"}, {"seconds": None}, {"seconds": 10 ** 400}, {"rows": {"train": "x"}},
                                 {"rows": {"test": 10 ** 400}}, {"rows": []}])
def test_a_result_holds_only_numbers_that_everybody_can_show(library: Library, run: str, bad: dict[str, Any]) -> None:
    good = {"seconds": 1.5, "rows": {"train": 3}, "task": "tabular_regression"}
    library.runs.apply(run, [Event(1, 1.0, "succeeded", {"result": {**good, **bad}})])
    kept = library.runs.get(run).result
    assert kept == {key: value for key, value in good.items() if key not in bad}
