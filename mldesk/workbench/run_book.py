"""What people say of runs, and how they find them again: notes, groups, tags, saved views, the list as CSV."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core.clock import iso
from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import NotFound
from mldesk.core.run_filter import RunFilter, ScoreBound
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.library.names import check_name
from mldesk.library.records import Run
from mldesk.workbench.references import did_you_mean, refuse_unknown_tags

_VIEWS = "run_views"   # the setting that holds them
_FACTS = ("run", "name", "kind", "status", "dataset", "target", "estimator", "runner", "model", "group", "tags", "note",
          "created", "seconds")


@dataclass(frozen=True, slots=True)
class Family:
    """What a run is part of, and what is part of it."""

    parent: Run | None
    inside: tuple[Run, ...]      # the oldest first


class RunBook:
    """Labels of runs, and views of the list that were given a name."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def annotate(self, reference: str, *, name: str | None = None, note: str | None = None,
                 group: str | None = None, tags: Sequence[str] | None = None) -> Run:
        """Change what is said of a run; None leaves a thing as it is. Raises NotFound, BadInput."""
        run = self._library.runs.get(reference)
        return self._library.runs.annotate(run.id, name=name, note=note, group=group, tags=tags)

    def tag(self, references: Sequence[str], add: Sequence[str] = (), remove: Sequence[str] = ()) -> list[Run]:
        """Give tags to runs and take others from them. Raises NotFound, BadInput, with the runs before it changed."""
        runs = [self._library.runs.get(reference) for reference in references]
        gone = {check_name(tag, "tag") for tag in remove}
        refuse_unknown_tags(gone, {tag for run in runs for tag in run.tags}, "None of the runs" if runs[1:] else
                            runs[0].name if runs else "")
        return [self._library.runs.annotate(run.id, tags=[tag for tag in (*run.tags, *add) if tag not in gone])
                for run in runs]

    def labels(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return the tags and the groups there are, each with the number of its runs."""
        return self._library.runs.labels()

    def facets(self) -> dict[str, tuple[str, ...]]:
        """Return what runs may be told apart by: their "dataset" (names), "target", "estimator", "kind", "metric"."""
        return self._library.runs.facets()

    def find(self, wanted: RunFilter, *, limit: int | None = None, offset: int = 0) -> list[Run]:
        """Return the runs that are wanted, newest first."""
        return self._library.runs.list(limit, offset, wanted=wanted)

    def family(self, reference: str) -> Family:
        """Return the run that one is part of, and those that are part of it. Raises NotFound."""
        run = self._library.runs.get(reference)
        parent = None
        if run.parent:
            with contextlib.suppress(NotFound):
                parent = self._library.runs.get(run.parent)
        inside = self.find(RunFilter(parent=run.id)) if run.kind == "imported" else []
        return Family(parent, tuple(reversed(inside)))

    def looks(self, reference: str) -> tuple[int, int]:
        """Return how many runs have looked at this one's test rows, and which of them it was; (0, 0): none of it."""
        return self._library.runs.looks(self._library.runs.get(reference).id)

    def looks_together(self, references: Sequence[str]) -> int:
        """Return how many runs have looked at the test rows that these share, in whatever version they were tested."""
        runs = [self._library.runs.get(reference) for reference in references]
        apart = {(run.dataset, (run.result or {}).get("split")): run.id for run in runs}
        return sum(self._library.runs.looks(run)[0] for run in apart.values())

    # Saved views

    def views(self) -> dict[str, RunFilter]:
        """Return the saved views by name; one that this MLDesk cannot read is left out, not lost."""
        found = {}
        for name, value in self._kept().items():
            try:
                found[name] = RunFilter.from_json(value)
            except Exception:  # noqa: BLE001, S112 - written by another release, or by hand
                continue
        return found

    def view(self, name: str) -> RunFilter:
        """Return one. Raises NotFound with the nearest names."""
        views = self.views()
        if name not in views:
            raise NotFound(f"There is no view {name!r:.60}.",
                           hint=did_you_mean(name, views) or "`mldesk runs views` lists those there are.")
        return views[name]

    def save_view(self, name: str, wanted: RunFilter) -> None:
        """Keep what is wanted under a name; one of that name is replaced. Raises BadInput."""
        for bound in wanted.scores:
            ScoreBound.read(bound)
        self._library.settings.set(_VIEWS, {**self._kept(), check_name(name, "view"): wanted.to_json()})

    def remove_view(self, name: str) -> None:
        """Forget a view. Raises NotFound."""
        self.view(name)
        self._library.settings.set(_VIEWS, {key: value for key, value in self._kept().items() if key != name})

    def _kept(self) -> dict[str, Any]:
        value = self._library.settings.get(_VIEWS)
        return {str(key): item for key, item in value.items() if isinstance(item, dict)} if isinstance(
            value, dict) else {}

    def export(self, runs: Sequence[Run], path: Path) -> None:
        """Write a list of runs as CSV, a column for every metric and parameter. Raises NotFound, DiskFull, OSError."""
        check_target(path)
        with disk_errors("writing the list of runs"):
            write_atomic(path, table(runs).encode())


def table(runs: Sequence[Run]) -> str:
    """Return runs as CSV: what each is, then ``metric NAME`` and ``parameter NAME`` of those any has."""
    rows = [_row(run) for run in runs]
    more = dict.fromkeys(name for row in rows for name in row if name not in _FACTS)
    out = io.StringIO()
    writer = csv.DictWriter(out, [*_FACTS, *sorted(more)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _row(run: Run) -> dict[str, Any]:
    result = run.result or {}
    seconds = result.get("seconds", run.seconds)
    facts = dict(zip(_FACTS, (
        run.id, run.name, run.kind, run.state.value, run.dataset, run.target, run.estimator, run.runner,
        run.model or "", run.group, ", ".join(run.tags), run.note, iso(run.created),
        "" if seconds is None else seconds),
        strict=True))
    cells = {**facts, **{f"metric {name}": value for name, value in result.get("metrics", {}).items()},
            **{f"parameter {name}": value for name, value in result.get("parameters", run.parameters).items()}}
    return {name: _harmless(cell) for name, cell in cells.items()}


def _harmless(cell: Any) -> Any:
    """Return text that a spreadsheet would run as a formula with a mark that it is text; names come from anywhere."""
    if not isinstance(cell, str) or cell[:1] not in ("=", "+", "-", "@", "\t", "\r"):
        return cell
    try:
        float(cell)   # a parameter that MLflow kept as text
    except ValueError:
        return f"'{cell}"
    return cell
