"""Bundles made to harm, each refused with its reason, by inspect where it can be seen there, and by import always."""

from __future__ import annotations

import hashlib
import io
import json
import pickle  # noqa: TID251 - to build what must be refused
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from mldesk.bundles import archive as form
from mldesk.bundles import import_bundle, inspect, verify
from mldesk.bundles.signing import SigningKey
from mldesk.core import canonical
from mldesk.core.errors import BadBundle
from mldesk.wire.objects import ObjectStore
from tests.bundles.making import KEY, packed, parts_of

Parts = dict[str, bytes]


def _refused(path: Path, reason: str) -> None:
    """Import refuses the bundle for ``reason`` and keeps nothing of it."""
    store = ObjectStore(path.parent / "store")
    with pytest.raises(BadBundle, match=reason) as caught:
        import_bundle(path, store)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    with pytest.raises(BadBundle, match=reason):
        verify(path)


def _refused_at_sight(path: Path, reason: str) -> None:
    with pytest.raises(BadBundle, match=reason):
        inspect(path)
    _refused(path, reason)


def _resigned(parts: Parts, change: Callable[[dict[str, Any]], object] | None = None, key: SigningKey | None = KEY,
              **files: bytes | None) -> Parts:
    """Return the files with some replaced (or dropped, for None), the manifest made to fit and signed again."""
    files = {name.replace("__", "/").replace("_DOT_", "."): data for name, data in files.items()}
    parts = {name: data for name, data in {**parts, **files}.items() if data is not None}
    manifest = json.loads(parts["manifest.json"])
    manifest["files"] = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(parts.items()) if name not in ("manifest.json", "signature.json")]
    if change is not None:
        change(manifest)
    data = canonical.dumps(manifest)
    rest = {name: content for name, content in parts.items() if name not in ("manifest.json", "signature.json")}
    signature = {"signature.json": canonical.dumps(key.sign(data))} if key else {}
    return {"manifest.json": data, **signature, **rest}


def _zip(path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


@pytest.fixture
def parts(bundle: Path) -> Parts:
    return parts_of(bundle)


# --- the zip

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
def test_a_file_that_has_no_place_in_a_bundle(name: str, reason: str, parts: Parts, tmp_path: Path) -> None:
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, name: b"{}"}), reason)


def test_a_file_name_with_something_behind_a_null_character(parts: Parts, tmp_path: Path) -> None:
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "card.md\0.exe": b""}), "null character")


def test_a_file_name_that_is_not_text(bundle: Path, tmp_path: Path) -> None:
    data = bundle.read_bytes().replace(b"MODEL_CARD.md", b"MODEL_CARD\xff\xfe\xff")
    (tmp_path / "bad.mlbundle").write_bytes(data)
    _refused_at_sight(tmp_path / "bad.mlbundle", "not text")


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
def test_a_directory_that_lies(field: int, value: int, reason: str, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"
    path.write_bytes(_patched_entry(bundle, b"MODEL_CARD.md", lambda fields: fields.__setitem__(field, value)))
    _refused_at_sight(path, reason)


def test_a_symbolic_link_as_other_programs_pack_it(parts: Parts, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("MODEL_CARD.md")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    entries = [(name, data) for name, data in parts.items() if name != "MODEL_CARD.md"]
    _refused_at_sight(_zip(tmp_path / "bad.mlbundle", [*entries, (link, b"/etc/passwd")]), "a link")


def test_two_files_of_one_name(parts: Parts, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = _zip(tmp_path / "bad.mlbundle", [*parts.items(), ("MODEL_CARD.md", b"another")])
    _refused_at_sight(path, "two files named 'MODEL_CARD.md'")


def test_two_files_that_are_one_where_case_does_not_count(parts: Parts, tmp_path: Path) -> None:
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "model_card.MD".replace("MD", "md"): b"x"}),
                      "one file on some systems")


