"""Check for drift: are new rows still like those a model learned from, column by column?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.models.new_data_field import NewDataField
from mldesk.desktop.pages.models.retrain_dialog import RetrainDialog
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.room import fitting
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.new_data import NewDataState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Tone
from mldesk.desktop.widgets import FormRow, Sheet, Switch, disable, make_label

if TYPE_CHECKING:
    from mldesk.library.records import ModelVersion
    from mldesk.workbench.drift import ColumnDrift
    from mldesk.workbench.drifting import DriftReport

_NAMED = 3   # columns that the sentence names


class DriftDialog(Sheet, TaskOwner):
    """Asks for the new rows, says in a sentence whether they fit, and lists the columns, the most changed first."""

    def __init__(self, shell: Shell, version: ModelVersion) -> None:
        super().__init__(self.tr("Check {model} for drift").format(model=version.label), shell.host, width=560,
                         primary=self.tr("Check"), secondary=self.tr("Close"), text=self.tr(
                             "Compares each column of new rows with the rows the model learned from."))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._shell, self.state = shell, NewDataState(shell.desk, version)
        self._checked = ("", False)   # rows, and whether they were cleaned first
        self.source = NewDataField(self.tr("New rows"), files=True)
        self.source.changed.connect(self._on_source)
        self.notice = Notice()
        self.notice.acted.connect(self._retrain)
        self.table: RecordTable[ColumnDrift] = RecordTable(_fields(), lambda item: item.name,
                                                           self.tr("Columns, the most changed first"), dense=True)
        self.table.hide()
        self.rule = make_label("", "caption", "muted", wrap=True, selectable=True)
        self.rule.hide()
        self.add(FormRow(self.tr("New rows"), self.source))
        self.clean = Switch(self.tr("Clean them first"))
        self.clean.setAccessibleName(self.tr("Clean the rows first"))
        self.clean.toggled.connect(lambda _: self._on_source())
        self._cleaning = FormRow(self.tr("Rows as they were before cleaning"), self.clean, self.tr(
            "What the recipes of the model's table did is done to them as well."))
        self._cleaning.hide()
        self.add(self._cleaning)
        self.add(self.notice)
        self.body.addWidget(self.table, 1)
        self.add(self.rule)
        self.confirmed.connect(self._check)
        self.finished.connect(self.cancel_tasks)
        self._on_source()
        self._load()

    @async_slot
    async def _load(self) -> None:
        self.source.offer(await self.state.tables())
        try:
            chain = await self.state.cleaning()
        except (MldeskError, OSError):  # whoever compares says it
            return
        self._cleaning.setVisible(bool(chain.recipes))
        if chain.why_not:
            disable(self.clean, chain.why_not)

    def _on_source(self) -> None:
        self.set_error("")
        if (self.source.value(), self.clean.isChecked()) != self._checked:   # what is shown is of other rows
            for part in (self.notice, self.table, self.rule):
                part.hide()
        self.set_primary_enabled("" if self.source.value() else self.tr("Choose a file or a dataset with new rows."))

    @async_slot
    async def _check(self) -> None:
        new, clean = self.source.value(), self.clean.isChecked()
        self.set_error("")
        self.set_busy(self.tr("Comparing…"))
        self.source.setEnabled(False)
        try:
            report = await self.state.drift(new, clean=clean)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            return
        finally:
            self.set_busy("")
            self.source.setEnabled(True)
        self._checked = (new, clean)
        self._show(report)

    def _show(self, report: DriftReport) -> None:
        tone, title, text = verdict(report)
        again = bool(report.shifted) and not self.source.is_file() and not self._checked[1]
        self.notice.say(tone, title, text, self.tr("Retrain on it…") if again else "")
        self.table.set_records(report.columns)
        self.table.show()
        self.rule.setText(rule(len(report.columns)))
        self.rule.show()
        self.resize(fitting(self, 880, 540))

    def _retrain(self) -> None:
        self.accept()
        RetrainDialog(self._shell, self.state.version, self._checked[0]).open()


def rule(columns: int) -> str:
    """Write by what a column counts as shifted where so many are compared."""
    from mldesk.workbench.drift import DOUBT, LITTLE, MUCH  # numpy

    return words.tr("Shifted: a population stability index (PSI) of {little} or more, much shifted: {much} or more; in "
                    "both cases only where chance alone makes so large a difference with p below {limit} ({doubt} "
                    "shared among {columns}; Kolmogorov–Smirnov test for numbers, chi-square or Fisher’s for "
                    "categories).").format(
                        little=f"{LITTLE:g}", much=f"{MUCH:g}", limit=f"{DOUBT / max(1, columns):.2g}",
                        doubt=f"{DOUBT:g}", columns=words.counted(columns, words.tr("column"), words.tr("columns")))


def verdict(report: DriftReport) -> tuple[Tone, str, str]:
    """Return the tone of a report, what it comes to in a sentence, and what was compared."""
    tr, shifted = words.tr, report.shifted
    compared = tr("{new} against {trained} ({old}).").format(
        new=words.counted(report.rows[1], tr("new row"), tr("new rows")), trained=report.trained_on,
        old=words.counted(report.rows[0], tr("row"), tr("rows")))
    if report.left_out:
        compared += " " + tr("Cleaning left {rows} out.").format(
            rows=words.counted(report.left_out, tr("row"), tr("rows")))
    if not shifted and all(item.verdict == "too few rows" for item in report.columns):
        return "info", tr("Too few rows to tell whether anything has shifted."), " ".join((compared, report.too_few))
    compared = " ".join(filter(None, (compared, report.too_few)))
    if not shifted and report.too_few:
        return "info", tr("No column has shifted for sure."), compared
    if not shifted:
        return "success", tr("No column has shifted: the new rows are like those the model learned from."), compared
    much = [item.name for item in shifted if item.verdict == "much shifted"]
    named = ", ".join(name[:40] for name in (much or [item.name for item in shifted])[:_NAMED])
    count = tr("{count} of {all} columns").format(count=words.number(len(shifted)),
                                                 all=words.number(len(report.columns)))
    if not much:
        return "warning", tr("{count} shifted a little: {names}.").format(count=count, names=named), compared
    title = tr("{count} shifted, {much} of them much: {names}.").format(
        count=count, much=words.number(len(much)), names=named + (", …" if len(much) > _NAMED else ""))
    return "danger", title, compared + " " + tr("Its scores may not hold for such rows.")


def _fields() -> list[Field[ColumnDrift]]:
    tr = words.tr
    badges: dict[str, tuple[str, Tone, str]] = {
        "stable": (tr("stable"), "neutral", ""), "shifted": (tr("shifted"), "warning", "warning"),
        "much shifted": (tr("much shifted"), "danger", "warning"),
        "too few rows": (tr("too few rows"), "neutral", "")}
    order = list(badges)
    tests = {"ks": tr("Kolmogorov–Smirnov"), "chi-square": tr("chi-square"), "exact": tr("Fisher’s exact test"),
             "missing": tr("of how many cells are missing")}
    return [Field(tr("Column"), lambda item: item.name, 200, strong=True, tip=lambda item: item.name),
            Field(tr("Verdict"), lambda item: badges[item.verdict][0], 130, lambda item: order.index(item.verdict),
                  badge=lambda item: badges[item.verdict]),
            Field(tr("PSI"), lambda item: f"{item.psi:.3f}", 80, lambda item: item.psi, right=True, tip=lambda _: tr(
                "Population stability index: below 0.1 little has changed, above 0.25 much has.")),
            Field(tr("By chance"), lambda item: _chance(item.p), 100, lambda item: item.p, right=True, muted=True,
                  tip=lambda item: tr("How likely chance alone makes so large a difference ({test}).").format(
                      test=tests.get(item.test, item.test)), spare=2),
            Field(tr("Missing"), lambda item: tr("{before} → {now}").format(
                before=words.share(item.missing[0]), now=words.share(item.missing[1])), 140,
                lambda item: item.missing[1] - item.missing[0], muted=True, spare=3),
            Field(tr("Never seen before"), lambda item: ", ".join(item.unseen), muted=True,
                  tip=lambda item: ", ".join(item.unseen), spare=1)]


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
