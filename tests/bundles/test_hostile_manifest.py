"""Manifests and signatures that are wrong, missing, of another bundle, or made to confuse a reader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mldesk.bundles import import_bundle, inspect
from mldesk.bundles.signing import SigningKey
from mldesk.core import canonical
from mldesk.core.errors import BadBundle
from mldesk.wire.objects import ObjectStore
from tests.bundles.making import KEY, packed
from tests.bundles.spoiling import Parts, refused, refused_at_sight, resigned


def test_a_missing_file_is_refused(parts: Parts, tmp_path: Path) -> None:
    del parts["expected.json"]
    refused_at_sight(packed(tmp_path / "bad.mlbundle", parts), r"lacks its expected\.json")


@pytest.mark.parametrize("name", ["model.json", "model.onnx", "preprocessing.json"])
def test_a_manifest_without_what_a_model_needs_is_refused(name: str, parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned({key: value for key, value in parts.items() if key != name})
    refused_at_sight(packed(tmp_path / "bad.mlbundle", spoilt), f"does not list {name}")


def test_a_file_that_the_manifest_does_not_list_is_refused(parts: Parts, tmp_path: Path) -> None:
    refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "more.txt": b"x"}), "does not list")


def test_a_file_of_another_size_than_listed_is_refused(parts: Parts, tmp_path: Path) -> None:
    parts["MODEL_CARD.md"] += b"\n"
    refused_at_sight(packed(tmp_path / "bad.mlbundle", parts), "its manifest says")


def test_a_file_with_another_content_than_listed_is_refused(parts: Parts, tmp_path: Path) -> None:
    parts["MODEL_CARD.md"] = bytes(reversed(parts["MODEL_CARD.md"]))
    path = packed(tmp_path / "bad.mlbundle", parts)
    assert inspect(path).signature["valid"]  # the digests are verify's business
    refused(path, "digest differs")


def test_a_file_that_changes_between_the_check_and_the_import_is_refused(
        bundle: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "swapped.mlbundle"
    path.write_bytes(bundle.read_bytes())
    store = ObjectStore(tmp_path / "store")
    parts["model.onnx"] = parts["model.onnx"][:-1] + bytes([parts["model.onnx"][-1] ^ 1])
    other = packed(tmp_path / "other", parts).read_bytes()
    monkeypatch.setattr("mldesk.bundles.importing._run_sample", lambda path: path.write_bytes(other))
    with pytest.raises(BadBundle, match=r"damaged|digest differs"):
        import_bundle(path, store)
    assert hashlib.sha256(parts["model.onnx"]).hexdigest() not in set(store.digests())


def test_a_newer_format_is_refused(parts: Parts, tmp_path: Path) -> None:
    spoilt = resigned(parts, lambda manifest: manifest.update(format=2, everything="else"))
    refused_at_sight(packed(tmp_path / "bad.mlbundle", spoilt), "format 2; this MLDesk reads format 1")
    spoilt = resigned(parts, lambda manifest: manifest.update(format=10**400))
    refused_at_sight(packed(tmp_path / "worse.mlbundle", spoilt), "format 100000000000; this MLDesk reads")


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
def test_a_manifest_that_is_none_is_refused(manifest: bytes, reason: str, parts: Parts, tmp_path: Path) -> None:
    refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "manifest.json": manifest}), reason)


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
def test_a_manifest_of_the_wrong_shape_is_refused(change: Callable, reason: str, parts: Parts, tmp_path: Path) -> None:
    refused(packed(tmp_path / "bad.mlbundle", resigned(parts, change)), reason)


def test_a_bad_signature_is_refused(parts: Parts, tmp_path: Path) -> None:
    signature = json.loads(parts["signature.json"])
    last = int(signature["signature"][-2:], 16) ^ 1
    signature["signature"] = f"{signature['signature'][:-2]}{last:02x}"
    path = packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": canonical.dumps(signature)})
    seen = inspect(path).signature
    assert not seen["valid"] and "not the one that was signed" in seen["problem"]
    refused(path, "signature is not valid")


def test_a_signature_over_another_manifest_is_refused(parts: Parts, tmp_path: Path) -> None:
    changed = resigned(parts, lambda manifest: manifest.update(name="better model"))
    path = packed(tmp_path / "bad.mlbundle", {**changed, "signature.json": parts["signature.json"]})
    assert not inspect(path).signature["valid"]
    refused(path, "the manifest is not the one that was signed")


def test_a_signature_by_another_key_than_the_manifest_names_is_refused(parts: Parts, tmp_path: Path) -> None:
    other = SigningKey.generate().sign(parts["manifest.json"])
    path = packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": canonical.dumps(other)})
    assert not inspect(path).signature["valid"]
    refused(path, "by another key")


def test_a_signature_that_was_taken_away_is_refused(parts: Parts, tmp_path: Path) -> None:
    del parts["signature.json"]
    path = packed(tmp_path / "bad.mlbundle", parts)
    assert inspect(path).signature["problem"] == "it was taken away"
    refused(path, "taken away")


def test_a_signature_nobody_is_named_for_is_refused(parts: Parts, tmp_path: Path) -> None:
    changed = resigned(parts, lambda manifest: manifest.update(signer=None))
    refused(packed(tmp_path / "bad.mlbundle", changed), "names no signer")


@pytest.mark.parametrize("signature", [
    {}, {"format": 1, "algorithm": "none"}, {"format": 1, "algorithm": "Ed25519"},
    {"format": 1, "algorithm": "Ed25519", "public_key": "zz", "signature": "zz"},
    {"format": 1, "algorithm": "Ed25519", "public_key": "00" * 31, "signature": "00" * 64},
    {"format": 1, "algorithm": "Ed25519", "public_key": KEY.public_key.hex(), "signature": "00" * 63},
    {"format": 1, "algorithm": "Ed25519", "public_key": KEY.public_key.hex(), "signature": ["x"]},
    {"format": 2, "algorithm": "Ed25519", "public_key": KEY.public_key.hex(), "signature": "00" * 64},
])
def test_a_signature_that_cannot_be_read_is_refused(signature: dict, parts: Parts, tmp_path: Path) -> None:
    path = packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": canonical.dumps(signature)})
    assert not inspect(path).signature["valid"]
    refused(path, "signature is not valid")


def test_a_signature_file_that_is_no_signature_at_all_is_refused(parts: Parts, tmp_path: Path) -> None:
    refused_at_sight(packed(tmp_path / "bad.mlbundle", {**parts, "signature.json": b"[]"}), "not a JSON object")
    large = {**parts, "signature.json": b"{}" + b" " * 20_000}
    refused_at_sight(packed(tmp_path / "big.mlbundle", large), "too large")
