"""What changed in the files of a script, as a unified diff that knows a renamed file from a new one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

_ALIKE = 0.5          # of the lines of two files, for one to be the other under a new name
_MOST_COMPARED = 20   # files that went, and that came, which are compared line by line
_LONGEST_COMPARED = 5000   # lines of such a file
_NOWHERE = "/dev/null"   # as `patch` and `git apply` read it
_OPEN_END = "\\ No newline at end of file\n"

Read = Callable[[str], bytes]   # the bytes of a digest


def script_diff(old: Mapping[str, str], new: Mapping[str, str], read: Read, labels: tuple[str, str]) -> str:
    """Return what leads from ``old`` to ``new``, both {path: digest}; ``labels`` say whose files they are.

    Of a file that is no text its size and digest are said. "" where nothing changed.
    """
    renamed = _renames(old, new, read)
    lines: list[str] = []
    for path in sorted(old.keys() | new.keys()):
        before = renamed.get(path, path)
        if before != path:
            lines.append(f"renamed: {before} -> {path}\n")
        elif path in renamed.values() and path not in new:
            continue   # said where it went to
        if old.get(before) != new.get(path):
            lines += _changed(before, path, old.get(before), new.get(path), read, labels)
    return "".join(lines)


def _changed(before: str, after: str, old: str | None, new: str | None, read: Read,
             labels: tuple[str, str]) -> Iterator[str]:
    first = _NOWHERE if old is None else f"{before}\t{labels[0]}"
    second = _NOWHERE if new is None else f"{after}\t{labels[1]}"
    found = list(difflib.unified_diff(_text(old, read), _text(new, read), first, second))
    if not found:   # an empty file came or went
        found = [f"--- {first}\n", f"+++ {second}\n"]
    for line in found:
        yield line if line.endswith("\n") else f"{line}\n{_OPEN_END}"


def _renames(old: Mapping[str, str], new: Mapping[str, str], read: Read) -> dict[str, str]:
    """Return {new path: old path} of files that have another name now: the same bytes, or else much the same lines."""
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    found: dict[str, str] = {}
    for path in come:
        same = [name for name in gone if old[name] == new[path]]
        if same:
            found[path] = min(same, key=lambda name: PurePosixPath(name).name != PurePosixPath(path).name)
            gone.remove(found[path])
    lines = {name: _text(old[name], read) for name in gone[:_MOST_COMPARED]}
    for path in [path for path in come if path not in found][:_MOST_COMPARED]:
        wanted = _text(new[path], read)
        alike = {name: difflib.SequenceMatcher(None, text, wanted).ratio() for name, text in lines.items()
                 if PurePosixPath(name).suffix == PurePosixPath(path).suffix
                 and max(len(text), len(wanted)) < _LONGEST_COMPARED}
        best = max(alike, key=alike.__getitem__, default=None)
        if best is not None and alike[best] > _ALIKE:
            found[path] = best
            del lines[best]
    return found


def text_of(digest: str | None, read: Read) -> str:
    """Return a file's text, words on what it is where it is none, "" where there is no such file."""
    return "".join(_text(digest, read))


def _text(digest: str | None, read: Read) -> list[str]:
    if digest is None:
        return []
    data = read(digest)
    try:
        return data.decode("utf-8").splitlines(keepends=True)
    except UnicodeDecodeError:
        return [f"(not text, {len(data):,} bytes, SHA-256 {digest})\n"]
