"""Which columns can be features, and as what: decided from the training rows alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from mldesk.training.misread import mostly_numbers
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.training.words import words_of
from mldesk.wire.schema import Column, ColumnType

# An identifier is known by its values (different in every row) and, if numeric, by its name as well: many genuine
# measurements differ in every row, too.
_ID_NAME = re.compile(
    r"(^|[\s_.\-#])(id|ids|no|nr|num|number|idx|index|row|key|uuid|guid|unnamed|serial|seq|record)($|[\s_.\-:#\d])",
    re.IGNORECASE)
_ID_CAMEL = re.compile(r"[a-z](Id|ID|No|Nr|Key)$|^(?:rn|row_?number)$")
_FEW_ROWS = 20        # below so many values, being all different says nothing
_NEARLY_UNIQUE = 0.9  # share of different values above which short text is an identifier
IDENTIFIER = "an identifier"   # why a column is left out begins so
_SAMPLE = 2000        # values looked at to count words


class Role(str, Enum):
    """What a feature column is to the encoder."""

    NUMERIC = "numeric"
    CATEGORY = "category"
    TEMPORAL = "temporal"
    WORDS = "words"      # free text


@dataclass(frozen=True, slots=True)
class Roles:
    """The decision: a role per feature, and why each other column is none."""

    features: Mapping[str, Role]         # in table order
    left_out: Mapping[str, str]          # column: why, in a few words


def decide(columns: Mapping[str, ColumnData], schema: Sequence[Column], chosen: bool = False) -> Roles:
    """Decide for every column of ``schema``. ``columns`` hold the training rows.

    ``chosen`` says that the user named these columns: then only what cannot carry anything is left out.
    """
    features: dict[str, Role] = {}
    left_out: dict[str, str] = {}
    for column in schema:
        data = columns[column.name]
        why = _empty(data) or _constant(data) or _identifier(column, data, chosen)
        if why:
            left_out[column.name] = why
        else:
            features[column.name] = _role(column, data)
    return Roles(features, left_out)


def missing(data: ColumnData) -> Array:
    """Return where values are missing, (N,) bool. Infinities count as missing: no encoding of them would be honest."""
    if isinstance(data, TextColumn):
        return data.codes < 0
    return np.isnat(data) if data.dtype.kind == "M" else ~np.isfinite(data)


def _empty(data: ColumnData) -> str:
    return "empty in every training row" if bool(missing(data).all()) else ""


def _constant(data: ColumnData) -> str:
    gaps = missing(data)
    if gaps.any():
        return ""
    values = data.codes if isinstance(data, TextColumn) else data
    return "the same in every training row" if bool((values == values[0]).all()) else ""


def _identifier(column: Column, data: ColumnData, chosen: bool) -> str:
    gaps = missing(data)
    filled = int((~gaps).sum())
    if filled < _FEW_ROWS or column.type is ColumnType.BOOLEAN:
        return ""
    if isinstance(data, TextColumn):
        different = int((data.counts() > 0).sum())
        unique = different >= _NEARLY_UNIQUE * filled and mean_words(data) < 3
        return _text_identifier(column, data) if unique else ""
    if chosen or column.type is not ColumnType.INTEGER or not looks_like_identifier(column.name):
        return ""
    return f"{IDENTIFIER}: every row has its own number" if len(np.unique(data[~gaps])) == filled else ""


def _text_identifier(column: Column, data: TextColumn) -> str:
    if looks_like_identifier(column.name) or not mostly_numbers(data):
        return f"{IDENTIFIER}: nearly every row has its own"
    return ("text, though most of its values are numbers: import it with --type "
            f"{shlex.quote(f'{column.name}=number')} to learn from it")


def looks_like_identifier(name: str) -> bool:
    """Say whether a column's name calls it an id or a running number."""
    return bool(not name.strip() or _ID_NAME.search(name) or _ID_CAMEL.search(name))


def mean_words(text: TextColumn) -> float:
    """Return the mean number of words over (a sample of) the different values."""
    values = [text.values[index] for index in np.flatnonzero(text.counts())[:_SAMPLE]]
    return sum(len(words_of(value)) for value in values) / max(1, len(values))


def _role(column: Column, data: ColumnData) -> Role:
    if not isinstance(data, TextColumn):
        return Role.TEMPORAL if column.type.temporal else Role.NUMERIC
    counts = data.counts()
    different, filled = int((counts > 0).sum()), int(counts.sum())
    wordy = different > 20 and different > 0.2 * filled and mean_words(data) >= 3
    return Role.WORDS if wordy else Role.CATEGORY
