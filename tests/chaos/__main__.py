"""Run the long fault loops: ``python -m tests.chaos [NAME...]``; ``RESULTS.md`` keeps what they found last."""

import sys
from pathlib import Path

from tests.each_module import run_each

LONG = {"kill_loop": ["--kills", "1000"], "fuzz_frames": ["--frames", "5000000"]}

if __name__ == "__main__":
    sys.exit(run_each(Path(__file__).parent, sys.argv[1:], LONG))
