"""What of the object store the library names, and the removal of what it does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from mldesk.library import codec
from mldesk.library.schema import artifacts, dataset_versions, model_versions, runs
from mldesk.wire.objects import DAY, is_digest
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from mldesk.core.clock import Clock
    from mldesk.library.database import Database
    from mldesk.wire.objects import ObjectStore


class Holdings:
    """The objects, seen from the rows that name them."""

    def __init__(self, database: Database, objects: ObjectStore, clock: Clock) -> None:
        self._database, self._objects, self._clock = database, objects, clock

    def named_digests(self, without: Collection[int] = ()) -> set[str]:
        """Return the digest of every object the library names; manifests stand for their files.

        What only the datasets with the keys ``without`` name is left out.
        """
        with self._database.read() as connection:
            found = _named_by_datasets(connection, without)
            for column in (model_versions.c.manifest, artifacts.c.digest):
                found.update(digest for (digest,) in connection.execute(select(column).distinct()) if digest)
            for spec, result in connection.execute(select(runs.c.spec, runs.c.result)):
                asked = codec.load(spec)
                split = asked["payload"].get("split")
                found.update(asked["inputs"])
                found.add(split.get("membership") if isinstance(split, dict) else None)
                found.add((codec.load(result) or {}).get("split"))
        return _digests(found)

    def dataset_digests(self) -> set[str]:
        """Return those that datasets name, whatever models and runs do."""
        with self._database.read() as connection:
            return _digests(_named_by_datasets(connection, ()))

    def sweep(self, grace: float = DAY) -> list[str]:
        """Remove the objects that nothing names and nobody touched for ``grace`` seconds; return their digests.

        While a run has not ended for good, the runner may hold results that the library has not heard of yet:
        nothing newer than the oldest such run is removed.
        """
        return self._objects.sweep(self.named_digests(), self._grace(grace))

    def free(self, digests: Iterable[str], grace: float) -> list[str]:
        """Remove some objects that nothing names any more, with the same care as ``sweep``; return those that went."""
        return self._objects.free(digests, self._grace(grace))

    def _grace(self, grace: float) -> float:
        with self._database.read() as connection:
            final = [state.value for state in JobState if state.final]
            oldest = connection.execute(
                select(runs.c.created).where(runs.c.state.not_in(final)).order_by(runs.c.created).limit(1)
            ).scalar_one_or_none()
        if oldest is not None:
            grace = max(grace, self._clock.now() - oldest)
        return grace


def _named_by_datasets(connection: Connection, without: Collection[int]) -> set[object]:
    found: set[object] = set()
    versions = select(dataset_versions.c.manifest, dataset_versions.c.profile, dataset_versions.c.recipe,
                      dataset_versions.c.purged).where(dataset_versions.c.dataset.not_in(list(without)))
    for manifest, profile, recipe, purged in connection.execute(versions):
        found.update((manifest, profile) if purged is None else ())  # and the datasets that its recipe brought in
        found.update(step.get("digest") for step in codec.load(recipe) or ())
    return found


def _digests(found: Collection[object]) -> set[str]:
    return {digest for digest in found if isinstance(digest, str) and is_digest(digest)}
