"""Run the modules of a folder one after another, as ``make bench`` and ``make chaos`` do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def names(folder: Path) -> list[str]:
    """Return the modules that can be run, by name."""
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def run_each(folder: Path, chosen: Sequence[str], options: dict[str, list[str]] | None = None) -> int:
    """Run the chosen modules of ``folder``, or all; return 1 when one of them broke or has no such name."""
    unknown = set(chosen) - set(names(folder))
    if unknown:
        print(f"There is no {', '.join(sorted(unknown))} here; there are: {', '.join(names(folder))}", file=sys.stderr)
        return 1
    broken = []
    for name in chosen or names(folder):
        command = [sys.executable, "-m", f"tests.{folder.name}.{name}", *(options or {}).get(name, [])]
        print(f"\n== {name}", flush=True)
        if subprocess.run(command, check=False).returncode:
            broken.append(name)
    if broken:
        print("broke: " + ", ".join(broken), file=sys.stderr)
    return 1 if broken else 0
