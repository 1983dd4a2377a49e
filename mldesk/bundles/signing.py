"""Ed25519 signatures: who vouches for a bundle.

The signature is over the manifest's bytes, which name every file by digest, the signer's public key and the name the
signer goes by. A name in a bundle is a claim; only the fingerprint of the key is a fact.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from mldesk.core.errors import BadInput

FORMAT = 1
ALGORITHM = "Ed25519"
_PURPOSE = b"MLDesk bundle manifest\0"  # a signature made for a bundle is good for nothing else
_TEXT = "mldesk-ed25519:"
_KEY_BYTES = 32


class SigningKey:
    """A private key. ``to_text`` is a secret: it goes into the keyring or vault and nowhere else."""

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # not needed to inspect

        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new key."""
        import secrets

        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> SigningKey:
        """Read what ``to_text`` wrote. Raises BadInput."""
        try:
            seed = base64.b64decode(text.removeprefix(_TEXT), validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadInput("The signing key that is kept on this machine cannot be read.") from error
        if not text.startswith(_TEXT) or len(seed) != _KEY_BYTES:
            raise BadInput("The signing key that is kept on this machine cannot be read.")
        return cls(seed)

    def to_text(self) -> str:
        """Return the secret as one line of text."""
        return _TEXT + base64.b64encode(self._seed).decode()

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    def __repr__(self) -> str:
        return f"SigningKey({self.fingerprint})"

    def sign(self, manifest: bytes) -> dict[str, Any]:
        """Return the content of ``signature.json`` for a manifest's bytes."""
        return {"format": FORMAT, "algorithm": ALGORITHM, "public_key": self.public_key.hex(),
                "signature": self._key.sign(_PURPOSE + manifest).hex()}


def fingerprint(public_key: bytes) -> str:
    """Return how people tell keys apart, as ssh-keygen writes it: ``SHA256:`` and 43 letters."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_key).digest()).decode().rstrip("=")


def signature_fault(signature: Mapping[str, Any], manifest: bytes, claimed: object) -> str:
    """Say why a signature is not one by the key ``claimed`` (a fingerprint) over ``manifest``; "" if it is."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if signature.get("format") != FORMAT or signature.get("algorithm") != ALGORITHM:
        return "it is of a kind that this MLDesk does not know"
    try:
        public_key = bytes.fromhex(str(signature["public_key"]))
        signed = bytes.fromhex(str(signature["signature"]))
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except (KeyError, ValueError):
        return "it cannot be read"
    if fingerprint(public_key) != claimed:
        return "it is by another key than the manifest names"
    try:
        key.verify(signed, _PURPOSE + manifest)
    except InvalidSignature:
        return "the manifest is not the one that was signed"
    return ""
