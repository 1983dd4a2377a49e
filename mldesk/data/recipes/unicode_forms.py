"""Unicode's normal forms for DuckDB, which knows NFC alone: the others are functions over Arrow's texts.

This file is copied into the scripts of recipes, so it imports nothing of ours. The forms are those of the Unicode
Standard, annex 15; Arrow carries their tables with it (utf8proc), so they are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow.compute as pc

_FORMS = ("NFD", "NFKC", "NFKD")  # besides DuckDB's own


def needs_unicode_forms(steps: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether a connection that does these steps needs ``add_unicode_forms``."""
    return any(step.get("unicode") in _FORMS for step in steps)


def add_unicode_forms(connection: Any) -> None:
    """Give a DuckDB connection the functions unicode_nfd, unicode_nfkc and unicode_nfkd; missing stays missing."""
    for form in _FORMS:
        connection.create_function(f"unicode_{form.lower()}", _normaliser(form), ["VARCHAR"], "VARCHAR", type="arrow")


def _normaliser(form: str) -> Callable[[Any], Any]:
    return lambda texts: pc.utf8_normalize(texts, form)


def normalised(sql: str, form: str) -> str:
    """Return SQL for a text in a form; every other word than a form's name means NFC."""
    return f"unicode_{form.lower()}({sql})" if form in _FORMS else f"nfc_normalize({sql})"
