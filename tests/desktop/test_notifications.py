"""A word when a run ends while the window is not in front."""

from __future__ import annotations

from mldesk.desktop.notifications import notice
from mldesk.wire.states import Cause, JobState
from tests.desktop.fake_workbench import make_run


def test_it_tells_the_score_of_a_run_that_succeeded_and_the_reason_of_one_that_failed() -> None:
    good = make_run(state=JobState.SUCCEEDED, result={"metrics": {"roc_auc": 0.84}})
    assert notice(good) == ("a run: succeeded", "ROC AUC 0.8400")
    bad = make_run(state=JobState.FAILED, cause=Cause.GPU_OOM, message="The card is out of memory.")
    assert notice(bad) == ("a run: failed", "The card is out of memory.")
    assert notice(make_run(state=JobState.CANCELLED)) == ("a run: cancelled", "on table@1")
