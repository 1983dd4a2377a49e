"""Names people type: ``churn``, ``churn@2``, and what they may have meant when there is no such name."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable

from mldesk.core.errors import BadInput

NEAR = 0.7  # how alike two words must be; at 0.6 "nope" is near "income"
_VERSIONED = re.compile(r"(?P<name>.+)@(?P<number>[0-9]{1,9})", re.DOTALL)


def parse_reference(text: str) -> tuple[str, int | None]:
    """Split ``N@V`` into name and version number; a bare name has None. Raises BadInput for an empty name."""
    match = _VERSIONED.fullmatch(text.strip())
    name, number = (match["name"], int(match["number"])) if match else (text.strip(), None)
    if not name:
        raise BadInput("A name is missing.", hint="Write NAME, or NAME@VERSION.")
    return name, number


def slug(text: str) -> str:
    """Return ``text`` as one readable word: letters and digits of any script kept, everything else a hyphen."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text))
    return "-".join(words)[:60].strip("-")


def model_name(dataset: str, target: str) -> str:
    """Return the name a model gets when the user gives none: ``telco-Churn``, ``seoul-대여-수``."""
    return "-".join(filter(None, (slug(dataset), slug(target)))) or "model"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint naming the known words nearest to ``word``, or "" where none is near."""
    by_fold = {item.casefold(): item for item in known}
    close = difflib.get_close_matches(word.casefold(), list(by_fold), n=3, cutoff=NEAR)
    return f"Did you mean {' or '.join(repr(by_fold[item]) for item in close)}?" if close else ""


def which_version(name: str, known: Iterable[str], numbers: Callable[[], Iterable[int]], otherwise: str) -> str:
    """Return a hint for a ``name`` or ``name@number`` that is not there.

    A known name lacks the version: those it has are named. Else ``otherwise`` is the hint (it is in the bin, say),
    or the nearest names are.
    """
    known = list(known)
    if name.casefold() in (item.casefold() for item in known):
        versions = list(map(str, numbers()))
        return f"{name} has version{'s' if len(versions) > 1 else ''} {listed(versions)}."
    return otherwise or did_you_mean(name, known)


def listed(words: Iterable[str], limit: int = 12) -> str:
    """Return words as one line for a hint, cut with a count where there are many."""
    words = list(words)
    more = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(words[:limit]) + more


def refuse_unknown_tags(remove: Iterable[str], known: Collection[str], what: str) -> None:
    """Raise BadInput for a tag that is to be taken away and is not there."""
    lost = next((tag for tag in remove if tag not in known), None)
    if lost is not None:
        raise BadInput(f"{what} has no tag {lost!r:.60}.", hint=did_you_mean(lost, known)
                       or (f"Tags: {listed(known)}." if known else ""))