def test_a_bomb_by_its_ratio(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, "zeros.txt": bytes(30_000_000)}.items():
            archive.writestr(name, data)
    assert path.stat().st_size < 100_000
    _refused_at_sight(path, "would grow from .* to 30000000 bytes")


def test_a_bomb_by_its_total(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "bad.mlbundle", {**parts, **{f"n{index}.txt": b"x" * 1000 for index in range(9)}})
    monkeypatch.setattr(form, "MAX_TOTAL", 20_000)
    _refused_at_sight(path, "would take .* bytes; 20000 are allowed")


def test_one_file_that_is_too_large(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"

    def swell(fields: list) -> None:
        fields[8] = fields[9] = 3 << 30

    path.write_bytes(_patched_entry(bundle, b"MODEL_CARD.md", swell))
    _refused_at_sight(path, "would take 3221225472 bytes")


def test_a_file_that_unpacks_to_more_than_it_says(bundle: Path, tmp_path: Path) -> None:
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


def test_a_deflated_file_with_something_behind_its_end(parts: Parts, tmp_path: Path) -> None:
    import zlib

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


def test_too_many_files(parts: Parts, tmp_path: Path) -> None:
    many = {f"n{index}.txt": b"" for index in range(form.MAX_FILES)}
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, **many}), "too many files")


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
def test_a_file_that_is_not_a_whole_bundle(
        spoil: Callable[[bytes], bytes], reason: str, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.mlbundle"
    path.write_bytes(spoil(bundle.read_bytes()))
    _refused_at_sight(path, reason)


def test_a_bundle_that_another_program_packed_again(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "again.mlbundle"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    _refused_at_sight(path, "packed in a way that MLDesk does not use|says two different things")


# --- the manifest and the signature

def test_a_missing_file(parts: Parts, tmp_path: Path) -> None:
    del parts["expected.json"]
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", parts), r"lacks its expected\.json")


@pytest.mark.parametrize("name", ["model.json", "model.onnx", "preprocessing.json"])
def test_a_manifest_without_what_a_model_needs(name: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned({key: value for key, value in parts.items() if key != name})
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", spoilt), f"does not list {name}")


def test_a_file_that_the_manifest_does_not_list(parts: Parts, tmp_path: Path) -> None:
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "more.txt": b"x"}), "does not list")


def test_a_file_of_another_size_than_listed(parts: Parts, tmp_path: Path) -> None:
    parts["MODEL_CARD.md"] += b"\n"
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", parts), "its manifest says")


def test_a_file_with_another_content_than_listed(parts: Parts, tmp_path: Path) -> None:
    parts["MODEL_CARD.md"] = bytes(reversed(parts["MODEL_CARD.md"]))
    path = packed(tmp_path / "bad.mlbundle", parts)
    assert inspect(path).signature["valid"]  # the digests are verify's business
    _refused(path, "digest differs")


