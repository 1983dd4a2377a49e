"""How long a run has been at work: what a trainer says begins at 0 with each attempt, a curve over time must not."""

from __future__ import annotations

from array import array


class Elapsed:
    """Makes seconds since the run's first attempt of seconds since this one; the time between attempts is not in it.

    What an attempt did past the checkpoint that the next one goes on from was done twice, and counts twice.
    """

    def __init__(self) -> None:
        self.before = 0.0   # seconds of the attempts that came before
        self._latest = 0.0  # seconds of this one, as far as it has said

    def begin(self, resumed_from: int | None) -> None:
        """Take in that an attempt began, at the step that it goes on from; None: anew, as if nothing had been."""
        self.before = 0.0 if resumed_from is None else self.before + self._latest
        self._latest = 0.0

    def at(self, seconds: float) -> float:
        """Return seconds since the first attempt began, for a reading that this attempt took after ``seconds``."""
        self._latest = max(self._latest, seconds)
        return self.before + seconds

    def each(self, seconds: array[float]) -> array[float]:
        """Return the same for many readings at once, in their order."""
        self._latest = max(self._latest, max(seconds, default=0.0))
        return array("d", [self.before + at for at in seconds]) if self.before else seconds
