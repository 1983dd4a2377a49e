"""What tests of training share."""

from __future__ import annotations

import pytest

from mldesk.training import checkpoints


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every opportunity."""
    monkeypatch.setattr(checkpoints, "_FIRST", 0.0)
    monkeypatch.setattr(checkpoints, "_LEAST", 0.0)
    monkeypatch.setattr(checkpoints, "_SHARE", float("inf"))
