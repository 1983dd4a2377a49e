"""Passwords and passphrases of runners: kept where secrets are kept when the user says so, else asked for.

Nothing of it goes into the database, a log, an argument list or the environment. What was typed is held in memory once
a machine let us in with it, so that a connection that breaks at night is made again without anybody.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from mldesk.core.errors import BadInput, SecretsLocked
from mldesk.library.secrets import SecretStore

log = logging.getLogger("mldesk.runners")


class Asker(Protocol):
    """Somebody who can be asked, from any thread: a dialog or a terminal. None is no answer."""

    keep_last: bool  # whether the last answer is to be remembered: only ever because the user said so

    def passphrase(self, key: Path) -> str | None:
        """Return what unlocks a key file."""
        ...

    def password(self, user: str, host: str, port: int) -> str | None:
        """Return the password of an account."""
        ...

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        """Answer what the host asks (a one-time code); each prompt with whether its answer may be shown."""
        ...


class KeptSecrets:
    """What is known in this process, what is kept, and whom to ask. Shared by all connections. Thread-safe."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}
        self._doubted: set[str] = set()  # refused the last time: ask rather than offer it again
        self.asker: Asker | None = None
        self.asking = threading.Lock()   # one question at a time
        self.problem = ""                # why something could not be remembered, for people

    def find(self, name: str) -> str | None:
        """Return what is known, unless a machine has just refused it and there is somebody to ask."""
        with self._lock:
            if name in self._doubted and self.asker is not None:
                return None
            if name in self._held:
                return self._held[name]
        try:
            return self._secrets.get(name)
        except SecretsLocked as error:
            log.info("no secret can be read: %s", error)
            return None

    def accepted(self, typed: dict[str, str], remember: set[str]) -> None:
        """Hold what let us in; keep what the user wants kept."""
        with self._lock:
            self._held.update(typed)
            self._doubted.difference_update(typed)
        for name in sorted(remember):
            try:
                self._secrets.set(name, typed[name])
            except (SecretsLocked, BadInput) as error:
                self.problem = f"It could not be remembered: {error.message} {error.hint}".strip()

    def refused(self, names: set[str]) -> None:
        """Doubt what did not let us in."""
        with self._lock:
            self._doubted |= names
            for name in names:
                self._held.pop(name, None)

    def forget(self, name: str) -> None:
        """Drop a secret for good; where the place it is kept in is locked, it stays there."""
        with self._lock:
            self._held.pop(name, None)
        try:
            self._secrets.delete(name)
        except SecretsLocked as error:
            log.info("a secret could not be deleted: %s", error)


class LoginSecrets:
    """The Credentials of one runner, jump hosts on the way included."""

    def __init__(self, kept: KeptSecrets) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._typed: dict[str, str] = {}
        self._remember: set[str] = set()
        self._offered: set[str] = set()

    def passphrase(self, key: Path) -> str | None:
        """Return what unlocks a key file."""
        return self._find(passphrase_name(key), lambda asker: asker.passphrase(key))

    def password(self, user: str, host: str, port: int) -> str | None:
        """Return the password of an account."""
        return self._find(password_name(user, host, port), lambda asker: asker.password(user, host, port))

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        """Answer what the host asks. A question for the password alone is left to ``password``, which may know it."""
        if len(prompts) == 1 and not prompts[0][1] and "password" in prompts[0][0].lower():
            return None
        asker = self._kept.asker
        if asker is None:
            return None
        with self._kept.asking:
            return asker.answers(host, title, prompts)

    def accepted(self) -> None:
        """The machine let us in."""
        if not self._offered:
            return
        with self._lock:
            typed, remember = dict(self._typed), set(self._remember)
            self._typed.clear()
            self._remember.clear()
            self._offered.clear()
        self._kept.accepted(typed, remember)

    def refused(self) -> None:
        """The machine did not let us in."""
        with self._lock:
            offered = set(self._offered)
            self._typed.clear()
            self._remember.clear()
            self._offered.clear()
        self._kept.refused(offered)

    def _find(self, name: str, ask: Callable[[Asker], str | None]) -> str | None:
        with self._lock:
            known = self._typed.get(name)
        known = known if known is not None else self._kept.find(name)
        asker = self._kept.asker
        keep = False
        if known is None and asker is not None:
            with self._kept.asking:
                known = ask(asker)
                keep = known is not None and asker.keep_last
            if known is not None:
                with self._lock:
                    self._typed[name] = known
                    self._remember |= {name} if keep else set()
        if known is not None:
            with self._lock:
                self._offered.add(name)
        return known


def password_name(user: str, host: str, port: int) -> str:
    """Return the name under which an account's password is kept."""
    return f"ssh-password {user}@{host}:{port}"


def passphrase_name(key: Path) -> str:
    """Return the name under which a key file's passphrase is kept."""
    return f"ssh-passphrase {key}"
