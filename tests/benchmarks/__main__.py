"""Run the benchmarks: ``python -m tests.benchmarks [NAME...]``.

Each is a module of its own that prints a table of ratios; ``RESULTS.md`` keeps the figures with date and machine.
"""

import sys
from pathlib import Path

from tests.each_module import run_each

if __name__ == "__main__":
    sys.exit(run_each(Path(__file__).parent, sys.argv[1:]))
