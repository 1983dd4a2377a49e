"""A box whose agent is older or newer: what both know works, and the rest is refused with the one step to take."""

from __future__ import annotations

import pytest

from mldesk.core.errors import Conflict
from mldesk.core.ids import new_id
from mldesk.runners.ssh.errors import Refused
from mldesk.wire.jobs import JobSpec
from mldesk.wire.protocol import PROTOCOL
from tests.runner_agent.bench import dense
from tests.runners.ssh.box import Account, Box, Person, Sshd
from tests.runners.ssh.test_jobs import follow

LOW, HIGH = PROTOCOL


@pytest.mark.parametrize(("low", "high"), [(LOW, HIGH - 1), (LOW, HIGH), (HIGH, HIGH + 1)])
def test_an_agent_one_version_older_or_newer_does_its_jobs(
        account: Account, person: Person, sshd: Sshd, low: int, high: int) -> None:
    box = Box(account, f"skew-{low}-{high}", MLDESK_TEST_PROTOCOL=f"{low} {high}")
    person.pin(sshd)
    runner = box.runner(person, sshd.port)
    try:
        assert runner.connect()["cores"] > 0
        job = JobSpec(new_id(), "train", "a job", (), {"steps": 3})
        runner.submit(job)
        events = follow(runner, job.id)
        assert dense(events)
        assert events[-1].kind == "succeeded"
        assert not runner.queue().waiting
        if high < HIGH:
            with pytest.raises(Conflict) as caught:
                runner.start_at(job.id, 0.0)
            assert caught.value.code == "runner_too_old"
            assert "mldesk runners upgrade" in caught.value.hint
    finally:
        runner.close()
        box.close()


@pytest.mark.parametrize(("low", "high", "step"), [
    (0, LOW - 1, "mldesk runners upgrade"), (HIGH + 1, HIGH + 2, "Upgrade MLDesk on the desktop")])
def test_an_agent_with_no_version_in_common_is_refused_with_what_to_upgrade(
        account: Account, person: Person, sshd: Sshd, low: int, high: int, step: str) -> None:
    box = Box(account, f"skew-{low}-{high}", MLDESK_TEST_PROTOCOL=f"{low} {high}")
    person.pin(sshd)
    runner = box.runner(person, sshd.port)
    try:
        with pytest.raises(Refused) as caught:
            runner.connect()
        assert step in caught.value.hint
    finally:
        runner.close()
        box.close()
