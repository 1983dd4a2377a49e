"""The encrypted file that holds secrets where there is no keyring: Argon2id over a passphrase, AES-256-GCM.

    {"format": 1, "kdf": {"name": "argon2id", "salt", "time", "memory", "lanes"}, "nonce", "sealed"}

``sealed`` is the canonical JSON of {name: secret}, encrypted as one, so that not even names can be read; the head of
the file is authenticated with it. Bytes are base64; memory is in KiB.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mldesk.core import canonical, durable
from mldesk.core.errors import BadInput, SecretsLocked
from mldesk.core.filelock import locked

FORMAT = 1
ENVIRONMENT = "MLDESK_VAULT_PASSPHRASE"
_NONCE = 12  # bytes
SHORTEST = 8  # characters of a new passphrase
_KDF = {"name": "argon2id", "time": 3, "memory": 64 * 1024, "lanes": 4}  # RFC 9106's second recommendation
_MOST = {"time": 20, "memory": 1024 * 1024, "lanes": 16}  # what a file may ask of the machine that opens it

Passphrase = Callable[[bool], str | None]
"""Gives the passphrase, or None if there is nobody to ask. True means: for a new vault (ask twice)."""


def from_environment(new: bool) -> str | None:  # noqa: ARG001 - a source of passphrases: see Passphrase
    """Give the passphrase of headless use."""
    return os.environ.get(ENVIRONMENT)


class Vault:
    """Secrets in one file. Thread-safe, and safe with other processes; asks for the passphrase once."""

    def __init__(self, path: Path, passphrase: Passphrase = from_environment) -> None:
        self._path, self._passphrase = path, passphrase
        self._keys: dict[str, bytes] = {}  # canonical head -> key, for as long as the process lives
        self._lock = threading.Lock()

    @property
    def exists(self) -> bool:
        return self._path.is_file()

    def get(self, name: str) -> str | None:
        """Return a secret. Raises SecretsLocked for a missing or wrong passphrase; asks nothing without a vault."""
        with self._lock:
            return self._open()[1].get(name)

    def set(self, name: str, value: str) -> None:
        """Keep a secret. Raises SecretsLocked, BadInput for a new passphrase that is too short, DiskFull."""
        with self._lock, self._alone():
            head, held = self._open()
            self._seal(head or self._new_head(), {**held, name: value})

    def delete(self, name: str) -> None:
        """Forget a secret; one that is not there is forgotten already. Raises SecretsLocked."""
        with self._lock, self._alone():
            head, held = self._open()
            if head is not None and name in held:
                del held[name]
                self._seal(head, held)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with durable.disk_errors("keeping a secret"):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._path.with_name(f".{self._path.name}.lock")):
                yield

    def _open(self) -> tuple[dict[str, Any] | None, dict[str, str]]:
        """Return the file's head and what it holds; nothing of either where there is no file."""
        from cryptography.exceptions import InvalidTag  # slow to import, and rarely needed
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None, {}
        head, nonce, sealed = _parse(data, self._path)
        try:
            opened = AESGCM(self._key(head, new=False)).decrypt(nonce, sealed, canonical.dumps(head))
        except InvalidTag as error:
            self._keys.clear()
            raise SecretsLocked(f"The passphrase does not open the vault {self._path}, or the file was changed.",
                                hint="Try again; a forgotten passphrase cannot be recovered.") from error
        value = canonical.loads(opened)
        return head, {str(name): str(secret) for name, secret in value.items()} if isinstance(value, Mapping) else {}

    def _seal(self, head: dict[str, Any], held: Mapping[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # slow to import, and rarely needed

        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self._key(head, new=not self.exists)).encrypt(
            nonce, canonical.dumps(dict(held)), canonical.dumps(head))
        data = canonical.dumps({**head, "nonce": _text(nonce), "sealed": _text(sealed)})
        with durable.draft(self._path.parent, self._path.name) as new:
            new.path.chmod(0o600)
            new.file.write(data)
            new.keep_as(self._path)

    def _new_head(self) -> dict[str, Any]:
        return {"format": FORMAT, "kdf": {**_KDF, "salt": _text(secrets.token_bytes(16))}}

    def _key(self, head: dict[str, Any], *, new: bool) -> bytes:
        from argon2.low_level import Type, hash_secret_raw  # slow to import, and rarely needed

        name = canonical.dumps(head).decode()
        if name not in self._keys:
            passphrase = self._passphrase(new)
            if not passphrase:
                raise SecretsLocked("There is no keyring here, and no passphrase for the vault that stands in for it.",
                                    hint=f"Give one when you are asked, or set {ENVIRONMENT}.")
            if new and len(passphrase) < SHORTEST:
                raise BadInput(f"A passphrase for the vault has at least {SHORTEST} characters.")
            kdf = head["kdf"]
            self._keys[name] = hash_secret_raw(
                passphrase.encode("utf-8"), base64.b64decode(kdf["salt"]), time_cost=kdf["time"],
                memory_cost=kdf["memory"], parallelism=kdf["lanes"], hash_len=32, type=Type.ID)
        return self._keys[name]


def _parse(data: bytes, path: Path) -> tuple[dict[str, Any], bytes, bytes]:
    try:
        value: Any = canonical.loads(data)
        if value["format"] != FORMAT:
            raise SecretsLocked(f"The vault {path} was written by a newer MLDesk.", hint="Upgrade MLDesk to open it.")
        kdf = value["kdf"]
        if kdf["name"] != _KDF["name"] or len(base64.b64decode(kdf["salt"], validate=True)) < 8:
            raise ValueError("kdf")
        if any(not isinstance(kdf[key], int) or not 1 <= kdf[key] <= most for key, most in _MOST.items()):
            raise ValueError("kdf")
        nonce, sealed = (base64.b64decode(value[key], validate=True) for key in ("nonce", "sealed"))
        if kdf["memory"] < 8 * kdf["lanes"] or len(nonce) != _NONCE:
            raise ValueError("kdf or nonce")
        head = {"format": FORMAT, "kdf": {key: kdf[key] for key in ("name", "salt", "time", "memory", "lanes")}}
        return head, nonce, sealed
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise SecretsLocked(f"The vault {path} is damaged and cannot be opened.",
                            hint="Bring it back from a copy, or move it away to begin a new one.") from error


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
