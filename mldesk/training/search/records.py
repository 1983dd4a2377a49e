"""The trials of a search on disk, each in a file of its own that is whole or not there: a resumed search goes on."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core.durable import disk_errors
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.trial import Outcome

# All that a zip file of arrays raises once its bytes are not what was written.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, ArithmeticError, MemoryError, RuntimeError, SyntaxError,
           zipfile.BadZipFile, zlib.error)


class Records:
    """Keeps outcomes without their models."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, outcome: Outcome) -> None:
        """Write an outcome. Raises DiskFull."""
        facts = {
            "number": outcome.number, "estimator": outcome.configuration.estimator, "loss": outcome.loss,
            "parameters": dict(outcome.configuration.parameters), "origin": outcome.configuration.origin,
            "seconds": outcome.seconds, "curve": [list(point) for point in outcome.curve],
            "facts": dict(outcome.facts)}
        with disk_errors("keeping a trial"):
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / ".draft"
            with open(draft, "wb") as file:
                np.savez_compressed(file, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
                                    prediction=outcome.prediction)
            draft.rename(self._folder / f"{outcome.number:06d}.npz")

    def read(self, rows: int) -> Iterator[Outcome]:
        """Yield the outcomes there are that judge ``rows`` rows, by number. One that cannot be read is tried again."""
        for path in sorted(self._folder.glob("*.npz")):
            try:
                with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                    facts: dict[str, Any] = json.loads(arrays["facts"].tobytes())
                    prediction = arrays["prediction"]
                outcome = Outcome(
                    int(facts["number"]), Configuration(facts["estimator"], facts["parameters"], facts["origin"]),
                    float(facts["loss"]), float(facts["seconds"]), prediction, (),
                    [(int(step), float(loss)) for step, loss in facts["curve"]], facts["facts"])
            except _DAMAGE:
                continue
            if len(prediction) == rows:
                yield outcome
