"""The user's own signing key: made once, kept where secrets are kept, used for every bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldesk.core.errors import SecretsLocked
from mldesk.library.secrets import SecretStore

if TYPE_CHECKING:
    from mldesk.bundles import SigningKey

NAME = "signing-key"


class SigningKeys:
    """Finds or makes the key. Without a keyring or an open vault bundles go unsigned, and say so."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self.problem = ""  # why the last bundle went unsigned

    def private_key(self) -> SigningKey | None:
        """Return the key, made at first use; None where there is no place to keep one."""
        from mldesk.bundles import SigningKey  # cryptography loads with it

        self.problem = ""
        try:
            kept = self._secrets.get(NAME)
            if kept is not None:
                return SigningKey.from_text(kept)
            key = SigningKey.generate()
            self._secrets.set(NAME, key.to_text())
        except SecretsLocked as error:
            self.problem = f"{error.message} {error.hint}".strip()
            return None
        return key
