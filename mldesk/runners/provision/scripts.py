"""The shell scripts and small programs that are sent to a box; they lie beside this module as files of their own."""

from __future__ import annotations

from importlib import resources


def script(name: str) -> str:
    """Return the text of ``name``.sh."""
    return resources.files("mldesk.runners.provision").joinpath(f"{name}.sh").read_text("utf-8")


def program(name: str) -> str:
    """Return the text of ``name``.py, which a Python on the box runs."""
    return resources.files("mldesk.runners.provision").joinpath(f"{name}.py").read_text("utf-8")
