"""How a command ends when it does not end well: one sentence and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from mldesk.cli.face import Face, write_json
from mldesk.core.errors import DiskFull, MldeskError
from mldesk.core.paths import Home, default_home

INTERRUPTED = 130
USAGE = 2
INTERNAL = 1
_BYTES = re.compile("[\udc80-\udcff]")   # how Python writes bytes of an argument or a file's name that are no letters

# typer's own base of usage errors; recent versions carry their own copy of click, so it has no importable name.
CommandError: type[Exception] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ in ("ClickException", "TyperException"))


class Failed(Exception):
    """A command has said all there is to say; end with this exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def describe(error: BaseException, face: Face) -> tuple[dict[str, Any], int]:
    """Return {"code", "message", "hint"} and the exit code for anything a command may raise."""
    if isinstance(error, MldeskError):
        return _shape(error.code, error.message, error.hint), error.exit_code
    if isinstance(error, CommandError):
        return _shape("usage", _usage(error), _usage_hint(error)), USAGE
    if isinstance(error, KeyboardInterrupt):
        return _shape("interrupted", "Interrupted.", ""), INTERRUPTED
    if isinstance(error, OSError):
        return _system(error)
    if isinstance(error, UnicodeEncodeError) and _BYTES.search(str(error.object)):
        return _shape("bad_input", "A name that was given holds a byte that is no letter in UTF-8.",
                      "Look at how it is typed, and at the terminal's encoding (LANG)."), USAGE
    return _internal(error, face), INTERNAL


def report(error: BaseException, face: Face, extra: Mapping[str, Any] | None = None) -> int:
    """Tell the user what went wrong, in the form this invocation speaks, and return the exit code."""
    shape, exit_code = describe(error, face)
    if os.environ.get("MLDESK_DEBUG") == "1":
        traceback.print_exception(error, file=sys.stderr)
    if face.json:
        write_json({"error": shape, **(extra or {})})
    else:
        face.note(f"mldesk: {shape['message']}" + (f"\n  {shape['hint']}" if shape["hint"] else ""))
    return exit_code


def _shape(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"code": code, "message": message, "hint": hint}


def _usage(error: Exception) -> str:
    text = str(error.format_message() if hasattr(error, "format_message") else error).strip()
    return text if text.endswith((".", "?", ")")) else f"{text}."


def _usage_hint(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", None) or "mldesk"
    return f"See `{path} --help`."


def _system(error: OSError) -> tuple[dict[str, Any], int]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _shape(DiskFull.code, "The disk is full; nothing that was saved before is lost.",
                      "Free some space, then do it again."), DiskFull.exit_code
    if error.errno == errno.ENAMETOOLONG:
        return _shape("bad_input", f"A name is too long for the disk: {str(error.filename)[:60]!r}….",
                      "Choose a shorter one."), USAGE
    where = f": {error.filename}" if error.filename else ""
    missing = isinstance(error, FileNotFoundError)
    return _shape("not_found" if missing else "failed", f"{error.strerror or error}{where}.", ""), 3 if missing else 1


def _internal(error: BaseException, face: Face) -> dict[str, Any]:
    """Our own fault: keep the traceback where it can be asked for."""
    first = str(error).strip().splitlines()[0][:200] if str(error).strip() else ""
    message = f"Something in MLDesk went wrong ({type(error).__name__}{': ' + first if first else ''})."
    path = _log(error, Home(face.options.home or default_home()).logs)
    return _shape("internal", message, f"The details are in {path}." if path else
                  "Set MLDESK_DEBUG=1 and do it again to see the details.")


def _log(error: BaseException, folder: Path) -> Path | None:
    path = folder / "errors.log"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"--- {time.strftime('%Y-%m-%dT%H:%M:%S%z')} mldesk {' '.join(sys.argv[1:])[:500]}\n")
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return None
    return path
