"""Secrets: in a keyring that really works, else encrypted, else not at all."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as Fails
from keyring.backends.null import Keyring as Null

from mldesk.core.errors import BadInput, SecretsLocked
from mldesk.library import vault as vaults
from mldesk.library.secrets import LONGEST, SecretStore, acceptable, system_keyring
from mldesk.library.vault import Vault
from tests.core.disk_faults import every_fault, litter


class Works:
    """A keyring in memory."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


class Forgets(Works):
    def get_password(self, service: str, username: str) -> str | None:
        return None


class Refuses(Works):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError("locked collection")


class Hangs(Works):
    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def set_password(self, service: str, username: str, password: str) -> None:
        self.released.wait(30)


class PlaintextKeyring(Works):
    pass


@pytest.fixture(autouse=True)
def cheap_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with little memory, so that the tests do not wait."""
    monkeypatch.setattr(vaults, "_KDF", {"name": "argon2id", "time": 1, "memory": 64, "lanes": 1})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.json"


def asks(*answers: str) -> tuple[list[bool], vaults.Passphrase]:
    asked: list[bool] = []
    left = list(answers)

    def answer(new: bool) -> str | None:
        asked.append(new)
        return left.pop(0) if left else None

    return asked, answer


class TestKeyring:
    def test_a_keyring_that_works_is_used_and_left_clean(self, path: Path) -> None:
        backend = Works()
        store = SecretStore(path, find_keyring=lambda: backend)
        assert store.place == "keyring"
        assert backend.held == {}
        assert store.get("key") is None
        store.set("key", "geheim")
        assert (store.get("key"), backend.held) == ("geheim", {("mldesk", "key"): "geheim"})
        store.delete("key")
        store.delete("key")
        assert store.get("key") is None
        assert not path.exists()

    @pytest.mark.parametrize("backend", [Forgets(), Refuses(), None])
    def test_a_keyring_that_does_not_keep_what_it_is_given_is_not_believed(self, path: Path,
                                                                          backend: Works | None) -> None:
        assert SecretStore(path, find_keyring=lambda: backend).place == "vault"

    def test_a_keyring_that_never_answers_is_given_up(self, path: Path) -> None:
        backend = Hangs()
        try:
            assert SecretStore(path, find_keyring=lambda: backend, probe_seconds=0.05).place == "vault"
        finally:
            backend.released.set()

    @pytest.fixture
    def chain(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[ChainerBackend]]:
        yield type("ChainerBackend", (ChainerBackend,), {"__module__": ChainerBackend.__module__})

    def test_backends_that_keep_nothing_or_in_plain_text_are_refused(self, chain: type[ChainerBackend]) -> None:
        good = Works()
        assert acceptable(good) is good
        for bad in (Fails(), Null(), PlaintextKeyring()):
            assert acceptable(bad) is None
        for backends, wanted in (([Null(), Fails()], None), ([PlaintextKeyring(), good], good), ([], None)):
            chain.backends = backends
            assert acceptable(chain()) is wanted

    def test_the_systems_own_choice_is_looked_at(self) -> None:
        assert isinstance(keyring.get_keyring(), Fails)  # see tests/conftest.py
        assert system_keyring() is None

    def test_a_secret_from_a_time_without_a_keyring_is_found_in_the_vault(self, path: Path) -> None:
        Vault(path, lambda _: "long enough").set("key", "old")
        store = SecretStore(path, find_keyring=Works, passphrase=lambda _: "long enough")
        assert store.get("key") == "old"
        store.delete("key")
        assert store.get("key") is None
        locked = SecretStore(path, find_keyring=Works, passphrase=lambda _: None)
        with pytest.raises(SecretsLocked):
            locked.get("key")  # "none" would make its owner begin a new one

    def test_a_secret_has_a_size_that_every_system_takes(self, path: Path) -> None:
        with pytest.raises(BadInput):
            SecretStore(path, find_keyring=Works).set("key", "x" * (LONGEST + 1))

    def test_a_keyring_that_locks_itself_later_is_told(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        backend = Works()
        store = SecretStore(path, find_keyring=lambda: backend)
        assert store.place == "keyring"
        monkeypatch.setattr(backend, "get_password", Refuses.set_password)
        with pytest.raises(SecretsLocked) as caught:
            store.get("key")
        assert caught.value.hint


class TestVault:
    def test_secrets_survive_in_a_file_that_shows_nothing_of_them(self, path: Path) -> None:
        asked, passphrase = asks("correct horse")
        vault = Vault(path, passphrase)
        assert vault.get("key") is None
        assert asked == []
        vault.set("signing key", "geheim ü")
        vault.set("other", "x")
        assert asked == [True]
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"signing" not in path.read_bytes()
        assert b"geheim" not in path.read_bytes()
        again = Vault(path, asks("correct horse")[1])
        assert (again.get("signing key"), again.get("other"), again.get("x")) == ("geheim ü", "x", None)
        again.delete("other")
        again.delete("other")
        assert vault.get("other") is None

    def test_a_wrong_passphrase_opens_nothing_and_may_be_tried_again(self, path: Path) -> None:
        Vault(path, lambda _: "correct horse").set("key", "x")
        asked, passphrase = asks("wrong horse", "correct horse")
        vault = Vault(path, passphrase)
        before = path.read_bytes()
        for change in (lambda: vault.get("key"), lambda: Vault(path, lambda _: "wrong horse").set("key", "y"),
                       lambda: Vault(path, lambda _: "wrong horse").delete("key")):
            with pytest.raises(SecretsLocked):
                change()
        assert path.read_bytes() == before
        assert vault.get("key") == "x"
        assert asked == [False, False]

    def test_without_a_passphrase_it_is_locked(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(vaults.ENVIRONMENT, raising=False)
        with pytest.raises(SecretsLocked, match="no passphrase") as caught:
            Vault(path).set("key", "x")
        assert vaults.ENVIRONMENT in caught.value.hint
        monkeypatch.setenv(vaults.ENVIRONMENT, "short")
        with pytest.raises(BadInput):
            Vault(path).set("key", "x")
        assert not path.exists()
        monkeypatch.setenv(vaults.ENVIRONMENT, "long enough")
        Vault(path).set("key", "x")
        assert Vault(path).get("key") == "x"

    @pytest.mark.parametrize("change", [
        {"format": 2}, {"format": None}, {"sealed": "AAAA"}, {"sealed": "not base64!"}, {"nonce": ""},
        {"nonce": "AAAA"},
        {"kdf": {"name": "argon2id", "salt": "AAAAAAAAAAAAAAAA", "time": 1, "memory": 1 << 40, "lanes": 1}},
        {"kdf": {"name": "argon2id", "salt": "AAAAAAAAAAAAAAAA", "time": "1", "memory": 64, "lanes": 1}},
        {"kdf": {"name": "none", "salt": "AAAAAAAAAAAAAAAA", "time": 1, "memory": 64, "lanes": 1}}, {"kdf": []},
        {"kdf": {"name": "argon2id", "salt": "AAAAAAAAAAAAAAAA", "time": 1, "memory": 8, "lanes": 16}},
    ])
    def test_a_file_that_was_changed_is_refused(self, path: Path, change: dict[str, object]) -> None:
        Vault(path, lambda _: "correct horse").set("key", "x")
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(SecretsLocked):
            Vault(path, lambda _: "correct horse").get("key")
        path.write_text("nonsense")
        with pytest.raises(SecretsLocked):
            Vault(path, lambda _: "correct horse").get("key")

    def test_a_full_disk_leaves_the_vault_as_it_was(self, path: Path, tmp_path: Path) -> None:
        vault = Vault(path, lambda _: "correct horse")
        vault.set("key", "old")
        for outcome in every_fault(tmp_path, lambda: vault.set("key", "new")):
            assert Vault(path, lambda _: "correct horse").get("key") in ("old", "new")
            assert (Vault(path, lambda _: "correct horse").get("key") == "new") or outcome.error is not None
            assert not litter(tmp_path)
            vault.set("key", "old")

    def test_two_processes_lose_none_of_their_secrets(self, path: Path) -> None:
        code = (f"import sys; from mldesk.library import vault as v; from pathlib import Path\n"
                f"v._KDF = {vaults._KDF!r}; vault = v.Vault(Path({str(path)!r}), lambda new: 'correct horse')\n"
                f"[vault.set(sys.argv[1] + str(i), 'x') for i in range(20)]")
        writers = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "ab"]
        assert [writer.wait() for writer in writers] == [0, 0]
        vault = Vault(path, lambda _: "correct horse")
        assert all(vault.get(f"{name}{number}") == "x" for name in "ab" for number in range(20))


def test_the_real_key_is_as_costly_as_the_standard_says(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.undo()
    vault = Vault(path, lambda _: "correct horse")
    vault.set("key", "x")
    kdf = json.loads(path.read_text())["kdf"]
    assert (kdf["time"], kdf["memory"], kdf["lanes"]) == (3, 65536, 4)
