"""Secrets: in the system's keyring where there is one that works, else in the vault file.

Nothing secret goes into the database, a journal, a job or an argument list. A keyring is believed only after a real
write, read and delete; everything that talks to one runs in a thread with a time limit, since a locked or prompting
keyring may never answer.
"""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from mldesk.core.errors import BadInput, SecretsLocked
from mldesk.library.vault import Passphrase, Vault, from_environment

SERVICE = "mldesk"
LONGEST = 1_200          # characters; Windows' credential store takes no more
PROBE_SECONDS = 5.0
ANSWER_SECONDS = 60.0    # a person may be typing the keyring's own password
_REFUSED = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt")

T = TypeVar("T")


class Keyring(Protocol):
    """The part of ``keyring.backend.KeyringBackend`` that is used."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class SecretStore:
    """Small secrets by name. Finds its place at the first use, so that making one costs nothing. Thread-safe."""

    def __init__(self, vault: Path, *, passphrase: Passphrase = from_environment,
                 find_keyring: Callable[[], Keyring | None] | None = None,
                 probe_seconds: float = PROBE_SECONDS) -> None:
        self._vault = Vault(vault, passphrase)
        self._find, self._probe_seconds = find_keyring or system_keyring, probe_seconds
        self._keyring: Keyring | None = None
        self._probed = False
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Where secrets are kept: "keyring" or "vault"."""
        return "vault" if self._usable() is None else "keyring"

    def get(self, name: str) -> str | None:
        """Return the secret kept under ``name``, or None. Raises SecretsLocked."""
        keyring = self._usable()
        if keyring is not None:
            found = _ask(lambda: keyring.get_password(SERVICE, name), ANSWER_SECONDS)
            if found is not None:
                return found
        # Where the keyring knows nothing, a vault from a time without one may; locked, it must not read as "none".
        return self._vault.get(name) if self._vault.exists else None

    def set(self, name: str, value: str) -> None:
        """Keep ``value`` (at most LONGEST characters). Raises BadInput, SecretsLocked, DiskFull."""
        if len(value) > LONGEST:
            raise BadInput(f"A secret has at most {LONGEST} characters, not {len(value)}.")
        keyring = self._usable()
        if keyring is None:
            self._vault.set(name, value)
        else:
            _ask(lambda: keyring.set_password(SERVICE, name, value), ANSWER_SECONDS)

    def delete(self, name: str) -> None:
        """Forget a secret, wherever it is; one that is not there is forgotten already. Raises SecretsLocked."""
        keyring = self._usable()
        if keyring is not None and _ask(lambda: keyring.get_password(SERVICE, name), ANSWER_SECONDS) is not None:
            _ask(lambda: keyring.delete_password(SERVICE, name), ANSWER_SECONDS)
        if self._vault.exists:
            self._vault.delete(name)

    def _usable(self) -> Keyring | None:
        with self._lock:
            if not self._probed:
                try:
                    self._keyring = _ask(lambda: probed(self._find()), self._probe_seconds)
                except SecretsLocked:
                    self._keyring = None
                self._probed = True
            return self._keyring


def system_keyring() -> Keyring | None:
    """Return the system's keyring if it is one that keeps secrets secret; None otherwise."""
    import keyring  # slow: it looks through every installed package for backends

    return acceptable(keyring.get_keyring())


def acceptable(backend: object) -> Keyring | None:
    """Return ``backend``, or the first acceptable one of a chain; None for those that keep nothing or in plain text."""
    kind = type(backend)
    if kind.__module__ == "keyring.backends.chainer":
        found = (acceptable(inner) for inner in getattr(backend, "backends", ()))
        return next((inner for inner in found if inner is not None), None)
    if kind.__module__.startswith(_REFUSED) or "plaintext" in kind.__name__.lower():
        return None
    return backend  # type: ignore[return-value]


def probed(backend: Keyring | None) -> Keyring | None:
    """Return ``backend`` if it gives back what it was given; None if not. Raises what the backend raises."""
    if backend is None:
        return None
    name, value = f"probe-{secrets.token_hex(8)}", secrets.token_hex(8)
    backend.set_password(SERVICE, name, value)
    try:
        answer = backend.get_password(SERVICE, name)
    finally:
        backend.delete_password(SERVICE, name)
    return backend if answer == value else None


def _ask(question: Callable[[], T], seconds: float) -> T:
    """Run ``question`` in a thread of its own. Raises SecretsLocked if it fails, or gives no answer in time.

    A thread that never answers stays behind; it is a daemon and ends with the process.
    """
    answers: queue.SimpleQueue[tuple[T, None] | tuple[None, Exception]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((question(), None))
        except Exception as error:  # noqa: BLE001 - backends raise whatever their system gives them; told below
            answers.put((None, error))

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty as late:
        raise SecretsLocked(f"The keyring gave no answer within {seconds:g} seconds.",
                            hint="Unlock it, then do it again.") from late
    if error is not None:
        raise SecretsLocked(f"The keyring refused: {error!s:.200}.", hint="Unlock it, then do it again.") from error
    return answer  # type: ignore[return-value]
