"""Rows that are computed in a thread of their own while those before them are written."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa


def ahead(reader: pa.RecordBatchReader, count: int) -> Generator[pa.RecordBatch, None, None]:
    """Give the batches in order, up to ``count`` of them computed before they are asked for. Raises what reading does.

    Whoever stops early waits for the batch that is in the making, no longer.
    """
    pool = ThreadPoolExecutor(1, "rows-ahead")
    coming: deque[Future[pa.RecordBatch | None]] = deque()
    try:
        for _ in range(count):
            coming.append(pool.submit(next, reader, None))
        while (batch := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, reader, None))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)
