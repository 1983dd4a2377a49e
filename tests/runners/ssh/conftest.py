from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runners.ssh.box import Account, Box, Person, Sshd
from tests.runners.ssh.proxy import Proxy

_names = itertools.count(1)


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    account = Account()
    yield account
    account.close()


@pytest.fixture(scope="session")
def sshd(account: Account) -> Iterator[Sshd]:
    sshd = Sshd(account.folder / "sshd", account, "PasswordAuthentication yes")
    yield sshd
    sshd.stop()


@pytest.fixture
def person(tmp_path: Path, sshd: Sshd) -> Person:
    person = Person(tmp_path / "person")
    sshd.allow(person.public)
    return person


@pytest.fixture
def box(account: Account) -> Iterator[Box]:
    box = Box(account, f"place-{next(_names)}")
    yield box
    box.close()


@pytest.fixture
def proxy(sshd: Sshd) -> Iterator[Proxy]:
    proxy = Proxy(("127.0.0.1", sshd.port))
    yield proxy
    proxy.close()
