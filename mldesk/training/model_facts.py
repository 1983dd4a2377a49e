"""What a model's files are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.training.conformal import Margins
from mldesk.training.joined import Encoder
from mldesk.training.reach import Reach
from mldesk.training.target import Label
from mldesk.wire.schema import Column


@dataclass(frozen=True, slots=True, eq=False)
class ModelFacts:
    """Everything about a fitted model that its files say."""

    task: str
    target: Column
    classes: tuple[Label, ...]
    estimator: str
    estimator_title: str
    parameters: Mapping[str, Any]
    fit_facts: Mapping[str, Any]
    encoder: Encoder
    dataset_name: str
    dataset: str                       # manifest digest
    rows: Mapping[str, int]            # by part
    seed: int
    created: str                       # ISO 8601, UTC
    metrics: Mapping[str, float]       # on the test part
    validation_metrics: Mapping[str, float]
    evaluation: Mapping[str, Any]
    finished_early: bool
    margins: Margins | None = None     # how far off a prediction may be
    ordered: bool = False              # the classes have an order, from low to high
    reach: Reach = field(default_factory=dict)   # of the numbers it learned from
    whole: tuple[str, ...] = ()        # columns that missed no value in what it learned from
