"""Where a command's words go: one JSON document or a few lines on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mldesk.cli import words
from mldesk.cli.arguments import Globals
from mldesk.cli.asking import TerminalAsker, at_terminal
from mldesk.core.canonical import finite

if TYPE_CHECKING:  # each loads only in the command that needs it
    import typer
    from rich.console import Console, RenderableType

    from mldesk.library.secrets import SecretStore
    from mldesk.workbench.bench import Workbench

FALLBACK_WIDTH = 120  # columns, where the output is no terminal and COLUMNS says nothing
WIDEST_CELL = 32
_NARROWEST = 8  # columns that a cell keeps where there is no room
_READABLE = 16  # columns of a text that still say something


class Face:
    """One invocation's way of speaking."""

    def __init__(self, options: Globals) -> None:
        self.options = options
        self.json = options.json

    @classmethod
    def of(cls, context: typer.Context) -> Face:
        """Return the face that ``main`` gave to typer."""
        face = context.obj
        if not isinstance(face, cls):
            raise TypeError("commands are run by mldesk.cli.main.run, which gives them a face")
        return face

    @contextmanager
    def workbench(self, secrets: SecretStore | None = None) -> Iterator[Workbench]:
        """Open the library of this invocation and let go of it at the end."""
        from mldesk.app import open_workbench  # sqlalchemy loads with it

        with open_workbench(self.options.home, secrets=secrets) as bench:
            if at_terminal():
                bench.runners.set_asker(TerminalAsker())
            yield bench

    def document(self, value: Any) -> None:
        """Print the one JSON document of a command."""
        write_json(value)

    line = document  # of several, one per line: only `runs events` and `runs follow`

    def say(self, text: str = "") -> None:
        """Print a line of the answer."""
        sys.stdout.write(words.plain(text) + "\n")

    def note(self, text: str) -> None:
        """Print what is no part of the answer: progress, warnings, what to do next."""
        sys.stderr.write(words.plain(text) + "\n")
        sys.stderr.flush()

    def show(self, *items: RenderableType) -> None:
        """Print tables and panels as the answer."""
        console = make_console(sys.stdout)
        for item in items:
            console.print(item)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = (),
              spare: Sequence[str] = (), whole: Sequence[str] = (), empty: str = "Nothing here yet.") -> None:
        """Print rows under headings; the columns named in ``right`` are numbers.

        Where the terminal is too narrow, texts are cut as long as they can be read, then the columns named in ``spare``
        go, one after another, and are named. Numbers, the first column and those in ``whole`` are never cut; where they
        have no room either, each row is written as lines below one another. Into a file or another program all columns
        go, whole.
        """
        listed = [[words.cell(value) for value in row] for row in rows]
        if not listed:
            self.say(empty)
            return
        from rich.cells import cell_len  # some letters are two places wide

        if unbounded():
            room = sum(max(cell_len(words.plain(row[index])) for row in (columns, *listed)) + 3
                       for index in range(len(columns)))
            make_console(sys.stdout, max(room, width())).print(make_table(columns, listed, right=set(right)))
            return
        kept = {columns[0], *whole, *right}
        needed = {name: max(cell_len(row[index]) for row in (columns, *listed)) for index, name in enumerate(columns)}
        needed = {name: most if name in kept else min(most, _READABLE) for name, most in needed.items()}
        shown, room = list(columns), width() - 1
        for name in spare:
            if sum(needed[name] + 3 for name in shown) - 3 > room:
                shown.remove(name)
        if sum(needed[name] + 3 for name in shown) - 3 > room:
            self._below_one_another(columns, listed)
            return
        places = [columns.index(name) for name in shown]
        self.show(make_table(shown, [[row[place] for place in places] for row in listed], right=set(right), lines=1,
                             keep=[name for name in shown if name in kept]))
        dropped = [name for name in columns if name not in shown]
        if dropped:
            self.note(f"The terminal is too narrow for {words.plural(len(dropped), 'more column')} "
                      f"({', '.join(dropped)}): widen it, or use --json.")

    def _below_one_another(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print each row as lines, its first cell above the others with their headings."""
        for number, row in enumerate(rows):
            if number:
                self.say()
            self.say(row[0])
            self.show(facts({f"  {name}": cell for name, cell in zip(columns[1:], row[1:], strict=True)}))

    def grid(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a user's own table: as many columns as fit, and how many did not."""
        from rich.cells import cell_len  # some letters are two places wide

        cells = [[_cut(words.cell(value)) for value in row] for row in rows]
        numeric = {name for index, name in enumerate(columns)
                   if all(row[index] is None or _is_number(row[index]) for row in rows)}
        widths = [max(map(cell_len, (_cut(name), *(row[index] for row in cells))))
                  for index, name in enumerate(columns)]
        shown, room = 0, width() - 1
        while shown < len(columns) and (room := room - widths[shown] - 3) >= 0:
            shown += 1
        shown = max(1, shown)
        self.show(make_table([_cut(name) for name in columns[:shown]], [row[:shown] for row in cells],
                             right={_cut(name) for name in columns[:shown] if name in numeric}))
        if shown < len(columns):
            self.note(f"{words.plural(len(columns) - shown, 'more column')} did not fit: "
                      f"{', '.join(columns[shown:shown + 8])}{', …' if len(columns) - shown > 8 else ''}")


def write_json(value: Any) -> None:
    """Print one JSON text on one line. What is not finite is written as "NaN", "Infinity" or "-Infinity"."""
    plain = finite(value)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, default=str)
    try:
        sys.stdout.write(text + "\n")
    except UnicodeEncodeError:  # a terminal that cannot show it, or text that is no Unicode
        sys.stdout.write(json.dumps(plain, allow_nan=False, default=str) + "\n")
    sys.stdout.flush()


