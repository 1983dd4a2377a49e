"""Addresses of machines as people write or paste them: ``me@box``, ``me@box:2222``, ``ssh -p 2222 me@box``. No I/O."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from mldesk.core.errors import BadInput

_WITH_VALUE = "BbcDEeFIiJLmOoPpQRSWw"  # options of ssh that take a value
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]+)?")
_USER = re.compile(r"[A-Za-z0-9_.\\][A-Za-z0-9_.@\\-]{0,63}\$?")
_HOW = "Write it like me@machine or me@machine:2222."


@dataclass(frozen=True, slots=True)
class Address:
    """Where a machine is reached. What is empty or 0 is left to the SSH settings of this account."""

    host: str
    user: str = ""
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and self.port else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")

    @property
    def name(self) -> str:
        """A name for the runner: the first word of a host's name, or the whole of a number."""
        host = self.host.partition("%")[0]
        if re.fullmatch(r"[0-9.]+", host) or ":" in host:
            return host.replace(":", "-")
        return host.partition(".")[0].lower()


def read_address(text: str) -> Address:
    """Read an address or a whole ssh command. Raises BadInput with what is wrong and how to write it."""
    text = text.strip()
    if not text:
        raise BadInput("No address yet.", hint=_HOW)
    words = _words(text)
    if words[0] == "ssh" or words[0].endswith("/ssh") or len(words) > 1:
        return _command(words)
    return _one(words[0].removeprefix("ssh://").rstrip("/"))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise BadInput("A quotation mark is not closed.", hint=_HOW) from error


def _command(words: list[str]) -> Address:
    """Read what stands behind ``ssh``: options before or after the host, then nothing."""
    if not (words[0] == "ssh" or words[0].endswith("/ssh")):
        raise BadInput("An address is one word.", hint=_HOW)
    options: dict[str, str] = {}
    hosts: list[str] = []
    rest = words[1:]
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            hosts.append(word)
            continue
        letter, value = word[1:2], word[2:]
        if letter in _WITH_VALUE + "l":
            options[letter] = value or (rest.pop(0) if rest else "")
    if len(hosts) != 1:
        raise BadInput("The command names no machine." if not hosts else
                       "The command also says what to run there; only the machine is needed.", hint=_HOW)
    for letter, word in (("J", "ProxyJump"), ("o", "option"), ("F", "settings file")):
        if letter in options:
            raise BadInput(f"The {word} {options[letter]} cannot be given here.",
                           hint="Put it into ~/.ssh/config under a Host of its own, then write that host's name.")
    found = _one(hosts[0].removeprefix("ssh://").rstrip("/"))
    port = _port(options["p"]) if "p" in options else found.port
    return Address(found.host, found.user or _user(options.get("l", "")), port)


def _one(text: str) -> Address:
    user, at, place = text.rpartition("@")
    if at and not user:
        raise BadInput("The user before the @ is missing.", hint=_HOW)
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", place)
    if bracketed is not None:
        host, port = bracketed[1], bracketed[2]
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    else:
        host, port = place, None
    if not _HOST.fullmatch(host):
        raise BadInput(f"{host[:60]!r} is no machine's name or number." if host else "The machine is missing.",
                       hint=_HOW)
    return Address(host, _user(user), 0 if port is None else _port(port))


def _user(text: str) -> str:
    if text and not _USER.fullmatch(text):
        raise BadInput(f"{text[:60]!r} is no user's name.", hint=_HOW)
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise BadInput(f"{text[:12]!r} is no port; they go from 1 to 65535.", hint=_HOW)
    return int(text)
