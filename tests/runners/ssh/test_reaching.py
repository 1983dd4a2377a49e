"""Reaching a real sshd, by both backends."""

from __future__ import annotations

import pytest

from tests.runners.ssh.box import Box, Person, Sshd


@pytest.mark.parametrize("system", [False, True], ids=["paramiko", "system ssh"])
def test_a_box_that_is_known_answers(box: Box, person: Person, sshd: Sshd, system: bool) -> None:
    person.pin(sshd)
    if system:
        person.by_system()
    runner = box.runner(person, sshd.port)
    try:
        facts = runner.connect()
        assert facts["cores"] > 0
        assert runner.link.connected
        assert runner.jobs() == []
    finally:
        runner.close()
