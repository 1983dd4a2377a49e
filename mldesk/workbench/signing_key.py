"""The user's own signing key: made once, kept where secrets are kept, used for every bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput, SecretsLocked
from mldesk.library.secrets import SecretStore
from mldesk.library.settings import SettingStore

if TYPE_CHECKING:
    from mldesk.bundles import SigningKey

NAME = "signing-key"
FINGERPRINTS = "signing-fingerprints"  # setting: those of the keys this library has signed with
OWN = "you"


class SigningKeys:
    """Finds or makes the key. Without a keyring or an open vault bundles go unsigned, and say so."""

    def __init__(self, secrets: SecretStore, settings: SettingStore) -> None:
        self._secrets, self._settings = secrets, settings
        self.problem = ""  # why the last bundle went unsigned

    def private_key(self) -> SigningKey | None:
        """Return the key, made at first use; None where there is no place to keep one."""
        from mldesk.bundles import SigningKey  # cryptography loads with it

        self.problem = ""
        try:
            kept = self._secrets.get(NAME)
            if kept is not None:
                key = SigningKey.from_text(kept)
            else:
                key = SigningKey.generate()
                self._secrets.set(NAME, key.to_text())
        except SecretsLocked as error:
            self.problem = f"{error.message} {error.hint}".strip()
            return None
        self._remember(key.fingerprint)
        return key

    def known(self) -> Mapping[str, str]:
        """Return the fingerprints of the user's own keys, each with what to call their owner.

        A fingerprint is no secret: once one is remembered no keyring is asked, which might ask its owner in turn.
        """
        own = self._settings.get(FINGERPRINTS)
        if own is None:  # the last bundle was signed before fingerprints were remembered, or none ever was
            own = self._of_the_kept_key()
        return dict.fromkeys(map(str, own), OWN)

    def _of_the_kept_key(self) -> list[str]:
        from mldesk.bundles import SigningKey

        try:
            kept = self._secrets.get(NAME)
            if kept is None:
                return []
            own = SigningKey.from_text(kept).fingerprint
        except (SecretsLocked, BadInput):
            return []
        self._remember(own)
        return [own]

    def _remember(self, fingerprint: str) -> None:
        known = self._settings.get(FINGERPRINTS) or []
        if fingerprint not in known:
            self._settings.set(FINGERPRINTS, [*known, fingerprint])
