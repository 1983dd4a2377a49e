"""How far an installation is, from what each of its phases will take, as one number that never goes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mldesk.runners.provision.steps import Report


class Progress:
    """Tells of phases in turn. Weights are in any one unit; bytes to send serve well."""

    def __init__(self, phases: Sequence[tuple[str, float]], report: Report | None) -> None:
        self._report, self._phases = report, phases
        self._total = sum(weight for _, weight in phases) or 1.0
        self._told = 0.0

    def phase(self, name: str) -> Callable[[float], None]:
        """Tell that a phase begins; the result takes how much of it is done, 0 to 1."""
        at = next((index for index, (known, _) in enumerate(self._phases) if known == name), len(self._phases))
        before = sum(weight for _, weight in self._phases[:at])
        own = self._phases[at][1] if at < len(self._phases) else 0.0

        def part(done: float) -> None:
            self._told = max(self._told, min(1.0, (before + own * min(1.0, done)) / self._total))
            if self._report is not None:
                self._report(name, self._told)
        part(0.0)
        return part

    def done(self) -> None:
        """Tell that all of it is done."""
        self._told = 1.0
        if self._report is not None:
            self._report("Done", 1.0)
