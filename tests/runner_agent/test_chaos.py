"""A few rounds of the loops that tests/chaos runs for long."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from mldesk.runners import LocalRunner
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import JobState
from tests.chaos import kill_loop
from tests.runner_agent.bench import Bench

_COUNTS_STARTS = '["sh", "-c", "echo x >> \\"$0/starts\\""]'  # $0 is the job's folder; ends without a word


def test_no_event_is_lost_or_doubled_while_everything_is_killed(tmp_path: Path) -> None:
    report = kill_loop.run(15, seed=7, root=tmp_path)
    assert not report.faults, report.faults
    assert sum(report.kills.values()) == 15


def test_a_hundred_jobs_submitted_again_and_again_each_run_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--slots", "4", "--no-warm", "--trainer", _COUNTS_STARTS)
    chance = random.Random(3)
    specs = [bench.spec() for _ in range(100)]
    letters = [spec for spec in specs for _ in range(chance.randint(1, 5))]
    chance.shuffle(letters)
    try:
        clients = [bench.client() for _ in range(3)]
        senders = [threading.Thread(target=_send, args=(client, letters[n::3])) for n, client in enumerate(clients)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        for spec in specs:
            bench.follow(spec.id)
        assert {job["id"] for job in bench.runner.jobs()} == {spec.id for spec in specs}
        assert [(bench.folder(spec.id).path / "starts").read_text() for spec in specs] == ["x\n"] * 100
        for client in clients:
            client.close()
    finally:
        bench.close()


def _send(client: LocalRunner, specs: list[JobSpec]) -> None:
    for spec in specs:
        assert client.submit(spec) in JobState
