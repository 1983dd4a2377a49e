"""What a model version came of, what it consists of, and its card, which a person may rewrite."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from mldesk.core.clock import iso
from mldesk.core.errors import BadInput, MldeskError, NotFound
from mldesk.library import Library
from mldesk.library.records import ModelVersion, Run
from mldesk.wire.objects import ObjectMissing
from mldesk.workbench.evaluated import intervals_of
from mldesk.workbench.layers import Layers, read_layers
from mldesk.workbench.model_changes import Change, Known, change
from mldesk.workbench.models import ModelService
from mldesk.workbench.origins import line_of
from mldesk.workbench.split_words import searched

CARD, MODEL = "MODEL_CARD.md", "model.json"
_WEIGHTS, _CONFIG = "native/weights.safetensors", "native/config.json"
_LONGEST = 1 << 20   # characters of a card


class AboutService:
    """Facts about model versions beyond their scores."""

    def __init__(self, library: Library, models: ModelService) -> None:
        self._library, self._models = library, models

    def lineage(self, reference: str) -> dict[str, Any]:
        """Return what a version came of, as plain JSON. Raises NotFound.

        {"model", "stage", "created", "run", "data": {"version", "manifest", "source", "rows", "recipe", "line" (see
        ``origins.line_of``)}, "prepare" (steps that the model does itself), "split": {..., "membership", "rows",
        "search" (of a search's model: {"folds", "forward"} that its trials were judged by, as far as known)},
        "target", "estimator", "parameters", "members" (of a blend: {"estimator", "weight", "parameters", "trial",
        "score"}, the heaviest first), "features", "seed", "code", "environment"}; what is not known, as for a model
        that came in a bundle, is None.
        """
        version = self._models.show(reference)
        model = self._document(version, MODEL)
        run = None if version.run is None else self._library.runs.get(version.run)
        payload: Mapping[str, Any] = {} if run is None else run.spec.get("payload", {})
        train = payload.get("train", payload)   # a search's order holds one for training
        environment = dict(model.get("versions") or {})
        return {
            "model": version.label, "stage": version.stage or None, "created": iso(version.created),
            "run": None if run is None else {"id": run.id, "name": run.name, "kind": run.kind, "runner": run.runner},
            "data": self._data(version, model), "prepare": [dict(step) for step in train.get("prepare") or ()],
            "split": {**(train.get("split") or {}), "membership": (run.result or {}).get("split") if run else None,
                      "rows": dict(model.get("rows") or {}), **_judged(model, run)},
            "target": version.target, "estimator": version.estimator, "parameters": dict(model.get("parameters") or {}),
            "members": sorted((dict(item) for item in (model.get("facts") or {}).get("members") or ()),
                              key=lambda item: -float(item["weight"])),
            "features": [str(item["name"]) for item in model.get("features") or ()],
            "seed": model.get("seed"), "code": f"MLDesk {environment.pop('mldesk', 'of an unknown version')}",
            "environment": environment,
        }

    def changes(self, name: str) -> dict[int, Change]:
        """Return what changed from each version to the next, by the number of the later one. Raises NotFound.

        Versions whose files or run are not here are left out.
        """
        versions = self._models.versions(name)
        known = [self._known(version) for version in versions]
        return {version.number: change(before, after)
                for version, (before, after) in zip(versions[1:], itertools.pairwise(known), strict=True)
                if before is not None and after is not None}

    def _known(self, version: ModelVersion) -> Known | None:
        try:
            lineage = self.lineage(version.label)
        except (MldeskError, ObjectMissing, OSError):
            return None
        try:
            parts = self._models.evaluation(version.label).get("parts") or {}
            intervals = intervals_of(parts.get("test") or {})
        except (MldeskError, ObjectMissing, KeyError, OSError, ValueError, TypeError):   # a stranger's may lack one
            intervals = {}
        return Known(version.label, lineage, version.metrics, intervals)

    def _data(self, version: ModelVersion, model: Mapping[str, Any]) -> dict[str, Any]:
        told = model.get("dataset") or {}
        found: dict[str, Any] = {"version": version.dataset or told.get("name"), "manifest": told.get("manifest"),
                                 "source": None, "rows": None, "recipe": None, "line": []}
        name, _, number = version.dataset.rpartition("@")
        if version.run is None or not number.isdecimal():
            return found
        try:
            data = self._library.datasets.version(name, int(number))
        except NotFound:   # purged, or renamed since
            return found
        recipe = None if data.recipe is None else [dict(step) for step in data.recipe]
        return {**found, "source": data.source, "rows": data.rows, "recipe": recipe,
                "line": line_of(self._library, data)}

    def layers(self, reference: str) -> Layers:
        """Return the layers of a network. Raises NotFound; BadInput for a model that has none; LibraryDamaged."""
        version = self._models.show(reference)
        entries = {entry.path: entry.sha256 for entry in self._library.objects.manifest(version.manifest).entries}
        if _WEIGHTS not in entries or _CONFIG not in entries:
            raise BadInput(f"{version.label} is no network, and only networks have layers.",
                           hint="Networks are tabm, mlp and ft_transformer.")
        with open(self._library.objects.path(entries[_WEIGHTS]), "rb") as file:
            return read_layers(file, json.loads(self._library.objects.read(entries[_CONFIG])))

    def card(self, reference: str) -> tuple[str, bool]:
        """Return a version's card (Markdown), and whether a person rewrote it. Raises NotFound."""
        version = self._models.show(reference)
        text, own = self._models.card(version)
        return (self._text(version, CARD), False) if text is None else (text, own)   # says what is wrong without one

    def set_card(self, reference: str, text: str | None) -> None:
        """Keep a card in a person's words, which bundles carry from then on; None: as it was made.

        Raises NotFound, BadInput.
        """
        version = self._models.show(reference)
        if text is not None and (not text.strip() or "\0" in text or len(text) > _LONGEST):
            raise BadInput("A model card is text, and not more than a million characters of it.",
                           hint="To have the card back as it was made, reset it.")
        self._library.models.set_card(version.model, version.number, text)

    def _document(self, version: ModelVersion, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self._text(version, name)))
        except (ValueError, TypeError):   # a stranger's file, which a bundle's reader has let pass
            return {}

    def _text(self, version: ModelVersion, name: str) -> str:
        entry = next((item for item in self._library.objects.manifest(version.manifest).entries if item.path == name),
                     None)
        if entry is None:
            raise NotFound(f"{version.label} has no {name}.")
        return self._library.objects.read(entry.sha256).decode("utf-8", "replace")


def _judged(model: Mapping[str, Any], run: Run | None) -> dict[str, Any]:
    """Return {"search": {"folds", "forward"}} of a model that a search made, as far as it or its run says so."""
    made = dict(model.get("facts") or {})
    told = made if made.get("folds") else (searched(run) if run is not None else None)
    if told is None and "members" not in made:
        return {}
    return {"search": {name: told[name] for name in ("folds", "forward") if name in told} if told else {}}
