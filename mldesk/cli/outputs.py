"""The files that commands write: one that is there is not replaced unasked, and the library's own never is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli.asking import at_terminal, confirm
from mldesk.core.targets import loses, refuse_library, would_be_lost

if TYPE_CHECKING:
    from mldesk.workbench.bench import Workbench

Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def may_write(bench: Workbench, path: Path | None, force: bool) -> None:
    """Raise where a command may not write ``path``, before anything is done; a person at a terminal is asked.

    Raises Conflict for a file that would be lost, BadInput for a place in the library's own folder. None is no file.
    """
    if path is None:
        return
    refuse_library(path, bench.home.root)
    if force or not loses(path):
        return
    error = would_be_lost(path)
    if not at_terminal() or not confirm(f"{error.message} Replace it?"):
        raise error