def width() -> int:
    """Return the columns of the terminal."""
    return shutil.get_terminal_size((FALLBACK_WIDTH, 24)).columns


def unbounded() -> bool:
    """Say whether the answer goes into a file or another program, and COLUMNS does not say how wide it may be."""
    return not sys.stdout.isatty() and not os.environ.get("COLUMNS")


def make_console(file: Any, wide: int | None = None) -> Console:
    """Return a rich console on ``file``; colours only on a terminal, none with NO_COLOR; a closed pipe is an error.

    ``wide``: the columns of a line, where ``file`` is no terminal; else those of ``width``.
    """
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:  # rich's own would end the process with code 1
            raise BrokenPipeError

    columns = None if file.isatty() else wide or width()
    return Quiet(file=file, width=columns, highlight=False, markup=False, emoji=False)


def make_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *,
               right: set[str] | None = None, lines: int = 0, keep: Sequence[str] = ()) -> RenderableType:
    """Return a plain table: no boxes but a rule below the headings.

    With ``lines`` 1 a row that does not fit is cut, but for the first column and those in ``keep``; with 0 its cells
    are folded.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    names, listed = [words.plain(name) for name in columns], [[words.plain(cell) for cell in row] for row in rows]
    if lines:
        names, *listed = _fitted([names, *listed], {0, *(index for index, name in enumerate(columns) if name in keep)})
    for name, shown in zip(columns, names, strict=True):
        table.add_column(shown, justify="right" if name in (right or ()) else "left", no_wrap=bool(lines),
                         overflow="ellipsis" if lines else "fold")
    for row in listed:
        table.add_row(*row)
    return table


def _fitted(rows: list[list[str]], keep: set[int]) -> list[list[str]]:
    """Cut cells until a row has room on a line, those of the widest column first; columns in ``keep`` stay whole."""
    from rich.cells import cell_len, set_cell_size

    room = width() - 1 - 3 * (len(rows[0]) - 1)
    widths = [max(1, min(room, max(map(cell_len, column)))) for column in zip(*rows, strict=True)]
    cut = [index for index in range(len(widths)) if index not in keep]
    while sum(widths) > room and any(widths[index] > _NARROWEST for index in cut):
        widths[max(cut, key=widths.__getitem__)] -= 1
    return [[text if cell_len(text) <= most else set_cell_size(text, most - 1).rstrip() + "…"
             for text, most in zip(row, widths, strict=True)] for row in rows]


def facts(pairs: Mapping[str, Any]) -> RenderableType:
    """Return names and values below one another, empty values left out."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        if value not in (None, ""):
            table.add_row(name, words.cell(value))
    return table


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST_CELL else text[:WIDEST_CELL - 1] + "…"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
