"""A store of objects on this machine that talks as S3 does, as far as reading goes: keys, ranges, errors in XML."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

KEY, SECRET, BUCKET = "AKIAEXAMPLE", "not-a-real-secret", "shop"


class Bucket:
    """What a server has, and how it behaves."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = dict(objects)
        self.public: set[str] = set()   # keys that nobody need be known for
        self.cuts = 0              # answers yet to be cut in their middle
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5     # seconds that a connection may be idle
    bucket: Bucket

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        parts = urlsplit(self.path)
        name, _, key = unquote(parts.path.lstrip("/")).partition("/")
        self.bucket.asked.append(f"{self.command} {name}/{key}")
        if key not in self.bucket.public and KEY not in self.headers.get("Authorization", ""):
            self._error(403, "AccessDenied" if "Authorization" not in self.headers else "InvalidAccessKeyId", with_body)
        elif name != BUCKET:
            self._error(404, "NoSuchBucket", with_body)
        elif not key:
            self._list(parse_qs(parts.query))
        elif key not in self.bucket.objects:
            self._error(404, "NoSuchKey", with_body)
        else:
            self._object(self.bucket.objects[key], with_body=with_body)

    def _object(self, data: bytes, *, with_body: bool) -> None:
        wanted = self.headers.get("Range")
        first, last = 0, len(data) - 1
        if wanted:
            begin, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(last, int(end)) if end else last
        body = data[first:last + 1]
        self.send_response(206 if wanted else 200)
        for name, value in (("Content-Length", str(len(body))), ("ETag", '"one"'), ("Content-Type", "text/csv"),
                            ("Last-Modified", "Sat, 28 Nov 2026 10:00:00 GMT")):
            self.send_header(name, value)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if with_body and self.bucket.cuts:
            self.bucket.cuts -= 1
            self.wfile.write(body[:len(body) // 2])
            self.connection.shutdown(socket.SHUT_RDWR)
        elif with_body:
            self.wfile.write(body)

    def _list(self, query: Mapping[str, list[str]]) -> None:
        prefix = query.get("prefix", [""])[0]
        keys = "".join(f"<Contents><Key>{key}</Key><Size>{len(data)}</Size><ETag>\"one\"</ETag>"
                       "<LastModified>2026-11-28T10:00:00.000Z</LastModified></Contents>"
                       for key, data in sorted(self.bucket.objects.items()) if key.startswith(prefix))
        self._xml(200, f"<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{keys}"
                       "</ListBucketResult>")

    def _error(self, status: int, code: str, with_body: bool) -> None:
        self._xml(status, f"<Error><Code>{code}</Code><Message>{code} said the store.</Message></Error>", with_body)

    def _xml(self, status: int, text: str, with_body: bool = True) -> None:
        body = ('<?xml version="1.0" encoding="UTF-8"?>' + text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(objects: Mapping[str, bytes]) -> Iterator[tuple[str, Bucket]]:
    """Serve a bucket; gives the address and what it has."""
    bucket = Bucket(objects)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"bucket": bucket}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
