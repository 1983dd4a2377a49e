"""Which runner does a job: asked all at once, chosen by what they say, estimated from what was."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound, RunnerUnreachable
from mldesk.library.records import Run, RunnerRecord
from mldesk.wire.runner_view import QueueView, Slot, Waiting
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runner_choice import Seen, cannot_train, gpu_memory_of, pick, survey
from mldesk.workbench.runner_estimates import Job, estimate
from tests.workbench.stand_ins import Desk

GB = 10**9
CARD = {"kind": "cuda", "name": "H200", "memory": 24 * 1000**3 - 10**8}  # drivers keep a little for themselves
IDLE = QueueView((), (Slot("cpu", 0, "", 0, ""),), draining=False, quiet=False)
JOB = "0" * 26


def record(name: str, **more: Any) -> RunnerRecord:
    return RunnerRecord(name, "ssh", f"me@{name}", more.pop("facts", {}), None, **more)


def seen(queue: QueueView | None = IDLE, **facts: Any) -> Seen:
    return Seen({"cores": 4, "devices": [], **facts}, queue)


def queue(*, busy: bool = False, waiting: int = 0, draining: bool = False, quiet: bool = False,
          kind: Any = "cpu", memory: int = 0) -> QueueView:
    return QueueView(tuple(Waiting(JOB, "job", 0, place, "") for place in range(1, waiting + 1)),
                     (Slot(kind, 0, "", memory, JOB if busy else ""),), draining, quiet)


@pytest.mark.parametrize(("wanted", "memory"), [
    ("any", 0), ("any:24GB", 24 * GB), ("ANY: 80", 80 * GB), ("any:16GiB", 16 * 2**30), ("gpu", None),
    ("anybody", None)])
def test_any_runner_may_be_asked_for_by_the_memory_of_its_card(wanted: str, memory: int | None) -> None:
    assert gpu_memory_of(wanted) == memory


def test_any_with_something_else_behind_it_is_refused() -> None:
    with pytest.raises(BadInput, match="names no runner"):
        gpu_memory_of("any:fast")


@pytest.mark.parametrize(("wanted", "answers", "chosen"), [
    ("any", {"a": seen(queue(busy=True)), "b": seen()}, "b"),
    ("any", {"a": seen(queue(busy=True, waiting=2)), "b": seen(queue(busy=True, waiting=1))}, "b"),
    ("any", {"a": seen(cores=4), "b": seen(cores=64)}, "b"),
    ("any", {"a": seen(), "b": seen(devices=[CARD])}, "b"),
    ("any", {"a": seen(queue(draining=True)), "b": seen(queue(busy=True))}, "b"),
    ("any", {"a": seen(queue(quiet=True)), "b": seen(cores=1)}, "b"),
    ("any:24GB", {"a": seen(cores=64), "b": seen(queue(kind="gpu", memory=CARD["memory"], busy=True),
                                               devices=[CARD])}, "b"),
], ids=["free", "fewest waiting", "most cores", "a card", "not drained", "not quiet", "large enough"])
def test_the_runner_that_is_free_and_big_enough_is_chosen(wanted: str, answers: Mapping[str, Seen],
                                                          chosen: str) -> None:
    assert pick(wanted, [record("a"), record("b")], answers) == chosen


def test_a_refusal_names_why_each_was_not_taken() -> None:
    answers = {"small": seen(devices=[{"kind": "cuda", "name": "T4", "memory": 16 * GB}]), "bare": seen(),
               "off": Seen({}, None, RunnerUnreachable("It is off.")), "old": seen(None, devices=[CARD]),
               "resting": seen(queue(draining=True), devices=[CARD])}
    with pytest.raises(Conflict) as refused:
        pick("any:24GB", [record(name) for name in (*answers, "mute")], answers)
    for words in ("small: its largest graphics card has 16 GB", "bare: it has no graphics card", "off: It is off",
                  "old: its agent is too old", "resting: it is being drained", "mute: it gave no answer in time"):
        assert words in refused.value.message


def test_all_are_asked_at_once_and_slow_ones_are_left_behind() -> None:
    both, end = threading.Barrier(2), threading.Event()

    def ask(name: str) -> Seen:
        if name == "stuck":
            end.wait(30)
        elif name == "off":
            raise RunnerUnreachable("It is off.")
        else:
            both.wait(30)  # only passes when the other one is asked meanwhile
        return seen()

    found = survey(["one", "other", "off", "stuck"], ask, patience=2.0)
    end.set()
    assert set(found) == {"one", "other", "off"}
    assert str(found["off"].error) == "It is off."


def test_a_named_runner_passes_through_and_an_unknown_one_does_not(desk: Desk) -> None:
    assert desk.runners.choose("local") == "local"
    with pytest.raises(NotFound):
        desk.runners.choose("nowhere")


def test_any_runner_becomes_the_one_that_does_the_job(desk: Desk) -> None:
    run = desk.runs.start(TrainOrder("shop", "grade", runner="any", priority=3))
    assert (run.runner, desk.runner.priorities[run.id]) == ("local", 3)
    with pytest.raises(Conflict, match="it has no graphics card"):
        desk.runs.start(TrainOrder("shop", "grade", runner="any:24GB"))


class TestEstimates:
    """What a job would take, from what was."""

    COLUMNS = (Column("a", ColumnType.NUMBER, 0, 9), Column("b", ColumnType.TEXT, 0, 3))

    def job(self, rows: int = 130) -> Job:
        return Job("lightgbm", rows, self.COLUMNS, {"rounds": 3})

    def test_nothing_is_known_before_anything_was_trained(self, desk: Desk) -> None:
        (found,) = desk.runners.estimates(TrainOrder("shop", "grade"))
        assert (found.name, found.reachable, found.seconds, found.waiting, found.gpu) == ("local", True, None, 0, "")
        assert (found.memory_there, found.fits) == (2**30, True)
        assert "unknown" in found.why

    def test_a_run_of_the_same_size_takes_as_long_again(self, desk: Desk) -> None:
        run = desk.runs.start(TrainOrder("shop", "grade"))
        desk.finish_job(run.id)
        desk.runs.refresh()
        (found,) = desk.runners.estimates(TrainOrder("shop", "grade"))
        assert found.seconds == pytest.approx(1.5)
        assert found.why == "From 1 run there."

    def test_time_grows_with_the_table_and_shrinks_with_the_cores(self, desk: Desk) -> None:
        run = desk.runs.start(TrainOrder("shop", "grade"))
        desk.finish_job(run.id)
        desk.runs.refresh()
        runs = desk.library.runs.list()
        answers = {"local": seen(cores=2, memory=2**34), "far": seen(cores=8, memory=2**34)}
        records = [record("local"), record("far"), record("unknown")]
        here, far, unknown = estimate(self.job(), records, answers, runs)
        assert here.seconds is not None and far.seconds is not None
        assert far.seconds == pytest.approx(here.seconds / 4 ** 0.7)
        assert far.why == "From 1 run elsewhere, by the number of cores."
        assert (unknown.seconds, unknown.reachable, unknown.why) == (None, False, "It gave no answer in time.")
        (larger, *_) = estimate(self.job(13_000), records, answers, runs)
        assert larger.seconds == pytest.approx(1.5 * (13_000 * 2) / (200 * 5))  # rows times columns

    def test_a_graphics_cards_time_comes_from_graphics_cards_only(self, desk: Desk) -> None:
        def estimates(runs: list[Run], device: str = "auto") -> dict[str, tuple[float | None, str]]:
            job = replace(self.job(), estimator="mlp", device=device)
            return {item.name: (item.seconds, item.why) for item in estimate(job, records, answers, runs)}

        run = desk.runs.start(TrainOrder("shop", "grade", estimator="mlp"))
        desk.finish_job(run.id)
        desk.runs.refresh()
        (done,) = desk.library.runs.list()
        done = replace(done, result={**(done.result or {}), "estimator": "mlp"})
        names = ("local", "far", "twin", "other", "plain")
        records = [record(name) for name in names]
        other = {"kind": "cuda", "name": "T4", "memory": 16 * GB}
        answers = {name: seen(devices=[card] if card else []) for name, card in
                   zip(names, (None, CARD, CARD, other, None), strict=True)}
        only_here = estimates([done])
        assert only_here["plain"][0] is not None
        for name, card in (("far", "H200"), ("twin", "H200"), ("other", "T4")):
            assert only_here[name] == (
                None, f"Nothing like it was trained on a graphics card yet, so its time on the {card} is unknown.")
        assert estimates([done], "cpu")["far"][1] == "From 1 run elsewhere, by the number of cores."
        only_far = estimates([replace(done, runner="far")])
        assert only_far["far"][1] == "From 1 run there."
        assert only_far["twin"] == (only_far["far"][0], "From 1 run on such a card elsewhere.")
        assert only_far["other"] == (only_far["far"][0], "From 1 run on another kind of graphics card.")
        assert only_far["plain"] == (
            None, "It was trained on graphics cards only, so its time without one is unknown.")
        on_processor = {**done.spec, "resources": {"device": "cpu"}}
        assert estimates([replace(done, runner="far", spec=on_processor)])["far"][0] is None

    def test_a_table_that_is_too_large_does_not_fit(self) -> None:
        (found,) = estimate(self.job(10**9), [record("far")], {"far": seen(memory=2**34)}, [])
        assert (found.fits, found.why) == (False, "The job needs more memory than the machine has.")
        assert found.memory > 10**9 * len(self.COLUMNS) * 4

    def test_a_silent_runner_says_why_and_what_it_was(self) -> None:
        known = record("far", facts={"memory": 2**36, "devices": [CARD]}, unreachable=1.0, trouble="It is off.")
        (found,) = estimate(self.job(), [known], {}, [])
        assert (found.reachable, found.why, found.gpu, found.memory_there) == (False, "It is off.", "H200", 2**36)

    def test_what_waits_is_counted_with_what_runs(self) -> None:
        (found,) = estimate(self.job(), [record("far")], {"far": seen(queue(busy=True, waiting=2))}, [])
        assert found.waiting == 3

    def test_what_starts_hours_later_is_not_before_it(self) -> None:
        idle = queue(waiting=2)
        later = replace(idle, waiting=(idle.waiting[0], replace(idle.waiting[1], starts=4e9)))
        (found,) = estimate(self.job(), [record("far")], {"far": seen(later)}, [])
        assert found.waiting == 1


def test_a_named_runner_that_cannot_train_is_refused_before_anything_is_sent(desk: Desk) -> None:
    runners = desk.library.runners
    runners.add("bare", "ssh", "me@bare", added=1.0, options={"trains": False, "training": "it has no packages."})
    with pytest.raises(Conflict, match="bare cannot train: it has no packages") as refused:
        desk.runners.choose("bare")
    assert "runners upgrade bare" in refused.value.hint
    assert "has nothing to train with" in cannot_train(record("a", facts={"trains": False}))  # the agent's own word
    assert not cannot_train(record("a", facts={"trains": True}, options={"trains": False}))
    assert cannot_train(record("a", options={"trains": True}), {"trains": False})


def test_a_machine_that_has_nothing_to_train_with_is_not_given_work_by_any() -> None:
    bare = {"trains": False, "training": "it has no way to the internet, and there are no wheels for it"}
    with pytest.raises(Conflict, match="a: it has no way to the internet"):
        pick("any", [record("a", options=bare)], {"a": seen()})
    assert pick("any", [record("a", options=bare), record("b", options={"trains": True})],
                {"a": seen(cores=64), "b": seen()}) == "b"
