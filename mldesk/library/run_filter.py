"""Which runs a list shows: what is asked for as SQL over all runs there are."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, true

from mldesk.core.run_filter import RunFilter, ScoreBound
from mldesk.library.schema import runs
from mldesk.wire.states import JobState

_TEXTS = ("name", "dataset", "target", "estimator", "runner", "model_name", "tags", "collection", "note", "id")
_ESCAPE = "\\"


def condition(wanted: RunFilter) -> ColumnElement[bool]:
    """Return what is asked for as SQL. Raises BadInput for a condition on a score that is none."""
    found: list[ColumnElement[bool]] = [true(), *(or_(*(_has(name, word) for name in _TEXTS))
                                                  for word in wanted.text.split())]
    if wanted.states:
        known = {state.value for state in JobState}
        found.append(runs.c.state.in_([state for state in wanted.states if state in known]))
    found += [_has("tags", f'"{tag}"') for tag in wanted.tags]
    for name, asked in (("collection", wanted.group), ("target", wanted.target), ("estimator", wanted.estimator),
                        ("kind", wanted.kind)):
        if asked:
            found.append(runs.c[name] == asked)
    if wanted.parent:
        found += [runs.c.kind == "imported", func.json_extract(runs.c.spec, "$.payload.parent") == wanted.parent]
    found += [_scores(ScoreBound.read(bound)) for bound in wanted.scores]
    if wanted.dataset:
        found.append(or_(runs.c.dataset == wanted.dataset,
                         runs.c.dataset.like(_escaped(wanted.dataset) + "@%", escape=_ESCAPE)))
    return and_(*found)


def _scores(bound: ScoreBound) -> ColumnElement[bool]:
    """Say whether the score is a number that keeps to the bound; SQLite holds any text for more than any number."""
    path = f'$.metrics."{bound.metric}"'
    value = func.json_extract(runs.c.result, path)
    kept = {">=": value >= bound.value, "<=": value <= bound.value, ">": value > bound.value, "<": value < bound.value}
    return and_(func.json_type(runs.c.result, path).in_(("real", "integer")), kept[bound.sign])


def _has(name: str, word: str) -> ColumnElement[bool]:
    return func.lower(runs.c[name]).like(f"%{_escaped(word.lower())}%", escape=_ESCAPE)


def _escaped(text: str) -> str:
    return text.replace(_ESCAPE, _ESCAPE * 2).replace("%", "\\%").replace("_", "\\_")
