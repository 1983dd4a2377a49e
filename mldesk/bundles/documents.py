"""JSON that a stranger wrote: bounded in size and depth before anything else looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.core import canonical
from mldesk.core.errors import BadBundle

MAX_DOCUMENT = 64 << 20   # bytes; a vocabulary or an evaluation may be some megabytes
MAX_DEPTH = 32


def parse(data: bytes, name: str, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON value of the file ``name``. Raises BadBundle for what is not JSON, or nested too deep."""
    try:
        value = canonical.loads(data.decode("utf-8"))
    except ValueError as error:  # bad UTF-8 and bad JSON alike
        raise BadBundle(f"This bundle's {name} is not JSON: {str(error)[:120]}.") from error
    if _depth(value, max_depth) > max_depth:
        raise BadBundle(f"This bundle's {name} is nested too deep.")
    return value


def parse_object(data: bytes, name: str, max_depth: int = MAX_DEPTH) -> Mapping[str, Any]:
    """Return the JSON object of the file ``name``. Raises BadBundle as ``parse``, and for any other JSON value."""
    value = parse(data, name, max_depth)
    if not isinstance(value, dict):
        raise BadBundle(f"This bundle's {name} is not a JSON object.")
    return value


def _depth(value: Any, limit: int) -> int:
    """Return how deep lists and objects lie in one another, without recursion; gives up above ``limit``."""
    depth, level = 0, [value]
    while level and depth <= limit:
        level = [item for outer in level if isinstance(outer, (dict, list))
                 for item in (outer.values() if isinstance(outer, dict) else outer)]
        depth += bool(level)
    return depth
