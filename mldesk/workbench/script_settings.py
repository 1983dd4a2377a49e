"""What a script's folder says of itself in ``mldesk.toml``, and which of its files go along."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mldesk.core.errors import BadInput, NotFound
from mldesk.wire.manifest import check_path
from mldesk.wire.scripts import check_name, check_parameter
from mldesk.workbench.references import did_you_mean, listed
from mldesk.workbench.script_parameters import declared, typed

SETTINGS = "mldesk.toml"
# Folders that no program needs to run; nor what begins with a dot, nor an environment whatever it is called.
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "mlruns", "lightning_logs"})
_ENVIRONMENT = "pyvenv.cfg"
_MOST_FILES = 10_000
_MOST_BYTES = 1_000_000_000
_MOST_SETTINGS = 200_000   # bytes of mldesk.toml
_MOST_LINKS = 20   # that are named
_OTHER_FILE = re.compile(r"-(?:[rce]|-(?:requirement|constraint|editable)\b)")   # options of pip that read one
_KEYS = {"entry", "parameters", "inputs", "requirements", "name"}
_SHAPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "entry": (str, "text"), "name": (str, "text"), "parameters": (dict, "table"), "inputs": (dict, "table"),
    "requirements": ((list, str), "list, or the name of a file like requirements.txt")}


def read_settings(path: Path, entry: str = "", *, alone: bool = False) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a script and its settings, those of ``mldesk.toml`` filled up.

    ``path`` is the folder, or the program in it; ``entry`` the program if it is not as mldesk.toml says; ``alone``
    takes the program without what is beside it. "parameters" has the default of each, "declared" all that is said of
    it. Raises NotFound, BadInput naming what is wrong in mldesk.toml.
    """
    folder = path if path.is_dir() else path.parent
    if not path.exists():
        raise NotFound(f"There is no folder or program {str(path)!r:.200}.")
    if path.is_file() and path.suffix != ".py":
        raise BadInput(f"{path.name!r:.80} is no Python program: its name does not end in .py.",
                       hint="Name a program, or the folder that holds it.")
    if alone and not path.is_file():
        raise BadInput(f"{path.name!r:.80} is a folder: there is no one file of it to take alone.",
                       hint="Name the program in it.")
    given = {} if alone else _read(folder / SETTINGS)
    settings = {"entry": "", "parameters": {}, "inputs": {}, "requirements": [], "name": "", **given}
    settings["entry"] = path.name if path.is_file() else entry or settings["entry"] or _only_program(folder)
    settings["name"] = settings["name"] or (path.stem if path.is_file() else "")
    settings["requirements"] = _requirements(folder, settings["requirements"])
    settings["declared"] = {name: declared(name, value) for name, value in settings["parameters"].items()}
    settings["parameters"] = {name: about["default"] for name, about in settings["declared"].items()}
    for name, reference in settings["inputs"].items():
        check_name(name)
        if not isinstance(reference, str):
            raise BadInput(f"In {SETTINGS}, the input {name!r:.60} has to be the name of a dataset.")
    return folder, settings


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        if file.stat().st_size > _MOST_SETTINGS:
            raise BadInput(f"{SETTINGS} is longer than {_MOST_SETTINGS:,} bytes: it is no script's.",
                           hint="Keep what the program alone reads in a file of another name.")
        given = tomllib.loads(file.read_text("utf-8-sig"))
    except (ValueError, OSError) as error:   # of TOML, of UTF-8, or a whole number of more digits than Python reads
        raise BadInput(f"{SETTINGS} cannot be read: {error}.") from error
    except RecursionError as error:
        raise BadInput(f"{SETTINGS} cannot be read: it is nested too deep.") from error
    if unknown := sorted(set(given) - _KEYS):
        raise BadInput(f"{SETTINGS} says {listed(unknown)}, which is nothing a script has.",
                       hint=did_you_mean(unknown[0], _KEYS) or f"It may say {listed(sorted(_KEYS))}.")
    for key, value in given.items():
        kinds, words = _SHAPES[key]
        if not isinstance(value, kinds):
            raise BadInput(f"In {SETTINGS}, {key!r} has to be a {words}.")
    return given


