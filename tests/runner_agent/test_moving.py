"""A job goes from one runner to another: released, taken over, forgotten, and nothing of it is lost in between."""

from __future__ import annotations

import contextlib
import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.core.ids import new_id
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import encode
from mldesk.wire.objects import ObjectStore
from mldesk.wire.states import JobState
from tests.runner_agent.bench import Bench, command_of, dense, kill, kinds, last, steps

STEPS = 200


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[tuple[Bench, Bench]]:
    pair = Bench(tmp_path / "a"), Bench(tmp_path / "b")
    yield pair
    for bench in pair:
        bench.close()


def bring(digest: str | None, source: Bench, target: Bench) -> None:
    """What a desktop does: fetch from one runner into the library, which the other takes it from."""
    if digest is None:
        return
    theirs, ours = ObjectStore(source.home.objects), ObjectStore(target.home.objects)
    for entry in theirs.manifest(digest).entries:
        ours.put_file(theirs.path(entry.sha256))
    ours.put_file(theirs.path(digest))


def released(bench: Bench, spec: JobSpec, step: int = 5) -> list[Event]:
    """Have a job run to a step and be released; return its events."""
    bench.runner.submit(spec)
    bench.follow(spec.id, until=lambda event: event.payload.get("step") == step)
    bench.runner.release(spec.id)
    return bench.follow(spec.id)


def followed(bench: Bench, job: str, before: list[Event]) -> list[Event]:
    """Follow a job that was taken over with a history; return all of its events."""
    past = bench.runner.events(job, 0, limit=len(before))
    assert past == before
    return past + bench.follow(job, after=len(before))


def encoded(events: list[Event]) -> bytes:
    """A history as a library writes it down again: without the marks that the runner's own lines have."""
    return b"".join(encode(event) for event in events)


def going(bench: Bench, **more: object) -> JobSpec:
    """Return a job that still goes on when a slow machine gets to releasing it."""
    return bench.spec(steps=STEPS, delay=0.02, checkpoints=True, **more)


def test_a_moved_job_goes_on_from_its_last_step_in_one_history(benches: tuple[Bench, Bench]) -> None:
    here, there = benches
    spec = going(here)
    before = released(here, spec)
    assert [event.payload["asked"] for event in before if event.kind == "stopping"] == ["release"]
    assert (last(before)["kind"], last(before)["cause"]) == ("interrupted", "moved")
    checkpoint = here.runner.checkpoint(spec.id)
    bring(checkpoint, here, there)
    assert there.runner.take_over(spec, encoded(before), checkpoint) in (JobState.QUEUED, JobState.RUNNING)
    events = followed(there, spec.id, before)
    assert dense(events)
    after = events[len(before):]
    assert (after[0].kind, dict(after[0].payload)) == ("queued", {"attempt": 2, "by": "move"})
    assert after[2].payload["resumed_from"] == steps(before)[-1]
    assert steps(events) == list(range(1, STEPS + 1))
    assert events[-1].kind == "succeeded"
    here.runner.forget_job(spec.id)
    here.runner.forget_job(spec.id)
    with pytest.raises(NotFound):
        here.runner.state(spec.id)
    assert not here.folder(spec.id).path.exists()


def test_a_waiting_job_is_moved_without_having_run(benches: tuple[Bench, Bench]) -> None:
    here, there = benches
    here.runner.drain(True)
    spec = here.spec(steps=3)
    here.runner.submit(spec, priority=6)
    here.runner.release(spec.id)
    here.runner.release(spec.id)
    assert here.runner.queue().waiting == ()
    history, before = here.runner.history(spec.id), here.runner.events(spec.id, 0)
    assert here.runner.checkpoint(spec.id) is None
    there.runner.drain(True)
    there.runner.take_over(spec, history, None)
    assert [(item.job, item.priority) for item in there.runner.queue().waiting] == [(spec.id, 6)]
    there.runner.drain(False)
    events = followed(there, spec.id, before)
    assert kinds(events)[:4] == ["queued", "interrupted", "queued", "staged"]
    assert steps(events) == [1, 2, 3]


def test_taking_over_again_and_again_starts_it_once(benches: tuple[Bench, Bench]) -> None:
    here, there = benches
    spec = going(here)
    before = released(here, spec)
    checkpoint = here.runner.checkpoint(spec.id)
    bring(checkpoint, here, there)
    clients = [there.client() for _ in range(3)]
    senders = [threading.Thread(target=client.take_over, args=(spec, encoded(before), checkpoint))
               for client in clients]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    for client in clients:
        client.close()
    events = followed(there, spec.id, before)
    assert there.runner.take_over(spec, encoded(before), checkpoint) is JobState.SUCCEEDED
    assert kinds(events).count("queued") == 2
    assert (there.folder(spec.id).path / "starts").read_bytes() == b"x"


