"""Files at URLs, brought here through fsspec: capped, to be stopped at any moment, gone on with after a cut.

Who may log in where is the business of each system's own settings (AWS profile, gcloud, az, ssh); nothing is asked or
kept here. What is known of a host by ssh's known_hosts decides about sftp.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import IO, Any, TypeVar

from mldesk.core.durable import disk_errors
from mldesk.core.errors import DiskFull, MldeskError, WorkFailed
from mldesk.data.records import Cancelled, ImportCancelled, ImportRefused, Progress
from mldesk.data.sources.locations import public_url, scheme_of, shown_url
from mldesk.data.sources.remote_readers import Reader, reader_for

ATTEMPTS = 6                 # to go on after a cut, without a byte in between
PAUSE = 0.5                  # seconds before the second attempt; doubled each time
_SPARE = 512 * 1024 * 1024   # bytes of disk that stay free
_POLL = 0.05                 # seconds between two looks at whether the user wants out
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ASTRAY = ("TooManyRedirects", "NonHttpUrlRedirectClientError", "InvalidUrlRedirectClientError")  # of aiohttp
_LOG_IN = {"s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`.",
           "gs": "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS.",
           "az": "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_CONNECTION_STRING."}
_SAME = {"gcs": "gs", "abfs": "az", "abfss": "az", "adl": "az"}
Answer = TypeVar("Answer")
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
        try:
            with _reader(url) as reader:
                _Transfer(reader, url, target, limit, progress, cancelled).run()
        except ImportRefused as error:
            if not _nobody(error.__cause__) or scheme_of(url) != "s3":
                raise
            with _reader(url, anonymous=True) as reader:   # a bucket may be everybody's
                _Transfer(reader, url, target, limit, progress, cancelled).run()
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return target


class _Transfer:
    """One download: attempts, each from where the one before was cut."""

    def __init__(self, reader: Reader, url: str, target: Path, limit: int, progress: Progress | None,
                 cancelled: Cancelled | None) -> None:
        self._reader, self._url, self._target, self._limit = reader, url, target, limit
        self._progress, self._cancelled = progress, cancelled
        self._shown = shown_url(url)
        self._done = 0
        self._state: tuple[object, object] | None = None    # size and tag of the file when it was begun
        self._free = shutil.disk_usage(target.parent).free

    def run(self) -> None:
        failed, pause = 0, PAUSE
        with disk_errors("the download"), open(self._target, "wb") as out:
            while True:
                before = self._done
                try:
                    self._attempt(out)
                    return
                except MldeskError:
                    raise
                except Exception as error:
                    if isinstance(error, OSError) and error.errno in _DISK:
                        raise
                    failed, pause = (0, PAUSE) if self._done > before else (failed + 1, pause * 2)
                    if failed >= ATTEMPTS or not _may_pass(_cause(error)):
                        raise _told(self._url, _cause(error)) from error
                    self._wait(pause)

    def _attempt(self, out: IO[bytes]) -> None:
        opened = self._answer(self._reader.open(self._done))
        if self._state not in (None, (opened.size, opened.tag)) and opened.position:
            self._done, self._state = 0, None
            raise ConnectionError("it is another file now")  # once more, from its beginning
        self._state, self._done = (opened.size, opened.tag), opened.position
        self._refuse_large(opened.size or 0)
        out.seek(self._done)
        out.truncate()
        while piece := self._answer(self._reader.read()):
            self._refuse_large(self._done + len(piece))
            out.write(piece)
            self._done += len(piece)
            if self._progress is not None:
                self._progress(self._done, opened.size or 0)
        if opened.size is not None and self._done < opened.size:
            raise ConnectionError("the file ended too early")
        if not self._done:
            raise ImportRefused(f"{self._shown} is empty: it has no header and no rows.")

    def _answer(self, future: Future[Answer]) -> Answer:
        """Wait for an answer, for as long as nobody wants out."""
        while not wait([future], _POLL).done:
            self._check(future)
        self._check(future)
        return future.result()

    def _check(self, future: Future[Any] | None = None) -> None:
        if self._cancelled is not None and self._cancelled():
            if future is not None:
                future.cancel()
            raise ImportCancelled("The download")

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
            self._check()
            time.sleep(_POLL)


@contextlib.contextmanager
def _reader(url: str, *, anonymous: bool = False) -> Iterator[Reader]:
    """Give what reads a URL. Raises ImportRefused if the package that it needs is not installed."""
    scheme = scheme_of(url) or ""
    package = _PACKAGES.get(scheme, "fsspec")
    try:
        reader = reader_for(url, anonymous=anonymous)
    except ImportError as error:
        raise ImportRefused(f"Reading {scheme}:// addresses needs the package {package}, which is not installed.",
                            hint=f'Install it: pip install "mldesk[cloud]", or {package} alone.') from error
    except Exception as error:
        raise _told(url, error) from error
    try:
        yield reader
    finally:
        reader.close()


def _cause(error: Exception) -> Exception:
    """Return what is behind an error: fsspec says that a file is not there whatever went wrong."""
    while isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error


def _nobody(error: BaseException | None) -> bool:
    """Say whether an error is that nobody is logged in."""
    return error is not None and ("Credentials" in type(error).__name__ or "credential" in str(error).lower()
                                  or "connection_string or account_name" in str(error))


def _code(error: Exception) -> str:
    """Return what S3 calls an error, "" for others."""
    said = getattr(error, "response", None)
    return str(said.get("Error", {}).get("Code", "")) if isinstance(said, dict) else ""


def _may_pass(error: Exception) -> bool:
    """Say whether trying again may help."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and status:
        return status in (408, 425, 429) or status >= 500
    if isinstance(error, (FileNotFoundError, PermissionError, ValueError, NotImplementedError)) \
            or type(error).__name__ in _ASTRAY:
        return False
    return isinstance(error, (OSError, TimeoutError, EOFError)) or type(error).__module__.startswith("aiohttp")


