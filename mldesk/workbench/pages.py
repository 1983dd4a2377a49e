"""A window onto a table: what previews, queries and tables in the window hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldesk.data.recipes.applying import StepReport


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a table or of a query's answer."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]  # plain JSON values; None is missing
    offset: int                    # of the first row, from 0
    total: int                     # rows there are in all; for a query cut at its limit, the rows that came
    truncated: bool = False        # a query's answer has more rows than these
    places: Sequence[int] = ()     # of the rows in the version, from 0, where they were asked for

    def to_json(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows],
                "offset": self.offset, "total": self.total}


@dataclass(frozen=True, slots=True)
class RecipePage(Page):
    """The first rows that a recipe would give, and what each step does."""

    types: tuple[str, ...] = ()           # of the columns
    reports: tuple[StepReport, ...] = ()  # one per step that is not disabled, in order
    notices: tuple[str, ...] = ()         # what is worth knowing: that a step learns from all rows, for one
    sampled: bool = False                 # the counts are of a large table's first rows
