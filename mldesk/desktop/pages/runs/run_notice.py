"""What stands in the way of a run, above its page: a runner out of reach, a move, an interruption, a failure."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from mldesk.core.errors import without_options
from mldesk.desktop import runner_words, words
from mldesk.desktop.pages.notice import Notice
from mldesk.desktop.pages.runs.run_fields import paused
from mldesk.desktop.states.run import RunState
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run

_COMMAND = re.compile(r" `mldesk [^`]*` shows the rows\.$")


class RunNotice(Notice):
    """Hidden while there is nothing to say."""

    def __init__(self, state: RunState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state

    def show_run(self, run: Run) -> None:
        """Say what is to be said of the run as it is now."""
        since = self._state.unreachable_since
        if since is not None and not run.state.ended:
            self.say("warning", self.tr("{runner} is unreachable since {time}.").format(
                runner=runner_words.runner_name(run.runner), time=runner_words.clock(since)),
                f"{self._state.why_unreachable} " + self.tr(
                    "That says nothing about the run: it may well go on. What it did meanwhile is shown as soon as it "
                    "answers."), self.tr("Try now"))
        elif run.handover is not None and not run.state.final:
            self.say("info", self.tr("The run is on its way to {runner}.").format(
                runner=runner_words.where(run.runner)), self.tr("It goes on there from its last checkpoint."))
        elif (due := run.due(time.time())) is not None:
            self.say("info", self.tr("It starts {moment}.").format(moment=words.upcoming(due)), self.tr(
                "This machine must be on then; MLDesk need not be open.") if run.runner == "local" else self.tr(
                "It waits in the queue of {runner} and goes by the clock there; this machine need not be on.").format(
                    runner=run.runner), self.tr("Start now"))
        elif run.state is JobState.INTERRUPTED:
            self.say("info" if paused(run) else "warning", run.message or self.tr("The run was interrupted."),
                     without_options(run.hint) or self.tr("It can go on from its last checkpoint."),
                     self.tr("Resume"))
        elif run.state in (JobState.FAILED, JobState.LOST):
            self.say("danger", run.message or self.tr("The run failed."), without_options(run.hint))
        elif run.state is JobState.SUCCEEDED and (doubts := (run.result or {}).get("warnings")):
            say_doubts(self, doubts, self.tr("Look at the data"))
        else:
            self.hide()


def say_doubts(notice: Notice, doubts: Sequence[object], button: str = "") -> None:
    """Say what speaks against the scores of a run or model, without what is typed to see more of it."""
    notice.say("warning", words.tr("Look twice before you trust these scores."),
               "\n".join(_COMMAND.sub("", str(doubt)) for doubt in doubts), button)
