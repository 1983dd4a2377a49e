"""What the object store of this runner holds, for the ``cache`` and ``collect`` methods."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from mldesk.wire.link_server import Answer
from mldesk.wire.objects import ObjectStore
from mldesk.wire.runner_view import CacheView


class CacheMethods:
    """Answers ``cache`` and ``collect``."""

    def __init__(self, objects: Path) -> None:
        self._store = ObjectStore(objects)

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"cache": self._cache, "collect": self._collect}

    def _cache(self) -> Answer:
        sizes = [self._store.size(digest) for digest in self._store.digests()]
        free = shutil.disk_usage(self._store.root).free
        return CacheView(used=sum(sizes), quota=0, pinned=0, objects=len(sizes), free=free).to_json()

    def _collect(self) -> Answer:
        """Nothing but what dead transfers left is collected."""
        self._store.sweep_staging()
        return {"freed": 0}
