"""A driver's library of two cards that are not there, made by the C compiler: structures are laid out as C does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fake_nvml.c")


def make_driver(folder: Path, *options: str) -> Path:
    """Build libnvidia-ml.so.1 in a folder; skips the test where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", *options, "-o", library, SOURCE], check=True)
    return library