def test_a_job_that_comes_back_goes_on_from_what_it_did_elsewhere(benches: tuple[Bench, Bench]) -> None:
    here, there = benches
    spec = going(here)
    first = released(here, spec)
    checkpoint = here.runner.checkpoint(spec.id)
    bring(checkpoint, here, there)
    there.runner.take_over(spec, encoded(first), checkpoint)
    there.follow(spec.id, until=lambda event: event.payload.get("step") == 20)
    there.runner.release(spec.id)
    second = followed(there, spec.id, first)
    checkpoint = there.runner.checkpoint(spec.id)
    bring(checkpoint, there, here)
    kill(here.agent())  # and what it knew is read again from the disk
    here.runner.take_over(spec, encoded(second), checkpoint)
    events = followed(here, spec.id, second)
    assert steps(events) == list(range(1, STEPS + 1))
    assert events[-1].kind == "succeeded"
    assert kinds(events).count("queued") == 3


def test_a_move_that_came_to_nothing_is_taken_back(benches: tuple[Bench, Bench]) -> None:
    here, _ = benches
    spec = going(here)
    before = released(here, spec)
    here.runner.take_over(spec, encoded(before), here.runner.checkpoint(spec.id))
    assert followed(here, spec.id, before)[-1].kind == "succeeded"


def test_an_interrupted_job_can_be_released_and_an_ended_one_cannot(bench: Bench) -> None:
    job = bench.submit(end="signal:9")
    bench.follow(job)
    bench.runner.release(job)
    assert last(bench.follow(job, after=len(bench.follow(job))))["cause"] == "moved"
    done = bench.submit(steps=1)
    bench.follow(done)
    with pytest.raises(Conflict, match="succeeded already"):
        bench.runner.release(done)


def test_a_cancel_overrides_a_release_that_takes_long(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01, deaf=["SIGTERM"])
    bench.follow(job, until=lambda event: event.kind == "metrics")
    bench.runner.release(job)
    bench.follow(job, until=lambda event: event.kind == "stopping")
    bench.runner.cancel(job)
    events = bench.follow(job)
    assert [event.payload["asked"] for event in events if event.kind == "stopping"] == ["release", "cancel"]
    assert events[-1].kind == "cancelled"


@pytest.mark.parametrize("victims", ["agent", "supervisor", "both"])
def test_a_release_outlives_whoever_was_about_to_do_it(bench: Bench, victims: str) -> None:
    spec = going(bench)
    bench.runner.submit(spec)
    bench.follow(spec.id, until=lambda event: event.payload.get("step") == 5)
    bench.runner.release(spec.id)
    if victims != "supervisor":
        kill(bench.agent())
    if victims != "agent":
        kill(bench.wait_for(lambda: bench.supervisor(spec.id)))
    events = bench.follow(spec.id)
    assert dense(events)
    assert last(events)["cause"] == "moved"
    assert bench.runner.checkpoint(spec.id) is not None


def test_what_goes_on_is_not_forgotten(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01)
    bench.follow(job, until=lambda event: event.kind == "started")
    with pytest.raises(Conflict, match="goes on"):
        bench.runner.forget_job(job)


# --- what is handed on is believed line by line only


def history(*kinds: str) -> list[Event]:
    payload = {"interrupted": {"cause": "moved", "message": "", "hint": ""}}
    return [Event(number, 5.0, kind, payload.get(kind, {})) for number, kind in enumerate(kinds, start=1)]


WHOLE = encoded(history("queued", "staged", "interrupted"))


@pytest.mark.parametrize(("given", "words"), [
    (b"", "ends in the middle"), (WHOLE[:-1], "ends in the middle"), (WHOLE + b"x", "ends in the middle"),
    (WHOLE.replace(b"staged", b"stages"), "is not whole"), (b"junk\n" + WHOLE, "is not whole"),
    (encoded(history("queued", "staged", "interrupted")[1:]), "is not whole"),
    (encoded(history("queued", "succeeded")), "ends with 'succeeded'"),
    (encoded(history("queued", "staged")), "ends with 'staged'"),
    (encoded(history("staged", "interrupted")), "cannot go on"),
])
def test_a_history_that_is_not_whole_is_refused_and_leaves_nothing(bench: Bench, given: bytes, words: str) -> None:
    spec = bench.spec(steps=1)
    with pytest.raises(BadInput, match=words):
        bench.runner.take_over(spec, given, None)
    assert bench.runner.jobs() == []


def test_another_history_or_another_job_under_a_known_id_is_a_conflict(bench: Bench) -> None:
    spec = bench.spec(steps=2)
    bench.runner.drain(True)
    bench.runner.submit(spec)
    for given, other in ((WHOLE, spec), (WHOLE, bench.spec(id=spec.id, steps=3))):
        with pytest.raises(Conflict):
            bench.runner.take_over(other, given, None)
    bench.runner.release(spec.id)
    stale = bench.runner.history(spec.id)
    bench.runner.resume(spec.id)
    bench.runner.release(spec.id)
    assert bench.runner.take_over(spec, stale, None) is JobState.INTERRUPTED  # it was taken over, and moved on since
    assert bench.runner.queue().waiting == ()


