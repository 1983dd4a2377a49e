from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput
from mldesk.desktop.states.addresses import Address, read_address


@pytest.mark.parametrize(("text", "address", "name"), [
    ("me@box", Address("box", "me"), "box"),
    ("  me@box.lab.example:2222 ", Address("box.lab.example", "me", 2222), "box"),
    ("box", Address("box"), "box"),
    ("ssh me@box", Address("box", "me"), "box"),
    ("ssh -p 2222 me@Box", Address("Box", "me", 2222), "box"),
    ("ssh me@box -p2222 -i ~/.ssh/other", Address("box", "me", 2222), "box"),
    ("/usr/bin/ssh -l me box -4 -v", Address("box", "me"), "box"),
    ("ssh://me@box:2222/", Address("box", "me", 2222), "box"),
    ("me@10.0.0.7", Address("10.0.0.7", "me"), "10.0.0.7"),
    ("me@[fe80::1]:22", Address("fe80::1", "me", 22), "fe80--1"),
    ("me@fe80::1", Address("fe80::1", "me"), "fe80--1"),
    ("me@corp.example@jump", Address("jump", "me@corp.example"), "jump"),
])
def test_an_address_is_read_as_people_write_and_paste_it(text: str, address: Address, name: str) -> None:
    assert read_address(text) == address
    assert read_address(str(address)) == address
    assert address.name == name


@pytest.mark.parametrize(("text", "complaint"), [
    ("", "No address"), ("@box", "user before the @"), ("me@", "The machine is missing"), ("me@box:port", "no port"),
    ("me@box:70000", "no port"), ("me@bo x", "one word"), ("ssh", "names no machine"), ("ssh me@box ls", "what to run"),
    ("ssh -J jump me@box", "ProxyJump jump"), ("ssh -o Port=1 me@box", "option Port=1"),
    ("me@b$x", "no machine's name"),
    ('ssh "me@box', "quotation mark"), ("-oProxyCommand=evil", "no machine's name"), ("ssh -- me@-oevil", "no machine"),
])
def test_what_is_no_address_says_what_is_wrong_and_how_to_write_it(text: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint) as caught:
        read_address(text)
    assert caught.value.hint
