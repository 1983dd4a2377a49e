from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.wire import spool
from mldesk.wire.spool import SpoolReader, SpoolWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.1"


def test_lines_come_back_once_in_order(path: Path) -> None:
    reader = SpoolReader(path)
    assert reader.read() == []
    writer = SpoolWriter(path)
    assert [writer.append("metrics", {"step": n}) for n in (1, 2)] == [1, 2]
    assert [(line.n, line.kind, line.payload) for line in reader.read()] == [
        (1, "metrics", {"step": 1}), (2, "metrics", {"step": 2})]
    assert reader.read() == []
    writer.append("succeeded", {"result": {}})
    assert [line.terminal for line in reader.read()] == [True]
    writer.close()


def test_a_reader_that_takes_over_gets_what_the_last_one_had_not(path: Path) -> None:
    writer = SpoolWriter(path)
    for n in range(5):
        writer.append("metrics", {"step": n})
    writer.close()
    assert [line.n for line in SpoolReader(path, after=3).read()] == [4, 5]


def test_a_line_that_is_still_being_written_is_waited_for(path: Path) -> None:
    path.write_bytes(b'{"n":1,"time":1.0,"kind":"stage","name":"a"}\n{"n":2,"ti')
    reader = SpoolReader(path)
    assert [line.n for line in reader.read()] == [1]
    with open(path, "ab") as file:
        file.write(b'me":2.0,"kind":"stage"}\n')
    assert [line.n for line in reader.read()] == [2]
    assert not reader.problems


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"n":1}', b'{"n":"1","time":1,"kind":"stage"}',
                                 b'{"n":1,"time":1,"kind":"queued"}', b"\xff\xfe", b"[" * 50_000])
def test_what_is_no_report_is_dropped_and_said(path: Path, bad: bytes) -> None:
    path.write_bytes(bad + b'\n{"n":2,"time":1.0,"kind":"stage"}\n')
    reader = SpoolReader(path)
    assert [line.n for line in reader.read()] == [2]
    assert len(reader.problems) == 1


def test_a_line_beyond_measure_is_dropped_and_the_rest_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MAX_LINE", 100)
    monkeypatch.setattr(spool, "BLOCK", 200)
    path.write_bytes(b'{"n":1,"x":"' + b"y" * 1000 + b'"}\n{"n":2,"time":1.0,"kind":"stage"}\n')
    reader = SpoolReader(path)
    lines = [line for _ in range(10) for line in reader.read()]
    assert [line.n for line in lines] == [2]
    assert len(reader.problems) == 1