@pytest.mark.parametrize("files", [
    {"../x/facts.json": b"{}"}, {"facts.json": b"{}"}, {"000001-5/facts.json": b"{}"}, {"000001-5/a/b": b""},
    {"000001-5/hashes.json": b'{"facts.json": "%s"}' % (b"0" * 64), "000001-5/facts.json": b"{}"},
    {"000001-5/hashes.json": b"{}", "000002-6/hashes.json": b"{}"}, {"000001-5/hashes.json": b'{"facts.json": "x"}'},
])
def test_a_checkpoint_that_is_none_is_refused_and_leaves_nothing(bench: Bench, files: dict[str, bytes]) -> None:
    store = ObjectStore(bench.home.objects)
    try:
        checkpoint = store.put_manifest({name: store.put_bytes(data) for name, data in files.items()})
    except BadInput:
        return  # such a name does not even get into a manifest
    with pytest.raises(BadInput, match="checkpoint"):
        bench.runner.take_over(bench.spec(steps=1), WHOLE, checkpoint)
    assert bench.runner.jobs() == []
    assert list((bench.home.runner / "jobs").iterdir()) == []


def test_only_a_checkpoint_that_is_as_it_was_written_is_handed_on(bench: Bench) -> None:
    spec = going(bench)
    released(bench, spec)
    newest, older = sorted(bench.folder(spec.id).checkpoints.glob("0*"), reverse=True)
    (newest / "facts.json").write_text("{}")
    digest = bench.runner.checkpoint(spec.id)
    assert digest is not None
    names = [entry.path for entry in ObjectStore(bench.home.objects).manifest(digest).entries]
    assert names == [f"{older.name}/facts.json", f"{older.name}/hashes.json"]
    (older / "hashes.json").unlink()
    assert bench.runner.checkpoint(spec.id) is None


def test_data_that_is_not_there_is_asked_for_before_anything_is_taken(bench: Bench) -> None:
    spec = JobSpec(new_id(), "train", "", ("a" * 64,), {})
    with pytest.raises(NotFound, match="is not on the runner"):
        bench.runner.take_over(spec, WHOLE, None)
    with pytest.raises(NotFound, match="is not on the runner"):
        bench.runner.take_over(bench.spec(), WHOLE, "b" * 64)
    assert bench.runner.jobs() == []


def test_the_fake_trainers_checkpoints_are_as_the_real_ones(bench: Bench) -> None:
    from mldesk.training.checkpoints import Checkpoints

    spec = going(bench)
    before = released(bench, spec)
    found = Checkpoints(bench.folder(spec.id).checkpoints, lambda _step, _name: None).newest()
    assert found is not None
    assert (found.step, found.facts()) == (steps(before)[-1], {"step": steps(before)[-1]})
    assert json.loads((found.folder / "hashes.json").read_bytes()).keys() == {"facts.json"}


def test_killing_either_agent_anywhere_in_a_move_loses_nothing_and_starts_nothing_twice(
        benches: tuple[Bench, Bench]) -> None:
    here, there = benches
    chance = random.Random(5)
    killed = rounds = 0
    while killed < 4:  # a quick machine is through with a move before anybody is killed
        rounds += 1
        assert rounds <= 40
        spec = here.spec(steps=12, delay=0.01, checkpoints=True)
        here.runner.submit(spec)
        here.follow(spec.id, until=lambda event: event.payload.get("step") == 4)
        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(move, spec, here, there)
            for _ in range(4):  # a client gives up after a while without any agent
                wait([moving], chance.uniform(0.0, 0.2))
                for process in chance.choice(benches).processes():
                    if not moving.done() and " serve " in command_of(process):
                        with contextlib.suppress(ProcessLookupError):
                            kill(process)
                            killed += 1
            moving.result()
        events = there.runner.events(spec.id, 0)
        while events[-1].kind != "succeeded":
            events += there.runner.events(spec.id, len(events), wait=1.0)
        assert dense(events)
        assert steps(events) == list(range(1, 13))
        assert kinds(events).count("queued") == 2
        assert (there.folder(spec.id).path / "starts").read_bytes() == b"x"
        assert not here.folder(spec.id).path.exists()


def move(spec: JobSpec, here: Bench, there: Bench) -> None:
    """What a desktop does, with clients that go on over the death of an agent."""
    here.runner.release(spec.id)
    before = here.follow(spec.id)
    checkpoint = here.runner.checkpoint(spec.id)
    bring(checkpoint, here, there)
    there.runner.take_over(spec, encoded(before), checkpoint)
    here.runner.forget_job(spec.id)
