from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner_agent.bench import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(tmp_path, monkeypatch.setenv)
    yield bench
    bench.close()
