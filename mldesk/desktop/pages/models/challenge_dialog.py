"""Two versions on the same test rows: which is better, is it luck, and Promote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.shell import Shell
from mldesk.desktop.states.new_data import NewDataState, ScorePair, score_pairs
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Tone
from mldesk.desktop.widgets import Sheet, make_label
from mldesk.training.metric_words import within

if TYPE_CHECKING:
    from mldesk.library.records import ModelVersion
    from mldesk.workbench.challenging import Challenge


class ChallengeDialog(Sheet, TaskOwner):
    """Signals: ``promoted`` when the newer version is to take the older one's place."""

    promoted = Signal()

    def __init__(self, shell: Shell, version: ModelVersion, old: int, *, in_use: bool = False) -> None:
        super().__init__(self.tr("Version {new} against version {old}").format(new=version.number, old=old),
                         shell.host, width=760, secondary=self.tr("Close"),
                         primary=self.tr("Promote version {number}").format(number=version.number),
                         text=self.tr("Both predict the rows that version {number} was tested on.").format(
                             number=version.number))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.state, self._old, self._in_use = NewDataState(shell.desk, version), old, in_use
        self.notice = Notice()
        self.table: RecordTable[ScorePair] = RecordTable(self._fields(), lambda item: item.metric,
                                                         self.tr("Scores of both"))
        self.table.hide()
        self._doubt = make_label("", "body", "muted", wrap=True)
        self._doubt.hide()
        for part in (self.notice, self.table, self._doubt):
            self.add(part)
        self.body.addStretch(1)
        self.confirmed.connect(self._on_promote)
        self.finished.connect(self.cancel_tasks)
        self._compare()

    def set_primary_enabled(self, why_not: str = "") -> None:
        super().set_primary_enabled(why_not or (self.tr("It is the promoted version already.") if self._in_use else ""))

    def _fields(self) -> list[Field[ScorePair]]:
        numbers = (self.state.version.number, self._old)
        new, old = (self.tr("Version {number}").format(number=number) for number in numbers)
        return [Field(self.tr("Score"), lambda item: words.metric_name(item.metric), strong=True,
                      tip=lambda item: words.metric_help(item.metric)),
                Field(new, lambda item: words.metric_value(item.new), 100, right=True),
                Field(old, lambda item: words.metric_value(item.old), 100, right=True, muted=True),
                Field(self.tr("Difference (95 %)"), lambda item: "" if item.low is None or item.high is None
                      else words.interval(item.low, item.high), 160, right=True),
                Field("", lambda item: "" if item.sure else self.tr("may be luck"), 110, muted=True)]

    @async_slot
    async def _compare(self) -> None:
        self.set_busy(self.tr("Predicting the same rows with both…"))
        try:
            found = await self.state.challenge(self._old)
        except (MldeskError, OSError) as error:
            self.set_error(sentence(error))
            self.set_busy("")
            return
        self.set_busy("")
        self._show(found)

    def _show(self, found: Challenge) -> None:
        pairs = score_pairs(found)
        rows = words.counted(found.rows, self.tr("test row"), self.tr("test rows"))
        self.notice.say(*verdict(found, pairs), self.tr("On {rows}.").format(rows=rows))
        self.table.setFixedHeight(theme.px(34 + len(pairs) * 42 + 4))
        self.table.set_records(pairs)
        self.table.show()
        doubt = fairness(found)
        self._doubt.setText(doubt)
        self._doubt.setVisible(bool(doubt))
        self.adjustSize()

    def _on_promote(self) -> None:
        self.accept()
        self.promoted.emit()


def fairness(found: Challenge) -> str:
    """Say what the older version knew of the rows; "" where it knew none and none had to be left out."""
    tr = words.tr
    if found.left_out:
        return tr("Left out: {count} that {old} learned from.").format(
            count=words.counted(found.left_out, tr("test row"), tr("test rows")), old=found.old)
    if found.learned is None:
        return tr("Whether {old} learned from some of these rows is not known; if so, that flatters it.").format(
            old=found.old)
    if not found.learned:
        return ""
    return tr("{old} learned from {count} of these rows, which flatters it.").format(
        old=found.old, count=words.number(found.learned))


def verdict(found: Challenge, pairs: list[ScorePair]) -> tuple[Tone, str]:
    """Return what a comparison comes to: by the score that decides, and whether its difference may be luck."""
    tr, decides = words.tr, pairs[0]
    better, worse = (found.new, found.old) if found.better else (found.old, found.new)
    if found.equal:
        return "neutral", tr("Both are equally good.")
    if not decides.sure:
        return "neutral", tr("{better} is better by its {score}, which may be luck.").format(
            better=better, score=within(words.metric_name(decides.metric)))
    tone: Tone = "success" if found.better else "warning"
    return tone, tr("{better} is better than {worse}.").format(better=better, worse=worse)
