"""Writing the zip of a bundle: the dialect that ``archive`` reads. The same files give the same bytes."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable, Iterable
from typing import BinaryIO

from mldesk.bundles import archive as form
from mldesk.core.errors import WorkFailed

_LEVEL = 6
_DATE = 0x21                         # 1980-01-01, the first day a zip can say
_VERSION = 20
_MADE_BY = 3 << 8 | _VERSION         # Unix, so that the mode below is read
_MODE = (stat.S_IFREG | 0o644) << 16
_PACKED_ALREADY = (".skops", ".safetensors")


class Packer:
    """Writes entries into ``file`` (open for writing, seekable, empty) and the directory at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: list[form.Member] = []

    def add(self, name: str, pieces: Callable[[], Iterable[bytes]]) -> None:
        """Write one file; ``pieces`` may be called twice. Raises WorkFailed if it is too large; OSError."""
        offset = self._file.tell()
        start = offset + form.LOCAL.size + len(name.encode())
        member = None
        if not name.endswith(_PACKED_ALREADY):
            member = self._write(name, offset, start, pieces(), form.DEFLATED)
            if member.packed >= member.size or member.size > form.MAX_RATIO * member.packed:
                member = None  # no gain; or so much of it that a reader takes it for a bomb
        if member is None:
            member = self._write(name, offset, start, pieces(), form.STORED)
        self._file.seek(offset)
        self._file.write(_local(member))
        self._file.seek(start + member.packed)
        self._members.append(member)

    def finish(self) -> None:
        """Write the directory."""
        start = self._file.tell()
        for member in self._members:
            self._file.write(_central(member))
        length = self._file.tell() - start
        count = len(self._members)
        if self._file.tell() > form.MAX_TOTAL - form.END.size:
            raise _too_large()
        self._file.write(form.END.pack(form.END_MARK, 0, 0, count, count, length, start, 0))

    def _write(self, name: str, offset: int, start: int, pieces: Iterable[bytes], method: int) -> form.Member:
        self._file.seek(start)
        self._file.truncate()
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        crc = size = 0
        for piece in pieces:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            if size > form.MAX_FILE:
                raise _too_large()
            self._file.write(deflater.compress(piece) if method == form.DEFLATED else piece)
        if method == form.DEFLATED:
            self._file.write(deflater.flush())
        return form.Member(name, size, self._file.tell() - start, method, crc, offset)


def _too_large() -> WorkFailed:
    return WorkFailed("This model is too large for a bundle.", hint="Train fewer or shallower trees.")


def _local(member: form.Member) -> bytes:
    name = member.name.encode()
    return form.LOCAL.pack(form.LOCAL_MARK, _VERSION, form.UTF8, member.method, 0, _DATE, member.crc, member.packed,
                           member.size, len(name), 0) + name


def _central(member: form.Member) -> bytes:
    name = member.name.encode()
    return form.CENTRAL.pack(form.CENTRAL_MARK, _MADE_BY, _VERSION, form.UTF8, member.method, 0, _DATE, member.crc,
                             member.packed, member.size, len(name), 0, 0, 0, 0, _MODE, member.offset) + name
