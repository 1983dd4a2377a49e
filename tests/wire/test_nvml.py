"""Reading graphics cards through their driver's library: a library in C that stands in for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.wire.nvml import Card, NoCards, Nvml, visible
from tests.runner_agent.fake_cards import make_driver


def test_a_card_tells_its_load_memory_heat_power_and_processes(tmp_path: Path) -> None:
    with Nvml.open(str(make_driver(tmp_path))) as driver:
        first, second = driver.cards()
        assert [card.processes for card in driver.cards(processes=False)] == [{}, {}]
    assert first == Card(0, "GPU-aaaa-1", "Card A", 0.0, 4 << 30, 80 << 30, 40.0, 70.5, {})
    assert (second.name, second.utilization, second.power) == ("Card B", 0.75, 70.501)
    assert len(second.processes) == 300  # more than it was given room for at first
    assert (second.processes[4242], second.processes[4243], second.processes[4244]) == (3 << 30, 0, 1)


def test_an_older_driver_is_read_by_its_older_functions(tmp_path: Path) -> None:
    with Nvml.open(str(make_driver(tmp_path, "-DOLD"))) as driver:
        first, second = driver.cards()
    assert (first.memory_used, second.memory_used) == (5 << 30, (5 << 30) + 1)
    assert second.processes == {4242: 3 << 30}


def test_what_a_card_does_not_say_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", "mute")
    with Nvml.open(str(make_driver(tmp_path))) as driver:
        card = driver.cards()[0]
    assert (card.utilization, card.temperature, card.power, card.memory_total) == (None, None, None, 80 << 30)


def test_a_card_that_is_lost_leaves_the_numbers_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", "lost")
    with Nvml.open(str(make_driver(tmp_path))) as driver:
        assert [(card.index, card.name) for card in driver.cards()] == [(1, "Card B")]


def test_a_driver_that_does_not_work_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", "broken")
    with pytest.raises(NoCards, match="Driver/library version mismatch"):
        Nvml.open(str(make_driver(tmp_path)))


@pytest.mark.parametrize("name", ["libnvidia-ml-that-is-nowhere.so.1", "libm.so.6"])
def test_without_a_driver_there_are_no_cards(name: str) -> None:
    with pytest.raises(NoCards):
        Nvml.open(name)


@pytest.mark.parametrize(("wanted", "seen"), [
    (None, [0, 1, 2]), ("", []), ("1", [1]), ("2,0", [2, 0]), ("GPU-bb", [1]), ("GPU-cc,0", [2, 0]), ("0,7,1", [0]),
    ("-1", []), ("MIG-1", []),
])
def test_a_process_sees_the_cards_that_its_environment_names(wanted: str | None, seen: list[int]) -> None:
    cards = [Card(index, f"GPU-{letter}{letter}-x", "", None, 0, 0, None, None, {}) for index, letter in
             enumerate("abc")]
    assert [card.index for card in visible(cards, wanted)] == seen
