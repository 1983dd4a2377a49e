"""Getting in: the agent's keys, key files, then what the user or their keyring answers, as far as the host allows."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import paramiko
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.ssh.config import Hop
from mldesk.runners.ssh.credentials import Credentials
from mldesk.runners.ssh.errors import LoginRefused, at
from mldesk.runners.ssh.host_keys import HostKey

_MOST_KEYS = 5             # sshd hangs up after six tries, and the first is "none"
_MOST_STEPS = 4            # methods that a host may ask for one after another
# What paramiko raises for whoever waits: its own errors, and whatever ended its reading thread. On a line that loses or
# damages bytes that is an error of the cipher, or of the parser that got nonsense.
BROKEN = (paramiko.SSHException, OSError, EOFError, InvalidTag, ValueError, TypeError, LookupError, ArithmeticError,
          struct.error)
log = logging.getLogger("mldesk.ssh")


class Login:
    """One login at one host. ``tried`` says in words what was offered, for the error a person reads."""

    def __init__(self, transport: paramiko.Transport, hop: Hop, credentials: Credentials) -> None:
        self._transport, self._hop, self._credentials = transport, hop, credentials
        self.tried: list[str] = []
        self._agent: paramiko.Agent | None = None
        self._keys: Iterator[paramiko.PKey] | None = None

    def run(self) -> None:
        """Log in. Raises LoginRefused; RunnerUnreachable when the connection ends before the host has decided."""
        try:
            allowed = self._begin()
            for _ in range(_MOST_STEPS):
                if self._transport.is_authenticated():
                    return
                allowed = self._step(allowed)
            raise self._refused(allowed)
        except paramiko.SSHException as error:
            raise RunnerUnreachable(f"{self._where} ended the connection while we logged in: {error}") from error
        except BROKEN as error:
            raise RunnerUnreachable(f"The connection to {self._where} broke while we logged in.") from error
        finally:
            if self._agent is not None:
                self._agent.close()

    @property
    def _where(self) -> str:
        return f"{self._hop.user}@{at(self._hop.host, self._hop.port)}"

    def _begin(self) -> list[str]:
        """Ask what is allowed, which also logs in where nothing is needed."""
        try:
            return list(self._transport.auth_none(self._hop.user))
        except paramiko.BadAuthenticationType as error:
            return list(error.allowed_types)
        except paramiko.AuthenticationException:
            self._still_there()
            return ["publickey", "password", "keyboard-interactive"]

    def _step(self, allowed: list[str]) -> list[str]:
        """Pass one method; return the methods the host wants next, if it wants more. Raises LoginRefused."""
        if "publickey" in allowed:
            self._keys = self._keys or self._all_keys()
            for key in self._keys:
                further = self._attempt(f"the key {_words(key)}",
                                        partial(self._transport.auth_publickey, self._hop.user, key))
                if further is not None:
                    return further
        if "keyboard-interactive" in allowed:
            further = self._attempt("", lambda: self._transport.auth_interactive(self._hop.user, self._answer))
            if further is not None:
                return further
        if "password" in allowed:
            password = self._credentials.password(self._hop.user, self._hop.host, self._hop.port)
            if password is not None:
                further = self._attempt("a password", lambda: self._transport.auth_password(
                    self._hop.user, password, fallback=False))
                if further is not None:
                    return further
        raise self._refused(allowed)

    def _attempt(self, what: str, method: Callable[[], Sequence[str]]) -> list[str] | None:
        """Return what is wanted next (nothing: we are in), or None if this was refused."""
        if what:
            self.tried.append(what)
        try:
            return list(method())
        except paramiko.AuthenticationException as error:
            log.info("%s refused %s: %s", self._where, what or "our answers", error)
            self._still_there()
            return None

    def _still_there(self) -> None:
        """Tell a refusal from a connection that ended. Raises RunnerUnreachable."""
        if not self._transport.is_active():
            raise RunnerUnreachable(f"{self._where} ended the connection while we logged in.",
                                    hint=f"Offered so far: {', '.join(self.tried) or 'nothing'}.")

    def _answer(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> Sequence[str]:
        """Answer for keyboard-interactive; called in paramiko's thread, so it must not raise."""
        if not prompts:
            return []
        self.tried.append("answers to its questions")
        given = self._credentials.answers(self._where, f"{title} {instructions}".strip()[:500],
                                          [(text[:500], bool(shown)) for text, shown in prompts])
        if given is None and len(prompts) == 1 and not prompts[0][1]:
            password = self._credentials.password(self._hop.user, self._hop.host, self._hop.port)
            given = None if password is None else [password]
        return list(given) if given is not None else [""] * len(prompts)

    def _refused(self, allowed: Sequence[str]) -> LoginRefused:
        offered = ", ".join(dict.fromkeys(self.tried)) or "nothing, since no key was found"
        accepted = ", ".join(allowed) or "nothing"
        return LoginRefused(f"{self._where} did not let us in. Offered: {offered}.",
                            hint=f"It accepts: {accepted}. Try `ssh {self._where}` in a terminal.")

    # --- keys

    def _all_keys(self) -> Iterator[paramiko.PKey]:
        """Give the keys to try: those the agent holds, the named ones first, then files it does not hold."""
        named = {blob: path for path in self._hop.keys if (blob := _public(path)) is not None}
        held = self._from_agent()
        chosen = [key for key in held if key.asbytes() in named]
        if not self._hop.only_keys:
            chosen += [key for key in held if key.asbytes() not in named]
        known = {key.asbytes() for key in held}
        count = 0
        for key in chosen[:_MOST_KEYS]:
            count += 1
            yield key
        for path in self._hop.keys:
            if count >= _MOST_KEYS or _public(path) in known:
                continue
            loaded = self._load(path)
            if loaded is not None:
                count += 1
                yield loaded

    def _from_agent(self) -> list[paramiko.PKey]:
        if not self._hop.use_agent:
            return []
        try:
            self._agent = paramiko.Agent()
            return list(self._agent.get_keys())
        except (paramiko.SSHException, OSError) as error:
            log.info("the SSH agent of this machine does not answer: %s", error)
            return []

    def _load(self, path: Path) -> paramiko.PKey | None:
        """Read a key file, asking for its passphrase if it has one; None, and a note, if it cannot be used."""
        try:
            try:
                return paramiko.PKey.from_path(path)
            except (TypeError, paramiko.PasswordRequiredException):  # cryptography says it so, paramiko so
                passphrase = self._credentials.passphrase(path)
                if passphrase is None:
                    self.tried.append(f"{path.name} (not without its passphrase)")
                    return None
                return paramiko.PKey.from_path(path, passphrase.encode())
        except (ValueError, TypeError, OSError, paramiko.SSHException, UnsupportedAlgorithm,
                paramiko.pkey.UnknownKeyType) as error:
            log.info("the key %s cannot be used: %s", path, error)
            self.tried.append(f"{path.name} (which cannot be read, or not with that passphrase)")
            return None


def _public(path: Path) -> bytes | None:
    """Return the public half of a key file, if it lies beside it."""
    try:
        kind, text = path.with_name(path.name + ".pub").read_text("utf-8").split()[:2]
        return HostKey.from_base64(kind, text).blob
    except (OSError, ValueError):
        return None


def _words(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.fingerprint}"
