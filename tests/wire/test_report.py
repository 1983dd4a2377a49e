"""What a trainer says about how far it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.wire.job_spool import Spool
from mldesk.wire.report import Report
from mldesk.wire.spool import SpoolReader


def progress(folder: Path, monkeypatch: pytest.MonkeyPatch, total: float, unit: str, key: str = "") -> list[object]:
    """Come to 10 and, 20 s later, to 20 of ``total``; give rate and remaining time, or ``key``, as told each time."""
    now = [1000.0]
    monkeypatch.setattr("mldesk.wire.report.time.monotonic", lambda: now[0])
    spool = Spool(folder / "spool.1")
    report = Report(spool)
    report.stage("Working")
    for done in (10.0, 20.0):
        now[0] += 20
        report.progress(done, total, unit, 1000 if unit == "epochs" else 0)
    spool.close()
    told = [line.payload for line in SpoolReader(folder / "spool.1").read() if line.kind == "progress"]
    return [payload.get(key) if key else (payload["rate"], payload["eta"]) for payload in told]


def test_the_remaining_time_of_work_follows_from_its_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress(tmp_path, monkeypatch, 100, "rounds") == [(None, None), (0.5, 160.0)]


def test_rows_in_a_second_are_told_where_a_unit_goes_through_them(tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress(tmp_path, monkeypatch, 100, "epochs", "rows") == [None, 500.0]


def test_what_is_left_of_a_time_that_is_allowed_is_never_more_than_that(tmp_path: Path,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress(tmp_path, monkeypatch, 120, "seconds") == [(None, 110), (None, 100)]