def _requirements(folder: Path, given: list[Any] | str) -> list[str]:
    """Return requirements, a line each, those of a file without its comments."""
    if isinstance(given, list):
        if not all(isinstance(line, str) and len(line.splitlines()) < 2 and "\0" not in line for line in given):
            raise BadInput(f"In {SETTINGS}, 'requirements' has to be a list of texts, each of one line.")
        return _packages([line.strip() for line in given if line.strip()])
    try:
        text = (folder / check_path(given)).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The file of requirements {given!r:.80} cannot be read.",
                       hint='Name a file in the script\'s folder, or write requirements = ["numpy"].') from error
    lines = (line.split(" #")[0].strip() for line in text.replace("\\\n", " ").splitlines())
    return _packages([line for line in lines if line and not line.startswith("#")])


def _packages(lines: list[str]) -> list[str]:
    """Return requirements as they are. Raises BadInput where one names another file: pip would look for it on the
    runner, where it is not, or is somebody else's.
    """
    for line in lines:
        if _OTHER_FILE.match(line):
            raise BadInput(f"The requirements in {SETTINGS} name another file, {line!r:.80}, which the runner has not.",
                           hint='Write what is in it among the requirements themselves, like "numpy>=2".')
    return lines


def files_of(folder: Path, entry: str, *, alone: bool = False) -> dict[str, Path]:
    """Return the files of a script's folder by their path in it, those left out that no program needs.

    A link to a file within the folder is that file; links that lead elsewhere are left out (``links_left``). Of a
    program in a folder of many other things (more than ten thousand files or 1 GB) nothing is taken. Raises BadInput
    for that, and for a folder without ``entry``.
    """
    if alone:
        return {check_path(entry): folder / entry}
    found: dict[str, Path] = {}
    size = 0
    for path in _walk(folder):
        if not path.is_file() or _leads_away(path, folder):
            continue
        found[check_path(path.relative_to(folder).as_posix())] = path
        size += path.stat().st_size
        if len(found) > _MOST_FILES or size > _MOST_BYTES:
            raise BadInput(f"The folder {folder.name!r:.80} holds too much to be a script: more than "
                           f"{_MOST_FILES:,} files or 1 GB.",
                           hint="Take the program alone, or put it into a folder of its own; bring tables in as "
                                "datasets.")
    if entry not in found:
        raise BadInput(f"The folder {folder.name!r:.80} has no program {entry!r:.80}.",
                       hint=did_you_mean(entry, [name for name in found if name.endswith(".py")]))
    return found


def links_left(folder: Path) -> list[str]:
    """Return the links in a script's folder that do not go along, since they lead to a folder or out of it."""
    links = (path for path in _walk(folder, folders=True) if path.is_symlink())
    return [path.relative_to(folder).as_posix() for path, _ in zip(
        (link for link in links if not link.is_file() or _leads_away(link, folder)), range(_MOST_LINKS), strict=False)]


def _walk(folder: Path, *, folders: bool = False) -> Iterator[Path]:
    """Yield the files of a script's folder, links among them; with ``folders`` links to folders as well."""
    for place, inner, names in os.walk(folder):
        if folders:
            yield from (path for name in sorted(inner) if (path := Path(place, name)).is_symlink())
        inner[:] = sorted(name for name in inner if name not in _LEFT_OUT and not name.startswith(".")
                          and not Path(place, name, _ENVIRONMENT).exists())
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _leads_away(path: Path, folder: Path) -> bool:
    return path.is_symlink() and not path.resolve().is_relative_to(folder.resolve())


def _only_program(folder: Path) -> str:
    programs = sorted(path.name for path in folder.glob("*.py"))
    for usual in ("train.py", "main.py"):
        if usual in programs:
            return usual
    if len(programs) == 1:
        return programs[0]
    raise BadInput(f"Which program of {folder.name!r:.80} shall run? It has {listed(programs) or 'none'}.",
                   hint=f'Name it, or write entry = "train.py" into {SETTINGS}.')


def parameters_of(settings: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was chosen over the defaults, in their types. Raises BadInput for what is not declared so."""
    known: Mapping[str, Any] = settings["declared"]
    found = dict(settings["parameters"])
    for name, value in chosen.items():
        if known and name not in known:
            raise BadInput(f"The script has no parameter {name!r:.60}.",
                           hint=did_you_mean(name, known) or f"It has: {listed(sorted(known))}.")
        found[name] = typed(name, value, known.get(name))
    for name, value in found.items():
        check_parameter(name, value)
    return found
