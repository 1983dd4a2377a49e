"""Parameters that a script was given and never asked for: mostly a name that was misspelt."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path

# Ways to read them that tell us nothing: the command line they are given on as well, and the variable they lie in.
_OTHER_WAYS = re.compile(r"\b(sys\.argv|argparse|optparse|getopt|click|typer|fire|docopt|absl|hydra|simple_parsing|"
                         r"tyro|MLDESK_PARAMETERS)\b")
_LONGEST = 1 << 20   # bytes of a program that are looked at


def never_asked(given: Collection[str], asked: Collection[str], folder: Path) -> list[str]:
    """Return the given parameters that a program never asked for; [] where it may have read them in another way.

    Args:
        given: names of the run's parameters
        asked: names that ``track.parameter`` was called with
        folder: where the program's files lie
    """
    missed = [name for name in given if name not in asked]
    return [] if not missed or any(map(_reads_otherwise, sorted(folder.rglob("*.py")))) else missed


def _reads_otherwise(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _OTHER_WAYS.search(file.read(_LONGEST).decode("utf-8", "replace")) is not None
    except OSError:   # a program may take its own files away
        return False


def said_of(name: str, asked: Mapping[str, object] | Collection[str], given: Collection[str]) -> tuple[str, str]:
    """Return the warning about such a parameter, and a hint: what it may have been meant to be."""
    free = [other for other in asked if other not in given]
    near = difflib.get_close_matches(name, free, n=1, cutoff=0.6)
    known = ", ".join(sorted(asked)[:12]) or "none"
    return f"The parameter {name!r} was never read: the script does not ask for it.", (
        f"Did you mean {near[0]!r}?" if near else f"It asks for: {known}.")
