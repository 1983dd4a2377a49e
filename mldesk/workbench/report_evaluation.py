"""Sections of a report that say how good a model is: scores, plots, where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.reports.document import Bars, Block, Histogram, Lines, Matrix, Section, Series, Table, Text
from mldesk.training.metric_words import better, left_out, meaning, ordered, title, weighed_in_words, worsening
from mldesk.workbench.evaluated import classes_of, confused_of, slices_of, worst_first
from mldesk.workbench.report_words import fitting, interval, number, plain, plural

_MOST_CURVES = 6        # classes whose ROC curves are drawn
_MOST_IMPORTANT = 20
_MOST_CLASSES = 60
_MOST_PAIRS = 20       # of classes taken for one another
_MOST_CELLS = 8        # columns of an example row
_CHANCE = Series("chance", (0, 1), (0, 1), quiet=True)
_PERFECT = Series("perfect", (0, 1), (0, 1), quiet=True)

Facts = Mapping[str, Any]


def sections(evaluation: Facts, crossed: Facts) -> list[Section]:
    """Return the sections of an evaluation payload; payloads of older versions may lack any of it.

    ``crossed``: the scores of the folds, as the job's result has them; {} without folds.
    """
    parts = evaluation.get("parts") or {}
    test, validation = parts.get("test") or {}, parts.get("validation") or {}
    plots = [*_plots(test), *_of_many(len(evaluation.get("classes") or ()), test)]
    return [_scores(test, validation), folds(crossed), Section("Plots", plots), _classes(test),
            importance(evaluation), _slices(test)]


def _scores(test: Facts, validation: Facts) -> Section:
    """List every score, on test rows first; those on validation rows chose the model, and so flatter it."""
    chosen = validation.get("metrics") or {}
    metrics = test.get("metrics") or {}
    rows = [(title(name), number(metrics[name]), interval(test, name), number(chosen.get(name)), better(name),
             meaning(name)) for name in ordered(metrics)]
    head = ("score", "test", "95 % interval", "validation", "better", "meaning")
    if not rows:
        return Section("Scores", [])
    said = left_out(metrics)
    return Section("Scores", [Table(head, rows, frozenset({"test", "95 % interval", "validation"})),
                              *([Text(said, "muted")] if said else [])])


def folds(crossed: Facts) -> Section:
    """List what the folds scored, each on rows that its model was not fitted on."""
    metrics = crossed.get("metrics") or {}
    rows = [(title(name), *map(number, (metrics[name]["mean"], metrics[name]["std"], *metrics[name]["values"])))
            for name in ordered(metrics)]
    numbered = [f"fold {place}" for place in range(1, 1 + max((len(row) - 3 for row in rows), default=0))]
    head = ("score", "mean", "deviation", *numbered)
    return Section("Folds", [Table(head, rows, frozenset(head[1:]))] if rows else [])


def _plots(test: Facts) -> list[Block]:
    charts: list[Block] = []
    if confusion := test.get("confusion"):
        charts.append(Matrix("Confusion matrix", [str(label) for label in confusion["labels"]], confusion["counts"]))
    if roc := test.get("roc"):
        charts.append(Lines("ROC", "False positive rate", "True positive rate", [*(
            Series(f"{item['class']} ({item['auc']:.3f})", item["fpr"], item["tpr"])
            for item in roc[:_MOST_CURVES]), _CHANCE], square=True))
    if curves := test.get("pr"):
        charts.append(Lines("Precision and recall", "Recall", "Precision", [
            Series(f"{item['class']} ({item['ap']:.3f})", item["recall"], item["precision"])
            for item in curves[:_MOST_CURVES]], square=True))
    if calibration := test.get("calibration"):
        charts.append(Lines("Calibration", "Predicted probability", "Share that came true", [
            Series("model", calibration["predicted"], calibration["actual"]), _PERFECT], square=True))
    if gain := test.get("gain"):
        charts.append(Lines("Gain", "Share of rows, likeliest first", "Share of the class found", [
            Series("model", gain["share"], gain["found"]), _CHANCE], square=True))
        charts.append(_lift(gain))
    return charts + _residuals(test)


def _of_many(classes: int, test: Facts) -> list[Block]:
    """Say what is not drawn of very many classes."""
    if not classes or not test or test.get("confusion"):
        return []
    blocks: list[Block] = [Text(f"Of {number(classes)} classes there is no confusion matrix, which nobody could read, "
                                "and curves only of some of the commonest.", "muted")]
    if pairs := confused_of(test)[:_MOST_PAIRS]:
        blocks.append(Table(("class", "most often called", "rows", "of"), [
            (plain(item.actual), plain(item.predicted), number(item.rows), number(item.of)) for item in pairs],
            frozenset({"rows", "of"})))
    return blocks


def _lift(gain: Facts) -> Lines:
    """Draw how many times more of the class the likeliest rows hold than any rows do: gain over the share of rows."""
    points = [(share, found / share) for share, found in zip(gain["share"], gain["found"], strict=True) if share > 0]
    return Lines("Lift", "Share of rows, likeliest first", "Times as many as by chance", [
        Series("model", [share for share, _ in points], [lift for _, lift in points]),
        Series("chance", (0, 1), (1, 1), quiet=True)])


def _residuals(test: Facts) -> list[Block]:
    charts: list[Block] = []
    if found := test.get("residuals"):
        ends = (min(*found["actual"], *found["predicted"]), max(*found["actual"], *found["predicted"]))
        charts.append(Lines("Predicted and actual", "Predicted", "Actual", [
            Series("rows", found["predicted"], found["actual"]), Series("perfect", ends, ends, quiet=True)],
            points=True))
    if bars := test.get("residual_histogram"):
        charts.append(Histogram("Errors", "Actual minus predicted", bars["edges"], bars["counts"]))
    return charts


def _classes(test: Facts) -> Section:
    found = classes_of(test)
    rows = [(plain(item.label), number(item.precision), number(item.recall), number(item.f1), number(item.rows))
            for item in (found if len(found) <= _MOST_CLASSES else worst_first(found)[:_MOST_CLASSES])]
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(("class", "precision", "recall", "F1", "rows"), rows,
                            frozenset({"precision", "recall", "F1", "rows"})))
    if (more := len(found) - _MOST_CLASSES) > 0:
        blocks.append(Text(f"and {number(more)} more class{'' if more == 1 else 'es'} of higher F1", "muted"))
    return Section("Classes", blocks)


def importance(evaluation: Facts) -> Section:
    """Draw what the model goes by; an explanation has it under the same names as an evaluation."""
    items = (evaluation.get("importance") or [])[:_MOST_IMPORTANT]
    if not items:
        return Section("What it goes by", [])
    how = worsening(str(evaluation.get("importance_metric", "score")))
    return Section("What it goes by", [
        Text(f"By how much {how} when a column's values change places among the test rows (permutation importance, "
             f"with its 95 % interval). {weighed_in_words(evaluation.get('importance_on'))}".rstrip()),
        Bars("Importance", how[0].upper() + how[1:], [plain(item["feature"]) for item in items],
             [item["value"] for item in items],
             [(item["high"] - item["low"]) / 2 if "high" in item else item["std"] for item in items])])


def _slices(test: Facts) -> Section:
    found = slices_of(test)
    rows = [(plain(item.column), plain(item.value), number(item.rows), number(item.score), number(item.whole),
             number(item.sigmas, 1)) for item in found[:15]]
    what = title(found[0].metric) if found else ""
    head = ("column", "value", "rows", f"{what} there", f"{what} of all", "standard errors")
    return Section("Where it is worse", [Table(head, rows, frozenset(head[2:]))] if rows else [])


def examples(worst: Sequence[Facts], rows: Sequence[Sequence[Any]], names: Sequence[str]) -> Section:
    """Show the rows that the model is most wrong about; ``rows`` may be empty where the table is not here."""
    chances = any(item.get("probability") is not None for item in worst)     # numbers have none
    head = ["row", "actual", "predicted", *(["given to the truth"] if chances else [])]
    lines = [[number(item["row"] + 1), plain(item["actual"]), plain(item["predicted"]),
              *([number(item.get("probability"))] if chances else []),
              *(plain(cell, 24) for cell in (rows[place] if rows else ()))]
             for place, item in enumerate(worst)]
    least, head = len(head), head + ([plain(name, 24) for name in names] if rows else [])
    shown = head[:min(fitting(head, lines, least), least + _MOST_CELLS)]
    blocks: list[Block] = [
        Text("The test rows that it is most wrong about, by their number in the dataset."),
        Table(shown, [line[:len(shown)] for line in lines], frozenset({"row", "given to the truth"}))]
    if more := len(head) - len(shown):
        blocks.append(Text(f"The table has {plural(more, 'more column')}.", "muted"))
    return Section("Worst errors", blocks)
