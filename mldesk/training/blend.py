"""Models that answer together, each over its own stretch of the row: what a search ends with.

Either their weighted mean, or what a model of a second level makes of their answers.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core import canonical
from mldesk.training.bent import Bent
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import load_estimator
from mldesk.training.export import save_native, to_onnx
from mldesk.training.values import Array

KIND = "blend"
FACTS = "blend.json"
PIPELINE = "pipeline.json"   # of a member, behind its number
LEAST = 1e-5   # a smaller chance counts as this: its logarithm would say more than a model knows


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One model of a blend."""

    estimator: str            # its name in the catalogue
    native: Any
    start: int                # its columns of the joined matrix: [start, stop)
    stop: int
    weight: float             # all of a blend's add up to one; below a second level those of each group do
    group: int = 0            # below a second level: models of one trial, whose mean is one answer
    also: tuple[int, int] = (0, 0)   # more columns, behind those: [start, stop)
    bent: Bent | None = None  # how its numbers come back to the target's unit
    trial: int = 0            # that it came of; 0: not known
    pipeline: bytes = b""     # what its pipeline learned, for a search that goes on with it; b"": nothing

    @property
    def columns(self) -> Array:
        """Return which columns of the joined matrix it takes, (F,)."""
        return np.concatenate([np.arange(self.start, self.stop), np.arange(*self.also)])


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """A model over the answers of the members' groups, and over columns of the row where ``stop`` is not ``start``."""

    estimator: str
    native: Any
    shift: float              # numbers are taken as (answer - shift) / scale
    scale: float
    start: int = 0            # of the joined matrix
    stop: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """The members, and the model over them where there is one."""

    members: Sequence[Member]
    second: Second | None = None


def predict(blend: Blend, x: Array, classes: int) -> Array:
    """Return (N,) numbers or (N, C) probabilities, float64. ``x`` is (N, F) of the joined encoder."""
    answers = _answers(blend.members, x, classes)
    second = blend.second
    if second is None:
        return sum(answers[1:], start=answers[0])
    inputs = second_inputs(answers, classes, second.shift, second.scale)
    if second.stop > second.start:
        inputs = np.hstack([inputs, x[:, second.start:second.stop]])
    return load_estimator(ESTIMATORS[second.estimator]).predict(second.native, inputs, classes)


def second_inputs(answers: Sequence[Array], classes: int, shift: float, scale: float) -> Array:
    """Return what a second level looks at, (N, K) float32: a column per answer for numbers and for two classes.

    Chances become log-odds, or logarithms where there are more than two classes.
    """
    if not classes:
        return np.column_stack([(answer - shift) / scale for answer in answers]).astype(np.float32)
    logs = [np.log(np.maximum(answer.astype(np.float64), LEAST)) for answer in answers]
    return np.hstack([log[:, 1:] - log[:, :1] if classes == 2 else log for log in logs]).astype(np.float32)


def _answers(members: Sequence[Member], x: Array, classes: int) -> list[Array]:
    """Return the weighted sum of each group's answers."""
    if not members:
        raise ValueError("a blend has members")
    found: dict[int, Array] = {}
    for member in members:
        estimator = load_estimator(ESTIMATORS[member.estimator])
        said = estimator.predict(member.native, np.ascontiguousarray(x[:, member.columns]), classes)
        part = member.weight * (said if member.bent is None else member.bent.back(said)).astype(np.float64)
        found[member.group] = found[member.group] + part if member.group in found else part
    return [found[group] for group in sorted(found)]


def write_native(blend: Blend, folder: Path) -> None:
    """Write every model's weights as ``<number>-<file>`` and what they are into ``blend.json``. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, member in enumerate(blend.members):
        _write_one(str(number), member.estimator, member.native, folder)
        if member.pipeline:
            (folder / f"{number}-{PIPELINE}").write_bytes(member.pipeline)
    facts: dict[str, Any] = {"members": [_facts(member, blend.second) for member in blend.members]}
    if (second := blend.second) is not None:
        _write_one("second", second.estimator, second.native, folder)
        facts["second"] = {"estimator": second.estimator, "shift": second.shift, "scale": second.scale,
                           "start": second.start, "stop": second.stop}
    (folder / FACTS).write_bytes(canonical.dumps(facts))


def _facts(member: Member, second: Second | None) -> Mapping[str, Any]:
    return {"estimator": member.estimator, "start": member.start, "stop": member.stop, "weight": member.weight,
            **({} if second is None else {"group": member.group}),
            **({"also": list(member.also)} if member.also[1] else {}),
            **({} if member.bent is None else {"bent": member.bent.to_json()}),
            **({"trial": member.trial} if member.trial else {})}


def _write_one(name: str, estimator: str, native: Any, folder: Path) -> None:
    draft = folder / f".{name}"
    save_native(estimator, native, draft)
    for file in draft.iterdir():
        file.rename(folder / f"{name}-{file.name}")
    shutil.rmtree(draft)


def write_onnx(blend: Blend, n_features: int, n_classes: int | None) -> bytes:
    """Return one graph of them all. Raises WorkFailed for a member that has no exact counterpart."""
    from mldesk.training.export import mixture  # loads onnx

    graphs = [mixture.Part(to_onnx(member.estimator, member.native, len(member.columns), n_classes),
                           member.columns, member.weight, member.group, member.bent) for member in blend.members]
    second = blend.second
    if second is None:
        return mixture.mix(graphs, n_features, n_classes)
    answers = len({member.group for member in blend.members})
    width = answers * (n_classes if n_classes and n_classes > 2 else 1) + second.stop - second.start
    over = mixture.Over(to_onnx(second.estimator, second.native, width, n_classes), second.shift, second.scale, LEAST,
                        second.start, second.stop)
    return mixture.mix(graphs, n_features, n_classes, over)
