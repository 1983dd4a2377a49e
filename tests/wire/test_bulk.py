"""Frames are read whole or in parts, within their bounds; the answer to a plan is believed as far as it fits."""

from __future__ import annotations

import hashlib
import io

import pytest

from mldesk.wire.bulk import MAX_BEGUN, Frame, Torn, Unreadable, frame, header, lack, read_frame, read_lack, read_parts
from mldesk.wire.manifest import CHUNK, Entry, pieces_of

BODY = bytes(range(250)) * 4
DIGEST = hashlib.sha256(BODY).hexdigest()
CHUNKS = tuple(hashlib.sha256(bytes([number])).hexdigest() for number in range(9))
PIECES = pieces_of([Entry("a", 8 * CHUNK + 100, "f" * 64, CHUNKS)])


def test_a_chunk_is_read_in_parts_and_what_came_before_a_cut_is_given() -> None:
    whole = header(Frame.CHUNK, BODY, DIGEST) + BODY
    parts = [(bytes(part.body), part.left) for part in read_parts(io.BytesIO(whole).read, 400)]
    assert parts == [(BODY[:400], 600), (BODY[400:800], 200), (BODY[800:], 0)]
    for cut in (1, 399, 400, 401, 999):
        came, stream = b"", read_parts(io.BytesIO(whole[:len(whole) - len(BODY) + cut]).read, 400)
        with pytest.raises(Torn):
            for part in stream:
                came += part.body
                assert part.left == len(BODY) - len(came)
                assert part.digest == DIGEST
        assert came == BODY[:cut]


def test_a_frame_that_is_read_whole_is_whole() -> None:
    whole = header(Frame.CHUNK, BODY, DIGEST) + BODY
    received = read_frame(io.BytesIO(whole).read)
    assert received is not None
    assert (received.body, received.left) == (BODY, 0)
    assert read_frame(io.BytesIO(b"").read) is None
    for damaged in (whole[:-1], whole[:10], header(Frame.PLAN, b"{}") + b"{]", b"\xff" + whole[1:]):
        with pytest.raises(Torn):
            read_frame(io.BytesIO(damaged).read)
    assert [part.kind for part in read_parts(io.BytesIO(frame(Frame.END)).read, 400)] == [Frame.END]


def test_the_answer_to_a_plan_says_what_lacks_and_how_far_it_has_come() -> None:
    bits = bytes([0b10000001, 0b10000000])
    assert read_lack(lack(bits, {7: 5, 8: 99}), PIECES) == {0: 0, 7: 5, 8: 99}
    assert read_lack(lack(bits, {}), PIECES) == {0: 0, 7: 0, 8: 0}
    assert read_lack(b"\0", PIECES) is None
    assert len(lack(bits, dict.fromkeys(range(MAX_BEGUN + 5), 1))) == 1 + len(bits) + 8 * MAX_BEGUN


@pytest.mark.parametrize("body", [
    b"", b"\1", b"\2\xff\xff", b"\0\0", b"\1\xff", lack(b"\xff\x80", {}) + b"x",
    lack(b"\x80\0", {1: 5}),          # of a piece that does not lack
    lack(b"\xff\x80", {9: 5}),        # of none there is
    lack(b"\xff\x80", {8: 100}),      # as long as the piece
    lack(b"\xff\x80", {0: CHUNK})])
def test_an_answer_that_makes_no_sense_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_lack(body, PIECES)
