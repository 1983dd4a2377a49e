"""Asking a person at a terminal: passwords, passphrases, one-time codes, and whether to go on."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from mldesk.cli import words


def at_terminal() -> bool:
    """Say whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Ask yes or no on stderr; anything but yes is no."""
    sys.stderr.write(words.plain(f"{question} [y/N] "))
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class TerminalAsker:
    """Asks where the command was typed. Nothing is echoed but what the host says may be shown.

    What a person did not answer is not asked again: a command that follows a run would go on asking.
    """

    def __init__(self) -> None:
        self.keep_last = False
        self._declined: set[str] = set()

    def passphrase(self, key: Path) -> str | None:
        """Ask for what unlocks a key file."""
        return self._secret(f"Passphrase of {key}: ")

    def password(self, user: str, host: str, port: int) -> str | None:
        """Ask for the password of an account."""
        return self._secret(f"Password of {user}@{host}" + (f":{port}: " if port != 22 else ": "))

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        """Ask what the host asks."""
        sys.stderr.write(words.plain(f"{host} asks{': ' + title if title else ''}\n"))
        try:
            return [_shown(text) if shown else getpass.getpass(f"{words.cell(text.rstrip())} ")
                    for text, shown in prompts]
        except EOFError:
            return None

    def _secret(self, prompt: str) -> str | None:
        if prompt in self._declined:
            return None
        try:
            text = getpass.getpass(prompt)
        except EOFError:
            text = ""
        if not text:
            self._declined.add(prompt)
            return None
        self.keep_last = confirm("Remember it?")
        return text


class GivenPassword:
    """Answers with the one password that came on standard input."""

    def __init__(self, password: str, *, remember: bool) -> None:
        self._password = password
        self.keep_last = remember

    def passphrase(self, key: Path) -> str | None:  # noqa: ARG002 - the password is no key's passphrase
        """Give nothing: it is the account's password."""
        return None

    def password(self, user: str, host: str, port: int) -> str | None:  # noqa: ARG002 - of whichever account asks
        """Give the password."""
        return self._password

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:  # noqa: ARG002
        """Give nothing: a question for the password alone does not come here."""
        return None


def _shown(text: str) -> str:
    sys.stderr.write(f"{words.cell(text.rstrip())} ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
