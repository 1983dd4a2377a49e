"""Presets: set-ups of a training or a search under a name, to start from again, kept here or passed on as a file.

A preset says how, not of what: it names a target and columns, which another table may not have, and no table, runner or
run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import BadInput, NotFound
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.library.names import check_name
from mldesk.wire.jobs import SPLITS
from mldesk.workbench.orders import OF_RUN, TrainOrder
from mldesk.workbench.references import did_you_mean, listed
from mldesk.workbench.searching import SearchOrder

_KEY, _FILE, _FORMAT = "presets", "mldesk presets", 1
_LARGEST = 10_000_000   # bytes of a file
_ELSEWHERE = frozenset({"dataset", "name", "runner", "priority", "model", "scores_only", "not_before", "resources",
                        "limits", "train", "helpers", "configurations"})   # of one run, or of one machine
TRAIN = tuple(field.name for field in fields(TrainOrder) if field.name not in _ELSEWHERE)
SEARCH = tuple(field.name for field in fields(SearchOrder) if field.name not in _ELSEWHERE)
_SPLITS = [name for name in SPLITS if name != "given"]   # ... which is by a run's rows
_SHAPES: Mapping[str, tuple[type, ...]] = {
    "target": (str,), "task": (str,), "estimator": (str,), "parameters": (dict,), "order": (list,), "features": (list,),
    "without": (list,), "test_size": (int, float), "validation_size": (int, float), "split": (str,),
    "split_column": (str,), "folds": (int,), "prepare": (list,), "seed": (int,), "metric": (str,),
    "seconds": (int, float), "trials": (int,), "target_score": (int, float), "estimators": (list,), "ensemble": (bool,),
    "parallel": (int,), "stack": (bool,), "stack_columns": (bool,), "refit": (bool,), "quantile": (int, float)}


@dataclass(frozen=True, slots=True)
class Preset:
    """One set-up. Only what differs from the usual is in it."""

    train: Mapping[str, Any]             # fields of TrainOrder
    search: Mapping[str, Any] | None     # fields of SearchOrder; None: one model

    @classmethod
    def of(cls, order: TrainOrder | SearchOrder) -> Preset:
        """Return the set-up of an order. Raises BadInput where its rows are dealt as in a run: they are one table's."""
        if (order.train if isinstance(order, SearchOrder) else order).split.startswith(OF_RUN):
            raise BadInput("A preset cannot deal rows as a run did: it is for other tables, too.",
                           hint="Keep it with another split, and say --split run:RUN beside it.")
        if isinstance(order, SearchOrder):
            return cls(_differing(order.train, TRAIN, TrainOrder("", "")),
                       _differing(order, SEARCH, SearchOrder(TrainOrder("", ""))))
        return cls(_differing(order, TRAIN, TrainOrder("", "")), None)

    def train_order(self, dataset: str, **given: Any) -> TrainOrder:
        """Return an order over a dataset; ``given`` fields count more than the preset's."""
        kept = {key: _inner(value) for key, value in self.train.items()}
        return replace(TrainOrder(dataset, ""), **{**kept, **given})

    def search_order(self, train: TrainOrder, **given: Any) -> SearchOrder:
        """Return a search that learns what ``train`` says."""
        kept = {key: _inner(value) for key, value in (self.search or {}).items()}
        return replace(SearchOrder(train), **{**kept, **given})

    def to_json(self) -> dict[str, Any]:
        return {"train": dict(self.train), **({} if self.search is None else {"search": dict(self.search)})}

    @classmethod
    def from_json(cls, value: object) -> Preset:
        """Read what was kept, or what came in a file. Raises BadInput."""
        if not isinstance(value, dict) or set(value) - {"train", "search"}:
            raise BadInput("A preset holds “train” and perhaps “search”, and nothing else.")
        search = value.get("search")
        return cls(_checked(value.get("train", {}), TRAIN), None if search is None else _checked(search, SEARCH))


