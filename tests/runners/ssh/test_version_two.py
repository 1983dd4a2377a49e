"""Queue, settings and moving jobs over SSH."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mldesk.core.ids import new_id
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import encode
from mldesk.wire.runner_view import RunnerSettings
from tests.runner_agent.bench import Bench, kinds, steps
from tests.runners.ssh.box import Box, Person, Sshd


@pytest.fixture
def runner(box: Box, person: Person, sshd: Sshd) -> Iterator[SshRunner]:
    person.pin(sshd)
    runner = box.runner(person, sshd.port)
    yield runner
    runner.close()


def test_what_people_set_on_a_runner_far_away_is_kept_there(runner: SshRunner) -> None:
    wanted = RunnerSettings(2, 1, ((0, 360),), "wait", 10**9)
    runner.configure(wanted)
    assert runner.settings() == wanted
    assert "UTC" in runner.zone()
    runner.drain(True)
    first, second = (JobSpec(new_id(), "train", "", (), {}) for _ in range(2))
    runner.submit(first)
    runner.submit(second, priority=2)
    runner.reorder(first.id, second.id)
    view = runner.queue()
    assert [(item.job, item.priority) for item in view.waiting] == [(first.id, 2), (second.id, 2)]
    assert view.draining
    assert len(view.slots) >= 2
    runner.cancel(first.id)
    runner.cancel(second.id)
    text, end = runner.agent_log(-4096)
    assert b"drains" in text
    assert end >= len(text)
    assert runner.cache().free > 0
    assert runner.link.connected


def test_a_job_goes_from_this_machine_to_the_box_with_its_checkpoint(
        runner: SshRunner, person: Person, tmp_path_factory: pytest.TempPathFactory) -> None:
    here = Bench(tmp_path_factory.mktemp("desk"))
    try:
        spec = here.spec(steps=40, delay=0.02, checkpoints=True)
        here.runner.submit(spec)
        here.follow(spec.id, until=lambda event: event.payload.get("step") == 5)
        here.runner.release(spec.id)
        before = here.follow(spec.id)
        checkpoint = here.runner.checkpoint(spec.id)
        assert checkpoint is not None
        _copy(checkpoint, here, person)
        runner.take_over(spec, b"".join(map(encode, before)), checkpoint)
        events = list(before)
        while kinds(events)[-1] != "succeeded":
            events += runner.events(spec.id, len(events), wait=2.0)
        assert steps(events) == list(range(1, 41))
        assert kinds(events).count("queued") == 2
        here.runner.forget_job(spec.id)
    finally:
        here.close()


def _copy(digest: str, here: Bench, person: Person) -> None:
    """The desk and the person have a library each here; elsewhere it is one."""
    store = here.runner._store
    for entry in store.manifest(digest).entries:
        person.store.put_file(store.path(entry.sha256))
    person.store.put_file(store.path(digest))
