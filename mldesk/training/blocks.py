"""How one column becomes numbers, by its role. Each block is fitted on training rows and is plain JSON afterwards.

Three styles of numbers, one per family of estimators:

- ``trees``: numbers as they are, missing stays NaN, categories as codes by frequency (an unseen one has its own code);
- ``dense``: missing filled in and marked, standardised, one column per category;
- ``embed``: as ``dense``, but categories as whole-number codes for an embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

import numpy as np

from mldesk.training.means import Means
from mldesk.training.pieces import Pieces
from mldesk.training.roles import Role, missing
from mldesk.training.topics import MOST_WORDS, USUAL_WORDS, TextWish, Topics
from mldesk.training.values import Array, ColumnData, array_of, text_of
from mldesk.training.words import Vocabulary

Style: TypeAlias = Literal["trees", "dense", "embed"]

MOST_CATEGORIES = {"trees": 254, "dense": 100, "embed": 254}  # the commonest; the others are one together
_FAR = 10.0          # standard deviations; beyond, a standardised number says no more
_LARGEST = float(np.finfo(np.float32).max)
_KNOTS = 100         # of ranks: quantiles between which they are read off straight
_DAY = 86_400        # seconds
# Parts of a date that turn round: their period, so that December lies beside January.
_PERIODS = {"month": 12.0, "weekday": 7.0, "hour": 24.0, "second of day": float(_DAY), "day of year": 365.25}
# Month and day say the same; with it, trees learn single days by heart and do worse on days to come.
_NOT_FOR_TREES = {"day of year"}


class Block(Protocol):
    """One fitted column."""

    role: ClassVar[Role]

    def names(self, column: str, style: Style) -> list[str]:
        """Name the outputs, in the order of ``transform``."""
        ...

    def transform(self, data: ColumnData, style: Style) -> Array:
        """Return (N, outputs) float32."""
        ...

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Scale:
    """Median for what is missing; mean and deviation after filling it in."""

    median: float
    mean: float
    deviation: float     # never zero

    @classmethod
    def fit(cls, values: Array) -> Scale:
        """``values`` with NaN for missing, at least one not missing."""
        median = float(np.nanmedian(values))
        filled = np.where(np.isnan(values), median, values)
        deviation = float(filled.std())
        return cls(median, float(filled.mean()), deviation if np.isfinite(deviation) and deviation > 0 else 1.0)

    def apply(self, values: Array) -> Array:
        filled = np.where(np.isnan(values), self.median, values)
        return np.clip((filled - self.mean) / self.deviation, -_FAR, _FAR)

    def to_json(self) -> list[float]:
        return [self.median, self.mean, self.deviation]

    @classmethod
    def from_json(cls, value: Any) -> Scale:
        median, mean, deviation = map(float, value)
        if not np.isfinite([median, mean, deviation]).all() or deviation <= 0:
            raise ValueError(f"not a scale: {value!r:.80}")
        return cls(median, mean, deviation)


@dataclass(frozen=True, slots=True)
class Ranks:
    """A number by its rank among the training rows, as the normal quantile of that: no value is far out then.

    Median for what is missing, as ``Scale``.
    """

    median: float
    knots: tuple[float, ...]       # ascending values of the column
    quantiles: tuple[float, ...]   # ... and what each becomes

    @classmethod
    def fit(cls, values: Array) -> Ranks:
        """``values`` with NaN for missing, at least one not missing."""
        known = values[~np.isnan(values)]
        shares = (np.arange(_KNOTS) + 0.5) / _KNOTS
        knots, place = np.unique(np.quantile(known, shares), return_inverse=True)
        normal = np.array([NormalDist().inv_cdf(share) for share in shares])
        means = np.bincount(place, normal) / np.bincount(place)     # equal values have one rank
        return cls(float(np.median(known)), tuple(knots.tolist()), tuple(means.round(6).tolist()))

    def apply(self, values: Array) -> Array:
        filled = np.where(np.isnan(values), self.median, values)
        return np.interp(filled, self.knots, self.quantiles)

    def to_json(self) -> dict[str, Any]:
        return {"median": self.median, "knots": list(self.knots), "quantiles": list(self.quantiles)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ranks:
        knots, quantiles = (tuple(map(float, value[key])) for key in ("knots", "quantiles"))
        median = float(value["median"])
        if not knots or len(knots) != len(quantiles) or list(knots) != sorted(set(knots)) or not np.isfinite(
                [median, *knots, *quantiles]).all():
            raise ValueError("not ranks")
        return cls(median, knots, quantiles)


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number, or a truth value as 0 and 1."""

    role: ClassVar[Role] = Role.NUMERIC
    scale: Scale | Ranks
    gaps: bool           # some training rows have no value: then having none is told apart

    @classmethod
    def fit(cls, data: ColumnData, *, ranks: bool = False) -> Numeric:
        """``ranks``: numbers are told by their ranks, but to trees, to which it is all the same."""
        values = _finite(data)
        return cls((Ranks if ranks else Scale).fit(values), bool(np.isnan(values).any()))

    def names(self, column: str, style: Style) -> list[str]:
        return [column, *([f"{column} is missing"] if self.gaps and style != "trees" else [])]

    def transform(self, data: ColumnData, style: Style) -> Array:
        values = _finite(data)
        if style == "trees":
            return values[:, None].astype(np.float32)
        return _stack([self.scale.apply(values), *([np.isnan(values)] if self.gaps else [])])

    def to_json(self) -> dict[str, Any]:
        return {"scale": self.scale.to_json(), "gaps": self.gaps}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Numeric:
        scale = value["scale"]
        return cls((Ranks if isinstance(scale, Mapping) else Scale).from_json(scale), bool(value["gaps"]))


