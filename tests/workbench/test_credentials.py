"""Secrets of logins: asked for once, offered again while they work, doubted when they do not, kept only when asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mldesk.library.secrets import SecretStore
from mldesk.workbench.credentials import KeptSecrets, LoginSecrets, passphrase_name, password_name

KEY = Path("/home/user/.ssh/id_ed25519")


class Person:
    """Says what a test gives them, and counts how often they are asked."""

    def __init__(self, *passwords: str | None, keep: bool = False) -> None:
        self.passwords, self.keep_last, self.asked = list(passwords), keep, 0

    def passphrase(self, key: Path) -> str | None:
        return self.password("", str(key), 0)

    def password(self, user: str, host: str, port: int) -> str | None:
        self.asked += 1
        return self.passwords.pop(0)

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        self.asked += 1
        return ["123456"] * len(prompts)


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    return SecretStore(tmp_path / "vault.json", passphrase=lambda _new: "a long passphrase", find_keyring=lambda: None)


def kept(store: SecretStore, person: Person | None) -> KeptSecrets:
    secrets = KeptSecrets(store)
    secrets.asker = person
    return secrets


def test_a_password_that_let_us_in_is_not_asked_for_again_nor_kept(store: SecretStore) -> None:
    person = Person("right")
    secrets = kept(store, person)
    login = LoginSecrets(secrets)
    assert login.password("me", "box", 22) == "right"
    login.accepted()
    assert login.password("me", "box", 22) == "right"
    assert LoginSecrets(secrets).password("me", "box", 22) == "right"
    assert person.asked == 1
    assert store.get(password_name("me", "box", 22)) is None


def test_a_password_is_kept_when_the_user_says_so_and_it_was_right(store: SecretStore) -> None:
    login = LoginSecrets(kept(store, Person("wrong", "right", keep=True)))
    assert login.password("me", "box", 22) == "wrong"
    login.refused()
    assert store.get(password_name("me", "box", 22)) is None
    assert login.password("me", "box", 22) == "right"
    login.accepted()
    assert store.get("ssh-password me@box:22") == "right"
    assert LoginSecrets(kept(store, None)).password("me", "box", 22) == "right"


def test_a_kept_password_that_does_not_work_any_more_is_asked_for(store: SecretStore) -> None:
    store.set(password_name("me", "box", 22), "old")
    secrets = kept(store, Person("new"))
    first = LoginSecrets(secrets)
    assert first.password("me", "box", 22) == "old"
    first.refused()
    assert LoginSecrets(secrets).password("me", "box", 22) == "new"
    secrets.asker = None
    assert LoginSecrets(secrets).password("me", "box", 22) == "old"  # nobody to ask: better than nothing


def test_nobody_to_ask_and_nothing_kept_is_no_secret(store: SecretStore) -> None:
    login = LoginSecrets(kept(store, None))
    assert (login.passphrase(KEY), login.password("me", "box", 22)) == (None, None)
    assert login.answers("box", "", [("Code: ", True)]) is None


def test_a_passphrase_is_kept_under_its_keys_path(store: SecretStore) -> None:
    login = LoginSecrets(kept(store, Person("open sesame", keep=True)))
    assert login.passphrase(KEY) == "open sesame"
    login.accepted()
    assert store.get(passphrase_name(KEY)) == "open sesame"
    assert passphrase_name(KEY) == "ssh-passphrase /home/user/.ssh/id_ed25519"


def test_a_one_time_code_is_asked_for_every_time_and_a_password_prompt_is_left_to_the_password(
        store: SecretStore) -> None:
    person = Person("right")
    login = LoginSecrets(kept(store, person))
    assert login.answers("box", "", [("Password: ", False)]) is None
    for _ in range(2):
        assert login.answers("box", "", [("Verification code: ", True)]) == ["123456"]
    assert person.asked == 2


def test_a_locked_store_neither_gives_nor_keeps_and_says_why(tmp_path: Path) -> None:
    locked = SecretStore(tmp_path / "vault.json", passphrase=lambda _new: None, find_keyring=lambda: None)
    secrets = kept(locked, Person("right", keep=True))
    login = LoginSecrets(secrets)
    assert login.password("me", "box", 22) == "right"
    login.accepted()
    assert "could not be remembered" in secrets.problem
    assert login.password("me", "box", 22) == "right"


def test_a_forgotten_secret_is_gone(store: SecretStore) -> None:
    secrets = kept(store, Person("right", None, keep=True))
    login = LoginSecrets(secrets)
    login.password("me", "box", 22)
    login.accepted()
    secrets.forget(password_name("me", "box", 22))
    assert LoginSecrets(secrets).password("me", "box", 22) is None
    assert store.get(password_name("me", "box", 22)) is None
