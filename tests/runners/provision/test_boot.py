"""Starting at boot, with stand-ins for systemctl and crontab that keep what they are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mldesk.runners.provision import boot
from mldesk.runners.provision.boot import CRON_LINE, UNIT, UNIT_TEXT, AtBoot, BootNotSet
from mldesk.runners.provision.execution import Exec, LocalExec
from tests.runners.provision import boxes

MINE = "0 5 * * * backup\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "box/.mldesk").mkdir(parents=True)
    return tmp_path / "box"


@pytest.fixture
def box(home: Path, tmp_path: Path) -> Exec:
    """systemctl notes how it was called; crontab keeps its table in a file."""
    path = boxes.bare_path(tmp_path / "tools")
    boxes.program(tmp_path / "tools", "systemctl", f'echo "$XDG_RUNTIME_DIR $*" >>{tmp_path}/asked')
    boxes.program(tmp_path / "tools", "crontab", f"""
case "$1" in
    -l) [ -f {tmp_path}/table ] || {{ echo "no crontab for user" >&2; exit 1; }}; cat {tmp_path}/table ;;
    -r) rm {tmp_path}/table ;;
    -) cat >{tmp_path}/table.new; mv {tmp_path}/table.new {tmp_path}/table ;;
esac""")
    return LocalExec(home, path=path)


@pytest.mark.parametrize(("facts", "chosen"), [
    ({"systemd": 252, "systemd_user": True, "linger": True, "crontab": "ok"}, AtBoot.SYSTEMD),
    ({"systemd": 252, "systemd_user": True, "linger": False, "crontab": "ok"}, AtBoot.CRON),
    ({"systemd": 252, "systemd_user": False, "linger": True, "crontab": "ok"}, AtBoot.CRON),
    ({"crontab": "ok"}, AtBoot.CRON),
    ({"systemd": 252, "systemd_user": True, "crontab": "denied"}, AtBoot.NEXT_CONNECT),
    ({}, AtBoot.NEXT_CONNECT),
])
def test_what_the_user_may_arrange_is_chosen_and_said(facts: dict[str, Any], chosen: AtBoot) -> None:
    assert boot.choose(boxes.box(**facts)) is chosen
    assert chosen.value.endswith(".")


def test_a_systemd_unit_is_written_enabled_and_taken_away_again(box: Exec, home: Path, tmp_path: Path) -> None:
    boot.apply(box, AtBoot.SYSTEMD)
    boot.apply(box, AtBoot.SYSTEMD)
    unit = home / ".config/systemd/user" / UNIT
    assert unit.read_text() == UNIT_TEXT
    assert "KillMode=process" in UNIT_TEXT and "%h/.mldesk/current/bin/mldesk-agent start" in UNIT_TEXT
    asked = (tmp_path / "asked").read_text()
    assert f"--user --quiet enable {UNIT}" in asked and "/run/user/" in asked
    assert (home / ".mldesk/made").read_text().split() == [".config", ".config/systemd", ".config/systemd/user"]
    boot.undo(box)
    assert not unit.exists()
    assert f"--user --quiet disable {UNIT}" in (tmp_path / "asked").read_text()


def test_our_line_of_the_crontab_comes_once_and_goes_alone(box: Exec, tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text(MINE)
    boot.apply(box, AtBoot.CRON)
    boot.apply(box, AtBoot.CRON)
    assert table.read_text() == f"{MINE}{CRON_LINE}\n"
    boot.undo(box)
    assert table.read_text() == MINE


def test_a_crontab_that_was_not_there_is_not_there_afterwards(box: Exec, tmp_path: Path) -> None:
    boot.apply(box, AtBoot.CRON)
    assert (tmp_path / "table").read_text() == f"{CRON_LINE}\n"
    boot.undo(box)
    assert not (tmp_path / "table").exists()


def test_undoing_what_was_never_arranged_changes_nothing(box: Exec, home: Path, tmp_path: Path) -> None:
    (tmp_path / "table").write_text(MINE)
    boot.apply(box, AtBoot.NEXT_CONNECT)
    boot.undo(box)
    assert (tmp_path / "table").read_text() == MINE
    assert not (tmp_path / "asked").exists() and list(home.iterdir()) == [home / ".mldesk"]


def test_a_refusal_of_the_box_is_told_in_its_own_words(box: Exec, tmp_path: Path) -> None:
    boxes.program(tmp_path / "tools", "crontab", "echo 'you may not use crontab' >&2; exit 1")
    with pytest.raises(BootNotSet, match="you may not use crontab"):
        boot.apply(box, AtBoot.CRON)
