"""What a program says may be anything: sound lines become events, all else one warning, and nothing breaks."""

from __future__ import annotations

import json
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mldesk.training import script_lines
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.script_lines import Lines
from mldesk.wire.job_spool import Spool
from mldesk.wire.objects import ObjectStore
from mldesk.wire.report import Report
from mldesk.wire.spool import SpoolReader

HALF = "\\ud800"  # half of a letter, which JSON can write and UTF-8 cannot
HOSTILE = [
    b"{" * 100_000, b"[" * 100_000, b"null", b"[]", b"3", b"\xff\xfe\x00", b"{}", b'{"kind":null}', b'{"kind":"_take"}',
    b'{"kind":"succeeded","result":{}}', b'{"kind":"metrics"}', b'{"kind":"metrics","step":1e400,"values":{"a":1}}',
    b'{"kind":"metrics","step":1,"values":{"a":1' + b"0" * 400 + b"}}", b'{"kind":"metrics","step":1,"values":{"":1}}',
    b'{"kind":"metrics","step":1,"values":[[1,2]]}', b'{"kind":"progress","done":1,"total":0}',
    b'{"kind":"artifact","name":"zero","path":"/dev/zero"}', b'{"kind":"artifact","name":"x","path":"\\u0000"}',
    b'{"kind":"checkpoint","path":"/etc","step":1}', b'{"kind":"checkpoint","step":"x","path":"/"}',
]


def test_hostile_lines_are_one_warning_and_no_event(tmp_path: Path) -> None:
    lines, said = _read(tmp_path, b"\n".join([*HOSTILE, random.Random(1).randbytes(100_000).replace(b"{", b""), b""]))
    assert {event["kind"] for event in said} == {"warning"}
    assert sum("cannot be read" in str(event) for event in said) == 1
    assert (lines.last, lines.parameters, lines.artifacts) == ({}, {}, set())


def test_a_reading_without_a_name_costs_the_others_nothing(tmp_path: Path) -> None:
    lines, said = _read(tmp_path, b'{"kind":"metrics","step":1,"values":{"":1,"val/loss":2,"a\\nb":3}}\n'
                                  b'{"kind":"metrics","step":1180591620717411303424,"values":{"val/loss":3}}\n')
    assert lines.last == {"val/loss": 2.0}
    assert [event["kind"] for event in said] == ["warning", "metrics", "warning"]


def test_what_a_program_tells_by_itself_is_not_taken_from_event_files_again(tmp_path: Path) -> None:
    lines, _ = _read(tmp_path, b'{"kind":"metrics","step":1,"values":{"loss":1,"eval_loss":2}}\n', last=False)
    lines.metrics_of_events(3, {"train/loss": 1.0, "eval/loss": 1.0, "train/epoch": 0.5, "test/loss": 4.0})
    lines.metrics_of_events(4, {"loss": 1.0, "epoch": 0.5})
    said = _ended(tmp_path, lines)
    assert [(event["step"], event["values"], event["epoch"]) for event in said] == [
        (1, {"loss": 1.0, "eval_loss": 2.0}, None), (3, {"test/loss": 4.0}, 0.5)]


def test_copies_of_small_files_are_kept_together_and_taken_away(tmp_path: Path) -> None:
    for number, text in enumerate(("a", "b", "a", "x" * (1 << 20) + "y")):
        (tmp_path / "track").mkdir(exist_ok=True)
        (tmp_path / "track" / f"lines.file-1-{number}").write_text(text)
    told = [{"kind": "artifact", "name": name, "path": str(tmp_path / "track" / f"lines.file-1-{number}")}
            for number, name in enumerate(("one", "two", "three", "large"))]
    lines, events = _read(tmp_path, "".join(f"{json.dumps(line)}\n" for line in told).encode())
    assert lines.artifacts == {"one", "two", "three", "large"}
    store = ObjectStore(tmp_path / "objects")
    kept = {event["name"]: store.read(event["digest"])[:2] for event in events if event["kind"] == "artifact"}
    assert kept == {"one": b"a", "two": b"b", "three": b"a", "large": b"xx"}
    assert [path.name for path in (tmp_path / "track").iterdir()] == ["lines"]


