"""Whose signature it is: the user's own is known without asking where the secret is kept."""

from __future__ import annotations

from mldesk.library.secrets import SecretStore
from mldesk.workbench.signing_key import OWN, SigningKeys
from tests.workbench.stand_ins import Desk


def _keys(desk: Desk, passphrase: str = "a long passphrase") -> SigningKeys:
    store = SecretStore(desk.library.home.vault, passphrase=lambda new: passphrase, find_keyring=lambda: None)
    return SigningKeys(store, desk.library.settings)


def test_the_own_key_is_known_and_stays_so_where_secrets_are_locked(desk: Desk) -> None:
    keys = _keys(desk)
    assert keys.known() == {}
    key = keys.private_key()
    assert key is not None
    assert keys.known() == _keys(desk, "another passphrase").known() == {key.fingerprint: OWN}


def test_a_key_from_before_fingerprints_were_remembered_is_known(desk: Desk) -> None:
    key = _keys(desk).private_key()
    desk.library.settings.delete("signing-fingerprints")
    assert key is not None
    assert _keys(desk, "another passphrase").known() == {}
    assert _keys(desk).known() == {key.fingerprint: OWN}
