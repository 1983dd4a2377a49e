"""Downloads from a real server on this machine: whole, cut, slow, without ranges, too large, not there."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fsspec.asyn import AsyncFileSystem
from fsspec.registry import _registry

from mldesk.core.errors import WorkFailed
from mldesk.data import ImportCancelled, ImportRefused, import_table
from mldesk.data.sources.locations import public_url, shown_url
from mldesk.data.sources.remote import download
from mldesk.data.sources.remote_readers import PIECE
from mldesk.wire.objects import ObjectStore

DATA = b"a,b\n" + b"1,two\n" * 1000
LONG = b"a,b\n" + b"1,two\n" * 4_000_000  # what a client has not read yet is lost with the connection
MOST = 10**8
_TO = {"tofile": "file:///etc/passwd", "toftp": "ftp://127.0.0.1/x", "todata": "data:text/csv,a", "round": "/round.csv",
       "tonowhere": "http://[::1"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cuts = 0
    asked: list[str] = []  # noqa: RUF012 - what was asked of the one server of a test
    ended = threading.Event()

    def do_GET(self) -> None:
        kind = self.path.split("?")[0].strip("/").removesuffix(".csv")
        wanted = self.headers.get("Range")
        self.asked.append(wanted or "")
        if kind in _TO:
            self.send_response(302)
            self.send_header("Location", _TO[kind])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if kind.isdecimal():
            self._head(int(kind), 0)
            return
        first = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and kind != "norange" else 0
        data = LONG if kind in ("cut", "norange") else DATA
        body = data[first:]
        self._head(206 if first else 200, len(body), f"bytes {first}-{len(data) - 1}/{len(data)}" if first else None)
        if kind in ("cut", "norange") and type(self).cuts:
            type(self).cuts -= 1
            self.wfile.write(body[:len(body) // 2])
            self.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "stuck":
            self.wfile.write(body[:1000])
            self.ended.wait(30)
            self.close_connection = True
        else:
            self.wfile.write(body)

    def _head(self, status: int, length: int, part: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"one"')
        if part:
            self.send_header("Content-Range", part)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("mldesk.data.sources.remote.PAUSE", 0.01)
    monkeypatch.setattr("mldesk.data.sources.remote.ATTEMPTS", 3)
    _Handler.cuts, _Handler.ended = 0, threading.Event()
    _Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    _Handler.ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_table_at_an_address_is_imported(server: str, store: ObjectStore, scratch: Path) -> None:
    table = import_table([f"{server}/deep/sales.csv?token=secret"], store, scratch)
    assert (table.rows, table.source) == (1000, "sales.csv")
    assert not list(scratch.iterdir())


def test_a_download_that_is_cut_goes_on_where_it_was(server: str, tmp_path: Path) -> None:
    _Handler.cuts = 3
    assert download(f"{server}/cut.csv", tmp_path, limit=MOST).read_bytes() == LONG
    begun = [int(part.removeprefix("bytes=").rstrip("-") or 0) for part in _Handler.asked]
    assert len(begun) == 4
    assert begun == sorted(set(begun))


def test_a_server_without_ranges_is_asked_from_the_beginning(server: str, tmp_path: Path) -> None:
    _Handler.cuts = 1
    assert download(f"{server}/norange.csv", tmp_path, limit=MOST).read_bytes() == LONG


def test_a_download_is_given_up_at_once_and_leaves_nothing(server: str, tmp_path: Path) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    with pytest.raises(ImportCancelled):
        download(f"{server}/stuck.csv", tmp_path, limit=MOST, cancelled=stop)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("path", "kind", "words"), [
    ("404.csv", ImportRefused, "There is no file at"),
    ("403.csv", ImportRefused, "without logging in"),
    ("503.csv", WorkFailed, "answers 503"),
])
def test_what_a_server_does_not_give_is_a_sentence_without_secrets(
    path: str, kind: type[Exception], words: str, server: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=words) as caught:
        download(f"{server.replace('//', '//me:pass@')}/{path}?key=secret", tmp_path, limit=MOST)
    assert "secret" not in str(caught.value)
    assert "pass" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_more_than_may_be_downloaded_is_refused(server: str, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"more than 1,000 bytes, the most that may be downloaded"):
        download(f"{server}/large.csv", tmp_path, limit=1000)


def test_nobody_there_and_no_package_are_sentences(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorkFailed, match="cannot be read"):
        download("http://127.0.0.1:9/x.csv", tmp_path, limit=MOST)
    for scheme, package in (("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs")):
        monkeypatch.setitem(sys.modules, package, None)   # it may be installed
        monkeypatch.delitem(_registry, scheme, raising=False)
        with pytest.raises(ImportRefused, match=f"needs the package {package}") as refused:
            download(f"{scheme}://bucket/x.csv", tmp_path, limit=MOST)
        assert "mldesk[cloud]" in str(refused.value.hint)


def test_what_is_shown_and_kept_of_an_address_holds_no_secrets() -> None:
    url = "https://me:pass@host.example:8443/a/b%20c.csv?sig=secret#x"
    assert shown_url(url) == "b c.csv"
    assert public_url(url) == "https://host.example:8443/a/b%20c.csv"
    assert shown_url("postgresql://me:pass@db.example/shop") == "shop at db.example"


@pytest.mark.parametrize("kind", sorted(_TO))
def test_a_server_that_leads_astray_is_asked_once_and_named(server: str, tmp_path: Path, kind: str) -> None:
    with pytest.raises(ImportRefused, match="elsewhere"):
        download(f"{server}/{kind}.csv", tmp_path, limit=MOST)
    assert len(_Handler.asked) == (10 if kind == "round" else 1)  # which is followed ten times, and not anew
    assert not list(tmp_path.iterdir())


class _Store(AsyncFileSystem):  # type: ignore[misc]
    """Stands in for the stores that answer for ranges of bytes (S3 and its like), whose packages are not here."""

    protocol = "az"
    cuts = 0
    asked: list[int] = []  # noqa: RUF012 - what was asked of the one store of a test

    async def _info(self, path: str, **_: object) -> dict[str, object]:
        kinds = {"c/large.csv": "file", "c/folder": "directory"}
        if path not in kinds:
            raise FileNotFoundError(path)
        return {"name": path, "size": len(LONG), "type": kinds[path], "ETag": "one"}

    async def _cat_file(self, path: str, start: int = 0, end: int = 0, **_: object) -> bytes:
        self.asked.append(start)
        if start and type(self).cuts:
            type(self).cuts -= 1
            raise ConnectionError("cut")
        return LONG[start:end]


def test_a_store_of_ranges_is_read_piece_by_piece_and_gone_on_with(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_registry, "az", _Store)
    _Store.cuts = 2
    _Store.asked.clear()
    assert download("az://c/large.csv", tmp_path, limit=MOST).read_bytes() == LONG
    assert _Store.asked == [0, *[PIECE] * 3, *range(2 * PIECE, len(LONG), PIECE)]
    for path, words in (("nothing.csv", "There is no file"), ("folder", "that of a folder")):
        with pytest.raises(ImportRefused, match=words):
            download(f"az://c/{path}", tmp_path, limit=MOST)
    with pytest.raises(ImportRefused, match="more than 1,000 bytes"):
        download("az://c/large.csv", tmp_path, limit=1000)
    with pytest.raises(ImportCancelled):
        download("az://c/large.csv", tmp_path, limit=MOST, cancelled=lambda: len(_Store.asked) > 9)
    assert len(list(tmp_path.iterdir())) == 1

