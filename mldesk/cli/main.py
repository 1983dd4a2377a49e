"""The commands, put together, and the one place where they are run and end."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mldesk.cli.arguments import Globals, take_globals, wants_json
from mldesk.cli.face import Face
from mldesk.cli.failures import Failed, report
from mldesk.cli.helping import tidy
from mldesk.cli.interrupts import sigterm_interrupts
from mldesk.core.errors import BadInput
from mldesk.core.not_here import STEPS, only_elsewhere

OpenWindow = Callable[[str | None, bool], int]  # home, whether to open the gallery; returns the exit code

EPILOG = ("--json and --home DIR may stand before or after any command. Exit codes: 0 done, 1 the work failed, "
          "2 bad usage or bad input, 3 not found, 130 interrupted.")

@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command, or a group of them, is written; its module is imported when it is used or listed."""

    module: str
    panel: str
    group: bool = False


ENTRIES: Mapping[str, Entry] = {  # in the order in which they are used
    "demo": Entry("demo", "Start here"),
    "doctor": Entry("doctor", "Start here"),
    "templates": Entry("templates", "Start here", group=True),
    "data": Entry("data", "The main job", group=True),
    "train": Entry("train", "The main job"),
    "search": Entry("search", "The main job"),
    "script": Entry("script", "The main job", group=True),
    "runs": Entry("runs", "The main job", group=True),
    "models": Entry("models", "The main job", group=True),
    "presets": Entry("presets", "The main job", group=True),
    "predict": Entry("predict", "Use a model"),
    "serve": Entry("predict", "Use a model"),
    "explain": Entry("explain", "Use a model"),
    "runners": Entry("runners", "Machines", group=True),
}


class InOrder(TyperGroup):
    """Lists the commands in the order in which they are used."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=list(ENTRIES).index)


def root(
    version: Annotated[bool, typer.Option("--version", "-V", metavar="", help="Print the version.")] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON document on stdout.")] = False,
    home: Annotated[str, typer.Option(help="The library's folder, instead of MLDESK_HOME or the user's data "
                                      "folder.", metavar="DIR")] = "",
) -> None:
    """The options are here to be listed by --help; ``arguments.take_globals`` has taken them out before."""


def build(names: Iterable[str] = ENTRIES) -> typer.Typer:
    """Put the named commands together; all of them take three times as long as one."""
    app = typer.Typer(name="mldesk", cls=InOrder, add_completion=False, pretty_exceptions_enable=False,
                      rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG,
                      help="Train, compare and share models from a desk. Without a command the window opens.")
    app.callback()(root)
    for name in names:
        entry = ENTRIES[name]
        module = importlib.import_module(f"mldesk.cli.{entry.module}")
        if entry.group:
            app.add_typer(module.app, name=name, rich_help_panel=entry.panel)
        else:
            app.command(name, rich_help_panel=entry.panel)(getattr(module, name))
    return app


def run(arguments: Sequence[str], open_window: OpenWindow) -> int:
    """Do what ``arguments`` ask for and return the exit code. Never raises for what the world or the user did."""
    face = Face(Globals(json=wants_json(arguments)))
    _open_closed()
    _speak_unicode()
    try:
        options, rest = take_globals(arguments)
        face = Face(options)
        with only_elsewhere(STEPS):
            code = _run(face, rest, open_window)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except Failed as ended:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            return ended.exit_code
        _forget_stdout()
        return ended.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where everything ends in a sentence
        return _report(error, face)


def _report(error: BaseException, face: Face) -> int:
    try:
        code = report(error, face)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except OSError as failed:  # stdout itself is what fails: a full disk behind a redirection
        _forget_stdout()
        return report(failed, Face(Globals(home=face.options.home)))
    return code


def _run(face: Face, rest: list[str], open_window: OpenWindow) -> int:
    if rest in ([], ["--gallery"]):
        if face.json:
            raise BadInput("--json needs a command.", hint="See `mldesk --help`.")
        return _window(face, open_window, gallery=bool(rest))
    if rest in (["--version"], ["-V"]):
        from mldesk import __version__

        face.document({"version": __version__}) if face.json else face.say(f"mldesk {__version__}")
        return 0
    command = typer.main.get_command(build([rest[0]] if rest[0] in ENTRIES else ENTRIES))
    tidy(command)
    try:
        with sigterm_interrupts(), command.make_context("mldesk", rest, obj=face) as context:
            command.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    return 0


def _window(face: Face, open_window: OpenWindow, *, gallery: bool) -> int:
    if sys.platform == "linux" and not any(os.environ.get(name) for name in
                                           ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        raise BadInput("There is no display to open a window on.",
                       hint="Every command works without one: see `mldesk --help`.")
    try:
        return open_window(None if face.options.home is None else str(face.options.home), gallery)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("PySide6", "qasync", "pyqtgraph"):
            raise
        raise BadInput(f"The window needs {error.name}, which is not installed.",
                       hint="Run `pip install 'mldesk[desktop]'` in this environment.") from error


def _open_closed() -> None:
    """Let the three streams exist where the caller has closed them: the next file opened would take their place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    sys.stdin, sys.stdout, sys.stderr = (
        stream or open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as we live
        for number, (stream, mode) in enumerate(((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))))


def _speak_unicode() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            lenient = stream is sys.stderr or stream.errors in ("strict", "surrogateescape")  # cells hold any letter
            stream.reconfigure(errors="backslashreplace" if lenient else stream.errors)
            if sys.platform == "win32" and not stream.isatty():
                stream.reconfigure(encoding="utf-8")


def _forget_stdout() -> None:
    """After a reader such as ``head`` has gone: let the interpreter's last flush go nowhere."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
