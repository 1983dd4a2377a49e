"""Whether two runs were tested on the same rows, also where their tables are two versions, or two datasets.

A split is one byte per row, so a version that was sorted otherwise has the same: what the rows hold decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.objects import ObjectMissing
from mldesk.wire.schema import columns_from_json
from mldesk.workbench.orders import order_of

if TYPE_CHECKING:  # numpy loads with them
    import numpy as np
    import numpy.typing as npt

    from mldesk.training.values import ColumnData

Key = tuple[str, str]   # manifest of the table, digest of the split


def tested_on(run: Run) -> Key | None:
    """Return what decides which rows a run was tested on; None where that is not known."""
    split = (run.result or {}).get("split")
    table = order_of(run).get("dataset") if "payload" in run.spec else None
    return (str(table), split) if isinstance(split, str) and table else None


def surely_same(run: Run, other: Run) -> bool | None:
    """Say without reading whether two runs were tested on the same rows; None where only the rows could say it."""
    ours, theirs = tested_on(run), tested_on(other)
    if ours is None or theirs is None:
        return run.dataset == other.dataset and ours is theirs
    return True if ours == theirs else None


class TestedRows:
    """Compares the test rows of runs by what they hold; what was found out is kept."""

    __test__ = False   # no test, whatever its name

    def __init__(self, library: Library) -> None:
        self._library = library
        self._found: dict[tuple[Key, Key, str], npt.NDArray[np.int64] | bool] = {}

    def same(self, run: Run, other: Run) -> bool:
        """Say whether two runs were tested on the same rows. False where their tables are not here any more."""
        sure = surely_same(run, other)
        return self._match(run, other) is not False if sure is None else sure

    def places(self, run: Run, other: Run) -> npt.NDArray[np.int64] | None:
        """Return where each test row of ``run`` is among those of ``other``, both in the order of their tables; None
        where each is at its own place. Raises BadInput where the rows are not the same.
        """
        found: npt.NDArray[np.int64] | bool = surely_same(run, other) or self._match(run, other)
        if found is False:
            raise BadInput("The two runs were not tested on the same rows, so their scores cannot be paired.",
                           hint="Train both on one version with the same split: the same seed and test share.")
        return None if found is True else found

    def _match(self, run: Run, other: Run) -> npt.NDArray[np.int64] | bool:
        ours, theirs = tested_on(run), tested_on(other)
        if ours is None or theirs is None or run.target != other.target:
            return False
        if (key := (ours, theirs, run.target)) not in self._found:
            self._found[key] = self._compare(run, ours, other, theirs)
        return self._found[key]

    def _compare(self, run: Run, ours: Key, other: Run, theirs: Key) -> npt.NDArray[np.int64] | bool:
        import numpy as np

        from mldesk.training.split import TEST

        try:
            rows = [np.flatnonzero(np.frombuffer(self._library.objects.read(split), np.uint8) == TEST)
                    for _, split in (ours, theirs)]
            if len(rows[0]) != len(rows[1]):
                return False
            if ours[0] == theirs[0]:   # as where only the validation part is another
                return bool(np.array_equal(rows[0], rows[1]))
            return match(self._cells(run, rows[0]), self._cells(other, rows[1]), run.target)
        except ObjectMissing:
            return False

    def _cells(self, run: Run, rows: npt.NDArray[np.int64]) -> Mapping[str, ColumnData]:
        from mldesk.training.table import read_columns  # pyarrow
        from mldesk.training.values import take

        order = order_of(run)
        columns = columns_from_json(order["columns"])
        return take(read_columns(self._library.objects, str(order["dataset"]), columns), rows)


def match(ours: Mapping[str, ColumnData], theirs: Mapping[str, ColumnData],
          target: str) -> npt.NDArray[np.int64] | bool:
    """Return where each of N rows is among N others; True where each is at its own place, False where they differ.

    They are the same if every column that both have says so, in any order; a table may have gained or lost columns.
    Cleaning changes cells as well: rows that stand in the same order are still the same if the columns that it left
    alone, the target among them, tell most of them apart.
    """
    import numpy as np

    from mldesk.workbench.seen_rows import digests_by_column, joined

    ours_by, theirs_by = digests_by_column(ours), digests_by_column(theirs)
    names = sorted(ours_by.keys() & theirs_by.keys())
    untouched = [name for name in names if np.array_equal(ours_by[name], theirs_by[name])]
    if target in untouched and _tell_apart(joined(ours_by, untouched)):
        return True
    mine, others = joined(ours_by, names), joined(theirs_by, names)
    whole = {tuple(sorted(ours_by)), tuple(sorted(theirs_by))}
    if target not in names or not (tuple(names) in whole or _tell_apart(mine)):
        return False
    order, theirs_order = np.argsort(mine, kind="stable"), np.argsort(others, kind="stable")
    if not np.array_equal(mine[order], others[theirs_order]):
        return False
    places = np.empty(len(order), np.int64)
    places[order] = theirs_order
    return places


def _tell_apart(digests: npt.NDArray[Any]) -> bool:
    import numpy as np

    return len(np.unique(digests)) * 2 > len(digests)
