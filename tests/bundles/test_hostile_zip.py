"""Hostile zips: what unpacks elsewhere, twice, without end, or is not what it seems. All seen by inspect."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mldesk.bundles import archive as form
from mldesk.core.errors import BadBundle
from tests.bundles.making import packed
from tests.bundles.spoiling import Parts, refused_at_sight, zipped


@pytest.mark.parametrize(("name", "reason"), [
    ("../../evil.json", "outside the bundle"),
    ("native/../../evil.json", "outside the bundle"),
    ("/etc/cron.d/evil.txt", "fixed place"),
    ("C:\\evil.txt", "fixed place"),
    ("native\\evil.txt", "backslash"),
    ("native/", "folder"),
    ("evil.pkl", "run code"),
    ("native/weights.pt", "run code"),
    ("native/model.joblib", "run code"),
    ("native/weights.BIN", "run code"),
    ("setup.py", "no bundle has such a file"),
    ("native/deep/model.txt", "no bundle has such a file"),
    ("other.onnx", "no bundle has such a file"),
    ("modèle.json", "no bundle has such a file"),
    ("a" * 200 + ".json", "no bundle has such a file"),
])
def test_a_file_that_has_no_place_in_a_bundle_is_refused(name: str, reason: str, parts: Parts, tmp_path: Path) -> None:
    refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, name: b"{}"}), reason)


def test_a_file_name_with_something_behind_a_null_character_is_refused(parts: Parts, tmp_path: Path) -> None:
    refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "card.md\0.exe": b""}), "null character")


def test_a_file_name_that_is_not_text_is_refused(bundle: Path, tmp_path: Path) -> None:
    data = bundle.read_bytes().replace(b"MODEL_CARD.md", b"MODEL_CARD\xff\xfe\xff")
    (tmp_path / "bad.mlbundle").write_bytes(data)
    refused_at_sight(tmp_path / "bad.mlbundle", "not text")


def _patched_entry(bundle: Path, name: bytes, change: Callable[[list], None]) -> bytes:
    """Change the central directory's record of a file."""
    data = bytearray(bundle.read_bytes())
    start = data.rindex(name) - form.CENTRAL.size
    fields = list(form.CENTRAL.unpack_from(data, start))
    change(fields)
    form.CENTRAL.pack_into(data, start, *fields)
    return bytes(data)


@pytest.mark.parametrize(("field", "value", "reason"), [
    (15, 0o120777 << 16, "a link to some other file"),
    (15, 0o010644 << 16, "not a plain file"),
    (15, 0o060644 << 16, "not a plain file"),
    (3, 0x0001, "encrypted"),
    (3, 0x0008, "packed in a way"),
    (4, 14, "packed in a way"),
    (8, 10, "two different things"),
    (9, 10, "two different things"),
    (7, 10, "two different things"),
    (16, 10, "hidden before, or overlapping"),
])
def test_a_directory_that_lies_is_refused(field: int, value: int, reason: str, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"
    path.write_bytes(_patched_entry(bundle, b"MODEL_CARD.md", lambda fields: fields.__setitem__(field, value)))
    refused_at_sight(path, reason)


def test_a_symbolic_link_as_other_programs_pack_it_is_refused(parts: Parts, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("MODEL_CARD.md")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    entries = [(name, data) for name, data in parts.items() if name != "MODEL_CARD.md"]
    refused_at_sight(zipped(tmp_path / "bad.mlbundle", [*entries, (link, b"/etc/passwd")]), "a link")


def test_two_files_of_one_name_are_refused(parts: Parts, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path / "bad.mlbundle", [*parts.items(), ("MODEL_CARD.md", b"another")])
    refused_at_sight(path, "two files named 'MODEL_CARD.md'")


def test_two_files_that_are_one_where_case_does_not_count_are_refused(parts: Parts, tmp_path: Path) -> None:
    refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "model_card.MD".replace("MD", "md"): b"x"}),
                      "one file on some systems")


def test_a_bomb_by_its_ratio_is_refused(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, "zeros.txt": bytes(30_000_000)}.items():
            archive.writestr(name, data)
    assert path.stat().st_size < 100_000
    refused_at_sight(path, "would grow from .* to 30000000 bytes")


