"""Several processes that make trials at once, and fit folds of one another's trials once there is nothing else to do.

A worker is told of a trial as a line of JSON and answers with another; rows and outcomes are files (see ``records``).
It holds the models until they are asked for, since few trials are blended and writing models takes as long as fitting
some. It ends when its input does, so it cannot outlive this process, however that ends.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mldesk.core.errors import DiskFull, WorkFailed
from mldesk.training.job import Workplace
from mldesk.training.search.crew import Done, Task
from mldesk.training.search.hands import Hand
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.records import Records
from mldesk.training.search.row_files import save_rows
from mldesk.training.search.trial import Bounds, Outcome

_HANDING = 120.0   # seconds that writing the models of one trial may take


@dataclass(frozen=True, slots=True)
class _Making:
    """A worker makes a trial."""

    number: int
    configuration: Configuration
    deadline: float    # of time.monotonic


@dataclass(frozen=True, slots=True)
class _Helping:
    """A worker fits folds of a trial that another makes."""

    trial: _Making
    wave: int | None   # None: the other was asked for one


_At = _Making | _Helping | None   # None: it has nothing to do


class Workers:
    """A crew of several processes. Their trials' models come back as files when they are asked for."""

    def __init__(self, hands: Sequence[Hand], task: Task, records: Records, folder: Path, work: Workplace) -> None:
        """``hands``: those of ``start_hands``, which are at this crew's orders from now on."""
        self._hands, self._work, self._records, self._models = hands, work, records, task.rows.models
        self._holders: dict[int, set[int]] = {}   # trial: the workers that hold its models, some each
        self._awaited: set[tuple[int, int]] = set()   # worker and trial whose models it was told to hand over
        self._whole: set[int] = set()             # trials that have no fold to give away
        self._said: queue.Queue[tuple[int, dict[str, Any] | None]] = queue.Queue()
        self._at: dict[int, _At] = {}             # of those that live
        self._done: list[Done] = []
        self._finishing = self._made = False   # whether they were told to finish; whether a trial was made
        save_rows(task.rows, folder / "rows")
        given = {"folder": str(folder), "aim": task.aim.name, "quantile": task.aim.quantile, "labels": task.aim.labels,
                 "seed": task.seed, "device": task.device, "nodes": task.nodes,
                 "threads": max(1, task.threads // len(hands))}
        for place, hand in enumerate(hands):
            self._at[place] = None
            threading.Thread(target=self._listen, args=(place, hand), name=f"worker {place}", daemon=True).start()
            self._tell(place, given)

    @property
    def free(self) -> bool:
        return any(at is None for at in self._at.values())

    @property
    def busy(self) -> bool:
        return any(isinstance(at, _Making) for at in self._at.values())

    def begin(self, number: int, configuration: Configuration, bounds: Bounds, deadline: float) -> None:
        place = next(place for place, at in self._at.items() if at is None)
        self._at[place] = _Making(number, configuration, deadline)
        self._tell(place, {"number": number, "configuration": asdict(configuration), "bounds": asdict(bounds),
                           "left": _seconds(deadline - time.monotonic())})

    def share(self) -> None:
        asked = {at.trial.number for at in self._at.values() if isinstance(at, _Helping) and at.wave is None}
        for place in [place for place, at in self._at.items() if at is None]:
            owner = next((other for other, at in self._at.items()
                          if isinstance(at, _Making) and at.number not in self._whole | asked), None)
            if owner is None:
                return
            trial = self._at[owner]
            assert isinstance(trial, _Making)  # noqa: S101 - for mypy: chosen as one
            self._at[place] = _Helping(trial, None)
            asked.add(trial.number)
            self._tell(owner, {"lend": trial.number})

    def ended(self, wait: float) -> list[Done]:
        if self._work.control.finish and not self._finishing:
            self._finishing = True
            for place in self._at:
                self._tell(place, {"finish": True, "others": self._made})
        self._hear(wait)
        if not self._at:
            raise WorkFailed("The processes that try the models have all died.",
                             hint="The machine may have too little memory for so many at once.")
        done, self._done = self._done, []
        return done

    def has_models(self, number: int) -> bool:
        return self._holds(number) or self._records.has_models(number, self._models)

    def fetch(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if self._holds(number):
                for place in self._holders.pop(number):
                    self._awaited.add((place, number))
                    self._tell(place, {"hand_over": number})

    def models(self, outcome: Outcome) -> Sequence[Any]:
        self.write_models(outcome)
        return self._records.models(outcome, self._models)

    def write_models(self, outcome: Outcome) -> None:
        self.fetch([outcome.number])
        until = time.monotonic() + _HANDING
        while time.monotonic() < until and any(number == outcome.number for _, number in self._awaited):
            self._work.control.check()
            self._hear(1.0)

    def drop(self, number: int) -> None:
        for place in self._holders.pop(number, ()):
            self._tell(place, {"drop": number})
        self._records.drop_models(number)

    def close(self) -> None:
        for hand in self._hands:
            hand.end()

    def _holds(self, number: int) -> bool:
        return number in self._holders and self._holders[number] <= self._at.keys()

    def _hear(self, wait: float) -> None:
        """Act on what workers say, waiting up to ``wait`` seconds for the first word."""
        try:
            said = self._said.get(timeout=wait)
            while True:
                self._take_in(*said)
                said = self._said.get_nowait()
        except queue.Empty:
            return

    def _take_in(self, place: int, said: dict[str, Any] | None) -> None:
        at = self._at.get(place)
        if said is None:
            self._lose(place, at)
        elif "handed_over" in said:
            self._awaited.discard((place, said["handed_over"]))
        elif "lent" in said:
            self._lend(place, said["of"], said["lent"], said["seconds"])
        elif isinstance(at, _Helping) and "fitted" in said:
            self._at[place] = None
            self._give_back(place, at.trial.number, said["fitted"], said["seconds"])
        elif isinstance(at, _Making) and "number" in said:
            self._at[place] = None
            self._end_trial(place, at, said)

    def _lose(self, place: int, at: _At) -> None:
        """A worker is gone, with what it was at."""
        del self._at[place]
        self._awaited = {item for item in self._awaited if item[0] != place}
        if isinstance(at, _Helping) and at.wave is not None:
            self._give_back(place, at.trial.number, at.wave, None)
        if isinstance(at, _Making):
            self._leave(at.number)
            state = "late" if self._work.control.terminate else "failed"   # a pause ends workers, and is no failure
            self._done.append(Done(at.number, at.configuration, state,
                                   facts={"message": "The process that tried it died."}))

    def _lend(self, owner: int, number: int, wave: int | None, seconds: float | None) -> None:
        """Hand what one worker gave away to the one that it was asked for."""
        if wave is None:
            self._whole.add(number)
        place, at = next(((place, at) for place, at in self._at.items()
                          if isinstance(at, _Helping) and (at.trial.number, at.wave) == (number, None)), (-1, None))
        if at is None:
            if wave is not None:    # whom it was for has died
                self._tell(owner, {"back": wave, "of": number, "seconds": None})
        elif wave is None:
            self._at[place] = None
        else:
            self._at[place] = _Helping(at.trial, wave)
            self._tell(place, {"wave": wave, "number": number, "configuration": asdict(at.trial.configuration),
                               "seconds": seconds, "left": _seconds(at.trial.deadline - time.monotonic())})

    def _give_back(self, place: int, number: int, wave: int, seconds: float | None) -> None:
        """Tell whoever makes a trial how a wave of it went elsewhere."""
        owner = next((other for other, at in self._at.items() if isinstance(at, _Making) and at.number == number), None)
        if owner is None:    # it ended without
            self._tell(place, {"drop": number})
            return
        if seconds is not None:
            self._holders.setdefault(number, set()).add(place)
        self._tell(owner, {"back": wave, "of": number, "seconds": seconds})

    def _leave(self, number: int) -> None:
        """A trial has ended: nobody waits for what others were asked to fit of it."""
        for place, at in self._at.items():
            if isinstance(at, _Helping) and at.trial.number == number:
                if at.wave is None:
                    self._at[place] = None
                else:
                    self._tell(place, {"leave": number})

    def _end_trial(self, place: int, at: _Making, said: Mapping[str, Any]) -> None:
        state, number = said["state"], at.number
        self._leave(number)
        if state == "full":
            raise DiskFull(said["facts"]["message"], hint="Free some space on that disk, then resume the search.")
        outcome = self._records.one(number) if state == "complete" else None
        if state == "complete":
            self._made = True
            self._holders.setdefault(number, set()).add(place)
        else:
            self.drop(number)
        self._done.append(Done(number, at.configuration, "failed" if state == "complete" and outcome is None else state,
                               outcome, said["seconds"], said["facts"]))

    def _tell(self, place: int, line: Mapping[str, Any]) -> None:
        try:
            self._hands[place].orders.write(json.dumps(line).encode() + b"\n")
            self._hands[place].orders.flush()
        except OSError:
            pass   # it died, which its listener says

    def _listen(self, place: int, hand: Hand) -> None:
        try:
            for line in hand.answers:
                if line.startswith(b"{"):
                    self._said.put((place, json.loads(line)))
        except ValueError:
            pass   # closed, or a torn line of one that was killed
        self._said.put((place, None))


def _seconds(left: float) -> float:
    return max(0.0, min(1e9, left))