def test_a_file_that_changes_between_the_check_and_the_import(
        bundle: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "swapped.mlbundle"
    path.write_bytes(bundle.read_bytes())
    store = ObjectStore(tmp_path / "store")
    parts["model.onnx"] = parts["model.onnx"][:-1] + bytes([parts["model.onnx"][-1] ^ 1])
    other = packed(tmp_path / "other", parts).read_bytes()
    monkeypatch.setattr("mldesk.bundles.reading._run_sample", lambda path: path.write_bytes(other))
    with pytest.raises(BadBundle, match=r"damaged|digest differs"):
        import_bundle(path, store)
    assert hashlib.sha256(parts["model.onnx"]).hexdigest() not in set(store.digests())


def test_a_newer_format(parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned(parts, lambda manifest: manifest.update(format=2, everything="else"))
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", spoilt), "format 2; this MLDesk reads format 1")


@pytest.mark.parametrize(("manifest", "reason"), [
    (b"", "not JSON"),
    (b"\xff\xfe{}", "not JSON"),
    (b"{'format': 1}", "not JSON"),
    (b'{"format": NaN}', "not JSON"),
    (b"[1]", "not a JSON object"),
    (b"[" * 100_000 + b"]" * 100_000, "nested too deep|not JSON"),
    (b'{"a":' * 60 + b"1" + b"}" * 60, "nested too deep"),
    (b'{"format":1' + b" " * (17 << 20) + b"}", "too large"),
    (b"{}", "no known format"),
    (b'{"format":true}', "no known format"),
    (b'{"format":"1"}', "no known format"),
    (b'{"format": 1}', "one way it must be"),
    (b'{"format":1,"format":1}', "one way it must be"),
    (b'{"format":1,"x":1e999}', "one way it must be"),
    (b'{"format":1,"x":"\\ud800"}', "one way it must be"),
    (b'{"format":1}', "no proper 'name'"),
    (b'{"format":1,"x":' + b"9" * 5000 + b"}", "not JSON"),
])
def test_a_manifest_that_is_none(manifest: bytes, reason: str, parts: Parts, tmp_path: Path) -> None:
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "manifest.json": manifest}), reason)


@pytest.mark.parametrize(("change", "reason"), [
    (lambda m: m.update(name="two\nlines"), "no proper 'name'"),
    (lambda m: m.update(name="x" * 2000), "no proper 'name'"),
    (lambda m: m.update(name=7), "no proper 'name'"),
    (lambda m: m.update(version="3"), "no proper 'version'"),
    (lambda m: m.update(version=True), "no proper 'version'"),
    (lambda m: m.update(metrics=[]), "no proper 'metrics'"),
    (lambda m: m.pop("files"), "no proper 'files'"),
    (lambda m: m.update(input=["age"]), "without name or type"),
    (lambda m: m.update(signer={"name": "x"}), "signer without a key"),
    (lambda m: m["files"].append("x"), "without its name, size or digest"),
    (lambda m: m["files"][0].update(size=-1), "without a proper size or digest"),
    (lambda m: m["files"][0].update(sha256="xyz"), "without a proper size or digest"),
    (lambda m: m["files"][0].update(path="../x.json"), "outside the bundle"),
    (lambda m: m["files"].append(m["files"][0]), "two files named"),
    (lambda m: m["files"].reverse(), "in order"),
    (lambda m: m.update(task="tabular_regression"), "do not agree about the model's task"),
    (lambda m: m.update(classes=["yes", "no"]), "do not agree about the model's classes"),
])
def test_a_manifest_of_the_wrong_shape(change: Callable, reason: str, parts: Parts, tmp_path: Path) -> None:
    _refused(packed(tmp_path / "bad.mlbundle", _resigned(parts, change)), reason)


def test_a_bad_signature(parts: Parts, tmp_path: Path) -> None:
    signature = json.loads(parts["signature.json"])
    signature["signature"] = signature["signature"][:-2] + "00"
    path = packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": canonical.dumps(signature)})
    seen = inspect(path).signature
    assert not seen["valid"] and "not the one that was signed" in seen["problem"]
    _refused(path, "signature is not valid")


def test_a_signature_over_another_manifest(parts: Parts, tmp_path: Path) -> None:
    changed = _resigned(parts, lambda manifest: manifest.update(name="better model"))
    path = packed(tmp_path / "bad.mlbundle", {**changed, "signature.json": parts["signature.json"]})
    assert not inspect(path).signature["valid"]
    _refused(path, "the manifest is not the one that was signed")


def test_a_signature_by_another_key_than_the_manifest_names(parts: Parts, tmp_path: Path) -> None:
    other = SigningKey.generate().sign(parts["manifest.json"])
    path = packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": canonical.dumps(other)})
    assert not inspect(path).signature["valid"]
    _refused(path, "by another key")


def test_a_signature_that_was_taken_away(parts: Parts, tmp_path: Path) -> None:
    del parts["signature.json"]
    path = packed(tmp_path / "bad.mlbundle", parts)
    assert inspect(path).signature["problem"] == "it was taken away"
    _refused(path, "taken away")