def test_a_bomb_by_its_total_is_refused(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "bad.mlbundle", {**parts, **{f"n{index}.txt": b"x" * 1000 for index in range(9)}})
    monkeypatch.setattr(form, "MAX_TOTAL", 20_000)
    refused_at_sight(path, "would take .* bytes; 20000 are allowed")


def test_one_file_that_is_too_large_is_refused(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"

    def swell(fields: list) -> None:
        fields[8] = fields[9] = 3 << 30

    path.write_bytes(_patched_entry(bundle, b"MODEL_CARD.md", swell))
    refused_at_sight(path, "would take 3221225472 bytes")


def test_a_file_that_unpacks_to_more_than_it_says_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Both of the zip's records and the manifest tell the same lie; only unpacking finds it."""
    data = bytearray(bundle.read_bytes())
    name = b"MODEL_CARD.md"
    central, local = data.rindex(name) - form.CENTRAL.size, data.index(name) - form.LOCAL.size
    size = form.CENTRAL.unpack_from(data, central)[9]
    for start, record, place in ((central, form.CENTRAL, 9), (local, form.LOCAL, 8)):
        fields = list(record.unpack_from(data, start))
        fields[place] = size // 2
        record.pack_into(data, start, *fields)
    (tmp_path / "bad.mlbundle").write_bytes(data)
    with form.Archive(tmp_path / "bad.mlbundle") as archive, pytest.raises(BadBundle, match="larger than it says"):
        archive.read("MODEL_CARD.md")


def test_a_deflated_file_with_something_behind_its_end_is_refused(parts: Parts, tmp_path: Path) -> None:
    deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
    hidden = deflater.compress(b"seen") + deflater.flush() + b"hidden"
    path = tmp_path / "bad.mlbundle"
    name = b"a.txt"
    local = form.LOCAL.pack(form.LOCAL_MARK, 20, 0x800, 8, 0, 33, zlib.crc32(b"seen"), len(hidden), 4, len(name), 0)
    central = form.CENTRAL.pack(form.CENTRAL_MARK, 788, 20, 0x800, 8, 0, 33, zlib.crc32(b"seen"), len(hidden), 4,
                                len(name), 0, 0, 0, 0, 0, 0)
    body = local + name + hidden
    path.write_bytes(body + central + name + form.END.pack(
        form.END_MARK, 0, 0, 1, 1, len(central) + len(name), len(body), 0))
    with form.Archive(path) as archive, pytest.raises(BadBundle, match="damaged"):
        archive.read("a.txt")


def test_too_many_files_are_refused(parts: Parts, tmp_path: Path) -> None:
    many = {f"n{index}.txt": b"" for index in range(form.MAX_FILES)}
    refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, **many}), "too many files")


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda data: data[:-1], "cut off"),
    (lambda data: data[:len(data) // 2], "cut off"),
    (lambda data: data[:3], "not a bundle"),
    (lambda data: b"", "not a bundle"),
    (lambda data: b"MZ" + data, "not a bundle"),
    (lambda data: data + b"hidden", "cut off, or something was appended"),
    (lambda data: data[:-2] + b"\5\0hello", "cut off, or something was appended"),
    (lambda data: b"not a zip at all", "not a bundle"),
    (lambda data: data[:100] + b"hidden" + data[100:], "not where it says"),
    (lambda data: b"PK\5\6" + bytes(18), "not a bundle"),
    (lambda data: form.LOCAL_MARK + form.END.pack(form.END_MARK, 0, 0, 9999, 9999, 0, 0, 0), "too many files"),
    (lambda data: form.LOCAL_MARK + form.END.pack(form.END_MARK, 0, 0, 1, 1, 9, 0xFFFFFFFF, 0), "of a kind"),
])
def test_a_file_that_is_not_a_whole_bundle_is_refused(
        spoil: Callable[[bytes], bytes], reason: str, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"
    path.write_bytes(spoil(bundle.read_bytes()))
    refused_at_sight(path, reason)


def test_a_bundle_that_another_program_packed_again_is_refused(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "again.mlbundle"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    refused_at_sight(path, "packed in a way that MLDesk does not use|says two different things")
