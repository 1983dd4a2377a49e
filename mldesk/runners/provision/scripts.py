"""The POSIX shell scripts that are sent to a box; they lie beside this module as files of their own."""

from __future__ import annotations

from importlib import resources


def script(name: str) -> str:
    """Return the text of ``name``.sh."""
    return resources.files("mldesk.runners.provision").joinpath(f"{name}.sh").read_text("utf-8")
