"""Models: versions in the library, and the safe file in which one leaves or enters it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.bundles.names import CARD, CONTRACT, READING, RECIPE, THRESHOLD
from mldesk.core.clock import iso
from mldesk.core.errors import BadInput, LibraryDamaged, MldeskError, NotFound
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.library.names import check_name
from mldesk.library.records import Model, ModelVersion, StageChange
from mldesk.library.stages import before_promotion
from mldesk.wire.objects import ObjectMissing
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.as_imported import of_dataset
from mldesk.workbench.cleaning_rows import chain_of
from mldesk.workbench.guard import contract_about
from mldesk.workbench.references import listed, parse_reference, refuse_unknown_tags, which_version
from mldesk.workbench.signing_key import SigningKeys

if TYPE_CHECKING:
    from mldesk.bundles import BundleReport
    from mldesk.bundles.contract import RowContract
    from mldesk.bundles.threshold import Threshold

SUFFIX = ".mlbundle"
_GIVEN = (CONTRACT, READING, RECIPE, THRESHOLD)   # what a model of our own is given on its way out


class ModelService:
    """What can be done with trained models."""

    def __init__(self, library: Library, keys: SigningKeys) -> None:
        self._library, self._keys = library, keys

    def get(self, name: str) -> Model:
        """Return one model. Raises NotFound with the nearest names."""
        self.show(name)
        return self._library.models.get(parse_reference(name)[0])

    def versions(self, name: str) -> list[ModelVersion]:
        """Return every version, oldest first. Raises NotFound."""
        return self._library.models.versions(self.show(name).model)

    def show(self, reference: str) -> ModelVersion:
        """Return what ``M`` (promoted, else newest) or ``M@V`` means. Raises NotFound with the nearest names."""
        name, number = parse_reference(reference)
        try:
            return self._library.models.version(name, number)
        except NotFound as error:
            names = [model.name for model in self._library.models.list()]
            hint = which_version(name, names, lambda: (item.number for item in self._library.models.versions(name)),
                                 error.hint)
            hint = self._of_run(name) or hint
            raise NotFound(error.message, hint=hint or f"Models here: {listed(names) or 'none yet'}.") from error

    def _of_run(self, name: str) -> str:
        """Return a hint for the name of a run where its model's is wanted; "" for any other."""
        with suppress(MldeskError):
            run = self._library.runs.get(name)
            if run.model and name in (run.name, run.id):
                return f"{name} is a run; its model is {run.model}."
        return ""

    def annotate(self, reference: str, *, note: str | None = None, tags: Sequence[str] | None = None) -> ModelVersion:
        """Change what a person says of a version; None leaves a thing as it is. Raises NotFound, BadInput."""
        version = self.show(reference)
        if tags is not None:
            self._library.models.set_tags(version.model, version.number, tags)
        if note is not None:
            self._library.models.set_notes(version.model, version.number, note.strip())
        return self.show(version.label)

    def tag(self, reference: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> ModelVersion:
        """Give tags to a version and take others from it. Raises NotFound for one it does not bear, BadInput."""
        version = self.show(reference)
        gone = {check_name(tag, "tag") for tag in remove}
        refuse_unknown_tags(gone, set(version.tags), version.label)
        kept = [tag for tag in (*version.tags, *add) if tag not in gone]
        return self.annotate(version.label, tags=kept) if add or remove else version

    def tags(self) -> Mapping[str, tuple[str, ...]]:
        """Return the tags of the versions of each model, by the model's name."""
        return self._library.models.tags()

    def promote(self, name: str, number: int, note: str = "") -> ModelVersion:
        """Make a version the one the bare name means; the one before is archived. Raises NotFound."""
        version = self.show(f"{name}@{number}")
        self._library.models.promote(version.model, number, note)
        return self.show(version.label)

    def rollback(self, name: str, number: int | None = None, note: str = "") -> ModelVersion:
        """Go back to an earlier version, None: as before the last promotion. Raises NotFound, Conflict."""
        version = self.show(name if number is None else f"{name}@{number}")
        return self.show(f"{version.model}@{self._library.models.rollback(version.model, number, note)}")

    def set_stage(self, name: str, number: int, stage: str, note: str = "") -> ModelVersion:
        """Make a version a "candidate", "archived" or neither (""). Raises NotFound, BadInput, Conflict."""
        version = self.show(f"{name}@{number}")
        self._library.models.set_stage(version.model, number, stage, note)
        return self.show(version.label)

    def stage_changes(self, name: str) -> list[StageChange]:
        """Return how versions went from stage to stage, newest first. Raises NotFound."""
        return self._library.models.stage_changes(self.show(name).model)

    def promoted_before(self, name: str) -> int | None:
        """Return the version that ``rollback`` goes back to; None where none was promoted before. Raises NotFound."""
        return before_promotion(self.stage_changes(name))

    def evaluation(self, reference: str) -> Mapping[str, Any]:
        """Return the evaluation payload that travels with the model. Raises NotFound when it has none, BadInput for
        one of a stranger's bundle that says nothing of a model.

        Its ``doubts`` say what speaks against the scores.
        """
        version = self.show(reference)
        entry = self._library.objects.manifest(version.manifest).entry("evaluation.json")
        payload: dict[str, Any] = json.loads(self._library.objects.read(entry.sha256))
        if not _is_evaluation(payload):
            raise BadInput(f"The evaluation that came with {version.label} cannot be read.",
                           hint="The model predicts all the same. Ask who made its bundle for another one.")
        if "doubts" not in payload and version.run is not None:   # of an older library: the run alone has them
            with suppress(NotFound):
                if warnings := (self._library.runs.get(version.run).result or {}).get("warnings"):
                    payload["doubts"] = warnings
        return payload

    def threshold(self, reference: str) -> Threshold | None:
        """Return from where on a version calls a row a class: as it was set, or as it came. Raises NotFound, BadBundle.
        """
        from mldesk.bundles.threshold import Threshold  # numpy loads with it

        version, store = self.show(reference), self._library.objects
        kept = self._library.models.threshold(version.model, version.number)
        if kept is None:
            entries = {entry.path: entry.sha256 for entry in store.manifest(version.manifest).entries}
            kept = store.read(entries[THRESHOLD]).decode() if THRESHOLD in entries else ""
        return Threshold.from_bytes(kept.encode(), self.classes(version)) if kept else None

    def set_threshold(self, reference: str, at: float | None, label: object = None) -> Threshold | None:
        """Keep from which probability on a version calls a row ``label`` (else the second of two classes).

        None goes back to the most probable class. Predictions, what-if, servers and bundles go by it from then on.
        Raises NotFound, BadInput.
        """
        from mldesk.bundles.threshold import Threshold  # numpy loads with it

        version = self.show(reference)
        chosen = None if at is None else Threshold.chosen(self.classes(version), at, label)
        self._library.models.set_threshold(version.model, version.number,
                                           "" if chosen is None else chosen.to_bytes().decode())
        return chosen

    def card(self, version: ModelVersion) -> tuple[str | None, bool]:
        """Return a version's card and whether a person rewrote it; None where its files have none."""
        own = self._library.models.card(version.model, version.number)
        if own is not None:
            return own, True
        entries = {entry.path: entry.sha256 for entry in self._library.objects.manifest(version.manifest).entries}
        if CARD not in entries:
            return None, False
        made = self._library.objects.read(entries[CARD]).decode("utf-8", "replace")
        threshold = self.threshold(version.label)
        return made if threshold is None else f"{made.rstrip()}\n\n## Threshold\n\n{threshold.in_words()}\n", False

    def _own_card(self, version: ModelVersion) -> str | None:
        """Return the card that a bundle takes along in place of the one among the model's files."""
        text, own = self.card(version)
        return text if own or self._travelling(version) else None

    def classes(self, version: ModelVersion) -> tuple[Any, ...]:
        """Return the classes that a version tells apart, in their order; () for numbers. Raises LibraryDamaged."""
        entry = self._library.objects.manifest(version.manifest).entry("model.json")
        return tuple(json.loads(self._library.objects.read(entry.sha256)).get("classes") or ())

    def _travelling(self, version: ModelVersion) -> bytes | None:
        """Return the threshold as a bundle takes it along, b"" for none; None where nobody set or took one away."""
        kept = self._library.models.threshold(version.model, version.number)
        return None if kept is None else kept.encode()

    def doubts(self, version: ModelVersion) -> list[str]:
        """Return what speaks against the scores of a version; [] where its evaluation is not here, too."""
        try:
            return [str(text) for text in self.evaluation(version.label).get("doubts", ())]
        except (MldeskError, OSError, ValueError):
            return []

    def export(self, reference: str, path: Path) -> BundleReport:
        """Write a model as one signed file and return what is in it. Raises NotFound, BadInput, DiskFull."""
        from mldesk.bundles import inspect, write_bundle  # cryptography loads with it

        version = self.show(reference)
        check_target(path)
        if path.suffix != SUFFIX:
            raise BadInput(f"A bundle's name ends in {SUFFIX}, and {path.name[-60:]!r} does not.",
                           hint=f"Write {path.with_suffix(SUFFIX).name}.")
        write_bundle(path, version.manifest, self._library.objects, self._facts(version), self._keys.private_key(),
                     card=self._own_card(version), contract=self._contract(version),
                     recipe=self._recipe(version), reading=self._reading(version),
                     threshold=self._travelling(version))
        return inspect(path, self._keys.known())

    def export_as(self, reference: str, path: Path, form: str) -> None:
        """Write a model for other programs: "onnx" (a file), "native" or "mlflow" (new folders).

        Raises NotFound, BadInput, Conflict where something is there, WorkFailed for a model without ONNX, DiskFull.
        """
        from mldesk.bundles import folders, write_bundle

        version, store = self.show(reference), self._library.objects
        if form == "onnx":
            check_target(path)
            if path.suffix.lower() != ".onnx":
                raise BadInput(f"An ONNX file's name ends in .onnx, and {path.name[-60:]!r} does not.",
                               hint=f"Write {path.with_suffix('.onnx').name}.")
            folders.write_onnx(path, version.manifest, store)
        elif form == "native":
            folders.write_native(path, version.manifest, store)
        elif form == "mlflow":
            card = self._own_card(version)
            folders.write_mlflow(path, version.manifest, store, lambda target: write_bundle(
                target, version.manifest, store, self._facts(version), self._keys.private_key(), card=card,
                contract=self._contract(version), recipe=self._recipe(version), reading=self._reading(version),
                threshold=self._travelling(version)))
        else:
            raise BadInput(f"A model cannot be written as {form!r:.40}.", hint="As onnx, native, mlflow or a bundle.")

    @property
    def signing_problem(self) -> str:
        """Why the last export went unsigned; "" where it was signed."""
        return self._keys.problem

    def inspect(self, path: Path) -> BundleReport:
        """Say what a bundle holds and who signed it; loads nothing of it. Raises NotFound, BadBundle."""
        from mldesk.bundles import inspect

        return inspect(existing(path), self._keys.known())

    def import_file(self, path: Path, *, again: bool = False) -> tuple[ModelVersion, bool]:
        """Check a bundle and take its model into the library; return its version, and whether that was made now.

        Where a version of that name has the very same files, it is that one, unless ``again``. Raises NotFound,
        BadBundle, DiskFull.
        """
        from mldesk.bundles import import_bundle

        manifest, facts = import_bundle(existing(path), self._library.objects)
        found = None if again else self._library.models.imported_as(facts, lambda known: self._is_in(known, manifest))
        return found or self._library.models.add_imported(manifest, facts, source=path.name), found is None

    def _is_in(self, version: ModelVersion, manifest: str) -> bool:
        """Say whether a bundle's files are a version's. What one of our own was given on its way out does not count."""
        if version.run is None or version.manifest == manifest:
            return version.manifest == manifest
        files = ({entry.path: entry.sha256 for entry in self._library.objects.manifest(digest).entries
                  if entry.path not in _GIVEN} for digest in (version.manifest, manifest))
        return next(files) == next(files)

    def _contract(self, version: ModelVersion) -> RowContract | None:
        """Return the contract that leaves with a model; None for one that has its own from a bundle, or none at all."""
        if version.run is None:
            return None
        model = json.loads(self._library.objects.read(
            self._library.objects.manifest(version.manifest).entry("model.json").sha256))
        columns = [Column(str(item["name"]), ColumnType(item["type"])) for item in model["features"]]
        return contract_about(self._library, version.dataset, columns)

    def _reading(self, version: ModelVersion) -> bytes | None:
        """Return how cells were read that the model learned from; None where a file leaves nothing open."""
        from mldesk.bundles import as_imported

        if version.run is None:
            return None
        found = of_dataset(self._library, version.dataset)
        return as_imported.to_bytes(found) if found.said or found.columns else None

    def _recipe(self, version: ModelVersion) -> bytes | None:
        """Return how the model's table was cleaned; None where it was not, or where that cannot be done to new rows."""
        from mldesk.bundles import recipe
        from mldesk.data.recipes.replaying import carried

        chain = chain_of(self._library, version)
        if version.run is None or not chain.recipes or chain.why_not:
            return None   # what came in a bundle is among the model's files
        try:
            return recipe.to_bytes([carried(self._library.objects, self._library.home.scratch, item)
                                    for item in chain.recipes])
        except (ObjectMissing, LibraryDamaged):   # the rows it learnt from are gone, or on a runner
            return None

    def _facts(self, version: ModelVersion) -> dict[str, Any]:
        run = None if version.run is None else self._library.runs.get(version.run)
        return {"name": version.model, "version": version.number, "task": version.task, "target": version.target,
                "estimator": version.estimator, "metrics": dict(version.metrics), "created": iso(version.created),
                "notes": version.notes,
                "provenance": {"dataset": version.dataset, "run": version.run,
                               "split": None if run is None else (run.result or {}).get("split"),
                               "seed": None if run is None else run.spec.get("payload", {}).get("seed")}}

    # last, because below it ``list`` is this method
    def list(self, *, every: bool = False, tags: Sequence[str] = ()) -> list[Model]:
        """Return the models by name; ``every``: those too that 5x2cv tests of earlier releases left behind.

        ``tags``: only those whose versions bear all of these.
        """
        left = set() if every else self._library.models.of_tests("5x2cv")
        borne = self.tags() if tags else {}
        return [model for model in self._library.models.list()
                if model.name not in left and set(tags) <= set(borne.get(model.name, ()))]


def _is_evaluation(payload: object) -> bool:
    """Say whether a payload has the outer shape of an evaluation: scores and curves by the part of the rows."""
    if not isinstance(payload, dict):
        return False
    parts, doubts = payload.get("parts") or {}, payload.get("doubts", [])
    return (isinstance(parts, dict) and all(isinstance(part, dict) for part in parts.values())
            and isinstance(doubts, list))


def existing(path: Path) -> Path:
    """Return ``path``. Raises NotFound when there is no such file, BadInput for a folder."""
    if path.is_dir():
        raise BadInput(f"{str(path)!r:.300} is a folder, and one file is to be read.", hint="Name a file in it.")
    if not path.is_file():
        raise NotFound(f"There is no file {str(path)!r}.")
    return path
