"""Which runs a list shows, as plain data. The library turns it into SQL (``library.run_filter``)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mldesk.core.errors import BadInput

SIGNS = (">=", "<=", ">", "<")
_BOUND = re.compile(r'([^<>="\\\x00-\x1f]{1,200}?)\s*(>=|<=|>|<)\s*(\S+)')


@dataclass(frozen=True, slots=True)
class ScoreBound:
    """What a score on the test rows must come to, in words ``roc_auc>=0.9``. A run without that score does not."""

    metric: str
    sign: str      # one of SIGNS
    value: float

    @classmethod
    def read(cls, text: str) -> ScoreBound:
        """Raises BadInput."""
        found = _BOUND.fullmatch(text.strip())
        try:
            value = float(found[3]) if found else math.nan
        except ValueError:
            value = math.nan
        if found is None or not math.isfinite(value):
            raise BadInput(f"{text!r:.60} is no condition on a score.",
                           hint="Write it as roc_auc>=0.9 or log_loss<0.4.")
        return cls(found[1], found[2], value)

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.value:g}"


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Every field but ``sort`` narrows the list; an empty one does not."""

    text: str = ""                 # words that must each occur in some text of the run
    states: tuple[str, ...] = ()   # values of JobState
    tags: tuple[str, ...] = ()     # a run must bear all of them
    group: str = ""
    dataset: str = ""              # name, or name@version
    target: str = ""
    estimator: str = ""
    kind: str = ""                 # "train", "search", ...
    parent: str = ""               # id of the run that they are part of
    scores: tuple[str, ...] = ()   # each a ``ScoreBound`` in words; all of them must hold
    sort: str = field(default="", compare=False)  # a column of the window's list, "-" before it: downwards

    def to_json(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value
                for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RunFilter:
        """Read what was kept. Raises BadInput for a field that this MLDesk does not know."""
        try:
            return cls(**{key: tuple(map(str, item)) if isinstance(item, (list, tuple)) else str(item)
                          for key, item in value.items()})  # type: ignore[arg-type]
        except TypeError as error:
            raise BadInput(f"A saved view asks for something this MLDesk does not know: {error}.",
                           hint="Save the view again.") from error
