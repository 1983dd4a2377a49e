"""The pictures of an evaluation, each a card: confusion, importance, ROC, PR, gain, calibration, residuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mldesk.desktop import words
from mldesk.desktop.pages.runs.importance import weighed, worsening
from mldesk.desktop.widgets import Card, Chart, ComboBox, HeatMap, HistogramChart, ScatterChart, Segmented
from mldesk.training.metric_words import weighed_in_words
from mldesk.workbench.evaluated import Facts, gain_of, told_apart

_CURVES = 12       # classes whose curves are drawn
CLASSES = 60       # classes up to which the confusion matrix is drawn
_PLOT = 320        # height of a plot, pixels
_LIFTED = 0.005    # share of the rows below which lift is mostly noise
Cell = Callable[[object, object], object]   # hears which class was called which, of a cell that was chosen


def confusion(facts: Facts, chosen: Cell | None = None) -> Card | None:
    """Return how often each class was called what."""
    tr = words.tr
    confusion = facts.get("confusion")
    if not confusion or len(confusion["labels"]) > CLASSES:
        return None
    about = tr("Rows: what it was. Columns: what was predicted.")
    card = Card(tr("Confusion matrix"), f"{about} {tr('Click a cell to see its rows.')}" if chosen else about)
    labels = confusion["labels"]
    heat = HeatMap([str(label) for label in labels], confusion["counts"])
    if chosen is not None:
        heat.chosen.connect(lambda actual, called: chosen(labels[actual], labels[called]))
    choice = Segmented([("count", tr("Count")), ("percent", tr("Percent"))])
    choice.changed.connect(lambda key: heat.set_percent(key == "percent"))
    card.add_action(choice)
    heat.setMinimumHeight(_PLOT - 40)
    card.add(heat, 1)
    return card


def importance(payload: Facts) -> Card | None:
    """Return what the model looks at."""
    tr = words.tr
    entries = payload.get("importance") or ()
    if not entries:
        return None
    card = Card(tr("What it looks at"),
                tr("{how} when the values of a column are shuffled among the test rows. The line is its 95 % interval; "
                   "at zero or left of it the column is of no use.").format(
                       how=worsening(str(payload.get("importance_metric") or "score")))
                + f" {weighed_in_words(payload.get('importance_on'), tr)}".rstrip())
    card.add(weighed(entries))
    card.body.addStretch(1)
    return card


def roc(facts: Facts) -> Card | None:
    """Return the ROC curves."""
    tr = words.tr
    curves = _drawn(facts.get("roc"))
    if not curves:
        return None
    card = Card(tr("ROC curve"), tr("Share found against share of false alarms; the diagonal is chance."))
    chart = _square(Chart("", tr("False positive rate"), tr("True positive rate"), with_log=False,
                          y_range=(0.0, 1.02)))
    for slot, curve in enumerate(curves):
        chart.set_series(f"{curve['class']} · AUC {words.metric_value(curve.get('auc'))}", curve["fpr"],
                         curve["tpr"], slot=slot)
    chart.set_series(tr("chance"), [0, 1], [0, 1], slot=6, dashed=True)
    card.add(chart, 1)
    return card


def pr(facts: Facts) -> Card | None:
    """Return the precision-recall curves."""
    tr = words.tr
    curves = _drawn(facts.get("pr"))
    if not curves:
        return None
    card = Card(tr("Precision and recall"),
                tr("How many alarms are right, against how many cases are found."))
    chart = _square(Chart("", tr("Recall"), tr("Precision"), with_log=False, y_range=(0.0, 1.02)))
    for slot, curve in enumerate(curves):
        chart.set_series(f"{curve['class']} · AP {words.metric_value(curve.get('ap'))}", curve["recall"],
                         curve["precision"], slot=slot)
    card.add(chart, 1)
    return card


def calibration(facts: Facts) -> Card | None:
    """Return whether the probabilities come true."""
    tr = words.tr
    calibration = facts.get("calibration")
    if not calibration or len(calibration.get("predicted", ())) < 2:
        return None
    about = tr("Whether what is promised comes true; on the dashed line it does.")
    error = (facts.get("metrics") or {}).get("calibration_error")
    if error is not None:
        about += " " + tr("It is off by {share} on average (ECE).").format(share=words.share(error))
    card = Card(tr("Calibration"), about)
    chart = _square(Chart("", tr("Promised probability"), tr("Share that came true"), with_log=False,
                          y_range=(0.0, 1.02)))
    chart.set_series(tr("model"), calibration["predicted"], calibration["actual"], slot=0)
    chart.set_series(tr("perfect"), [0, 1], [0, 1], slot=6, dashed=True)
    card.add(chart, 1)
    return card


def gain(facts: Facts) -> Card | None:
    """Return how many cases are found among the rows ranked highest, and how much better that is than chance."""
    tr, classes = words.tr, told_apart(facts)
    tables = [gain_of(facts, label) for label in classes or [None]]
    if None in tables:
        return None
    card = Card(tr("Gain and lift"), tr("Which part of the cases is found in the rows ranked highest."))
    chart = _square(Chart("", tr("Share of the rows"), "", with_log=False))
    chosen = ComboBox([(place, words.cell(label)) for place, label in enumerate(classes)])
    chosen.setAccessibleName(tr("Class whose cases are looked for"))

    def show(which: str) -> None:
        chart.clear()
        shares, parts = tables[int(chosen.value() or 0)] or ([], [])
        if which == "gain":
            chart.set_series(tr("found"), shares, parts, slot=0)
            chart.set_series(tr("chance"), [0, 1], [0, 1], slot=6, dashed=True)
        else:
            lifted = [(share, part / share) for share, part in zip(shares, parts, strict=True) if share >= _LIFTED]
            chart.set_series(tr("times better than chance"), *map(list, zip(*lifted, strict=True)), slot=0)
            chart.set_series(tr("chance"), [0, 1], [1, 1], slot=6, dashed=True)

    choice = Segmented([("gain", tr("Gain")), ("lift", tr("Lift"))])
    choice.changed.connect(show)
    if classes:
        card.add_action(chosen)
        chosen.currentIndexChanged.connect(lambda _: show(str(choice.value())))
    card.add_action(choice)
    show("gain")
    card.add(chart, 1)
    return card


def scatter(facts: Facts) -> Card | None:
    """Return predictions against the truth."""
    tr = words.tr
    residuals = facts.get("residuals")
    if not residuals:
        return None
    card = Card(tr("Predicted against actual"), tr("On the dashed line the prediction is right."))
    chart = _square(ScatterChart("", tr("Actual"), tr("Predicted"), identity=True))
    chart.set_points(residuals["actual"], residuals["predicted"])
    card.add(chart, 1)
    return card


def residuals(facts: Facts) -> Card | None:
    """Return how the errors are spread."""
    tr = words.tr
    histogram = facts.get("residual_histogram")
    if not histogram:
        return None
    card = Card(tr("Errors"), tr("Truth minus prediction, in the unit of the target."))
    chart = _square(HistogramChart("", tr("Error"), tr("Rows")))
    chart.set_data(histogram["counts"], histogram["edges"])
    card.add(chart, 1)
    return card


def _drawn(curves: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    return list(curves or ())[:_CURVES]


def _square(chart: Any) -> Any:
    chart.setMinimumHeight(_PLOT)
    return chart
