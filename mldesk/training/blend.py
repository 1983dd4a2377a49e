"""A weighted mean of models, each over its own stretch of the row: what a search ends with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core import canonical
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import load_estimator
from mldesk.training.export import save_native, to_onnx
from mldesk.training.values import Array

KIND = "blend"


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One model of a blend."""

    estimator: str            # its name in the catalogue
    native: Any
    start: int                # its columns of the joined matrix: [start, stop)
    stop: int
    weight: float             # all of a blend's add up to one


def predict(members: Sequence[Member], x: Array, classes: int) -> Array:
    """Return (N,) numbers or (N, C) probabilities, float64. ``x`` is (N, F) of the joined encoder."""
    total: Array | None = None
    for member in members:
        estimator = load_estimator(ESTIMATORS[member.estimator])
        part = member.weight * estimator.predict(
            member.native, np.ascontiguousarray(x[:, member.start:member.stop]), classes).astype(np.float64)
        total = part if total is None else total + part
    if total is None:
        raise ValueError("a blend has members")
    return total


def write_native(members: Sequence[Member], folder: Path) -> None:
    """Write every member's weights as ``<number>-<file>`` and what they are into ``blend.json``. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, member in enumerate(members):
        draft = folder / f".{number}"
        save_native(member.estimator, member.native, draft)
        for file in draft.iterdir():
            file.rename(folder / f"{number}-{file.name}")
        shutil.rmtree(draft)
    facts: list[Mapping[str, Any]] = [
        {"estimator": member.estimator, "start": member.start, "stop": member.stop, "weight": member.weight}
        for member in members]
    (folder / "blend.json").write_bytes(canonical.dumps({"members": facts}))


def write_onnx(members: Sequence[Member], n_features: int, n_classes: int | None) -> bytes:
    """Return one graph of them all. Raises WorkFailed for a member that has no exact counterpart."""
    from mldesk.training.export import mixture  # loads onnx

    graphs = [(to_onnx(member.estimator, member.native, member.stop - member.start, n_classes), member.start,
               member.stop, member.weight) for member in members]
    return mixture.mix(graphs, n_features, n_classes)
