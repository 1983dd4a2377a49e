"""Which job gets which slot, what the others wait for, and when it is quiet. Decisions only: no process, no clock."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mldesk.core.ids import new_id
from mldesk.wire.jobs import JobSpec, Resources
from runner_agent import cards, slots
from runner_agent.cards import Card
from runner_agent.quiet import clock_time, minute_of, quiet_until
from runner_agent.seat import Seat
from runner_agent.settings import zone
from runner_agent.slots import Layout, Need, need_of

SMALL, LARGE = Card(0, "GPU-small", "RTX 4090", 24 * 10**9), Card(1, "GPU-large", "H200", 140 * 10**9)
CPU, GPU = Need(False), Need(True)


def big(memory: int) -> Need:
    return Need(True, memory=memory * 10**9)


def layout(cpu: int = 1, per_card: int = 1, cards: tuple[Card, ...] = (SMALL, LARGE), **more: Any) -> Layout:
    return Layout(cpu, per_card, cards, **more)


def seats(turns: list[slots.Turn]) -> list[str]:
    return ["" if turn.seat is None else turn.seat.uuid or f"cpu{turn.seat.index}" for turn in turns]


def plan(*needs: Need, held: dict[str, Seat] | None = None, at: Layout | None = None,
         closed: str = "") -> list[slots.Turn]:
    return slots.plan([(str(number), need) for number, need in enumerate(needs)], held or {}, at or layout(), closed)


SEAT_SMALL, SEAT_LARGE = Seat("gpu", 0, SMALL.uuid, SMALL.name), Seat("gpu", 1, LARGE.uuid, LARGE.name)


def test_each_job_gets_the_smallest_card_that_will_do_and_no_card_two_jobs() -> None:
    assert seats(plan(GPU, GPU, GPU, CPU)) == ["GPU-small", "GPU-large", "", "cpu0"]
    assert seats(plan(big(80), GPU)) == ["GPU-large", "GPU-small"]


def test_a_job_for_the_processor_passes_one_that_waits_for_a_card_but_never_one_of_its_own_kind() -> None:
    turns = plan(GPU, CPU, CPU, held={"x": SEAT_SMALL, "y": SEAT_LARGE})
    assert seats(turns) == ["", "cpu0", ""]


def test_nobody_takes_the_card_that_somebody_before_him_waits_for() -> None:
    turns = plan(big(80), GPU, GPU, held={"x": SEAT_LARGE})
    assert seats(turns) == ["", "GPU-small", ""]
    assert seats(plan(Need(True, index=0), GPU, held={"x": SEAT_SMALL})) == ["", "GPU-large"]
    assert seats(plan(Need(True, index=0), Need(True, index=0), held={"x": SEAT_SMALL})) == ["", ""]


def test_jobs_share_a_card_as_long_as_what_they_asked_for_fits_together() -> None:
    shared = layout(per_card=2, cards=(LARGE,))
    assert seats(plan(big(80), big(60), big(1), at=shared)) == ["GPU-large", "GPU-large", ""]
    assert seats(plan(big(80), big(80), at=shared)) == ["GPU-large", ""]


def test_what_prefers_a_card_takes_one_where_there_is_one_and_the_processor_elsewhere() -> None:
    likes = Need(False, prefers=True)
    assert seats(plan(likes)) == ["GPU-small"]
    assert seats(plan(likes, at=layout(cards=()))) == ["cpu0"]
    assert seats(plan(likes, at=layout(per_card=0))) == ["cpu0"]
    assert seats(plan(likes, CPU, at=layout(cards=(), known=False))) == ["", "cpu0"]
    assert seats(plan(likes, at=layout(cards=(), trouble="it failed"))) == ["cpu0"]


@pytest.mark.parametrize(("need", "held", "why"), [
    (GPU, {"x": SEAT_SMALL, "y": SEAT_LARGE}, "It waits for a graphics card."),
    (big(80), {"y": SEAT_LARGE}, "It waits for a graphics card with 80 GB of memory."),
    (Need(True, index=1), {"y": SEAT_LARGE}, "It waits for graphics card 1."),
    (CPU, {"z": Seat("cpu", 0)}, "It waits for a free processor slot."),
])
def test_whoever_waits_is_told_for_what(need: Need, held: dict[str, Seat], why: str) -> None:
    first, second, third = plan(need, need, need, held=held)
    assert first.why == why
    assert second.why == "It waits for its turn; 1 job is before it."
    assert third.why == "It waits for its turn; 2 jobs are before it."


def test_nothing_starts_while_the_runner_is_closed_and_everybody_is_told_why() -> None:
    turns = plan(GPU, CPU, closed="It drains.")
    assert [(turn.seat, turn.why) for turn in turns] == [(None, "It drains.")] * 2


def test_the_next_job_has_nothing_to_wait_for() -> None:
    assert [turn.why for turn in plan(CPU, CPU)] == ["", "It waits for a free processor slot."]


@pytest.mark.parametrize(("need", "at", "words"), [
    (GPU, layout(cards=()), "needs a graphics card, and this runner has none."),
    (GPU, layout(per_card=0), "has none that jobs may use"),
    (big(200), layout(), "needs a graphics card with 200 GB of memory; the largest here has 140 GB"),
    (Need(True, index=7), layout(), "needs graphics card 7"),
    (Need(True, memory=80 * 10**9, index=0), layout(), "needs a graphics card with 80 GB"),
])
def test_what_can_never_run_here_is_said_in_a_sentence(need: Need, at: Layout, words: str) -> None:
    assert words in slots.impossible(need, at)


@pytest.mark.parametrize(("need", "at"), [
    (CPU, layout(cards=())), (GPU, layout()), (big(140), layout()), (Need(False, prefers=True), layout(cards=())),
    (GPU, layout(cards=(), known=False)), (GPU, layout(cards=(), trouble="the driver failed")),
])
def test_what_may_run_one_day_waits(need: Need, at: Layout) -> None:
    assert slots.impossible(need, at) == ""


def test_cards_that_do_not_answer_are_named_as_the_reason() -> None:
    turn, = plan(GPU, at=layout(cards=(), trouble="NVIDIA-SMI has failed"))
    assert "do not answer: NVIDIA-SMI has failed" in turn.why


@pytest.mark.parametrize(("wanted", "payload", "need"), [
    (Resources(), {}, Need(False)),
    (Resources(), {"estimator": "mlp"}, Need(False, prefers=True)),
    (Resources(prefers_gpu=True), {}, Need(False, prefers=True)),
    (Resources("cpu", prefers_gpu=True), {"estimator": "mlp"}, Need(False)),
    (Resources("cuda"), {}, Need(True)),
    (Resources("cuda:3"), {}, Need(True, index=3)),
    (Resources(gpu_memory=5), {}, Need(True, memory=5)),
])
def test_a_spec_says_what_its_job_needs(wanted: Resources, payload: dict[str, str], need: Need) -> None:
    assert need_of(JobSpec(new_id(), "train", "", (), payload, wanted)) == need


def test_every_slot_is_listed_with_its_holder_even_where_there_are_fewer_slots_by_now() -> None:
    held = {"a": Seat("cpu", 2), "b": Seat("cpu", 0), "c": SEAT_LARGE}
    found = slots.slots(held, layout(cpu=1, per_card=2, cards=(LARGE,), memory=5))
    assert [(slot.kind, slot.index, slot.job) for slot in found] == [
        ("cpu", 0, "b"), ("gpu", 1, "c"), ("gpu", 1, ""), ("cpu", 2, "a")]
    assert [slot.memory for slot in found] == [5, LARGE.memory, LARGE.memory, 5]


# --- the driver's tool

LISTED = "0, GPU-aa, NVIDIA H200, 143771\n1, GPU-bb, A, B and C, 81559\nNo devices\n2, , x, 5\n"


def test_cards_are_read_from_what_the_tool_prints() -> None:
    assert cards.read(LISTED) == (Card(0, "GPU-aa", "NVIDIA H200", 143771 * 2**20),
                                  Card(1, "GPU-bb", "A, B and C", 81559 * 2**20))


@pytest.mark.parametrize(("limit", "seen"), [
    (None, [0, 1]), ("", []), ("1", [1]), ("0,1", [0, 1]), ("GPU-b", [1]), ("-1", []), ("GPU-aa, 1", [0, 1])])
def test_an_agent_that_may_see_some_cards_only_gives_no_others_away(limit: str | None, seen: list[int]) -> None:
    assert [card.index for card in cards.visible(cards.read(LISTED), limit)] == seen


# --- quiet hours

NIGHT, LUNCH, DAY = (22 * 60, 7 * 60), (12 * 60, 13 * 60), (0, 24 * 60)


@pytest.mark.parametrize(("hours", "now", "until"), [
    ([], "12:00", None), ([NIGHT], "21:59", None), ([NIGHT], "22:00", "07:00"), ([NIGHT], "00:00", "07:00"),
    ([NIGHT], "06:59", "07:00"), ([NIGHT], "07:00", None), ([LUNCH], "12:30", "13:00"), ([LUNCH], "13:00", None),
    ([NIGHT, LUNCH], "12:59", "13:00"), ([(22 * 60, 24 * 60), (0, 7 * 60)], "23:00", "07:00"),
    ([(13 * 60, 14 * 60), LUNCH], "12:10", "14:00"), ([DAY], "12:00", "12:00"),
    ([NIGHT, (6 * 60, 9 * 60)], "23:00", "09:00"),
])
def test_quiet_hours_end_when_the_last_that_meet_do(hours: list[tuple[int, int]], now: str, until: str | None) -> None:
    hour, minute = now.split(":")
    found = quiet_until(hours, int(hour) * 60 + int(minute))
    assert (None if found is None else clock_time(found)) == until


def test_minutes_are_those_of_this_machines_own_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        for name, clock, shown in (("Asia/Seoul", "09:00", "KST (UTC+09:00)"), ("UTC", "00:00", "UTC")):
            monkeypatch.setenv("TZ", name)
            time.tzset()
            assert (clock_time(minute_of(0.0)), zone(0.0)) == (clock, shown)
    finally:
        monkeypatch.undo()
        time.tzset()
