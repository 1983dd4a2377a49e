"""Reading the zip of a bundle: the one dialect that MLDesk writes, and nothing else.

``zipfile`` is generous: it takes files with something before, behind and between the entries, entries that overlap,
two directories that disagree. Every such freedom has hidden something from somebody, so this reader takes none: the
entries follow one another without gaps, local and central records agree, sizes are known beforehand and kept to.
No zip64, no encryption, no comments; stored or deflated.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from mldesk.bundles.names import check_name, refuse_twins
from mldesk.core.errors import BadBundle, NotFound

MAX_FILES = 200
MAX_FILE = 2 << 30        # bytes of one file, unpacked
MAX_TOTAL = 4 << 30       # bytes of all files, unpacked
MAX_RATIO = 200           # unpacked to packed, for files above
RATIO_FREE = 1 << 20      # bytes; smaller files may be packed as well as they like
PIECE = 1 << 20           # bytes read or unpacked at once
STORED, DEFLATED = 0, 8
UTF8 = 0x0800             # flag: the name is UTF-8
_FLAGS = UTF8 | 0x0006    # and how hard it was packed, which says nothing
_ENCRYPTED, _STREAMED = 0x0001, 0x0008

END = struct.Struct("<4s4H2LH")            # end of central directory
CENTRAL = struct.Struct("<4s6H3L5H2L")     # central directory entry
LOCAL = struct.Struct("<4s5H3L2H")         # local header
END_MARK, CENTRAL_MARK, LOCAL_MARK = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_ZIP64 = 0xFFFFFFFF
_MAX_DIRECTORY = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the zip, as its directory describes it."""

    name: str
    size: int      # bytes unpacked
    packed: int    # bytes in the zip
    method: int    # STORED or DEFLATED
    crc: int
    offset: int    # of its local header


class Archive:
    """An open bundle. Making one checks the structure; ``read`` and ``pieces`` check the content's size and CRC."""

    def __init__(self, path: Path) -> None:
        """Raises NotFound; BadBundle with the reason; OSError."""
        with contextlib.ExitStack() as stack:
            try:
                self._file: BinaryIO = stack.enter_context(open(path, "rb"))
            except (FileNotFoundError, IsADirectoryError) as error:
                raise NotFound(f"There is no file {str(path)!r}.") from error
            self.size = os.fstat(self._file.fileno()).st_size
            self.members = {member.name: member for member in _directory(self._file, self.size)}
            stack.pop_all()  # from here on the file is closed by our own __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self._file.close()

    def read(self, name: str, cap: int = MAX_FILE) -> bytes:
        """Return a file's content. Raises BadBundle if it is absent, larger than ``cap`` bytes, or damaged."""
        member = self.members.get(name)
        if member is None:
            raise BadBundle(f"This bundle lacks its {name}.", hint="It is not complete; get it again.")
        if member.size > cap:
            raise BadBundle(f"This bundle's {name} is too large: {member.size} bytes, and {cap} are allowed.")
        return b"".join(self.pieces(member))

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Give the content piece by piece. Raises BadBundle at the end (or before) if it is not what was declared."""
        size = crc = 0
        for piece in self._unpacked(member):
            size += len(piece)
            if size > member.size:
                raise BadBundle(f"This bundle's {member.name} is larger than it says it is.", hint=_BOMB)
            crc = zlib.crc32(piece, crc)
            yield piece
        if size != member.size or crc != member.crc:
            raise _damaged(member.name)

    def _unpacked(self, member: Member) -> Iterator[bytes]:
        start = member.offset + LOCAL.size + len(member.name.encode())
        if member.method == STORED:
            yield from self._packed(start, member)
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in self._packed(start, member):
                rest = piece
                while rest and not inflater.eof:
                    yield inflater.decompress(rest, PIECE)
                    rest = inflater.unconsumed_tail
                if inflater.eof and (rest or inflater.unused_data):
                    raise _damaged(member.name)
            while not inflater.eof:
                more = inflater.decompress(inflater.unconsumed_tail, PIECE)
                if not more:
                    raise _damaged(member.name)
                yield more
        except zlib.error as error:
            raise _damaged(member.name) from error

    def _packed(self, start: int, member: Member) -> Iterator[bytes]:
        position, end = start, start + member.packed
        while position < end:
            self._file.seek(position)  # each time, since two files may be read in turns
            piece = self._file.read(min(PIECE, end - position))
            if not piece:
                raise _damaged(member.name)
            position += len(piece)
            yield piece


_BOMB = "Do not use it: a file like that is made to fill the disk."


def _damaged(name: str) -> BadBundle:
    return BadBundle(f"This bundle's {name} is damaged.", hint="Get the file again.")


def _directory(file: BinaryIO, size: int) -> list[Member]:
    """Read and check both directories. Raises BadBundle."""
    count, length, start = _end(file, size)
    file.seek(start)
    data = file.read(length)
    members, position = [], 0
    for _ in range(count):
        member, position = _entry(data, position)
        members.append(member)
    if position != length:
        raise BadBundle("This bundle's directory has something behind its last entry.")
    refuse_twins([member.name for member in members])
    _refuse_bombs(members)
    _check_layout(file, members, start)
    return members


def _end(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Return the number of entries, and length and start of the directory, from the last bytes of the file."""
    file.seek(0)
    if file.read(4) != LOCAL_MARK:
        raise BadBundle("This file is not a bundle: it does not begin like a zip file.")
    file.seek(max(0, size - END.size))
    tail = file.read(END.size)
    if len(tail) < END.size or tail[:4] != END_MARK:
        raise BadBundle("This bundle is cut off, or something was appended to it: its directory is not at its end.",
                        hint="Get the file again.")
    _, disk, start_disk, here, count, length, start, comment = END.unpack(tail)
    if start == _ZIP64 or disk or start_disk or here != count or comment:
        raise BadBundle("This bundle's zip is of a kind that MLDesk does not write.")
    if count > MAX_FILES or length > _MAX_DIRECTORY:
        raise BadBundle(f"This bundle holds too many files: {count}; {MAX_FILES} are allowed.")
    if start + length + END.size != size:
        raise BadBundle("This bundle is cut off, or something was put into it: its directory is not where it says.",
                        hint="Get the file again.")
    return count, length, start


