"""A few rounds of the loops that tests/chaos runs for long: faults of every kind on the way to a far trainer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import reconnect, ssh_cancel, ssh_history, submit_storm, upload_cuts
from tests.chaos._far import Far
from tests.runners.ssh.box import Account, Box, Person, Sshd
from tests.runners.ssh.proxy import Proxy


@pytest.fixture
def environment() -> dict[str, str]:
    return {}


@pytest.fixture
def far(account: Account, sshd: Sshd, person: Person, proxy: Proxy, environment: dict[str, str],
        request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    for name, value in (("PING_EVERY", 0.3), ("SUSPECT", 0.4), ("SILENCE", 3.0), ("FIRST_PAUSE", 0.05),
                        ("LONGEST_PAUSE", 0.5), ("DIAL_PAUSE", 0.3)):
        monkeypatch.setattr(f"mldesk.runners.ssh.lifeline.{name}", value)
    person.pin(sshd, proxy.port)
    box = Box(account, request.node.name[:40], **environment)
    yield Far(account, sshd, person, box, proxy)
    box.close()


@pytest.mark.parametrize("environment", [ssh_history.ENVIRONMENT])
def test_the_library_holds_every_event_once_whatever_breaks(
        far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_history, "PAUSE", (0.0, 0.2))
    monkeypatch.setattr(ssh_history, "RECOVERY", 1.0)
    report = ssh_history.run(far, tmp_path / "desk", faults=25, seed=7)
    assert not report.wrong, report.wrong
    assert sum(report.faults.values()) == 25
    assert report.runs
    assert report.events > 100


@pytest.mark.parametrize("environment", [submit_storm.ENVIRONMENT])
def test_jobs_that_are_sent_again_and_again_over_a_line_that_is_cut_start_once(far: Far) -> None:
    report = submit_storm.run(far, jobs=25, seed=3)
    assert not report.wrong, report.wrong
    assert report.starts == 25
    assert report.connections > submit_storm.SENDERS


def test_uploads_that_are_cut_arrive_whole_and_a_cut_costs_at_most_a_chunk(far: Far) -> None:
    report = upload_cuts.run(far, cuts=6, seed=5, chunks=2)
    assert not report.wrong, report.wrong
    assert report.cuts >= 6


def test_the_library_goes_on_by_itself_once_the_network_is_back(far: Far, tmp_path: Path) -> None:
    report = reconnect.run(far, tmp_path, cuts=3, seed=1, longest=2.0)
    assert {name: len(times) for name, times in report.seconds.items()} == {"reset": 1, "stalled": 1, "moved": 1}


def test_jobs_of_every_temper_are_cancelled_and_leave_nothing(far: Far) -> None:
    report = ssh_cancel.run(far, jobs=len(ssh_cancel.TEMPERS), seed=1)
    assert not report.wrong, report.wrong
    assert len(report.acknowledged) == len(ssh_cancel.TEMPERS)