def test_a_signature_nobody_is_named_for(parts: Parts, tmp_path: Path) -> None:
    changed = _resigned(parts, lambda manifest: manifest.update(signer=None))
    _refused(packed(tmp_path / "bad.mlbundle", changed), "names no signer")


@pytest.mark.parametrize("signature", [
    {}, {"format": 1, "algorithm": "none"}, {"format": 1, "algorithm": "Ed25519"},
    {"format": 1, "algorithm": "Ed25519", "public_key": "zz", "signature": "zz"},
    {"format": 1, "algorithm": "Ed25519", "public_key": "00" * 31, "signature": "00" * 64},
    {"format": 1, "algorithm": "Ed25519", "public_key": KEY.public_key.hex(), "signature": "00" * 63},
    {"format": 1, "algorithm": "Ed25519", "public_key": KEY.public_key.hex(), "signature": ["x"]},
    {"format": 2, "algorithm": "Ed25519", "public_key": KEY.public_key.hex(), "signature": "00" * 64},
])
def test_a_signature_that_cannot_be_read(signature: dict, parts: Parts, tmp_path: Path) -> None:
    path = packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": canonical.dumps(signature)})
    assert not inspect(path).signature["valid"]
    _refused(path, "signature is not valid")


def test_a_signature_file_that_is_no_signature_at_all(parts: Parts, tmp_path: Path) -> None:
    _refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": b"[]"}), "not a JSON object")
    large = {**parts, "signature.json": b"{}" + b" " * 20_000}
    _refused_at_sight(packed(tmp_path / "big.mlbundle", large), "too large")


# --- the files

class _Evil:
    def __reduce__(self) -> tuple:
        return print, ("opened",)


