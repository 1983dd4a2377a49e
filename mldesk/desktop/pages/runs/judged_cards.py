"""Compared runs, judged: is a difference more than luck, their ROC curves in one plot, class beside class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from mldesk.core.spans import span
from mldesk.desktop import words
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.runs.compare_rows import names_of
from mldesk.desktop.pages.runs.evaluation_tables import sized
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Card, Chart, make_button, make_label, row
from mldesk.workbench.class_deltas import class_deltas, most_moved

if TYPE_CHECKING:
    from mldesk.library.records import Run

_PLOT = 320   # height of a plot, pixels
_DELTAS = 1000   # lines of the table of classes
Line = tuple[str, str, str, str]   # of a table: what, value, and two more


class JudgedCards(QWidget):
    """A card for each, as far as the runs have been judged.

    Signals: ``looked`` (words, dataset, places of rows from 0) when rows that tell two runs apart are asked for.
    """

    looked = Signal(str, str, tuple)

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(Space.L)
        self._shown: object = None

    def show_runs(self, runs: Sequence[Run], pairs: Sequence[Mapping[str, Any]],
                  evaluations: Sequence[Mapping[str, Any]], crossed: Mapping[str, Any] | None = None,
                  against: str = "") -> None:
        """Show the cards anew where there is something new; ``against`` is the run that the others are set against."""
        against = against or (runs[0].id if runs else "")
        if (shown := ([(pair["run"], pair["against"]) for pair in pairs], [len(one) for one in evaluations], crossed,
                      against)) == self._shown:
            return
        self._shown = shown
        while self._layout.count():
            item = self._layout.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for card in (luck(runs, pairs, self.looked.emit), over_folds(runs, pairs, crossed), roc(runs, evaluations),
                     classes(runs, evaluations, against)):
            if card is not None:
                self._layout.addWidget(card)


def luck(runs: Sequence[Run], pairs: Sequence[Mapping[str, Any]],
         look: Callable[[str, str, tuple[int, ...]], object]) -> Card | None:
    """Return whether the runs differ from the one they are set against by more than luck.

    ``look`` hears which rows are to be seen.
    """
    tr, names = words.tr, names_of(runs)
    told = [pair for pair in pairs if not pair["why_not"]]
    if not told:
        return None
    card = Card(tr("More than luck?"), tr("Both models met the same test rows: what is left of the difference to "
                                          "{name} when those rows are drawn again and again.").format(
                                              name=names[told[0]["against"]]))
    lines: list[Line] = []
    for pair in told:
        for metric, edges in pair["differences"].items():
            lines.append((names[pair["run"]], words.metric_name(metric), " … ".join(span(edges["low"], edges["high"])),
                          tr("more than luck") if edges["sure"] else tr("may be luck")))
    fields: list[Field[Line]] = [
        Field(tr("Run"), lambda line: line[0], strong=True), Field(tr("Score"), lambda line: line[1], 190),
        Field(tr("Difference, 95 %"), lambda line: line[2], 190, right=True),
        Field(tr("Verdict"), lambda line: line[3], 130)]
    table: RecordTable[Line] = RecordTable(fields, lambda line: line[:2], tr("More than luck?"), dense=True)
    table.set_records(lines)
    card.add(sized(table, len(lines)))
    for pair in told:
        if (test := pair["mcnemar"]) is not None:
            card.add(make_label(tr("{name} alone is right in {ours}, {other} alone in {theirs}; McNemar p = {p}.")
                                .format(name=names[pair["run"]], other=names[pair["against"]], p=f"{test['p']:.3g}",
                                        ours=words.counted(test["only_first"], tr("row"), tr("rows")),
                                        theirs=words.number(test["only_second"])), "caption", "muted", wrap=True))
            card.add(row(*_looks(runs, pair, names, look), None, spacing=Space.M))
    return card


def _looks(runs: Sequence[Run], pair: Mapping[str, Any], names: Mapping[str, str],
           look: Callable[[str, str, tuple[int, ...]], object]) -> list[QPushButton]:
    """Return the ways to the rows that one of two runs alone has right."""
    tr, found = words.tr, []
    dataset = next(run.dataset for run in runs if run.id == pair["run"])
    for who, side in ((pair["run"], "first"), (pair["against"], "second")):
        if rows := tuple(number - 1 for number in pair["mcnemar"][f"rows_{side}"]):
            text = tr("Where {name} alone is right").format(name=names[who])
            found.append(make_button(text, "link"))
            found[-1].clicked.connect(lambda _=False, text=text, rows=rows: look(text, dataset, rows))
    return found


def over_folds(runs: Sequence[Run], pairs: Sequence[Mapping[str, Any]],
               crossed: Mapping[str, Any] | None) -> Card | None:
    """Return what the folds say of runs that were cross-validated on the same ones."""
    tr, names = words.tr, names_of(runs)
    told = [(names[pair["run"]], names[pair["against"]], pair["folds"]) for pair in pairs if pair["folds"]]
    if crossed:
        told.insert(0, (names[crossed["first"][0]], names[crossed["second"][0]], crossed))
    if not told:
        return None
    card = Card(tr("Over the folds"), tr("Both were scored on the same folds. Folds share training rows, which the "
                                         "tests allow for (Nadeau and Bengio 2003; 5×2cv: Dietterich 1998)."))
    if len(told) == 1:
        card.add(make_label(tr("{name} less {other}:").format(name=told[0][0], other=told[0][1]), wrap=True))
    card.add(fold_table(told))
    return card


def fold_table(told: Sequence[tuple[str, str, Mapping[str, Any]]]) -> RecordTable[Line]:
    """Return what tests over folds say: two names, and what ``fold_differences`` found, for each."""
    tr = words.tr
    lines: list[Line] = [(tr("{name} less {other}").format(name=name, other=other), words.metric_name(metric),
                          f"{item['mean']:+.4g}", tr("more than luck, p = {p}").format(p=f"{item['p']:.3g}")
                          if item["sure"] else tr("may be luck, p = {p}").format(p=f"{item['p']:.3g}"))
                         for name, other, folds in told for metric, item in folds["metrics"].items()]
    fields: list[Field[Line]] = [
        Field(tr("Runs"), lambda line: line[0], strong=True), Field(tr("Score"), lambda line: line[1], 190),
        Field(tr("Mean difference"), lambda line: line[2], 150, right=True),
        Field(tr("Verdict"), lambda line: line[3], 210)]
    if len(told) == 1:   # who is meant is said above the table
        fields[:2] = [Field(tr("Score"), lambda line: line[1], strong=True)]
    table: RecordTable[Line] = RecordTable(fields, lambda line: line[:2], tr("Over the folds"), dense=True)
    table.set_records(lines)
    sized(table, len(lines))
    return table


def roc(runs: Sequence[Run], evaluations: Sequence[Mapping[str, Any]]) -> Card | None:
    """Return the ROC curves of the last class of every run in one plot."""
    tr = words.tr
    names = names_of(runs)
    found = [(slot, run, curves[-1]) for slot, (run, facts) in enumerate(zip(runs, evaluations, strict=False))
             if (curves := _test(facts).get("roc"))]
    if len(found) < 2:
        return None
    card = Card(tr("ROC curves"), tr("Share of “{label}” found, against share of false alarms.").format(
        label=words.cell(found[0][2]["class"])))
    chart = Chart("", tr("False positive rate"), tr("True positive rate"), with_log=False, y_range=(0.0, 1.02))
    chart.setMinimumHeight(_PLOT)
    for slot, run, curve in found:
        chart.set_series(f"{names[run.id]} · AUC {words.metric_value(curve.get('auc'))}", curve["fpr"],
                         curve["tpr"], slot=slot)
    card.add(chart, 1)
    return card


def classes(runs: Sequence[Run], evaluations: Sequence[Mapping[str, Any]], against: str) -> Card | None:
    """Return F1 of every class in each run, and how far it is from that of the run ``against``."""
    tr, names = words.tr, names_of(runs)
    found = class_deltas([run.id for run in runs], evaluations, against)
    if not found:
        return None
    lines: list[Line] = [(item.label, names[item.run], words.share(item.f1),
                          "" if item.delta is None else f"{100 * item.delta:+.1f}")
                         for item in most_moved(found, _DELTAS)]
    about = tr("F1 of each class, and by how many points it differs from {name}.").format(name=names[against])
    if len(lines) < len(found):
        about += " " + tr("Of {count} classes those that differ most.").format(
            count=words.number(len({item.label for item in found})))
    card = Card(tr("Every class"), about)
    fields: list[Field[Line]] = [
        Field(tr("Class"), lambda line: line[0], strong=True), Field(tr("Run"), lambda line: line[1], 220),
        Field(tr("F1"), lambda line: line[2], 90, right=True),
        Field(tr("Points"), lambda line: line[3], 90, right=True)]
    table: RecordTable[Line] = RecordTable(fields, lambda line: line, tr("Every class"), dense=True)
    table.set_records(lines)
    card.add(sized(table, len(lines)))
    return card


def _test(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (facts.get("parts") or {}).get("test") or {}
    return found
