"""Searches: begin them, spread them over runners, let them go on, keep one trial of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mldesk.core.cores import free_share, usable_cores
from mldesk.core.errors import BadInput, Conflict, MldeskError
from mldesk.core.ids import new_id
from mldesk.library import Library
from mldesk.library.names import check_name
from mldesk.library.records import Run
from mldesk.training.metric_words import of_class
from mldesk.training.search.budget import Estimate
from mldesk.wire.jobs import SearchRequest
from mldesk.workbench.checks import check_shares, find_column, split_request
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.references import slug
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.runs import RunService
from mldesk.workbench.searching import (
    SearchOrder,
    check_amounts,
    leaderboard,
    limits_of,
    search_estimate,
    search_request,
    why_no_refit,
)
from mldesk.workbench.spreading import helped_by, helpers_of
from mldesk.workbench.trials import find_trial, kept_request


class SearchService:
    """What can be done with a search beyond what can be done with any run."""

    def __init__(self, library: Library, datasets: DatasetService, runners: RunnerService, runs: RunService) -> None:
        self._library, self._datasets, self._runners, self._runs = library, datasets, runners, runs

    def start(self, order: SearchOrder) -> Run:
        """Look for the best model; as ``RunService.start`` in everything else. ``leaderboard`` says what was tried."""
        _, train = self._runs.asked(replace(order.train, estimator="auto", parameters={}))
        request = search_request(order, replace(train, estimator="auto", parameters={}))
        if order.metric is not None and request.metric is not None and (one := of_class(request.metric)) is not None:
            request = replace(request, metric=self._aim_of_class(one[0], order.metric.partition(":")[2], order.train,
                                                                 train.task))
        return self._spread(order.train, request, order.helpers)

    def _aim_of_class(self, score: str, wanted: str, order: TrainOrder, task: str | None) -> str:
        """Return the aim with its class as the target has it. Raises BadInput where there is no such class."""
        from mldesk.training.one_class import code_of  # numpy and pyarrow load with these
        from mldesk.training.table import read_columns
        from mldesk.training.target import read_target

        version = self._datasets.show(order.dataset)
        column = find_column(version, order.target, "target")
        try:
            with self._datasets.intact(version):
                read = read_columns(self._library.objects, version.manifest, [column])
            classes = read_target(read[column.name], column, task, order.order).classes
        except (MldeskError, OSError):   # rows elsewhere, or damaged: whoever reads them says so
            return f"{score}:{wanted.strip()}"
        return f"{score}:{classes[code_of(f'{score}:{wanted}', classes)]}"

    def estimate(self, order: SearchOrder) -> Estimate:
        """Say how many trials a search has time for, or how long it takes, roughly. Asks no runner.

        Raises BadInput for amounts that no search can have.
        """
        check_amounts(order)
        check_shares(order.train)
        version = self._datasets.show(order.train.dataset)
        features = self._runs.check(order.train).features
        known = [self._runners.show(name).facts.get("cores") for name in (order.train.runner, *order.helpers)
                 if name == "local" or not name.startswith("any")]
        cores = sum(count for count in known if isinstance(count, int)) or usable_cores()
        dealing = split_request(order.train).column
        values = next((column.distinct for column in version.columns if column.name == dealing), 0)
        share = free_share() if order.train.runner == "local" else 1.0
        return search_estimate(order, version.rows, len(features), cores, values, share)

    def _spread(self, order: TrainOrder, request: SearchRequest, others: Sequence[str]) -> Run:
        """Begin a search and its helpers. The search comes first, since it may well go on without them."""
        runner = self._runners.choose(order.runner)
        names = list(dict.fromkeys(name for name in others if name != runner))
        if names and not all(self._runners.speaks(name, 3) for name in (runner, *names)):
            raise Conflict("A search can be spread only over runners of this version.",
                           hint="Upgrade the older ones: mldesk runners upgrade NAME.")
        jobs = [new_id() for _ in names]
        home = self._runs.hand_over(replace(order, runner=runner), "search", "search", request.train,
                           replace(request, helpers=tuple(jobs), share=(0, len(jobs) + 1)).to_json(),
                           earlier=(*self._runs.given(request.train), *request.earlier,
                                    *((request.kept,) if request.kept else ())))
        for place, (job, name) in enumerate(zip(jobs, names, strict=True), start=1):
            helper = replace(request, helps=home.id, share=(place, len(jobs) + 1), earlier=())
            self._runs.hand_over(
                replace(order, runner=name, name=f"{home.name}-{slug(name)}"[:100]), "search", "search",
                request.train, helper.to_json(), earlier=self._runs.given(request.train), job=job)
        return home

    def extend(self, reference: str, seconds: float = 0.0, trials: int = 0, *, refit: bool = False) -> Run:
        """Give a search more time or trials: the one that goes on, or a new run that begins with all its trials.

        ``refit``: what one that has ended keeps is fitted once more, on all rows but the test rows; with no time or
        trials nothing is tried before. More of what a search does not go by comes once that is over: trials after its
        time, time after its trials. Raises BadInput for no search, no more of anything, a search without either
        limit, or a second fit alone that would change nothing (``why_no_refit``); Conflict for one that has
        ended without a model; RunnerUnreachable.
        """
        run = self._runs.fresh(reference)
        if run.kind != "search" or helped_by(run):
            raise BadInput(f"Run {run.name} is not a search.", hint="Only a search can be extended.")
        if not 0 <= seconds < 1e9 or trials < 0 or not (seconds or trials or refit):
            raise BadInput("Say by how much the search is extended.", hint="For example: --time 5 or --trials 20.")
        if not run.state.final:
            if refit:
                raise BadInput(f"The search {run.name} goes on, so what it will keep is not known yet.",
                               hint="Ask for the second fit once it has ended.")
            if not limits_of(run):
                raise BadInput(f"The search {run.name} goes on until it reaches its score, so there is nothing to "
                               "extend.", hint="Finish it sooner, or extend it once it has ended.")
            return self._runs.tell(run, {"extend": {"seconds": seconds, "trials": trials}}, helpers_of(run))
        if refit and not (seconds or trials) and (why := why_no_refit(run)):
            raise BadInput(f"A second fit of {run.name} would make the same model: {why}.",
                           hint="Give it more time or trials instead: --time 5 or --trials 20.")
        return self._go_on(run, seconds, trials, refit)

    def _go_on(self, run: Run, seconds: float, trials: int, refit: bool) -> Run:
        kept = self._library.runs.artifacts(run.id).get("trials")
        if kept is None:
            raise Conflict(f"Run {run.name} left no trials to go on with.", hint="Search again.")
        before, result = SearchRequest.from_json(run.spec["payload"]), run.result or {}
        tried = int(result.get("trials") or 0)   # those that failed are not known to the new run
        request = replace(before, seconds=seconds, trials=tried + trials if trials or not seconds else 0,
                          target_score=None, refit=before.refit or refit, folds=int(result.get("folds") or 0),
                          earlier=(str(kept["digest"]),), kept=str(result.get("model") or ""), helpers=(),
                          share=(0, 1), configurations=())
        order = TrainOrder(dataset=run.dataset, target=run.target, runner=run.runner, name=f"{run.name}-on"[:100])
        return self._spread(order, request, ())

    def keep_trial(self, reference: str, number: int, *, name: str = "", model: str = "", runner: str = "") -> Run:
        """Make a model of one trial of a search, whatever became of it there: it is fitted again as it was tried, and
        evaluated on the test rows, which is a use of them. ``runner``: "" for the search's own.

        Raises NotFound, BadInput for no search; as ``RunService.start`` besides.
        """
        run = self._runs.fresh(reference)
        request = kept_request(run, find_trial(run, self.leaderboard(run.id), number),
                               check_name(model, "model") if model else "")
        order = TrainOrder(dataset=run.dataset, target=run.target, runner=runner or run.runner,
                           name=name or f"{run.name}-trial-{number}"[:100])
        return self._spread(order, request, ())

    def leaderboard(self, reference: str) -> list[dict[str, Any]]:
        """Return the trials of a search as far as they are known, the best first."""
        run, after, found = self._runs.get(reference), 0, []
        while batch := self._library.runs.events(run.id, after, limit=1000):
            found += [event for event in batch if event.kind == "trial"]
            after = batch[-1].seq
        return leaderboard(found)
