"""Names in a manifest mean the same file on every system, or are refused."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldesk.core.errors import BadInput, NotFound
from mldesk.wire.manifest import CHUNK, MARK, Entry, Manifest, check_digest, check_path

EMPTY = hashlib.sha256(b"").hexdigest()


def entry(path: str, size: int = 0) -> Entry:
    return Entry(path, size, EMPTY, (EMPTY,) * max(1, -(-size // CHUNK)))


@pytest.mark.parametrize("path", ["a", "parts/000.parquet", "données/été.csv", "データ/表 1.parquet", "a..b", ".x"])
def test_plain_relative_names_of_any_language_are_taken(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", [
    "", "/etc/passwd", "../up", "a/../b", "a/./b", "a//b", "a/", "C:/x", "c:x", "a\\b", "\\\\host\\x", "a\0b", "a\nb",
    "nul", "aux.txt", "COM1", "lpt¹", "a/con/b", "trailing.", "space ", "e\u0301", "\ud800", "x" * 241,
    "a/" * 600 + "a", "what?", "a|b", "a<b", "x:stream", None, 7,
])
def test_names_that_lead_astray_somewhere_are_refused(path: object) -> None:
    with pytest.raises(BadInput):
        check_path(path)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=30) | st.from_regex(r"[a-zA-Z.:/\\ ~-]{1,20}", fullmatch=True))
def test_whatever_is_taken_stays_below_its_folder_on_every_system(path: str) -> None:
    try:
        check_path(path)
    except BadInput:
        return
    assert unicodedata.is_normalized("NFC", path)
    for pure in (PurePosixPath(path), PureWindowsPath(path)):
        assert not pure.is_absolute()
        assert not pure.drive
        assert not pure.root
        assert ".." not in pure.parts
        assert "/".join(pure.parts) == path


@pytest.mark.parametrize("paths", [
    ("Readme", "readme"), ("straße", "strasse"), ("a", "a"), ("a", "a/b"), ("A", "a/b"), ("A/x", "a/y"), ("É", "é"),
])
def test_names_that_are_one_where_case_does_not_count_are_refused(paths: tuple[str, str]) -> None:
    with pytest.raises(BadInput):
        Manifest(tuple(entry(path) for path in sorted(paths)))


def test_a_manifest_survives_its_own_bytes() -> None:
    manifest = Manifest((entry("a/b"), entry("a/c", 3 * CHUNK + 1), entry("ü")))
    data = manifest.to_bytes()
    assert data.startswith(MARK)
    assert Manifest.from_bytes(data) == manifest
    assert manifest.size == 3 * CHUNK + 1
    assert manifest.entry("a/c").chunk_size(3) == 1
    with pytest.raises(NotFound):
        manifest.entry("a/d")


@pytest.mark.parametrize("change", [
    {"size": -1}, {"size": True}, {"size": 1.5}, {"size": 1 << 60}, {"sha256": "x"}, {"sha256": EMPTY.upper()},
    {"chunks": []}, {"chunks": [EMPTY, EMPTY]}, {"chunks": ["0" * 64]}, {"path": "../x"}, {"chunks": None},
    {"sha256": None}, {"path": ["a"]},
])
def test_an_entry_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    value = {"path": "a", "size": 0, "sha256": EMPTY, "chunks": [EMPTY]} | change
    with pytest.raises(BadInput):
        Manifest.from_json({"format": 1, "entries": [value]})


@pytest.mark.parametrize("data", [
    b"", b"[]", b"null", b"{}", b'{"entries":[],"format":2}', b'{"entries":{},"format":1}', b"\xff", b"[" * 100_000,
    b'{"entries":[1],"format":1}', b'{"entries":[NaN],"format":1}',
])
def test_bytes_that_are_no_manifest_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        Manifest.from_bytes(data)


def test_an_unsorted_manifest_is_refused_so_that_one_set_of_files_has_one_digest() -> None:
    with pytest.raises(BadInput, match="sorted"):
        Manifest((entry("b"), entry("a")))


@pytest.mark.parametrize("digest", ["", "A" * 64, "0" * 63, "../" + "0" * 61, "0" * 64 + "\n", None])
def test_only_a_digest_becomes_a_file_name(digest: object) -> None:
    with pytest.raises(BadInput):
        check_digest(digest)  # type: ignore[arg-type]
