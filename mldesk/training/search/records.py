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
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.core.durable import disk_errors, replacing, sync_directory
from mldesk.core.errors import MldeskError
from mldesk.training.export import load_native, save_native
from mldesk.training.export.native import TORCH_KINDS
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.trial import Outcome, Rows
from mldesk.wire.objects import ObjectStore

# All that a zip file of arrays raises once its bytes are not what was written.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, ArithmeticError, MemoryError, RuntimeError, SyntaxError,
           zipfile.BadZipFile, zlib.error)
_TRIAL = "trial.npz"     # within a manifest


class Records:
    """Keeps outcomes, and models where they are wanted. Processes that share a folder keep different numbers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, outcome: Outcome, *, models: bool = False) -> None:
        """Write an outcome, and if they are wanted its models before it. Raises DiskFull."""
        facts = {
            "number": outcome.number, "estimator": outcome.configuration.estimator, "loss": outcome.loss,
            "parameters": dict(outcome.configuration.parameters), "origin": outcome.configuration.origin,
            "seconds": outcome.seconds, "curve": [list(point) for point in outcome.curve],
            "facts": dict(outcome.facts), "fold_losses": list(outcome.fold_losses), "source": outcome.source}
        with disk_errors("keeping a trial"):
            self._folder.mkdir(parents=True, exist_ok=True)
            if models:
                self.keep_models(outcome)
            with replacing(self._path(outcome.number)) as file:
                np.savez_compressed(file, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
                                    prediction=outcome.prediction)

    def read(self, rows: int) -> Iterator[Outcome]:
        """Yield the outcomes there are that judge ``rows`` rows, by number. One that cannot be read is tried again."""
        for path in sorted(self._folder.glob("*.npz")):
            outcome = _read(path)
            if outcome is not None and len(outcome.prediction) == rows:
                yield outcome

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

    def has_models(self, number: int) -> bool:
        """Say whether a trial's models were kept."""
        return self._models(number).is_dir()

    def publish(self, number: int, store: ObjectStore) -> str:
        """Put a trial and its models into the store; return the manifest. Raises DiskFull."""
        models = self._models(number)
        files = {path.relative_to(models).as_posix(): path for path in models.rglob("*") if path.is_file()}
        return store.put_manifest({**files, _TRIAL: self._path(number)})

    def publish_all(self, store: ObjectStore) -> str:
        """Put every trial without its models into the store; return the manifest. Raises DiskFull."""
        return store.put_manifest({path.name: path for path in self._folder.glob("*.npz")})

    def take_in(self, store: ObjectStore, manifest: str, number: int, source: str) -> int:
        """Keep the trials of a manifest under numbers from ``number`` on; return the number after the last one.

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
            number += 1
        return number

    def drop_models(self, number: int) -> None:
        """Let go of the models of a trial that will not be blended."""
        shutil.rmtree(self._models(number), ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.npz"

    def _models(self, number: int) -> Path:
        return self._folder / "models" / f"{number:06d}"

    def keep_models(self, outcome: Outcome) -> None:
        """Write a trial's models. Raises DiskFull, OSError."""
        final = self._models(outcome.number)
        draft = final.with_name(f".{final.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        for place, native in enumerate(outcome.natives):
            save_native(outcome.configuration.estimator, native, draft / str(place))
        if draft.is_dir():
            shutil.rmtree(final, ignore_errors=True)
            draft.rename(final)
            sync_directory(final.parent)


def _read(path: Path) -> Outcome | None:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts: dict[str, Any] = json.loads(arrays["facts"].tobytes())
            prediction = arrays["prediction"]
        return Outcome(
            int(facts["number"]), Configuration(facts["estimator"], facts["parameters"], facts["origin"]),
            float(facts["loss"]), float(facts["seconds"]), prediction, (),
            [(int(step), float(loss)) for step, loss in facts["curve"]], facts["facts"],
            [float(loss) for loss in facts.get("fold_losses", ())], str(facts.get("source", "")))
    except _DAMAGE:
        return None


def _load(estimator: str, folder: Path) -> Any:
    if estimator in TORCH_KINDS:
        from mldesk.training.estimators.network import build  # loads torch

        return load_native(estimator, folder, build)
    return load_native(estimator, folder)


def save_rows(rows: Rows, folder: Path) -> None:
    """Write what trials are fitted on, for other processes of this job to map into their memory. Raises DiskFull."""
    shutil.rmtree(folder, ignore_errors=True)
    with disk_errors("keeping the rows of a search"):
        folder.mkdir(parents=True)
        np.save(folder / "y.npy", next(iter(rows.parts.values())).y)
        for style, part in rows.parts.items():
            np.save(folder / f"x-{style}.npy", part.x)
        for index, (fit_on, judge_by) in enumerate(rows.folds):
            np.save(folder / f"fit-{index}.npy", fit_on)
            np.save(folder / f"judge-{index}.npy", judge_by)
        facts = {"classes": rows.classes, "folds": len(rows.folds), "forward": rows.forward, "categorical": {
            style: [list(item) for item in items] for style, items in rows.categorical.items()}}
        (folder / "rows.json").write_text(json.dumps(facts), "utf-8")


def load_rows(folder: Path) -> Rows:
    """Read what ``save_rows`` wrote; the matrices stay on disk until they are looked at."""
    from mldesk.training.estimators.base import Part

    facts = json.loads((folder / "rows.json").read_text("utf-8"))
    y = np.load(folder / "y.npy")
    return Rows({style: Part(np.load(folder / f"x-{style}.npy", mmap_mode="r"), y) for style in facts["categorical"]},
                {style: tuple((int(at), int(size)) for at, size in items)
                 for style, items in facts["categorical"].items()},
                int(facts["classes"]), [(np.load(folder / f"fit-{index}.npy"), np.load(folder / f"judge-{index}.npy"))
                                        for index in range(facts["folds"])], facts["forward"])