@dataclass(frozen=True, slots=True)
class Temporal:
    """A date, a moment or a time of day, taken apart. Parts that never change are left out."""

    role: ClassVar[Role] = Role.TEMPORAL
    scales: Mapping[str, Scale]   # by part
    gaps: bool

    @classmethod
    def fit(cls, data: ColumnData) -> Temporal:
        scales = {part: Scale.fit(values) for part, values in _parts(data).items()
                  if np.nanmin(values) < np.nanmax(values)}
        return cls(scales, bool(missing(data).any()))

    def names(self, column: str, style: Style) -> list[str]:
        named = []
        for part in self.scales:
            if style == "trees" and part in _NOT_FOR_TREES:
                continue
            named.append(f"{column}: {part}")
            if style != "trees" and part in _PERIODS:
                named += [f"{column}: {part} (sine)", f"{column}: {part} (cosine)"]
        return [*named, *([f"{column} is missing"] if self.gaps and style != "trees" else [])]

    def transform(self, data: ColumnData, style: Style) -> Array:
        parts = _parts(data)
        if style == "trees":
            return _stack([parts[part] for part in self.scales if part not in _NOT_FOR_TREES], len(data))
        outputs = []
        for part, scale in self.scales.items():
            outputs.append(scale.apply(parts[part]))
            if part in _PERIODS:
                turn = np.nan_to_num(parts[part] * (2 * np.pi / _PERIODS[part]))
                outputs += [np.sin(turn), np.cos(turn)]
        return _stack([*outputs, *([missing(data)] if self.gaps else [])], len(data))

    def to_json(self) -> dict[str, Any]:
        # A list, because the order of the outputs is the order of the parts.
        return {"parts": [[part, scale.to_json()] for part, scale in self.scales.items()], "gaps": self.gaps}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Temporal:
        return cls({str(part): Scale.from_json(scale) for part, scale in value["parts"]}, bool(value["gaps"]))


@dataclass(frozen=True, slots=True)
class Category:
    """Text with few different values. Codes: 0 for the commonest, then down; then one for all others; then missing."""

    role: ClassVar[Role] = Role.CATEGORY
    values: tuple[str, ...]       # commonest first
    gaps: bool

    @classmethod
    def fit(cls, data: ColumnData, style: Style) -> Category:
        text = text_of(data)
        counts = zip(text.values, text.counts(), strict=True)
        order = sorted((-int(count), value) for value, count in counts if count)
        return cls(tuple(value for _, value in order[:MOST_CATEGORIES[style]]), bool((text.codes < 0).any()))

    @property
    def cardinality(self) -> int:
        """How many codes there are, those for unseen and for missing among them."""
        return len(self.values) + 2

    def names(self, column: str, style: Style) -> list[str]:
        if style != "dense":
            return [column]
        return [*(f"{column} = {value}" for value in self.values), f"{column} = (other)",
                *([f"{column} is missing"] if self.gaps else [])]

    def transform(self, data: ColumnData, style: Style) -> Array:
        text, known = text_of(data), len(self.values)
        table = {value: float(code) for code, value in enumerate(self.values)}
        if style == "trees":
            return text.map(table, known, np.nan)[:, None].astype(np.float32)
        codes = text.map(table, known, known + 1)
        if style == "embed":
            return codes[:, None].astype(np.float32)
        return np.eye(self.cardinality, known + 1 + self.gaps, dtype=np.float32)[codes.astype(np.intp)]

    def to_json(self) -> dict[str, Any]:
        return {"values": list(self.values), "gaps": self.gaps}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Category:
        return cls(tuple(map(str, value["values"])), bool(value["gaps"]))


