"""Starting the agent when the box does, as far as its user may arrange that: no root, no rc file.

Jobs do not need it to survive anything but a reboot; after one, the agent that starts finds them and goes on.
"""

from __future__ import annotations

from enum import Enum

from mldesk.core.errors import WorkFailed
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.probe import HostFacts

UNIT = "mldesk-runner.service"
_MARK = "# mldesk-runner"   # ends our line of the crontab
_SECONDS = 30.0
_SYSTEMCTL = '[ -n "$XDG_RUNTIME_DIR" ] || { XDG_RUNTIME_DIR="/run/user/$(id -u)"; export XDG_RUNTIME_DIR; }'
_FOLDER = "$HOME/.config/systemd/user"
# Folders that are made on the way are noted, so that an uninstallation takes them away again.
_NOTE = """for folder in .config .config/systemd .config/systemd/user; do
    [ -d "$HOME/$folder" ] || [ ! -d "$HOME/.mldesk" ] || echo "$folder" >>"$HOME/.mldesk/made"
done"""

UNIT_TEXT = """\
# Written by MLDesk when it made this machine a runner; removed with it.
[Unit]
Description=Agent of the MLDesk runner

[Service]
Type=oneshot
RemainAfterExit=yes
# Jobs are not the service's: it may stop, and they go on.
KillMode=process
ExecStart=%h/.mldesk/current/bin/mldesk-agent start

[Install]
WantedBy=default.target
"""
CRON_LINE = f'@reboot "$HOME/.mldesk/current/bin/mldesk-agent" start >/dev/null 2>&1 {_MARK}'


class AtBoot(Enum):
    """What happens to the agent when the box starts."""

    SYSTEMD = "A systemd service of the user's own starts the agent with the machine."
    CRON = "The user's crontab starts the agent with the machine."
    NEXT_CONNECT = "After a reboot its agent starts when MLDesk connects next; jobs that the reboot cut wait for that."


class BootNotSet(WorkFailed):
    """The box did not take the arrangement; the agent still starts at the next connect."""

    code = "boot_not_set"


def choose(facts: HostFacts) -> AtBoot:
    """Say what the user may arrange. Without linger, systemd would start it at the next login only."""
    if facts.systemd and facts.systemd_user and facts.linger:
        return AtBoot.SYSTEMD
    return AtBoot.CRON if facts.crontab == "ok" else AtBoot.NEXT_CONNECT


def apply(box: Exec, chosen: AtBoot) -> None:
    """Arrange it; a second time changes nothing. Raises BootNotSet, RunnerUnreachable."""
    if chosen is AtBoot.SYSTEMD:
        script = (f'{_NOTE}\n{_SYSTEMCTL}\nmkdir -p "{_FOLDER}" && cat >"{_FOLDER}/{UNIT}.new" && '
                  f'mv "{_FOLDER}/{UNIT}.new" "{_FOLDER}/{UNIT}" && systemctl --user daemon-reload && '
                  f"systemctl --user --quiet enable {UNIT}")
        text = UNIT_TEXT.encode()
    elif chosen is AtBoot.CRON:
        script = f"{{ crontab -l 2>/dev/null | grep -v '{_MARK}$'; cat; }} | crontab -"
        text = f"{CRON_LINE}\n".encode()
    else:
        return
    ran = box.run(script, text, _SECONDS)
    if ran.status:
        said = (ran.stderr.splitlines() or [f"code {ran.status}"])[-1][:300].rstrip(".")
        raise BootNotSet(f"The machine does not let the agent start with it: {said}.",
                         hint="It starts when MLDesk connects next.")


def undo(box: Exec) -> None:
    """Remove whichever arrangement there is, and nothing else. Raises RunnerUnreachable."""
    box.run(f'''\
if [ -f "{_FOLDER}/{UNIT}" ]; then
    {_SYSTEMCTL}
    systemctl --user --quiet disable {UNIT} 2>/dev/null
    rm -f "{_FOLDER}/{UNIT}" "{_FOLDER}/default.target.wants/{UNIT}"
    systemctl --user daemon-reload 2>/dev/null
    rmdir "{_FOLDER}/default.target.wants" 2>/dev/null
fi
if command -v crontab >/dev/null 2>&1 && crontab -l 2>/dev/null | grep -q '{_MARK}$'; then
    rest=$(crontab -l 2>/dev/null | grep -v '{_MARK}$')
    if [ -n "$rest" ]; then printf '%s\\n' "$rest" | crontab -; else crontab -r; fi
fi
exit 0''', timeout=_SECONDS)
