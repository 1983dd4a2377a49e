"""What the scripted users have in common that leave pictures: where, in which theme, on a screen of which size."""

from __future__ import annotations

import argparse
import atexit
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def picture_arguments(parser: argparse.ArgumentParser, arguments: list[str] | None) -> tuple[
        argparse.Namespace, dict[str, Any]]:
    """Read ``--out DIR``, ``--mode`` and ``--size``; return them, and what ``play`` is told of them.

    Call it before there is an application: dialogs are as large as the screen lets them be, and Qt's offscreen
    screen is made as large as the window here.
    """
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mode", default="light")
    parser.add_argument("--size", default="1280x800")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    width, height = map(int, given.size.split("x"))
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={_screen(width, height)}"
    return given, {"mode": given.mode, "shots": given.out, "size": (width, height)}


def _screen(width: int, height: int) -> str:
    """Return a file that tells the offscreen platform of one screen of this size."""
    handle, name = tempfile.mkstemp(".json", "mldesk-screen-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"screens": [{"name": "pictures", "x": 0, "y": 0, "width": width, "height": height,
                                "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}]}, file)
    atexit.register(os.unlink, name)
    return name
