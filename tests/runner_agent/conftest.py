from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner_agent.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def warm_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents keep a trainer warm, as they do unless they are told otherwise; the other tests have no use for one."""
    monkeypatch.delenv("MLDESK_NO_WARM", raising=False)
