"""Job specs: everything a runner needs to know to do a job, as plain data.

The client makes the id before it sends the spec, so a repeated submit is the same job; the digest of the canonical
JSON tells a repeat from a conflict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.core.ids import is_id

FORMAT = 1
Task = Literal["tabular_classification", "tabular_regression"]
TASKS: tuple[str, ...] = ("tabular_classification", "tabular_regression")
FAREST = 1e11              # seconds since the epoch: no moment is later
_DEVICE = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job takes of its runner while it runs."""

    device: str = "auto"        # "auto", "cpu", "cuda" or "cuda:N"
    threads: int = 0            # 0: every core
    gpu_memory: int = 0         # bytes the graphics card must have at least; above 0 it needs a card
    prefers_gpu: bool = False   # "auto": it can use a graphics card, and takes one where there is one

    def to_json(self) -> dict[str, Any]:
        """Return it without what version 1 does not know, as long as that says nothing."""
        value = asdict(self)
        for key in ("gpu_memory", "prefers_gpu"):
            if not value[key]:
                del value[key]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Resources:
        """Read what a peer sent. Raises TypeError, ValueError."""
        found = cls(**value)
        if not isinstance(found.device, str) or not _DEVICE.fullmatch(found.device):
            raise ValueError(f"no device is called {found.device!r:.40}")
        for number in (found.threads, found.gpu_memory):
            if type(number) is not int or not 0 <= number < 1 << 53:
                raise ValueError(f"a number that is not negative is expected, not {number!r:.40}")
        if not isinstance(found.prefers_gpu, bool):
            raise TypeError("prefers_gpu is true or false")
        return found


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends a job from outside. Zero means no limit."""

    seconds: float = 0.0
    memory: int = 0       # bytes, resident


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One piece of work. ``payload`` is read by the trainer for ``kind``."""

    id: str                       # ULID
    kind: str                     # "train"
    name: str                     # for people
    inputs: tuple[str, ...]       # digests of the manifests that must be on the runner before it starts
    payload: Mapping[str, Any]    # TrainRequest.to_json() for "train"
    resources: Resources = field(default_factory=Resources)
    limits: Limits = field(default_factory=Limits)
    not_before: float = 0.0       # wall clock of the runner, seconds since the epoch; until then it waits; 0: at once

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT, "id": self.id, "kind": self.kind, "name": self.name, "inputs": list(self.inputs),
            "payload": dict(self.payload), "resources": self.resources.to_json(), "limits": asdict(self.limits),
            **({"not_before": self.not_before} if self.not_before else {}),
        }

    @property
    def digest(self) -> str:
        return canonical.digest(self.to_json())

    @classmethod
    def read(cls, folder: Path) -> JobSpec:
        """Read ``spec.json`` of a job's folder. Raises BadInput where it cannot be read or is no spec."""
        try:
            value = canonical.loads((folder / "spec.json").read_bytes())
        except (OSError, ValueError) as error:
            raise BadInput(f"The job's spec.json cannot be read: {error}.") from error
        if not isinstance(value, Mapping):
            raise BadInput("The job's spec.json is not a JSON object.")
        return cls.from_json(value)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> JobSpec:
        """Read a spec a peer sent. Raises BadInput for any other shape."""
        try:
            if value["format"] != FORMAT:
                raise BadInput(f"This job is written in format {value['format']!r:.20}; this runner reads {FORMAT}.",
                               hint="Upgrade the older of the two.")
            spec = cls(
                id=_text(value["id"]), kind=_text(value["kind"]), name=_text(value["name"]),
                inputs=tuple(_text(item) for item in value["inputs"]), payload=dict(value["payload"]),
                resources=Resources.from_json(value["resources"]), limits=Limits(**value["limits"]),
                not_before=check_moment(value.get("not_before", 0.0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"This is not a job spec: {error!r:.200}.") from error
        if not is_id(spec.id):
            raise BadInput(f"A job's id must be a ULID, not {spec.id!r:.40}.")
        return spec


def check_moment(value: object) -> float:
    """Return a moment, seconds since the epoch, as a peer sent it; 0 is none. Raises ValueError."""
    if type(value) not in (int, float) or not 0 <= value < FAREST:  # type: ignore[operator]
        raise ValueError(f"a moment in seconds since 1970 is expected, not {value!r:.40}")
    return float(value)  # type: ignore[arg-type]


SPLITS: dict[str, str] = {
    "random": "at random; every class gets the same shares",
    "stratified": "at random; every class, or every tenth of a number, gets the same shares",
    "shuffle": "at random, whatever the target",
    "group": "rows with the same value of a column stay together",
    "time": "the latest rows by a column are tested",
    "column": "a column says train, validation or test",
    "given": "by the membership of another run",
}
SORTED = ("sorted",)   # an order of classes: as their values sort
BY_COLUMN = ("group", "time", "column")   # the splits that need one


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """How rows are dealt into training, validation and test parts."""

    method: str = "random"          # a name of SPLITS
    test_size: float = 0.2          # share of all rows with a target, 0 < x < 1
    validation_size: float = 0.15   # share of the rest
    seed: int = 0
    membership: str | None = None   # "given": digest of an object holding one byte per row, see training.split
    column: str | None = None       # "group", "time", "column": the one that decides
    folds: int = 0                  # above 1: the test part is one of so many, and all of them are scored
    same_test: bool = False         # ... the first of them is the test part that there would be without folds

    def to_json(self) -> dict[str, Any]:
        """Return it without what older runners do not know, as long as that says nothing."""
        value = asdict(self)
        for key in ("column", "folds", "same_test"):
            if not value[key]:
                del value[key]
        return value


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """The payload of a "train" job."""

    dataset: str                    # manifest digest of the table's Parquet parts
    dataset_name: str               # name@version, for cards and reports
    columns: tuple[Mapping[str, Any], ...]  # wire.schema.Column as JSON, in table order
    target: str
    task: str | None = None         # None: guessed from the target
    features: tuple[str, ...] | None = None  # None: every other column but those that cannot be features
    estimator: str = "auto"         # a name of training.catalogue; "auto": its default for the task
    parameters: Mapping[str, Any] = field(default_factory=dict)
    split: SplitRequest = field(default_factory=SplitRequest)
    seed: int = 0
    model: str = ""                 # name of the model it becomes a version of; "": the library makes one up
    order: tuple[str, ...] = ()     # the classes from low to high, or SORTED; (): they have no order
    prepare: tuple[Mapping[str, Any], ...] = ()  # steps of a recipe that the model does by itself
    warm: str = ""                  # manifest of the model that it goes on from; "": it begins anew
    scores_only: bool = False       # its scores and predictions are wanted: no model is kept

    def to_json(self) -> dict[str, Any]:
        """Return it without what older runners do not know, as long as that says nothing."""
        value = asdict(self)
        value["prepare"] = [dict(step) for step in self.prepare]
        for key in ("prepare", "warm", "scores_only"):
            if not value[key]:
                del value[key]
        value["columns"] = [dict(column) for column in self.columns]
        value["features"] = None if self.features is None else list(self.features)
        value["split"] = self.split.to_json()
        if self.order:
            value["order"] = list(self.order)
        else:
            del value["order"]      # what older runners do not know is not said
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainRequest:
        """Read a payload. Raises BadInput for any other shape."""
        try:
            given = dict(value)
            given["columns"] = tuple(dict(column) for column in given["columns"])
            given["features"] = None if given["features"] is None else tuple(given["features"])
            given["split"] = SplitRequest(**given["split"])
            given["order"] = tuple(_text(name) for name in given.get("order", ()))
            given["prepare"] = tuple(dict(step) for step in given.get("prepare", ()))
            given["scores_only"] = given.get("scores_only") is True
            return cls(**given)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"This is not a training request: {error!r:.200}.") from error


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The payload of a "search" job: what to learn, as for training, and when to stop looking for better."""

    train: TrainRequest             # its estimator and parameters are of no matter
    metric: str | None = None       # a name of training.search.measures; None: by the task
    seconds: float = 0.0            # of the whole job; 0: as many as ``trials`` take
    trials: int = 0                 # at most; 0: as many as the time allows
    target_score: float | None = None   # good enough on the rows that trials are judged by
    estimators: tuple[str, ...] = ()    # names of training.catalogue; (): all that make sense
    ensemble: bool = True           # blend the best ones
    parallel: int = 1               # trials at once on the job's own runner
    folds: int = 0                  # trials are judged by; 1: one validation part; 0: as the time allows
    earlier: tuple[str, ...] = ()   # manifests of trials of earlier searches of the same rows, to begin with
    kept: str = ""                  # the model of the last of them, whose parts need not be fitted again
    helpers: tuple[str, ...] = ()   # jobs at other runners that try configurations for this one
    helps: str = ""                 # the job that this one is a helper of: it makes no model
    stack: bool = False             # weigh the best by how well they predict together, or learn from what they say
    stack_columns: bool = False     # ... where what learns from that may look at the columns, too
    refit: bool = False             # fit what is kept once more, on all rows but the test rows
    configurations: tuple[Mapping[str, Any], ...] = ()   # these alone are tried, as "trial" events name them; of one
    #                                                      that another search tried, "trial" is its number there
    quantile: float | None = None   # of numbers, that models are to predict instead of the mean
    share: tuple[int, int] = (0, 1)  # which configurations of the portfolio are its own: every [1]th from the [0]th on

    def to_json(self) -> dict[str, Any]:
        """Return it without what older runners do not know, as long as that says nothing."""
        value = {**asdict(self), "train": self.train.to_json(), "estimators": list(self.estimators),
                 "earlier": list(self.earlier), "helpers": list(self.helpers), "share": list(self.share),
                 "configurations": [dict(item) for item in self.configurations]}
        usual: dict[str, Any] = {"parallel": 1, "folds": 0, "earlier": [], "helpers": [], "helps": "", "kept": "",
                                 "share": [0, 1], "stack": False, "stack_columns": False, "refit": False,
                                 "configurations": [], "quantile": None}
        return {key: item for key, item in value.items() if key not in usual or item != usual[key]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SearchRequest:
        """Read a payload. Raises BadInput for any other shape, or one without an end."""
        try:
            given = dict(value)
            given["train"] = TrainRequest.from_json(given["train"])
            for key in ("estimators", "earlier", "helpers"):
                given[key] = tuple(_text(name) for name in given.get(key, ()))
            given["configurations"] = tuple(
                {**({"trial": int(item["trial"])} if item.get("trial") else {}),
                 "estimator": _text(item["estimator"]), "parameters": dict(item["parameters"]),
                 **({"pipeline": dict(item["pipeline"])} if item.get("pipeline") else {})}
                for item in given.get("configurations", ()))
            index, count = given.get("share", (0, 1))
            given["share"] = (int(index), int(count))
            request = cls(**given)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"This is not a search request: {error!r:.200}.") from error
        if request.quantile is not None and not (type(request.quantile) is float and 0 < request.quantile < 1):
            raise BadInput("This is not a search request: its quantile is no share.")
        numbers = (request.seconds, request.trials, request.target_score or 0.0)
        if not all(type(number) in (int, float) and -math.inf < number < math.inf for number in numbers):
            raise BadInput("This is not a search request: its limits are no numbers.")
        if not all(type(number) is int and 0 <= number <= 256 for number in (
                request.parallel, request.folds, *request.share)) or not request.share[0] < request.share[1]:
            raise BadInput("This is not a search request: its numbers of trials at once, folds or shares are none.")
        if request.seconds <= 0 and request.trials <= 0 and request.target_score is None:
            raise BadInput("A search needs an end.", hint="Say how many minutes or trials it may take.")
        return request


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {value!r:.40}")
    return value
