"""Landlock (Linux 5.13 and later): this process may read below some folders, and reach no other file from now on."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every processor
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILES = {1: 13, 2: 14, 3: 15, 4: 15}     # how many kinds of access each version knows; 16 from version 5
_NET, _SCOPED = 0b11, 0b11                # bind and connect; abstract sockets and signals
_NO_NEW_PRIVILEGES = 38


def restrict(roots: Sequence[str]) -> bool:
    """Let this process read below ``roots`` only. Return whether the kernel did so; what cannot be, is not."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    fields = [(1 << _FILES.get(version, 16)) - 1]
    fields += [_NET] if version >= 4 else []
    fields += [_SCOPED] if version >= 6 else []
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    for root in roots:
        _allow(libc, ruleset, root)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    done = bool(libc.syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0)
    os.close(ruleset)
    return done


def _allow(libc: ctypes.CDLL, ruleset: int, root: str) -> None:
    try:
        folder = os.open(root, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # it is not there: nothing to read
    access = _READ_FILE | (_READ_DIR if os.path.isdir(root) else 0)  # noqa: PTH112 - no pathlib in this process
    libc.syscall(_ADD, ctypes.c_int(ruleset), ctypes.c_int(1), struct.pack("=Qi", access, folder), ctypes.c_uint32(0))
    os.close(folder)
