"""Several sheets of a workbook that make one table: each is read as if it were a file."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mldesk.data.readers.raw import Context
from mldesk.data.records import Cancelled, ImportOptions, ImportRefused, Problems
from mldesk.data.sources.archives import packing, unpack
from mldesk.data.sources.files import detect_format, head_of
from mldesk.data.sources.gather import Item, bare_name

_OUT = "sheets left out"


def spread_sheets(items: Sequence[Item], options: ImportOptions, folder: Path,
                  cancelled: Cancelled | None = None) -> list[Item]:
    """Return the files with each workbook's chosen sheets in its place; other files stay.

    Raises ImportRefused for a workbook without such a sheet, or one that cannot be read; ImportCancelled, DiskFull.
    """
    if not options.sheets:
        return list(items)
    return [one for number, item in enumerate(items) for one in _sheets_of(item, options, folder / f"book{number}",
                                                                           cancelled)]


def _sheets_of(item: Item, options: ImportOptions, target: Path, cancelled: Cancelled | None) -> list[Item]:
    if item.url is not None or item.refused is not None:
        return [item]
    path = item.bring(target, cancelled)
    suffix = packing(head_of(path))
    if suffix is not None:
        unpack(path, target.with_suffix(".unpacked"), suffix, item.shown, lambda _: None)
        path = target.with_suffix(".unpacked")
    if detect_format(item.shown, bare_name(item.name), head_of(path), options) != "xlsx":
        return [item]
    from mldesk.data.readers.sheets import filled_sheets  # calamine loads with it

    context = Context(item.shown, 0, path.stat().st_size, options, Problems(item.shown), target, lambda _: None,
                      cancelled)
    names, filled = filled_sheets(context, path)
    wanted = [name for name in names if any(name == one or fnmatch.fnmatchcase(name, one) for one in options.sheets)]
    lost = next((one for one in options.sheets
                 if not any(name == one or fnmatch.fnmatchcase(name, one) for name in names)), None)
    if lost is not None or not set(wanted) & set(filled):
        raise ImportRefused(f"{item.shown} has no sheet {lost!r:.80}." if lost is not None else
                            f"{item.shown} has no cells on the sheets {', '.join(map(repr, wanted))[:200]}.",
                            hint=f"Its sheets: {', '.join(map(repr, names[:20]))}.")
    chosen = [name for name in wanted if name in filled]
    made = [replace(item, shown=f"{item.shown} [{name}]", path=path, size=max(1, item.size // len(chosen)),
                    member=None, notes=[], sheet=name) for name in chosen]
    empty = [name for name in wanted if name not in filled]
    made[0].notes = [*item.notes, *((_OUT, f"The sheet {name!r:.80} has no cells; it was left out.") for name in empty)]
    return made
