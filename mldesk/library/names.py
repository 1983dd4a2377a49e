"""What things in the library may be called."""

from __future__ import annotations

import unicodedata

from mldesk.core.errors import BadInput

LONGEST = 200  # characters
# Letters that turn the reading direction around would let one name look like another.
_TURNERS = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_UNPRINTABLE = ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")


def check_name(name: str, what: str = "name") -> str:
    """Return ``name`` as it is kept (NFC, no space around it), or raise BadInput that says what is wrong with it."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name or not any(unicodedata.category(letter)[0] not in "CZ" for letter in name):
        raise BadInput(f"A {what} needs a name.", hint="Any letters of any language will do.")
    if len(name) > LONGEST:
        raise BadInput(f"The name of a {what} has at most {LONGEST} characters, not {len(name)}.")
    if name in (".", ".."):
        raise BadInput(f"{name!r} cannot be the name of a {what}: it means a folder.", hint="Choose another name.")
    for letter in name:
        if letter in "@/":
            raise BadInput(f"The name {name!r:.80} of a {what} holds {letter!r}, which has a meaning of its own.",
                           hint=f"Leave out {letter!r}: NAME@2 means the second version of NAME.")
        if unicodedata.category(letter) in _UNPRINTABLE or letter in _TURNERS:
            raise BadInput(f"The name {name!r:.80} of a {what} holds a letter that cannot be printed.")
    return name


def fold(name: str) -> str:
    """Return what two names have in common that differ in case only; names are unique by this."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())


def tidy_name(text: str, otherwise: str) -> str:
    """Make a name out of any text: what may not be in one becomes a hyphen; ``otherwise`` when nothing is left."""
    kept = "".join("-" if letter in "@/" or letter in _TURNERS or unicodedata.category(letter) in _UNPRINTABLE
                   else letter for letter in text)
    kept = unicodedata.normalize("NFC", kept)[:LONGEST].strip()
    return kept if any(unicodedata.category(letter)[0] in "LNS" for letter in kept) else otherwise
