"""Which waiting job gets which slot, and what the others wait for. Pure: the queue and the slots in, turns out.

Strictly in order within a lane: a job waits for the processor slots, or for those cards that are large enough for it,
and nobody behind it is given what it waits for. Jobs in different lanes pass one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mldesk.wire.jobs import JobSpec
from mldesk.wire.runner_view import Slot
from runner_agent.cards import Card
from runner_agent.seat import Seat

CPU = "cpu"                # the lane of the processor slots; a card's lane is its UUID


@dataclass(frozen=True, slots=True)
class Need:
    """What a job wants of its slot."""

    card: bool                  # a graphics card, without which it cannot run
    prefers: bool = False       # a card if there is one
    memory: int = 0             # bytes it must have
    index: int | None = None    # this card and no other


@dataclass(frozen=True, slots=True)
class Turn:
    """What comes of one waiting job now."""

    job: str
    seat: Seat | None      # it may start there
    why: str               # or waits for this


@dataclass(frozen=True, slots=True)
class Layout:
    """The slots there are."""

    cpu: int                          # processor slots
    per_card: int                     # slots of each card; 0: cards are left alone
    cards: tuple[Card, ...]
    memory: int = 0                   # bytes of the machine
    known: bool = True                # False: the driver has not answered yet, and cards may appear
    trouble: str = ""                 # what it said instead

    @property
    def usable(self) -> tuple[Card, ...]:
        return self.cards if self.per_card else ()


def need_of(spec: JobSpec) -> Need:
    """Return what a job's spec asks for."""
    wants = spec.resources
    if wants.gpu_memory or wants.device.startswith("cuda"):
        _, _, index = wants.device.partition(":")
        return Need(True, memory=wants.gpu_memory, index=int(index) if index else None)
    # An older desktop does not say what can use a card; the network can.
    likes = wants.prefers_gpu or spec.payload.get("estimator") == "mlp"
    return Need(False, prefers=wants.device == "auto" and likes)


def impossible(need: Need, layout: Layout) -> str:
    """Say why a job can never run here, in one sentence; "" if it can, or that is not certain yet."""
    if not need.card or (layout.per_card and (not layout.known or layout.trouble)):
        return ""
    if not layout.usable:
        left = " that jobs may use" if layout.cards else ""
        return f"The job needs a graphics card, and this runner has none{left}."
    if need.index is not None and all(card.index != need.index for card in layout.usable):
        return f"The job needs graphics card {need.index}, and this runner has no card of that number."
    if not _fitting(need, layout):
        largest = max(card.memory for card in layout.usable)
        return (f"The job needs a graphics card with {gigabytes(need.memory)} of memory; "
                f"the largest here has {gigabytes(largest)}.")
    return ""


def plan(waiting: Iterable[tuple[str, Need]], held: Mapping[str, Seat], layout: Layout, closed: str = "",
         later: Mapping[str, str] | None = None) -> list[Turn]:
    """Return the turn of every waiting job, in their order. ``closed``: why nothing at all is started now.

    ``later``: those whose time has not come, and the words for it. They hold up nobody.
    """
    taken, turns = dict(held), []
    barred: dict[str, int] = {}       # how many wait in a lane already
    for job, need in waiting:
        if later and job in later:
            turns.append(Turn(job, None, later[job]))
            continue
        lanes, why = _lanes(need, layout), ""
        seat = None if closed else _choose(need, lanes - barred.keys(), taken, layout)
        if seat is not None:
            taken[job] = seat
        else:
            before = max((barred.get(lane, 0) for lane in lanes), default=0)
            why = closed or _why(need, lanes, before, layout)
            barred.update(dict.fromkeys(lanes, before + 1))
        turns.append(Turn(job, seat, why))
    return turns


def slots(held: Mapping[str, Seat], layout: Layout) -> tuple[Slot, ...]:
    """Return every slot with its holder; more than there are, where settings were lowered while jobs ran."""
    found = []
    left = dict(held)
    for number in range(layout.cpu):
        job = next((job for job, seat in left.items() if seat.kind == "cpu" and seat.index == number), "")
        left.pop(job, None)
        found.append(Slot("cpu", number, "", layout.memory, job))
    for card in layout.usable:
        for _ in range(layout.per_card):
            job = next((job for job, seat in left.items() if seat.uuid == card.uuid), "")
            left.pop(job, None)
            found.append(Slot("gpu", card.index, card.name, card.memory, job))
    memory = {card.uuid: card.memory for card in layout.cards}
    found += [Slot(seat.kind, seat.index, seat.name, memory.get(seat.uuid, layout.memory), job)
              for job, seat in left.items()]
    return tuple(found)


def gigabytes(count: int) -> str:
    """Write bytes as gigabytes, as cards are sold by them."""
    return f"{count / 1e9:.1f}".removesuffix(".0") + " GB"


def _fitting(need: Need, layout: Layout) -> list[Card]:
    return [card for card in layout.usable
            if card.memory >= need.memory and need.index in (None, card.index)]


def _lanes(need: Need, layout: Layout) -> set[str]:
    """Return where a job may run: cards by UUID, or the processor; nowhere while the cards are not known."""
    if need.card or (need.prefers and layout.usable):
        return {card.uuid for card in _fitting(need, layout)}
    unknown = need.prefers and layout.per_card and not layout.known
    return set() if unknown else {CPU}


def _choose(need: Need, lanes: set[str], taken: Mapping[str, Seat], layout: Layout) -> Seat | None:
    """Return a free seat: the card with the fewest jobs, among those the smallest that will do."""
    if CPU in lanes:
        used = {seat.index for seat in taken.values() if seat.kind == "cpu"}
        if len(used) >= layout.cpu:
            return None
        return Seat("cpu", next(number for number in range(layout.cpu + 1) if number not in used))
    free = []
    for card in layout.usable:
        here = [seat for seat in taken.values() if seat.uuid == card.uuid]
        room = card.memory - sum(seat.memory for seat in here)
        if card.uuid in lanes and len(here) < layout.per_card and room >= need.memory:
            free.append((len(here), card.memory, card.index, card))
    if not free:
        return None
    card = min(free, key=lambda item: item[:3])[3]
    return Seat("gpu", card.index, card.uuid, card.name, need.memory)


def _why(need: Need, lanes: set[str], before: int, layout: Layout) -> str:
    if not lanes:
        what = f": {layout.trouble}" if layout.trouble else ""
        return f"It waits for the graphics cards of the runner, which do not answer{what or ' yet'}."
    if before:
        return f"It waits for its turn; {before} {'job is' if before == 1 else 'jobs are'} before it."
    if CPU in lanes:
        return "It waits for a free processor slot."
    if need.index is not None:
        return f"It waits for graphics card {need.index}."
    if need.memory:
        return f"It waits for a graphics card with {gigabytes(need.memory)} of memory."
    return "It waits for a graphics card."
