"""The programs at the far end, on plain pipes: what they say first, and what they do with frames of any kind."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput
from mldesk.wire.banner import MAX_NOISE, banner, new_word, read_banner
from mldesk.wire.bulk import Frame, Received, Torn, frame, header, read_frame
from mldesk.wire.intake import Intake
from mldesk.wire.manifest import CHUNK
from mldesk.wire.objects import ObjectStore


class Far:
    """One program with pipes to it."""

    def __init__(self, program: str, place: Path) -> None:
        word = new_word()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runner_agent", program, "--word", word, "--place", str(place)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        assert self.process.stdin and self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.facts, first, _ = read_banner(word, lambda most: os.read(self.stdout.fileno(), most))
        assert first == b""

    def ask(self, kind: Frame, body: bytes = b"") -> Received | None:
        self.stdin.write(header(kind, body) + body)
        return self.answer()

    def answer(self) -> Received | None:
        return read_frame(self._read)

    def end(self) -> int:
        self.stdin.close()
        code = self.process.wait(10)
        self.stdout.close()
        return code

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (more := os.read(self.stdout.fileno(), count - len(data))):
            data += more
        return data


def reading(data: bytes, step: int = 65536) -> Callable[[int], bytes]:
    """Return a reader that gives at most ``step`` bytes at once."""
    left = [data]

    def read(most: int) -> bytes:
        piece, left[0] = left[0][:min(most, step)], left[0][min(most, step):]
        return piece
    return read


@pytest.mark.parametrize("step", [1, 7, 65536])
def test_a_banner_is_found_behind_any_noise_and_before_any_bytes(step: int) -> None:
    word = new_word()
    noise = f"Welcome!\nexec runner_agent bridge --word {word}\nmldesk-begin \nmldesk-begin {'0' * 32} {{}}\n".encode()
    read = reading(noise + banner(word, {"a": 1}) + b"\x00rpyc", step)
    facts, rest, before = read_banner(word, read)
    assert facts == {"a": 1}
    while more := read(100):
        rest += more
    assert rest == b"\x00rpyc"
    assert before == noise


@pytest.mark.parametrize("said", [
    b"", b"bash: python: command not found\n", b"x" * (MAX_NOISE + 1), b"\nmldesk-begin {word} nonsense\n",
    b"\nmldesk-begin {word} [1]\n", b"\nmldesk-begin {word} {" + b" " * 100_000])
def test_what_is_no_banner_is_refused_with_its_last_words(said: bytes) -> None:
    word = new_word()
    with pytest.raises(BadInput) as caught:
        read_banner(word, reading(said.replace(b"{word}", word.encode())))
    assert len(str(caught.value)) <= 500
    if b"bash" in said:
        assert str(caught.value) == "bash: python: command not found"


def test_chunks_become_an_object_and_come_back_piece_by_piece(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(CHUNK + 99)
    digest = hashlib.sha256(data).hexdigest()
    parts = [data[:CHUNK], data[CHUNK:]]
    far = Far("receive", tmp_path)
    for part in parts:
        assert far.ask(Frame.CHUNK, part).kind is Frame.DONE  # type: ignore[union-attr]
    body = frame(Frame.ENTRY, {"size": len(data), "sha256": digest,
                               "chunks": [hashlib.sha256(part).hexdigest() for part in parts]})[37:]
    assert far.ask(Frame.ENTRY, body).kind is Frame.DONE  # type: ignore[union-attr]
    assert far.end() == 0
    assert ObjectStore(tmp_path / "objects").read(digest) == data
    far = Far("send", tmp_path)
    wanted = frame(Frame.WANT, {"digest": digest, "offset": CHUNK, "length": 99})[37:]
    assert far.ask(Frame.WANT, wanted).body == parts[1]  # type: ignore[union-attr]
    absent = frame(Frame.WANT, {"digest": "0" * 64, "offset": 0, "length": 1})[37:]
    answer = far.ask(Frame.WANT, absent)
    assert answer is not None
    assert (answer.kind, answer.json()["code"]) == (Frame.FAILED, "object_missing")
    assert far.end() == 1


def test_what_was_sent_before_the_line_broke_is_taken_in_though_nobody_hears_the_answers(tmp_path: Path) -> None:
    near = ObjectStore(tmp_path / "near")
    (tmp_path / "file").write_bytes(data := random.Random(2).randbytes(3 * CHUNK))
    manifest = near.put_manifest({"file": tmp_path / "file"})
    far = Far("receive", tmp_path / "far")
    assert far.ask(Frame.OBJECT, near.read(manifest)).kind is Frame.DONE  # type: ignore[union-attr]
    plan = frame(Frame.PLAN, {"manifest": manifest, "lead": True, "begun": True})[37:]
    assert far.ask(Frame.PLAN, plan).kind is Frame.LACK  # type: ignore[union-attr]
    far.stdout.close()
    for at in (0, CHUNK):
        part = data[at:at + CHUNK]
        far.stdin.write(header(Frame.CHUNK, part) + part)
    last = header(Frame.CHUNK, data[2 * CHUNK:]) + data[2 * CHUNK:]
    far.stdin.write(last[:-1000])
    far.end()
    with Intake(ObjectStore(tmp_path / "far/objects"), near.manifest(manifest).entries) as intake:
        assert [piece.index for piece in intake.wanted] == [2]
        assert intake.begun() == {2: CHUNK - 1000}


@pytest.mark.parametrize(("program", "data"), [
    ("receive", header(Frame.CHUNK, b"abc") + b"abd"), ("receive", header(Frame.WANT, b"{}") + b"{}"),
    ("receive", b"\xff" * 64), ("receive", frame(Frame.ENTRY, {"size": -1})), ("receive", frame(Frame.COMPLETE, {})),
    ("receive", frame(Frame.COMPLETE, {"manifest": "../../etc/passwd"})),
    ("send", frame(Frame.WANT, {"digest": "../x", "offset": 0, "length": 1})),
    ("send", frame(Frame.WANT, {"digest": "0" * 64, "offset": -1, "length": 1})),
    ("send", frame(Frame.WANT, {"digest": "0" * 64, "offset": 0, "length": CHUNK + 1})),
    ("send", header(Frame.OBJECT, b"x") + b"x")])
def test_a_hostile_caller_is_refused_and_leaves_nothing(tmp_path: Path, program: str, data: bytes) -> None:
    far = Far(program, tmp_path)
    far.stdin.write(data)
    answer = far.answer()
    assert answer is not None
    assert answer.kind is Frame.FAILED
    assert far.end() == 1
    assert list(ObjectStore(tmp_path / "objects").digests()) == []
    assert list((tmp_path / "objects/.chunks").iterdir()) == []


def test_frames_cut_at_any_byte_are_torn_and_never_taken_for_whole_ones() -> None:
    whole = header(Frame.CHUNK, b"abcdef") + b"abcdef"
    for end in range(1, len(whole)):
        with pytest.raises(Torn):
            read_frame(reading(whole[:end]))
    assert read_frame(reading(b"")) is None


def test_a_runner_that_cannot_use_its_folder_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for program in ("bridge", "receive"):
        far = Far(program, tmp_path / "file" / "place")
        assert "cannot use its folder" in far.facts["error"]["message"]
        assert far.end() == 1
