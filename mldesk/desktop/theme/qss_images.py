"""Small pictures that a stylesheet can name, tinted at run time, without writing a file.

Qt's stylesheets take pictures by URL only and cannot tint them. The pictures of a theme are therefore registered as an
in-memory Qt resource (the version 1 layout that ``rcc`` writes: a tree, the names, the payloads), one folder per theme.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from PySide6.QtCore import qRegisterResourceData

_FOLDER_FLAG = 2
_registered: dict[str, tuple[bytes, bytes, bytes]] = {}  # Qt keeps pointers into these: they must stay alive


def register(folder: str, files: Mapping[str, bytes]) -> None:
    """Make ``files`` readable as ``:/<folder>/<name>``. A folder is registered once; later calls do nothing."""
    if folder in _registered:
        return
    blob = _tree(folder, files)
    if not qRegisterResourceData(1, *blob):
        raise RuntimeError("Qt did not take the stylesheet's pictures")
    _registered[folder] = blob


def _hash(name: str) -> int:
    """Return the hash by which Qt's resource tree is sorted (the ELF hash)."""
    value = 0
    for unit in name:
        value = (value << 4) + ord(unit)
        value ^= (value & 0xF0000000) >> 23
        value &= 0x0FFFFFFF
    return value


def _tree(folder: str, files: Mapping[str, bytes]) -> tuple[bytes, bytes, bytes]:
    ordered = sorted(files, key=_hash)
    names, offsets = b"", {}
    for name in (folder, *ordered):
        offsets[name] = len(names)
        names += struct.pack(">HI", len(name), _hash(name)) + name.encode("utf-16-be")
    payloads, places = b"", {}
    for name in ordered:
        places[name] = len(payloads)
        payloads += struct.pack(">I", len(files[name])) + files[name]
    tree = struct.pack(">IHII", 0, _FOLDER_FLAG, 1, 1)                                    # the root holds one folder
    tree += struct.pack(">IHII", offsets[folder], _FOLDER_FLAG, len(ordered), 2)
    for name in ordered:
        tree += struct.pack(">IHHHI", offsets[name], 0, 0, 1, places[name])               # any territory, C language
    return tree, names, payloads
