"""Millions of frames against both ends of the locked link: nothing may crash, hang or grow.

    python -m tests.chaos.fuzz_frames --frames 10000000 [--seed S]
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import time

import psutil

from mldesk.wire.link_client import connect
from mldesk.wire.link_protocol import PING, LockedConnection
from tests.wire.link_bench import Fuzz, raw, serving

GROWTH = 32 * 1024 * 1024  # bytes of resident memory, at most
BATCH = 20                 # frames per connection, at most: until the other end hangs up


def server_side(frames: int, fuzz: Fuzz) -> int:
    """Send frames to a server until they are spent; return how many connections that took."""
    connections = 1
    with serving() as (path, _):
        link = connect(path)
        peer = raw(path)
        for sent in range(frames):
            try:
                if sent % BATCH == 0:  # a frame that claims to be long swallows those after it; begin anew
                    raise BrokenPipeError
                peer.sendall(fuzz.frame())
            except OSError:
                peer.close()
                peer = raw(path)
                connections += 1
            if sent % 10_000 == 0:
                assert link.call("echo", {"n": sent}) == {"n": sent}
        peer.close()
        assert link.call("echo", {}) == {}
        link.close()
    return connections


def client_side(frames: int, fuzz: Fuzz) -> None:
    """Answer a client with frames, a batch per connection; every question must end, once."""
    for _ in range(frames // BATCH):
        ours, theirs = socket.socketpair()
        connection = LockedConnection(ours)
        answers: list[bool] = []
        connection.ask(PING, (1,), lambda failed, _value, answers=answers: answers.append(failed))
        connection.start("fuzzed")
        with contextlib.suppress(OSError):
            theirs.sendall(b"".join(fuzz.frame() for _ in range(BATCH)))
            theirs.shutdown(socket.SHUT_WR)
        connection.join(10)
        assert connection.closed
        assert len(answers) == 1
        theirs.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    fuzz, me = Fuzz(given.seed), psutil.Process()
    client_side(10_000, fuzz)  # so that the growth measured is not that of importing and warming up
    server_side(10_000, fuzz)
    before, began = me.memory_info().rss, time.monotonic()
    connections = server_side(given.frames // 2, fuzz)
    client_side(given.frames // 2, fuzz)
    grown = me.memory_info().rss - before
    print(f"seed {given.seed}: {given.frames} frames over {connections} + {given.frames // 2 // BATCH} connections in "
          f"{time.monotonic() - began:.0f} s, no crash; memory grew by {grown / 2**20:.1f} MiB")
    return 0 if grown < GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
