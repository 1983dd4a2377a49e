"""What a search has tried, live: every trial with its score, and what the model it made is blended from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from mldesk.desktop import runner_words, theme, words
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.row_menu import Entry, give_menu
from mldesk.desktop.pages.runs.evaluation_tables import sized
from mldesk.desktop.states.search import Member, Trial, in_words
from mldesk.desktop.widgets import Card, Chart, disable, enable, make_button, make_label, row
from mldesk.training.pipeline_words import usual_words

_SEEN = 8           # trials that are seen before all are asked for
_RUNNER = 4         # the column that names it
_CURVE = 260        # height of the chosen trial's curve, pixels at 100 %
_LEAST_ABOUT = 150  # that parameters keep, pixels at 100 %


class LeaderboardCard(Card):
    """A search's trials, the best first, those without a score last.

    Signals: ``wanted`` (a Trial whose configuration is to be trained), ``kept`` (a Trial to be made a model of).
    """

    wanted = Signal(object)
    kept = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(words.tr("Leaderboard"), words.tr("There are trials here as soon as the first has ended."),
                         parent=parent)
        self._home = ""
        self.train = make_button(self.tr("Train this configuration…"), "secondary", "train", small=True)
        self.train.clicked.connect(lambda: self._want(self.table.selected()))
        self.keep = make_button(self.tr("Keep as a model…"), "secondary", "model", small=True)
        self.keep.clicked.connect(self._on_keep)
        self.add_action(self.train)
        self.add_action(self.keep)
        self.table: RecordTable[Trial] = RecordTable(self._fields(), lambda trial: trial.number, self.tr("Leaderboard"),
                                                     dense=True, least=_LEAST_ABOUT)
        sized(self.table, 0, grows=False)
        self.table.scroll_with_page()
        self.table.chosen.connect(self._check)
        self.table.opened.connect(lambda trial: self._want([trial]))
        give_menu(self.table, lambda trial: [
            Entry("train", self.tr("Train this configuration…"), lambda: self._want([trial]), _why_not_train(trial)),
            Entry("model", self.tr("Keep as a model…"), lambda: self.kept.emit(trial))])
        self.add(self.table, 1)
        self.all = make_button("", "link")
        self.all.setCheckable(True)
        self.all.toggled.connect(lambda _: self._fit())
        self.add(row(self.all, None))
        self.about = make_label("", "caption", "muted", wrap=True)
        self.chart = Chart("", self.tr("step"), self.tr("validation loss"), with_log=False)
        self.chart.setFixedHeight(theme.px(_CURVE))
        self._drawn: Trial | None = None
        for part in (self.about, self.chart):
            self.add(part)
            part.hide()
        self._check()

    def show_trials(self, trials: Sequence[Trial], home: str = "") -> None:
        """Show how the search stands; ``home`` is its own runner, named where others help."""
        self._home = home
        spread = any(trial.runner for trial in trials)
        self.table.leave_out(() if spread else (_RUNNER,))
        self.table.set_records(trials)
        self._fit()
        self._check()
        done = [trial for trial in trials if trial.rank]
        if not trials:
            return
        weak = sum(trial.weak or trial.pruned for trial in trials)
        failed = len(trials) - len(done) - weak
        text = words.counted(len(done), self.tr("trial"), self.tr("trials"))
        if done:
            text += self.tr(", scored by {metric} on rows they were not fitted on").format(
                metric=words.metric_name(done[0].metric))
        if weak:
            text += self.tr("; {count} given up early").format(count=words.number(weak))
        if failed:
            text += self.tr("; {count} failed").format(count=words.number(failed))
        self.set_subtitle(f"{text}.")

    def _fit(self) -> None:
        """Make the list as high as what is shown of it: it lies on a page that scrolls already."""
        count, whole = self.table.records.rowCount(), self.all.isChecked()
        sized(self.table, count, count if whole else _SEEN, grows=False)
        self.all.setVisible(count > _SEEN)
        self.all.setText(self.tr("Show the best {count} only").format(count=_SEEN) if whole else
                         self.tr("Show all {count} trials").format(count=words.number(count)))

    def _check(self) -> None:
        chosen = next(iter(self.table.selected()), None)
        none = "" if chosen is not None else self.tr("Choose a trial in the list first.")
        for button, why_not in ((self.train, none or _why_not_train(chosen)), (self.keep, none)):
            disable(button, why_not) if why_not else enable(button)
        self._draw(chosen)

    def _draw(self, trial: Trial | None) -> None:
        """Draw the curve of the chosen trial, or say that it has none."""
        if trial == self._drawn:
            return
        self._drawn = trial
        drawn = trial is not None and len(trial.curve) > 1
        self.about.setVisible(trial is not None)
        self.chart.setVisible(drawn)
        self.chart.clear()
        if trial is None:
            return
        name = self.tr("Trial {number}").format(number=words.number(trial.number))
        if drawn:
            steps, losses = zip(*trial.curve, strict=True)
            self.chart.set_series(name, steps, losses, slot=0)
            self.about.setText(self.tr("How {trial}, {model}, learned: the loss of its first fold on rows it was not "
                                       "fitted on.").format(trial=name.lower(),
                                                            model=words.estimator_name(trial.estimator)))
            self.chart.setAccessibleName(self.tr("Learning curve of {trial}").format(trial=name.lower()))
        else:
            self.about.setText(self.tr("{trial} has no curve: its model is fitted in one step.").format(trial=name)
                               if trial.rank else self.tr("{trial} has no curve.").format(trial=name))
        prepared = self.tr("How its columns are prepared: {pipeline}.").format(pipeline=trial.pipeline)
        for more in (prepared if trial.pipeline else "", trial.message if drawn else ""):
            self.about.setText(f"{self.about.text()} {more}".strip())

    def _on_keep(self) -> None:
        for trial in self.table.selected()[:1]:
            self.kept.emit(trial)

    def _want(self, trials: Sequence[Trial]) -> None:
        if trials and not _why_not_train(trials[0]):
            self.wanted.emit(trials[0])

    def _fields(self) -> list[Field[Trial]]:
        tr = words.tr
        return [
            Field(tr("Rank"), lambda trial: words.number(trial.rank) if trial.rank else words.MISSING, 58,
                  lambda trial: trial.rank or float("inf"), right=True, muted=True),
            Field(tr("Trial"), lambda trial: words.number(trial.number), 56, lambda trial: trial.number, right=True,
                  muted=True, spare=2),
            Field(tr("Model"), lambda trial: words.estimator_name(trial.estimator), 226, strong=True),
            Field(tr("Score"), _score, 84, lambda trial: float("-inf") if trial.score is None else trial.score,
                  right=True),
            Field(tr("Runs on"), lambda trial: runner_words.where(trial.runner or self._home), 120,
                  muted=True, spare=3),
            Field(tr("Time"), lambda trial: words.duration(trial.seconds), 94, lambda trial: trial.seconds, right=True,
                  muted=True, spare=1),
            Field(tr("Preparation"), lambda trial: trial.pipeline or tr("standard"), 170, muted=True, spare=4,
                  tip=lambda trial: trial.pipeline or usual_words(trial.estimator)),
            Field(tr("Parameters"), _about, tip=_about),
        ]



def _why_not_train(trial: Trial | None) -> str:
    """Say why a trial cannot be trained in the Train dialog; "" where it can."""
    return words.tr("Only a search can prepare columns that way: keep the trial itself as a model.") if (
        trial is not None and trial.pipeline) else ""


def _score(trial: Trial) -> str:
    if trial.score is None:
        return words.tr("pruned") if trial.pruned else words.tr("given up") if trial.weak else words.tr("failed")
    return words.metric_value(trial.score)


def _about(trial: Trial) -> str:
    return trial.message or in_words(trial.estimator, trial.parameters) or words.tr("its defaults")


class MembersCard(Card):
    """What the model of a search is blended from."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(words.tr("What the model is made of"), parent=parent)
        tr = words.tr
        fields: list[Field[Member]] = [
            Field(tr("Weight"), lambda item: words.share(item.weight), 76, lambda item: item.weight, right=True),
            Field(tr("Trial"), lambda item: words.number(item.trial), 56, lambda item: item.trial, right=True,
                  muted=True, spare=2),
            Field(tr("Model"), lambda item: words.estimator_name(item.estimator), 226, strong=True),
            Field(tr("Alone"), lambda item: words.metric_value(item.score), 84, lambda item: item.score or 0.0,
                  right=True, spare=1),
            Field(tr("Preparation"), lambda item: item.pipeline or tr("standard"), 170, muted=True, spare=3,
                  tip=lambda item: item.pipeline or usual_words(item.estimator)),
            Field(tr("Parameters"), lambda item: in_words(item.estimator, item.parameters) or tr("its defaults")),
        ]
        self.table: RecordTable[Member] = RecordTable(fields, lambda item: item.trial, tr("Members"), dense=True,
                                                      least=_LEAST_ABOUT)
        self.table.scroll_with_page()
        self.add(self.table, 1)
        self.hide()

    def show_members(self, members: Sequence[Member]) -> None:
        """Show the members of a model; hidden while there are none."""
        self.setVisible(bool(members))
        self.table.set_records(members)
        sized(self.table, len(members), len(members), grows=False)
        self.set_subtitle(self.tr("One trial alone.") if len(members) == 1 else self.tr(
            "{count} models vote, each with its weight; alone they score as said.").format(
                count=words.number(len(members))))