def _entry(data: bytes, position: int) -> tuple[Member, int]:
    """Read one entry of the central directory; return it and where the next one begins."""
    head = data[position:position + CENTRAL.size]
    if len(head) < CENTRAL.size or head[:4] != CENTRAL_MARK:
        raise BadBundle("This bundle's directory is damaged.", hint="Get the file again.")
    (_, _, _, flags, method, _, _, crc, packed, size, name_length, extra, comment, disk, _, attributes,
     offset) = CENTRAL.unpack(head)
    name_start = position + CENTRAL.size
    raw = data[name_start:name_start + name_length]
    try:
        name = check_name(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadBundle(f"This bundle holds a file whose name is not text: {raw!r:.120}.") from error
    mode = stat.S_IFMT(attributes >> 16)
    if mode == stat.S_IFLNK:
        raise BadBundle(f"This bundle's {name} is a link to some other file.", hint="Do not use it.")
    if mode not in (0, stat.S_IFREG):
        raise BadBundle(f"This bundle's {name} is not a plain file.", hint="Do not use it.")
    if flags & _ENCRYPTED:
        raise BadBundle(f"This bundle's {name} is encrypted.")
    if flags & ~_FLAGS or method not in (STORED, DEFLATED) or extra or comment or disk:
        raise BadBundle(f"This bundle's {name} is packed in a way that MLDesk does not use.",
                        hint="It was packed again by another program; get the original file.")
    return Member(name, size, packed, method, crc, offset), name_start + name_length


def _refuse_bombs(members: list[Member]) -> None:
    for member in members:
        if member.size > MAX_FILE:
            raise BadBundle(f"This bundle's {member.name} would take {member.size} bytes; {MAX_FILE} are allowed.",
                            hint=_BOMB)
        if member.size > RATIO_FREE and member.size > MAX_RATIO * member.packed:
            raise BadBundle(f"This bundle's {member.name} would grow from {member.packed} to {member.size} bytes.",
                            hint=_BOMB)
    total = sum(member.size for member in members)
    if total > MAX_TOTAL:
        raise BadBundle(f"This bundle would take {total} bytes; {MAX_TOTAL} are allowed.", hint=_BOMB)


def _check_layout(file: BinaryIO, members: list[Member], end: int) -> None:
    """The entries lie one behind the other from the first byte to the directory, and their headers agree with it."""
    position = 0
    for member in sorted(members, key=lambda item: item.offset):
        name = member.name.encode()
        if member.offset != position:
            raise BadBundle(f"This bundle has something hidden before, or overlapping, its {member.name}.")
        file.seek(position)
        head = file.read(LOCAL.size + len(name))
        if len(head) < LOCAL.size + len(name):
            raise _damaged(member.name)
        mark, _, flags, method, _, _, crc, packed, size, name_length, extra = LOCAL.unpack(head[:LOCAL.size])
        told = (mark, method, crc, packed, size, name_length, extra, head[LOCAL.size:])
        if told != (LOCAL_MARK, member.method, member.crc, member.packed, member.size, len(name), 0, name) or (
                flags & ~_FLAGS):
            raise BadBundle(f"This bundle says two different things about its {member.name}.",
                            hint="It is damaged, or made to deceive; get it again.")
        position += len(head) + member.packed
    if position != end:
        raise BadBundle("This bundle has something hidden before its directory.")
