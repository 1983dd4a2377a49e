"""``mldesk runs evaluation``: all that is known of how good a run's model is, and where it is wrong."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, make_table
from mldesk.cli.row_numbers import evaluated
from mldesk.core.errors import BadInput, NotFound
from mldesk.training.metric_words import better, left_out, title
from mldesk.workbench.references import did_you_mean

if TYPE_CHECKING:
    from mldesk.workbench.evaluated import Costs

_CLASSES, _SLICES, _MATRIX = 40, 10, 12   # lines of a table, and classes of a confusion matrix, that are printed
_PAIRS = 10   # of classes taken for one another, that are printed where the matrix is not
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)   # of the rows, whose gain is printed
_STEPS = [step / 10 for step in range(1, 10)]   # thresholds that are printed


def evaluation(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run that succeeded.")],
    part: Annotated[str, typer.Option(metavar="P", help="Of which rows: test, or validation, whose scores "
                                      "flatter.")] = "test",
    rows: Annotated[int, typer.Option(metavar="K", min=0, max=100, help="How many of the rows it is most wrong about; "
                                      "--json has all that are kept.")] = 10,
    label: Annotated[str | None, typer.Option("--class", metavar="CLASS", help="Of more than two classes: the one "
                                              "whose thresholds and gain are shown.")] = None,
    cost: Annotated[list[str] | None, typer.Option(metavar="CASE=N", help="What a row costs: a false alarm fp (1 "
                                                   "unless you say), a missed case fn (1), a hit tp (0), or tn (0); "
                                                   "below 0 is a gain. Shows the threshold of least cost. May be "
                                                   "repeated.")] = None,
) -> None:
    """Show how good a model is: scores with their 95 % intervals, classes, thresholds, and where it is wrong.

    With --json also the points of the ROC, precision-recall, gain and calibration curves, of residuals, and every
    threshold that was kept. Rows are counted from 1, as in `data preview --only`.
    """
    face = Face.of(context)
    with face.workbench() as bench:
        for trouble in bench.runs.refresh(reference):
            face.note(f"! {trouble}")
        run, payload = bench.runs.get(reference), bench.judging.evaluation(reference)
    parts: Mapping[str, Any] = payload.get("parts") or {}
    if part not in ("test", "validation"):
        raise BadInput(f"There is no part {part!r:.40} of the rows.",
                       hint=did_you_mean(part, ["test", "validation"]) or "test, or validation.")
    if part not in parts:
        raise NotFound(f"Run {run.name} kept no evaluation of its {part} rows.", hint="Train it again.")
    facts = parts[part]
    from mldesk.workbench.evaluated import told_apart

    costs = _costs(cost) if cost else None
    known = [str(item) for item in told_apart(facts)]
    if label is not None and label not in known:
        raise BadInput(f"There are no thresholds of a class {label[:60]!r}: they are of one class among more than two.",
                       hint="They are there for: " + (", ".join(known[:8]) or "no class of this run") + ".")
    cheapest = None if costs is None else _cheapest(facts, label, costs)
    if face.json:
        from mldesk.workbench.evaluated import errors_of

        told = ("classes", "importance", "importance_metric", "importance_on", "doubts")
        more = {key: payload[key] for key in told if key in payload}
        face.document({"run": run.id, "name": run.name, "task": run.task, "target": run.target, "dataset": run.dataset,
                       "part": part, **evaluated(facts), "error_quantiles": errors_of(facts), **more,
                       **({} if cheapest is None else {"cheapest": cheapest})})
        return
    _show(face, facts, rows, run.dataset, label, costs, len(payload.get("classes") or ()))
    if part == "test" and (facts.get("thresholds") or label):
        face.note("· A threshold chosen by these rows looks better on them than it is; --part validation has others.")


def _costs(given: Sequence[str]) -> Costs:
    """Read ``fp=1``, …. Raises BadInput."""
    from mldesk.workbench.evaluated import Costs

    found: dict[str, float] = {}
    for item in given:
        case, _, amount = item.partition("=")
        try:
            if case not in ("tp", "fp", "fn", "tn") or case in found or not math.isfinite(float(amount)):
                raise ValueError(item)
            found[case] = float(amount)
        except ValueError:
            raise BadInput(f"{item[:40]!r} is no cost of a case, or one that is given twice.",
                           hint="For example: --cost fp=1 --cost fn=5; the cases are tp, fp, fn and tn.") from None
    return Costs(**found)


def _cheapest(facts: Mapping[str, Any], label: str | None, costs: Costs) -> dict[str, Any]:
    """Return the threshold of least cost, and what a row costs on average there. Raises BadInput without thresholds."""
    from mldesk.workbench.evaluated import thresholds_of, told_apart

    if (table := thresholds_of(facts, label)) is None:
        raise BadInput("Costs are of one class and the others, and no class was named." if told_apart(facts) else
                       "Costs are of classes, and there are no thresholds of classes here.",
                       hint="Name one with --class." if told_apart(facts) else "")
    found = table.cheapest(costs)
    return {"threshold": found.threshold, "cost": found.cost(costs), "cost_at_half": table.at(0.5).cost(costs),
            "costs": dataclasses.asdict(costs)}


def _show(face: Face, facts: Mapping[str, Any], most: int, dataset: str, label: str | None,
          costs: Costs | None, count: int) -> None:
    from mldesk.workbench.evaluated import classes_of, intervals_of, scores, slices_of, worst_first

    edges = intervals_of(facts)
    face.table(("score", "value", "95 %", "better"), [
        (title(item.metric), words.score(item.value), words.edges(edges.get(item.metric)), better(item.metric))
        for item in scores(facts)], right=("value", "95 %"))
    if missed := left_out(facts.get("metrics") or {}):
        face.say(missed)
    classes = classes_of(facts)
    many = len(classes) > _CLASSES
    _table(face, "Classes, those of least F1 first:" if many else "", ("class", "precision", "recall", "F1", "rows"), [
        (item.label, *map(words.score, (item.precision, item.recall, item.f1)), words.count(item.rows))
        for item in (worst_first(classes) if many else classes)], _CLASSES)
    _confusion(face, facts, count)
    _thresholds(face, facts, label, costs)
    _gain(face, facts, label)
    _errors(face, facts)
    _table(face, "Where it is worse:", ("where", "rows", "score", "there", "of all", "standard errors"), [
        (f"{item.column}: {item.value}", words.count(item.rows), title(item.metric), words.score(item.score),
         words.score(item.whole), f"{item.sigmas:.1f}") for item in slices_of(facts)], _SLICES)
    _worst(face, facts, most, dataset)


def _table(face: Face, above: str, columns: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> None:
    """Print a table if it has a row, and how many lines it was cut by."""
    if not rows:
        return
    face.say()
    if above:
        face.say(above)
    face.show(make_table(columns, rows[:most], right=set(columns[1:]) - {"score"}))
    if len(rows) > most:
        face.say(f"and {words.plural(len(rows) - most, 'line')} more; `--json` has all.")


def _confusion(face: Face, facts: Mapping[str, Any], count: int) -> None:
    """Print the matrix, or of many classes which were most often taken for others."""
    from mldesk.workbench.evaluated import confused_of

    confusion = facts.get("confusion") or {}
    labels = [words.cell(label) for label in confusion.get("labels") or ()]
    if max(count, len(labels)) > _MATRIX:
        told = f"; `--json` has the matrix of all {len(labels)}" if labels else ""
        if pairs := confused_of(facts):
            _table(face, f"Most often called another class{told}:", ("is", "called", "rows", "of"), [
                (words.cell(item.actual), words.cell(item.predicted), words.count(item.rows), words.count(item.of))
                for item in pairs[:_PAIRS]], _PAIRS)
        else:
            face.say(f"\nOf {words.count(count)} classes there is no confusion matrix{told}.")
        return
    if not labels:
        return
    _table(face, "Rows of a class, by what they were called:", ("is \\ called", *labels), [
        (label, *map(words.count, counts)) for label, counts in zip(labels, confusion["counts"], strict=True)], _MATRIX)


def _thresholds(face: Face, facts: Mapping[str, Any], chosen: str | None, costs: Costs | None) -> None:
    """Print what comes of calling rows the second class, or the chosen one of many, from some probability on."""
    from mldesk.workbench.evaluated import thresholds_of

    if (table := thresholds_of(facts, chosen)) is None:
        return
    label = words.cell(chosen or (facts.get("confusion") or {}).get("labels", ["", "the second class"])[-1])
    steps = [table.at(step) for step in _STEPS]
    _table(face, f"Called {label} from which probability on:", (
        "from", "precision", "recall", "F1", "accuracy", "hits", "false alarms", "missed",
        *(() if costs is None else ("cost of a row",))), [
        (f"{item.threshold:.1f}", *map(words.score, (item.precision, item.recall, item.f1, item.accuracy)),
         *map(words.count, (item.tp, item.fp, item.fn)), *(() if costs is None else (words.score(item.cost(costs)),)))
        for item in steps], len(steps))
    if costs is not None:
        found = _cheapest(facts, chosen, costs)
        face.say(f"Least cost: from {found['threshold']:.3g} on, {words.score(found['cost'])} a row "
                 f"({words.score(found['cost_at_half'])} from 0.5 on).")


def _nearest(shares: Sequence[float], wanted: float) -> int:
    return min(range(len(shares)), key=lambda place: abs(shares[place] - wanted))


def _gain(face: Face, facts: Mapping[str, Any], chosen: str | None) -> None:
    """Print how much of the class is found among the likeliest rows, and how much better that is than chance."""
    from mldesk.workbench.evaluated import gain_of

    if (found := gain_of(facts, chosen)) is None:
        return
    shares, parts = found
    near = [_nearest(shares, share) for share in _SHARES]
    _table(face, "Found among the likeliest rows:", ("of the rows", "found", "lift"), [
        (f"{100 * shares[place]:.0f}%", f"{100 * parts[place]:.0f}%", f"{parts[place] / shares[place]:.2f}")
        for place in dict.fromkeys(near) if shares[place]], len(near))


def _errors(face: Face, facts: Mapping[str, Any]) -> None:
    from mldesk.workbench.evaluated import errors_of

    found = errors_of(facts)
    _table(face, "Errors, truth less prediction:", ("share of the rows below", "error"), [
        (f"{100 * float(share):.0f}%", words.score(error)) for share, error in found.items()], len(found))


def _worst(face: Face, facts: Mapping[str, Any], most: int, dataset: str) -> None:
    from mldesk.workbench.evaluated import worst_of

    rows = worst_of(facts)[:most]
    if not rows:
        return
    last = "given to the truth" if rows[0].probability is not None else "error"
    _table(face, "Most wrong:", ("row", "actual", "predicted", last), [
        (str(item.row + 1), words.cell(item.actual), words.cell(item.predicted),
         words.score(item.error if item.probability is None else item.probability)) for item in rows], most)
    numbers = ",".join(str(item.row + 1) for item in rows)
    face.note(f"\nNext: mldesk data preview {shlex.quote(dataset)} --only {numbers}")
