"""The events of a run in the database: the newest as rows, those before in blocks; every reader sees one sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from mldesk.library import codec, event_blocks
from mldesk.library.event_blocks import BLOCK, StoredEvent
from mldesk.library.points import Points
from mldesk.library.run_facts import EventRow

_FEW = 64   # events that a run which has ended may keep as rows

# Written many rows at a time: plain SQL with tuples, since building a dictionary per row costs more than SQLite does.
_ADD = "INSERT INTO events (run, seq, time, kind, payload) VALUES ({key}, ?, ?, ?, ?)"
_ROWS = "SELECT seq, time, kind, payload FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?"
_BLOCKS = "SELECT data FROM event_blocks WHERE run = ? AND last > ? ORDER BY first"


def append(connection: Connection, key: int, fresh: Sequence[EventRow], *, ended: bool) -> None:
    """Add events; once there are enough of them, or the run has ended, put the rows there are into blocks."""
    blocked = connection.exec_driver_sql("SELECT max(last) FROM event_blocks WHERE run = ?", (key,)).scalar_one() or 0
    if fresh[-1][0] - blocked < (_FEW if ended else BLOCK):
        connection.exec_driver_sql(_ADD.format(key=key), list(fresh))
        return
    rows = [*connection.exec_driver_sql(_ROWS, (key, 0, -1)), *fresh]
    full = len(rows) if ended else len(rows) // BLOCK * BLOCK
    pack(connection, key, rows[:full])
    connection.exec_driver_sql("DELETE FROM events WHERE run = ?", (key,))
    if full < len(rows):
        connection.exec_driver_sql(_ADD.format(key=key), [tuple(row) for row in rows[full:]])


def pack(connection: Connection, key: int, rows: Sequence[EventRow]) -> None:
    """Write rows as blocks; taking the rows away is the caller's."""
    for start in range(0, len(rows), BLOCK):
        part = rows[start:start + BLOCK]
        data = event_blocks.pack([(seq, time, kind, codec.load(payload)) for seq, time, kind, payload in part])
        connection.exec_driver_sql("INSERT INTO event_blocks (run, first, last, data) VALUES (?, ?, ?, ?)",
                                   (key, part[0][0], part[-1][0], data))


def stored(connection: Connection, key: int, after: int, limit: int | None) -> Iterator[StoredEvent]:
    """Yield the events with a sequence number above ``after``, in order, at most ``limit``."""
    left = -1 if limit is None else limit
    blocks = connection.exec_driver_sql(_BLOCKS, (key, after))
    while left and (block := blocks.fetchone()) is not None:
        for event in event_blocks.unpack(block[0]):
            if event[0] > after and left:
                yield event
                left -= 1
    blocks.close()
    if left:
        for seq, time, kind, payload in connection.exec_driver_sql(_ROWS, (key, after, left)):
            yield seq, time, kind, codec.load(payload)


def points(connection: Connection, key: int) -> Points:
    """Return the metric points of all events."""
    found = Points()
    for (data,) in connection.exec_driver_sql(_BLOCKS, (key, 0)):
        found.block(*event_blocks.read(data))
    for seq, time, kind, payload in connection.exec_driver_sql(_ROWS, (key, 0, -1)):
        if kind in ("metrics", "started"):
            found.event(seq, time, kind, codec.load(payload))
    return found
