"""``mldesk demo``: the main job, end to end, on bundled real data, through the same services as every command."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.arguments import Globals
from mldesk.cli.demo_story import DATASET, Story
from mldesk.cli.face import Face
from mldesk.core.errors import Conflict
from mldesk.core.paths import Home, socket_directory

if TYPE_CHECKING:
    from mldesk.library.secrets import SecretStore


def demo(
    context: typer.Context,
    keep: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the library there, to look at it "
                                              "afterwards; must be new or empty.")] = None,
    window: Annotated[bool, typer.Option("--window", metavar="", help="Open the window on it at the end.")] = False,
) -> None:
    """Do the main job end to end on bundled real data, in a throw-away library."""
    face = Face.of(context)
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise Conflict(f"{keep} is not an empty folder.", hint="Choose a folder that does not exist yet.")
    started = time.monotonic()
    with _place(keep) as home:
        told = _tell(Face(Globals(face.json, home)), own_secrets=keep is None)
        told["seconds"], told["home"] = round(time.monotonic() - started, 1), None if keep is None else str(home)
        if face.json:
            face.document(told)
        else:
            face.say(f"\nThe whole job took {words.duration(told['seconds'])}." + (
                "" if keep is None else f" Look around: mldesk --home {keep} runs list"))
        if window:
            _show_window(face, home)


def _tell(face: Face, *, own_secrets: bool) -> dict[str, Any]:
    with face.workbench(_throw_away_secrets(face) if own_secrets else None) as bench:
        try:
            story = Story(face, bench)
            story.bring_in()
            story.look()
            story.clean()
            runs = [story.train("lightgbm"), story.train("mlp", epochs="40")]
            best = story.compare(runs)
            bundle = story.take_out(best)
            story.use_elsewhere(best, bundle)
            return {"dataset": DATASET, **story.told}
        finally:
            bench.runners.stop("local")  # the library is about to go, and so must what works in it


def _throw_away_secrets(face: Face) -> SecretStore | None:
    """A signing key for this demo only: the user's own keyring is left alone."""
    from mldesk.library.secrets import SecretStore

    word = secrets.token_hex(16)
    home = face.options.home
    return None if home is None else SecretStore(Home(home).vault, passphrase=lambda _new: word,
                                                 find_keyring=lambda: None)


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="mldesk-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
    with contextlib.suppress(OSError):  # there is none where no runner was started
        socket_directory(Home(Path(folder)).runner).rmdir()


def _show_window(face: Face, home: Path) -> None:
    """Open the window as a process of its own and wait for it: the command line never imports Qt."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        face.note("There is no display: the window stays closed.")
        return
    face.note("Opening the window on this library; close it to end the demo.")
    subprocess.run([sys.executable, "-m", "mldesk", "--home", str(home)], check=False)
    with Face(Globals(home=home)).workbench() as bench:
        bench.runners.stop("local")  # the window may have started it again
