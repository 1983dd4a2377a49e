"""Which host is who it was. Fingerprints, pictures and hashes are compared with what OpenSSH itself makes of them."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mldesk.runners.ssh.errors import HostKeyChanged, HostKeyRevoked, UnknownHost
from mldesk.runners.ssh.host_keys import HostKey
from mldesk.runners.ssh.known_hosts import KnownHosts
from tests.runners.ssh.box import make_key


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, HostKey]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder / name, kind) for name, kind in
            {"old": "ed25519", "new": "ed25519", "ecdsa": "ecdsa", "rsa": "rsa"}.items()}


@pytest.fixture
def known(tmp_path: Path) -> KnownHosts:
    return KnownHosts(tmp_path / "home/known_hosts", (tmp_path / "user_hosts",))


def line(key: HostKey, names: str, marker: str = "") -> str:
    return f"{marker} {names} {key.type} {key.base64} a comment\n".lstrip()


@pytest.mark.parametrize("name", ["old", "ecdsa", "rsa"])
def test_fingerprint_and_picture_are_those_of_openssh(keys: dict[str, HostKey], tmp_path: Path, name: str) -> None:
    key = keys[name]
    path = tmp_path / "key.pub"
    path.write_text(f"{key.type} {key.base64}\n")
    said = subprocess.run(["ssh-keygen", "-lvf", str(path)], capture_output=True, text=True, check=True).stdout
    bits, fingerprint = said.split()[:2]
    assert (str(key.bits), key.fingerprint) == (bits, fingerprint)
    assert key.randomart == said.split("\n", 1)[1].strip()


def test_a_key_that_is_cut_off_or_of_another_type_is_none(keys: dict[str, HostKey]) -> None:
    for kind, text in (("ssh-rsa", keys["old"].base64), ("ssh-ed25519", "AAAA"), ("ssh-ed25519", "no base 64")):
        with pytest.raises(ValueError):
            HostKey.from_base64(kind, text)


def test_first_contact_shows_the_key_and_pins_nothing(known: KnownHosts, keys: dict[str, HostKey]) -> None:
    for _ in range(2):
        with pytest.raises(UnknownHost) as caught:
            known.check("gpu.example", 2222, keys["old"])
    assert keys["old"].fingerprint in str(caught.value)
    assert "gpu.example:2222" in str(caught.value)
    assert not known.files[0].exists()


def test_a_pinned_key_is_trusted_and_its_name_is_hashed_as_openssh_does(
        known: KnownHosts, keys: dict[str, HostKey]) -> None:
    known.pin("GPU.example", 2222, keys["old"])
    known.pin("gpu.example", 2222, keys["old"])
    known.check("gpu.EXAMPLE", 2222, keys["old"])
    text = known.files[0].read_text()
    assert "gpu" not in text.lower().split()[0]
    assert text.count("\n") == 1
    found = subprocess.run(["ssh-keygen", "-F", "[gpu.example]:2222", "-f", str(known.files[0])], capture_output=True,
                           text=True, check=True).stdout
    assert keys["old"].base64 in found
    with pytest.raises(UnknownHost):  # another port is another host
        known.check("gpu.example", 22, keys["old"])
    assert known.key_types("gpu.example", 2222) == ("ssh-ed25519",)


def test_another_key_is_a_hard_stop_whatever_its_type(known: KnownHosts, keys: dict[str, HostKey]) -> None:
    known.pin("gpu", 22, keys["old"])
    for other in ("new", "ecdsa"):
        with pytest.raises(HostKeyChanged) as caught:
            known.check("gpu", 22, keys[other])
        assert caught.value.known == (keys["old"],)
        assert str(known.files[0]) in caught.value.hint
    assert known.forget("gpu", 22) == 1
    with pytest.raises(UnknownHost):
        known.check("gpu", 22, keys["new"])


def test_the_users_own_file_is_trusted_and_never_written(known: KnownHosts, keys: dict[str, HostKey]) -> None:
    theirs = known.files[1]
    theirs.write_text(line(keys["old"], "gpu") + line(keys["ecdsa"], "[gpu]:77"))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(theirs)], capture_output=True, check=True)
    with open(theirs, "a") as file:
        file.write("# a comment\n\nbroken line\n" + line(keys["old"], "10.0.0.?,!10.0.0.9"))
    before = theirs.read_bytes()
    assert b"|1|" in before
    known.check("gpu", 22, keys["old"])
    known.check("10.0.0.5", 22, keys["old"])
    known.check("gpu", 77, keys["ecdsa"])
    for host in ("10.0.0.9", "10.0.0.55", "gpus"):
        with pytest.raises(UnknownHost):
            known.check(host, 22, keys["old"])
    known.pin("gpus", 22, keys["rsa"])
    assert theirs.read_bytes() == before


def test_a_revoked_key_is_refused_even_where_it_is_pinned(known: KnownHosts, keys: dict[str, HostKey]) -> None:
    known.pin("gpu", 22, keys["old"])
    known.files[1].write_text(line(keys["old"], "*", "@revoked"))
    with pytest.raises(HostKeyRevoked, match="revoked"):
        known.check("gpu", 22, keys["old"])
    with pytest.raises(HostKeyChanged):
        known.check("gpu", 22, keys["new"])


def test_a_certificate_authority_is_told_and_is_no_key_of_the_host(known: KnownHosts, keys: dict[str, HostKey]) -> None:
    known.files[1].write_text(line(keys["old"], "*.example,[*.example]:*", "@cert-authority"))
    assert known.certified("gpu.example", 22)
    assert known.certified("gpu.example", 2222)
    assert not known.certified("gpu.other", 22)
    with pytest.raises(UnknownHost):
        known.check("gpu.example", 22, keys["old"])


def test_forgetting_keeps_other_hosts_comments_and_revocations(known: KnownHosts, keys: dict[str, HostKey]) -> None:
    known.pin("a", 22, keys["old"])
    known.pin("b", 22, keys["new"])
    with open(known.files[0], "a") as file:
        file.write("# mine\n" + line(keys["rsa"], "a", "@revoked"))
    assert known.forget("a", 22) == 1
    text = known.files[0].read_text()
    assert "# mine" in text
    assert "@revoked" in text
    known.check("b", 22, keys["new"])


def test_pins_from_many_threads_are_all_kept(known: KnownHosts, keys: dict[str, HostKey]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: known.pin(f"host{n}", 22, keys["old"]), range(24)))
    for number in range(24):
        known.check(f"host{number}", 22, keys["old"])
