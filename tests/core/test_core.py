"""Ids, canonical JSON, the clock, paths and observable state."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest

from mldesk.core import canonical, ids
from mldesk.core.clock import SystemClock, iso
from mldesk.core.observable import Observable, Signal, Undoable
from mldesk.core.paths import Home, default_home, socket_directory


class TestIds:
    def test_ids_of_one_process_grow_and_never_repeat(self) -> None:
        made: list[list[str]] = [[] for _ in range(4)]
        threads = [threading.Thread(target=lambda mine=mine: mine.extend(ids.new_id() for _ in range(500)))
                   for mine in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(mine == sorted(mine) for mine in made)
        assert len({item for mine in made for item in mine}) == 2000
        assert all(ids.is_id(item) for item in made[0])

    @pytest.mark.parametrize("text", ["", "0" * 25, "8" + "0" * 25, "I" * 26, "../" + "0" * 23, "0" * 26 + "\n",
                                      "01arz3ndektsv4rrffq69g5fav"])
    def test_what_is_no_id_never_becomes_a_file_name(self, text: str) -> None:
        assert not ids.is_id(text)


class TestCanonical:
    def test_one_text_per_value(self) -> None:
        assert canonical.dumps({"b": [1, (2.5, None)], "a": "é"}) == '{"a":"é","b":[1,[2.5,null]]}'.encode()
        assert canonical.digest({"a": 1, "b": 2}) == canonical.digest({"b": 2, "a": 1})

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.5])
    def test_numbers_that_are_not_finite_travel_as_words(self, value: float) -> None:
        back = canonical.number(canonical.loads(canonical.dumps(value)))
        assert back == value or (math.isnan(back) and math.isnan(value))

    @pytest.mark.parametrize("data", [b"NaN", b"[1,", b"\xff", b"[" * 200_000, b"-Infinity"])
    def test_what_is_no_json_is_refused(self, data: bytes) -> None:
        with pytest.raises(ValueError, match=r".+"):
            canonical.loads(data)

    @pytest.mark.parametrize("value", ["1", "nan", True, None, [1]])
    def test_what_is_no_number_is_refused(self, value: canonical.Json) -> None:
        with pytest.raises(ValueError, match="not a number"):
            canonical.number(value)


def test_time_is_written_in_utc_to_the_millisecond() -> None:
    assert iso(1795244007.12) == "2026-11-21T06:53:27.120Z"
    clock = SystemClock()
    assert clock.monotonic() <= clock.monotonic()
    assert clock.now() > 1.6e9


class TestPaths:
    def test_the_home_is_where_the_user_says(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("MLDESK_HOME", str(tmp_path / "mine"))
        assert default_home() == tmp_path / "mine"
        monkeypatch.delenv("MLDESK_HOME")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert default_home().name == "mldesk"

    def test_a_home_is_its_owners_alone(self, tmp_path: Path) -> None:
        home = Home(tmp_path / "deep" / "home").make()
        for folder in (home.root, home.objects, home.backups, home.runner, home.logs, home.scratch):
            assert folder.stat().st_mode & 0o077 == 0
        assert {home.database.parent, home.vault.parent} == {home.root}

    def test_sockets_have_a_short_path_however_deep_the_home(self, monkeypatch: pytest.MonkeyPatch,
                                                             tmp_path: Path) -> None:
        deep = Path("/" + "deep/" * 60)
        for runtime in ("", str(tmp_path / "nowhere"), "/tmp"):
            monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
            assert len(str(socket_directory(deep) / "agent.sock")) < 104
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        monkeypatch.setattr("tempfile.tempdir", "/tmp" + "/long" * 20)
        assert len(str(socket_directory(deep) / "agent.sock")) < 104
        assert socket_directory(deep) != socket_directory(deep / "er")


class TestUndoable:
    def test_changes_are_taken_back_and_made_again(self) -> None:
        state, heard = Undoable(1), []
        state.changed.subscribe(lambda value: heard.append((value, state.can_undo, state.can_redo)))
        for value in (2, 2, 3):
            state.change(value)
        state.undo()
        state.redo()
        state.undo()
        state.change(4)   # what was taken back is gone for good
        state.redo()
        state.undo()
        state.undo()
        state.undo()
        assert heard == [(2, True, False), (3, True, False), (2, True, True), (3, True, False), (2, True, True),
                         (4, True, False), (2, True, True), (1, False, True)]

    def test_what_is_forgotten_is_not_undone(self) -> None:
        state = Undoable(1)
        state.change(2)
        state.forget(3)
        state.undo()
        state.redo()
        assert state.value == 3 and not state.can_undo and not state.can_redo


class TestObservable:
    def test_listeners_hear_the_value_and_every_change_until_they_undo(self) -> None:
        state, heard = Observable(1), []
        undo = state.subscribe(heard.append)
        state.value = 1
        state.value = 2
        undo()
        undo()
        state.value = 3
        assert heard == [1, 2]

    def test_a_listener_may_go_while_it_is_called(self) -> None:
        signal: Signal[int] = Signal()
        heard: list[str] = []
        undo = signal.subscribe(lambda _: (heard.append("a"), undo()))
        signal.subscribe(lambda _: heard.append("b"))
        signal.emit(1)
        signal.emit(2)
        assert heard == ["a", "b", "b"]
