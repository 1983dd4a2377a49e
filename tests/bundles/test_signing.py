"""Keys and signatures."""

from __future__ import annotations

import pytest

from mldesk.bundles.signing import SigningKey, fingerprint, signature_fault
from mldesk.core.errors import BadInput


def test_a_key_goes_into_text_and_comes_back() -> None:
    key = SigningKey.generate()
    again = SigningKey.from_text(key.to_text())
    assert again.fingerprint == key.fingerprint and "\n" not in key.to_text()
    assert SigningKey.generate().fingerprint != key.fingerprint


def test_a_key_does_not_show_its_secret() -> None:
    key = SigningKey.generate()
    assert key.to_text().split(":")[1] not in repr(key)
    assert repr(key) == f"SigningKey({key.fingerprint})"


@pytest.mark.parametrize("text", ["", "mldesk-ed25519:", "mldesk-ed25519:AAAA", "mldesk-ed25519:!!", "A" * 44])
def test_text_that_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        SigningKey.from_text(text)
    assert text == "" or text not in str(caught.value)


def test_a_signature_is_good_for_its_own_bytes_and_key_alone() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(b"manifest")
    assert signature_fault(signature, b"manifest", key.fingerprint) == ""
    assert "not the one that was signed" in signature_fault(signature, b"Manifest", key.fingerprint)
    assert "another key" in signature_fault(signature, b"manifest", other.fingerprint)
    assert "cannot be read" in signature_fault({**signature, "signature": 5}, b"manifest", key.fingerprint)


def test_a_fingerprint_is_written_as_ssh_writes_it() -> None:
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
