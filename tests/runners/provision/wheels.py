"""Tiny wheels, made as they are needed: a training environment of a few lines."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

TRAINER = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n"
TORCH = '''"""Stands in for torch on a box: sees as many cards as it was built to."""
__version__ = "2.10.0"
class version:
    cuda = "13.0"
class cuda:
    def is_available(): return {cards} > 0
    def device_count(): return {cards}
    def init(): raise RuntimeError("Found no NVIDIA driver on your system.")
class _Sum:
    def sum(self): return self
    def cpu(self): return 512.0
class _Ones:
    def __matmul__(self, other): return _Sum()
def ones(*shape, device): return _Ones()
'''


def wheel(folder: Path, name: str, version: str = "1.0", files: Mapping[str, str] | None = None,
          tags: str = "py3-none-any", requires: tuple[str, ...] = ()) -> Path:
    """Write a wheel with a module of its name, or with ``files``."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    metadata = "".join(["Metadata-Version: 2.1\n", f"Name: {name}\n", f"Version: {version}\n",
                        *(f"Requires-Dist: {item}\n" for item in requires)])
    path = folder / f"{name}-{version}-{tags}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files or {f"{name}/__init__.py": f"VERSION = {version!r}\n"}).items():
            archive.writestr(zipfile.ZipInfo(file), text)  # made at no time: the same bytes again
        archive.writestr(zipfile.ZipInfo(f"{about}/METADATA"), metadata)
        archive.writestr(zipfile.ZipInfo(f"{about}/WHEEL"), f"Wheel-Version: 1.0\nTag: {tags}\n")
        archive.writestr(zipfile.ZipInfo(f"{about}/RECORD"), "")
    return path


def torch(folder: Path, cards: int) -> Path:
    """Write a wheel that says it is torch and sees so many cards."""
    return wheel(folder, "torch", "2.10.0", {"torch/__init__.py": TORCH.format(cards=cards)})
