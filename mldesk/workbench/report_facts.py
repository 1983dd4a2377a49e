"""Sections of a report that say what was asked, of which data, where, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from mldesk.library.records import DatasetVersion, MetricPoint, Run
from mldesk.reports.document import Block, Code, Facts, Lines, Section, Series, Table, Text, Tile, Tiles
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.metric_words import METRICS, ordered, title, within
from mldesk.wire.events import Event
from mldesk.workbench.comparison import leading_metric
from mldesk.workbench.report_words import interval, length, number, plain, plural, when
from mldesk.workbench.split_words import rows_words, searched, split_words

_TILES = 4              # scores that stand out
_MOST_COLUMNS = 200
_MOST_POINTS = 2000     # of one line of a chart; beyond, every n-th is drawn
_MOST_CODE = 40_000     # letters of a program, or of what changed in it
_MOST_CHARTS = 40       # of curves; a script may have thousands of metrics
_MOST_SAID = 200        # lines of the course
_MOST_FILES = 200


def subtitle(run: Run) -> str:
    """Say in one line what a run was."""
    entry = ESTIMATORS.get(run.estimator)
    what = "Search" if run.kind == "search" else entry.title if entry else run.estimator
    return f"{what} · {run.target} of {run.dataset} · {when(run.finished or run.created)} · run {run.id}"


def outcome(run: Run, evaluation: Mapping[str, Any]) -> Section:
    """Say how it ended, with the numbers that matter most."""
    blocks: list[Block] = []
    test = (evaluation.get("parts") or {}).get("test") or {}
    metrics = (run.result or {}).get("metrics", {})
    tiles = [Tile(title(name), number(metrics[name]), interval(test, name))
             for name in ordered(metrics) if name in METRICS][:_TILES]
    if tiles:
        blocks += [Tiles(tiles), Text(f"On {number(test.get('rows'))} test rows that took no part in training, with "
                                      "95 % intervals.", "muted")]
    if run.message:
        blocks.append(Text(f"{run.message} {run.hint}".strip(), "warning"))
    blocks += [Text(str(warning), "warning") for warning in (run.result or {}).get("warnings", ())]
    best = leading_metric(run)
    blocks.append(_known({
        "Status": run.state.value + (", ended early by hand" if (run.result or {}).get("finished_early") else ""),
        "Leading score": "" if best is None else f"{title(best[0])} {number(best[1])}", "Model": run.model or "",
        "Runner": run.runner, "Took": length((run.result or {}).get("seconds", run.seconds)),
        "Created": when(run.created), "Finished": when(run.finished), "Group": run.group, "Tags": ", ".join(run.tags),
        "Note": run.note}))
    return Section("Outcome", blocks)


def _known(facts: Mapping[str, str]) -> Facts:
    """Leave out what a run of its kind does not have."""
    return Facts({name: value for name, value in facts.items() if value})


def data(run: Run, version: DatasetVersion | None) -> Section:
    """Say which rows it learned from, down to the digest, and how they were dealt."""
    payload = run.spec.get("payload", {})
    request = payload.get("train", payload)
    split, rows = request.get("split") or {}, (run.result or {}).get("rows", {})
    facts = {"Dataset": run.dataset, "Fingerprint (SHA-256)": str(request.get("dataset", "")),
             "Target": run.target, "Task": (run.task or "").replace("_", " "),
             "Split": split_words(split, searched(run)),
             "Split, row by row (SHA-256)": str((run.result or {}).get("split", "")),
             "Rows": rows_words(rows, searched(run))}
    if version is not None:
        facts["Source"] = version.source
        if version.recipe:
            facts["Made from"] = f"version {version.parent} by {plural(len(version.recipe), 'step')}"
    blocks: list[Block] = [_known(facts)]
    columns = [column for column in request.get("columns", ()) if isinstance(column, Mapping)]
    if columns:
        blocks.append(Table(("column", "type", "missing", "distinct"), [
            (plain(item.get("name")), str(item.get("type")), number(item.get("missing")), number(item.get("distinct")))
            for item in columns[:_MOST_COLUMNS]], frozenset({"missing", "distinct"})))
        if len(columns) > _MOST_COLUMNS:
            blocks.append(Text(f"and {plural(len(columns) - _MOST_COLUMNS, 'more column')}", "muted"))
    return Section("Data", blocks)


def configuration(run: Run) -> Section:
    """Say every setting, those that somebody chose first of all."""
    payload = run.spec.get("payload", {})
    request = payload.get("train", payload)
    chosen = run.parameters
    values = {**chosen, **(run.result or {}).get("parameters", {})}
    entry = ESTIMATORS.get(run.estimator)
    defaults = {} if entry is None else {item.name: item.default for item in entry.parameters}
    facts = {"Model": entry.title if entry else run.estimator, "Seed": plain(request.get("seed")),
             "Features": "every suitable column" if request.get("features") is None else
             ", ".join(map(str, request["features"]))}
    if run.kind == "search":
        facts |= {name.replace("_", " ").capitalize(): plain(payload[name]) for name in
                  ("seconds", "trials", "target_score", "estimators") if payload.get(name)}
        facts["Strives for"] = title(str(payload.get("metric") or (run.result or {}).get("metric") or ""))
        facts["Keeps"] = "a blend of the best" if payload.get("ensemble") else "the best trial"
    blocks: list[Block] = [_known(facts)]
    if values:
        rows = [(name, plain(value) or plain(None), plain(defaults.get(name)) if name in defaults else "",
                 "chosen" if name in chosen and chosen[name] != defaults.get(name) else "")
                for name, value in values.items()]
        blocks.append(Table(("parameter", "value", "default", ""), sorted(rows, key=lambda line: not line[3]),
                            frozenset({"value", "default"})))
    return Section("Configuration", blocks)


def curves(points: Sequence[MetricPoint]) -> list[Section]:
    """Draw what was measured while it ran: metrics of one kind (loss, accuracy, ...) share a chart."""
    lines: dict[str, list[MetricPoint]] = {}
    for point in points:
        lines.setdefault(point.metric, []).append(point)
    kinds = sorted(lines, key=_kind)
    grouped = [(kind, sorted(names)) for kind, names in groupby(kinds, key=_kind)]
    charts: list[Block] = [Lines(title(kind), "Step", within(title(kind)),
                                 [series(title(name), lines[name]) for name in names])
                           for kind, names in grouped[:_MOST_CHARTS]]
    if len(grouped) > _MOST_CHARTS:
        charts.append(Text(f"The curves of {len(grouped) - _MOST_CHARTS:,} more metrics are not drawn."))
    return [Section("Learning curves", charts)] if charts else []


def _kind(metric: str) -> str:
    """Return what a metric measures, whichever rows it was measured on."""
    for part in ("train_", "validation_", "test_"):
        if metric.startswith(part):
            return metric[len(part):]
    return metric


def series(name: str, points: Sequence[MetricPoint]) -> Series:
    """Return points as one line, thinned where there are too many to be told apart."""
    every = max(1, len(points) // _MOST_POINTS)
    kept = [*points[::every], *([points[-1]] if every > 1 else [])]
    return Series(name, [point.step for point in kept], [point.value for point in kept])


def environment(run: Run, model: Mapping[str, Any], events: Sequence[Event]) -> Section:
    """Say on what it ran, with which versions of what."""
    return Section("Environment", [Facts(where(run, model, events))])


def where(run: Run, model: Mapping[str, Any], events: Sequence[Event]) -> dict[str, str]:
    """Return on what a run ran, and with which versions of what."""
    facts = {"Runner": run.runner}
    for event in events:
        for key in ("host", "device", "card"):
            if event.payload.get(key):
                facts[key.capitalize()] = plain(event.payload[key])
    return facts | {name: str(value) for name, value in (model.get("versions") or {}).items()}


def files(kept: Mapping[str, Mapping[str, Any]]) -> Section:
    """List the files that a script or a run of another program kept, by name and digest."""
    rows = [(name, f"{int(item['size']):,}", str(item["digest"])[:16]) for name, item in kept.items()]
    blocks: list[Block] = [Table(("file", "bytes", "SHA-256 begins"), rows[:_MOST_FILES], frozenset({"bytes"}))]
    if len(rows) > _MOST_FILES:
        blocks.append(Text(f"And {len(rows) - _MOST_FILES:,} more.", "muted"))
    return Section("Files it kept", blocks if rows else [])


def program(entry: str, text: str, digest: str) -> Section:
    """Show the text of a script's program."""
    return Section("Script", [Facts({"program": entry, "files (SHA-256)": digest}), Code(_cut(text))])


def changes(before: str, diff: str) -> Section:
    """Show what changed in a script since the run ``before``; "" for a comparison, where both are named in the diff."""
    said = f"Since {before}: lines that went begin with -, lines that came with +." if before else (
        "From the first run to the second: lines that went begin with -, lines that came with +.")
    return Section("What changed in the script", [Text(said, "muted"), Code(_cut(diff.strip()))] if diff else [])


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CODE else f"{text[:_MOST_CODE]}\n… and {len(text) - _MOST_CODE:,} letters more"


def course(events: Sequence[Event]) -> Section:
    """List what the run said to its user."""
    said = [(when(event.time), event.kind, plain(event.payload.get("text"), 400)) for event in events][:_MOST_SAID]
    return Section("What it said", [Table(("time", "kind", "text"), said)] if said else [])


def log(text: str, trouble: str) -> Section:
    """Show the trainer's own output."""
    if trouble:
        return Section("Log", [Text(f"The log could not be fetched: {trouble}", "muted")])
    return Section("Log", [Code(text.strip())] if text.strip() else [])
