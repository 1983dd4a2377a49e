"""A box to reach over SSH: Debian's own sshd as an ordinary process on loopback, with its own keys and user."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from mldesk.core.paths import Home
from mldesk.runners.ssh.client import SshRunner
from mldesk.runners.ssh.host_keys import HostKey
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.programs import Installed
from mldesk.wire.objects import ObjectStore

REPOSITORY = Path(__file__).parents[3]
FAKE = REPOSITORY / "tests/runner_agent/fake_trainer.py"
FAR_SIDE = Path(__file__).with_name("far_side")  # first on the path of what runs there; see its sitecustomize.py
PASSWORD = "correct horse"  # of an account that exists during the tests only
PATIENCE = 30.0
_accounts = itertools.count(1)  # several may be there at once


class Account:
    """The user of the box: one made for the tests and removed after them where we are root, else ourselves."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mldesk-box-"))
        self.folder.chmod(0o711)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.own = os.getuid() == 0
        if not self.own:
            self.name, self.home = pwd.getpwuid(os.getuid()).pw_name, Path.home()
            return
        self.name = f"mldesk-box-{os.getpid()}-{next(_accounts)}"
        crypted = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True)
        _locked("useradd", "--no-create-home", "--home-dir", str(self.home), "--shell", "/bin/bash",
                "--password", crypted.stdout.strip(), self.name)
        self.give(self.home)

    def give(self, path: Path) -> None:
        if self.own:
            shutil.chown(path, self.name, self.name)

    def noise(self, text: str) -> None:
        """Say this at the start of every login, as rc files of real people do."""
        if self.own:
            (self.home / ".bashrc").write_text(text)

    def close(self) -> None:
        if self.own:
            shutil.rmtree(Path("/tmp") / f"mldesk-{pwd.getpwnam(self.name).pw_uid}", ignore_errors=True)  # its sockets
            _locked("userdel", self.name)
        shutil.rmtree(self.folder)


