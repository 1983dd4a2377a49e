"""Sections of a report that puts runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from mldesk.core.spans import span
from mldesk.library.records import MetricPoint, Run
from mldesk.reports.document import Block, Lines, Section, Series, Table, Text
from mldesk.training.metric_words import title, within
from mldesk.workbench.report_facts import series
from mldesk.workbench.report_words import length, number, plain, when

_MOST_CHARTS = 6
_ACROSS = 4       # runs beside one another in a table


def sections(runs: Sequence[Run], found: Mapping[str, Any], curves: Mapping[str, Sequence[MetricPoint]],
             evaluations: Mapping[str, Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]] = ()) -> list[Section]:
    """``found`` is what ``comparison.compare`` returns, ``pairs`` what ``RunService.paired`` does; ``curves`` and
    ``evaluations`` go by the id of a run.
    """
    names = {run.id: run.name if sum(other.name == run.name for other in runs) == 1 else f"{run.name} {run.id[-6:]}"
             for run in runs}
    return [_runs(runs, names), _scores(found, names), _luck(pairs, names), _folds(found, pairs, names),
            _differences(found, names),
            Section("Learning curves", _curves(runs, curves, names)), Section("ROC", _roc(runs, evaluations, names))]


def _runs(runs: Sequence[Run], names: Mapping[str, str]) -> Section:
    return Section("Runs", [Table(("run", "id", "model", "learned from", "began"), [
        (names[run.id], run.id, run.model or run.estimator, run.dataset, when(run.created)) for run in runs])])


def _luck(pairs: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Section:
    """Say of each other run whether it differs from the first beyond luck, on the same test rows."""
    rows, tests = [], []
    for pair in pairs:
        if pair["why_not"]:
            continue
        rows += [(names[pair["run"]], title(metric), " to ".join(span(edges["low"], edges["high"])),
                  "more than luck" if edges["sure"] else "may be luck")
                 for metric, edges in pair["differences"].items()]
        if (test := pair["mcnemar"]) is not None:
            tests.append(Text(f"{names[pair['run']]} alone is right in {test['only_first']:,} rows, "
                              f"{names[pair['against']]} alone in {test['only_second']:,}; McNemar p = "
                              f"{test['p']:.3g}.", "muted"))
    if not rows:
        return Section("More than luck?", [])
    first = names[next(pair["against"] for pair in pairs if not pair["why_not"])]
    return Section("More than luck?", [
        Text(f"What each run has more, or less, than {first} on the same test rows: where the difference lies with 95 "
             "% confidence (paired bootstrap)."),
        Table(("run", "score", "difference", "verdict"), rows, frozenset({"difference"})), *tests])


def _folds(found: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Section:
    """Say what tests over folds say, of runs that were cross-validated on the same ones."""
    told = [(names[pair["run"]], names[pair["against"]], pair["folds"]) for pair in pairs if pair["folds"]]
    if crossed := found.get("crossed"):
        told.insert(0, (names[crossed["first"][0]], names[crossed["second"][0]], crossed))
    rows = [(f"{one} less {other}", folds["test"], title(metric), f"{item['mean']:+.4g}",
             f"{item['p']:.3g}", "more than luck" if item["sure"] else "may be luck")
            for one, other, folds in told for metric, item in folds["metrics"].items()]
    return Section("Over the folds", [Table(("runs", "test", "score", "mean difference", "p", "verdict"), rows,
                                            frozenset({"mean difference", "p"}))] if rows else [])


def _scores(found: Mapping[str, Any], names: Mapping[str, str]) -> Section:
    ids = [run["run"] for run in found["runs"]]
    blocks: list[Block] = [Text(warning, "warning") for warning in found["warnings"]]
    rows: list[Sequence[str]] = []
    strong: set[tuple[int, int]] = set()
    for place, (metric, values) in enumerate(found["metrics"].items()):
        rows.append((title(metric), *map(number, values)))
        if found["verdicts"].get(metric) == "clear":
            strong.add((place, 1 + ids.index(found["best"][metric])))
    rows.append(("took", *(length(run.get("seconds")) for run in found["runs"])))
    if strong:
        blocks.append(Text("Bold is the best by more than luck: 95 % of the paired bootstrap of its difference to the "
                           "next run leaves out zero."))
    elif found["verdicts"]:
        blocks.append(Text("No run is the best by more than luck in any metric."))
    if luck := [title(metric) for metric, verdict in found["verdicts"].items() if verdict == "unclear"]:
        blocks.append(Text(f"No clear difference between the best two in {', '.join(luck)}.", "muted"))
    blocks += _tables("score", list(names.values()), rows, strong)
    return Section("Scores on the test rows", blocks)


def _differences(found: Mapping[str, Any], names: Mapping[str, str]) -> Section:
    rows = [(name.removeprefix("parameter ").replace("_", " "), *map(plain, values))
            for name, values in found["differs"].items()]
    return Section("What differs", _tables("", list(names.values()), rows) or [Text("Nothing but the scores.")])


def _tables(corner: str, names: Sequence[str], rows: Sequence[Sequence[str]],
            strong: AbstractSet[tuple[int, int]] = frozenset()) -> list[Block]:
    """Return a table with a column per run, or as many of a few runs each as it takes to fit on a page."""
    tables: list[Block] = []
    for first in range(0, len(names) if rows else 0, _ACROSS):
        some = slice(first, first + _ACROSS)
        shown = frozenset((row, place - first) for row, place in strong if first < place <= first + _ACROSS)
        tables.append(Table((corner, *names[some]), [(row[0], *row[1:][some]) for row in rows],
                            frozenset(names) if corner else frozenset(), shown))
    return tables


def _curves(runs: Sequence[Run], curves: Mapping[str, Sequence[MetricPoint]], names: Mapping[str, str]) -> list[Block]:
    metrics = dict.fromkeys(point.metric for run in runs for point in curves[run.id])
    charts: list[Block] = []
    for metric in metrics:
        lines = [replace(series(names[run.id], points), slot=slot) for slot, run in enumerate(runs)
                 if (points := [point for point in curves[run.id] if point.metric == metric])]
        if len(lines) > 1:
            charts.append(Lines(title(metric), "Step", within(title(metric)), lines))
        if len(charts) == _MOST_CHARTS:
            break
    return charts


def _roc(runs: Sequence[Run], evaluations: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> list[Block]:
    """Draw the curves of runs with two classes over one another."""
    lines = []
    for slot, run in enumerate(runs):
        roc = ((evaluations[run.id].get("parts") or {}).get("test") or {}).get("roc") or []
        if len(roc) == 1:
            lines.append(Series(f"{names[run.id]} ({roc[0]['auc']:.3f})", roc[0]["fpr"], roc[0]["tpr"], slot=slot))
    if len(lines) < 2:
        return []
    return [Lines("ROC", "False positive rate", "True positive rate",
                  [*lines, Series("chance", (0, 1), (0, 1), quiet=True)], square=True)]
