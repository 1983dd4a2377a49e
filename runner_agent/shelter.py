"""Where a logout ends everything of the user, the agent is started in a scope of the user's own systemd.

A session of its own is enough against a hang-up, not against systemd-logind with KillUserProcesses=yes, which ends what
is left in the login's scope. A scope of the user's systemd lives on where the user lingers; where they do not, nothing
helps, and the plan that made this machine a runner said so. Untried against a real systemd.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_LINGER, _RUN = Path("/var/lib/systemd/linger"), Path("/run/user")
_SECONDS = 5.0  # for a question to systemd-logind


def sheltered(command: Sequence[str]) -> tuple[list[str], Mapping[str, str]] | None:
    """Return what starts ``command`` out of the login's reach, and its environment; None where need or means lack."""
    runtime = _RUN / str(os.getuid())
    if not (_lingers() and runtime.is_dir() and shutil.which("systemd-run") and _logout_kills()):
        return None
    line = ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--", "env", "-u", "XDG_RUNTIME_DIR", *command]
    return line, {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}


def _lingers() -> bool:
    try:
        return (_LINGER / pwd.getpwuid(os.getuid()).pw_name).exists()
    except (KeyError, OSError):
        return False


def _logout_kills() -> bool:
    try:
        said = subprocess.run(["loginctl", "show-session", "-p", "KillUserProcesses"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return "KillUserProcesses=yes" in said
