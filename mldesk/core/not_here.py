"""What a process never imports, whoever asks: it takes seconds and hundreds of megabytes.

pyarrow, for one, imports pandas whenever it is installed; refused, it does without, as if it were not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

TRAINERS = frozenset({"torch", "sklearn", "lightgbm", "skops", "skl2onnx", "onnxmltools", "onnx", "pandas"})
STEPS = frozenset({"pandas"})  # what only the processes of recipes' Python steps and trainers need


class _Refuser(MetaPathFinder):
    """Stands before every other finder."""

    def __init__(self, refused: frozenset[str]) -> None:
        self._refused = refused

    def find_spec(self, fullname: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        del path, target
        if fullname.partition(".")[0] in self._refused:
            raise ImportError(f"{fullname} is for other processes; this one never imports it", name=fullname)
        return None


@contextmanager
def only_elsewhere(refused: frozenset[str]) -> Iterator[None]:
    """Refuse to import these packages for as long as the block lasts."""
    refuser = _Refuser(refused)
    sys.meta_path.insert(0, refuser)
    try:
        yield
    finally:
        sys.meta_path.remove(refuser)
