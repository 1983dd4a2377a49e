"""Taking a bundle in: every byte is checked, and the model has to predict its own sample as it did when it left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.bundles.archive import Archive
from mldesk.bundles.reading import BundleReport, checked, verified

if TYPE_CHECKING:
    from mldesk.wire.objects import ObjectStore


def verify(path: Path, known: Mapping[str, str] | None = None, *, deep: bool = False) -> BundleReport:
    """Check every byte of a bundle. ``deep`` also runs the model on its own sample.

    Raises NotFound; BadBundle with the reason; OSError.
    """
    with Archive(path) as archive:
        report, _ = verified(archive, known)
    if deep:
        _run_sample(path)
    return report


def import_bundle(path: Path, store: ObjectStore) -> tuple[str, dict[str, Any]]:
    """Verify a bundle deeply and keep its files in ``store``.

    Returns the digest of the model's manifest there, and the bundle manifest's facts with the verdict on the
    signature as "signature". Raises NotFound, BadBundle, DiskFull, with nothing kept that a name could reach.
    """
    with Archive(path) as archive:
        report, manifest = verified(archive, None)
        _run_sample(path)
        # Read a second time, and checked again while it is stored: somebody may write into the file meanwhile.
        kept = {file.path: store.put_stream(checked(archive, file)) for file in manifest.files}
        digest = store.put_manifest(kept)
    return digest, {**report.manifest, "signature": dict(report.signature)}


def _run_sample(path: Path) -> None:
    from mldesk.bundles.predictor import Predictor  # onnxruntime and numpy load with it

    Predictor.open(path).self_test()
