"""``python -m runner_agent receive`` and ``send``: objects in bulk over stdin and stdout; see mldesk.wire.bulk.

Beside the agent and not through it: they share only the object store, which any number of processes may use at once.
A caller that is cut off loses at most the piece that was on its way.
"""

from __future__ import annotations

import hashlib
import os
import select
from collections.abc import Sequence
from typing import Any

from mldesk.core.errors import BadInput, MldeskError
from mldesk.wire.bulk import NO_DIGEST, Frame, Received, Torn, frame, header, read_frame
from mldesk.wire.manifest import CHUNK, Entry, check_digest
from mldesk.wire.objects import ObjectStore
from runner_agent.bridge import arguments_of, refuse, say
from runner_agent.place import Place

SILENCE = 300.0            # seconds without a byte from the caller, who may be reading its own slow disk


def main(given: Sequence[str]) -> int:
    """Take in or give out objects until the caller ends; return the exit code."""
    arguments = arguments_of(given)
    try:
        store = ObjectStore(Place(arguments.place).make().objects)
    except OSError as error:
        return refuse(arguments.word, error)
    say(arguments.word)
    answer = _take if arguments.command == "receive" else _give
    while True:
        try:
            asked = read_frame(_read)
            if asked is None or asked.kind is Frame.END:
                return 0
            _write(*answer(store, asked))
        except (MldeskError, OSError) as error:
            _write(_failure(error))
            return 1


def _take(store: ObjectStore, given: Received) -> tuple[bytes, ...]:
    if given.kind is Frame.CHUNK:
        try:
            store.put_chunk(given.digest, given.body)
        except BadInput as error:
            raise Torn("A piece came in damaged.", hint="Send it again.") from error
    elif given.kind is Frame.OBJECT:
        if hashlib.sha256(given.body).hexdigest() != given.digest:
            raise Torn("A piece came in damaged.", hint="Send it again.")
        store.put_bytes(given.body)
    elif given.kind is Frame.ENTRY:
        store.assemble(_entry(given.json()))
    elif given.kind is Frame.COMPLETE:
        store.complete(check_digest(given.json().get("manifest", "")))
    else:
        raise Torn(f"A {given.kind.name} frame has no place here.")
    return (frame(Frame.DONE),)


def _give(store: ObjectStore, given: Received) -> tuple[bytes, ...]:
    if given.kind is not Frame.WANT:
        raise Torn(f"A {given.kind.name} frame has no place here.")
    wanted = given.json()
    offset, length = wanted.get("offset"), wanted.get("length")
    if type(offset) is not int or type(length) is not int or offset < 0 or not 0 <= length <= CHUNK:
        raise BadInput("A piece is wanted from nowhere.")
    with open(store.path(check_digest(wanted.get("digest", ""))), "rb") as file:
        file.seek(offset)
        data = file.read(length)
    return header(Frame.DATA, data, NO_DIGEST), data


def _entry(value: dict[str, Any]) -> Entry:
    try:
        return Entry("object", value["size"], value["sha256"], tuple(value["chunks"]))
    except (KeyError, TypeError) as error:
        raise BadInput("An entry is not what it should be.") from error


def _failure(error: Exception) -> bytes:
    if isinstance(error, MldeskError):
        return frame(Frame.FAILED, {"code": error.code, "message": error.message[:2000], "hint": error.hint[:2000]})
    return frame(Frame.FAILED, {"code": "runner_failed", "message": f"The runner's disk refused: {error}"[:2000],
                                "hint": ""})


def _read(count: int) -> bytes:
    """Return exactly ``count`` bytes of stdin, fewer at its end or when the caller has been silent too long."""
    data = bytearray(count)
    view, have = memoryview(data), 0
    while have < count and select.select([0], [], [], SILENCE)[0]:
        got = os.readv(0, [view[have:]])
        if not got:
            break
        have += got
    view.release()
    return bytes(data) if have == count else bytes(data[:have])


def _write(*pieces: bytes) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view):]
