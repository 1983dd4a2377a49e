"""Which columns tell the rows of two versions apart, so that a changed row is found again. Light: no table is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mldesk.wire.schema import ColumnType

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion

_ID = re.compile(r"(^|[^a-z])(id|key|nr|no|number|code|uuid)s?$|[a-z](ID|Id|Key|No|Nr)$")
_NEVER_KEYS = (ColumnType.NUMBER, ColumnType.BOOLEAN)   # measured, or too few values: alike by chance


def keys_of(old: DatasetVersion, new: DatasetVersion) -> tuple[str, ...]:
    """Return the columns that tell the rows of both versions apart, those that are called like an id first.

    All their values are there and all are different. Measured numbers are none unless they are called so.
    """
    both = [{column.name: column.type for column in version.columns
             if column.distinct == version.rows and not column.missing} for version in (old, new)]
    found = [name for name, kind in both[0].items() if both[1].get(name) is kind
             and (kind not in _NEVER_KEYS or _called_id(name))]
    return tuple(sorted(found, key=lambda name: (not _called_id(name), both[0][name] in _NEVER_KEYS)))


def _called_id(name: str) -> bool:
    return bool(_ID.search(name) or _ID.search(name.lower()))
