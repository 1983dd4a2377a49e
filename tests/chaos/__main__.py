"""Run the long fault loops: ``python -m tests.chaos [NAME...]``; ``RESULTS.md`` keeps what they found last."""

import sys
from pathlib import Path

from tests.each_module import run_each

LONG = {
    "kill_loop": ["--kills", "1000"], "fuzz_frames": ["--frames", "5000000"], "ssh_history": ["--faults", "1000"],
    "submit_storm": ["--jobs", "1000"], "upload_cuts": ["--cuts", "200"], "reconnect": ["--cuts", "51"],
    "ssh_cancel": ["--jobs", "40"], "unplugged": ["--times", "6"],
    "fuzz_imports": ["--cases", "20000"]}

if __name__ == "__main__":
    sys.exit(run_each(Path(__file__).parent, sys.argv[1:], LONG))
