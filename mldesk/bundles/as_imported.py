"""How the import of the table that a model learned from read its cells.

In a bundle it is ``reading.json``: ``{"format": 1, "options": {"decimal": ",", …}, "columns": {"day": {"decimal": null,
"orders": {"/": "dmy"}}}}``. It decides what a file of rows leaves open by itself, and nothing else.
"""

from __future__ import annotations

from mldesk.bundles.documents import parse_object
from mldesk.bundles.names import READING
from mldesk.core import canonical
from mldesk.core.errors import BadBundle, BadInput
from mldesk.data.columns.as_imported import AsImported

FORMAT = 1


def to_bytes(reading: AsImported) -> bytes:
    """Write ``reading.json``."""
    return canonical.dumps({"format": FORMAT, **reading.to_json()})


def from_bytes(data: bytes) -> AsImported:
    """Read ``reading.json``, a stranger's words. Raises BadBundle with the reason."""
    facts = parse_object(data, READING)
    if facts.get("format") != FORMAT:
        raise BadBundle(f"What this bundle says of cells is written in format {facts.get('format')!r:.20}; format "
                        f"{FORMAT} is known.", hint="Upgrade MLDesk to use it.")
    try:
        return AsImported.from_json(facts)
    except BadInput as error:
        raise BadBundle(f"What this bundle says of cells cannot be used: {error.message}") from error
