"""Code in recipes runs only once a person has said so. Standard library only."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from typing import ClassVar

from mldesk.core.errors import BadInput
from mldesk.data.recipes.steps import Step, active


class CodeNotTrusted(BadInput):
    """A recipe holds Python code that nobody has said may run here."""

    code: ClassVar[str] = "code_not_trusted"

    def __init__(self, number: int, source: str) -> None:
        super().__init__(f"Step {number} (python): its code has not been allowed to run on this machine.",
                         hint="Read the code first, then allow it (--allow-python).")
        self.number, self.source = number, source


def code_digest(source: str) -> str:
    """Return what a piece of code is known by once it is trusted."""
    return hashlib.sha256(source.encode()).hexdigest()


def untrusted(steps: Sequence[Step], trusted: Container[str]) -> list[tuple[int, str]]:
    """Return the steps (number from 1, code) that would run code whose digest is not among ``trusted``."""
    return [(number, str(step["code"])) for number, step in active(steps)
            if step["step"] == "python" and code_digest(str(step["code"])) not in trusted]
