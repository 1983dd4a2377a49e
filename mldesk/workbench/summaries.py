"""Runs, models and datasets as the plain JSON that scripts rely on. One place, so that the shapes cannot drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.core.clock import iso
from mldesk.library.records import Dataset, DatasetVersion, Model, ModelVersion, Run, RunnerRecord
from mldesk.wire.runner_view import QueueView, RunnerSettings


def run_result(run: Run) -> dict[str, Any]:
    """Return what ``train --json`` prints. Metrics are on the test part; rows are counted per part."""
    result = run.result or {}
    return {
        "run": run.id, "status": run.state.value, "cause": None if run.cause is None else run.cause.value,
        "model": run.model, "task": run.task, "metrics": dict(result.get("metrics", {})),
        "rows": dict(result.get("rows", {})), "seconds": result.get("seconds", run.seconds),
        "warnings": list(result.get("warnings", ())),
        **{key: result[key] for key in ("cross_validation",) if key in result},
    }


def run_details(run: Run) -> dict[str, Any]:
    """Return what ``runs show --json`` prints."""
    return {
        **run_result(run), "name": run.name, "kind": run.kind, "last_seq": run.last_seq, "runner": run.runner,
        "estimator": run.estimator, "parameters": dict((run.result or {}).get("parameters", run.parameters)),
        "dataset": run.dataset, "target": run.target, "created": iso(run.created),
        "not_before": _when(run.not_before), "started": _when(run.started),
        "finished": _when(run.finished), "stage": run.stage, "progress": run.progress and dict(run.progress),
        "finished_early": bool((run.result or {}).get("finished_early", False)),
        "message": run.message, "hint": run.hint, "note": run.note, "group": run.group, "tags": list(run.tags),
        **({"parent": run.parent} if run.parent else {}),
    }


def dataset_import(version: DatasetVersion, made: bool = True) -> dict[str, Any]:
    """Return what ``data import --json`` prints; ``made``: the version is new."""
    return {**dataset_facts(version), "made": made}


def dataset_facts(version: DatasetVersion) -> dict[str, Any]:
    """Return what scripts need to know of a version: its rows, columns and problems."""
    return {"dataset": version.dataset, "version": version.number, "rows": version.rows,
            "columns": [column.to_json() for column in version.columns],
            "problems": [dict(problem) for problem in version.problems]}


def dataset_details(version: DatasetVersion) -> dict[str, Any]:
    """Return what ``data show --json`` prints."""
    return {**dataset_facts(version), "size": version.size, "parent": version.parent,
            "recipe": None if version.recipe is None else [dict(step) for step in version.recipe],
            "source": version.source, "created": iso(version.created), "manifest": version.manifest,
            "outside": version.outside, "purged": None if version.purged is None else iso(version.purged)}


def dataset_line(dataset: Dataset) -> dict[str, Any]:
    """Return one entry of ``data list --json``."""
    return {"dataset": dataset.name, "version": dataset.head.number, "versions": dataset.versions,
            "rows": dataset.head.rows, "columns": len(dataset.head.columns), "size": dataset.head.size,
            "outside": dataset.head.outside, "created": iso(dataset.created), "removed": _when(dataset.removed)}


def model_details(version: ModelVersion) -> dict[str, Any]:
    """Return one model version as ``models show --json`` prints it."""
    return {"model": version.label, "name": version.model, "version": version.number, "task": version.task,
            "target": version.target, "estimator": version.estimator, "metrics": dict(version.metrics),
            "dataset": version.dataset, "run": version.run, "size": version.size, "created": iso(version.created),
            "notes": version.notes, "tags": list(version.tags), "stage": version.stage or None,
            "manifest": version.manifest}


def model_line(model: Model) -> dict[str, Any]:
    """Return one entry of ``models list --json``: the version that the bare name means."""
    return {**model_details(model.meant), "promoted": model.promoted, "versions": model.versions}


def runner_details(runner: RunnerRecord) -> dict[str, Any]:
    """Return what ``runners show --json`` prints."""
    return {"runner": runner.name, "kind": runner.kind, "address": runner.address, "seen": _when(runner.seen),
            "added": _when(runner.added), "unreachable": _when(runner.unreachable), "trouble": runner.trouble or None,
            "options": _plain(runner.options), "facts": _plain(runner.facts)}


def runner_queue(name: str, view: QueueView) -> dict[str, Any]:
    """Return what ``runners queue --json`` prints."""
    found = view.to_json()
    waiting = [{**item, "starts": _when(item["starts"] or None)} for item in found["waiting"]]
    return {"runner": name, **found, "waiting": waiting}


def runner_settings(name: str, settings: RunnerSettings, zone: str) -> dict[str, Any]:
    """Return what ``runners settings --json`` prints; quiet hours in the runner's own time zone."""
    return {"runner": name, "settings": settings.to_json(), "zone": zone}


def _when(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in facts.items()}
