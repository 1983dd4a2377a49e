"""What a person types (``user@host:port``) and their ~/.ssh/config, turned into a route: who to ask, through whom.

Understood here: Host, HostName, User, Port, IdentityFile, IdentitiesOnly, IdentityAgent, ProxyJump, ConnectTimeout.
``Route.why_system`` names the first setting that only the system's own ssh program can follow; then that is to be
used, so that whatever works in a terminal works here. /etc/ssh/ssh_config is left to that program.
"""

from __future__ import annotations

import getpass
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core.errors import BadInput

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.\-]*")  # of a host or an alias; never an option of ssh
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9_.\-]+)?")
_USER = re.compile(r"[^\s@:/\\'\"`$;&|<>(){}\-][^\s@:'\"`$;&|<>(){}]*")
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
MOST_JUMPS = 8
_HANDLED = {"hostname", "user", "port", "identityfile", "identitiesonly", "identityagent", "proxyjump",
            "connecttimeout"}
# What changes nothing of what is done here: no terminal, no forwarding, checks and keepalives of our own.
_HARMLESS = {
    "addkeystoagent", "batchmode", "canonicaldomains", "checkhostip", "clearallforwardings", "compression",
    "connectionattempts", "controlmaster", "controlpath", "controlpersist", "dynamicforward", "enableescapecommandline",
    "escapechar", "exitonforwardfailure", "fingerprinthash", "forwardagent", "forwardx11", "forwardx11timeout",
    "forwardx11trusted", "gatewayports", "hashknownhosts", "ignoreunknown", "ipqos", "localcommand", "localforward",
    "loglevel", "logverbose", "nohostauthenticationforlocalhost", "numberofpasswordprompts", "obscurekeystroketiming",
    "permitlocalcommand", "permitremoteopen", "remotecommand", "remoteforward", "requesttty", "sendenv",
    "serveralivecountmax", "serveraliveinterval", "setenv", "streamlocalbindmask", "streamlocalbindunlink",
    "stricthostkeychecking", "syslogfacility", "tcpkeepalive", "updatehostkeys", "usekeychain", "visualhostkey",
    "xauthlocation",
}
_OFF = {"no", "none", "false", "0"}
# Asking for these with "no" is asking for what is done here anyway.
_MAY_BE_OFF = {"gssapiauthentication", "gssapidelegatecredentials", "proxycommand", "hostbasedauthentication",
               "canonicalizehostname", "pkcs11provider", "securitykeyprovider", "forkafterauthentication", "stdinnull",
               "knownhostscommand", "certificatefile"}
_MAY_BE_ON = {"pubkeyauthentication", "passwordauthentication", "kbdinteractiveauthentication",
              "challengeresponseauthentication"}


