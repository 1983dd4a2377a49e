"""The agent's side of moving objects: what is here, taking chunks in, giving bytes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from mldesk.core.errors import BadInput, NotFound
from mldesk.wire.link_server import Answer
from mldesk.wire.objects import ObjectMissing, ObjectStore


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
            try:
                absent = bool(self._store.missing(digest))
            except ObjectMissing:
                absent = True
            if absent:
                raise DataMissing(f"The data {digest[:12]}… of this job is not on the runner.")

    def require_object(self, digest: str) -> None:
        """Raise DataMissing unless an object is here."""
        if not self._store.has(digest):
            raise DataMissing(f"The object {digest[:12]}… is not on the runner.")

    def have(self, digests: tuple[str, ...]) -> Answer:
        staged = self._store.root / ".chunks"
        return {"missing": [digest for digest in digests
                            if not self._store.has(digest) and not (staged / digest).exists()]}

    def put(self, digest: str, chunk: bool, body: bytes) -> Answer:
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
