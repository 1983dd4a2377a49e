"""Running the states of the desktop in a plain asyncio loop: they need no Qt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from mldesk.desktop.tasks import Tasks, made_current


def run(work: Coroutine[Any, Any, Any]) -> list[tuple[str, BaseException]]:
    """Run ``work`` with tasks of its own; return the errors that were heard of."""
    heard: list[tuple[str, BaseException]] = []

    async def main() -> None:
        with made_current(Tasks(lambda name, error: heard.append((name, error)))) as own:
            try:
                await work
                await asyncio.sleep(0.01)
            finally:
                await own.close()

    asyncio.run(main())
    return heard


async def until(seen: Callable[[], Any], patience: float = 20.0) -> Any:
    """Wait until ``seen()`` is true and return it."""
    deadline = time.monotonic() + patience
    while not (found := seen()):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)
    return found
