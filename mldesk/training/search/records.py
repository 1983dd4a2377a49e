"""The trials of a search on disk, each in a file of its own that is whole or not there: a resumed search goes on.

The models that another process made of a trial lie beside it once they are wanted, in the safe forms that models leave
the trainer in.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core.durable import disk_errors, replacing, sync_directory
from mldesk.core.errors import MldeskError
from mldesk.training.blend import FACTS, PIPELINE
from mldesk.training.export import load_native, save_native
from mldesk.training.export.native import TORCH_KINDS
from mldesk.training.search.piped import Piped
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.trial import Outcome
from mldesk.wire.objects import ObjectStore

# All that a zip file of arrays raises once its bytes are not what was written.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, ArithmeticError, MemoryError, RuntimeError, SyntaxError,
           zipfile.BadZipFile, zlib.error)
_TRIAL = "trial.npz"     # within a manifest
_GIVEN_UP = "given-up.jsonl"


class Records:
    """Keeps outcomes, and models where they are wanted. Processes that share a folder keep different numbers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, outcome: Outcome, *, models: bool = False) -> None:
        """Write an outcome, and if they are wanted its models before it. Raises DiskFull."""
        facts = {
            "number": outcome.number, "estimator": outcome.configuration.estimator, "loss": outcome.loss,
            "parameters": dict(outcome.configuration.parameters), "origin": outcome.configuration.origin,
            "pipeline": dict(outcome.configuration.pipeline),
            "seconds": outcome.seconds, "curve": [list(point) for point in outcome.curve],
            "facts": dict(outcome.facts), "fold_losses": list(outcome.fold_losses), "source": outcome.source,
            "cuts": list(outcome.cuts)}
        with disk_errors("keeping a trial"):
            self._folder.mkdir(parents=True, exist_ok=True)
            if models:
                self.keep_models(outcome.number, outcome.configuration.estimator, dict(enumerate(outcome.natives)))
            with replacing(self._path(outcome.number)) as file:
                np.savez_compressed(file, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
                                    prediction=outcome.prediction)

    def read(self, rows: int) -> Iterator[Outcome]:
        """Yield the outcomes there are that judge ``rows`` rows, by number. One that cannot be read is tried again."""
        for path in sorted(self._folder.glob("*.npz")):
            outcome = _read(path)
            if outcome is not None and len(outcome.prediction) == rows:
                yield outcome

    def note(self, facts: Mapping[str, Any]) -> None:
        """Write down the event of a trial that came to nothing: its number stays its own. Raises DiskFull."""
        with disk_errors("keeping a trial"):
            self._folder.mkdir(parents=True, exist_ok=True)
            with open(self._folder / _GIVEN_UP, "a", encoding="utf-8") as file:
                file.write(json.dumps(facts) + "\n")

    def noted(self) -> Iterator[Mapping[str, Any]]:
        """Yield what was noted, but for a line that was torn."""
        path = self._folder / _GIVEN_UP
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            try:
                facts = json.loads(line)
            except ValueError:
                continue
            if isinstance(facts, dict) and isinstance(facts.get("number"), int):
                yield facts

    def one(self, number: int) -> Outcome | None:
        """Return one outcome without its models; None where it cannot be read."""
        return _read(self._path(number))

    def models(self, outcome: Outcome, count: int) -> Sequence[Any]:
        """Return a trial's models; () where so many were not kept."""
        folders = [self._models(outcome.number) / str(place) for place in range(count)]
        try:
            return [_load(outcome.configuration.estimator, folder) for folder in folders]
        except (*_DAMAGE, MldeskError):
            return ()

    def has_models(self, number: int, count: int) -> bool:
        """Say whether so many models of a trial were kept."""
        return all((self._models(number) / str(place)).is_dir() for place in range(count))

    def publish(self, number: int, store: ObjectStore) -> str:
        """Put a trial and its models into the store; return the manifest. Raises DiskFull."""
        models = self._models(number)
        files = {path.relative_to(models).as_posix(): path for path in models.rglob("*") if path.is_file()}
        return store.put_manifest({**files, _TRIAL: self._path(number)})

    def publish_all(self, store: ObjectStore) -> str:
        """Put every trial without its models into the store; return the manifest. Raises DiskFull."""
        return store.put_manifest({path.name: path for path in self._folder.glob("*.npz")})

    def take_in(self, store: ObjectStore, manifest: str, number: int, source: str,
                numbers: dict[int, int] | None = None) -> int:
        """Keep the trials of a manifest under numbers from ``number`` on; return the number after the last one.

        ``numbers``: is told the new number of each by that it had.
        Raises NotFound where the manifest or a file of it is not in the store, DiskFull.
        """
        entries = store.manifest(manifest).entries
        for entry in [item for item in entries if item.path.endswith(".npz")]:
            outcome = _read(store.path(entry.sha256))
            if outcome is None:
                continue
            with disk_errors("keeping a trial"):
                for item in entries if entry.path == _TRIAL else ():
                    if item.path != _TRIAL:
                        target = self._models(number) / item.path
                        target.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copyfile(store.path(item.sha256), target)
            self.keep(replace(outcome, number=number, source=source or outcome.source))
            if numbers is not None:
                numbers[outcome.number] = number
            number += 1
        return number

    def take_models(self, store: ObjectStore, manifest: str, numbers: Mapping[int, int], count: int) -> None:
        """Keep the models of a blend as those of the trials that they came of, ``count`` each, so that a search that
        goes on need not fit them again. ``numbers``: of the trials now, by those they had. Raises DiskFull.
        """
        try:
            files = {entry.path: entry.sha256 for entry in store.manifest(manifest).entries}
            members = json.loads(store.read(files[f"native/{FACTS}"]))["members"]
        except (*_DAMAGE, MldeskError):
            return      # it is no blend, or of an older version; then they are fitted again
        of: dict[int, list[int]] = {}
        for place, member in enumerate(members):
            if (number := numbers.get(int(member.get("trial", 0)))) is not None:
                of.setdefault(number, []).append(place)
        for number, places in of.items():
            if len(places) != count:
                continue    # fitted once more on all rows: not what was judged
            with disk_errors("keeping a trial"):
                for fold, place in enumerate(places):
                    prefix, folder = f"native/{place}-", self._models(number) / str(fold)
                    folder.mkdir(parents=True, exist_ok=True)
                    for path, digest in files.items():
                        if path.startswith(prefix):
                            shutil.copyfile(store.path(digest), folder / path.removeprefix(prefix))

    def drop_models(self, number: int) -> None:
        """Let go of the models of a trial that will not be blended."""
        shutil.rmtree(self._models(number), ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.npz"

    def _models(self, number: int) -> Path:
        return self._folder / "models" / f"{number:06d}"

    def keep_models(self, number: int, estimator: str, models: Mapping[int, Any]) -> None:
        """Write models of a trial, by their place among all of it. Raises DiskFull, OSError."""
        final = self._models(number)
        for place, made in models.items():
            draft = final.with_name(f".{final.name}.{place}.{os.getpid()}")
            shutil.rmtree(draft, ignore_errors=True)
            piped = isinstance(made, Piped)
            save_native(estimator, made.native if piped else made, draft)
            if piped:
                (draft / PIPELINE).write_bytes(made.write())
            final.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(final / str(place), ignore_errors=True)
            draft.rename(final / str(place))
        if models:
            sync_directory(final)


def _read(path: Path) -> Outcome | None:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts: dict[str, Any] = json.loads(arrays["facts"].tobytes())
            prediction = arrays["prediction"]
        return Outcome(
            int(facts["number"]), Configuration(facts["estimator"], facts["parameters"], facts["origin"],
                                                       facts.get("pipeline", {})),
            float(facts["loss"]), float(facts["seconds"]), prediction, (),
            [(int(step), float(loss)) for step, loss in facts["curve"]], facts["facts"],
            [float(loss) for loss in facts.get("fold_losses", ())], str(facts.get("source", "")),
            [int(count) for count in facts.get("cuts", ())])
    except _DAMAGE:
        return None


def _load(estimator: str, folder: Path) -> Any:
    if estimator in TORCH_KINDS:
        from mldesk.training.estimators.network import build  # loads torch

        native = load_native(estimator, folder, build)
    else:
        native = load_native(estimator, folder)
    path = folder / PIPELINE
    return Piped.read(native, json.loads(path.read_bytes())) if path.exists() else native
