"""Sections of a report that puts runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from mldesk.core.spans import span
from mldesk.library.records import MetricPoint, Run
from mldesk.reports.document import Block, Code, Lines, Matrix, Section, Series, Table, Text
from mldesk.training.metric_words import title, within
from mldesk.workbench.report_facts import series
from mldesk.workbench.report_words import fitting, interval, length, number, plain, when
from mldesk.workbench.split_words import rows_words, searched, split_words

_MOST_CHARTS = 6
_MOST_MATRICES = 6
_MOST_ERRORS = 10
_MOST_CELLS = 6   # columns of a row that is shown
_ACROSS = 4       # runs beside one another in a table


@dataclass(frozen=True, slots=True)
class Kept:
    """What the library keeps of the runs, by their ids; {} or nothing of a run where it keeps none."""

    curves: Mapping[str, Sequence[MetricPoint]]
    evaluations: Mapping[str, Mapping[str, Any]]
    environments: Mapping[str, Mapping[str, str]]
    logs: Mapping[str, str]


def sections(runs: Sequence[Run], found: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]],
             kept: Kept) -> list[Section]:
    """``found`` is what ``comparison.compare`` returns, ``pairs`` what ``JudgingService.paired`` does."""
    names = {run.id: run.name if sum(other.name == run.name for other in runs) == 1 else f"{run.name} {run.id[-6:]}"
             for run in runs}
    return [_runs(runs, names), _scores(found, kept.evaluations, names), _luck(pairs, names),
            _folds(found, pairs, names), _differences(found, names), _data(runs, names), _where(runs, kept, names),
            Section("Learning curves", _curves(runs, kept.curves, names)),
            Section("Plots", [*_roc(runs, kept.evaluations, names), *_confusion(runs, kept.evaluations, names)])]


@dataclass(frozen=True, slots=True)
class Error:
    """A row (from 0) that several runs are most wrong about. ``said``: by each run, "–" if not among its worst."""

    row: int
    actual: str
    said: Sequence[str]


def common_errors(runs: Sequence[Run], evaluations: Mapping[str, Mapping[str, Any]]) -> list[Error]:
    """Return the rows that most runs are most wrong about, the worst by mean loss first; a class that was hit is no
    error.

    Only of runs on one dataset version: elsewhere the same number is another row.
    """
    if len({run.dataset for run in runs}) > 1:
        return []
    truth: dict[int, str] = {}
    said: dict[int, dict[str, str]] = {}
    lost: dict[int, float] = {}   # over the runs
    for run in runs:
        for item in _test(evaluations[run.id]).get("worst") or []:
            truth[int(item["row"])] = plain(item["actual"])
            said.setdefault(int(item["row"]), {})[run.id] = plain(item["predicted"])
            lost[int(item["row"])] = lost.get(int(item["row"]), 0.0) + float(item.get("loss") or 0.0)
    missed = [row for row, answers in said.items()
              if len(answers) > 1 and any(answer != truth[row] for answer in answers.values())]
    missed.sort(key=lambda row: (-len(said[row]), -lost[row] / len(said[row]), row))
    return [Error(row, truth[row], [said[row].get(run.id, "–") for run in runs]) for row in missed[:_MOST_ERRORS]]


def errors(runs: Sequence[Run], common: Sequence[Error], names: Sequence[str],
           rows: Sequence[Sequence[Any]]) -> Section:
    """Show those rows as they stand in the table; ``rows`` is empty where the table is not here."""
    if not common:
        return Section("Errors in common", [])
    least = 2 + len(runs)
    head = ["row", "actual", *(plain(run.name, 24) for run in runs),
            *((plain(name, 24) for name in names[:_MOST_CELLS]) if rows else ())]
    lines = [(number(error.row + 1), error.actual, *error.said,
              *(plain(cell, 24) for cell in (rows[place][:_MOST_CELLS] if rows else ())))
             for place, error in enumerate(common)]
    shown = fitting(head, lines, least)
    return Section("Errors in common", [
        Text("Test rows that several of the runs are most wrong about, by their number in the dataset, with what each "
             "run says of them; – where it is not among its worst."),
        Table(head[:shown], [line[:shown] for line in lines], frozenset({"row"}))])


def logs(runs: Sequence[Run], kept: Kept) -> list[Section]:
    """Show the end of each run's log."""
    return [Section(f"Log of {run.name}", [Code(text)]) for run in runs if (text := kept.logs[run.id].strip())]


