"""A search job from the table to the blended model, read down the page.

Every trial is judged on the same rows, which are never test rows: of each fold in turn where the time allows for it, of
one validation part else. The portfolio comes first, TPE after it; at the end the best are blended. A helper does all
but the blending: its trials are sent to the search it helps as they come.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mldesk.core.errors import MldeskError, WorkFailed
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.doubts import doubts
from mldesk.training.job import Workplace, announce, evaluate, open_table, save, warn_left_out
from mldesk.training.search.crew import Alone, Crew, Done, Task
from mldesk.training.search.dealing import deal
from mldesk.training.search.finale import blend
from mldesk.training.search.hands import Hand, start_hands
from mldesk.training.search.limits import Limits
from mldesk.training.search.mail import Mail
from mldesk.training.search.measures import check_aim, find_aim
from mldesk.training.search.plan import Plan
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.records import Records
from mldesk.training.search.rows import Rows
from mldesk.training.search.timing import Clock, End, affordable_nodes
from mldesk.training.search.trial import Outcome
from mldesk.training.search.workers import Workers
from mldesk.wire.jobs import SearchRequest

_LOOK = 0.1            # seconds between looks at what has ended and what has come
TRIALS = "trials"      # the artifact that holds every trial: what a longer search begins with
_SENT = 500_000        # nodes of trees that a helper sends at most; writing more takes longer than fitting them again
ONE = "trial-"         # ... and those of a helper's single trials, with their models; the number follows


def search(request: SearchRequest, work: Workplace, folder: Path, ready: Sequence[Hand] = ()) -> dict[str, Any]:
    """Do the job; return the ``result`` of its "succeeded" event. ``folder`` keeps the trials for a resumed search.
    ``ready``: processes for it, where they were split off already.

    Raises BadInput for what the data or the order do not allow, WorkFailed when no trial succeeded, DiskFull,
    Terminated.
    """
    with start_hands(request.parallel, _modules_of(request.estimators), ready) as hands:
        return _search(request, work, folder, hands)


def _search(request: SearchRequest, work: Workplace, folder: Path, hands: Sequence[Hand]) -> dict[str, Any]:
    clock = Clock(folder / "used.json", work.report.seconds)
    columns, table = open_table(request.train, work)
    aim = find_aim(request.metric, len(table.target.classes), request.quantile, table.target.classes)
    check_aim(aim, table.target.y[table.target.usable])
    work.report.stage("Preparing the columns")
    rows = deal(request, columns, table)
    variants = rows.variants
    assert variants is not None  # noqa: S101 - for mypy
    encoder = next((own[0].encoder for own in rows.own.values()), None) or variants.encoder("trees", {})
    warn_left_out(encoder, work.report)
    del columns
    if rows.forward:
        by = ("the last part, by models of the rows before it" if len(rows.folds) == 1 else
              f"the last {len(rows.folds)} parts, each by models of the rows before it")
        work.report.log("Every test row is later than all the others, so trials are judged by later rows, too: "
                        f"by {by}.")

    work.report.stage("Searching")
    records = Records(folder)
    plan = Plan(request, table.target.task, rows, aim, float("inf"))
    end, limits = End(clock, request.seconds), Limits(folder / "limits.json", request.seconds, request.trials)
    task = Task(rows, aim, request.train.seed, work.threads, work.device,
                affordable_nodes(request.seconds, 1 if request.refit else rows.models))
    crew: Crew = Workers(hands, task, records, folder, work) if hands else Alone(task, work, records)
    try:
        trying = _Search(request, plan, records, Mail(folder.parent / "mail", folder / "read.txt"), crew, clock, end,
                         limits, work, rows.models)
        trying.begin(len(rows.judged))
        while True:
            trying.run(len(rows.judged))
            trials = plan.trials
            if request.helps:
                return {**_found(plan, rows), "score": aim.score(trials.best.loss), "seconds": round(clock.used, 3),
                        "helped": request.helps}
            work.report.stage("Blending the best")
            model = blend(request, variants, task, trials.done, crew, end.late, work, nodes=end.nodes)
            if not trying.extended(len(rows.judged)):
                break
            work.report.stage("Searching")
    finally:
        crew.close()
    if len(rows.folds) > 1:   # else one validation part judged them, as of any training
        model = replace(model, facts={**model.facts, **_judged(rows)})
    scores = evaluate(model, table, request.train.seed, work, end.weighing)
    asked = doubts(request.train, model, table, scores, work)
    result = save(request.train, model, table, scores, work)
    if judged_by := rows.judged_by(table.membership):
        digest = work.store.put_bytes(judged_by)
        announce(work, "judged_by", digest, "bytes")
        result["judged_by"] = digest
    announce(work, TRIALS, records.publish_all(work.store), "manifest")
    trying.too_late()
    return {**result, **_found(plan, rows), "warnings": asked, "seconds": round(clock.used, 3),
            "score": model.facts["score"], "members": model.facts["members"]}


def _found(plan: Plan, rows: Rows) -> dict[str, Any]:
    """Return what the trying came to, for the job's result."""
    trials = plan.trials
    return {"metric": plan.aim.name, "trials": len(trials.done), "failed_trials": trials.failed,
            "weak_trials": trials.weak, "best_trial": trials.best.number, **_judged(rows)}


