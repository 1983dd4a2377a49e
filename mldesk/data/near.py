"""What may have been meant: the known word nearest to one that is not known. Standard library only."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return ``Did you mean 'carrier'?``, or "" where nothing is near."""
    by_fold = {item.casefold(): item for item in known}
    close = difflib.get_close_matches(word.casefold(), list(by_fold), n=3, cutoff=0.7)
    return f"Did you mean {' or '.join(repr(by_fold[item]) for item in close)}?" if close else ""


def which_column(word: str, known: Sequence[str]) -> str:
    """Return a hint for a column that does not exist: the nearest names, or all there are."""
    shown = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
    return did_you_mean(word, known) or f"The columns are: {shown}."
