"""Which runs a list shows, as plain data. The library turns it into SQL (``library.run_filter``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mldesk.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Every field narrows the list; an empty one does not."""

    text: str = ""                 # words that must each occur in some text of the run
    states: tuple[str, ...] = ()   # values of JobState
    tags: tuple[str, ...] = ()     # a run must bear all of them
    group: str = ""
    dataset: str = ""              # name, or name@version
    target: str = ""
    estimator: str = ""
    kind: str = ""                 # "train", "search", ...

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
