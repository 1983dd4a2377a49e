from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldesk.wire import journal
from mldesk.wire.events import Event
from mldesk.wire.journal import JournalDamaged, JournalReader, JournalWriter, SyncFailed, read_events


def _write(path: Path, count: int) -> None:
    with JournalWriter.open(path) as writer:
        for n in range(count):
            writer.append("metrics", {"step": n})


def test_events_come_back_as_they_were_written_numbered_from_one(tmp_path: Path) -> None:
    with JournalWriter.open(tmp_path / "journal") as writer:
        first = writer.append("queued", {})
        second = writer.append("metrics", {"values": {"verlust": 0.5, "x": float("nan")}}, time=12.5)
    assert (first.seq, second.seq, second.time) == (1, 2, 12.5)
    assert read_events(tmp_path / "journal") == [
        first, Event(2, 12.5, "metrics", {"values": {"verlust": 0.5, "x": "NaN"}})]
    assert read_events(tmp_path / "journal", after=1, limit=5)[0].seq == 2
    assert read_events(tmp_path / "nowhere") == []


def test_a_line_is_a_checksum_and_canonical_json(tmp_path: Path) -> None:
    _write(tmp_path / "journal", 1)
    line = (tmp_path / "journal").read_bytes()
    assert line[8:28] == b' {"kind":"metrics","'
    assert line.endswith(b"}\n")
    assert journal.kind_of(line) == "metrics"


def test_a_reader_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    reader = JournalReader(path)
    assert reader.read() == []
    _write(path, 3)
    assert [event.seq for event in reader.read(2)] == [1, 2]
    with JournalWriter.open(path) as writer:
        writer.append("log", {})
    assert [event.seq for event in reader.read()] == [3, 4]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_tail_is_cut_and_its_number_used_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal"
    _write(path, 4)
    whole = path.read_bytes()
    os.truncate(path, len(whole) - cut)
    assert [event.seq for event in read_events(path)] == [1, 2, 3]
    with JournalWriter.open(path) as writer:
        assert writer.append("log", {}).seq == 4
    assert [event.kind for event in read_events(path)] == ["metrics"] * 3 + ["log"]


def test_pages_that_a_power_cut_left_empty_are_a_torn_tail(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    _write(path, 2)
    with open(path, "ab") as file:
        file.write(b"\0" * 5000)
    with JournalWriter.open(path) as writer:
        assert writer.last_seq == 2
    assert b"\0" not in path.read_bytes()


def test_damage_in_the_middle_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    _write(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"step":2', b'"step":7')
    path.write_bytes(b"".join(lines))
    assert [event.seq for event in read_events(path, limit=2)] == [1, 2]
    with pytest.raises(JournalDamaged, match="Line 3 of the journal journal is damaged"):
        read_events(path)
    with pytest.raises(JournalDamaged) as caught:
        JournalWriter.open(path)
    assert caught.value.line == 3
    assert path.read_bytes() == b"".join(lines)  # nothing was cut


def test_a_line_out_of_order_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(journal.encode(Event(1, 0.0, "log", {})) + journal.encode(Event(3, 0.0, "log", {})))
    with pytest.raises(JournalDamaged, match="it holds event 3"):
        read_events(path)


@given(st.binary(max_size=80))
def test_no_bytes_are_taken_for_an_event(data: bytes) -> None:
    with pytest.raises(JournalDamaged):
        journal.decode(data + b"\n", 1)


@pytest.mark.parametrize("body", [b"[]", b"1", b'{"kind":"log"}', b'{"kind":"Log!","payload":{},"seq":1,"time":1}',
                                  b'{"kind":"log","payload":[],"seq":1,"time":1}',
                                  b'{"kind":"log","payload":{},"seq":true,"time":1}',
                                  b'{"kind":"log","payload":{"x":NaN},"seq":1,"time":1}', b"[" * 100_000])
def test_a_sound_line_that_is_no_event_is_damage(body: bytes) -> None:
    line = b"%08x " % journal.zlib.crc32(body) + body + b"\n"
    with pytest.raises(JournalDamaged, match="not an event"):
        journal.decode(line, 1)


def test_the_mark_tells_a_new_writer_where_the_last_one_was(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter.open(path) as writer:
        assert writer.last_mark is None
        writer.append("metrics", {}, mark=(1, 5))
        writer.append("stopping", {"asked": "cancel"})
    with JournalWriter.open(path) as writer:
        assert (writer.last_mark, writer.last_seq) == ((1, 5), 2)
    assert "mark" not in read_events(path)[0].payload


def test_state_changes_are_on_disk_before_anything_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(1), real(handle))[1])
    writer = JournalWriter.open(tmp_path / "journal")
    synced.clear()
    writer.append("metrics", {})
    assert not synced
    writer.append("checkpoint", {"step": 1, "name": "a"})
    assert len(synced) == 1
    writer.append("metrics", {})
    monkeypatch.setattr(journal, "SYNC_SECONDS", 0.0)
    writer.sync_if_due()
    assert len(synced) == 2
    writer.close()
    writer.close()


class _Disk:
    """os.write that fails ``times`` times, having written ``part`` bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int, part: int) -> None:
        self.times, self.part, self.real = times, part, os.write
        monkeypatch.setattr(os, "write", self)

    def __call__(self, handle: int, data: bytes) -> int:
        if not self.times:
            return self.real(handle, data)
        self.times -= 1
        if self.part:
            return self.real(handle, data[:self.part])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("part", [0, 7])
def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    path = tmp_path / "journal"
    _write(path, 2)
    before = path.read_bytes()
    with JournalWriter.open(path) as writer:
        _Disk(monkeypatch, 1, part)
        with pytest.raises(OSError, match="No space"):
            writer.append("metrics", {})
        assert path.read_bytes() == before
        assert writer.append("failed", {}).seq == 3
    assert len(read_events(path)) == 3


@pytest.mark.parametrize("part", [0, 7])
def test_the_last_event_fits_once_space_is_given_back(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    asked: list[bool] = []
    with JournalWriter.open(tmp_path / "journal", on_full=lambda: not asked.append(True)) as writer:
        _Disk(monkeypatch, 1, part)
        writer.append("failed", {"cause": "disk_full"})
    assert asked == [True]
    assert read_events(tmp_path / "journal")[0].payload == {"cause": "disk_full"}


def test_a_sync_that_fails_ends_the_writer_and_not_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    writer = JournalWriter.open(path)
    real = os.fsync

    def broken(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(SyncFailed):
        writer.append("succeeded", {})
    monkeypatch.setattr(os, "fsync", real)
    writer.close()
    assert [event.seq for event in read_events(path)] == [1]
