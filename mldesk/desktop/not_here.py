"""What is never imported in the window's process, whoever asks: it takes seconds and hundreds of megabytes.

pyarrow, for one, imports pandas whenever it is installed; refused, it does without, as if it were not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

REFUSED = frozenset({"torch", "sklearn", "lightgbm", "skops", "skl2onnx", "onnxmltools", "onnx", "pandas"})


class _Refuser(MetaPathFinder):
    """Stands before every other finder."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] in REFUSED:
            raise ImportError(f"{fullname} is for trainer processes; the window never imports it", name=fullname)
        return None


@contextmanager
def only_trainers() -> Iterator[None]:
    """Refuse to import what only trainers need, for as long as the block lasts."""
    refuser = _Refuser()
    sys.meta_path.insert(0, refuser)
    try:
        yield
    finally:
        sys.meta_path.remove(refuser)
