"""Files at URLs, brought here through fsspec: capped, to be stopped at any moment, gone on with after a cut.

Who may log in where is the business of each system's own settings (AWS profile, gcloud, az, ssh); nothing is asked or
kept here. What is known of a host by ssh's known_hosts decides about sftp.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors
from mldesk.core.errors import DiskFull, MldeskError, WorkFailed
from mldesk.data.locations import public_url, scheme_of, shown_url
from mldesk.data.records import Cancelled, ImportCancelled, ImportRefused, Progress

PIECE = 4 * 1024 * 1024      # bytes asked for at once
ATTEMPTS = 6                 # to go on after a cut, without a byte in between
PAUSE = 0.5                  # seconds before the second attempt; doubled each time
_SPARE = 512 * 1024 * 1024   # bytes of disk that stay free
_POLL = 0.05                 # seconds between two looks at whether the user wants out
_CONNECT, _SILENCE = 20, 60  # seconds to connect in, and to wait for the next bytes
_PACKAGES = {"http": "aiohttp", "https": "aiohttp", "s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs",
             "abfs": "adlfs", "abfss": "adlfs", "adl": "adlfs", "sftp": "paramiko", "ssh": "paramiko"}


def download(url: str, folder: Path, *, limit: int, progress: Progress | None = None,
             cancelled: Cancelled | None = None) -> Path:
    """Bring the file at ``url`` into a new folder in ``folder``; return where it is, under its own name.

    At most ``limit`` bytes. Raises ImportRefused (nothing there, too large, a package is lacking), WorkFailed (no
    answer), ImportCancelled, DiskFull; nothing is left then.
    """
    place = Path(tempfile.mkdtemp(prefix="download-", dir=folder))
    target = place / shown_url(url)
    try:
        with _system(url) as system:
            _Transfer(system, url, target, limit, progress, cancelled).run()
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return target


class _Transfer:
    """One download: attempts, each from where the one before was cut."""

    def __init__(self, system: Any, url: str, target: Path, limit: int, progress: Progress | None,
                 cancelled: Cancelled | None) -> None:
        self._system, self._url, self._target, self._limit = system, url, target, limit
        self._progress, self._cancelled = progress, cancelled
        self._shown = shown_url(url)
        self._done = 0
        self._state: tuple[Any, Any] | None = None    # size and tag of the file when it was begun
        self._free = shutil.disk_usage(target.parent).free

    def run(self) -> None:
        failed, pause = 0, PAUSE
        with disk_errors("the download"), open(self._target, "wb") as out:
            while True:
                before = self._done
                try:
                    self._attempt(out)
                    return
                except (MldeskError, DiskFull):
                    raise
                except Exception as error:
                    if isinstance(error, OSError) and error.errno is not None and error.filename == str(self._target):
                        raise
                    failed, pause = (0, PAUSE) if self._done > before else (failed + 1, pause * 2)
                    if failed >= ATTEMPTS or not _may_pass(error):
                        raise _told(self._url, error) from error
                    self._wait(pause)

    def _attempt(self, out: Any) -> None:
        with ThreadPoolExecutor(1, "download") as pool:
            source, size, tag = self._answer(pool.submit(self._open))
            if self._state not in (None, (size, tag)) or (self._done and not _seekable(source)):
                self._done = 0  # it is another file now, or cannot be read from the middle
            self._state = (size, tag)
            self._refuse_large(size or 0)
            out.seek(self._done)
            out.truncate()
            if self._done:
                source.seek(self._done)
            try:
                while piece := self._answer(pool.submit(source.read, PIECE)):
                    self._refuse_large(self._done + len(piece))
                    out.write(piece)
                    self._done += len(piece)
                    if self._progress is not None:
                        self._progress(self._done, size or 0)
            finally:
                with contextlib.suppress(Exception):
                    source.close()
        if size is not None and self._done < size:
            raise ConnectionError("the file ended too early")
        if not self._done:
            raise ImportRefused(f"{self._shown} is empty: it has no header and no rows.")

    def _open(self) -> tuple[Any, int | None, Any]:
        info = self._system.info(self._system._strip_protocol(self._url))  # noqa: SLF001 - fsspec's own way to say it
        if info.get("type") == "directory":
            raise ImportRefused(f"{self._shown} is a folder, not a file.", hint="Give the address of one file.")
        source = self._system.open(self._url, "rb", block_size=PIECE, cache_type="readahead") \
            if info.get("size") is not None else self._system.open(self._url, "rb")
        return source, info.get("size"), info.get("ETag") or info.get("LastModified") or info.get("mtime")

    def _answer(self, future: Future[Any]) -> Any:
        """Wait for what a thread does, for as long as nobody wants out."""
        while not wait([future], _POLL).done:
            if self._cancelled is not None and self._cancelled():
                _abandon(self._system)  # what is being read now ends with an error in its thread
                raise ImportCancelled("The download")
        if self._cancelled is not None and self._cancelled():
            raise ImportCancelled("The download")
        return future.result()

    def _refuse_large(self, size: int) -> None:
        if size > self._limit:
            raise ImportRefused(f"{self._shown} has more than {self._limit:,} bytes, the most that may be downloaded.",
                                hint="Allow more, or bring the file here yourself and import that.")
        if size > self._free - _SPARE:
            raise DiskFull(f"The disk has no room for {self._shown}: {size:,} bytes are to come and {self._free:,} are "
                           "free.", hint="Free some space on that disk, then do it again.")

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._cancelled is not None and self._cancelled():
                raise ImportCancelled("The download")
            time.sleep(_POLL)


def _seekable(source: Any) -> bool:
    try:
        return bool(source.seekable()) and type(source).__name__ != "HTTPStreamFile"
    except (AttributeError, ValueError):
        return False


@contextlib.contextmanager
def _system(url: str) -> Iterator[Any]:
    """Give fsspec's view of the place a URL names. Raises ImportRefused if its package is not installed."""
    scheme = scheme_of(url) or ""
    package = _PACKAGES.get(scheme, "fsspec")
    try:
        system = _SYSTEMS.get(scheme, _any_system)(url)
    except ImportError as error:
        raise ImportRefused(f"Reading {scheme}:// addresses needs the package {package}, which is not installed.",
                            hint=f"Install it: pip install {package}.") from error
    except Exception as error:
        raise _told(url, error) from error
    try:
        yield system
    finally:
        _abandon(system)


