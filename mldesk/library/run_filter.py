"""Which runs a list shows: what is asked for, as plain data, and as SQL over all runs there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, true

from mldesk.core.errors import BadInput
from mldesk.library.schema import runs
from mldesk.wire.states import JobState

_TEXTS = ("name", "dataset", "target", "estimator", "runner", "model_name", "tags", "collection", "note", "id")
_ESCAPE = "\\"


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

    @property
    def condition(self) -> ColumnElement[bool]:
        """As SQL."""
        found: list[ColumnElement[bool]] = [true(), *(or_(*(_has(name, word) for name in _TEXTS))
                                                      for word in self.text.split())]
        if self.states:
            known = {state.value for state in JobState}
            found.append(runs.c.state.in_([state for state in self.states if state in known]))
        found += [_has("tags", f'"{tag}"') for tag in self.tags]
        for name, asked in (("collection", self.group), ("target", self.target), ("estimator", self.estimator),
                            ("kind", self.kind)):
            if asked:
                found.append(runs.c[name] == asked)
        if self.dataset:
            found.append(or_(runs.c.dataset == self.dataset,
                             runs.c.dataset.like(_escaped(self.dataset) + "@%", escape=_ESCAPE)))
        return and_(*found)


def _has(name: str, word: str) -> ColumnElement[bool]:
    return func.lower(runs.c[name]).like(f"%{_escaped(word.lower())}%", escape=_ESCAPE)


def _escaped(text: str) -> str:
    return text.replace(_ESCAPE, _ESCAPE * 2).replace("%", "\\%").replace("_", "\\_")
