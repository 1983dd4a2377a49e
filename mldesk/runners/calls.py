"""The protocol's methods as a RunnerClient has them, whatever the way to the runner is."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import mldesk
from mldesk.core.errors import Conflict, NotFound
from mldesk.core.ids import new_id
from mldesk.runners import answers, views
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectMissing, ObjectStore
from mldesk.wire.protocol import MAX_WAIT, METHODS, PROTOCOL, shared_version
from mldesk.wire.runner_view import CacheView, QueueView, RunnerSettings, Sample
from mldesk.wire.states import JobState

_JOURNAL = "journal"       # name of a job's history in the manifest it travels with
_SCHEDULED = b'"kind":"scheduled"'   # in such a history: it may wait for a moment that its spec does not say


class RunnerTooOld(Conflict):
    """The runner is an older one that cannot do this yet; everything else works."""

    code = "runner_too_old"

    def __init__(self, name: str) -> None:
        super().__init__(f"The runner {name} is too old for this; its jobs are not affected.",
                         hint=f"Upgrade it: mldesk runners upgrade {name}.")


class Calls(ABC):
    """Most of a RunnerClient. ``_exchange`` is the way to the runner, ``_bring`` the way for data."""

    name: str
    _store: ObjectStore                        # where what a job needs comes from
    _protocol: tuple[int, int] = PROTOCOL      # what this end speaks
    _shared = 0                                # version both speak, once known

    @abstractmethod
    def _exchange(self, method: str, payload: dict[str, Any], wait: float = 0.0) -> tuple[dict[str, Any], bytes]:
        """Call, and call again while there is no way to the runner; ``wait``: seconds the runner may take longer."""

    @abstractmethod
    def _bring(self, manifest: str) -> None:
        """Bring a manifest of our store with its files to the runner."""

    # --- version 1

    def hello(self) -> Mapping[str, Any]:
        answer, _ = self._exchange("hello", {"protocol": list(self._protocol), "build": mldesk.__version__})
        self._shared = shared_version(answer.get("protocol"), self._protocol)
        return answers.facts(answer)

    def submit(self, spec: JobSpec, priority: int = 0) -> JobState:
        payload: dict[str, Any] = {"spec": spec.to_json()}
        if priority or spec.resources.gpu_memory or spec.resources.prefers_gpu:
            self._need(2)
        if spec.not_before:
            self._need(4)      # an older one would start it at once
        if priority:
            payload["priority"] = priority
        return self._with_inputs(spec.inputs, "submit", payload)

    def events(self, job: str, after: int, *, limit: int = 1000, wait: float = 0.0) -> list[Event]:
        return answers.events(self.history(job, after, limit=limit, wait=wait), job, after)

    def history(self, job: str, after: int = 0, *, limit: int = 1000, wait: float = 0.0) -> bytes:
        """Return the journal's lines after number ``after`` as they are; see ``events``."""
        payload = {"job": job, "after": after, "limit": limit, "wait": min(wait, MAX_WAIT)}
        return self._exchange("events", payload, min(wait, MAX_WAIT))[1]

    def state(self, job: str) -> JobState:
        return answers.state(self._call("state", {"job": job}))

    def cancel(self, job: str) -> None:
        self._call("cancel", {"job": job, "command": new_id()})

    def finish(self, job: str) -> None:
        self._call("finish", {"job": job, "command": new_id()})

    def resume(self, job: str) -> None:
        self._call("resume", {"job": job, "command": new_id()})

    def log(self, job: str, offset: int = 0, limit: int = 65536) -> tuple[bytes, int]:
        answer, text = self._exchange("log", {"job": job, "offset": offset, "limit": limit})
        return text, answers.offset(answer, text, offset)

    def jobs(self) -> list[Mapping[str, Any]]:
        return answers.jobs(self._call("jobs", {}))

    # --- version 2

    def queue(self) -> QueueView:
        return views.queue(self._call("queue", {}))

    def reorder(self, job: str, before: str) -> None:
        self._call("reorder", {"job": job, "before": before})

    def prioritize(self, job: str, priority: int) -> None:
        self._call("prioritize", {"job": job, "priority": priority})

    def drain(self, on: bool) -> None:
        self._call("drain", {"on": on})

    def settings(self) -> RunnerSettings:
        return views.settings(self._call("settings", {}))

    def zone(self) -> str:
        """Return the name of the time zone that the runner's quiet hours are in."""
        return answers.plain(self._call("settings", {}).get("zone"))

    def configure(self, settings: RunnerSettings) -> None:
        self._call("configure", {"settings": settings.to_json()})

    def telemetry(self, after: int = 0, wait: float = 0.0) -> list[Sample]:
        wait = min(wait, MAX_WAIT)
        return views.samples(self._call("telemetry", {"after": after, "wait": wait}, wait))

    def agent_log(self, offset: int = -65536, limit: int = 65536) -> tuple[bytes, int]:
        self._need(2)
        answer, text = self._exchange("agent_log", {"offset": offset, "limit": limit})
        return text, views.log_end(answer, text)

    def release(self, job: str) -> None:
        self._call("release", {"job": job, "command": new_id()})

    def checkpoint(self, job: str) -> str | None:
        return views.digest(self._call("checkpoint", {"job": job}))

    def take_over(self, spec: JobSpec, history: bytes, checkpoint: str | None) -> JobState:
        self._need(4 if spec.not_before > time.time() or _SCHEDULED in history else 2)
        journal = self._store.put_bytes(history)
        self._bring(self._store.put_manifest({_JOURNAL: journal}))
        payload = {"spec": spec.to_json(), "history": journal, "checkpoint": checkpoint}
        wanted = spec.inputs if checkpoint is None else (*spec.inputs, checkpoint)
        return self._with_inputs(wanted, "take_over", payload)

    def forget_job(self, job: str) -> None:
        self._call("forget_job", {"job": job})

    def cache(self) -> CacheView:
        return views.cache(self._call("cache", {}))

    def collect(self) -> int:
        return views.freed(self._call("collect", {}))

    # --- version 3

    def pause(self, job: str) -> None:
        self._call("pause", {"job": job, "command": new_id()})

    def tell(self, job: str, name: str, message: Mapping[str, Any], inputs: tuple[str, ...] = (),
             since: int = 3) -> None:
        self._need(since)
        payload = {"job": job, "name": name, "message": dict(message), "inputs": list(inputs)}
        self._bringing(inputs, lambda: self._exchange("tell", payload))

    # --- version 4

    def start_at(self, job: str, moment: float) -> None:
        self._call("start_at", {"job": job, "command": new_id(), "moment": moment})

    # --- calling

    def _call(self, method: str, payload: dict[str, Any], wait: float = 0.0) -> dict[str, Any]:
        since = METHODS[method].since
        self._need(since)
        try:
            return self._exchange(method, payload, wait)[0]
        except NotFound:
            if since > 1:  # an older agent may have come back since: it does not know the method
                self._shared = 0
                self._need(since)
            raise

    def _with_inputs(self, inputs: tuple[str, ...], method: str, payload: dict[str, Any]) -> JobState:
        """Call, and if data is not there, bring all of it and call again."""
        return answers.state(self._bringing(inputs, lambda: self._exchange(method, payload))[0])

    def _bringing(self, inputs: tuple[str, ...],
                  call: Callable[[], tuple[dict[str, Any], bytes]]) -> tuple[dict[str, Any], bytes]:
        try:
            return call()
        except NotFound as missing:
            for manifest in dict.fromkeys(inputs):
                try:
                    self._bring(manifest)
                except ObjectMissing as error:  # it lay on the runner only, which knows better what became of it
                    hint = missing.hint or "Its files are not in this library either: import them again."
                    raise ObjectMissing(error.digest, missing.message, hint=hint) from error
            return call()

    def _need(self, version: int) -> None:
        """Raise RunnerTooOld unless both ends speak so high a version of the protocol."""
        if version > 1 and self._shared < version:
            self.hello()
            if self._shared < version:
                raise RunnerTooOld(self.name)
