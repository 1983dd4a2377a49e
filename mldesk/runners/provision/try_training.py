"""Try a training environment on its box: ``python - CARDS MODULE...``. Prints one line of JSON; code 1 and ``error``
when a run could not train in it.

Sent to the box as text and run by the environment's own Python, with the agent's code on its path.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Sequence
from typing import Any


def main(given: Sequence[str]) -> int:
    """Import what a run needs, and use every card once. ``given``: how many cards there must be, then modules."""
    cards, modules, began = int(given[0]), list(given[1:]), time.monotonic()
    answer: dict[str, Any] = {"python": sys.version.split()[0]}
    try:
        for name in modules:
            module = importlib.import_module(name)
            for slow in getattr(module, "SLOW", ()):
                importlib.import_module(slow)
    except (ImportError, OSError, AttributeError) as error:
        answer["error"] = f"{name} cannot be loaded: {error}"
    else:
        if "torch" in modules:
            answer.update(_torch(cards))
    answer["seconds"] = round(time.monotonic() - began, 1)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 1 if "error" in answer else 0


def _torch(cards: int) -> dict[str, Any]:
    torch = importlib.import_module("torch")
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    answer: dict[str, Any] = {"torch": str(torch.__version__), "cards": seen}
    if seen < cards:
        answer["error"] = (f"torch {torch.__version__} sees {seen} graphics cards there, and the probe saw {cards}"
                           + _why(torch, seen))
        return answer
    try:
        for device in [f"cuda:{card}" for card in range(cards)] or ["cpu"]:
            ones = torch.ones(8, 8, device=device)
            if float((ones @ ones).sum().cpu()) != 512.0:
                answer["error"] = f"torch computes wrong numbers on {device}"
    except RuntimeError as error:
        answer["error"] = f"torch cannot compute on the cards: {str(error).splitlines()[0]}"
    return answer


def _why(torch: Any, seen: int) -> str:
    if seen or torch.version.cuda is None:
        return "" if seen else ": it is built for the processor"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return f": {str(error).splitlines()[0][:300]}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