def test_half_letters_are_written_out_so_that_everybody_can_keep_them(tmp_path: Path) -> None:
    lines, said = _read(tmp_path, "\n".join([
        f'{{"kind":"metrics","step":1,"values":{{"loss{HALF}":0.5}}}}', f'{{"kind":"log","text":"{HALF}"}}',
        f'{{"kind":"parameters","values":{{"name{HALF}":"{HALF}"}}}}', ""]).encode())
    assert lines.last == {"loss\\ud800": 0.5}
    assert lines.parameters == {"name\\ud800": "\\ud800"}
    assert [event["kind"] for event in said] == ["metrics", "log"]
    json.dumps(said, ensure_ascii=False).encode()


def test_a_line_without_an_end_is_not_gathered_for_ever(tmp_path: Path) -> None:
    lines, said = _read(tmp_path, b"x" * 5_000_000 + b'\n{"kind":"log","text":"after"}\n')
    assert len(lines._rest) <= 1 << 20
    assert [event["text"] for event in said if event["kind"] == "log"] == ["after"]


def test_names_without_end_are_kept_up_to_a_number_with_one_warning(tmp_path: Path) -> None:
    said = [{"kind": "metrics", "step": step, "values": {f"m{step}": float("nan") if step % 2 else 1.0, "loss": step}}
            for step in range(3000)]
    said += [{"kind": "parameters", "values": {f"p{number}": 1}} for number in range(1500)]
    lines, events = _read(tmp_path, "".join(f"{json.dumps(line)}\n" for line in said).encode())
    names = {name for event in events if event["kind"] == "metrics" for name in event["values"]}
    assert len(names) == 1000
    assert len([event for event in events if event["kind"] == "metrics"]) == 3000   # of the loss, which is known
    assert lines.last["loss"] == 2999.0
    assert len(lines.parameters) == 1000
    assert [event["text"] for event in events if event["kind"] == "warning"] == [
        "The script reports more than 1,000 metrics; only the first are kept.",
        "The script has more than 1,000 parameters; only the first are kept."]


def test_a_files_name_stays_within_a_folder(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("kept", "utf-8")
    names = ["../../evil", "..\\up", "/etc/passwd", "C:\\new", "plots/./a.png", "plots/b.png", "..", "/"]
    lines, events = _read(tmp_path, "".join(
        json.dumps({"kind": "artifact", "name": name, "path": str(kept)}) + "\n" for name in names).encode())
    assert lines.artifacts == {"evil", "up", "etc/passwd", "new", "plots/a.png", "plots/b.png"}
    assert [event["name"] for event in events if event["kind"] == "artifact"] == [
        "evil", "up", "etc/passwd", "new", "plots/a.png", "plots/b.png"]
    assert [event["text"][:40] for event in events if event["kind"] == "warning"] == [
        "The script's file '../../evil' is kept a", "A line that the script wrote for MLDesk "]


def _read(folder: Path, content: bytes, *, last: bool = True) -> tuple[Lines, list[dict[str, Any]]]:
    path = folder / "track" / "lines"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    lines = Lines(path, Report(Spool(folder / "spool.1")), ObjectStore(folder / "objects"),
                  Checkpoints(folder / "c", lambda *_: None))
    lines.read(last=True)
    return lines, _ended(folder, lines) if last else []


def _ended(folder: Path, lines: Lines) -> list[dict[str, Any]]:
    """Return the events there are, and close their file."""
    lines._report._spool.close()
    return [{"kind": event.kind, **event.payload} for event in SpoolReader(folder / "spool.1").read()]


def test_a_checkpoint_is_laid_out_as_it_was_and_nowhere_else(tmp_path: Path) -> None:
    kept, there = tmp_path / "kept", tmp_path / "there"
    (kept / "deep").mkdir(parents=True)
    (kept / "deep" / "w.bin").write_bytes(b"12")
    (kept / "deep" / "w.bin").chmod(0o755)
    (kept / "link").symlink_to("/etc/hostname")
    script_lines._pack(kept, tmp_path / "state.tar")
    script_lines.unpack(tmp_path / "state.tar", there)
    assert [path.relative_to(there).as_posix() for path in sorted(there.rglob("*"))] == ["deep", "deep/w.bin"]
    assert (there / "deep" / "w.bin").read_bytes() == b"12"
    assert (there / "deep" / "w.bin").stat().st_mode & 0o777 == 0o755
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(kept / "deep" / "w.bin", arcname="../out")
    with pytest.raises(ValueError, match="nothing that a checkpoint holds"):
        script_lines.unpack(tmp_path / "evil.tar", there)
    assert not (tmp_path / "out").exists()
