"""Tables of an evaluation: every class, where the model is worse, and the rows it is most wrong about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mldesk.desktop import theme, words
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.widgets import Card
from mldesk.training.metric_words import within
from mldesk.workbench.evaluated import ClassScore, Confused, Slice, WorstRow, worst_first

R = TypeVar("R")
_LINES = 9     # rows of a table that are seen at once
_MANY = 60     # classes from which on the worst come first
_LINE, _HEAD = 30, 36   # pixels at 100 %
_LEAST_WHERE = 190      # that the name of a slice keeps


def sized(table: RecordTable[R], lines: int, most: int = _LINES, *, grows: bool = True) -> RecordTable[R]:
    """Give a table the height of its rows, as many as are to be seen at once; ``grows``: where there is room, more."""
    height = theme.px(_HEAD + _LINE * min(max(2, lines), most))
    table.setMinimumHeight(height)
    if not grows:
        table.setMaximumHeight(height)
    return table


def classes_card(classes: Sequence[ClassScore], count: int = 0) -> Card | None:
    """Return precision, recall and F1 of every class; ``count``: how many the model knows, if many scores were kept."""
    tr = words.tr
    if not classes:
        return None if count <= _MANY else Card(tr("Every class"), tr(
            "There are {count} classes, and the version of MLDesk that made this kept no scores of so many.").format(
                count=words.number(count)))
    about = tr("Precision: of the rows called it, how many are. Recall: of those that are it, how many were found.")
    if len(classes) > _MANY:
        classes = worst_first(classes)
        told = tr("{count} classes, those of least F1 first.") if len(classes) >= count else tr(
            "The {kept} of {count} classes that have the least F1.")
        about += " " + told.format(kept=words.number(len(classes)), count=words.number(max(count, len(classes))))
    card = Card(tr("Every class"), about)
    fields: list[Field[ClassScore]] = [
        Field(tr("Class"), lambda item: item.label, strong=True, middle=True),
        Field(tr("Precision"), lambda item: words.share(item.precision), 88, lambda item: item.precision, right=True),
        Field(tr("Recall"), lambda item: words.share(item.recall), 80, lambda item: item.recall, right=True),
        Field(tr("F1"), lambda item: words.share(item.f1), 80, lambda item: item.f1, right=True),
        Field(tr("Rows"), lambda item: words.number(item.rows), 76, lambda item: item.rows, right=True, muted=True),
    ]
    table: RecordTable[ClassScore] = RecordTable(fields, lambda item: item.label, tr("Every class"), dense=True)
    table.set_records(classes)
    card.add(sized(table, len(classes), grows=False))
    card.body.addStretch(1)
    return card


def confused_card(pairs: Sequence[Confused], count: int,
                  chosen: Callable[[object, object], object] | None) -> Card:
    """Say why there is no confusion matrix of ``count`` classes, and which were most often taken for others;
    ``chosen`` hears the actual and the predicted class of a pair.
    """
    tr = words.tr
    about = tr("Nobody could read a confusion matrix of {count} classes.").format(count=words.number(count))
    if not pairs:
        return Card(tr("Most confused"), about)
    card = Card(tr("Most confused"), " ".join(filter(None, (
        about, tr("These were most often called another."),
        tr("Double-click a line, or press Enter, to see its rows.") if chosen is not None else ""))))
    fields: list[Field[Confused]] = [
        Field(tr("Actual"), lambda item: words.cell(item.actual), strong=True, middle=True),
        Field(tr("Predicted"), lambda item: words.cell(item.predicted), middle=True),
        Field(tr("Rows"), lambda item: words.number(item.rows), 76, lambda item: item.rows, right=True),
        Field(tr("Of the class"), lambda item: words.share(item.rows / item.of), 100,
              lambda item: item.rows / item.of, right=True, muted=True)]
    table: RecordTable[Confused] = RecordTable(fields, lambda item: (item.actual, item.predicted),
                                               tr("Most confused"), dense=True)
    table.set_records(pairs)
    if chosen is not None:
        table.opened.connect(lambda item: chosen(item.actual, item.predicted))
    card.add(sized(table, len(pairs)), 1)
    return card


def slices_card(slices: Sequence[Slice]) -> Card | None:
    """Return where the model is worse than elsewhere."""
    if not slices:
        return None
    tr = words.tr
    accuracy = slices[0].metric == "accuracy"
    what = {"accuracy": tr("accuracy"), "mean_absolute_error": tr("mean absolute error")}.get(
        slices[0].metric, within(words.metric_name(slices[0].metric)))
    write: Callable[[float], str] = words.share if accuracy else words.metric_value
    card = Card(tr("Where it is worse"), tr(
        "The {what} of parts of the rows, against {whole} of all. From 3 σ on it is hardly chance.").format(
        what=what, whole=write(slices[0].whole)))
    fields: list[Field[Slice]] = [
        Field(tr("Where"), lambda item: f"{item.column}: {item.value}", strong=True),
        Field(tr("Rows"), lambda item: words.number(item.rows), 70, lambda item: item.rows, right=True, muted=True),
        Field(words.metric_name(slices[0].metric),
              lambda item: write(item.score), 92, lambda item: item.score, right=True),
        Field(tr("Against all"), lambda item: _gap(item, accuracy), 92, lambda item: item.score - item.whole,
              right=True, spare=1),
        Field(tr("Sure"), lambda item: f"{item.sigmas:.1f} σ", 66, lambda item: item.sigmas, right=True),
    ]
    table: RecordTable[Slice] = RecordTable(fields, lambda item: (item.column, item.value), tr("Where it is worse"),
                                            dense=True, least=_LEAST_WHERE)
    table.set_records(slices)
    card.add(sized(table, len(slices), grows=False))
    card.body.addStretch(1)
    return card


def _gap(item: Slice, accuracy: bool) -> str:
    gap = item.score - item.whole
    sign = "+" if gap > 0 else "−" if gap < 0 else "±"
    return f"{sign}{words.share(abs(gap)) if accuracy else words.metric_value(abs(gap))}"


def worst_card(rows: Sequence[WorstRow], opened: Callable[[int], object]) -> Card | None:
    """Return the rows that the model is most wrong about; ``opened`` hears the row of one that was chosen."""
    if not rows:
        return None
    tr = words.tr
    card = Card(tr("Most wrong"), tr("Double-click a row, or press Enter, to see it in the dataset."))
    number: Field[WorstRow] = Field(tr("Row"), lambda item: words.number(item.row + 1), 76, lambda item: item.row,
                                    right=True, muted=True)
    fields = [number, *(_of_classes() if rows[0].probability is not None else _of_numbers())]
    table: RecordTable[WorstRow] = RecordTable(fields, lambda item: item.row, tr("Most wrong"), dense=True)
    table.set_records(rows)
    table.opened.connect(lambda item: opened(item.row))
    card.add(sized(table, len(rows)), 1)
    return card


def _of_classes() -> list[Field[WorstRow]]:
    tr = words.tr
    return [Field(tr("Actual"), lambda item: words.cell(item.actual), strong=True, middle=True),
            Field(tr("Predicted"), lambda item: words.cell(item.predicted), middle=True),
            Field(tr("Chance of the truth"), lambda item: words.share(item.probability or 0.0), 136,
                  lambda item: item.probability or 0.0, right=True)]


def _of_numbers() -> list[Field[WorstRow]]:
    tr = words.tr
    return [Field(tr("Actual"), lambda item: words.metric_value(item.actual), 0, lambda item: item.actual,
                  right=True, strong=True),
            Field(tr("Predicted"), lambda item: words.metric_value(item.predicted), 0,
                  lambda item: item.predicted, right=True),
            Field(tr("Error"), lambda item: words.metric_value(item.error), 0, lambda item: item.error or 0.0,
                  right=True)]
