"""What a runner over SSH has of its own: files that become tables there, a cache, and a load to tell."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import psutil
import pytest

from mldesk.core.ids import new_id
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.imports import ImportedTable, ImportRequest
from mldesk.wire.jobs import JobSpec, Resources
from runner_agent.ownership import is_own
from tests.runners.ssh.box import Account, Box, Person, Sshd, command_on
from tests.runners.ssh.test_jobs import follow


@pytest.fixture
def box(account: Account) -> Iterator[Box]:
    python = "/usr/bin/python3" if "/usr/bin/python3 -m" in command_on(account) else sys.executable
    box = Box(account, f"data-{new_id()}", MLDESK_TRAINER=json.dumps([python, "-m", "mldesk.training.run"]))
    yield box
    box.close()


@pytest.fixture
def runner(box: Box, person: Person, sshd: Sshd) -> Iterator[SshRunner]:
    person.pin(sshd)
    runner = box.runner(person, sshd.port)
    yield runner
    runner.close()


def test_a_file_of_the_box_becomes_a_table_there_and_comes_when_it_is_wanted(
        runner: SshRunner, box: Box, person: Person) -> None:
    path = box.place / "sales.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i / 7:.4f}\n" for i in range(5000)))
    box.hand_over()
    spec = JobSpec(new_id(), "import", "an import", (), ImportRequest(str(path), "sales").to_json(), Resources("cpu"))
    runner.submit(spec)
    events = follow(runner, spec.id)
    assert events[-1].kind == "succeeded", events[-1]
    result = events[-1].payload["result"]
    desk = person.store
    runner.fetch(result["table"], desk)
    table = ImportedTable.from_json(json.loads(desk.read(result["table"])))
    assert (table.rows, [column.name for column in table.columns]) == (5000, ["a", "b"])
    desk.put_bytes(table.manifest.to_bytes())
    assert desk.missing(result["manifest"])        # the rows did not come along
    cache = runner.cache()
    assert cache.pinned >= result["size"] and runner.collect() == 0
    runner.fetch(result["manifest"], desk)
    assert not desk.missing(result["manifest"])


def test_its_cache_is_its_own_and_its_load_is_told(runner: SshRunner, box: Box, person: Person) -> None:
    runner.bring(person.store.put_manifest({"part": person.public}))
    assert is_own(box.place / "objects")
    assert (runner.cache().objects, runner.collect()) == (2, 0)  # it was used just now
    samples = []
    while len(samples) < 2:
        samples += runner.telemetry(samples[-1].seq if samples else 0, wait=20.0)
    assert [sample.seq for sample in samples[:2]] == [1, 2]
    assert abs(samples[0].memory_total - psutil.virtual_memory().total) < 1 << 20
    assert samples[0].disk_total > samples[0].disk_used > 0
