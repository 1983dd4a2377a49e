"""Which columns came through a recipe as they were, and under which names. Told by the steps alone; no row is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mldesk.data.recipes.columns import named_by_rule
from mldesk.data.recipes.steps import Step, active

Origins = Mapping[str, str | None]  # a column: what it was called before, None if its values are others


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a table after some steps. A column that is not named is new."""

    origins: Origins
    repeats: bool = False   # rows may be there more than once


def trace(steps: Sequence[Step], names: Sequence[str]) -> Trace:
    """Follow columns called ``names`` through the steps of a recipe that fits them."""
    now: dict[str, str | None] = {name: name for name in names}
    repeats = False
    for _, step in active(steps):
        kind = str(step["step"])
        if kind in _SAME:
            continue
        now = dict(_AFTER.get(kind, _unknown)(now, step))
        repeats = repeats or kind in ("join", "union", "unpivot", "python") or (
            kind == "rebalance" and step.get("how") == "more")
    return Trace(now, repeats)


# Steps that change no value that is there: they choose rows, add columns, or take some out (which the table shows).
_SAME = frozenset({"reorder", "drop_poor", "drop_missing", "deduplicate", "filter", "sample", "date_parts", "extract",
                   "split", "mark_missing", "segment", "reduce"})


def _rewritten(now: Origins, step: Step) -> Origins:
    return {**now, **dict.fromkeys(step["columns"])}


def _edited(now: Origins, step: Step) -> Origins:
    return {**now, **{cell["column"]: None for cell in step.get("cells") or ()}}


def _renamed(now: Origins, step: Step) -> Origins:
    names = {old: new.strip() for old, new in step["names"].items()}
    return {names.get(name, name): origin for name, origin in now.items()}


def _renamed_by_rule(now: Origins, step: Step) -> Origins:
    chosen = set(step.get("columns") or now)
    return {named_by_rule(name, step) if name in chosen else name: origin for name, origin in now.items()}


def _grouped(now: Origins, step: Step) -> Origins:
    return {name: origin for name, origin in now.items() if name in step["by"]}


def _unknown(now: Origins, _: Step) -> Origins:
    return dict.fromkeys(now)


_AFTER: Mapping[str, Callable[[Origins, Step], Origins]] = {
    "drop": lambda now, step: {name: origin for name, origin in now.items() if name not in step["columns"]},
    "keep": lambda now, step: {name: origin for name, origin in now.items() if name in step["columns"]},
    "rename": _renamed, "rename_many": _renamed_by_rule, "edit": _edited,
    "derive": lambda now, step: {**now, step["name"].strip(): None},
    "group": _grouped, "pivot": _grouped,
    "unpivot": lambda now, step: {name: origin for name, origin in now.items() if name not in step["columns"]},
    "join": lambda now, _: now, "rebalance": lambda now, _: now,
    **dict.fromkeys(("cast", "clean_text", "replace", "replace_text", "fill_missing", "clip", "bin", "transform",
                     "scale", "encode", "encode_target"), _rewritten),
}
