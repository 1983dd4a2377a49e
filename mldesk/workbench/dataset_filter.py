"""Which datasets of a list are wanted, and in which order. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.data.near import did_you_mean
from mldesk.library.records import Dataset

NO_TASK = "none"   # of a dataset that nothing was trained on
ORDERS: Mapping[str, Callable[[Dataset], Any]] = {
    "name": lambda item: item.name.casefold(), "rows": lambda item: item.head.rows,
    "columns": lambda item: len(item.head.columns), "size": lambda item: item.head.size,
    "versions": lambda item: item.versions, "made": lambda item: item.head.created}


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """What is asked of a dataset as its name means it now; None and "" ask for nothing."""

    find: str = ""                      # words in its name, source, columns or tags
    tags: tuple[str, ...] = ()          # all of these
    task: str = ""                      # that was trained on it, see ``is_task``; NO_TASK for none
    least_rows: int | None = None
    most_rows: int | None = None
    least_size: int | None = None       # bytes
    most_size: int | None = None

    def keeps(self, item: Dataset, tags: Sequence[str] = (), tasks: Sequence[str] = ()) -> bool:
        """Say whether a dataset with these tags, on which these tasks were trained, is wanted."""
        return (set(self.tags) <= set(tags) and self._has(item, tags)
                and (not self.task or (any(is_task(one, self.task) for one in tasks) if self.task != NO_TASK
                                       else not tasks))
                and _between(item.head.rows, self.least_rows, self.most_rows)
                and _between(item.head.size, self.least_size, self.most_size))

    def _has(self, item: Dataset, tags: Sequence[str]) -> bool:
        texts = [item.name, item.head.source, *tags, *(column.name for column in item.head.columns)]
        return all(any(word in text.casefold() for text in texts) for word in self.find.casefold().split())


def is_task(task: str, word: str) -> bool:
    """Say whether a task is called so, in full or by its kind: "classification" is the tabular one, too."""
    return task == word or task.endswith(f"_{word}")


def in_order(items: Sequence[Dataset], sort: str) -> list[Dataset]:
    """Return datasets by one of ORDERS, ``:desc`` behind it for the greatest first. Raises BadInput."""
    name, _, way = sort.partition(":")
    if name not in ORDERS or way not in ("", "asc", "desc"):
        raise BadInput(f"Datasets cannot be put in order by {sort!r:.60}.", hint=did_you_mean(name, list(ORDERS))
                       or f"By {', '.join(ORDERS)}; with :desc the greatest first.")
    return sorted(items, key=ORDERS[name], reverse=way == "desc")


def _between(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)
