"""Where the secrets of a login come from: the application passes the keyring's or the user's answers in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Credentials(Protocol):
    """Where secrets come from: the keyring, or the user. None means that there is none to give. May take a while."""

    def passphrase(self, key: Path) -> str | None:
        """Return what unlocks a key file."""
        ...

    def password(self, user: str, host: str, port: int) -> str | None:
        """Return the password of an account."""
        ...

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        """Answer what the host asks (a one-time code); each prompt with whether its answer may be shown."""
        ...


class NoCredentials:
    """Nothing but keys that need no passphrase."""

    def passphrase(self, _key: Path) -> str | None:
        return None

    def password(self, _user: str, _host: str, _port: int) -> str | None:
        return None

    def answers(self, _host: str, _title: str, _prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        return None
