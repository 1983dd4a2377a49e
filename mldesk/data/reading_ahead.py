"""What comes piece by piece, made in a thread of its own while the pieces before are worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")


def ahead(pieces: Iterator[Piece], count: int) -> Generator[Piece, None, None]:
    """Give the pieces in order, up to ``count`` of them made before they are asked for. Raises what making them does.

    Whoever stops early waits for the piece that is in the making, no longer. No piece may be None.
    """
    pool = ThreadPoolExecutor(1, "ahead")
    coming: deque[Future[Piece | None]] = deque()
    try:
        for _ in range(count):
            coming.append(pool.submit(next, pieces, None))
        while (piece := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, pieces, None))
            yield piece
    finally:
        pool.shutdown(cancel_futures=True)