@dataclass(frozen=True, slots=True)
class Target:
    """A host as a person names it. Empty or zero: as the settings say."""

    host: str        # a name, an address, or an alias of ~/.ssh/config
    user: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``[ssh://][user@]host[:port]``, an IPv6 address with a port in brackets. Raises BadInput."""
        text = text.strip().removeprefix("ssh://").rstrip("/")
        user, _, place = text.rpartition("@")
        bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", place)
        if bracketed:
            host, port = bracketed.group(1), bracketed.group(2)
        elif place.count(":") == 1:
            host, port = place.split(":")
        else:
            host, port = place, None
        if not (_NAME.fullmatch(host) or (":" in host and _ADDRESS.fullmatch(host))):
            raise BadInput(f"{text!r:.80} names no machine.", hint="Write it as user@host or user@host:port.")
        if user and not _USER.fullmatch(user):
            raise BadInput(f"{user!r:.60} is no name of a user.", hint="Write it as user@host or user@host:port.")
        number = int(port) if port and port.isascii() and port.isdigit() and len(port) < 6 else 0
        if port is not None and not 0 < number < 65536:
            raise BadInput(f"{port!r:.20} is no port: 1 to 65535.")
        return cls(host, user, number)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")


@dataclass(frozen=True, slots=True)
class Hop:
    """One machine on the way, with everything that is needed to log in there."""

    host: str                     # what is dialled, and what its key is pinned under
    port: int
    user: str
    keys: tuple[Path, ...]        # private key files to try, in order, as far as they exist
    only_keys: bool = False       # IdentitiesOnly: the agent may sign for these keys only
    use_agent: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """How to get to a target."""

    target: Target
    hops: tuple[Hop, ...]         # jump hosts first, the target last
    why_system: str = ""          # why only the system's ssh can take this route; empty if paramiko can


def resolve(target: Target, folder: Path | None = None) -> Route:
    """Look the target up in ``folder``/config (default ~/.ssh). Raises BadInput for settings that cannot be read."""
    folder = folder or Path.home() / ".ssh"
    text = _read(folder / "config")
    keyword = re.search(r"^[ \t]*(include|match)\b", text, re.IGNORECASE | re.MULTILINE)
    if keyword:  # what holds for this host cannot be told without following them
        why = f"~/.ssh/config uses {keyword.group(1).capitalize()}"
        return Route(target, (_hop(target, {}, folder),), why)
    return _follow(target, text, folder)


def needs_system_ssh(settings: Mapping[str, Any], keys: tuple[Path, ...] = ()) -> str:
    """Say which setting of a host only the system's ssh can follow; empty if there is none.

    ``settings`` has lower-case names, as paramiko reads them. A setting that is not known here counts as one.
    """
    for name, value in settings.items():
        values = [str(item).strip().lower() for item in (value if isinstance(value, list) else [value])]
        off, on = set(values) <= _OFF, set(values) == {"yes"}
        if name in _HANDLED or name in _HARMLESS or (off and name in _MAY_BE_OFF) or (on and name in _MAY_BE_ON):
            if name == "identityagent" and not set(values) <= {"none", "ssh_auth_sock"}:
                return "the setting IdentityAgent names an agent of its own"
            continue
        return f"the setting {name} is in ~/.ssh/config"
    return next((f"the key {key.name} lives in a security key" for key in keys if _in_hardware(key)), "")


def _follow(target: Target, text: str, folder: Path) -> Route:
    """Follow ProxyJump from the target back to the first machine that can be dialled."""
    hops: list[Hop] = []
    why = ""
    waiting: list[Target] = [target]
    while waiting:
        here = waiting.pop()
        settings = _lookup(here.host, text)
        hop = _hop(here, settings, folder)
        hops.insert(0, hop)
        why = why or needs_system_ssh(settings, hop.keys)
        if len(hops) > MOST_JUMPS:
            raise BadInput("~/.ssh/config leads through jump hosts in a circle.", hint="Look at its ProxyJump lines.")
        jumps = str(settings.get("proxyjump", "none"))
        if jumps.lower() == "none" or waiting:
            continue  # as with ssh, the list of the target counts; only its first jump may have jumps of its own
        waiting = [Target.parse(item) for item in jumps.split(",")]
    return Route(target, tuple(hops), why)


def _lookup(host: str, text: str) -> dict[str, Any]:
    from paramiko import SSHConfig  # loads cryptography, which a list of runners need not wait for
    from paramiko.ssh_exception import SSHException

    try:
        return dict(SSHConfig.from_text(text).lookup(host))
    except (SSHException, ValueError) as error:
        raise BadInput(f"~/.ssh/config cannot be read: {error!s:.200}") from error


def _hop(target: Target, settings: Mapping[str, Any], folder: Path) -> Hop:
    named = [Path(item).expanduser() for item in settings.get("identityfile", []) if item.lower() != "none"]
    only = str(settings.get("identitiesonly", "no")).lower() == "yes"
    keys = named or ([] if "identityfile" in settings else [folder / name for name in _DEFAULT_KEYS])
    try:
        port = target.port or int(settings.get("port", 22))
        user = target.user or str(settings.get("user", "")) or getpass.getuser()
        Target.parse(f"[{host}]" if ":" in (host := str(settings.get("hostname", target.host))) else host)
    except (ValueError, OSError) as error:
        raise BadInput(f"~/.ssh/config says something impossible of {target.host}: {error!s:.100}") from error
    agent = str(settings.get("identityagent", "SSH_AUTH_SOCK")).lower() != "none"
    return Hop(host, port, user, tuple(key for key in keys if key.is_file()), only, agent)


def _in_hardware(key: Path) -> bool:
    """Say whether a key file is a handle to a FIDO token: its public half says so."""
    try:
        return key.with_name(key.name + ".pub").read_text("utf-8", "replace").startswith("sk-")
    except OSError:
        return False


def _read(path: Path) -> str:
    """Return the settings; none if there is no such file. Raises BadInput as ssh does, if others may write to it."""
    try:
        facts = path.stat()
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    if os.name != "nt" and (facts.st_uid not in (0, os.getuid()) or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise BadInput(f"Others may write to {path}, so it is not followed.", hint=f"Run: chmod go-w {path}")
    return text
