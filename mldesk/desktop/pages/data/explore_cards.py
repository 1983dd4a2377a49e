"""What stands out in a table, a card each: missing cells, far-off numbers, rows that repeat, a target's company."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from mldesk.desktop import words
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Bar, BarChart, Card, ElidedLabel, make_button, make_label, number, row

Pick = Callable[[Picked], None]
_LINES = 6   # lines of a card


class FindingCard(Card):
    """A sentence and lines, each of which leads to its rows."""

    def __init__(self, title: str, said: str, lines: Sequence[tuple[str, Picked]], pick: Pick,
                 parent: QWidget | None = None) -> None:
        super().__init__(title, parent=parent)
        self.buttons = []
        self.add(make_label(said, tone="muted", wrap=True))
        for text, picked in lines[:_LINES]:
            button = make_button(self.tr("Show rows"), "ghost", small=True)
            button.setAccessibleName(self.tr("Show the rows: {which}").format(which=picked.words))
            button.clicked.connect(lambda _checked=False, picked=picked: pick(picked))
            self.buttons.append(button)
            line = row(ElidedLabel(text), spacing=Space.S)
            line.setStretch(0, 1)
            line.addWidget(button)
            self.add(line)
        if len(lines) > _LINES:
            self.add(make_label(self.tr("and {count} more").format(count=words.number(len(lines) - _LINES)), "caption",
                                "muted"))
        self.body.addStretch(1)


def finding_cards(found: Mapping[str, Any], pick: Pick) -> list[FindingCard]:
    """Return the cards of a table's statistics, see ``mldesk.data.statistics.exploring``."""
    return [_missing(found, pick), _outliers(found, pick), _repeats(found["repeats"], pick)]


def _missing(found: Mapping[str, Any], pick: Pick) -> FindingCard:
    tr, missing = words.tr, found["missing"]
    lines = []
    for pattern in missing["patterns"]:
        names = ", ".join(pattern["columns"])
        text = tr("{rows}: {columns}").format(rows=_rows(pattern["rows"]), columns=names)
        lines.append((text, Picked(tr("missing {columns}, and nothing else").format(columns=names), pattern["where"])))
    said = tr("Nothing is missing.") if not missing["columns"] else tr(
        "{complete} of {rows} rows are complete. What is missing in the same rows:").format(
        complete=words.number(missing["complete"] or 0), rows=words.number(found["rows"]))
    return FindingCard(tr("Missing"), said, lines, pick)


def _outliers(found: Mapping[str, Any], pick: Pick) -> FindingCard:
    tr, columns = words.tr, found["outliers"]["columns"]
    lines = []
    for facts in columns:
        text = tr("{column}: {rows}, beyond {low} to {high}").format(
            column=facts["name"], rows=_rows(facts["below"] + facts["above"]), low=number(facts["low"]),
            high=number(facts["high"]))
        lines.append((text, Picked(tr("{column} below {low} or above {high}").format(
            column=facts["name"], low=number(facts["low"]), high=number(facts["high"])), facts["where"])))
    said = tr("More than one and a half interquartile ranges beyond the middle half:") if columns else tr(
        "No number lies far from the rest of its column.")
    return FindingCard(tr("Far off"), said, lines, pick)


def _repeats(found: Mapping[str, Any], pick: Pick) -> FindingCard:
    tr, same, near = words.tr, found["same"], found["near"]
    lines = []
    if same["rows"]:
        lines.append((tr("{rows} an earlier one").format(rows=words.counted(
            same["rows"], tr("row repeats"), tr("rows repeat"))), _examples(same)))
    if near["rows"]:
        lines.append((tr("{rows} nearly like another").format(rows=_rows(near["rows"])), _examples(near)))
    lines += [(tr("{rows} alike but for {column}").format(
        rows=_rows(facts["rows"]), column=facts["column"]), _examples(facts)) for facts in found["apart"]["columns"]]
    said = tr("Rows that are there more than once:") if lines else tr("No row is there twice, or nearly so.")
    if near.get("without") and (near["rows"] or found["apart"]["columns"]):
        said += " " + tr("Where rows are nearly alike, columns that name their row are left out: {columns}.").format(
            columns=", ".join(near["without"]))
    return FindingCard(tr("Repeated"), said, lines, pick)


def _examples(facts: Mapping[str, Any]) -> Picked:
    rows = tuple(place for group in facts["examples"] for place in group)
    groups = len(facts["examples"])
    return Picked(words.tr("the first {groups} groups of rows that are alike").format(groups=groups)
                  if groups > 1 else words.tr("rows that are alike"), only=rows)


def _rows(count: int) -> str:
    return words.counted(count, words.tr("row"), words.tr("rows"))


class TargetCard(Card):
    """A target: its classes, and the columns that tell most of it. Signals: ``chosen`` (a column's name)."""

    chosen = Signal(str)

    def __init__(self, found: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Target {name}").format(name=found["target"]), parent=parent)
        if found["balance"]:
            whole = sum(count for _, count in found["balance"])
            self.add(make_label(self.tr("Classes"), "subtitle"))
            self.add(BarChart([Bar(str(value), count, words=f"{words.number(count)} · {count / whole:.1%}")
                               for value, count in found["balance"]], most=10, name=self.tr("Classes")))
        self.add(make_label(self.tr("What each column alone tells of it"), "subtitle"))
        told = [facts for facts in found["columns"] if facts["power"] is not None]
        self.columns = BarChart([_power(facts) for facts in told], most=10, name=self.tr("Columns by what they tell"))
        self.columns.make_choosable()
        self.columns.chosen.connect(lambda line: self.chosen.emit(told[line]["name"]) if line < len(told) else None)
        self.add(self.columns)
        if told:
            self.add(make_label(self.tr("Press one to see how it lies in each class.") if found["classes"] else self.tr(
                "Press one to see how the target follows it."), "caption", "muted"))
        leaks = [facts["name"] for facts in found["columns"] if facts["suspicion"] == "leak"]
        if leaks:
            self.add(make_label(self.tr("As good as the answer: {names}. Are they known before the target is?").format(
                names=", ".join(leaks[:5])), tone="warning", wrap=True))
        gone = [facts["name"] for facts in found["columns"] if facts["absence"] is not None]
        if gone:
            self.add(make_label(self.tr("Whether it is missing says the target: {names}. It may be filled in only for "
                                        "one outcome.").format(names=", ".join(gone[:5])), tone="warning", wrap=True))
        if found["sampled"]:
            self.add(make_label(self.tr("From {rows} rows taken at random.").format(
                rows=words.number(found["sampled"])), "caption", "muted"))


def _power(facts: Mapping[str, Any]) -> Bar:
    suspect = facts["suspicion"] is not None or facts["absence"] is not None
    auc = facts["measure"] == "auc"
    told = f"ROC AUC {(1 + facts['power']) / 2:.3f}" if auc else f"R² {facts['power']:.3f}"
    return Bar(facts["name"], facts["power"], slot=1 if suspect else 0,
               words=words.tr("{value} · suspicious").format(value=told) if suspect else told)