def _told(url: str, error: Exception) -> MldeskError:
    """Return the sentence for an error of any system, without what is secret in the URL."""
    if isinstance(error, MldeskError):
        return error
    place = public_url(url)
    status = getattr(error, "status", None)
    if _code(error) == "NoSuchBucket":
        return ImportRefused(f"There is no bucket {place.partition('://')[2].partition('/')[0]!r:.80} for {place}.",
                             hint="Check its name, and the region and account that you are known in.")
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return ImportRefused(f"There is no file at {place}.")
    if isinstance(error, PermissionError) or status in (401, 403):
        return ImportRefused(f"{place} may not be read without logging in.",
                             hint=f"Check the address and who you are known as there. {_log_in(url)}".strip())
    if isinstance(status, int) and status:
        return WorkFailed(f"{place} cannot be read: the server answers {status}.", hint="Try again later.")
    if type(error).__name__ in _ASTRAY:
        return ImportRefused(f"{place} cannot be read: the server sends whoever asks elsewhere, and no web address is "
                             "at the end of it.", hint="Open the address in a browser to see where it leads.")
    if "known_hosts" in str(error):
        return ImportRefused(f"{place} cannot be read: {_line(error)}.", hint="Connect to the host once with ssh.")
    if _nobody(error):
        return ImportRefused(f"{place} cannot be read: nobody is logged in there.",
                             hint=_log_in(url) or "Log in with that system's own tool first.")
    return WorkFailed(f"{place} cannot be read: {_line(error)}.", hint="Check the address and the network.")


def _log_in(url: str) -> str:
    scheme = scheme_of(url) or ""
    return _LOG_IN.get(_SAME.get(scheme, scheme), "")


def _line(error: Exception) -> str:
    if type(error).__name__ in ("ClientPayloadError", "ServerDisconnectedError"):
        return "the connection is cut again and again"
    lines = str(error).splitlines()
    return (lines[0][:160].rstrip(". ") if lines and lines[0].strip() else "") or type(error).__name__
