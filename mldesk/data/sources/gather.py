"""From what the user names (files, folders, archives, URLs) to the files that are read, one after another."""

from __future__ import annotations

import fnmatch
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mldesk.data.records import Cancelled, Fix, ImportCancelled, ImportOptions, ImportRefused
from mldesk.data.sources.archives import SUFFIXES, copy, hidden, is_book, members, unpacking
from mldesk.data.sources.files import check_file, head_of, suffix_format
from mldesk.data.sources.locations import Location, is_database_url, is_url, readable, shown_url
from mldesk.data.sources.partitions import pairs_of

_MOST_FILES = 100_000
_OUT = "files left out"
_HINT = "MLDesk reads CSV, TSV, fixed width, JSON, HTML, Excel, ODS, Parquet, Arrow, SQLite and DuckDB files."
_VAGUE = (".txt", ".dat", ".data", ".db", ".html", ".htm", ".prn")   # a README as often as a table
Fetch = Callable[[str, Path], Path]   # (URL, folder) -> the file it was brought to
# Hears of each source, by its place, which file it is, or which files of which folder by their names in it.
Seen = Callable[[int, Path, Sequence[tuple[str, Path]]], None]


@dataclass(slots=True)
class Item:
    """One file of the import."""

    shown: str                       # what the user calls it
    path: Path                       # where it lies; of a member, its archive
    size: int                        # bytes, for the progress
    member: zipfile.ZipInfo | None = None
    url: str | None = None           # of a database server, which has no file
    sheet: str | None = None         # of a workbook, where several of its sheets make one table
    refused: ImportRefused | None = None   # why it cannot be read, where such files are left out
    notes: list[tuple[str, str]] = field(default_factory=list)   # (kind, message) known before it is read
    pairs: Mapping[str, str | None] = field(default_factory=dict)  # what its folders' names say, see partitions

    def __post_init__(self) -> None:
        self.shown = readable(self.shown)

    @property
    def name(self) -> str:
        """Return the name whose ending says what it is."""
        return self.member.filename if self.member is not None else self.path.name if self.url is None else self.shown

    def bring(self, target: Path, cancelled: Cancelled | None) -> Path:
        """Return the file to read, unpacked into ``target`` if it is a member. Raises ImportRefused, DiskFull."""
        if self.member is None:
            return self.path if readable(str(self.path)) == str(self.path) else _linked(self.path, target)
        with unpacking(self.shown), zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
            copy(file, target, self.shown, max(1, self.member.compress_size), lambda _: _check(cancelled))
        return target


def _linked(path: Path, target: Path) -> Path:
    """Give a file whose name is no UTF-8 one that Arrow, DuckDB and SQLite can open."""
    target.symlink_to(path.absolute())
    return target


def gather(sources: Sequence[Location], options: ImportOptions, folder: Path, fetch: Fetch,
           cancelled: Cancelled | None = None, seen: Seen | None = None) -> list[Item]:
    """Return the files that ``sources`` stand for. ``folder`` is where ``fetch`` may put what URLs name.

    ``seen`` hears of the files before they are read; what a URL names is there until the import ends.

    Raises ImportRefused for a source that holds no table, ImportCancelled.
    """
    items: list[Item] = []
    for number, source in enumerate(sources):
        _check(cancelled)
        if is_database_url(source):
            items.append(Item(shown_url(str(source)), Path(), 0, url=str(source)))
            continue
        path, shown = Path(source), None
        if is_url(source):
            path, shown = fetch(str(source), folder), shown_url(str(source))
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for what is in a folder that may not be entered
            found = _of_folder(path, options, cancelled)
            items += found
            if seen is not None:
                seen(number, path, [(item.shown, item.path) for item in found if item.refused is None])
            continue
        size, refused = _looked_at(path, options, several=len(sources) > 1)
        if seen is not None and refused is None:
            seen(number, path, ())
        items += _of_file(path, shown or path.name, options) if refused is None else \
            [Item(shown or path.name, path, size, refused=refused)]
    return items


def _looked_at(path: Path, options: ImportOptions, *, several: bool) -> tuple[int, ImportRefused | None]:
    """Return a file's size, or why it cannot be read where such files are left out. Raises ImportRefused."""
    try:
        return check_file(path), None
    except ImportRefused as error:
        if not several:
            raise
        if not options.skip_bad_files:
            raise bearable(error) from error
        return 0, error


def bearable(error: ImportRefused) -> ImportRefused:
    """Return why one of several files cannot be read, with leaving such files out as what may be done about it."""
    fixes = (*error.fixes, Fix("Leave out files that cannot be read", {"skip_bad_files": True}))
    hint = f"{error.hint} Or leave such files out (--skip-bad-files).".strip()
    return ImportRefused(error.message, hint=hint, fixes=fixes)


def _check(cancelled: Cancelled | None) -> None:
    if cancelled is not None and cancelled():
        raise ImportCancelled


