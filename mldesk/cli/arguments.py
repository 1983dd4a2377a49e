"""The two global options, taken out of the command line before typer sees it: they may stand anywhere before ``--``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mldesk.core.errors import BadInput
from mldesk.core.paths import chosen_home


@dataclass(frozen=True, slots=True)
class Globals:
    """What holds for every command."""

    json: bool = False
    home: Path | None = None  # None: MLDESK_HOME, else the user's data folder


def take_globals(arguments: Sequence[str]) -> tuple[Globals, list[str]]:
    """Split ``arguments`` into the global options and the rest. Raises BadInput for ``--home`` without a folder."""
    as_json, home, rest = False, None, []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        if word == "--json":
            as_json = True
        elif word == "--home" or word.startswith("--home="):
            home = word.partition("=")[2] if "=" in word else waiting.pop(0) if waiting else ""
            if not home or home.startswith("-"):
                raise BadInput("--home needs a folder.", hint="Write --home DIR, or set MLDESK_HOME.")
        else:
            rest.append(word)
    return Globals(as_json, None if home is None else chosen_home(home)), rest


def wants_json(arguments: Sequence[str]) -> bool:
    """Say whether ``--json`` was given, even on a command line that is otherwise wrong."""
    words = list(arguments)
    return "--json" in (words[: words.index("--")] if "--" in words else words)
