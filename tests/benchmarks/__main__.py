"""Run the benchmarks one after another: ``python -m tests.benchmarks [NAME...]``.

Each is a module of its own that prints a table of ratios; ``RESULTS.md`` keeps the figures with date and machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def names() -> list[str]:
    """Return the benchmarks there are, by module name."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all; return 1 when one of them broke or has no such name."""
    unknown = set(chosen) - set(names())
    if unknown:
        print(f"No benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names())}", file=sys.stderr)
        return 1
    broken = []
    for name in chosen or names():
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode:
            broken.append(name)
    if broken:
        print("broke: " + ", ".join(broken), file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
