"""Which contract holds for a version of a dataset: that of the nearest version it came of which has one.

A contract is made for a version and holds for what is made of it. Where a recipe changed columns in between, their
values are no longer held to their rules: only their type is asked for, until somebody infers or writes new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldesk.library import Library
from mldesk.library.contracts import KeptContract
from mldesk.library.records import DatasetVersion

if TYPE_CHECKING:  # duckdb loads with it
    from mldesk.data.contracts.contract import Contract


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract as it stands for a version."""

    kept: KeptContract               # as somebody made it
    version: DatasetVersion          # for which it is asked
    contract: Contract               # the rules for this version
    changed: tuple[str, ...] = ()    # columns that recipes made or changed since: only their type is asked for

    @property
    def label(self) -> str:
        return f"contract {self.kept.number} of {self.kept.dataset}"

    @property
    def document(self) -> Mapping[str, Any]:
        """The rules for this version as JSON."""
        return self.contract.to_json()

    @property
    def inherited(self) -> bool:
        """Whether it was made for an earlier version, and a recipe came in between that changed what it asks."""
        return self.kept.version != self.version.number and self.document != self.kept.document


def standing(library: Library, version: DatasetVersion) -> Standing | None:
    """Return the contract that holds for a version, None if there is none. Raises BadInput for a damaged one."""
    kept = library.contracts.history(version.dataset)  # the newest first
    if not kept:
        return None
    made = {number: next(item for item in kept if item.version == number) for number in {item.version for item in kept}}
    since: list[DatasetVersion] = []
    for item in _line(library.datasets.versions(version.dataset), version):
        if item.number in made:
            return _adapted(library, made[item.number], version, item, since)
        since.insert(0, item)
    return None


def _line(versions: Sequence[DatasetVersion], version: DatasetVersion) -> Iterator[DatasetVersion]:
    """Give a version, what it was made of, and before an import the one that it took the place of."""
    known = {item.number: item for item in versions}
    seen: set[int] = set()
    now: DatasetVersion | None = version
    while now is not None and now.number not in seen:
        yield now
        seen.add(now.number)
        earlier = [item for item in versions if item.parent is None and item.number < now.number]
        now = known.get(now.parent) if now.parent is not None else earlier[-1] if earlier else None


def _adapted(library: Library, kept: KeptContract, version: DatasetVersion, first: DatasetVersion,
             since: Sequence[DatasetVersion]) -> Standing:
    """Follow a contract through the versions ``since`` the one it was made for."""
    from mldesk.data.contracts.adapting import adapted
    from mldesk.data.contracts.contract import Contract
    from mldesk.data.recipes.tracing import Trace, trace

    contract, changed, before = Contract.from_json(kept.document), tuple[str, ...](), first
    merged = {file.version for file in library.contracts.accepted(version.dataset)}
    for item in since:
        names = [column.name for column in before.columns]
        if item.recipe is not None:
            found = trace(item.recipe, names)
        elif item.parent is None or item.number in merged:  # rows of the same kind
            found = None
        else:                                               # the answer to a query, which may have changed anything
            found = Trace({})
        if found is not None:
            contract, new = adapted(contract, found, before.columns, item.columns)
            kept_changed = [name for name, origin in found.origins.items() if origin in changed]
            there = {column.name for column in item.columns}
            changed = tuple(name for name in dict.fromkeys((*kept_changed, *new)) if name in there)
        before = item
    return Standing(kept, version, contract, changed)
