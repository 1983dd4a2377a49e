"""Others on the box and in the network: a second user there, and a second machine that answers at the same address."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mldesk.core.ids import new_id
from mldesk.runners.ssh.errors import HostKeyChanged
from mldesk.wire.jobs import JobSpec
from tests.runners.ssh.box import Account, Box, Person, Sshd

TRY = """
import os, socket, sys
for path in sys.argv[1:]:
    for what in (lambda: os.listdir(path), lambda: open(path, "rb").read(), lambda: open(path, "ab"),
                 lambda: open(os.path.join(path, "new"), "wb"), lambda: socket.socket(socket.AF_UNIX).connect(path)):
        try:
            what()
        except (PermissionError, IsADirectoryError, NotADirectoryError, ConnectionRefusedError):
            continue
        except OSError as error:
            if error.errno in (6, 104, 111, 2):
                continue
            raise
        print("got into", path)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user of the box")
def test_another_user_of_the_box_gets_at_no_socket_folder_or_file(
        box: Box, person: Person, sshd: Sshd, account: Account) -> None:
    person.pin(sshd)
    runner = box.runner(person, sshd.port)
    try:
        job = JobSpec(new_id(), "train", "a secret", (), {"steps": 1, "end": "hang"})
        runner.submit(job)
        while len(runner.events(job.id, 0, wait=1.0)) < 4:
            pass
        uid = account.home.stat().st_uid
        sockets = list(Path("/tmp").glob(f"mldesk-{uid}/**/*"))
        kept = [path for name in ("runner", "objects") for path in [box.place / name, *(box.place / name).rglob("*")]]
        assert any(path.name == "agent.sock" for path in sockets)
        assert any(path.name == "journal" for path in kept)
        paths = [*map(str, sockets + kept), "/etc/passwd"]  # the last one is everybody's: the attempts are real ones
        done = subprocess.run(["runuser", "-u", "nobody", "--", "/usr/bin/python3", "-c", TRY, *paths],
                              capture_output=True, text=True, check=False, cwd="/")
        assert (done.returncode, done.stdout, done.stderr) == (0, "got into /etc/passwd\n", "")
    finally:
        runner.cancel(job.id)
        runner.close()


@pytest.mark.parametrize("system", [False, True], ids=["paramiko", "system ssh"])
def test_another_machine_at_the_same_address_is_refused_and_told_nothing(
        box: Box, person: Person, account: Account, system: bool) -> None:
    honest = Sshd(account.folder / f"honest-{system}", account)
    false = Sshd(account.folder / f"false-{system}", account)
    false.stop()
    for sshd in (honest, false):
        sshd.allow(person.public)
    person.pin(honest)
    if system:
        person.by_system()
    runner = box.runner(person, honest.port)
    try:
        job = JobSpec(new_id(), "train", "a job", (), {"steps": 1, "end": "hang"})
        runner.submit(job)
        honest.stop()
        false.port = honest.port
        false.start()
        for ask in (runner.jobs, lambda: runner.events(job.id, 0), lambda: runner.submit(job), runner.connect):
            with pytest.raises(HostKeyChanged):
                ask()
        assert "Accepted" not in (false.folder / "log").read_text()
        false.stop()
        honest.start()
        runner.reconnect_soon()
        assert [item["id"] for item in runner.jobs()] == [job.id]
        runner.cancel(job.id)
    finally:
        runner.close()
        for sshd in (honest, false):
            if sshd.process.poll() is None:
                sshd.stop()
