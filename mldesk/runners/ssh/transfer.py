"""What both directions of a transfer share: progress, cuts, and the reasons that a far end gives.

A transfer that is cut off raises; doing it again moves only what had not arrived. See upload.py and download.py.
"""

from __future__ import annotations

from collections.abc import Callable

from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged, MldeskError, NotFound, RunnerUnreachable
from mldesk.runners import answers
from mldesk.wire.bulk import Frame, Received

Progress = Callable[[int, int], None]        # bytes moved, bytes to move; called in the transfer's thread
_KINDS: dict[str, type[MldeskError]] = {"disk_full": DiskFull, "object_missing": NotFound, "not_found": NotFound,
                                        "library_damaged": LibraryDamaged}


class Cut(RunnerUnreachable):
    """The channel ended in the middle; what arrived before is kept."""


class Damaged(BadInput):
    """The far end says that what arrived is not what was announced."""


def raise_failure(answer: Received) -> None:
    """Raise what a FAILED frame says; other frames pass. Raises Cut, Damaged, DiskFull, NotFound, RunnerUnreachable."""
    if answer.kind is not Frame.FAILED:
        return
    facts = answer.json()
    message, hint = answers.plain(facts.get("message")), answers.plain(facts.get("hint"))
    if facts.get("code") == "bulk_torn":
        raise Cut(message)
    if facts.get("code") == "chunks_damaged":
        raise Damaged(message, hint=hint)
    kind = _KINDS.get(str(facts.get("code")), RunnerUnreachable)
    raise kind(message or "The runner gives no reason.", hint=hint)


class Steady:
    """Makes one count of a transfer that is cut and begun again: never backwards, the whole as it was first seen."""

    def __init__(self, report: Progress) -> None:
        self._report = report
        self._total = self._done = 0

    def __call__(self, done: int, total: int) -> None:
        """Take in what one try says of itself."""
        self._total = max(self._total, total)
        self._done = max(self._done, self._total - total + done)
        self._report(self._done, self._total)
