"""The history of a dataset: how its versions came of one another, what is said of them, what they cost, and the bin."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldesk.core.errors import Conflict
from mldesk.library import Library
from mldesk.library.bin import Binned, Purged, costs
from mldesk.library.dataset_words import Words
from mldesk.library.names import fold
from mldesk.library.records import DatasetVersion
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.origins import files_of
from mldesk.workbench.references import parse_reference, refuse_unknown_tags


@dataclass(frozen=True, slots=True)
class Ancestry:
    """One version in its history."""

    version: DatasetVersion
    current: bool
    words: Words
    alone: int                  # bytes that no other version holds
    size: int                   # bytes of its rows, those shared with other versions too
    others: tuple[str, ...]     # versions of other datasets that its recipe brought in
    models: tuple[str, ...]     # that were trained on it
    files: tuple[Mapping[str, Any], ...] = ()   # whose rows came in with it: {"path", "size", "sha256"}

    def to_json(self) -> dict[str, Any]:
        version = self.version
        return {"version": version.number, "parent": version.parent, "current": self.current, "rows": version.rows,
                "columns": len(version.columns), "source": version.source, "size": self.size, "alone": self.alone,
                "purged": version.purged is not None,
                "steps": len(version.recipe or ()), "manifest": version.manifest, "files": list(self.files),
                "recipe": None if version.recipe is None else list(version.recipe),
                "others": list(self.others), "models": list(self.models), "tags": list(self.words.tags),
                "note": self.words.note}


class HistoryService:
    """Lineage, notes and tags, and what is in the bin."""

    def __init__(self, library: Library, datasets: DatasetService) -> None:
        self._library, self._datasets = library, datasets

    def lineage(self, name: str) -> list[Ancestry]:
        """Return every version, oldest first, with what it came of and what came of it. Raises NotFound."""
        head = self._datasets.show(name)
        words = self._library.words.get(head.dataset)
        spent = costs(self._library.datasets, self._library.objects, head.dataset)
        models: dict[str, list[str]] = {}
        for item in self._library.models.list():
            for made in self._library.models.versions(item.name):
                models.setdefault(made.dataset, []).append(made.label)
        return [Ancestry(version, version.number == head.number, words.get(version.number, Words()),
                         *((0, 0) if version.purged is not None else spent.get(version.number, (0, version.size))),
                         _others(version),
                         tuple(models.get(version.label, ())), files_of(self._library, version))
                for version in self._datasets.versions(name)]

    def words(self, reference: str) -> Words:
        """Return what is said about ``N`` as a whole, or about ``N@V``. Raises NotFound."""
        name, number = self._place(reference)
        return self._library.words.get(name).get(number, Words())

    def annotate(self, reference: str, *, note: str | None = None, tags: Sequence[str] | None = None,
                 move: bool = False) -> Words:
        """Keep a note or tags of ``N`` or ``N@V``; None leaves what is there. Raises NotFound, BadInput.

        ``move`` takes new tags from the versions that bear them.
        """
        name, number = self._place(reference)
        return self._library.words.set(name, number, note=note, tags=tags, move=move)

    def version_tags(self, name: str) -> Mapping[int, tuple[str, ...]]:
        """Return the tags of a dataset's versions by their numbers, of those that bear any. Raises NotFound."""
        words = self._library.words.get(self._datasets.show(name).dataset)
        return {number: said.tags for number, said in words.items() if number and said.tags}

    def tag(self, reference: str, add: Sequence[str] = (), remove: Sequence[str] = (),
            move: bool = False) -> tuple[str, ...]:
        """Give tags to ``N`` or ``N@V`` and take others away; return those it bears then. Raises NotFound, BadInput.

        A tag is on one version of a dataset; ``move`` takes it from the one that bears it.
        """
        before = self.words(reference).tags
        refuse_unknown_tags(remove, before, reference)
        if not add and not remove:
            return before
        return self.annotate(reference, tags=[tag for tag in (*before, *add) if tag not in remove], move=move).tags

    def tags(self) -> Mapping[str, tuple[str, ...]]:
        """Return the tags of every dataset and of its versions, by the dataset's name."""
        return self._library.words.all_tags()

    def tasks(self) -> Mapping[str, tuple[str, ...]]:
        """Return the tasks of the runs on each dataset, by its name."""
        return self._library.datasets.tasks()

    def bin(self) -> list[Binned]:
        """Return the datasets in the bin, with the bytes that purging each would free."""
        return self._library.bin.list()

    def binned(self, names: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the datasets in the bin that are meant, None: all of them. Raises NotFound."""
        return self._library.bin.named(names)

    def purge(self, names: Collection[str] | None = None) -> Purged:
        """Take datasets out of the bin for good, None: all of them. Raises NotFound.

        What a model, a run or another dataset needs of them stays.
        """
        return self._library.bin.purge(names)

    def purge_version(self, reference: str) -> Purged:
        """Throw the rows of one old version (N@V) away for good; what it came of stays known.

        Raises NotFound; Conflict for the current version, and for one that runs or models need.
        """
        version = self._datasets.show(reference)
        for model in self._needing(version):
            raise Conflict(f"The rows of {version.label} stay: the model {model} learned from what recipes made of "
                           "them.", hint="It predicts rows as they were before (--clean) by what the recipes learnt "
                           "there.")
        return self._library.bin.purge_version(version.dataset, version.number)

    def _needing(self, version: DatasetVersion) -> Iterator[str]:
        """Give the models that learned from versions which recipes made of one."""
        made = {item.label for item in self._datasets.versions(version.dataset)
                if item.recipe and version.number != item.number
                and version.number in {one.number for one in self._datasets.line_of(item)}}
        for item in self._library.models.list() if made else ():
            yield from (model.label for model in self._library.models.versions(item.name) if model.dataset in made)

    def _place(self, reference: str) -> tuple[str, int]:
        version = self._datasets.show(reference)
        name, number = parse_reference(reference)
        whole = number is None and fold(name) == fold(version.dataset)
        return version.dataset, 0 if whole else version.number


def _others(version: DatasetVersion) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(step["dataset"]) for step in version.recipe or ()
                               if step.get("dataset") and not step.get("disabled")))
