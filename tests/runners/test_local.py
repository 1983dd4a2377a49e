"""The runner of this machine, as its callers see it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mldesk.core.errors import NotFound, RunnerUnreachable
from mldesk.core.paths import Home
from mldesk.runners import LocalRunner, RunnerClient
from mldesk.wire.objects import ObjectStore
from tests.runner_agent.bench import Bench, dense, kill


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_it_is_a_runner_client(bench: Bench) -> None:
    client: RunnerClient = bench.runner
    assert client.name == "local"
    assert client.jobs() == []


def test_nothing_is_started_before_it_is_needed(bench: Bench) -> None:
    assert "No agent runs" in bench.runner.describe()
    assert bench.processes() == []
    bench.runner.hello()
    assert "answers in" in bench.runner.describe()


def test_many_threads_and_clients_at_once_start_one_agent(bench: Bench) -> None:
    clients = [bench.client() for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        boots = list(pool.map(lambda n: clients[n % 3].hello()["boot_id"], range(24)))
    assert len(set(boots)) == 1
    bench.wait_for(lambda: len(bench.processes()) == 1)  # those that found it there are on their way out
    for client in clients:
        client.close()


def test_a_call_that_waits_when_the_agent_is_killed_is_asked_again(bench: Bench) -> None:
    job = bench.submit(steps=3, end="hang")
    after = bench.follow(job, until=lambda event: event.seq == 6)[-1].seq
    got: list[int] = []
    waiting = threading.Thread(target=lambda: got.extend(
        event.seq for event in bench.runner.events(job, after, wait=20)))
    waiting.start()
    kill(bench.agent())
    bench.wait_for(lambda: [p for p in bench.processes() if "serve" in p.cmdline()])
    other = bench.client()
    other.cancel(job)
    waiting.join(90)
    assert got[:1] == [after + 1]
    assert dense(bench.follow(job))
    other.close()


def test_a_closed_client_says_so_and_leaves_the_agent_alone(bench: Bench) -> None:
    other = bench.client()
    other.hello()
    other.close()
    other.close()
    with pytest.raises(RunnerUnreachable, match="closed"):
        other.hello()
    assert bench.agent()


def test_objects_are_the_librarys_own(bench: Bench) -> None:
    store = ObjectStore(bench.home.objects)
    digest = store.put_bytes(b"a model")
    bench.runner.fetch(digest, store)
    with pytest.raises(NotFound):
        bench.runner.fetch("0" * 64, store)


def test_an_agent_that_cannot_start_is_an_error_that_names_the_log(tmp_path: Path) -> None:
    runner = LocalRunner(Home(tmp_path / "home").make(), agent_options=["--no-such-option"])
    with pytest.raises(RunnerUnreachable, match="cannot be started") as caught:
        runner.hello()
    assert "agent.log" in caught.value.hint
    assert "no-such-option" in (tmp_path / "home/logs/agent.log").read_text()
    runner.close()


def test_a_large_log_is_put_aside_when_an_agent_starts(bench: Bench) -> None:
    log = bench.home.logs / "agent.log"
    log.write_bytes(b"x" * 6_000_000)
    bench.runner.hello()
    assert log.stat().st_size < 10_000
    assert log.with_suffix(".log.1").stat().st_size == 6_000_000


def test_importing_the_runners_does_not_load_rpyc() -> None:
    code = "import sys, mldesk.runners; sys.exit('rpyc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
