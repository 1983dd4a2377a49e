"""How the bytes of a file elsewhere are asked for, one piece after another, in ways that can be given up at once.

Each reader answers with futures: whoever waits for one may cancel it, and closes the reader then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from mldesk.data.records import ImportRefused
from mldesk.data.sources.locations import scheme_of

PIECE = 4 * 1024 * 1024      # bytes asked for at once
CONNECT, SILENCE = 20, 60    # seconds to connect in, and to wait for the next bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known of the file once it is open."""

    size: int | None    # bytes of the whole; None: nobody says
    tag: object         # changes when the file does
    position: int       # where the next piece begins


class Reader(Protocol):
    """A file elsewhere. Futures end with whatever error the system has."""

    def open(self, done: int) -> Future[Opened]:
        """Make ready to read from byte ``done`` on, or from the beginning where that cannot be."""
        ...

    def read(self) -> Future[bytes]:
        """Give the next bytes; none at the end."""
        ...

    def close(self) -> None:
        """Let go of connections; what is being read fails. May be called twice."""
        ...


def reader_for(url: str, *, anonymous: bool = False) -> Reader:
    """Return the reader for a URL; it asks as nobody known where ``anonymous``.

    Raises ImportError if the package it needs is not installed.
    """
    scheme = scheme_of(url)
    if scheme in ("http", "https"):
        return _Http(url)
    if scheme in ("sftp", "ssh"):
        return _Threaded(_sftp(url), url)
    from fsspec.core import url_to_fs  # loads the system's own package

    for name in ("gcsfs", "s3fs", "adlfs", "azure"):
        logging.getLogger(name).setLevel(logging.CRITICAL)   # they write tracebacks of what is said in a sentence
    system = url_to_fs(url, skip_instance_cache=True, **({"anon": True} if anonymous else {}))[0]
    return _Ranges(system, url) if getattr(system, "async_impl", False) else _Threaded(system, url)


class _Loop:
    """Work in fsspec's own event loop."""

    def __init__(self, system: Any) -> None:
        self._system = system

    def _submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._system.loop)

    def close(self) -> None:
        """End the session, if there is one."""
        session, self._system._session = getattr(self._system, "_session", None), None  # noqa: SLF001
        if session is not None and hasattr(session, "close"):
            with contextlib.suppress(Exception):  # nothing depends on it any more
                self._submit(session.close()).result(5)
        client, creator = (getattr(self._system, name, None) for name in ("_s3", "_s3creator"))
        if client is not None and creator is not None:   # of s3fs, whose connections stay open else
            self._system._s3 = self._system._s3creator = None  # noqa: SLF001
            with contextlib.suppress(Exception):
                self._submit(creator.__aexit__(None, None, None)).result(5)


class _Http(_Loop):
    """One answer, read as it comes."""

    def __init__(self, url: str) -> None:
        import aiohttp  # slow to load, and only for this
        from fsspec.implementations.http import HTTPFileSystem

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE)
        super().__init__(HTTPFileSystem(skip_instance_cache=True, client_kwargs={"timeout": timeout,
                                                                                "trust_env": True}))
        self._url = url
        self._response: Any = None
        self._broken: Exception | None = None

    def open(self, done: int) -> Future[Opened]:
        return self._submit(self._open(done))

    def read(self) -> Future[bytes]:
        return self._submit(self._read())

    def close(self) -> None:
        if self._response is not None:
            self._system.loop.call_soon_threadsafe(self._response.close)
        super().close()

    async def _open(self, done: int) -> Opened:
        if self._response is not None:
            self._response.close()
        self._broken = None
        session = await self._system.set_session()
        asked = {"Accept-Encoding": "identity", **({"Range": f"bytes={done}-"} if done else {})}
        self._response = response = await session.get(self._url, headers=asked)
        response.raise_for_status()
        begin, size = 0, response.content_length if "Content-Encoding" not in response.headers else None
        if response.status == 206:
            said = response.headers.get("Content-Range", "").removeprefix("bytes ")
            first, _, total = said.replace("-", "/").replace("//", "/").partition("/")
            begin, size = int(first), int(total.rpartition("/")[2]) if total.rpartition("/")[2].isdecimal() else None
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
        return Opened(size, tag, begin)

    async def _read(self) -> bytes:
        assert self._response is not None  # noqa: S101 - open comes first
        if self._broken is not None:
            raise self._broken
        pieces, size = [], 0
        try:
            while size < PIECE and (piece := await self._response.content.readany()):
                pieces.append(piece)
                size += len(piece)
        except Exception as error:
            if not pieces:
                raise
            self._broken = error  # what came before the cut is good
        return b"".join(pieces)


class _Ranges(_Loop):
    """A system that answers for any range of bytes: S3, Google's and Microsoft's stores."""

    def __init__(self, system: Any, url: str) -> None:
        super().__init__(system)
        self._path = system._strip_protocol(url)  # noqa: SLF001 - fsspec's own way to say it
        self._at, self._size = 0, 0

    def open(self, done: int) -> Future[Opened]:
        return self._submit(self._open(done))

    def read(self) -> Future[bytes]:
        return self._submit(self._read())

    async def _open(self, done: int) -> Opened:
        info = await self._system._info(self._path)  # noqa: SLF001 - the asynchronous half of fsspec is spelt so
        _refuse_folder(info)
        self._at, self._size = done, int(info["size"])
        return Opened(self._size, _tag(info), done)

    async def _read(self) -> bytes:
        if self._at >= self._size:
            return b""
        end = min(self._size, self._at + PIECE)
        piece: bytes = await self._system._cat_file(self._path, start=self._at, end=end)  # noqa: SLF001
        self._at += len(piece)
        return piece


class _Threaded:
    """A system whose calls wait: each is made in a thread."""

    def __init__(self, system: Any, url: str) -> None:
        self._system, self._path = system, system._strip_protocol(url)  # noqa: SLF001
        self._pool = ThreadPoolExecutor(1, "download")
        self._file: Any = None

    def open(self, done: int) -> Future[Opened]:
        return self._pool.submit(self._open, done)

    def read(self) -> Future[bytes]:
        return self._pool.submit(lambda: self._file.read(PIECE))

    def _open(self, done: int) -> Opened:
        info = self._system.info(self._path)
        _refuse_folder(info)
        self._file = self._system.open(self._path, "rb", block_size=PIECE)
        self._file.seek(done)
        return Opened(info.get("size"), _tag(info), done)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            client = getattr(self._system, "client", None)
            (client if client is not None else self._file).close()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _sftp(url: str) -> Any:
    """fsspec trusts whatever host answers; here the user's known_hosts decide."""
    from fsspec.implementations import sftp  # loads paramiko

    class Known(sftp.SFTPFileSystem):  # type: ignore[misc]
        def _connect(self) -> None:
            client = sftp.paramiko.SSHClient()
            client.load_system_host_keys()
            client.set_missing_host_key_policy(sftp.paramiko.RejectPolicy())
            self.client = client
            client.connect(self.host, timeout=CONNECT, **self.ssh_kwargs)
            self.ftp = client.open_sftp()

    given = Known._get_kwargs_from_urls(url)  # noqa: SLF001 - how fsspec reads the address
    return Known(skip_instance_cache=True, **given)


def _refuse_folder(info: Any) -> None:
    if info.get("type") == "directory":
        raise ImportRefused("The address is that of a folder, not of a file.", hint="Give the address of one file.")


def _tag(info: Any) -> object:
    return info.get("ETag") or info.get("etag") or info.get("LastModified") or info.get("mtime")
