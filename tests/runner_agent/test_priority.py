"""A trainer that makes itself ready takes little beside a job, as the system shares its processor out by sessions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_GROUP = Path("/proc/self/autogroup")
_LOOK = """
import os
from pathlib import Path
from runner_agent.priority import be_polite, let_session_be_polite, restore_priority
def look():
    print(os.getpriority(os.PRIO_PROCESS, 0), Path("/proc/self/autogroup").read_text().split()[-1])
os.setpriority(os.PRIO_PROCESS, 0, 0)
look()
let_session_be_polite()
look()
be_polite()
let_session_be_polite()
look()
restore_priority(os.getpid())
look()
"""


@pytest.mark.skipif(not _GROUP.exists() or not _GROUP.read_text(), reason="sessions have no share of their own here")
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="others are heard ten times a second, all together")
def test_a_session_is_polite_with_its_process_and_has_its_share_back() -> None:
    said = subprocess.run([sys.executable, "-c", _LOOK], start_new_session=True, capture_output=True, text=True,
                          check=True, timeout=120)
    assert said.stdout.splitlines() == ["0 0", "0 0", "10 10", "0 0"]
