"""How an import read the cells of a table, for files that come later and leave open what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from mldesk.core.errors import BadInput
from mldesk.data.options import MARKS, ImportOptions, Reading

_OPTIONS = ("missing", "decimal", "thousands", "percent", "dates", "day_first")   # those that are about cells
_LONGEST, _MOST = 100, 1000   # characters of a date format or marker, and markers


@dataclass(frozen=True, slots=True)
class AsImported:
    """What was said about cells, and what the import found out by itself."""

    said: Mapping[str, Any] = field(default_factory=dict)          # import options, as JSON
    columns: Mapping[str, Reading] = field(default_factory=dict)   # of those that another file may leave open

    @classmethod
    def of(cls, reading: Mapping[str, Any]) -> Self:
        """Return it for a version's ``reading``: {"options", "found", …}."""
        options = {name: value for name, value in reading.get("options", {}).items() if name in _OPTIONS}
        return cls(options, _columns(reading.get("found", {}).get("columns", {})))

    def options(self) -> ImportOptions:
        """Return import options for a later file."""
        return replace(ImportOptions.from_json(self.said), readings=tuple(self.columns.items()))

    def to_json(self) -> dict[str, Any]:
        return {"options": dict(self.said), "columns": columns_to_json(self.columns)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote, perhaps a stranger. Raises BadInput."""
        said, columns = value.get("options"), value.get("columns")
        if not isinstance(said, Mapping) or not isinstance(columns, Mapping) or not set(said) <= set(_OPTIONS):
            raise BadInput("It does not say how cells were read.")
        options = ImportOptions.from_json(said)
        if len(options.missing) > _MOST or any(len(text) > _LONGEST or "  " in text
                                               for text in (*options.missing, options.dates or "")):
            raise BadInput("What it says of cells is too long.")
        return cls(dict(said), _columns(columns))


def columns_to_json(columns: Mapping[str, Reading]) -> dict[str, Any]:
    """Return readings as plain JSON: {name: {"decimal": ",", "orders": {"/": "dmy"}}}."""
    return {name: {"decimal": reading.decimal, "orders": dict(reading.orders)} for name, reading in columns.items()}


def _columns(value: Any) -> dict[str, Reading]:
    """Raises BadInput for what ``columns_to_json`` did not write."""
    try:
        found = {str(name): Reading(item["decimal"], "", tuple(item["orders"].items()))
                 for name, item in value.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise BadInput("It does not say how the cells of its columns were read.") from error
    for reading in found.values():
        if reading.decimal not in (None, ".", ",") or any(
                mark not in MARKS or order not in ("dmy", "mdy") for mark, order in reading.orders):
            raise BadInput("It says of a column what cannot be.")
    return found
