"""A host's public key and the two ways people compare one: OpenSSH's SHA-256 fingerprint and its picture."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

_NAMES = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA", "ecdsa-sha2-nistp256": "ECDSA", "ecdsa-sha2-nistp384": "ECDSA",
          "ecdsa-sha2-nistp521": "ECDSA"}
_CURVES = {"ssh-ed25519": 256, "ecdsa-sha2-nistp256": 256, "ecdsa-sha2-nistp384": 384, "ecdsa-sha2-nistp521": 521}
_WIDTH, _HEIGHT = 17, 9
_SIGNS = " .o+=*BOX@%&#/^SE"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key as it stands on the wire."""

    type: str     # "ssh-ed25519"
    blob: bytes   # the whole key, type included

    @classmethod
    def from_base64(cls, kind: str, text: str) -> HostKey:
        """Read the two words of a key file. Raises ValueError, also when they do not belong together."""
        blob = base64.b64decode(text, validate=True)
        if _string(blob, 0) != kind.encode():
            raise ValueError("the key is of another type than its line says")
        return cls(kind, blob)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.blob).decode()

    @property
    def name(self) -> str:
        """What OpenSSH calls the kind of key."""
        return _NAMES.get(self.type, self.type)

    @property
    def fingerprint(self) -> str:
        """``SHA256:`` and unpadded base64, as ``ssh-keygen -lf`` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def bits(self) -> int:
        """The key's size in bits; 0 for a kind that is not known here."""
        if self.type != "ssh-rsa":
            return _CURVES.get(self.type, 0)
        start = 4 + len(self.type)
        start += 4 + len(_string(self.blob, start))
        return int.from_bytes(_string(self.blob, start), "big").bit_length()

    @property
    def randomart(self) -> str:
        """The picture that OpenSSH draws with VisualHostKey: easier to tell apart than letters."""
        field, x, y = [[0] * _HEIGHT for _ in range(_WIDTH)], _WIDTH // 2, _HEIGHT // 2
        for byte in hashlib.sha256(self.blob).digest():
            for shift in (0, 2, 4, 6):
                step = byte >> shift
                x = min(max(x + (1 if step & 1 else -1), 0), _WIDTH - 1)
                y = min(max(y + (1 if step & 2 else -1), 0), _HEIGHT - 1)
                field[x][y] = min(field[x][y] + 1, len(_SIGNS) - 3)
        field[_WIDTH // 2][_HEIGHT // 2], field[x][y] = len(_SIGNS) - 2, len(_SIGNS) - 1
        title = f"[{self.name} {self.bits}]" if self.bits else f"[{self.name}]"
        rows = ["".join(_SIGNS[field[column][row]] for column in range(_WIDTH)) for row in range(_HEIGHT)]
        return "\n".join([_frame(title), *(f"|{row}|" for row in rows), _frame("[SHA256]")])


def _frame(title: str) -> str:
    left = (_WIDTH - len(title)) // 2
    return "+" + ("-" * left + title).ljust(_WIDTH, "-") + "+"


def _string(data: bytes, at: int) -> bytes:
    """Return the length-prefixed string at ``at``. Raises ValueError."""
    length = int.from_bytes(data[at:at + 4], "big")
    if len(data) < at + 4 + length or len(data) < at + 4:
        raise ValueError("the key is cut off")
    return data[at + 4:at + 4 + length]
