"""The records that leave the library. Rows stay inside; these are frozen facts as of the moment they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mldesk.wire.schema import Column
from mldesk.wire.states import Cause, JobState


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One immutable state of a table."""

    dataset: str                 # the dataset's name
    number: int                  # 1, 2, 3, ... within the dataset
    manifest: str                # digest of the manifest of Parquet parts in the object store
    rows: int
    columns: tuple[Column, ...]
    size: int                    # bytes of the parts
    parent: int | None           # version this one was made from
    recipe: tuple[Mapping[str, Any], ...] | None  # steps that made it from ``parent``
    source: str                  # where it came from, in words: a file name, "recipe", "rollback to 1"
    problems: tuple[Mapping[str, Any], ...]       # {"file", "line", "column", "message"} found at import
    profile: str | None          # digest of the profile (JSON) in the object store, once computed
    created: float               # seconds since the epoch
    reading: Mapping[str, Any] | None = None  # of an import: {"sources", "options", "found", "files"}
    purged: float | None = None  # when its rows were thrown away; what it came of is known all the same

    @property
    def label(self) -> str:
        return f"{self.dataset}@{self.number}"

    @property
    def outside(self) -> str | None:
        """Where the rows lie, if that is not in the library: the file or folder that was registered."""
        reading = self.reading or {}
        sources, found = reading.get("sources"), reading.get("found")
        kept = isinstance(found, Mapping) and found.get("kept") == "registered"
        return str(sources[0]) if kept and isinstance(sources, list) and sources else None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A name with versions. ``head`` is the version that the bare name means."""

    name: str
    head: DatasetVersion
    versions: int
    created: float
    removed: float | None        # when it went to the bin, or None


@dataclass(frozen=True, slots=True)
class Run:
    """One job and what its journal has said so far."""

    id: str
    name: str
    kind: str                    # "train"
    state: JobState
    cause: Cause | None
    message: str                 # the sentence that goes with ``cause``, else ""
    hint: str
    runner: str                  # "local" or the runner's name
    dataset: str                 # name@version, "" where there is none
    task: str | None             # as asked, later as the runner guessed it
    target: str
    estimator: str
    parameters: Mapping[str, Any]
    last_seq: int                # cursor: events 1..last_seq are in the library
    created: float
    started: float | None
    finished: float | None
    result: Mapping[str, Any] | None  # of the "succeeded" event
    progress: Mapping[str, Any] | None  # payload of the latest "progress" event
    stage: str                   # name of the latest "stage" event
    model: str | None            # name@version it made
    spec: Mapping[str, Any]      # the JobSpec as JSON
    handover: Mapping[str, Any] | None = None  # {"from", "checkpoint"}: ``runner`` has yet to take it over
    note: str = ""               # what a person wrote of it
    group: str = ""              # the group it was put into, "" for none
    tags: tuple[str, ...] = ()
    priority: int = 0            # in its runner's queue, as it was begun: -10 to 10
    not_before: float | None = None   # moment before which it is not to start, by its runner's wall clock

    def due(self, now: float) -> float | None:
        """Return the moment that it waits for; None where it does not wait for one."""
        waits = self.state in (JobState.CREATED, JobState.QUEUED)
        return self.not_before if waits and self.not_before is not None and self.not_before > now else None

    @property
    def parent(self) -> str:
        """The id of the run it is part of, as the program that kept it says; "" for none."""
        return str(self.spec.get("payload", {}).get("parent") or "") if self.kind == "imported" else ""

    @property
    def seconds(self) -> float | None:
        """Time on the runner, once it is known."""
        return None if self.started is None or self.finished is None else self.finished - self.started


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One reading of one metric of one run."""

    metric: str
    step: int
    epoch: float | None
    seconds: float               # at work, over all attempts
    value: float                 # may be nan or infinite
    seq: int = 0                 # of the event it came in


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One trained model. Its files are a manifest in the object store."""

    model: str                   # the model's name
    number: int
    manifest: str
    run: str | None              # id of the run that made it; None for an imported bundle
    dataset: str                 # name@version
    task: str
    target: str
    estimator: str
    metrics: Mapping[str, float]  # on the test part
    size: int                    # bytes
    created: float
    notes: str
    stage: str = ""              # "", or a name of library.stages: "candidate", "promoted", "archived"
    tags: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.model}@{self.number}"


@dataclass(frozen=True, slots=True)
class StageChange:
    """One step of a version from a stage to another."""

    number: int
    time: float                  # seconds since the epoch
    before: str
    after: str
    note: str                    # why, in a person's words; "" where nothing was said


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One file of predictions that was written."""

    key: int
    time: float
    model: str                   # name@version, or the bundle's file name
    manifest: str                # digest of the model's manifest, or of the bundle
    source: str                  # path of the rows
    source_digest: str           # SHA-256 of the file's bytes
    output: str
    output_digest: str
    rows: int
    left_out: int
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A name with versions. ``head`` is the newest, ``promoted`` the one the bare name means (else the newest)."""

    name: str
    head: ModelVersion
    promoted: int | None
    versions: int
    created: float
    chosen: ModelVersion | None = None   # the promoted version, where it is not the newest

    @property
    def meant(self) -> ModelVersion:
        """The version that the bare name means."""
        return self.chosen or self.head


@dataclass(frozen=True, slots=True)
class RunnerRecord:
    """A machine that runs jobs."""

    name: str                    # "local" is always there
    kind: str                    # "local" or "ssh"
    address: str                 # "" or user@host:port
    facts: Mapping[str, Any]     # the latest hello: cores, memory, devices, versions
    seen: float | None           # when it last said what it is
    added: float | None = None   # None: "local", or added by MLDesk 0.1
    unreachable: float | None = None  # when contact first failed since it last answered; None: it answers
    trouble: str = ""            # why it is out of reach, one sentence
    options: Mapping[str, Any] = field(default_factory=dict)  # {"processor_only", "at_boot"} as chosen at "add"
