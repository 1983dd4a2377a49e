"""What a trainer says of the card it may use: a library in C stands in for the driver's."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.training.resources import first_card, gpu_reading
from mldesk.wire.nvml import Nvml
from tests.runner_agent.fake_cards import make_driver


@pytest.mark.parametrize(("visible", "reading"), [
    (None, {"gpu": 0.0, "gpu_memory": 4 << 30}), ("GPU-bbbb-2", {"gpu": 75.0, "gpu_memory": (4 << 30) + 1}),
    ("1", {"gpu": 75.0, "gpu_memory": (4 << 30) + 1}), ("", {}),
])
def test_the_readings_are_of_the_card_that_the_job_was_given(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, reading: dict[str, float]) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with Nvml.open(str(make_driver(tmp_path))) as driver:
        assert gpu_reading(driver) == reading


def test_a_card_that_says_little_is_told_of_as_far_as_it_does(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML", "mute")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with Nvml.open(str(make_driver(tmp_path))) as driver:
        assert gpu_reading(driver) == {"gpu_memory": 4 << 30}
    monkeypatch.setenv("FAKE_NVML", "none")
    with Nvml.open(str(tmp_path / "libnvidia-ml.so.1")) as driver:
        assert (first_card(driver), gpu_reading(driver)) == (None, {})


def test_without_a_driver_nothing_is_said() -> None:
    assert gpu_reading(None) == {}
