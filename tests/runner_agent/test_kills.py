"""kill -9 of anything but the trainer changes nothing that anybody can see."""

from __future__ import annotations

import psutil

from mldesk.wire.states import JobState
from tests.runner_agent.bench import Bench, dense, kill, kinds, last, steps


def test_a_killed_agent_takes_no_job_with_it_and_loses_no_event(bench: Bench) -> None:
    job = bench.submit(steps=60, delay=0.01)
    first = bench.follow(job, until=lambda event: event.seq == 10)
    kill(bench.agent())
    events = first + bench.follow(job, after=first[-1].seq)
    assert dense(events)
    assert steps(events) == list(range(1, 61))
    assert last(events)["kind"] == "succeeded"


def test_a_killed_supervisor_is_replaced_and_nothing_is_reported_twice(bench: Bench) -> None:
    job = bench.submit(steps=80, delay=0.01)
    seen = 0
    for stop in (5, 20, 40):
        seen = bench.follow(job, after=seen, until=lambda event, stop=stop: event.seq >= stop)[-1].seq
        kill(bench.wait_for(lambda: bench.supervisor(job)))
    events = bench.follow(job)
    assert dense(events)
    assert steps(events) == list(range(1, 81))
    assert kinds(events).count("started") == 1
    assert (bench.folder(job).path / "starts").read_bytes() == b"x"


def test_killing_agent_supervisor_and_trainer_together_is_an_interruption(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    pid = bench.trainer_pid(job)
    kill(bench.agent())
    kill(bench.supervisor(job))
    kill(pid)
    events = bench.follow(job)
    assert dense(events)
    assert (events[-1].kind, events[-1].payload["cause"]) == ("interrupted", "killed_external")


def test_a_supervisor_killed_before_it_starts_anything_starts_it_once(bench: Bench) -> None:
    job = bench.submit(steps=5)
    kill(bench.wait_for(lambda: bench.supervisor(job) or None))
    events = bench.follow(job)
    assert steps(events) == [1, 2, 3, 4, 5]
    assert (bench.folder(job).path / "starts").read_bytes() == b"x"


def test_a_cancel_outlives_the_supervisor_that_began_it(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01, deaf=["cancel", "SIGTERM"])
    bench.follow(job, until=lambda event: event.kind == "metrics")
    bench.runner.cancel(job)
    bench.follow(job, until=lambda event: event.kind == "stopping")
    kill(bench.supervisor(job))
    events = bench.follow(job)
    assert kinds(events).count("stopping") == 1
    assert events[-1].kind == "cancelled"


def test_jobs_wait_through_a_new_agent_in_their_order(bench: Bench) -> None:
    jobs = [bench.submit(steps=5, delay=0.02) for _ in range(3)]
    kill(bench.agent())
    starts = [next(event.time for event in bench.follow(job) if event.kind == "started") for job in jobs]
    assert starts == sorted(starts)


def test_another_client_sees_the_same_history(bench: Bench) -> None:
    job = bench.submit(steps=10)
    events = bench.follow(job)
    other = bench.client()
    assert other.events(job, 0) == events
    other.close()


def test_what_an_ended_job_left_behind_is_cleaned_up_by_the_next_agent(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.02)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    kill(bench.agent())
    kill(bench.supervisor(job))
    with bench.folder(job).writing() as journal:  # as if the supervisor had died between its last line and its last act
        journal.append("cancelled", {"cause": "cancelled", "message": ""})
    pid = bench.trainer_pid(job)
    assert bench.runner.state(job) is JobState.CANCELLED
    bench.wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert bench.folder(job).record() is None


def test_two_agents_never_share_a_root(bench: Bench) -> None:
    bench.runner.hello()
    agent = bench.agent()
    others = [bench.client() for _ in range(3)]
    for other in others:
        other.hello()
        other.close()
    assert bench.agent().pid == agent.pid


def test_a_socket_that_a_cleaner_removed_is_made_again(bench: Bench) -> None:
    bench.runner.hello()
    agent = bench.agent()
    bench.runner._socket.unlink()
    other = bench.client()
    other.hello()
    other.close()
    assert bench.agent().pid == agent.pid
