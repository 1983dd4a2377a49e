"""Objects to and from an agent, chunk by chunk, as a runner far away will need it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, DiskFull, NotFound
from mldesk.wire.objects import CHUNK, ObjectStore
from runner_agent.objects import DataMissing, ObjectMethods


def test_a_manifest_travels_in_chunks_and_arrives_whole(tmp_path: Path) -> None:
    here, there = ObjectStore(tmp_path / "here"), ObjectStore(tmp_path / "there")
    agent = ObjectMethods(tmp_path / "there")
    (tmp_path / "big").write_bytes(bytes(range(256)) * (CHUNK // 128))
    (tmp_path / "small").write_bytes(b"small")
    digest = here.put_manifest({"big": tmp_path / "big", "small": tmp_path / "small"})
    with pytest.raises(DataMissing):
        agent.require([digest])
    assert agent.have((digest,)) == {"missing": [digest]}
    agent.put(digest, False, here.read(digest))
    with pytest.raises(DataMissing):
        agent.require([digest])
    for entry in here.manifest(digest).entries:
        for index, chunk in enumerate(entry.chunks):
            agent.put(chunk, True, here.read_chunk(entry, index))
    chunks = tuple(chunk for entry in here.manifest(digest).entries for chunk in entry.chunks)
    assert agent.have(chunks) == {"missing": []}
    agent.complete(digest)
    agent.require([digest])
    there.verify_manifest(digest)


def test_bytes_are_given_from_any_offset(tmp_path: Path) -> None:
    agent = ObjectMethods(tmp_path)
    digest = ObjectStore(tmp_path).put_bytes(b"0123456789")
    assert agent.get(digest, 3, 4) == ({"size": 10}, b"3456")
    assert agent.get(digest, 30, 4) == ({"size": 10}, b"")
    with pytest.raises(NotFound):
        agent.get("0" * 64, 0, 1)


def test_data_that_would_leave_jobs_no_room_are_not_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = ObjectMethods(tmp_path)
    usage = shutil._ntuple_diskusage(10**12, 0, 2 << 30)
    monkeypatch.setattr("runner_agent.ballast.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DiskFull, match=r"2\.1 GB are free.*2\.1 GB are kept for jobs"):
        agent.put(hashlib.sha256(b"x").hexdigest(), False, b"x")
    assert list(ObjectStore(tmp_path).digests()) == []


def test_what_came_in_damaged_is_refused(tmp_path: Path) -> None:
    agent = ObjectMethods(tmp_path)
    digest = hashlib.sha256(b"right").hexdigest()
    for chunk in (True, False):
        with pytest.raises(BadInput, match="damaged"):
            agent.put(digest, chunk, b"wrong")
    assert agent.have((digest,)) == {"missing": [digest]}
