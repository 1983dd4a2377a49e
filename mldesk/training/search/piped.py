"""A model of one fold with what its own rows taught its pipeline, kept beside the model as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mldesk.core import canonical
from mldesk.training.bent import Bent
from mldesk.training.means import Means, fit_transform
from mldesk.training.values import Array, ColumnData, text_of


@dataclass(frozen=True, slots=True, eq=False)
class Piped:
    """The model, how its predictions come back, and the means that stand behind its columns."""

    native: Any
    bent: Bent | None = None
    means: Mapping[str, Means] = field(default_factory=dict)   # by column

    @property
    def plain(self) -> bool:
        return self.bent is None and not self.means

    def write(self) -> bytes:
        return canonical.dumps({"bent": None if self.bent is None else self.bent.to_json(),
                                "means": {name: item.to_json() for name, item in self.means.items()}})

    @classmethod
    def read(cls, native: Any, value: Mapping[str, Any]) -> Piped:
        """Raises KeyError, TypeError or ValueError for what ``write`` did not write."""
        bent = value["bent"]
        return cls(native, None if bent is None else Bent.from_json(bent),
                   {str(name): Means.from_json(item) for name, item in value["means"].items()})


def with_means(raw: Mapping[str, ColumnData], fit_on: Array, judge_by: Array, y: Array, classes: int,
               seed: int) -> tuple[dict[str, Means], Array, Array]:
    """Learn each column's means from the rows of a fold that are fitted on.

    Return them, and what stands behind the columns of those rows and of the judged ones, (N, K) and (M, K) float32.
    ``raw``: (rows,) each; ``y``: of the rows that are fitted on.
    """
    found: dict[str, Means] = {}
    fitted, judged = [], []
    for name, data in raw.items():
        text = text_of(data)
        found[name], told = fit_transform(text.take(fit_on), y, classes, seed)
        fitted.append(told)
        judged.append(found[name].transform(text.take(judge_by), None))
    return found, np.hstack(fitted), np.hstack(judged)
