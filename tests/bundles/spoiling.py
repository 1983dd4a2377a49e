"""Making bad bundles out of a good one, and asking that each is refused with its reason."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldesk.bundles import import_bundle, inspect, verify
from mldesk.bundles.signing import SigningKey
from mldesk.core import canonical
from mldesk.core.errors import BadBundle
from mldesk.wire.objects import ObjectStore
from tests.bundles.making import KEY

Parts = dict[str, bytes]


def refused(path: Path, reason: str) -> None:
    """Import refuses the bundle for ``reason`` and keeps nothing of it."""
    store = ObjectStore(path.parent / "store")
    with pytest.raises(BadBundle, match=reason) as caught:
        import_bundle(path, store)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    with pytest.raises(BadBundle, match=reason):
        verify(path)


def refused_at_sight(path: Path, reason: str) -> None:
    with pytest.raises(BadBundle, match=reason):
        inspect(path)
    refused(path, reason)


def resigned(parts: Parts, change: Callable[[dict[str, Any]], object] | None = None, key: SigningKey | None = KEY,
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


def zipped(path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path