def _any_system(url: str) -> Any:
    from fsspec.core import url_to_fs  # loads the system's own package

    return url_to_fs(url, skip_instance_cache=True)[0]


def _http(_: str) -> Any:
    import aiohttp  # slow to load, and only for this
    from fsspec.implementations.http import HTTPFileSystem

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE)
    return HTTPFileSystem(skip_instance_cache=True, client_kwargs={"timeout": timeout, "trust_env": True})


def _sftp(url: str) -> Any:
    """fsspec trusts whatever host answers; here the user's and the system's known_hosts decide."""
    from fsspec.implementations import sftp  # loads paramiko

    class Known(sftp.SFTPFileSystem):  # type: ignore[misc]
        def _connect(self) -> None:
            client = sftp.paramiko.SSHClient()
            client.load_system_host_keys()
            client.set_missing_host_key_policy(sftp.paramiko.RejectPolicy())
            client.connect(self.host, timeout=_CONNECT, **self.ssh_kwargs)
            self.client, self.ftp = client, client.open_sftp()

    given = Known._get_kwargs_from_urls(url)  # noqa: SLF001 - how fsspec reads the address
    return Known(skip_instance_cache=True, **given)


_SYSTEMS: dict[str, Callable[[str], Any]] = {"http": _http, "https": _http, "sftp": _sftp, "ssh": _sftp}


def _abandon(system: Any) -> None:
    """Close what the system holds open; what is being read fails then."""
    with contextlib.suppress(Exception):
        session = getattr(system, "_session", None)
        if session is not None and hasattr(system, "close_session"):
            system.close_session(system.loop, session)
        client = getattr(system, "client", None)
        if client is not None and hasattr(client, "close"):
            client.close()


def _may_pass(error: Exception) -> bool:
    """Say whether trying again may help."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and status:
        return status in (408, 425, 429) or status >= 500
    if isinstance(error, (FileNotFoundError, PermissionError, ValueError, NotImplementedError)):
        return False
    return isinstance(error, (OSError, TimeoutError, EOFError)) or type(error).__module__.startswith("aiohttp")


def _told(url: str, error: Exception) -> MldeskError:
    """Return the sentence for an error of any system, without what is secret in the URL."""
    if isinstance(error, MldeskError):
        return error
    place = public_url(url)
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return ImportRefused(f"There is no file at {place}.")
    if isinstance(error, PermissionError) or status in (401, 403):
        return ImportRefused(f"{place} may not be read without logging in.",
                             hint="Check the address and who you are known as there.")
    if isinstance(status, int) and status:
        return WorkFailed(f"{place} cannot be read: the server answers {status}.", hint="Try again later.")
    if "Credentials" in type(error).__name__ or "known_hosts" in str(error):
        return ImportRefused(f"{place} cannot be read: {_line(error)}.",
                             hint="Log in with that system's own tool first, or connect to the host once with ssh.")
    return WorkFailed(f"{place} cannot be read: {_line(error)}.", hint="Check the address and the network.")


def _line(error: Exception) -> str:
    lines = str(error).splitlines()
    return (lines[0][:160].rstrip(". ") if lines and lines[0].strip() else "") or type(error).__name__
