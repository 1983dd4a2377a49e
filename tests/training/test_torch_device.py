"""Where a network calculates, as decisions: no card is here, and torch's answers about one are stood in for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mldesk.core.errors import WorkFailed
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators import torch_device
from mldesk.training.estimators.torch_device import autocast_type, batch_of, choose_device, resident
from mldesk.wire.failures import explain, is_gpu_out_of_memory

CARD = torch.device("cuda")
ROWS = np.arange(12, dtype=np.float32).reshape(6, 2)


def test_a_card_that_was_asked_for_and_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(WorkFailed, match="PyTorch can use none") as caught:
        choose_device("cuda:1")
    assert "mldesk doctor" in caught.value.hint
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (choose_device("auto"), choose_device("cuda:1")) == (CARD, torch.device("cuda:1"))


def test_a_card_that_only_imitates_bfloat16_takes_float16(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = False
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: newer or including_emulation)
    assert autocast_type(CARD, "auto") is torch.float16
    assert autocast_type(CARD, "bfloat16") is torch.bfloat16 and autocast_type(CARD, "float32") is None
    newer = True
    assert autocast_type(CARD, "auto") is torch.bfloat16 and autocast_type(CARD, "float16") is torch.float16
    assert autocast_type(torch.device("cpu"), "auto") is None


def test_rows_lie_on_the_card_if_they_leave_room_there(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[Any] = []
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device, **_: moved.append(device) or self)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (ROWS.nbytes * 2, 0))
    resident(ROWS, CARD)
    assert moved == [CARD]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (ROWS.nbytes, 0))
    assert resident(ROWS, CARD).device.type == "cpu" and moved == [CARD]


def test_a_batch_of_rows_beside_the_card_travels_pinned_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[Any] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pinned.append(tuple(self.shape)) or self)
    away = batch_of(torch.from_numpy(ROWS), torch.tensor([4, 1]), torch.device("meta"))   # stands for a card
    assert (away.device.type, tuple(away.shape), pinned) == ("meta", (2, 2), [(2, 2)])
    here = batch_of(torch.from_numpy(ROWS), torch.tensor([4, 1]), torch.device("cpu"))
    assert here.tolist() == [[8, 9], [2, 3]] and len(pinned) == 1


@pytest.mark.parametrize("error", [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")])
def test_a_card_without_room_is_known_by_whoever_says_it(error: Exception) -> None:
    assert is_gpu_out_of_memory(error)
    assert explain(error)["cause"] == "gpu_oom" and "smaller batch size" in explain(error)["hint"]


def test_other_errors_of_a_card_are_something_else() -> None:
    assert not is_gpu_out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert not is_gpu_out_of_memory(MemoryError())


def test_what_a_card_may_change_is_said() -> None:
    assert "graphics card" in ESTIMATORS["mlp"].resuming and "graphics card" not in ESTIMATORS["lightgbm"].resuming


def test_memory_that_nothing_uses_is_given_back_before_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(torch_device.gc, "collect", lambda: done.append("collected"))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: done.append("emptied"))
    torch_device.freed()
    assert done == ["collected", "emptied"]
