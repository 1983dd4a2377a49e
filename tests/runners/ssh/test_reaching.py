"""Reaching a real sshd, by both backends: who is let in, who is trusted, what a login shell says first."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.ssh.credentials import NoCredentials
from mldesk.runners.ssh.errors import (
    HostKeyChanged,
    HostKeyRevoked,
    LoginRefused,
    NoRoute,
    NotInstalled,
    UnknownHost,
)
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.programs import Installed
from tests.runners.ssh.box import PASSWORD, Account, Box, Person, Sshd, make_key, read_key
from tests.runners.ssh.proxy import Proxy

BOTH = pytest.mark.parametrize("system", [False, True], ids=["paramiko", "system ssh"])


NOISE = """
echo "Welcome to the box!"; printf "mldesk-begin no newline"; echo "to you" >&2; seq 1 20000; set -x
trap 'echo "$BASH_COMMAND"' DEBUG
"""


class Secrets(NoCredentials):
    """Knows one passphrase and one password, and counts how often it is asked."""

    def __init__(self, passphrase: str = "", password: str = "") -> None:
        self._passphrase, self._password, self.asked = passphrase, password, 0

    def passphrase(self, _key: Path) -> str | None:
        self.asked += 1
        return self._passphrase or None

    def password(self, _user: str, _host: str, _port: int) -> str | None:
        self.asked += 1
        return self._password or None


@pytest.fixture(scope="module")
def second(account: Account) -> Iterator[Sshd]:
    second = Sshd(account.folder / "second", account)
    yield second
    second.stop()


@BOTH
def test_a_box_that_is_known_answers(box: Box, person: Person, sshd: Sshd, system: bool) -> None:
    person.pin(sshd)
    if system:
        person.by_system()
    runner = box.runner(person, sshd.port)
    try:
        assert runner.connect()["cores"] > 0
        assert runner.link.connected
        assert runner.jobs() == []
    finally:
        runner.close()


@BOTH
def test_first_contact_asks_and_goes_on_once_the_key_is_accepted(
        box: Box, person: Person, sshd: Sshd, system: bool) -> None:
    if system:
        person.by_system()
    runner = box.runner(person, sshd.port)
    try:
        with pytest.raises(UnknownHost) as caught:
            runner.connect()
        assert caught.value.key in sshd.keys.values()
        assert (caught.value.host, caught.value.port) == ("127.0.0.1", sshd.port)
        assert not runner.link.connected
        runner.accept(caught.value)
        assert runner.connect()["cores"] > 0
    finally:
        runner.close()


@BOTH
@pytest.mark.parametrize("case", ["changed", "revoked"])
def test_a_host_with_a_wrong_key_is_refused(
        box: Box, person: Person, sshd: Sshd, tmp_path: Path, system: bool, case: str) -> None:
    if system:
        person.by_system()
    if case == "changed":
        person.known.pin("127.0.0.1", sshd.port, make_key(tmp_path / "other", "ed25519"))
        error: type[RunnerUnreachable] = HostKeyChanged
    else:
        person.pin(sshd)
        lines = [f"@revoked * {key.type} {key.base64}\n" for key in sshd.keys.values()]
        (person.ssh / "known_hosts").write_text("".join(lines))
        error = HostKeyRevoked
    before = (person.home.root / "known_hosts").read_bytes()
    runner = box.runner(person, sshd.port)
    try:
        with pytest.raises(error):
            runner.connect()
        with pytest.raises(error):  # and again, with no way round
            runner.jobs()
    finally:
        runner.close()
    assert (person.home.root / "known_hosts").read_bytes() == before
    assert not box.processes()


def test_a_host_is_asked_for_the_type_of_key_it_is_known_by(box: Box, person: Person, sshd: Sshd) -> None:
    person.known.pin("127.0.0.1", sshd.port, sshd.keys["ecdsa"])
    runner = box.runner(person, sshd.port)
    try:
        assert runner.connect()["cores"] > 0
    finally:
        runner.close()


def test_a_host_that_an_authority_vouches_for_is_left_to_the_systems_ssh(
        box: Box, person: Person, account: Account, tmp_path: Path) -> None:
    make_key(tmp_path / "authority", "ed25519")
    certified = Sshd(account.folder / "certified", account,
                     f"HostCertificate {account.folder}/certified/host_ed25519-cert.pub")
    try:
        subprocess.run(["ssh-keygen", "-q", "-s", str(tmp_path / "authority"), "-I", "box", "-h", "-n", "127.0.0.1",
                        str(certified.folder / "host_ed25519.pub")], check=True)
        certified.stop()
        certified.start("ed25519")
        certified.allow(person.public)
        key = read_key(tmp_path / "authority")
        (person.ssh / "known_hosts").write_text(f"@cert-authority [127.0.0.1]:* {key.type} {key.base64}\n")
        person.config(f"Host *\n IdentityFile {person.ssh}/id_ed25519\n")
        runner = box.runner(person, certified.port)
        try:
            assert runner.connect()["cores"] > 0
        finally:
            runner.close()
    finally:
        certified.stop()


@BOTH
def test_noise_of_login_shells_is_no_part_of_the_talk(
        box: Box, person: Person, sshd: Sshd, account: Account, system: bool) -> None:
    account.noise(NOISE)
    person.pin(sshd)
    if system:
        person.by_system()
    runner = box.runner(person, sshd.port)
    try:
        assert runner.connect()["cores"] > 0
    finally:
        runner.close()
        account.noise("")


@BOTH
def test_a_box_without_a_runner_says_so(box: Box, person: Person, sshd: Sshd, system: bool) -> None:
    person.pin(sshd)
    if system:
        person.by_system()
    for command in ("/nowhere/python -m runner_agent", "/usr/bin/python3 -m no_such_agent"):
        box.installed = Installed(command)
        runner = box.runner(person, sshd.port)
        try:
            with pytest.raises(NotInstalled, match="No runner is installed"):
                runner.connect()
        finally:
            runner.close()


@BOTH
def test_a_stranger_is_not_let_in_and_is_told_what_was_tried(
        box: Box, sshd: Sshd, tmp_path: Path, system: bool) -> None:
    stranger = Person(tmp_path / "stranger")
    stranger.pin(sshd)
    if system:
        stranger.by_system()
    runner = box.runner(stranger, sshd.port)
    try:
        with pytest.raises(LoginRefused, match="did not let us in"):
            runner.connect()
    finally:
        runner.close()


@BOTH
def test_a_machine_that_is_off_is_out_of_reach_since_a_time(
        box: Box, person: Person, proxy: Proxy, system: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.runners.ssh.client.PERSISTENCE", 1.0)
    if system:
        person.by_system()
    port = proxy.port
    proxy.close()
    runner = box.runner(person, port)
    try:
        with pytest.raises(NoRoute, match="cannot be reached"):
            runner.jobs()
        assert not runner.link.connected
        assert runner.link.since > 0
        assert "refused" in runner.link.reason.lower()
    finally:
        runner.close()


def test_a_key_with_a_passphrase_is_unlocked_by_the_callers_secret(
        box: Box, sshd: Sshd, tmp_path: Path) -> None:
    person = Person(tmp_path / "careful")
    (person.ssh / "id_ed25519").unlink()
    make_key(person.ssh / "id_ecdsa", "ecdsa", "open sesame")
    sshd.allow(person.ssh / "id_ecdsa.pub")
    person.pin(sshd)
    for secrets in (NoCredentials(), Secrets(passphrase="wrong")):
        runner = box.runner(person, sshd.port, credentials=secrets)
        try:
            with pytest.raises(LoginRefused, match="passphrase"):
                runner.connect()
        finally:
            runner.close()
    runner = box.runner(person, sshd.port, credentials=Secrets(passphrase="open sesame"))
    try:
        assert runner.connect()["cores"] > 0
    finally:
        runner.close()


def test_a_key_that_the_ssh_agent_holds_is_enough(
        box: Box, person: Person, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person.pin(sshd)
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        while subprocess.run(["ssh-add", "-q", str(person.ssh / "id_ed25519")], capture_output=True,
                             check=False).returncode:
            assert agent.poll() is None
        (person.ssh / "id_ed25519").unlink()
        runner = box.runner(person, sshd.port)
        try:
            assert runner.connect()["cores"] > 0
        finally:
            runner.close()
    finally:
        agent.kill()
        agent.wait()


def test_a_password_is_asked_for_last_and_only_of_the_callers_secrets(
        box: Box, sshd: Sshd, account: Account, tmp_path: Path) -> None:
    if not account.own:  # nobody's real password is known here
        return
    person = Person(tmp_path / "old-fashioned")
    person.pin(sshd)
    for password in ("", "wrong"):
        runner = box.runner(person, sshd.port, credentials=Secrets(password=password))
        try:
            with pytest.raises(LoginRefused):
                runner.connect()
        finally:
            runner.close()
    secrets = Secrets(password=PASSWORD)
    runner = box.runner(person, sshd.port, credentials=secrets)
    try:
        assert runner.connect()["cores"] > 0
        assert secrets.asked == 1
    finally:
        runner.close()


@BOTH
def test_a_box_behind_a_jump_host_is_reached_through_it(
        box: Box, person: Person, sshd: Sshd, second: Sshd, account: Account, system: bool) -> None:
    second.allow(person.public)
    person.pin(second)
    person.pin(sshd)
    person.config(f"{'Match all' if system else ''}\n"  # which makes it the system's ssh
                  f"Host gate\n HostName 127.0.0.1\n Port {second.port}\n User {account.name}\n"
                  f"Host 127.0.0.1\n ProxyJump gate\n"
                  f"Host *\n IdentityFile {person.ssh}/id_ed25519\n IdentitiesOnly yes\n")
    marks = (second.folder / "log").read_text().count("Accepted publickey")
    runner = box.runner(person, sshd.port)
    try:
        assert runner.connect()["cores"] > 0
    finally:
        runner.close()
    assert (second.folder / "log").read_text().count("Accepted publickey") > marks


@BOTH
def test_a_jump_host_that_is_not_known_is_asked_about_by_its_own_name(
        box: Box, person: Person, sshd: Sshd, second: Sshd, account: Account, system: bool) -> None:
    second.allow(person.public)
    person.pin(sshd)
    person.config(f"{'Match all' if system else ''}\n"
                  f"Host 127.0.0.1\n ProxyJump {account.name}@localhost:{second.port}\n"
                  f"Host *\n IdentityFile {person.ssh}/id_ed25519\n")
    runner = box.runner(person, sshd.port)
    try:
        with pytest.raises(UnknownHost) as caught:
            runner.connect()
        assert (caught.value.host, caught.value.port) == ("localhost", second.port)
        runner.accept(caught.value)
        assert runner.connect()["cores"] > 0
    finally:
        runner.close()


@BOTH
def test_every_jump_of_a_chain_is_held_to_the_pins(
        box: Box, person: Person, sshd: Sshd, second: Sshd, account: Account, system: bool) -> None:
    second.allow(person.public)
    person.ssh.rename(folder := person.ssh.with_name("it's 100% mine"))  # what a shell and ssh read otherwise
    person.ssh = folder
    person.config(f"{'Match all' if system else ''}\n"
                  f"Host first\n HostName 127.0.0.1\n Port {sshd.port}\n User {account.name}\n"
                  f"Host second\n HostName 127.0.0.1\n Port {second.port}\n User {account.name}\n ProxyJump first\n"
                  f"Host 127.0.0.1\n ProxyJump first,second,first\n"
                  f"Host *\n IdentityFile \"{folder}/id_ed25519\"\n IdentitiesOnly yes\n"
                  .replace("100%", "100%%" if system else "100%"))
    person.known = KnownHosts(folder / "pins", ())
    runner = box.runner(person, sshd.port)
    try:
        for expected in (sshd, second):
            with pytest.raises(UnknownHost) as caught:
                runner.connect()
            assert caught.value.port == expected.port
            runner.accept(caught.value)
        assert runner.connect()["cores"] > 0
        person.known.forget("127.0.0.1", second.port)
        person.known.pin("127.0.0.1", second.port, sshd.keys["ed25519"])
        runner.close()
        runner = box.runner(person, sshd.port)
        with pytest.raises(HostKeyChanged):
            runner.connect()
    finally:
        runner.close()


def test_another_user_of_the_box_finds_no_way_to_the_agent(
        box: Box, person: Person, sshd: Sshd, account: Account) -> None:
    if not account.own:
        return
    person.pin(sshd)
    runner = box.runner(person, sshd.port)
    try:
        runner.connect()
        sockets = list(Path("/tmp").glob(f"mldesk-{account.home.stat().st_uid}/*/agent.sock"))
        assert sockets
        for path in sockets:
            probe = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                     "--bounding-set=-all", "/usr/bin/python3", "-c",
                     "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])", str(path)]
            done = subprocess.run(probe, capture_output=True, text=True, check=False)
            assert "PermissionError" in done.stderr, done.stderr
    finally:
        runner.close()
