"""What a person types and what their ~/.ssh/config says, as a route."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput
from mldesk.runners.ssh.config import Target, needs_system_ssh, resolve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("id_ed25519", "id_rsa", "lab", "lab.pub", "token", "token.pub"):
        (tmp_path / name).write_text("sk-ssh-ed25519@openssh.com AAAA" if name == "token.pub" else "x")
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "config").write_text(text)
    (folder / "config").chmod(0o600)


@pytest.mark.parametrize(("text", "expected"), [
    ("gpu", Target("gpu")),
    ("ada@gpu.lab.example", Target("gpu.lab.example", "ada")),
    (" ssh://ada@gpu:2222/ ", Target("gpu", "ada", 2222)),
    ("10.0.0.7:22", Target("10.0.0.7", "", 22)),
    ("ada@[fe80::1%eth0]:2222", Target("fe80::1%eth0", "ada", 2222)),
    ("2001:db8::1", Target("2001:db8::1")),
])
def test_targets_are_read_as_people_write_them(text: str, expected: Target) -> None:
    assert Target.parse(text) == expected
    assert Target.parse(str(expected)) == expected


@pytest.mark.parametrize("text", [
    "", "@", "ada@", "-oProxyCommand=evil", "ada@-oProxyCommand=evil", "-l@host", "host:0", "host:99999", "host:x",
    "a b@host", "host name", "$(id)@host", "`id`@host", "host;id", "[host", "host:²"])
def test_what_names_no_machine_or_is_an_option_in_disguise_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Target.parse(text)


def test_without_settings_the_default_keys_that_exist_are_tried(folder: Path) -> None:
    (hop,) = resolve(Target("gpu"), folder).hops
    assert (hop.host, hop.port, hop.user) == ("gpu", 22, getpass.getuser())
    assert hop.keys == (folder / "id_ed25519", folder / "id_rsa")
    assert hop.use_agent
    assert not hop.only_keys


def test_settings_of_a_host_are_followed_and_what_was_typed_wins(folder: Path) -> None:
    write(folder, f"""
        Host gpu g?u !gnu
          HostName 10.1.2.3
          User ada
          Port 2222
          IdentityFile {folder}/lab
          IdentitiesOnly yes
          ServerAliveInterval 30
          ForwardAgent yes
        Host *
          User nobody
          HashKnownHosts yes
          PubkeyAuthentication yes
        """)
    route = resolve(Target("gpu"), folder)
    (hop,) = route.hops
    assert (hop.host, hop.port, hop.user, hop.only_keys) == ("10.1.2.3", 2222, "ada", True)
    assert hop.keys == (folder / "lab",)
    assert not route.why_system
    (typed,) = resolve(Target("gpu", "eve", 23), folder).hops
    assert (typed.port, typed.user) == (23, "eve")
    assert resolve(Target("gnu"), folder).hops[0].user == "nobody"


def test_jump_hosts_come_first_and_the_first_may_have_jumps_of_its_own(folder: Path) -> None:
    write(folder, """
        Host gpu
          ProxyJump mid@gate2:77,gate3
        Host gate2
          ProxyJump gate1
        Host gate3
          ProxyJump elsewhere
          HostName three.example
        """)
    hops = resolve(Target("gpu"), folder).hops
    assert [(hop.host, hop.port) for hop in hops] == [("gate1", 22), ("gate2", 77), ("three.example", 22), ("gpu", 22)]
    assert hops[1].user == "mid"
    write(folder, "Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(BadInput, match="circle"):
        resolve(Target("a"), folder)


@pytest.mark.parametrize(("line", "word"), [
    ("ProxyCommand nc %h %p", "proxycommand"), ("GSSAPIAuthentication yes", "gssapiauthentication"),
    ("CertificateFile ~/.ssh/cert", "certificatefile"), ("PKCS11Provider /usr/lib/p11.so", "pkcs11provider"),
    ("HostKeyAlias other", "hostkeyalias"), ("KexAlgorithms +diffie-hellman-group1-sha1", "kexalgorithms"),
    ("IdentityAgent /run/agent", "IdentityAgent"), ("SomethingOfTheFuture yes", "somethingofthefuture"),
    ("IdentityFile {folder}/token", "security key"), ("PubkeyAuthentication no", "pubkeyauthentication")])
def test_what_paramiko_cannot_follow_goes_to_the_systems_ssh(folder: Path, line: str, word: str) -> None:
    write(folder, f"Host gpu\n  {line.format(folder=folder)}\nHost other\n  User ada\n")
    assert word in resolve(Target("gpu"), folder).why_system
    assert not resolve(Target("other"), folder).why_system


@pytest.mark.parametrize("keyword", ["Include more", "Match host gpu", "  include x", "MATCH exec true"])
def test_include_and_match_anywhere_go_to_the_systems_ssh(folder: Path, keyword: str) -> None:
    write(folder, f"Host a\n  User b\n{keyword}\n")
    assert "~/.ssh/config" in resolve(Target("gpu"), folder).why_system


def test_what_is_switched_off_needs_nothing() -> None:
    assert not needs_system_ssh({"gssapiauthentication": "no", "proxycommand": "none", "identityagent": "none"})


def test_settings_others_may_write_to_are_not_followed(folder: Path) -> None:
    write(folder, "Host a\n")
    (folder / "config").chmod(0o666)
    with pytest.raises(BadInput, match="Others may write"):
        resolve(Target("gpu"), folder)
