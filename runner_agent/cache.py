"""The object store of a runner as a cache: how much it holds, its quota, and that it never fills the disk.

Only a store that belongs to a runner alone is ever collected, never the library's: see runner_agent.ownership.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.errors import Conflict, MldeskError
from mldesk.wire.objects import ObjectStore
from mldesk.wire.runner_view import CacheView
from runner_agent.collecting import GRACE, Collector, Holding
from runner_agent.jobs import Jobs
from runner_agent.ownership import is_own
from runner_agent.pins import Pins

if TYPE_CHECKING:  # rpyc loads with it
    from mldesk.wire.link_server import Answer

LEAST_FREE = 2 * 1024**3   # bytes that the cache leaves on its disk,
LEAST_SHARE = 0.05         # and this share of it, where that is more
_LOOK = 10.0               # seconds between looks at the disk
_STOCK = 300.0             # seconds between looks at every object,
_STOCK_WHEN_LOW = 60.0     # and while the disk is nearly full
log = logging.getLogger("runner_agent")


class CacheMethods:
    """Answers ``cache`` and ``collect``, and keeps the cache in its bounds from a thread of its own."""

    def __init__(self, objects: Path, jobs: Jobs, quota: Callable[[], int] = int, *, grace: float = GRACE,
                 least_free: Callable[[int], int] = lambda total: max(LEAST_FREE, int(total * LEAST_SHARE))) -> None:
        """``quota`` gives bytes, 0 for no other bound than the disk; ``least_free`` those to leave on one so large."""
        self._store, self._pins, self._quota = ObjectStore(objects), Pins(jobs), quota
        self._collector = Collector(self._store, grace=grace)
        self._least_free = least_free
        self._lock = threading.Lock()      # one look or collection at a time
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"cache": self.cache, "collect": self.collect}

    def start(self) -> None:
        """Begin to keep the cache in its bounds; does nothing for a store that is not the runner's own."""
        if self._thread is None and is_own(self._store.root):
            self._thread = threading.Thread(target=self._keep, name="cache", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop, at the latest once the removal under way is done."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def cache(self) -> Answer:
        """Answer with what the store holds."""
        with self._lock:
            holding, free = self._look(), shutil.disk_usage(self._store.root).free
        mine = is_own(self._store.root)
        return CacheView(holding.used, self._quota() if mine else 0, holding.pinned_bytes if mine else holding.used,
                         len(holding.items), free).to_json()

    def collect(self) -> Answer:
        """Remove what nobody has needed for the grace time; mark the rest. Raises Conflict for a library's store."""
        if not is_own(self._store.root):
            raise Conflict("This runner keeps its data in the library itself, from which it removes nothing.",
                           hint="Remove datasets and models from the library instead.")
        return {"freed": self._collect(lambda _: None)}

    def tend(self) -> int:
        """Bring the cache back into its bounds as far as that may be; return the bytes freed."""
        return self._collect(self._excess) if is_own(self._store.root) else 0

    def _collect(self, wanted: Callable[[Holding], int | None]) -> int:
        with self._lock:
            holding = self._look()
            self._collector.mark(holding)
            most = wanted(holding)
            freed = self._collector.remove(holding, most) if most is None or most > 0 else 0
            self._store.sweep_staging()
        if freed:
            log.info("%.1f MB that no job needs were removed from the cache", freed / 1e6)
        return freed

    def _look(self) -> Holding:
        needed = self._pins.needed()
        return self._collector.look(needed.digests, needed.writing_since)

    def _excess(self, holding: Holding) -> int:
        """Return the bytes that are to go."""
        quota, disk = self._quota(), shutil.disk_usage(self._store.root)
        over = holding.used - quota if quota else 0
        return max(over, self._least_free(disk.total) - disk.free, 0)

    def _keep(self) -> None:
        due, quota, was_low = 0.0, self._quota(), False
        while not self._closed.wait(_LOOK):
            disk = shutil.disk_usage(self._store.root)
            low = disk.free < self._least_free(disk.total)
            if time.monotonic() < due and quota == self._quota() and low <= was_low:
                continue
            due, quota, was_low = time.monotonic() + (_STOCK_WHEN_LOW if low else _STOCK), self._quota(), low
            try:
                self.tend()
            except (MldeskError, OSError) as error:  # a full disk, or one that fails: nothing may depend on this
                log.warning("the cache cannot be looked after: %s", error)