@dataclass(frozen=True, slots=True)
class Words:
    """Free text, as weights of words, and as topics."""

    role: ClassVar[Role] = Role.WORDS
    vocabulary: Vocabulary
    topics: Topics | None = None

    @classmethod
    def fit(cls, data: ColumnData, wish: TextWish) -> Words:
        text, count = text_of(data), USUAL_WORDS if wish.words is None else wish.words
        known = Vocabulary.fit(text, max(count, MOST_WORDS))   # counted once: that takes longest
        return cls(known.first(count), Topics.fit(text, wish.topics, known.first(MOST_WORDS)))

    def names(self, column: str, style: Style) -> list[str]:
        del style
        topics = [] if self.topics is None else [f"{column}: {name}" for name in self.topics.names()]
        return [*(f"{column}: “{word}”" for word in self.vocabulary.words), *topics]

    def transform(self, data: ColumnData, style: Style) -> Array:
        del style
        words = self.vocabulary.transform(text_of(data))
        return words if self.topics is None else np.hstack([words, self.topics.transform(text_of(data))])

    def to_json(self) -> dict[str, Any]:
        topics = {} if self.topics is None else {"topics": self.topics.to_json()}
        return {**self.vocabulary.to_json(), **topics}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Words:
        topics = value.get("topics")
        return cls(Vocabulary.from_json(value), None if topics is None else Topics.from_json(topics))


@dataclass(frozen=True, slots=True)
class Tokens:
    """Free text, as numbers of pieces that a text encoder reads. All columns of a table are of the same length."""

    role: ClassVar[Role] = Role.WORDS
    pieces: Pieces

    def names(self, column: str, style: Style) -> list[str]:
        del style
        return [f"{column}: piece {number}" for number in range(1, self.pieces.length + 1)]

    def transform(self, data: ColumnData, style: Style) -> Array:
        del style
        return self.pieces.transform(text_of(data))

    def to_json(self) -> dict[str, Any]:
        return {"pieces": self.pieces.to_json()}


def fit_block(role: Role, data: ColumnData, style: Style, text: TextWish) -> Block:
    """Fit the block for ``role`` on the training rows of a column."""
    if role is Role.CATEGORY:
        return Category.fit(data, style)
    if role is Role.NUMERIC:
        return Numeric.fit(data)
    if role is Role.TEMPORAL:
        return Temporal.fit(data)
    return Words.fit(data, text) if text.pieces is None else Tokens(text.pieces)


def read_block(role: Role, value: Mapping[str, Any]) -> Block:
    """Read what ``Block.to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    kinds: dict[Role, Callable[[Mapping[str, Any]], Block]] = {
        Role.NUMERIC: Numeric.from_json, Role.TEMPORAL: Temporal.from_json, Role.CATEGORY: _read_category,
        Role.WORDS: _read_text}
    return kinds[role](value)


def _read_category(value: Mapping[str, Any]) -> Block:
    return Means.from_json(value) if "means" in value else Category.from_json(value)


def _read_text(value: Mapping[str, Any]) -> Block:
    return Tokens(Pieces.from_json(value["pieces"])) if "pieces" in value else Words.from_json(value)


def _finite(data: ColumnData) -> Array:
    """Return numbers that float32 can hold, NaN where there is none."""
    values = array_of(data)
    return np.where(np.isfinite(values), np.clip(values, -_LARGEST, _LARGEST), np.nan)


def _parts(data: ColumnData) -> dict[str, Array]:
    """Take moments apart; each part (N,) float64 with NaN for missing."""
    data = array_of(data)
    gaps = np.isnat(data)
    moments = np.where(gaps, np.datetime64(0, "us"), data).astype("datetime64[us]")
    days = moments.astype("datetime64[D]")
    months, years = moments.astype("datetime64[M]"), moments.astype("datetime64[Y]")
    seconds = (moments - days).astype(np.int64) // 1_000_000
    parts = {
        "year": years.astype(np.int64) + 1970,
        "month": months.astype(np.int64) % 12 + 1,
        "day": (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        "weekday": (days.astype(np.int64) + 3) % 7,  # 0 is Monday; 1970-01-01 was a Thursday
        "day of year": (days - years.astype("datetime64[D]")).astype(np.int64) + 1,
        "hour": seconds // 3600,
        "second of day": seconds,
    }
    return {name: np.where(gaps, np.nan, values.astype(np.float64)) for name, values in parts.items()}


def _stack(outputs: list[Array], rows: int = 0) -> Array:
    if not outputs:
        return np.empty((rows, 0), np.float32)
    return np.column_stack([output.astype(np.float32) for output in outputs])
