from __future__ import annotations

import json
from pathlib import Path

import pytest

from mldesk.desktop.preferences import Preferences, PreferencesFile


def test_a_choice_is_there_the_next_time(tmp_path: Path) -> None:
    place = tmp_path / "new" / "window.json"
    assert PreferencesFile(place).change(theme="dark", text_scale=1.3)
    assert PreferencesFile(place).value == Preferences(theme="dark", text_scale=1.3)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"theme": 3, "text_scale": true, "unknown": 1}', b"\xff\xfe"])
def test_a_damaged_file_means_the_defaults(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "window.json"
    place.write_bytes(content)
    assert PreferencesFile(place).value == Preferences()


def test_what_a_newer_window_kept_does_no_harm(tmp_path: Path) -> None:
    place = tmp_path / "window.json"
    place.write_text(json.dumps({"theme": "light", "of_tomorrow": {"x": 1}}))
    assert PreferencesFile(place).value.theme == "light"


def test_a_choice_that_cannot_be_kept_holds_until_the_end(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    preferences = PreferencesFile(blocked / "window.json")
    assert not preferences.change(theme="dark")
    assert preferences.value.theme == "dark"