class Sshd:
    """One sshd on a port of its own. ``settings`` are further lines of its configuration."""

    def __init__(self, folder: Path, account: Account, *settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        self.folder, self.account = folder, account
        self.keys = {kind: make_key(folder / f"host_{kind}", kind) for kind in ("ed25519", "ecdsa")}
        self.authorized = folder / "authorized"
        self.authorized.write_text("")
        self.authorized.chmod(0o644)
        self.settings = settings
        self.address, self.prefix = "127.0.0.1", list[str]()  # where it listens, and what it is started through
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    def start(self, *hosts: str) -> None:
        """Begin to listen; ``hosts`` names the host keys to use (default: all)."""
        config = self.folder / "config"
        config.write_text("\n".join([
            f"Port {self.port}", f"ListenAddress {self.address}", "PidFile none", "UsePAM no", "StrictModes no",
            *(f"HostKey {self.folder}/host_{kind}" for kind in hosts or self.keys), "UseDNS no", "LogLevel VERBOSE",
            f"AuthorizedKeysFile {self.authorized}", "MaxStartups 200", *self.settings,
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "AllowTcpForwarding yes",
            "Subsystem sftp internal-sftp"]) + "\n")
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([*self.prefix, "/usr/sbin/sshd", "-D", "-e", "-f", str(config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection((self.address, self.port), 1):
                return
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it and every session it has."""
        family = [self.process, *psutil.Process(self.process.pid).children(recursive=True)]
        self.process.terminate()
        for process in family[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(10)

    def allow(self, public: Path) -> None:
        with open(self.authorized, "a") as file:
            file.write(public.read_text())


class Person:
    """Somebody at a desk: their ~/.ssh, their key, their library."""

    def __init__(self, folder: Path) -> None:
        self.ssh = folder / "ssh"
        self.ssh.mkdir(mode=0o700, parents=True)
        make_key(self.ssh / "id_ed25519", "ed25519")
        self.home = Home(folder / "home").make()
        self.known = KnownHosts(self.home.root / "known_hosts", (self.ssh / "known_hosts",))
        self.store = ObjectStore(self.home.objects)
        self.config("")

    @property
    def public(self) -> Path:
        return self.ssh / "id_ed25519.pub"

    def config(self, text: str) -> None:
        (self.ssh / "config").write_text(text)
        (self.ssh / "config").chmod(0o600)

    def by_system(self) -> None:
        """Make the system's ssh the only one that can follow these settings."""
        self.config(f"Match all\n  IdentityFile {self.ssh}/id_ed25519\n  IdentitiesOnly yes\n")

    def pin(self, sshd: Sshd, port: int = 0) -> None:
        for key in sshd.keys.values():
            self.known.pin("127.0.0.1", port or sshd.port, key)


class Box:
    """The runner's side of a box: where it lives there, and how it is started from this checkout."""

    def __init__(self, account: Account, name: str, **environment: str) -> None:
        """``environment``: further variables of everything that runs there.

        "{place}" in them is its folder, "{python}" a Python that its user may run.
        """
        self.place = account.folder / name
        self.place.mkdir()
        account.give(self.place)
        self.account = account
        python = python_of(account)
        values = {key: value.replace("{place}", str(self.place)).replace("{python}", python)
                  for key, value in environment.items()}
        self.installed = Installed(command_on(account, **values), str(self.place))

    def runner(self, person: Person, port: int, **more: object) -> SshRunner:
        return SshRunner("box", f"{self.account.name}@127.0.0.1:{port}", person.store, person.known,
                         installed=self.installed, ssh_folder=person.ssh, **more)  # type: ignore[arg-type]

    @property
    def store(self) -> ObjectStore:
        return ObjectStore(self.place / "objects")

    def hand_over(self) -> None:
        """Give what a test put into the box's folder to the user of the box."""
        for path in [self.place, *self.place.rglob("*")]:
            self.account.give(path)

    def processes(self) -> list[psutil.Process]:
        """Everything that was started for this place and lives: the agent works in it, and so does what it starts."""
        return [process for process in psutil.process_iter() if str(self.place) in _words(process)]

    def receivers(self) -> list[psutil.Process]:
        """The programs that take in files there now."""
        return [process for process in self.processes() if "receive" in _words(process)]

    def loose(self) -> list[psutil.Process]:
        """Every process of the box's own user, whatever started it; none where that user is ourselves."""
        if not self.account.own:
            return []
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.username() == self.account.name:
                    found.append(process)
        return found

    def close(self) -> None:
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not self.processes()


def make_key(path: Path, kind: str, passphrase: str = "") -> HostKey:
    """Make a pair of keys and return the public one."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path), "-C", ""], check=True)
    return read_key(path)


def read_key(path: Path) -> HostKey:
    return HostKey.from_base64(*path.with_name(path.name + ".pub").read_text().split()[:2])


def command_on(account: Account, **environment: str) -> str:
    """Return how this checkout's agent is run by that user: with the fake trainer, unless ``environment`` differs."""
    python = python_of(account)
    trainer = json.dumps([python, str(FAKE)])
    values = {"PYTHONPATH": os.pathsep.join([str(FAR_SIDE), packages()]), "MLDESK_TRAINER": trainer,
              "MLDESK_NO_WARM": "1", "MLDESK_BALLAST": "1048576", "PYTHONDONTWRITEBYTECODE": "1", **environment}
    words = ["env", *(f"{name}={value}" for name, value in values.items()), python, "-m", "runner_agent"]
    return " ".join(shlex.quote(word) for word in words)


def python_of(account: Account) -> str:
    """Return a Python that this user may run; with ``packages`` on its path it has everything that ours has."""
    probe = ["runuser", "-u", account.name, "--", sys.executable, "-c", "import rpyc"]
    if account.own and subprocess.run(probe, check=False, capture_output=True).returncode:
        return "/usr/bin/python3"  # ours lies in a folder that is nobody else's business
    return sys.executable


def packages() -> str:
    """Return what the PYTHONPATH of the box's user is to be: this checkout, and what is installed beside it."""
    import site

    return os.pathsep.join([str(REPOSITORY), *site.getsitepackages()])


def _locked(*words: str) -> None:
    """Change the list of users, which one process at a time may do: other workers' tests do so as well."""
    deadline = time.monotonic() + PATIENCE
    while subprocess.run(words, check=False, capture_output=True).returncode:
        assert time.monotonic() < deadline, words[0]
        time.sleep(0.2)


def _words(process: psutil.Process) -> str:
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