def _judged(rows: Rows) -> dict[str, Any]:
    """Return how many folds judged every trial, and that they are in order of time where they are."""
    return {"folds": len(rows.folds), **({"forward": True} if rows.forward else {})}


def _modules_of(estimators: Sequence[str]) -> list[str]:
    """Return the modules behind the estimators that a search may use; () means any."""
    return sorted({entry.implementation.partition(":")[0] for name, entry in ESTIMATORS.items()
                   if entry.installed and (name in estimators or not estimators)})


def _why(done: Done) -> str:
    """Say why a trial came to nothing."""
    if done.state == "weak":
        folds = done.facts["folds"]
        return (f"Given up after {'one fold' if folds == 1 else f'{folds} folds'}: weaker than half of the trials by "
                "then.")
    if done.state == "pruned":
        step = int(done.facts["curve"][-1][0])
        return (f"Pruned at step {step} of its first fit: half of such trials ended better than it could still have "
                "come to.")
    return str(done.facts["message"])


class _Search:
    """The part of the job that tries."""

    def __init__(self, request: SearchRequest, plan: Plan, records: Records, mail: Mail, crew: Crew, clock: Clock,
                 end: End, limits: Limits, work: Workplace, models: int) -> None:
        """``models``: that a trial leaves."""
        self._request, self._plan, self._records, self._mail = request, plan, records, mail
        self._crew, self._clock, self._end, self._limits, self._work = crew, clock, end, limits, work
        self._models, self._began = models, time.monotonic()

    def begin(self, rows: int) -> None:
        """Take up what there is of earlier attempts. ``rows``: that are judged."""
        self._recall(rows)
        self._limit()

    def extended(self, rows: int) -> bool:
        """Say whether more came while the best were blended, so that it is worth going on."""
        control, before = self._work.control, self._mail.count
        if control.finish or control.terminate:
            return False
        self._read_mail(rows)
        if self._mail.count == before:
            return False
        self._plan.deadline = self._end.begins
        return not self._plan.over(finish=False) or self._goes_on()

    def too_late(self) -> None:
        """Say so where more came that was not read."""
        if any(True for _ in self._mail.new()):
            self._work.report.warning("More time or trials came when the model was being saved already.",
                                      hint="The search has ended now: extend it again.")

    def run(self, rows: int) -> None:
        """Try until the time, the trials or the wish for better are over. ``rows``: that are judged."""
        self._began = time.monotonic()
        plan, crew, control = self._plan, self._crew, self._work.control
        while True:
            control.check()
            self._read_mail(rows)
            if self._request.parallel == 1:
                self._end.look()     # workers of our own are no load
            plan.deadline = self._end.begins - self._owed()
            over = plan.over(finish=control.finish, terminate=control.terminate)
            if crew.free and not over:
                chosen = plan.following()
                over = chosen is None    # there is no time for another one, or none is left
                if chosen is not None:
                    crew.begin(*chosen, plan.bounds(chosen[1]), plan.deadline)
            if over and not crew.busy and not self._goes_on():
                break
            if over and not control.finish:
                crew.share()
            for done in crew.ended(_LOOK if over or not crew.free else 0):
                self._hear(done)
        if not plan.trials.done:
            raise WorkFailed("No model of the search could be fitted.",
                             hint="The warnings above say why each was not.")

    def _owed(self) -> float:
        """Return the seconds that fitting the best trial again takes, where a resumed search has no model of it; half
        of what there is at most, or a short one would try nothing more.
        """
        if not self._plan.trials.done:
            return 0.0
        best = self._plan.trials.best
        if best.natives or self._crew.has_models(best.number):
            return 0.0
        return min(best.seconds, max(0.0, self._end.begins - self._began) / 2)

    def _recall(self, rows: int) -> None:
        """Take up the trials of an earlier attempt, or of the search that this one goes on with."""
        known = list(self._records.read(rows))
        if not known:
            number, numbers = 1, dict[int, int]()
            for manifest in self._request.earlier:
                numbers.clear()
                number = self._records.take_in(self._work.store, manifest, number, "", numbers)
            if self._request.kept:
                self._records.take_models(self._work.store, self._request.kept, numbers, self._models)
            known = list(self._records.read(rows))
            for outcome in known:
                self._work.report.event("trial", **outcome.to_json(self._plan.aim))
        self._plan.recall(known)
        done = {outcome.number for outcome in known}
        for facts in self._records.noted():
            if facts["number"] not in done and facts["estimator"] in ESTIMATORS:
                self._plan.give_up(
                    facts["number"], Configuration(facts["estimator"], facts["parameters"], facts["origin"],
                                                   facts.get("pipeline", {})), facts.get("loss"),
                    failed=facts["state"] == "failed", curve=facts["curve"] if facts["state"] == "pruned" else ())
        self._plan.trials.in_a_row = 0   # whatever failed them may be gone

    def _hear(self, done: Done) -> None:
        """Take in a trial that ended, and tell of it; one that came to nothing is told of and passed over."""
        plan, report, configuration = self._plan, self._work.report, done.configuration
        if done.outcome is not None:
            of_use = self._add(done.outcome)
            if self._request.helps:
                if of_use and done.outcome.facts.get("nodes", 0) * self._models <= _SENT:
                    self._crew.write_models(done.outcome)
                announce(self._work, f"{ONE}{done.number}", self._records.publish(done.number, self._work.store),
                         "manifest")
        elif done.state == "late":
            plan.give_up(done.number, configuration)
            report.log(f"Trial {done.number}: {configuration.estimator} was left unfinished when the search ended.")
        else:
            self._give_up(done)
        self._clock.keep()
        self._tell()

    def _give_up(self, done: Done) -> None:
        """Tell of a trial that came to nothing, and write it down."""
        plan, configuration, curve = self._plan, done.configuration, done.facts.get("curve", ())
        loss = done.facts.get("loss")
        plan.give_up(done.number, configuration, loss, failed=done.state == "failed",
                     curve=curve if done.state == "pruned" else ())
        facts = {
            "number": done.number, "estimator": configuration.estimator, "state": done.state,
            "parameters": dict(configuration.parameters), "origin": configuration.origin,
            **({"pipeline": dict(configuration.pipeline)} if configuration.pipeline else {}),
            "metric": plan.aim.name, "score": None, "seconds": round(done.seconds, 3),
            "curve": [list(point) for point in curve], "message": _why(done)}
        self._records.note({**facts, "loss": loss})
        self._work.report.event("trial", **facts)

    def _add(self, outcome: Outcome) -> bool:
        """Take in a trial that was made, and tell of it; return whether its models may be of use."""
        dropped = self._plan.add(outcome)
        for number in dropped:
            self._crew.drop(number)
        self._work.report.event("trial", **outcome.to_json(self._plan.aim))
        return outcome.number not in dropped

    def _read_mail(self, rows: int) -> None:
        """Act on what came: more time or trials, and what helpers found."""
        for name, message in self._mail.new():
            if isinstance(extend := message.get("extend"), dict):
                self._extend(name, float(extend.get("seconds") or 0), int(extend.get("trials") or 0))
            elif isinstance(manifest := message.get("trial"), str):
                number = self._plan.next_number
                try:
                    count = self._records.take_in(self._work.store, manifest, number,
                                                  str(message.get("source", ""))) - number
                except MldeskError as error:
                    self._work.report.log(f"A trial of a helper cannot be read: {error.message}")
                    count = 0
                self._plan.take_numbers(count)
                for taken in range(number, number + count):
                    outcome = self._records.one(taken)
                    if outcome is not None and len(outcome.prediction) == rows:
                        self._add(outcome)
                        self._tell()
            self._mail.done(name)

    def _extend(self, name: str, seconds: float, trials: int) -> None:
        limits = self._limits
        for kind, amount in (("seconds", seconds), ("trials", trials)):
            if amount:
                later = "" if kind == limits.goes_by else " They come once what it has is over."
                unit = kind.removesuffix("s") if amount == 1 else kind
                self._work.report.log(f"The search was extended by {amount:g} {unit}.{later}")
        limits.extend(name, seconds, trials)
        self._limit()

    def _goes_on(self) -> bool:
        """Begin with what the search was given to go on with, if there is such and it is of use."""
        plan, control = self._plan, self._work.control
        if plan.enough or control.finish or control.terminate or not self._limits.go_on(self._clock.used,
                                                                                        plan.trials.count):
            return False
        self._limit()
        self._work.report.log("The search goes on with what it was given beside.")
        return True

    def _limit(self) -> None:
        limits = self._limits
        self._end.seconds, self._end.until = limits.seconds, limits.until
        self._plan.most, self._plan.seconds = limits.trials, limits.span

    def _tell(self) -> None:
        """Report where the search stands: the best score as a curve over the trials, and the time or trials used."""
        plan, report = self._plan, self._work.report
        trials, aim = plan.trials, plan.aim
        if trials.done:
            last = max(trials.done, key=lambda outcome: outcome.number)
            report.metrics(last.number, {f"best_{aim.name}": aim.score(trials.best.loss),
                                         f"trial_{aim.name}": aim.score(last.loss)})
        if self._end.seconds:
            report.progress(min(self._clock.used, self._end.seconds), self._end.seconds, "seconds")
        elif plan.most:
            report.progress(trials.count, plan.most, "trials")