def _test(evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (evaluation.get("parts") or {}).get("test") or {}
    return found


def _data(runs: Sequence[Run], names: Mapping[str, str]) -> Section:
    """Say which rows each learned from, down to the digest, and how they were dealt."""
    facts = []
    for run in runs:
        payload = run.spec.get("payload", {})
        request = payload.get("train", payload)
        rows = (run.result or {}).get("rows", {})
        facts.append((run.dataset, str(request.get("dataset", "")), split_words(request.get("split") or {},
                      searched(run)), str((run.result or {}).get("split", "")),
                      rows_words(rows, searched(run)), plain(request.get("seed"))))
    labels = ("dataset", "fingerprint (SHA-256)", "split", "split, row by row (SHA-256)", "rows", "seed")
    return Section("Data", [*_tables("", list(names.values()), [
        (label, *(_broken(values[place]) for values in facts)) for place, label in enumerate(labels)])])


def _broken(text: str) -> str:
    """Return a digest with places to break it at, for narrow columns."""
    return " ".join(text[at:at + 16] for at in range(0, 64, 16)) if len(text) == 64 and " " not in text else text


def _where(runs: Sequence[Run], kept: Kept, names: Mapping[str, str]) -> Section:
    """Say on what each ran, with which versions of what."""
    labels = list(dict.fromkeys(label for run in runs for label in kept.environments[run.id]))
    rows = [(label, *(kept.environments[run.id].get(label, "") for run in runs)) for label in labels]
    return Section("Environment", _tables("", list(names.values()), rows))


def _confusion(runs: Sequence[Run], evaluations: Mapping[str, Mapping[str, Any]],
               names: Mapping[str, str]) -> Sequence[Block]:
    return [Matrix(f"Confusion matrix of {names[run.id]}", [str(label) for label in found["labels"]], found["counts"])
            for run in runs if (found := _test(evaluations[run.id]).get("confusion"))][:_MOST_MATRICES]


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


def _scores(found: Mapping[str, Any], evaluations: Mapping[str, Mapping[str, Any]],
            names: Mapping[str, str]) -> Section:
    ids = [run["run"] for run in found["runs"]]
    blocks: list[Block] = [Text(warning, "warning") for warning in found["warnings"]]
    rows: list[Sequence[str]] = []
    strong: set[tuple[int, int]] = set()
    for place, (metric, values) in enumerate(found["metrics"].items()):
        edges = [interval(_test(evaluations[run]), metric) for run in ids]
        rows.append((title(metric), *(f"{number(value)} ({edge})" if edge else number(value)
                                      for value, edge in zip(values, edges, strict=True))))
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
    if any(_test(evaluations[run]).get("intervals") for run in ids):
        blocks.append(Text("In brackets the 95 % interval of each score by itself.", "muted"))
    blocks += _tables("score", list(names.values()), rows, strong)
    return Section("Scores on the test rows", blocks)


def _differences(found: Mapping[str, Any], names: Mapping[str, str]) -> Section:
    rows = [(name.removeprefix("parameter ").replace("_", " "), *map(plain, values))
            for name, values in found["differs"].items()]
    return Section("What differs", _tables("", list(names.values()), rows) or [Text("Nothing but the scores.")])


def _tables(corner: str, names: Sequence[str], rows: Sequence[Sequence[str]],
            strong: AbstractSet[tuple[int, int]] = frozenset()) -> list[Block]:
    """Return a table with a column per run, or as many of a few runs each as it takes to fit on a page.

    A line in which none of these has anything is left out.
    """
    tables: list[Block] = []
    for first in range(0, len(names) if rows else 0, _ACROSS):
        some = slice(first, first + _ACROSS)
        filled = [place for place, row in enumerate(rows) if any(row[1:][some])]
        shown = frozenset((filled.index(row), place - first) for row, place in strong
                          if first < place <= first + _ACROSS)   # what is strong is a score, so filled
        tables.append(Table((corner, *names[some]), [(rows[place][0], *rows[place][1:][some]) for place in filled],
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
        roc = _test(evaluations[run.id]).get("roc") or []
        if len(roc) == 1:
            lines.append(Series(f"{names[run.id]} ({roc[0]['auc']:.3f})", roc[0]["fpr"], roc[0]["tpr"], slot=slot))
    if len(lines) < 2:
        return []
    return [Lines("ROC", "False positive rate", "True positive rate",
                  [*lines, Series("chance", (0, 1), (0, 1), quiet=True)], square=True)]