def _npy(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def _skops(parts: Parts, change: Callable[[dict[str, Any]], object] | None = None, **more: bytes) -> bytes:
    """Return the bundle's skops file with its schema changed and files added."""
    with zipfile.ZipFile(io.BytesIO(parts["native/model.skops"])) as archive:
        inner = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(inner["schema.json"])
    if change is not None:
        change(schema)
    inner |= {"schema.json": json.dumps(schema).encode()} | {
        name.replace("_DOT_", ".").lstrip("_"): data for name, data in more.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in inner.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("name", ["native__model_DOT_txt", "native__config_DOT_json", "native__model_DOT_skops",
                                  "native__weights_DOT_safetensors", "notes_DOT_md", "model_DOT_onnx"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_under_a_harmless_name(name: str, protocol: int, parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned(parts, **{name: pickle.dumps(_Evil(), protocol)})
    _refused(packed(tmp_path / "bad.mlbundle", spoilt), "is a Python pickle")


@pytest.mark.parametrize("name", ["native__config_DOT_json", "native__model_DOT_skops",
                                  "native__weights_DOT_safetensors", "model_DOT_onnx"])
def test_an_old_pickle_is_not_what_its_name_says(name: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned(parts, **{name: pickle.dumps(_Evil(), 0)})
    _refused(packed(tmp_path / "bad.mlbundle", spoilt), "not JSON|not a skops|not a safetensors|not an ONNX")


def test_a_skops_file_with_a_type_off_the_list(parts: Parts, tmp_path: Path) -> None:
    for number, (node, reason) in enumerate([
            ({"__class__": "system", "__module__": "posix", "__loader__": "FunctionNode"}, "FunctionNode"),
            ({"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode"}, "subprocess.Popen"),
            ({"__class__": "partial", "__module__": "functools", "__loader__": "PartialNode"}, "PartialNode"),
            ({"__class__": "str", "__module__": "builtins", "__loader__": "MethodNode"}, "MethodNode")]):
        data = _skops(parts, lambda schema, node=node: schema["content"]["content"].update(evil=node))
        path = packed(tmp_path / f"bad{number}.mlbundle", _resigned(parts, native__model_DOT_skops=data))
        _refused(path, reason)


def test_a_skops_file_with_pickled_objects_or_strangers_inside(parts: Parts, tmp_path: Path) -> None:
    objects = _npy(np.array([_Evil()], object), allow_pickle=True)
    records = _npy(np.array([(1, None)], [("a", int), ("b", object)]), allow_pickle=True)
    for number, (more, reason) in enumerate([
            ({"_9_DOT_npy": objects}, "array of Python objects"), ({"_9_DOT_npy": records}, "array of Python objects"),
            ({"_9_DOT_npy": b"\x93NUMPY\1\0\xff\xff" + b" " * 9999}, "array of Python objects"),
            ({"_9_DOT_npy": pickle.dumps(1)}, "not an array"), ({"evil_DOT_py": b""}, "no part of a skops file"),
            ({"_9_DOT_bin": b""}, "no part of a skops file")]):
        path = packed(tmp_path / f"bad{number}.mlbundle", _resigned(
            parts, native__model_DOT_skops=_skops(parts, None, **more)))
        _refused(path, reason)


def test_a_skops_file_that_is_a_bomb(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.bundles.contents._MAX_UNPACKED", 1000)
    _refused(packed(tmp_path / "bad.mlbundle", parts), "too much memory")


@pytest.mark.parametrize("data", [b"", b"PK\3\4", struct.pack("<Q", 1 << 60) + b"{}", struct.pack("<Q", 2) + b"[]",
                                  struct.pack("<Q", 9) + b"{}"])
def test_safetensors_that_are_none(data: bytes, parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned(parts, native__weights_DOT_safetensors=data)
    _refused(packed(tmp_path / "bad.mlbundle", spoilt), "not a safetensors file")


@pytest.mark.parametrize(("name", "data", "reason"), [
    ("notes_DOT_md", b"\xff\xfe", "not text"), ("native__model_DOT_txt", b"tree\0", "not text"),
    ("metrics_DOT_json", b"{" * 500, "not JSON"), ("metrics_DOT_json", b"[" * 50 + b"]" * 50, "nested too deep"),
    ("model_DOT_json", b"[]", "not a JSON object"),
])
def test_files_that_are_not_what_their_names_say(
        name: str, data: bytes, reason: str, parts: Parts, tmp_path: Path) -> None:
    _refused(packed(tmp_path / "bad.mlbundle", _resigned(parts, **{name: data})), reason)


# --- the graph

def _graph(parts: Parts, change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = onnx.load_from_string(parts["model.onnx"])
    change(model)
    return model.SerializeToString()


def _external(model: onnx.ModelProto, location: str = "../../etc/passwd") -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def _node(operator: str, domain: str = "", **attributes: Any) -> onnx.NodeProto:
    return onnx.helper.make_node(operator, ["raw"], ["more"], domain=domain, **attributes)


@pytest.mark.parametrize(("change", "reason"), [
    (_external, "data outside the file"),
    (lambda m: _external(m, "*/_ORT_MEM_ADDR_/*"), "data outside the file"),
    (lambda m: setattr(m.graph.initializer[0], "data_location", 1), "data outside the file"),
    (lambda m: m.graph.initializer[0].external_data.add(key="location", value="x"), "data outside the file"),
    (lambda m: m.graph.node.append(_node("Constant", value=onnx.TensorProto(data_location=1))), "data outside"),
    (lambda m: m.graph.node.append(_node("Evil", "com.evil")), "'Evil' of 'com.evil', which is not part of ONNX"),
    (lambda m: m.graph.node.append(_node("Inverse", "com.microsoft")), "not part of ONNX"),
    (lambda m: m.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1)), "asks for operators of"),
    (lambda m: m.graph.node.append(_node("Loop")), "'Loop', which bundles may not use"),
    (lambda m: m.graph.node.append(_node("StringNormalizer")), "which bundles may not use"),
    (lambda m: m.graph.node.append(_node("ConstantOfShape")), "which bundles may not use"),
    (lambda m: m.graph.node.append(_node("If", then_branch=onnx.GraphProto())), "a graph within an operator"),
    (lambda m: m.graph.sparse_initializer.add(), "sparse tensors"),
    (lambda m: m.functions.add(name="f"), "functions of its own"),
    (lambda m: m.training_info.add(), "training information"),
    (lambda m: m.ClearField("graph"), "not an ONNX model"),
])
def test_a_graph_that_reaches_for_more_than_arithmetic(
        change: Callable, reason: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned(parts, model_DOT_onnx=_graph(parts, change))
    _refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)


def _import_refused(path: Path, reason: str) -> None:
    """For what only trying shows: every file is what it says, but they make no model."""
    verify(path)
    with pytest.raises(BadBundle, match=reason) as caught:
        import_bundle(path, ObjectStore(path.parent / "store"))
    assert "\n" not in str(caught.value)
    assert list(ObjectStore(path.parent / "store").digests()) == []


@pytest.mark.parametrize(("change", "reason"), [
    (lambda m: setattr(m.graph.input[0], "name", "other"), "cannot be opened|does not take"),
    (lambda m: m.graph.node.pop(), "cannot be opened"),
    (lambda m: m.graph.initializer.pop(), "cannot be opened"),
    (lambda m: setattr(m, "ir_version", 999), "cannot be opened"),
    (lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 3), "cannot be|numbers a row"),
])
def test_a_graph_that_does_not_work(change: Callable, reason: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned(parts, model_DOT_onnx=_graph(parts, change))
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)


def test_a_model_that_does_not_give_the_predictions_it_claims(parts: Parts, tmp_path: Path) -> None:
    expected = json.loads(parts["expected.json"])
    expected["probability_<=50K"][0] += 0.01
    spoilt = _resigned(parts, expected_DOT_json=canonical.dumps(expected))
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), "does not give the predictions")


@pytest.mark.parametrize(("name", "value", "reason"), [
    ("expected_DOT_json", {}, "cannot predict its own sample"),
    ("expected_DOT_json", {"prediction": ["<=50K"]}, "cannot predict its own sample"),
    ("sample_input_DOT_json", [], "cannot predict its own sample"),
    ("sample_input_DOT_json", {"a": 1}, "cannot predict its own sample"),
    ("sample_input_DOT_json", [{"age": "old"}], "cannot predict its own sample"),
    ("preprocessing_DOT_json", {"format": 9}, "preprocessing.json cannot be used"),
    ("preprocessing_DOT_json", {"format": 1, "style": "dense", "left_out": {}, "columns": [{"name": 1}]}, "cannot be"),
])
def test_parts_that_do_not_make_a_model(
        name: str, value: object, reason: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = _resigned(parts, **{name: canonical.dumps(value)})
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)


@pytest.mark.parametrize(("change", "reason"), [
    ({"format": 2}, "which this MLDesk does not know"),
    ({"task": "tabular_sorcery"}, "which this MLDesk does not know"),
    ({"classes": [1, 2, 3]}, "does not describe a model"),
    ({"classes": [["a"], ["b"]]}, "does not describe a model"),
    ({"outputs": [{"name": "prediction"}]}, "does not describe a model"),
    ({"outputs": 7}, "does not describe a model"),
])
def test_a_model_description_that_is_none(change: dict, reason: str, parts: Parts, tmp_path: Path) -> None:
    model = json.loads(parts["model.json"]) | change
    told = {key: value for key, value in change.items() if key in ("task", "classes")}
    spoilt = _resigned(parts, lambda manifest: manifest.update(told), model_DOT_json=canonical.dumps(model))
    _import_refused(packed(tmp_path / "bad.mlbundle", spoilt), reason)
