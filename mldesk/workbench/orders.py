"""What a user asks for when a model is to be trained, and what MLDesk says about it beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mldesk.core.errors import BadInput
from mldesk.library.records import Run
from mldesk.wire.jobs import Limits, Resources

LARGEST_SEED = 2**31 - 1   # the largest that every estimator's library takes
OF_RUN = "run:"   # before the id or name of a run whose rows' parts are taken


@dataclass(frozen=True, slots=True)
class TrainOrder:
    """One press of Train."""

    dataset: str                              # name or name@version
    target: str                               # column to predict
    task: str | None = None                   # None: guessed from the target
    estimator: str = "auto"                   # a name of the catalogue; "auto": its default for the task
    parameters: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[str, ...] = ()               # classes from low to high, or ("sorted",); (): they have no order
    features: tuple[str, ...] | None = None   # None: every column that can be one
    without: tuple[str, ...] = ()             # columns left out of those
    test_size: float = 0.2                    # share of the rows with a target, 0 < x < 1
    validation_size: float = 0.15             # share of the rest, 0 < x < 1
    split: str = "random"                     # how rows are dealt: a name of wire.jobs.SPLITS, or OF_RUN and a run's
    split_column: str | None = None           # the column that "group", "time" and "column" go by
    folds: int = 0                            # from 2 on: k-fold cross-validation, the first fold being the test part
    prepare: tuple[Mapping[str, Any], ...] = ()   # steps of a recipe that the model does by itself
    seed: int = 0                             # 0 to LARGEST_SEED
    name: str = ""                            # of the run; "": made from dataset and estimator
    runner: str = "local"                     # a runner's name, "any", or "any:24GB" for one with such a card
    priority: int = 0                         # in that runner's queue: -10 to 10, higher first
    model: str = ""                           # name in the library; "": made from dataset and target
    scores_only: bool = False                 # its scores are wanted, and the library is to have no model of it
    not_before: float = 0.0                   # moment that it waits for, seconds since the epoch; 0: none
    resources: Resources = field(default_factory=Resources)
    limits: Limits = field(default_factory=Limits)

    @property
    def split_of(self) -> str:
        """The run as in which rows are dealt, "" where they are dealt anew."""
        return self.split.removeprefix(OF_RUN) if self.split.startswith(OF_RUN) else ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a training goes on from, instead of beginning anew."""

    model: str                                # manifest of the version
    membership: str                           # digest: the part of every row, see ``training.split``


@dataclass(frozen=True, slots=True)
class Advice:
    """Something worth knowing before Train is pressed."""

    level: Literal["info", "warning"]
    text: str                                 # one sentence


@dataclass(frozen=True, slots=True)
class TrainCheck:
    """What can be said about an order without running it."""

    why_not: str | None                       # why Train is disabled; None: it may be pressed
    hint: str                                 # what to do about ``why_not``
    task: str | None                          # as asked or guessed; None where there is no usable target
    estimator: str                            # "auto" resolved where the task is known
    parameters: Mapping[str, Any]             # every parameter, given or default
    features: tuple[str, ...]                 # columns that would be used, before the trainer drops constant ones
    advice: tuple[Advice, ...] = ()


def order_of(run: Run) -> Mapping[str, Any]:
    """Return what a run was asked to train, as plain JSON."""
    payload: Mapping[str, Any] = run.spec["payload"]
    train: Mapping[str, Any] = payload.get("train", payload)   # a search's order holds one for training
    return train


def check_seed(seed: int) -> int:
    """Return a seed. Raises BadInput for one that some estimator would stumble over."""
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInput(f"A seed is a whole number from 0 to {LARGEST_SEED}, not {str(seed)[:40]}.",
                       hint="Choose a smaller one; any is as good as another.")
    return seed
