"""Which fields of a step count only with some choice of another field, and what is to be done about the others.

A recipe that is written down now may not say what would be passed over in silence. One that was kept is replayed as it
always was: this is asked where a recipe is given, not where it is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.data.recipes.steps_kinds import Step, StepKind, read_field

# (kind, field): the field that decides, and with which of its choices the first counts.
USED: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("fill_missing", "value"): ("with", ("constant",)),
    ("fill_missing", "by"): ("with", ("mean", "median", "mode", "forward", "backward")),
    ("fill_missing", "order"): ("with", ("forward", "backward")), ("fill_missing", "using"): ("with", ("knn",)),
    ("fill_missing", "neighbours"): ("with", ("knn",)), ("bin", "bins"): ("by", ("width", "rows")),
    ("bin", "edges"): ("by", ("edges",)), ("encode", "order"): ("how", ("ordinal",)),
    ("encode", "most"): ("how", ("one_hot",)), ("transform", "power"): ("function", ("power", "round")),
    ("drop_missing", "share"): ("how", ("share",)), ("mark_missing", "into"): ("give", ("count",)),
    ("deduplicate", "order"): ("keep", ("first", "last")), ("cast", "format"): ("type", ("date", "datetime", "time")),
}
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def is_used(kind: str, field: str, read: Mapping[str, Callable[[], Any]]) -> bool:
    """Say whether a field counts with what is chosen now."""
    decides = USED.get((kind, field))
    return decides is None or decides[0] not in read or read[decides[0]]() in decides[1]


def with_the_way_it_means(where: str, kind: StepKind, step: Step) -> Step:
    """Return a step that somebody wrote, with the choice that its other fields tell, where it was not written.

    Raises BadInput that names a field which would count for nothing.
    """
    read = {field.name: (read_field(field, step[field.name])[0], field.default) for field in kind.fields
            if field.name in step}
    told = {name: value for name, (value, default) in read.items() if value not in _NOTHING and value != default}
    for decider in dict.fromkeys(USED[kind.name, name][0] for name in told if (kind.name, name) in USED):
        step = _decided(where, kind, step, decider, told)
    if why := _beside(kind.name, told):
        raise BadInput(f"{where}: {why[0]}.", hint=why[1])
    return step


def _decided(where: str, kind: StepKind, step: Step, decider: str, told: Mapping[str, Any]) -> Step:
    field = kind.field(decider)
    counts = {name: USED[kind.name, name][1] for name in told if USED.get((kind.name, name), ("",))[0] == decider}
    chosen = step.get(decider)
    if chosen is None and field is not None and field.default is not None:
        chosen = field.default
        ways = [way for way in field.choices if all(way in those for those in counts.values())]
        if chosen not in ways and len(ways) == 1:
            return {**step, decider: ways[0]}
    if field is None or field.chosen(chosen) not in field.choices:
        return step    # said by whoever checks each field
    idle = next((name for name, those in counts.items() if field.chosen(chosen) not in those), None)
    if idle is None:
        return step
    ways_out = " or ".join(f'"{way}"' for way in counts[idle])
    raise BadInput(f'{where}: {idle!r} counts for nothing with "{decider}": "{field.chosen(chosen)}".',
                   hint=f'Leave {idle!r} out, or write "{decider}": {ways_out}.')


def _beside(kind: str, told: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what counts for nothing because of a field that is (not) there, and what to do."""
    if kind == "rename_many" and "put" in told and "find" not in told:
        return "'put' counts for nothing without 'find'", "Write the text that it stands for as 'find'."
    if kind == "group" and "functions" in told and "columns" not in told and told["functions"] != ["count"]:
        return "'functions' count for nothing without 'columns'", "Write the columns to make figures of."
    if kind == "reduce" and "share" in told and "components" in told:
        return "'share' counts for nothing beside 'components'", "Leave one of the two out."
    return None