def _of_file(path: Path, shown: str, options: ImportOptions) -> list[Item]:
    if not head_of(path).startswith((b"PK\x03\x04", b"PK\x05\x06")) or options.format == "xlsx" \
            or suffix_format(path.name) == "xlsx" or is_book(path):
        return [Item(shown, path, path.stat().st_size, pairs=pairs_of(path))]
    return _of_archive(path, shown, options)


def _of_archive(path: Path, shown: str, options: ImportOptions) -> list[Item]:
    good, bad = members(path, shown)
    if options.member is not None:
        chosen = [item for item in good if fnmatch.fnmatchcase(item.filename, options.member)]
        if not chosen:
            raise ImportRefused(f"{shown} holds no file {options.member!r:.80} that may be read.",
                                hint=f"It holds: {', '.join(item.filename for item in good[:10]) or 'none'}.")
    else:
        names = tables_among([item.filename for item in good])
        chosen = [item for item in good if item.filename in names]
    if not chosen:
        what = f"; {len(bad)} of its entries point outside of it" if bad else ""
        raise ImportRefused(f"{shown} is a zip archive that holds no table; nothing in it was unpacked{what}.",
                            hint=_HINT)
    items = [Item(f"{shown}/{item.filename}", path, item.compress_size, member=item,
                  pairs=pairs_of(path.parent, item.filename)) for item in chosen]
    items[0].notes += [(_OUT, f"{name!r:.80} was left out: its name points outside of the archive.") for name in bad]
    others = [item.filename for item in good if item not in chosen]
    if others:
        said = f"{_counted(others)} of {shown} {_were(others)} left out, {others[0]!r:.80} first."
        items[0].notes.append((_OUT, said))
    return items


def _of_folder(folder: Path, options: ImportOptions, cancelled: Cancelled | None) -> list[Item]:
    paths, outside, inside = list[Path](), list[Path](), folder.resolve()
    for path in _walk(folder):
        _check(cancelled)
        (outside if path.is_symlink() and not path.resolve().is_relative_to(inside) else paths).append(path)
        if len(paths) > _MOST_FILES:
            raise ImportRefused(f"{folder.name} holds more than {_MOST_FILES:,} files; that is too many for one table.")
    chosen = tables_among([str(path) for path in paths])
    tables = [path for path in paths if str(path) in chosen]
    others = [path for path in paths if str(path) not in chosen]
    if not tables:
        what = f" but {_links_out(outside, folder)}" if outside else ""
        raise ImportRefused(f"{folder.name or folder} is a folder that holds no table{what}.", hint=_HINT if not outside
                            else "Give the files that they lead to by name.")
    looked = [(path, *_looked_at(path, options, several=len(tables) > 1)) for path in tables]
    items = [Item(inside, path, size, refused=refused, pairs=pairs_of(folder, inside))
             for path, size, refused in looked for inside in (path.relative_to(folder).as_posix(),)]
    if outside:
        said = f"{_links_out(outside, folder)}, left out: give the files that they lead to by name."
        items[0].notes.append((_OUT, said))
    if others:
        names = [path.relative_to(folder).as_posix() for path in others]
        said = f"{_counted(names)} of the folder {_were(names)} left out, {names[0]!r:.80} first."
        items[0].notes.append((_OUT, said))
    return items


def _links_out(paths: Sequence[Path], folder: Path) -> str:
    names = ", ".join(repr(readable(path.relative_to(folder).as_posix()))[:80] for path in paths[:10])
    return f"{len(paths):,} {'link' if len(paths) == 1 else 'links'} to elsewhere ({names}{' …' * (len(paths) > 10)})"


def _walk(folder: Path) -> Iterator[Path]:
    """Give the files of a folder and of those in it, by name; links to folders are not followed, nor hidden ones."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not hidden(name))
        for name in sorted(files):
            path = Path(root) / name
            if not hidden(name) and path.is_file():
                yield path


def tables_among(names: Sequence[str]) -> set[str]:
    """Return the names that speak of tables, packed or not; of .txt and the like only where there is nothing else."""
    tables = {name for name in names if suffix_format(name) is not None}
    sure = {name for name in tables if PurePosixPath(bare_name(name)).suffix.lower() not in _VAGUE}
    return sure or tables


def _counted(names: Sequence[str]) -> str:
    return f"{len(names):,} {'file' if len(names) == 1 else 'files'}"


def _were(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"


def bare_name(name: str) -> str:
    """Return a name without the ending of a packed file."""
    pure = PurePosixPath(name)
    return str(pure.with_suffix("")) if pure.suffix.lower() in SUFFIXES else name


def differing(options: ImportOptions) -> tuple[Fix, ...]:
    """Return what may be done about files whose columns differ."""
    return () if options.union else (Fix("Take all columns; what a file lacks is missing there", {"union": True}),)
