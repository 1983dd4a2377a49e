"""What is loaded when."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["mldesk.app", "mldesk.runners", "mldesk.runners.ssh.known_hosts",
                                    "mldesk.runners.ssh.config", "mldesk.runners.ssh.errors"])
def test_paramiko_and_rpyc_wait_for_a_first_connection(module: str) -> None:
    code = f"import sys, {module}; sys.exit(bool({{'paramiko', 'rpyc'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_far_ends_bridge_does_not_wait_for_rpyc() -> None:
    code = "import sys, runner_agent.bridge, runner_agent.bulk; sys.exit('rpyc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
