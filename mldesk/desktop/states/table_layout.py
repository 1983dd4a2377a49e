"""How the columns of a table are laid out, by name, so that it holds for versions with other columns, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What was chosen by hand; columns that a version has not are remembered for the next that has them."""

    order: tuple[str, ...] = ()       # every column as they stood after the last move, () if none was moved
    hidden: frozenset[str] = frozenset()
    pinned: tuple[str, ...] = ()      # from the left
    widths: Mapping[str, int] = field(default_factory=dict)   # pixels at 100 %

    @classmethod
    def from_json(cls, value: Any) -> TableLayout:
        """Read what ``to_json`` wrote; what cannot be read, written by hand or by another release, is left out."""
        kept = value if isinstance(value, dict) else {}
        widths = kept.get("widths")
        return cls(_names(kept.get("order")), frozenset(_names(kept.get("hidden"))), _names(kept.get("pinned")),
                   {name: width for name, width in widths.items() if type(width) is int and 0 < width < 10_000}
                   if isinstance(widths, dict) else {})

    def to_json(self) -> dict[str, Any]:
        return {"order": list(self.order), "hidden": sorted(self.hidden), "pinned": list(self.pinned),
                "widths": dict(self.widths)}

    def arranged(self, names: Sequence[str]) -> list[str]:
        """Return ``names`` from left to right: pinned ones first, new ones behind the column they follow."""
        there = set(names)
        front = [name for name in self.pinned if name in there]
        rest = there.difference(front)
        return front + [name for name in merged(self.order, names) if name in rest]

    def hidden_of(self, names: Iterable[str]) -> set[str]:
        """Return which of ``names`` are out of sight: none where that would leave nothing to see."""
        there = set(names)
        hidden = there & self.hidden
        return hidden if hidden != there else set()


def merged(first: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return ``first`` with what only ``others`` has, each behind the one it follows there."""
    known = set(first)
    followers: dict[str, list[str]] = {}
    before: list[str] = []   # those that follow none
    group = before
    for name in others:
        if name in known:
            group = followers.setdefault(name, [])
        else:
            group.append(name)
    return before + [one for name in first for one in (name, *followers.get(name, ()))]


def _names(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in value if isinstance(one, str))) if isinstance(value, list) else ()
