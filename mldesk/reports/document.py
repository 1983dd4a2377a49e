"""What a report says: sections of blocks. Plain data, without any idea of how it will look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Numbers: TypeAlias = Sequence[float]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``tone`` "warning" sets it apart."""

    text: str
    tone: Literal["", "muted", "warning"] = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are, one below the other."""

    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tile:
    """One large number."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The numbers to see first."""

    tiles: Sequence[Tile]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head; ``right`` names the columns of numbers, ``strong`` the cells (row, column) that stand out."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[str] = frozenset()
    strong: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be kept as it is: a log, a recipe."""

    text: str


@dataclass(frozen=True, slots=True)
class Series:
    """One line or cloud of a chart; ``x`` and ``y`` are as long as each other."""

    name: str
    x: Numbers
    y: Numbers
    dashed: bool = False
    quiet: bool = False     # drawn thin and grey: a baseline
    slot: int | None = None   # of its colour, where several charts draw the same thing; None: in their order


@dataclass(frozen=True, slots=True)
class Lines:
    """Series over two axes. ``square``: both axes run from 0 to 1. ``points``: no lines between them."""

    title: str
    x: str
    y: str
    series: Sequence[Series]
    square: bool = False
    points: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar per label, the first on top; ``spread``: half the length of each one's whisker."""

    title: str
    x: str
    labels: Sequence[str]
    values: Numbers
    spread: Numbers | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between edges: one more edge than counts."""

    title: str
    x: str
    edges: Numbers
    counts: Numbers


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of what was (rows) against what was said (columns)."""

    title: str
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]


Chart: TypeAlias = Lines | Bars | Histogram | Matrix
Block: TypeAlias = Text | Facts | Tiles | Table | Code | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole document. The same one gives the same bytes every time."""

    title: str
    subtitle: str
    sections: Sequence[Section]
    footer: str = ""
    keywords: Sequence[str] = field(default_factory=tuple)
