"""Opening a bundle without trusting it: inspect (the directory and the manifest), and read every byte.

What makes a bundle good: the zip is of our dialect and holds exactly the files its manifest lists; every size and
digest is right; every file is what its name says; and a signature, where the manifest names a signer, is valid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.bundles import recipe
from mldesk.bundles.archive import Archive
from mldesk.bundles.contents import check_content
from mldesk.bundles.contract import RowContract
from mldesk.bundles.documents import MAX_DOCUMENT, parse_object
from mldesk.bundles.manifest import MAX_MANIFEST, BundledFile, BundleManifest
from mldesk.bundles.names import CONTRACT, MANIFEST, MODEL, RECIPE, SIGNATURE, NotInIt
from mldesk.bundles.signing import signature_fault
from mldesk.core.errors import BadBundle
from mldesk.data.recipes.new_rows import Recipe

_MAX_SIGNATURE = 16 << 10  # bytes
# What the manifest says about a model must be what the model's own file says.
_SAME = ("task", "target", "classes", "estimator")


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What a bundle says about itself. Everything in ``manifest`` is the exporter's word: show it as plain text.

    signature: {"valid": bool, "by": name of a known signer, else the key's fingerprint, None if unsigned,
    "known": bool, "fingerprint", "claims": the name the signer goes by, "problem": why it is not valid}
    """

    manifest: Mapping[str, Any]
    signature: Mapping[str, Any]
    files: list[dict[str, Any]]    # {"path", "size" in bytes, "sha256"}
    contract: RowContract | None = None  # what rows to predict are held to
    recipes: tuple[Recipe, ...] = ()     # how the model's table was cleaned, the oldest first

    def to_json(self) -> dict[str, Any]:
        """Return the shape that ``models inspect --json`` prints: the manifest, with the signature's verdict."""
        held = {} if self.contract is None else {"contract": {
            "dataset": self.contract.dataset, "number": self.contract.number, **self.contract.contract.to_json()}}
        cleaned = {"recipe": [{"dataset": recipe.label, "steps": [dict(step) for step in recipe.steps]}
                              for recipe in self.recipes]} if self.recipes else {}
        return {**self.manifest, **held, **cleaned, "signature": dict(self.signature), "files": self.files}


def inspect(path: Path, known: Mapping[str, str] | None = None) -> BundleReport:
    """Say what a bundle holds. Reads its directory, manifest, signature, contract and recipe, no more.

    ``known`` gives names to the fingerprints of signers the user knows. A signature that is not valid is reported,
    not raised. Raises NotFound; BadBundle with the reason for a file that cannot be a bundle; OSError.
    """
    with Archive(path) as archive:
        manifest, signature = _opened(archive, known)
        return _report(archive, manifest, signature)


def verified_reader(path: Path) -> Callable[[str], bytes]:
    """Verify a bundle; return what reads its files by name later, each held to its digest again.

    Keeps no file open. Raises NotFound; BadBundle with the reason; OSError. So does the reader.
    """
    with Archive(path) as archive:
        _, manifest = verified(archive, None)
    files = {file.path: file for file in manifest.files}

    def read(name: str) -> bytes:
        if name not in files:
            raise NotInIt(f"This bundle lacks its {name}.", hint="It is not complete; get it again.")
        with Archive(path) as archive:
            return b"".join(checked(archive, files[name]))

    return read


def _opened(archive: Archive, known: Mapping[str, str] | None) -> tuple[BundleManifest, dict[str, Any]]:
    """Read the manifest, hold it against the directory, and judge the signature."""
    data = archive.read(MANIFEST, MAX_MANIFEST)
    manifest = BundleManifest.from_bytes(data)
    listed = {file.path: file for file in manifest.files}
    for name, member in archive.members.items():
        if name in (MANIFEST, SIGNATURE):
            continue
        if name not in listed:
            raise BadBundle(f"This bundle holds {name!r:.120}, which its manifest does not list.",
                            hint="Something was added after it was exported. Do not use it.")
        if member.size != listed[name].size:
            raise BadBundle(f"This bundle's {name} has {member.size} bytes; its manifest says {listed[name].size}.",
                            hint="It was changed after it was exported; get the original file.")
    absent = [name for name in listed if name not in archive.members]
    if absent:
        raise BadBundle(f"This bundle lacks its {absent[0]}.", hint="It is not complete; get it again.")
    return manifest, _signature(archive, manifest, data, known or {})


def _signature(archive: Archive, manifest: BundleManifest, data: bytes, known: Mapping[str, str]) -> dict[str, Any]:
    signer = manifest.signer
    if signer is None:
        problem = "the manifest names no signer for it" if SIGNATURE in archive.members else ""
        return {"valid": False, "by": None, "known": False, "fingerprint": None, "claims": None, "problem": problem}
    fingerprint = str(signer["fingerprint"])
    if SIGNATURE not in archive.members:
        problem = "it was taken away"
    else:
        value = parse_object(archive.read(SIGNATURE, _MAX_SIGNATURE), SIGNATURE)
        problem = signature_fault(value, data, fingerprint)
    trusted = not problem and fingerprint in known
    return {"valid": not problem, "by": known[fingerprint] if trusted else fingerprint, "known": trusted,
            "fingerprint": fingerprint, "claims": str(signer["name"]), "problem": problem}


def verified(archive: Archive, known: Mapping[str, str] | None) -> tuple[BundleReport, BundleManifest]:
    """Check every byte of an opened bundle. Raises BadBundle with the reason."""
    manifest, signature = _opened(archive, known)
    if signature["problem"]:
        raise BadBundle(f"This bundle's signature is not valid: {signature['problem']}.",
                        hint="Do not use it. Ask whoever sent it to export the model again.")
    for file in manifest.files:
        data = b"".join(checked(archive, file))
        check_content(file.path, data)
        if file.path == MODEL:
            _check_model(parse_object(data, MODEL), manifest)
    return _report(archive, manifest, signature), manifest


def checked(archive: Archive, file: BundledFile) -> Iterator[bytes]:
    """Give a file's bytes. Raises BadBundle at the end if they are not those the manifest promises."""
    whole = hashlib.sha256()
    member = archive.members.get(file.path)
    for piece in archive.pieces(member) if member else ():
        whole.update(piece)
        yield piece
    if whole.hexdigest() != file.sha256:
        raise BadBundle(f"This bundle's {file.path} is not the file its manifest describes (its digest differs).",
                        hint="It was changed after it was exported; get the original file.")


def _check_model(model: Mapping[str, Any], manifest: BundleManifest) -> None:
    for key in _SAME:
        if model.get(key) != manifest.facts.get(key):
            raise BadBundle(f"This bundle's manifest and its {MODEL} do not agree about the model's {key}.")


def _report(archive: Archive, manifest: BundleManifest, signature: dict[str, Any]) -> BundleReport:
    held, cleaned = (_document(archive, manifest, name) for name in (CONTRACT, RECIPE))
    return BundleReport(manifest.facts, signature, [item.to_json() for item in manifest.files],
                        None if held is None else RowContract.from_bytes(held),
                        () if cleaned is None else recipe.from_bytes(cleaned))


def _document(archive: Archive, manifest: BundleManifest, name: str) -> bytes | None:
    file = next((file for file in manifest.files if file.path == name), None)
    return None if file is None or file.size > MAX_DOCUMENT else b"".join(checked(archive, file))
