"""The agent's side of moving objects: what is here, taking chunks in, giving bytes out."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from mldesk.core.errors import BadInput, NotFound
from mldesk.core.filelock import locked
from mldesk.wire import linked
from mldesk.wire.link_server import Answer
from mldesk.wire.object_files import touched
from mldesk.wire.objects import ObjectMissing, ObjectStore
from mldesk.wire.referenced import SourceChanged, SourceGone
from runner_agent.ballast import require_room


class DataMissing(NotFound):
    """A job needs objects that are not on this runner; its client is to bring them and submit again."""

    code = "data_missing"


class ObjectMethods:
    """The methods of the protocol that are about objects."""

    def __init__(self, root: Path) -> None:
        self._store = ObjectStore(root)

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"have": self.have, "put": self.put, "complete": self.complete, "get": self.get}

    def require(self, manifests: Iterable[str]) -> None:
        """Raise DataMissing unless every file of every manifest is here."""
        for digest in manifests:
            self._use([digest])
            try:
                self._refuse_changed(digest)
                absent = bool(self._store.missing(digest))
            except ObjectMissing:
                absent = True
            if absent:
                raise DataMissing(f"The data {digest[:12]}… of this job is not on the runner.")

    def require_object(self, digest: str) -> None:
        """Raise DataMissing unless an object is here."""
        if not self._use([digest]):
            raise DataMissing(f"The object {digest[:12]}… is not on the runner.")

    def have(self, digests: tuple[str, ...]) -> Answer:
        staged, here = self._store.root / ".chunks", self._use(digests)
        return {"missing": [digest for digest in digests if digest not in here and not (staged / digest).exists()]}

    def put(self, digest: str, chunk: bool, body: bytes) -> Answer:
        require_room(self._store.root, len(body))
        if chunk:
            self._store.put_chunk(digest, body)
        elif hashlib.sha256(body).hexdigest() != digest:
            raise BadInput(f"The object {digest[:12]}… came in damaged.", hint="Send it again.")
        else:
            self._store.put_bytes(body)
        return {}

    def complete(self, manifest: str) -> Answer:
        self._store.complete(manifest)
        return {}

    def get(self, digest: str, offset: int, limit: int) -> Answer:
        with open(self._store.path(digest), "rb") as file:
            file.seek(offset)
            return {"size": self._store.size(digest)}, file.read(limit)

    # --- helpers

    def _use(self, digests: Iterable[str]) -> set[str]:
        """Return those that are here; from now on they count as just used, so no collection removes them."""
        here = set()
        with locked(self._store.root / ".lock", shared=True):
            for digest in digests:
                with contextlib.suppress(ObjectMissing):
                    if touched(self._store.path(digest)):
                        here.add(digest)
        return here

    def _refuse_changed(self, manifest: str) -> None:
        """Raise DataMissing for data of this machine that were written to since they were registered."""
        entries = self._store.manifest(manifest).entries
        try:
            for entry in entries:
                if self._store.refers(entry.sha256):
                    self._store.path(entry.sha256)
        except (SourceChanged, SourceGone) as error:
            raise DataMissing(error.message, hint=error.hint) from error
        for digest in linked.changed(self._store.root, (entry.sha256 for entry in entries)):
            source = linked.source_of(self._store.root, digest)
            linked.drop(self._store.root, digest)
            raise DataMissing(f"The file {source} on the runner has changed since it was registered.",
                              hint="Import it again there, as the next version.")