class PresetService:
    """The library's presets by name."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def get(self, name: str) -> Preset:
        """Return one. Raises NotFound with the nearest names."""
        presets = self.list()
        if name not in presets:
            raise NotFound(f"There is no preset {name!r:.60}.", hint=did_you_mean(name, presets) or (
                "`mldesk presets list` lists those there are." if presets else
                "Keep one: mldesk train DATASET --target COLUMN --save-preset NAME"))
        return presets[name]

    def save(self, name: str, order: TrainOrder | SearchOrder) -> Preset:
        """Keep a set-up under a name; one of that name is replaced. Raises BadInput for a name that is none."""
        preset = Preset.of(order)
        self._library.settings.set(_KEY, {**self._kept(), check_name(name, "preset"): preset.to_json()})
        return preset

    def remove(self, name: str) -> None:
        """Forget one. Raises NotFound."""
        self.get(name)
        self._library.settings.set(_KEY, {key: value for key, value in self._kept().items() if key != name})

    def export(self, path: Path, names: Sequence[str] = ()) -> Path:
        """Write some presets, or all, into a file. Raises NotFound, BadInput where there is none, DiskFull."""
        check_target(path)
        chosen = {name: self.get(name) for name in names} or self.list()
        if not chosen:
            raise BadInput("There is no preset to write.")
        text = json.dumps({"kind": _FILE, "format": _FORMAT,
                           "presets": {name: preset.to_json() for name, preset in chosen.items()}}, indent=2)
        with disk_errors("writing the presets"):
            write_atomic(path, f"{text}\n".encode())
        return path

    def take(self, path: Path) -> list[str]:
        """Take in the presets of a file; those that are here under another's name get a number. Returns the names.

        Raises NotFound, BadInput with nothing taken in.
        """
        return self._add(_read(path))

    def add(self, name: str, preset: Preset) -> str:
        """Keep a preset beside those there are, as ``take`` does; return under which name."""
        return self._add({check_name(name, "preset"): preset})[0]

    def _add(self, found: Mapping[str, Preset]) -> list[str]:
        kept, names = self._kept(), []
        for name, preset in found.items():
            free = next(text for number in range(1, len(kept) + 2)
                        if kept.get(text := name if number == 1 else f"{name}-{number}", preset.to_json())
                        == preset.to_json())
            kept[free] = preset.to_json()
            names.append(free)
        self._library.settings.set(_KEY, kept)
        return names

    def _kept(self) -> dict[str, Any]:
        value = self._library.settings.get(_KEY)
        return dict(value) if isinstance(value, dict) else {}

    # last, because below it ``list`` is this method
    def list(self) -> dict[str, Preset]:
        """Return all by name; one that this MLDesk cannot read is left out, not lost."""
        found = {}
        for name, value in self._kept().items():
            try:
                found[name] = Preset.from_json(value)
            except BadInput:   # of another release
                continue
        return dict(sorted(found.items(), key=lambda item: item[0].casefold()))


def _read(path: Path) -> dict[str, Preset]:
    if not path.is_file():
        raise NotFound(f"There is no file {str(path)!r:.300}.")
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        value = json.loads(path.read_text("utf-8"), parse_constant=_no_number)
        if not isinstance(value, dict) or value.get("kind") != _FILE or not isinstance(value.get("presets"), dict):
            raise ValueError("it says nothing of presets")
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path.name!r:.120} is no file of presets: {error!s:.200}.",
                       hint="`mldesk presets export` writes such a file.") from error
    if value.get("format") != _FORMAT:
        raise BadInput(f"{path.name!r:.120} was written by a newer MLDesk.", hint="Upgrade MLDesk.")
    return {check_name(str(name), "preset"): Preset.from_json(item) for name, item in value["presets"].items()}


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _differing(order: object, names: Sequence[str], usual: object) -> dict[str, Any]:
    return {name: _plain(value) for name in names if (value := getattr(order, name)) != getattr(usual, name)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _inner(value: Any) -> Any:
    """Return a kept value as orders hold it: lists as tuples."""
    return tuple(value) if isinstance(value, list) else value


def _checked(value: object, names: Sequence[str]) -> dict[str, Any]:
    """Return fields of an order. Raises BadInput for one that there is not, or that is of another type."""
    if not isinstance(value, dict):
        raise BadInput("A preset's settings are names and values.")
    if unknown := sorted(set(map(str, value)) - set(names)):
        raise BadInput(f"A preset says {listed(unknown)}, which this MLDesk does not know.",
                       hint="It may be of a newer one.")
    for name, item in value.items():
        wrong = not isinstance(item, _SHAPES[name]) or (isinstance(item, bool) and bool not in _SHAPES[name])
        if wrong or (isinstance(item, list) and not all(
                isinstance(one, dict if name == "prepare" else str) for one in item)):
            raise BadInput(f"A preset's {name!r} cannot be {item!r:.60}.")
    if value.get("split", "random") not in _SPLITS:
        raise BadInput(f"A preset's split cannot be {value['split']!r:.60}.", hint=f"There are: {listed(_SPLITS)}.")
    return value
