"""Addresses of S3, asked of a real (if small) store through s3fs: read, cut, not there, not allowed, nobody known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import WorkFailed
from mldesk.data import ImportRefused, import_table
from mldesk.data.sources.remote import download
from mldesk.wire.objects import ObjectStore
from tests.data.object_store_server import KEY, SECRET, Bucket, running

pytest.importorskip("s3fs", reason="the extra 'cloud' is not installed")
DATA = b"a,b\n" + b"1,two\n" * 800_000
MOST = 10**8


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A store in which this user may read the bucket ``shop``."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("mldesk.data.sources.remote.PAUSE", 0.01)
    monkeypatch.setattr("mldesk.data.sources.remote.ATTEMPTS", 3)
    with running({"sales/may.csv": DATA, "all/may.csv": b"a\n1\n"}) as (address, found):
        for name, value in (("ENDPOINT_URL", address), ("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", SECRET),
                            ("DEFAULT_REGION", "eu-central-1"), ("EC2_METADATA_DISABLED", "true"),
                            ("CONFIG_FILE", str(tmp_path / "none")), ("MAX_ATTEMPTS", "1"),
                            ("SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))):
            monkeypatch.setenv(f"AWS_{name}", value)
        yield found


def _get(url: str, tmp_path: Path) -> bytes:
    (tmp_path / "here").mkdir(exist_ok=True)
    return download(url, tmp_path / "here", limit=MOST).read_bytes()


def test_an_object_is_imported(bucket: Bucket, store: ObjectStore, scratch: Path) -> None:
    table = import_table(["s3://shop/sales/may.csv"], store, scratch)
    assert (table.rows, table.source) == (800_000, "may.csv")
    assert not list(scratch.iterdir())


def test_an_object_that_is_cut_is_gone_on_with(bucket: Bucket, tmp_path: Path) -> None:
    bucket.cuts = 1
    assert _get("s3://shop/sales/may.csv", tmp_path) == DATA


@pytest.mark.parametrize(("url", "words"), [
    ("s3://shop/sales/june.csv", "There is no file at s3://shop/sales/june.csv."),
    ("s3://other/x.csv", "There is no bucket 'other' for s3://other/x.csv."),
    ("s3://shop/sales", "The address is that of a folder, not of a file."),
])
def test_what_is_not_there_is_named(url: str, words: str, bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as caught:
        _get(url, tmp_path)
    assert caught.value.message == words
    assert not list((tmp_path / "here").iterdir())


def test_who_is_not_known_hears_how_to_log_in(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SOMEBODY")
    with pytest.raises(ImportRefused, match="may not be read without logging in"):
        _get("s3://shop/sales/may.csv", tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(ImportRefused, match="may not be read without logging in") as caught:
        _get("s3://shop/sales/may.csv", tmp_path)
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    bucket.public.add("all/may.csv")
    assert _get("s3://shop/all/may.csv", tmp_path) == b"a\n1\n"   # which is everybody's


def test_a_store_that_cannot_be_reached_is_a_sentence(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3fs.core.S3FileSystem.retries", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(WorkFailed, match="Could not connect to the endpoint"):
        _get("s3://shop/sales/may.csv", tmp_path)
